"""Where the time of an order went, and what made it late.

An order's way from click to door is cut at everything that happened to it into pieces without gaps; each has a cause, which is
what the order was waiting for or undergoing. A promise is shared out among the causes as orders that came in time spent
theirs; what a cause took beyond its share is its part in the lateness, what it took less was made up. So the parts of an order
add up to exactly what it was late, and those of many to a waterfall.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from sim.reading.run import FinishedRun
from sim.reading.stories import Event, parameters, stories_of
from sim.vocabulary import NOBODY, FaultKind, OfferAnswer, PickStage, Topic

CAUSES: Final = {
    "checkout": "checkout",
    "conflict": "stock records that others changed or held (tries again)",
    "payment": "the payment provider",
    "crash": "an orchestrator that crashed",
    "late_message": "messages that were late",
    "lost_message": "messages that were lost",
    "wait_picker": "waiting for a picker",
    "pick": "picking and packing",
    "missing": "goods that were not there (looking, asking, fetching others)",
    "counter_room": "waiting for room at the counter",
    "packing_queue": "waiting for a packing station",
    "no_driver": "waiting for a driver",
    "declined": "offers declined or not answered",
    "wasted_trip": "drivers who did not come (wasted trips)",
    "to_store": "the driver's way to the store",
    "counter": "handing over at the counter",
    "tour": "other customers first (bundles)",
    "ride": "the ride to the customer",
    "stopped": "breakdowns and accidents",
    "wrong_address": "wrong addresses",
    "door": "parking, stairs and door",
}
"""What an order can spend time on, in the order of its way, and how to say so."""

_BUS = ("late_message", "lost_message", "wait_picker", "no_driver")
_CALLS = ("checkout", "payment", "crash")
_FLOOR = ("wait_picker", "pick", "packing_queue")
_OFFERS = ("declined", "no_driver", "late_message")
TOUCHES: Final[Mapping[FaultKind, tuple[str, ...]]] = {
    FaultKind.PROVIDER_OUTAGE: ("checkout", "payment"),
    FaultKind.BUS_SLOWDOWN: _BUS,
    FaultKind.BUS_PARTITION: _BUS,
    FaultKind.CONSUMER_REBALANCE: _BUS,
    FaultKind.BROKER_CRASH: _BUS,
    FaultKind.INSTANCE_CRASH: _CALLS,
    FaultKind.SERVICE_SLOWDOWN: _CALLS,
    FaultKind.EXHAUSTED_POOL: _CALLS,
    FaultKind.DATABASE_CRASH: _CALLS,
    FaultKind.ORCHESTRATOR_CRASH: _CALLS,
    FaultKind.EXPIRED_CERTIFICATE: _CALLS,
    FaultKind.REQUEST_FLOOD: _CALLS,
    FaultKind.LOGIN_ATTACK: _CALLS,
    FaultKind.ZONE_OUTAGE: (*_CALLS, *_BUS),
    FaultKind.REGION_OUTAGE: (*_CALLS, *_BUS),
    FaultKind.STORE_PARTITION: _FLOOR,
    FaultKind.SCANNER_FAILURE: _FLOOR,
    FaultKind.CORRUPTED_RECORDS: ("pick", "missing"),
    FaultKind.APP_CONNECTION_LOSS: _OFFERS,
    FaultKind.PUSH_OUTAGE: _OFFERS,
    FaultKind.REVOKED_SESSIONS: ("checkout",),
}
"""Causes that a fault brings about or prolongs: time spent on these while it lasts is put down to the fault (judgement)."""

_KINDS = (
    "payment_asked", "payment_captured", "payment_failed", "payment_unknown", "saga_resumed", "saga_step_done",
    "version_conflict", "lock_timed_out", "message_redelivered", "message_lost", "message_dead", "pick_started", "order_brought",
    "packing_began", "offer_made", "offer_answered", "order_bundled", "order_taken_back", "leg_started", "vehicle_stopped",
    "address_wrong",
)  # fmt: skip

STAGES: Final = ("entered_s", "confirmed_s", "pick_start_s", "packed_s", "picked_up_s", "delivered_s")


class Piece(NamedTuple):
    """A stretch of an order's way and what it was spent on; seconds since the start."""

    cause: str
    start_s: float
    end_s: float


class Way(NamedTuple):
    """A delivered order's way from click to door.

    Attributes
    ----------
    pieces
        Without a gap, from `entered_s` to `delivered_s`.
    """

    order: int
    entered_s: float
    promised_s: float
    delivered_s: float
    pieces: tuple[Piece, ...]

    @property
    def late_s(self) -> float:
        """How late it was; below zero: early."""
        return self.delivered_s - self.promised_s

    def spent(self) -> dict[str, float]:
        """Seconds by cause."""
        found: dict[str, float] = {}
        for piece in self.pieces:
            found[piece.cause] = found.get(piece.cause, 0.0) + piece.end_s - piece.start_s
        return found


class Fault(NamedTuple):
    """Something that was broken: what, from when, until when (seconds since the start), and in which store alone."""

    kind: FaultKind
    begin_s: float
    end_s: float
    store: int
    """`NOBODY`: in no store alone."""


