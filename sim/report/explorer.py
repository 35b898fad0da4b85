"""The order explorer: every order's story on the page, packed, and unpacked by its script when somebody looks.

The stories are columns of small integers: times as steps of tenths of a second, parameters as they are. A day of 8,000 orders
with 300,000 facts takes about two megabytes of the page.
"""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.reading.lateness import overrun, usual
from sim.reading.legs import places_of
from sim.reading.paths import Way, said
from sim.reading.run import FinishedRun
from sim.reading.stories import KINDS, MOMENTS, PLACES, QUIET, Facts, currency_of, facts_of, parameters, vehicles_of
from sim.reading.story_words import WORDS
from sim.recording.schema import ENUMS
from sim.report.charts import packed
from sim.vocabulary import Rejection

MOST: Final = 10_000
"""Most orders whose stories are on the page (judgement: a few megabytes)."""

AWAY: Final = "turned_away"
"""The state of who could not place an order."""

_COLUMNS: Final = (
    "order", "store", "driver", "state", "cancel_reason", "entered_s", "promised_s", "delivered_s", "lat", "lon",
)  # fmt: skip


def chosen(orders: Mapping[str, NDArray[Any]], warmup_s: float = 0.0, most: int = MOST) -> list[int]:
    """Orders whose stories are told, at most so many: the latest first, then those that did not come, then some of the rest.

    Parameters
    ----------
    orders
        Columns of orders.parquet: ``order``, ``entered_s``, ``promised_s``, ``delivered_s``.
    warmup_s
        Orders that entered before are left out.
    """
    counted = orders["entered_s"] >= warmup_s
    late_s = np.where(counted, orders["delivered_s"] - orders["promised_s"], np.nan)
    late = np.flatnonzero(late_s > 0.0)
    late = late[np.argsort(-late_s[late], kind="stable")][: most // 2]
    failed = np.flatnonzero(counted & np.isnan(orders["delivered_s"]))[: most // 4]
    first = np.concatenate([late, failed])
    rest = np.setdiff1d(np.flatnonzero(counted), first)
    room = most - len(first)
    rest = rest[:: max(1, -(-len(rest) // room))] if room > 0 else rest[:0]
    found: list[int] = np.sort(orders["order"][np.concatenate([first, rest])]).tolist()
    return found


def turned_away(run: FinishedRun, warmup_s: float, most: int) -> dict[int, tuple[float, str]]:
    """Customers who could not place their order, at most so many, spread over the day: when that was, and why."""
    rows = run.archive.rows("order_rejected", ("order", "t_s", "reject"))
    rows = rows[rows["t_s"] >= warmup_s]
    some = rows[:: max(1, -(-len(rows) // most))] if most > 0 else rows[:0]
    return {int(row["order"]): (float(row["t_s"]), Rejection(int(row["reject"])).name.lower()) for row in some}


def explorer_data(
    run: FinishedRun,
    ways: Sequence[Way],
    start: datetime,
    entered: Sequence[int],
    away: Mapping[int, tuple[float, str]],
) -> str:
    """The stories of some orders, packed for the page's script.

    Parameters
    ----------
    ways
        Of the delivered orders, for where their time went.
    start
        When the simulated clock began, on the scenario's own clock.
    entered, away
        Orders that were placed, by number; who was turned away, when and why.
    """
    orders = sorted([*entered, *away])
    facts, by_order, shares = facts_of(run, orders), {way.order: way for way in ways}, usual(ways)
    counts = np.bincount(np.searchsorted(orders, facts.order), minlength=len(orders)).tolist()
    causes = sorted({cause for way in ways for cause in (*way.spent(), *shares)})
    numbered = {cause: place for place, cause in enumerate(causes)}
    rows = {row[0]: row for row in zip(*run.columns("orders", *_COLUMNS).values(), strict=True)}
    told: list[list[Any]] = []
    pieces: list[list[int]] = []
    parts: list[list[int]] = []
    for order, count in zip(orders, counts, strict=True):
        if order in away:
            t_s, why = away[order]
            told.append([order, None, None, AWAY, why, round(t_s, 1), None, None, None, None, count])
            pieces.append([])
            parts.append([])
            continue
        _, store, driver, state, reason, entered_s, promised_s, delivered_s, lat, lon = rows[order]
        place = [None if degrees is None else round(degrees, 5) for degrees in (lat, lon)]
        times = [None if t_s is None else round(t_s, 1) for t_s in (entered_s, promised_s, delivered_s)]
        told.append([order, store, driver, state, reason, *times, *place, count])
        way = by_order.get(order)
        pieces.append([] if way is None else _flat((numbered[p.cause], p.end_s - p.start_s) for p in way.pieces))
        late = {} if way is None or way.late_s <= 0.0 else overrun(way, shares)
        parts.append(_flat((numbered[cause], late[cause]) for cause in sorted(late, key=lambda each: -late[each])))
    known, nodes = places_of(run), _nodes(facts)
    # Times in tenths of a second as steps from the fact before; each order begins anew.
    tenths = np.rint(10.0 * facts.t_s).astype(np.int64)
    steps = np.diff(tenths, prepend=0)
    first = np.cumsum([0, *counts])[:-1][np.array(counts) > 0]
    steps[first] = tenths[first]
    tree: dict[str, Any] = {
        "start": start.replace(tzinfo=None).isoformat(),
        "kinds": [[kind, WORDS[kind], parameters(kind), int(kind in QUIET)] for kind in KINDS],
        "enums": {name: [member.name.lower().replace("_", " ") for member in enum] for name, enum in ENUMS.items()},
        "moments": MOMENTS, "places": PLACES,
        "nodes": {node: [round(known[node][1], 5), round(known[node][0], 5)] for node in nodes if node in known},
        "causes": [said(cause) for cause in causes],
        "stores": [store.name for store in run.stores], "vehicles": vehicles_of(run), "currency": currency_of(run),
        "orders": told, "t": steps.tolist(), "k": facts.kind.tolist(),
        "v": [_small(value) for values in facts.values for value in values], "pieces": pieces, "parts": parts,
    }  # fmt: skip
    return packed(json.dumps(tree, separators=(",", ":"), allow_nan=False).encode())


def _small(value: Any) -> float | None:
    """A value with as many digits as anybody reads; None for what is no number."""
    if isinstance(value, float):
        return round(value, 1) if math.isfinite(value) else None
    return int(value)


def _nodes(facts: Facts) -> list[int]:
    """The nodes that facts speak of."""
    found: set[int] = set()
    for kind, name in enumerate(KINDS):
        where = [place for place, parameter in enumerate(parameters(name)) if parameter in PLACES]
        for mine in np.flatnonzero(facts.kind == kind).tolist() if where else ():
            found.update(int(facts.values[mine][place]) for place in where)
    return sorted(found)


def _flat(pairs: Any) -> list[int]:
    return [number for cause, seconds in pairs for number in (cause, round(seconds))]
