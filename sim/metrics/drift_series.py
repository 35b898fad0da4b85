"""How drift came about: the gap between record and shelf over time, by store, category and cause."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.metrics.drift import CAUSES, Origins
from sim.metrics.returns import put_away
from sim.metrics.tables import Columns
from sim.recording import Archive, committed
from sim.scenario import Scenario
from sim.scenario.fields import DAY_S
from sim.streams import Streams
from sim.world.catalogue import make_catalogue

HOURLY_UP_TO_S = 3 * DAY_S
"""Longer runs are looked at once a day (judgement: a hundred looks tell the story)."""


def looks(end_s: float) -> NDArray[np.float64]:
    """When the gap is looked at, seconds since the start: every hour or every day, and at the close."""
    step_s = 3600.0 if end_s <= HOURLY_UP_TO_S else DAY_S
    return np.append(np.arange(0.0, end_s, step_s), end_s)


def drift_table(archive: Archive, scenario: Scenario, shape: tuple[int, ...]) -> Columns:
    """One row per look, store and category, in this order.

    `t_s`, `store`, `category` (its place in the scenario's list); `records`, `inaccurate` and `phantom` records (on hand by
    the record, nothing on the shelf); `units_abs`, `units_net` off; `value_cents` of the units off at selling prices; and the
    units of each cause, shared out as in `sim.metrics.drift.drift`, whose totals the last look's are. And what
    customers felt of each cause since the look before: `short_<cause>`, on record and not found, `unseen_<cause>`, denied though
    there.
    """
    # What is sold hangs on the scenario alone, and no fact tells of it: made anew rather than handed through every caller.
    goods = make_catalogue(scenario, Streams(scenario.seed))
    stores, skus = shape
    categories = len(goods.categories)
    group = (np.arange(stores)[:, None] * categories + goods.category[None, :]).ravel().astype(np.int64)
    price = np.tile(goods.price_cents, stores)
    groups, origins = stores * categories, Origins(archive, stores * skus, skus)
    found: dict[str, list[NDArray[Any]]] = {}

    def note(name: str, values: NDArray[Any]) -> None:
        found.setdefault(name, []).append(np.bincount(group, weights=values, minlength=groups))

    at_s = looks(scenario.end_s)
    for t_s, record, shelf in _levels(archive, at_s, stores, skus):
        gap = record - shelf
        causes = origins.standing(gap, t_s)
        note("records", np.ones(len(gap)))
        note("inaccurate", gap != 0)
        note("phantom", (record > 0) & (shelf == 0))
        note("units_abs", np.abs(gap))
        note("units_net", gap)
        note("value_cents", np.abs(gap) * price)
        for row, name in CAUSES.items():
            note(f"units_{name}", causes[row])
    whole = {name: np.concatenate(columns) for name, columns in found.items()}
    for name, felt in (("short", origins.short(archive)[0]), ("unseen", origins.denied(archive))):
        look = np.minimum(np.searchsorted(at_s, felt.t_s), len(at_s) - 1)
        at = look * groups + group[felt.place]
        for row, cause in CAUSES.items():
            whole[f"{name}_{cause}"] = np.bincount(at, weights=felt.parts[row], minlength=groups * len(at_s))
    return {
        "t_s": np.repeat(at_s, groups),
        "store": np.tile(np.repeat(np.arange(stores), categories), len(at_s)),
        "category": np.tile(np.arange(categories), stores * len(at_s)),
        **{n: c if n.partition("_")[2] in CAUSES.values() else np.rint(c).astype(np.int64) for n, c in whole.items()},
    }


def _levels(
    archive: Archive, at_s: NDArray[np.float64], stores: int, skus: int
) -> Iterator[tuple[float, NDArray[np.int64], NDArray[np.int64]]]:
    """Units on record (available and held) and on the shelf at each look, int64 (places,) each."""

    def place(rows: Any, sku: str = "sku") -> NDArray[np.int64]:
        return np.asarray(rows["store"].astype(np.int64) * skus + rows[sku])

    record, shelf = (np.zeros(stores * skus, dtype=np.int64) for _ in range(2))
    moves: list[tuple[NDArray[np.int64], NDArray[Any], Any, NDArray[Any]]] = []

    def add(level: NDArray[np.int64], times: Any, places: NDArray[Any], units: Any) -> None:
        moves.append((level, places, units, np.searchsorted(times, at_s, side="right")))

    for kind, sign in (("shelf_changed", 1), ("goods_picked", -1), ("goods_put_back", 1)):
        rows = archive.rows(kind, ("t_s", "store", "sku", "units"))
        add(shelf, rows["t_s"], place(rows), sign * rows["units"])
    rows = put_away(archive)
    add(shelf, rows["t_s"], place(rows), rows["units"])
    rows = archive.rows("goods_sold")
    add(shelf, rows["t_s"], place(rows, "taken"), -rows["units"])
    add(record, rows["t_s"], place(rows), -rows["units"])
    rows = archive.rows("record_adjusted", ("t_s", "store", "sku", "units"))
    add(record, rows["t_s"], place(rows), rows["units"])
    for times, _, rows, units in committed(archive):
        order = np.argsort(times, kind="stable")
        add(record, times[order], place(rows[order]), -units[order])
    begins = [0] * len(moves)
    for look, t_s in enumerate(at_s.tolist()):
        for number, (level, places, units, ends) in enumerate(moves):
            part = slice(begins[number], ends[look])
            np.add.at(level, places[part], units[part])
            begins[number] = ends[look]
        yield t_s, record, shelf


def value_off(table: Columns) -> int:
    """What the units that records are off at the close sell for, either way, cents: the last look of a `drift_table`."""
    last = table["t_s"] == table["t_s"].max(initial=0.0)
    return int(table["value_cents"][last].sum())
