"""What every figure shares: a canvas without global state, one look, and SVG that takes its colours from the page.

A figure is drawn in stand-in colours which become CSS variables, so that one drawing serves light, dark and print.
Text stays text. Figures are 400 points wide with type of 10: legible on a phone as they are, and enlarged on a desk.
"""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import TYPE_CHECKING, Any, Final, cast

from sim.report.words import local_time

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_IN: Final = 400.0 / 72.0
RASTER_DPI: Final = 230
"""Resolution of what is drawn as pixels inside a figure: roads, and points by the thousand."""

INK, MUTED, GRID, CARD = "#010203", "#010204", "#010205", "#010206"
FIRST, SECOND, ALERT = "#010207", "#010208", "#010209"
_VARIABLES: Final = {
    INK: "--ink", MUTED: "--muted", GRID: "--grid", CARD: "--card", FIRST: "--first", SECOND: "--second",
    ALERT: "--alert",
}  # fmt: skip
ROADS: Final = "#8b93a3"
POINTS: Final = "#e5484d"
"""Colours inside pixels, which no style sheet reaches: chosen to be seen on white and on black."""

HALO: Final = "halo"
"""Id of text that lies on a picture: the page's style gives it a rim in the colour of the ground."""

_LOOK: Final[dict[str, Any]] = {
    "svg.fonttype": "none", "svg.hashsalt": "darkstore", "font.family": "sans-serif", "font.size": 10.0,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": GRID, "xtick.color": MUTED, "ytick.color": MUTED,
    "xtick.labelcolor": INK, "ytick.labelcolor": INK, "axes.grid": True, "axes.grid.axis": "y", "grid.color": GRID,
    "grid.linewidth": 0.7, "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False,
    "axes.spines.left": False, "ytick.major.size": 0.0, "axes.facecolor": "none", "figure.facecolor": "none",
    "savefig.transparent": True, "legend.frameon": False, "legend.fontsize": 10.0, "legend.borderaxespad": 0.2,
    "axes.titlesize": 10.0, "axes.titlelocation": "left", "axes.formatter.use_mathtext": False, "text.usetex": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure of the page: inline SVG, what it shows for those who do not see it, and a caption."""

    name: str
    title: str
    svg: str
    alt: str
    caption: str = ""


def drawn(name: str, height_pt: float, alt: str, draw: Callable[["Figure"], None]) -> str:
    """Draw a figure and return it as SVG to be put into a page.

    Parameters
    ----------
    name
        Unique on the page: ids inside the drawing begin with it.
    height_pt
        Height; the width is 400 points.
    alt
        What a reader who does not see the figure is told.
    draw
        Fills the empty figure.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(), warnings.catch_warnings():
        # The reader's browser has fonts that this machine may lack.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        matplotlib.rcdefaults()
        cast(Any, matplotlib.rcParams).update(_LOOK)
        figure = Figure(figsize=(WIDTH_IN, height_pt / 72.0), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        out = StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(out, format="svg", dpi=RASTER_DPI, metadata=nothing)
    return _for_page(out.getvalue(), name, alt)


def _for_page(svg: str, name: str, alt: str) -> str:
    from markupsafe import escape

    svg = svg[svg.index("<svg") :]
    for stand_in, variable in _VARIABLES.items():
        svg = svg.replace(stand_in, f"var({variable})")
    # Ids must differ between the figures of a page; most name a group for nobody.
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))

    def renamed(found: re.Match[str]) -> str:
        given = found[1]
        return f' id="{name}-{given}"' if given in used else f' class="{HALO}"' if given == HALO else ""

    svg = re.sub(r'\sid="([^"]+)"', renamed, svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", svg)
    head, tail = svg.split(">", 1)
    view = re.search(r'viewBox="[^"]+"', head)
    assert view is not None
    space = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {space} {view[0]} role="img" aria-label="{escape(alt)}">{tail.strip()}'


def slug(name: str) -> str:
    """A name as part of an id."""
    return "".join(letter if letter.isalnum() else "-" for letter in name)


def time_axis(axes: Any, start: datetime, begin_s: float, end_s: float) -> None:
    """Label an axis in seconds since the start with local clock times, or dates where months go by, at most nine of them."""
    span_h = max(end_s - begin_s, 60.0) / 3600.0
    steps_h = (0.25, 0.5, 1, 2, 3, 4, 6, 12, 24, 48, 96, 168, 336, 672, 1344)
    step_h = next((step for step in steps_h if span_h / step <= 8.5), span_h / 8.0)
    midnight_s = -(start.hour * 3600.0 + start.minute * 60.0 + start.second)
    first = -(-(begin_s - midnight_s) // (step_h * 3600.0))
    ticks, labels = [], []
    several, months = span_h > 30.0, span_h > 30 * 24.0
    place = midnight_s + first * step_h * 3600.0
    while place <= end_s + 1.0:
        when = local_time(start, place)
        new_day = several and when.hour == 0 and when.minute == 0
        ticks.append(place)
        labels.append(f"{when.day} {when:%b}" if months else f"{when:%a} {when.day}" if new_day else f"{when:%H:%M}")
        place += step_h * 3600.0
    axes.set_xticks(ticks, labels)
    axes.set_xlim(begin_s, end_s)
    first_day = local_time(start, begin_s)
    axes.set_xlabel(f"local time, from {first_day:%A} {first_day.day} {first_day:%B %Y}")


def hour_axis(axes: Any, first: int, last: int) -> None:
    """Label an axis in hours of the day from `first` to `last`, which may be past midnight (above 24), at most nine of them."""
    step = next(step for step in (1, 2, 3) if (last - first) / step <= 8.5 or step == 3)
    ticks = range(first - first % step, last + 1, step)
    axes.set_xticks(ticks, [f"{tick if tick <= 24 else tick - 24:02d}:00" for tick in ticks])
    axes.set_xlim(first - 0.2, last + 0.2)


def whole_numbers(axes: Any) -> None:
    """Label the upright axis with round whole numbers, few of them."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10], integer=True))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def legend_above(figure: "Figure", axes: Any) -> None:
    """Put the legend of axes above the figure."""
    from matplotlib.lines import Line2D

    handles, labels = axes.get_legend_handles_labels()
    # Areas and bars first, as they lie below the lines.
    order = sorted(range(len(labels)), key=lambda i: isinstance(handles[i], Line2D))
    handles, labels = [handles[i] for i in order], [labels[i] for i in order]
    figure.legend(handles, labels, loc="outside upper left", ncols=3, handlelength=1.2, columnspacing=1.0)