Parts = list[tuple[str, float, float]]
"""Stretches by cause: from when, until when."""


def faults_of(run: FinishedRun) -> list[Fault]:
    """What was broken."""
    began, ended = run.archive.rows("fault_began"), run.archive.rows("fault_ended", ("t_s", "fault", "store"))
    left: dict[tuple[int, int], list[float]] = {}
    for t_s, fault, store in ended.tolist():
        left.setdefault((fault, store), []).append(t_s)
    found = []
    columns = (began[name].tolist() for name in ("t_s", "fault", "until_s", "store"))
    for t_s, fault, until_s, store in zip(*columns, strict=True):
        ends = [end_s for end_s in left.get((fault, store), []) if end_s >= t_s]
        found.append(Fault(FaultKind(fault), t_s, min(ends, default=min(until_s, run.close_s)), store))
    return found


def ways_of(run: FinishedRun, orders: Iterable[int] | None = None) -> list[Way]:
    """The ways of delivered orders that were promised a time, by their numbers.

    Parameters
    ----------
    orders
        Of these only; None: of all.
    """
    names = ("order", "store", "promised_s", *STAGES, "at_store_s")
    rows = [row for row in zip(*run.columns("orders", *names).values(), strict=True) if None not in row[:-1]]
    if orders is not None:
        wanted = set(orders)
        rows = [row for row in rows if row[0] in wanted]
    befell, broken, spent = stories_of(run, (row[0] for row in rows), _KINDS), faults_of(run), _spent(run)
    found = []
    for order, store, promised_s, *times, at_store_s in sorted(rows, key=lambda row: row[0]):
        # A picker may begin before the books say that the order is confirmed: no stage ends before it begins.
        moments = np.maximum.accumulate(np.array(times)).tolist()
        pieces = [piece for piece in _pieces(moments, at_store_s, befell[order], spent) if piece.end_s > piece.start_s]
        for fault in broken:
            if fault.store not in (NOBODY, store):
                continue  # it was another store's
            pieces = [part for piece in pieces for part in _struck(piece, fault)]
        found.append(Way(order, moments[0], promised_s, moments[-1], tuple(pieces)))
    return found


def _struck(piece: Piece, fault: Fault) -> list[Piece]:
    """A piece, of which the part during a fault that touches it is the fault's."""
    kind, begin_s, end_s, _ = fault
    if piece.cause not in TOUCHES.get(kind, ()):
        return [piece]
    return _carved(piece.cause, piece.start_s, piece.end_s, [(fault_cause(kind), begin_s, end_s)])


def fault_cause(kind: FaultKind) -> str:
    """The cause of time that a fault took."""
    return f"fault.{kind.name.lower()}"


def said(cause: str) -> str:
    """A cause in words."""
    return CAUSES.get(cause) or f"{cause.removeprefix('fault.').replace('_', ' ')}, while it lasted"


def _carved(base: str, start_s: float, end_s: float, parts: Iterable[tuple[str, float, float]]) -> list[Piece]:
    """A stretch cut into what has causes of its own, earlier ones first, and `base` between them."""
    pieces, here = [], start_s
    for cause, begin_s, stop_s in sorted(parts, key=lambda part: part[1]):
        begin_s, stop_s = max(begin_s, here), min(stop_s, end_s)
        if stop_s > begin_s:
            pieces += [Piece(base, here, begin_s), Piece(cause, begin_s, stop_s)]
            here = stop_s
    return [piece for piece in (*pieces, Piece(base, here, end_s)) if piece.end_s > piece.start_s]


class _Seen(NamedTuple):
    t_s: float
    told: dict[str, float]


def _spent(run: FinishedRun) -> dict[int, Parts]:
    """By picker: what he spent time on beside fetching what was there, in the order of the day."""
    kinds = ("line_substituted", "substitute_refused")
    answers = {t_s for kind in kinds for t_s in run.archive.rows(kind, ("t_s",))["t_s"].tolist()}
    found: dict[int, Parts] = {}
    names = ("t_s", "picker", "pick_stage", "spent_s")
    rows = run.archive.rows("stage_spent", names)
    for t_s, picker, stage, spent_s in zip(*(rows[name].tolist() for name in names), strict=True):
        if stage == PickStage.LOOKING or (stage == PickStage.WAITING and t_s in answers):
            found.setdefault(picker, []).append(("missing", t_s - spent_s, t_s))
        elif stage == PickStage.WAITING:
            found.setdefault(picker, []).append(("counter_room", t_s - spent_s, t_s))
    return found


