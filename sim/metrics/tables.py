"""One table per thing: orders, stops of delivery tasks, drivers, pickers; as columns, in the order of ids."""

from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.recording import Archive
from sim.vocabulary import NOBODY, OfferAnswer, OrderState, Svc, TaskEnd, Trip

Columns = dict[str, NDArray[Any]]

_TO_A_DOOR = (int(Trip.TO_CUSTOMER), int(Trip.ONWARD))


def share(part: Any, whole: Any) -> float | None:
    """A part of a whole; None where there is nothing to share."""
    return float(part) / float(whole) if whole else None


def _placed(size: int, ids: Any, values: Any, missing: float = np.nan) -> NDArray[Any]:
    """Spread values to the places of their ids; the last one wins."""
    column = np.full(size, missing, dtype=np.float64 if np.isnan(missing) else np.int64)
    column[ids] = values
    return column


def taken(archive: Archive) -> Any:
    """Which driver took which order, and when: what was accepted, and what was taken along with it; in order of time."""
    answered, along = archive.rows("offer_answered"), archive.rows("order_bundled")
    answered = answered[answered["answer"] == OfferAnswer.ACCEPTED][["t_s", "order", "driver"]]
    if not len(along):
        return answered
    both = np.concatenate([answered, along[["t_s", "order", "driver"]].astype(answered.dtype)])
    return both[np.argsort(both["t_s"], kind="stable")]


def _fetching(archive: Archive) -> Any:
    """Arrivals at stores of drivers who kept the order they came for."""
    came, back = archive.rows("driver_at_store"), archive.rows("order_taken_back")
    if not len(back):
        return came
    pair = [rows["driver"].astype(np.int64) << 32 | rows["order"] for rows in (came, back)]
    return came[~np.isin(*pair)]


def order_table(archive: Archive) -> Columns:
    """One row per order that entered (the columns of orders.parquet); times in seconds since the start, nan: never."""
    entered = archive.rows("order_entered")
    ids = entered["order"].astype(np.int64)
    size = int(ids.max()) + 1 if len(ids) else 0
    moved = archive.rows("order_moved")

    def when(state: OrderState) -> NDArray[Any]:
        rows = moved[moved["state"] == state]
        return np.asarray(_placed(size, rows["order"], rows["t_s"])[ids])

    def time_of(kind: str, rows: Any = None) -> NDArray[Any]:
        rows = archive.rows(kind) if rows is None else rows
        return np.asarray(_placed(size, rows["order"], rows["t_s"])[ids])

    accepted, cancelled = taken(archive), archive.rows("order_cancelled")
    refunded, promised = archive.rows("charge_returned"), archive.rows("order_promised")
    state = _placed(size, ids, int(OrderState.CREATED), NOBODY)
    state[moved["order"]] = moved["state"]
    captured = archive.rows("charge_made")
    charges = np.bincount(captured["order"], weights=captured["cents"], minlength=size) if size else np.zeros(0)
    refunds = np.bincount(refunded["order"], weights=refunded["cents"], minlength=size) if size else np.zeros(0)
    return {
        "order": ids,
        "client": entered["client"],
        "store": entered["store"],
        "driver": _placed(size, accepted["order"], accepted["driver"], NOBODY)[ids],
        "cell": entered["cell"],
        "node": entered["node"],
        "lines": entered["lines"],
        "units": entered["units"],
        "value_cents": entered["value_cents"],
        "state": state[ids],
        "cancel_reason": _placed(size, cancelled["order"], cancelled["reason"], NOBODY)[ids],
        "entered_s": entered["t_s"].copy(),
        "confirmed_s": when(OrderState.CONFIRMED),
        "pick_start_s": time_of("pick_started", archive.rows("pick_started")[::-1]),  # of several pickers, the first
        "packed_s": when(OrderState.PACKED),
        "accepted_s": time_of("offer_answered", accepted),
        "at_store_s": time_of("driver_at_store", _fetching(archive)),
        "picked_up_s": when(OrderState.PICKED_UP),
        "delivered_s": when(OrderState.DELIVERED),
        "promised_s": _placed(size, promised["order"], promised["promised_s"])[ids],
        "refunded_cents": np.rint(refunds[ids]).astype(np.int64),
        "charged_cents": np.rint(charges[ids]).astype(np.int64),
    }


