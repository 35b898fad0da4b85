"""Charts that answer to the pointer: figures of plotly as plain data, drawn by the one copy of its script on the page.

Colours are names of the page's style variables (``--first``), which the page's script replaces when it draws, so that one
figure serves light, dark and print.
"""

import base64
import gzip
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

PALETTE: Final = ("--c1", "--c2", "--c3", "--c4", "--c5", "--c6", "--c7", "--c8")
"""Colours of things side by side, told apart by everybody who sees some."""

AXIS: Final[dict[str, Any]] = {
    "gridcolor": "--grid", "linecolor": "--grid", "zeroline": False, "automargin": True, "fixedrange": True,
}  # fmt: skip
"""What every axis has."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure of the page that answers to the pointer.

    Attributes
    ----------
    data, layout
        As plotly takes them.
    alt
        What it shows, for those who do not see it.
    height
        Pixels.
    """

    name: str
    title: str
    data: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    alt: str
    caption: str = ""
    height: int = 320

    @property
    def json(self) -> str:
        """Data and layout, safe inside a page."""
        layout = {"height": self.height, "margin": {"l": 48, "r": 12, "t": 8, "b": 32}, **self.layout}
        return safe_json({"data": list(self.data), "layout": layout})


def safe_json(value: Any) -> str:
    """JSON that may stand inside a script element: what is no number is null, and nothing in it ends the element."""
    return json.dumps(_finite(value), separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value


def rounded(values: Iterable[Any], digits: int = 2) -> list[float | None]:
    """Numbers with so many decimals; what is no number is None."""
    return [None if not math.isfinite(value) else round(float(value), digits) for value in values]


def moments(start: datetime, times_s: Iterable[float]) -> list[str]:
    """Moments on the scenario's own clock, as plotly takes them."""
    first = start.replace(tzinfo=None)
    return [(first + timedelta(seconds=round(float(t_s)))).isoformat() for t_s in times_s]


Band = tuple[str, float, float]
"""What was broken, from when, until when, seconds since the start."""


def shaded(start: datetime, bands: Sequence[Band], end_s: float) -> list[dict[str, Any]]:
    """Shapes that shade the times at which something was broken, over all of a figure's rows."""
    least_s = end_s / 400.0  # what is shorter could not be seen
    ends = [moments(start, (begin_s, max(over_s, begin_s + least_s))) for _, begin_s, over_s in bands]
    return [
        {
            "type": "rect", "xref": "x", "yref": "paper", "x0": begin, "x1": over, "y0": 0, "y1": 1,
            "fillcolor": "--alert", "opacity": 0.18, "line": {"width": 0}, "layer": "below",
        }
        for begin, over in ends
    ]  # fmt: skip


def axis(**more: Any) -> dict[str, Any]:
    """An axis with what every one has."""
    return {**AXIS, **more}


def clock_axis(span_s: float, **more: Any) -> dict[str, Any]:
    """An axis of the time of day; of the date too where the run is longer than a day and a half."""
    ticks = {"tickformat": "%H:%M"} if span_s <= 36 * 3600.0 else {}
    return axis(type="date", **ticks, **more)


def legend_below() -> dict[str, Any]:
    """A legend under the figure, in rows."""
    return {"orientation": "h", "x": 0, "y": -0.12, "yanchor": "top", "font": {"size": 12}}


def packed(data: bytes) -> str:
    """Bytes as a page carries them: deflated, in base64; the page's script unpacks them."""
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode("ascii")


@cache
def plotly_script() -> str:
    """The one copy of plotly's script, packed."""
    from importlib.resources import files

    return packed((files("plotly") / "package_data" / "plotly.min.js").read_bytes())
