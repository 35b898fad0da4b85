"""The words everybody shares: ids, units, money, the states of an order, and the one error a user can cause.

Ids are dense integers from zero, so a column is an array and an id is its index. Time is float seconds since the
scenario's start, suffix ``_s``; travel times inside the road map are whole milliseconds, suffix ``_ms``. Money is
integer cents of the scenario's currency, suffix ``_cents``.
"""

from enum import IntEnum
from typing import Final, NewType

OrderId = NewType("OrderId", int)
ClientId = NewType("ClientId", int)
StoreId = NewType("StoreId", int)
SkuId = NewType("SkuId", int)
PickerId = NewType("PickerId", int)
DriverId = NewType("DriverId", int)
NodeId = NewType("NodeId", int)
CellId = NewType("CellId", int)
Cents = NewType("Cents", int)
Units = NewType("Units", int)

NOBODY: Final = -1
"""The id in a column where there is no such thing (no driver yet, no store)."""

TICK_S: Final = 2.0**-20
"""Every drawn duration is a multiple of this, so that sums of durations are exact in binary floating point."""

TICKS_PER_MS: Final = 2.0**20 / 1000.0


def quantise(seconds: float) -> float:
    """Round a duration to the nearest multiple of `TICK_S`, seconds."""
    return round(seconds * 1048576.0) * TICK_S


class InputError(Exception):
    """Something the user gave is wrong: one line that names the place, what was expected and what came (exit code 2)."""


class OrderState(IntEnum):
    """Where an order is in its life; `sim.platform.orders` holds the table of legal transitions."""

    CREATED = 0
    PENDING_PAYMENT = 1
    CONFIRMED = 2
    PACKED = 3
    ASSIGNED = 4
    PICKED_UP = 5
    DELIVERED = 6
    PAYMENT_FAILED = 7
    CANCELLED = 8


END_STATES: Final = frozenset({OrderState.DELIVERED, OrderState.PAYMENT_FAILED, OrderState.CANCELLED})


class Rejection(IntEnum):
    """Why a customer who opened the app could not place an order."""

    OUT_OF_ZONE = 0
    CLOSED = 1
    OVERLOADED = 2


class CancelReason(IntEnum):
    """Why an order that was placed ended without a delivery."""

    OUT_OF_STOCK = 0
    CUSTOMER = 1
    NO_DRIVER = 2
    NOT_FOUND = 3
    CONTENTION = 4
    PAYMENT = 5


class TaskEnd(IntEnum):
    """How a delivery task ended."""

    HANDED_OVER = 0
    WITHDRAWN = 1


class OfferAnswer(IntEnum):
    """What became of an offer to a driver."""

    ACCEPTED = 0
    DECLINED = 1
    EXPIRED = 2
    VOID = 3


class Refusal(IntEnum):
    """Why the platform refused what a policy proposed or what an actor asked for."""

    ORDER_NOT_WAITING = 0
    DRIVER_NOT_IDLE = 1
    ALREADY_DECLINED = 2
    TOO_LATE = 3
    UNKNOWN_STEP = 4
    TOO_HEAVY = 5


class Trip(IntEnum):
    """What a driver's leg was for."""

    TO_STORE = 0
    TO_CUSTOMER = 1
    BACK = 2


class StockCause(IntEnum):
    """Why goods or a stock record changed outside an order."""

    OPENING = 0
    DELIVERY = 1
    MISPICK = 2
    COUNT = 3
    THEFT = 4
    DAMAGE = 5
    PUT_BACK = 6


class Step(IntEnum):
    """A step that a saga plan may name."""

    RESERVE = 0
    PAY = 1
    CONFIRM = 2
