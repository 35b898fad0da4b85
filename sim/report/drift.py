"""Drift in pictures: how many records were wrong over time, what the units off came from, and where they are."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.report.canvas import ALERT, FIRST, SECOND, Picture, drawn, legend_above, time_axis, whole_numbers
from sim.report.reasons import CAUSE_WORDS
from sim.report.words import figure_text, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Columns = dict[str, NDArray[Any]]

_SHADES = {
    "opening": (FIRST, 0.25), "delivery": (FIRST, 0.9), "mispick": (FIRST, 0.55), "theft": (ALERT, 0.85), "damage": (ALERT, 0.45),
    "breakage": (ALERT, 0.2), "count": (SECOND, 0.9), "doubled_message": (SECOND, 0.65),
    "recovery": (SECOND, 0.4), "late_message": (SECOND, 0.2),
}  # fmt: skip


_BARS = 10
"""At most so many stores, and categories, of a picture: those with the largest share of wrong records."""


def drift_pictures(table: Columns, start: datetime, stores: Sequence[str], categories: Sequence[str]) -> list[Picture]:
    """The pictures, from the columns of drift.parquet and the names in it; none where there was a single look."""
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
        _where({name: column[table["t_s"] == at_s[-1]] for name, column in table.items()}, stores, categories),
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

    caption = "Over all stores and articles; by store and category and time in drift.parquet."
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


def _where(close: Columns, stores: Sequence[str], categories: Sequence[str]) -> Picture:
    sides = [("by store", _worst(close, "store", stores)), ("by category", _worst(close, "category", categories))]
    told = "; ".join(
        f"{title}: " + ", ".join(f"{name} {figure_text(wrong, 'share')}" for name, wrong, _ in bars)
        for title, bars in sides
    )
    alt = f"Share of stock records that are wrong at the close, with what most of the units came from, {told}."

    def draw(figure: "Figure") -> None:
        for (title, bars), axes in zip(sides, figure.subplots(1, 2, sharex=True), strict=True):
            places = range(len(bars))
            axes.barh(places, [100.0 * wrong for _, wrong, _ in bars], color=FIRST, alpha=0.25)
            for place, (name, wrong, cause) in enumerate(bars):
                text = f"{name}: {100.0 * wrong:.0f} %" + (f", {cause}" if cause else "")
                axes.text(0.0, place, f" {text}", va="center", fontsize=8.0)
            axes.set_yticks([])
            axes.invert_yaxis()
            axes.grid(visible=False)
            axes.set_title(title)
            axes.set_xlabel("% of the records")

    height_pt = 70.0 + 16.0 * max(len(bars) for _, bars in sides)
    caption = f"At the close, with what most of the units off came from; the {_BARS} with most wrong records of each."
    return Picture(
        "drift-where", "Where the records are wrong", drawn("drift-where", height_pt, alt, draw), alt, caption
    )


def _worst(close: Columns, by: str, names: Sequence[str]) -> list[tuple[str, float, str]]:
    """Name, share of wrong records, and what most units came from, of the stores or categories with most wrong ones."""

    def total(name: str) -> NDArray[Any]:
        return np.bincount(close[by], weights=close[name], minlength=len(names))

    causes = [name for name in CAUSE_WORDS if f"units_{name}" in close]
    units = np.array([total(f"units_{name}") for name in causes])
    wrong = total("inaccurate") / np.maximum(total("records"), 1)
    worst = np.argsort(-wrong, kind="stable")[:_BARS]
    return [
        (names[one], float(wrong[one]), CAUSE_WORDS[causes[int(units[:, one].argmax())]] if units[:, one].any() else "")
        for one in worst
    ]
