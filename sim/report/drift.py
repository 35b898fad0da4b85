"""Drift in pictures: how many records were wrong over time, and what the units between record and shelf came from."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.report.canvas import ALERT, FIRST, SECOND, Picture, drawn, legend_above, time_axis, whole_numbers
from sim.report.words import CAUSE_WORDS, figure_text, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Columns = dict[str, NDArray[Any]]

_SHADES = {
    "opening": (FIRST, 0.25), "delivery": (FIRST, 0.9), "mispick": (FIRST, 0.55), "theft": (ALERT, 0.85), "damage": (ALERT, 0.45),
    "breakage": (ALERT, 0.2), "count": (SECOND, 0.9), "platform": (SECOND, 0.5),
}  # fmt: skip


def drift_pictures(table: Columns, start: datetime) -> list[Picture]:
    """Both pictures, from the columns of drift.parquet; none where there was a single look."""
    at_s, look = np.unique(table["t_s"], return_inverse=True)
    if len(at_s) < 2:
        return []

    def total(name: str) -> NDArray[Any]:
        return np.bincount(look, weights=table[name])

    records = np.maximum(total("records"), 1)
    causes = {name: total(f"units_{name}") for name in CAUSE_WORDS if f"units_{name}" in table}
    return [
        _wrong(at_s, total("inaccurate") / records, total("phantom") / records, start),
        _by_cause(at_s, {name: units for name, units in causes.items() if units.any()}, start),
    ]


def _wrong(at_s: NDArray[Any], wrong: NDArray[Any], phantom: NDArray[Any], start: datetime) -> Picture:
    first, last = (figure_text(float(wrong[place]), "share") for place in (0, -1))
    alt = f"Share of stock records that are wrong over time: {first} at the start, {last} at the close."

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        axes.plot(at_s, 100.0 * wrong, "-", color=FIRST, linewidth=1.8, label="wrong")
        axes.plot(at_s, 100.0 * phantom, "-", color=ALERT, linewidth=1.4, label="on record, nothing on the shelf")
        axes.set_ylim(0, max(1.0, 105.0 * float(wrong.max())))
        axes.set_ylabel("% of the records")
        time_axis(axes, start, at_s[0], at_s[-1])
        legend_above(figure, axes)

    caption = "Over all stores and articles; by store and category in drift.parquet."
    return Picture("drift", "Records that are wrong", drawn("drift", 250.0, alt, draw), alt, caption)


def _by_cause(at_s: NDArray[Any], causes: dict[str, NDArray[Any]], start: datetime) -> Picture:
    close = ", ".join(f"{CAUSE_WORDS[name]} {number(float(units[-1]))}" for name, units in causes.items())
    alt = f"Units between record and shelf over time by cause. At the close: {close or 'none'}."

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        below = np.zeros(len(at_s))
        for name, units in causes.items():
            (colour, alpha), label = _SHADES[name], CAUSE_WORDS[name].partition(",")[0]
            axes.fill_between(at_s, below, below + units, color=colour, alpha=alpha, linewidth=0.0, label=label)
            below = below + units
        axes.set_ylim(0, max(1.0, float(below.max()) * 1.05))
        whole_numbers(axes)
        axes.set_ylabel("units off, either way")
        time_axis(axes, start, at_s[0], at_s[-1])
        legend_above(figure, axes)

    caption = "A unit too many in one record does not make up for one too few in another."
    return Picture("drift-causes", "What the gap came from", drawn("drift-causes", 250.0, alt, draw), alt, caption)