def task_table(archive: Archive) -> Columns:
    """One row per delivery task and stop: at the store (stop 0) and at the door (stop 1), left with or without a handover."""
    opened, closed = archive.rows("task_opened"), archive.rows("task_closed")
    ids = opened["order"].astype(np.int64)
    size = int(ids.max()) + 1 if len(ids) else 0
    answered, accepted = archive.rows("offer_answered"), taken(archive)
    offers = np.bincount(answered["order"], minlength=size) if size else np.zeros(0, dtype=np.int64)
    legs, at_store = archive.rows("leg_started"), _fetching(archive)
    out, door = legs[np.isin(legs["trip"], _TO_A_DOOR)], archive.rows("goods_delivered")
    ends = _placed(size, closed["order"], closed["ended"], NOBODY)[ids]
    at_door = _placed(size, door["order"], door["t_s"])
    failed = archive.rows("handover_failed")
    at_door[failed["order"]] = failed["t_s"]
    n = len(ids)

    def both(store: Any, customer: Any) -> NDArray[Any]:
        return np.column_stack([np.broadcast_to(store, n), np.broadcast_to(customer, n)]).ravel()

    def column(rows: Any, name: str = "t_s") -> NDArray[Any]:
        return np.asarray(_placed(size, rows["order"], rows[name])[ids])

    left = column(out[::-1])  # of several rides to a door, the first left the store
    return {
        "order": np.repeat(ids, 2),
        "stop": np.tile(np.array([0, 1], dtype=np.int8), n),
        "driver": np.repeat(_placed(size, accepted["order"], accepted["driver"], NOBODY)[ids], 2),
        "store": np.repeat(opened["store"], 2),
        "offers": np.repeat(offers[ids], 2),
        "opened_s": np.repeat(opened["t_s"], 2),
        "ready_believed_s": np.repeat(opened["ready_s"], 2),
        "accepted_s": np.repeat(column(accepted), 2),
        "arrived_s": both(column(at_store), column(out, "arrive_s")),
        "left_s": both(left, at_door[ids]),
        "handed_over": np.repeat(ends == TaskEnd.HANDED_OVER, 2),
    }


def down_times(archive: Archive, service: Svc) -> list[tuple[float, float]]:
    """When nothing answered at a service of the platform: (from, to) in turn, seconds; infinity where it lasted to the end."""
    moves = archive.rows("service_answers")
    moves = moves[moves["service"] == service]
    went_s, came_s = moves["t_s"][~moves["again"]].tolist(), moves["t_s"][moves["again"]].tolist()
    return list(zip(went_s, [*came_s, inf], strict=False))


def spans(on: Any, off: Any, who: str, end_s: float) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Match shift begins and ends per person: (person, on, off); an open shift ends with the run."""
    a = np.lexsort((on["t_s"], on[who]))
    people, begins = on[who][a].astype(np.int64), on["t_s"][a]
    ends = np.full(len(people), end_s)
    b = np.lexsort((off["t_s"], off[who]))
    leavers, leaves = off[who][b], off["t_s"][b]
    # Shifts of one person alternate, so the k-th leaving ends the k-th coming.
    first_on, first_off = np.searchsorted(people, people), np.searchsorted(leavers, people)
    place = first_off + np.arange(len(people)) - first_on
    known = (
        (place < len(leavers)) & (leavers[np.minimum(place, max(len(leavers) - 1, 0))] == people)
        if len(leavers)
        else None
    )
    if known is not None:
        ends[known] = leaves[place[known]]
    return people, begins, ends


def work_spans(archive: Archive, end_s: float) -> dict[str, tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Stretches of time of people as (person, from, to): on shift, busy, and for drivers riding empty.

    A picker is busy with an order, or counting by plan. A driver is busy from accepting an order to handing it over, or
    handing in what is left of it (or learning that it is off); riding empty on the way to a store and back from a customer,
    but not with goods that come back. A ride that was cut short by the next one ends there.
    """
    shifts_p = spans(archive.rows("picker_on"), archive.rows("picker_off"), "picker", end_s)
    shifts_d = spans(archive.rows("driver_on"), archive.rows("driver_off"), "driver", end_s)
    started, ended = archive.rows("pick_started"), archive.rows("pick_ended")
    legs = archive.rows("leg_started")
    order = np.lexsort((archive.seq("leg_started"), legs["driver"]))
    legs = legs[order]
    until = np.minimum(legs["arrive_s"], end_s)
    if len(legs) > 1:
        same = legs["driver"][1:] == legs["driver"][:-1]
        until[:-1] = np.where(same, np.minimum(until[:-1], legs["t_s"][1:]), until[:-1])
    # A driver who goes home stops riding.
    who, on, off = shifts_d
    if len(who):
        shift = np.clip(
            np.searchsorted(who * 1e9 + on, legs["driver"] * 1e9 + legs["t_s"], side="right") - 1, 0, len(who) - 1
        )
        until = np.minimum(until, np.maximum(off[shift], legs["t_s"]))
    empty = np.isin(legs["trip"], (int(Trip.TO_STORE), int(Trip.BACK)))
    return {
        "pickers_on": shifts_p,
        "pickers_busy": _joined(
            spans(tours(started), tours(ended), "picker", end_s),
            spans(archive.rows("count_started"), archive.rows("count_ended"), "picker", end_s),
        ),
        "drivers_on": shifts_d,
        "drivers_busy": _busy_drivers(archive, end_s),
        "drivers_riding_empty": (legs["driver"][empty].astype(np.int64), legs["t_s"][empty], until[empty]),
    }


