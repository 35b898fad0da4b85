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
from sim.reading.paths import Way, said
from sim.reading.run import FinishedRun
from sim.reading.stories import KINDS, MOMENTS, QUIET, Event, parameters, stories_of
from sim.reading.story_words import WORDS
from sim.recording.schema import ENUMS
from sim.report.charts import packed

MOST: Final = 10_000
"""Most orders whose stories are on the page (judgement: a few megabytes)."""


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


def explorer_data(run: FinishedRun, ways: Sequence[Way], start: datetime, orders: Sequence[int]) -> str:
    """The stories of some orders, packed for the page's script.

    Parameters
    ----------
    ways
        Of the delivered orders, for where their time went.
    start
        When the simulated clock began, on the scenario's own clock.
    """
    stories, by_order = stories_of(run, orders), {way.order: way for way in ways}
    shares = usual(ways)
    causes = sorted({cause for way in ways for cause in (*way.spent(), *shares)})
    names = (
        "order",
        "store",
        "driver",
        "state",
        "cancel_reason",
        "entered_s",
        "promised_s",
        "delivered_s",
        "lat",
        "lon",
    )
    rows = {row[0]: row for row in zip(*run.columns("orders", *names).values(), strict=True)}
    told: list[list[Any]] = []
    steps: list[int] = []
    kinds: list[int] = []
    values: list[float | None] = []
    pieces: list[list[int]] = []
    parts: list[list[int]] = []
    for order in orders:
        _, store, driver, state, reason, entered_s, promised_s, delivered_s, lat, lon = rows[order]
        events = stories[order]
        place = [None if degrees is None else round(degrees, 5) for degrees in (lat, lon)]
        times = [None if t_s is None else round(t_s) for t_s in (entered_s, promised_s, delivered_s)]
        told.append([order, store, driver, state, reason, *times, *place, len(events)])
        last = 0
        for event in events:
            now = round(10.0 * event.t_s)
            steps.append(now - last)
            kinds.append(KINDS.index(event.kind))
            values.extend(_small(event))
            last = now
        way = by_order.get(order)
        pieces.append([] if way is None else _flat((causes.index(p.cause), p.end_s - p.start_s) for p in way.pieces))
        late = {} if way is None or way.late_s <= 0.0 else overrun(way, shares)
        parts.append(_flat((causes.index(cause), late[cause]) for cause in sorted(late, key=lambda each: -late[each])))
    tree: dict[str, Any] = {
        "start": start.replace(tzinfo=None).isoformat(),
        "kinds": [[kind, WORDS[kind], parameters(kind), int(kind in QUIET)] for kind in KINDS],
        "enums": {name: [member.name.lower().replace("_", " ") for member in enum] for name, enum in ENUMS.items()},
        "moments": MOMENTS, "causes": [said(cause) for cause in causes],
        "stores": [store.name for store in run.stores],
        "orders": told, "t": steps, "k": kinds, "v": values, "pieces": pieces, "parts": parts,
    }  # fmt: skip
    return packed(json.dumps(tree, separators=(",", ":"), allow_nan=False).encode())


def _small(event: Event) -> list[float | None]:
    """An event's values with as many digits as anybody reads; None for what is no number."""
    return [
        (round(value, 1) if math.isfinite(value) else None) if isinstance(value, float) else int(value)
        for value in event.values
    ]


def _flat(pairs: Any) -> list[int]:
    return [number for cause, seconds in pairs for number in (cause, round(seconds))]
