"""The state of a run at its end, in a form that can be compared: once from the live objects, once from the log alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.recording.archive import Archive
from sim.vocabulary import OrderState, StockCause

LEDGERS = ("shelf", "dock", "road", "scan", "available", "reserved", "version")


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Ledgers, orders, tasks and drivers.

    Attributes
    ----------
    shelf, dock, road, scan, available, reserved, version
        int64 (stores, skus); `road`: on the way from other stores, by the store they go to.
    orders
        int64 (orders, 4), by id: order, state, cents captured, cents refunded; every order that entered.
    tasks
        Orders with an open delivery task.
    totes
        Units of each (order, SKU) between shelf and customer.
    drivers
        Drivers at work: the node where they stand or to which they ride.
    """

    shelf: NDArray[np.int64]
    dock: NDArray[np.int64]
    road: NDArray[np.int64]
    scan: NDArray[np.int64]
    available: NDArray[np.int64]
    reserved: NDArray[np.int64]
    version: NDArray[np.int64]
    orders: NDArray[np.int64]
    tasks: frozenset[int]
    totes: dict[tuple[int, int], int]
    drivers: dict[int, int]

    def differences(self, other: "State") -> list[str]:
        """Say in words where two states differ; empty when they are the same."""
        found = []
        for name, row, column in (*((n, "store", "sku") for n in LEDGERS), ("orders", "row", "column")):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine.shape != theirs.shape:
                found.append(f"{name}: shapes {mine.shape} and {theirs.shape}")
            elif (mine != theirs).any():
                i, j = (int(place) for place in np.argwhere(mine != theirs)[0])
                count = int((mine != theirs).sum())
                found.append(
                    f"{name}: {count} of {mine.size} differ, first {row} {i} {column} {j}: {mine[i, j]} and {theirs[i, j]}"
                )
        for name in ("tasks", "totes", "drivers"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                odd = sorted(set(mine) ^ set(theirs)) or sorted(k for k in mine if mine[k] != theirs[k])
                found.append(f"{name}: {len(odd)} differ, first {odd[0]}")
        return found


def _by_record(
    shape: tuple[int, int], *parts: tuple[Any, Any], store: str = "store", sku: str = "sku"
) -> NDArray[np.int64]:
    """Sum signed units over (store, SKU), by the columns of these names; each part is rows and their units."""
    total = np.zeros(shape[0] * shape[1])
    for rows, units in parts:
        place = rows[store].astype(np.int64) * shape[1] + rows[sku]
        total += np.bincount(place, weights=np.broadcast_to(units, len(rows)), minlength=len(total))
    return np.rint(total).astype(np.int64).reshape(shape)


def replay(archive: Archive, shape: tuple[int, int]) -> State:
    """Rebuild the final state from the log alone.

    Parameters
    ----------
    shape
        (stores, skus) of the ledgers.
    """
    held, reduced = archive.rows("stock_reserved"), archive.rows("hold_reduced")
    adjusted, changed = archive.rows("record_adjusted"), archive.rows("shelf_changed")
    picked, back, sold = archive.rows("goods_picked"), archive.rows("goods_put_back"), archive.rows("goods_sold")
    committed = archive.rows("hold_committed")["order"]
    released = np.concatenate([archive.rows("hold_released")["order"], archive.rows("hold_expired")["order"]])
    held_committed, held_released = np.isin(held["order"], committed), np.isin(held["order"], released)
    less_committed, less_released = np.isin(reduced["order"], committed), np.isin(reduced["order"], released)
    # A hold ends with what is left of it, so what was taken out before leaves with the opposite sign.
    ended = held_committed | held_released
    less_ended = less_committed | less_released
    available = _by_record(
        shape,
        (adjusted, adjusted["units"]),
        (sold, -sold["units"]),
        (held, -held["units"]),
        (reduced, reduced["units"]),
        (held[held_released], held[held_released]["units"]),
        (reduced[less_released], -reduced[less_released]["units"]),
    )
    reserved = _by_record(
        shape,
        (held, held["units"]),
        (reduced, -reduced["units"]),
        (held[ended], -held[ended]["units"]),
        (reduced[less_ended], reduced[less_ended]["units"]),
    )
    returned = archive.rows("goods_returned")
    returned = returned[~returned["wasted"]]
    shelf = _by_record(
        shape,
        (changed, changed["units"]),
        (picked, -picked["units"]),
        (back, back["units"]),
        (returned, returned["units"]),
    )
    shelf += _by_record(shape, (sold, -sold["units"]), sku="taken")
    slipped = archive.rows("scan_slipped")
    docked, brought = archive.rows("goods_docked"), changed[changed["cause"] == StockCause.DELIVERY]
    # Only where there is a dock do deliveries come from it.
    dock = _by_record(shape, (docked, docked["units"]), (brought, -brought["units"])) if len(docked) else 0 * shelf
    sent = archive.rows("goods_sent")
    came = changed[(changed["cause"] == StockCause.TRANSFER) & (changed["units"] > 0)]
    road = _by_record(shape, (sent, sent["units"]), store="destination") - _by_record(shape, (came, came["units"]))
    return State(
        shelf=shelf,
        dock=dock,
        road=road,
        scan=shelf + _by_record(shape, (slipped, slipped["units"])),
        available=available,
        reserved=reserved,
        version=_by_record(shape, (adjusted, 1), (sold, 1), (held, 1), (reduced, 1), (held[ended], 1)),
        orders=_orders(archive),
        tasks=frozenset(
            np.setdiff1d(archive.rows("task_opened")["order"], archive.rows("task_closed")["order"]).tolist()
        ),
        totes=_totes(archive),
        drivers=_drivers(archive),
    )


def _orders(archive: Archive) -> NDArray[np.int64]:
    ids = np.sort(archive.rows("order_entered")["order"].astype(np.int64))
    moved = archive.rows("order_moved")
    kinds = ("order_entered", "order_moved", "payment_captured", "payment_refunded")
    size = max((int(archive.rows(kind)["order"].max(initial=-1)) for kind in kinds), default=-1) + 1
    state = np.full(size, int(OrderState.CREATED), dtype=np.int64)
    state[moved["order"]] = moved["state"]  # in order of time, so the last one stays
    columns = [ids, state[ids]]
    for kind, less in (("payment_captured", "books_lost"), ("payment_refunded", None)):
        cents = _sums(archive.rows(kind), size)
        if less is not None:
            cents -= _sums(archive.rows(less), size)
        columns.append(np.rint(cents[ids]).astype(np.int64))
    return np.column_stack(columns)


def _sums(rows: Any, size: int) -> NDArray[np.float64]:
    return np.asarray(np.bincount(rows["order"], weights=rows["cents"], minlength=size), dtype=np.float64)


def _totes(archive: Archive) -> dict[tuple[int, int], int]:
    picked, back, kept, returned = (
        archive.rows(kind) for kind in ("goods_picked", "goods_put_back", "goods_kept", "goods_returned")
    )
    gone = archive.rows("goods_delivered")["order"]
    totes: dict[tuple[int, int], int] = {}
    for rows, sign in ((picked[~np.isin(picked["order"], gone)], 1), (back, -1), (kept, 1), (returned, -1)):
        for order, sku, units in zip(rows["order"].tolist(), rows["sku"].tolist(), rows["units"].tolist(), strict=True):
            totes[order, sku] = totes.get((order, sku), 0) + sign * units
    return {key: units for key, units in totes.items() if units}


def _drivers(archive: Archive) -> dict[int, int]:
    """Where each driver at work was last bound for: where the last ride leads, the shift began or the vehicle stopped."""
    kinds = ("driver_on", "leg_started", "vehicle_stopped", "driver_off")
    who = np.concatenate([archive.rows(kind)["driver"] for kind in kinds])
    node = np.concatenate(
        [archive.rows(kind)["node"] if kind != "driver_off" else np.full(len(archive.seq(kind)), -1) for kind in kinds]
    )
    order = np.lexsort((np.concatenate([archive.seq(kind) for kind in kinds]), who))
    who, node = who[order], node[order]
    last = np.append(who[1:] != who[:-1], True) if len(who) else np.zeros(0, dtype=bool)
    at_work = last & (node >= 0)
    return dict(zip(who[at_work].tolist(), node[at_work].tolist(), strict=True))