def _on_the_way(archive: Archive) -> NDArray[np.bool_]:
    """Which handovers are followed by another of the same tour, bool (n,)."""
    delivered, along = archive.rows("goods_delivered", ["order"])["order"], archive.rows("order_bundled")
    if not len(along) or not len(delivered):
        return np.zeros(len(delivered), dtype=bool)
    size = max(int(delivered.max()), int(along["order"].max()), int(along["first"].max())) + 1
    tour = np.arange(size)
    tour[along["order"]] = along["first"]
    last = np.full(size, -1)
    last[tour[delivered]] = np.arange(len(delivered))  # in order of time, so the last one stays
    return np.asarray(last[tour[delivered]] != np.arange(len(delivered)))


def _joined(one: Any, other: Any) -> Any:
    return tuple(np.concatenate(columns) for columns in zip(one, other, strict=True))


def tours(rows: Any) -> Any:
    """One row for each tour: its orders are begun at one moment, and put down at one."""
    return rows[np.sort(np.unique(rows[["picker", "t_s"]], return_index=True)[1])]


def _busy_drivers(archive: Archive, end_s: float) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """From accepting to the handover of everything, or to the moment at which the driver went free again or home."""
    answered = archive.rows("offer_answered")
    mine = answered["answer"] == OfferAnswer.ACCEPTED
    accepted, at = answered[mine], archive.seq("offer_answered")[mine]
    legs = archive.rows("leg_started", ["trip"])
    # Who keeps a part of an order has still to bring it back.
    whole = ~np.isin(archive.rows("goods_delivered", ["order"])["order"], archive.rows("goods_kept")["order"])
    whole &= ~_on_the_way(archive)
    some = {"leg_started": legs["trip"] == Trip.BACK, "goods_delivered": whole}
    kinds = ("goods_delivered", "tote_handed_in", "leg_started", "driver_off", "driver_waits")
    parts = [archive.rows(kind)[some.get(kind, slice(None))] for kind in kinds]
    who = np.concatenate([part["driver"] for part in (*parts, accepted)]).astype(np.int64)
    when = np.concatenate([part["t_s"] for part in (*parts, accepted)])
    seq = np.concatenate([*(archive.seq(kind)[some.get(kind, slice(None))] for kind in kinds), at])
    order = np.lexsort((seq, who))
    who, when, seq = who[order], when[order], seq[order]
    # The next thing that happens to a driver after accepting ends the stretch.
    key = who * (np.int64(1) << 40) + seq
    place = np.searchsorted(key, accepted["driver"].astype(np.int64) * (np.int64(1) << 40) + at) + 1
    inside = place < len(key)
    until = np.full(len(accepted), end_s)
    follows = np.zeros(len(accepted), dtype=bool)
    follows[inside] = who[place[inside]] == accepted["driver"][inside]
    until[follows] = when[place[follows]]
    return accepted["driver"].astype(np.int64), accepted["t_s"], until