def _pieces(
    moments: Sequence[float], at_store_s: float | None, events: Sequence[Event], spent: Mapping[int, Parts]
) -> list[Piece]:
    entered_s, confirmed_s, pick_start_s, packed_s, picked_up_s, delivered_s = moments
    seen: dict[str, list[_Seen]] = {kind: [] for kind in _KINDS}
    for event in events:
        values = dict(zip(parameters(event.kind), event.values, strict=True))
        seen[event.kind].append(_Seen(event.t_s, values))
    return [
        *_carved("checkout", entered_s, confirmed_s, _of_checkout(seen, events)),
        *_carved("wait_picker", confirmed_s, pick_start_s, _of_messages(seen, Topic.ORDER_CONFIRMED, pick_start_s)),
        *_carved("pick", pick_start_s, packed_s, _of_packing(seen) + _of_pickers(seen, spent, pick_start_s, packed_s)),
        *_carved("no_driver", packed_s, picked_up_s, _of_dispatch(seen, at_store_s, picked_up_s)),
        *_carved("tour", picked_up_s, delivered_s, _of_road(seen, picked_up_s, delivered_s)),
    ]


def _of_checkout(seen: dict[str, list[_Seen]], events: Sequence[Event]) -> Parts:
    parts: Parts = []
    answers = [each.t_s for kind in ("payment_captured", "payment_failed", "payment_unknown") for each in seen[kind]]
    for asked in seen["payment_asked"]:
        after = [t_s for t_s in answers if t_s >= asked.t_s]
        if after:
            parts.append(("payment", asked.t_s, min(after)))
    for resumed in seen["saga_resumed"]:
        before = [event.t_s for event in events if event.t_s < resumed.t_s]
        parts.append(("crash", max(before, default=resumed.t_s), resumed.t_s))
    for conflict in seen["version_conflict"]:
        after = [event.t_s for event in events if event.t_s > conflict.t_s]
        parts.append(("conflict", conflict.t_s, min(after, default=conflict.t_s)))
    return parts + [("conflict", each.t_s - each.told["waited_s"], each.t_s) for each in seen["lock_timed_out"]]


def _of_messages(seen: dict[str, list[_Seen]], topic: Topic, end_s: float) -> Parts:
    parts: Parts = [
        ("late_message", each.t_s - each.told["delay_s"], each.t_s)
        for each in seen["message_redelivered"]
        if each.told["topic"] == topic
    ]
    gone = [each for kind in ("message_lost", "message_dead") for each in seen[kind] if each.told["topic"] == topic]
    return parts + [("lost_message", each.t_s, end_s) for each in gone]


def _of_packing(seen: dict[str, list[_Seen]]) -> Parts:
    began = [each.t_s for each in seen["packing_began"]]
    return [
        ("packing_queue", brought.t_s, min(t_s for t_s in began if t_s >= brought.t_s))
        for brought in seen["order_brought"]
        if any(t_s >= brought.t_s for t_s in began)
    ]


def _of_pickers(seen: dict[str, list[_Seen]], spent: Mapping[int, Parts], start_s: float, end_s: float) -> Parts:
    found: Parts = []
    for picker in {int(each.told["picker"]) for each in seen["pick_started"]}:
        mine = spent.get(picker, [])
        for place in range(bisect_right(mine, start_s, key=_ends_s), bisect_right(mine, end_s, key=_ends_s)):
            found.append(mine[place])
    return found


def _ends_s(part: tuple[str, float, float]) -> float:
    return part[2]


def _of_dispatch(seen: dict[str, list[_Seen]], at_store_s: float | None, end_s: float) -> Parts:
    parts = _of_messages(seen, Topic.OFFER, end_s)
    asked: dict[float, list[float]] = {}
    for made in seen["offer_made"]:
        asked.setdefault(made.told["driver"], []).append(made.t_s)
    took = [(each.t_s, each.told["driver"]) for each in seen["order_bundled"]]
    for answer in seen["offer_answered"]:
        driver = answer.told["driver"]
        if answer.told["answer"] == OfferAnswer.ACCEPTED:
            took.append((answer.t_s, driver))
        elif asked.get(driver):
            parts.append(("declined", asked[driver].pop(0), answer.t_s))
    lost = [(each.t_s, each.told["driver"]) for each in seen["order_taken_back"]]
    for t_s, driver in sorted(took):
        back = [gone_s for gone_s, who in lost if who == driver and gone_s >= t_s]
        if back:
            parts.append(("wasted_trip", t_s, min(back)))
        else:
            there_s = end_s if at_store_s is None else max(at_store_s, t_s)
            parts += [("to_store", t_s, there_s), ("counter", there_s, end_s)]
    return parts


def _of_road(seen: dict[str, list[_Seen]], start_s: float, end_s: float) -> Parts:
    legs = [leg for leg in seen["leg_started"] if leg.t_s >= start_s]
    parts: Parts = [("stopped", each.t_s, each.told["until_s"]) for each in seen["vehicle_stopped"]]
    for found in seen["address_wrong"]:
        onward = [leg.told["arrive_s"] for leg in legs if leg.t_s >= found.t_s]
        parts.append(("wrong_address", found.t_s, min(onward, default=end_s)))
    stops = [each.t_s for each in seen["vehicle_stopped"]]
    for leg in legs:
        parts.append(("ride", leg.t_s, min([leg.told["arrive_s"], *(t_s for t_s in stops if t_s >= leg.t_s)])))
    if legs:
        parts.append(("door", max(leg.told["arrive_s"] for leg in legs), end_s))
    return parts
