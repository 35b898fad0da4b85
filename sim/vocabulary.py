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
NO_ORDER: Final = OrderId(NOBODY)

TICK_S: Final = 2.0**-20
"""Every drawn duration is a multiple of this, so that sums of durations are exact in binary floating point."""
TICKS_PER_MS: Final = 2.0**20 / 1000.0

_NO_FINER: Final = (
    1.5 * 2.0**32
)  # of a number about so large the last bit is one tick, which is all that is left of a sum


def quantise(seconds: float) -> float:
    """Round a duration (of less than 68 years) to the nearest multiple of `TICK_S`, seconds."""
    return seconds + _NO_FINER - _NO_FINER


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
    UNAVAILABLE = 3
    """A service on the way was down, or refused more work."""
    UNAUTHORISED = 4
    """The account is locked, or its token was not accepted."""
    RATE_LIMITED = 5
    SHED = 6
    """Turned away so that the orders already taken can be served (backpressure)."""
    SUSPECT = 7
    """The fraud screen said no."""
    REPEATED = 8
    """The same request came before: it was answered, not done again."""
    INVALID = 9
    """The cart breaks a rule: too small, too many lines or units."""
    SOLD_OUT = 10
    """Everything the customer wanted was shown as sold out."""
    TOO_DEAR = 11
    """The customer saw the surcharge and went away."""


class CancelReason(IntEnum):
    """Why an order that was placed ended without a delivery."""

    OUT_OF_STOCK = 0
    CUSTOMER = 1
    NO_DRIVER = 2
    NOT_FOUND = 3
    CONTENTION = 4
    PAYMENT = 5
    FAILOVER = 6
    """The platform forgot the order when a region was lost."""
    UNPROCESSABLE = 7
    """A step could not be done however often it was tried: dead-lettered."""
    EXPIRED = 8
    """Its goods were held for so long that the hold ran out before it was confirmed."""
    SUPPORT = 9
    """Support or an administrator called it off."""
    UNDELIVERABLE = 10
    """Nobody was there to take it."""
    AGE_CHECK = 11
    """All of it, or what nobody ordered, was restricted, and the customer could not show to be of age."""
    ACCIDENT = 12
    """The vehicle that carried it had an accident."""


class TaskEnd(IntEnum):
    """How a delivery task ended."""

    HANDED_OVER = 0
    WITHDRAWN = 1
    FAILED = 2
    """The driver was at the door and brings everything back."""


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
    NOT_ALLOWED = 6
    """The actor's role, or whose order it is, forbids it."""
    DUPLICATE = 7
    """It was done already: the second copy of a message, or a second request."""
    TOO_MUCH = 8
    """More money than is left of what the customer pays."""
    TOO_EARLY = 9
    """The order has not come that far."""
    OTHER_STORE = 10
    """A tour holds orders of one store."""
    TOUR_TOO_HEAVY = 11
    """Each order may fit, all of them together do not."""
    OUT_OF_RANGE = 12
    """Further there and back than the vehicle gets on one charge, or from another store than where it is charged."""
    RATE_LIMITED = 13


class Role(IntEnum):
    """In what capacity somebody acts; `sim.platform.sessions` says what each may do."""

    CUSTOMER = 0
    DRIVER = 1
    PICKER = 2
    SUPPORT = 3
    ADMIN = 4
    STORE = 5
    """A store's own terminal: who works at a packing station, or counts by plan."""


class Adjustment(IntEnum):
    """On what ground staff, or their job, changed a stock record."""

    COUNTED = 0
    """The shelf was counted: by a picker after a short pick, or by plan."""
    COMPARED = 1
    """The job that holds scan log against record put a small difference right."""
    REVIEWED = 2
    """Somebody had looked at a difference that waited for review."""


class Contact(IntEnum):
    """What a customer who was served writes to support about."""

    LATE = 0
    MISSING = 1
    """Less came than was ordered; its price went back when it was found missing."""
    WRONG = 2
    """Something else lay in the bag."""


class Trip(IntEnum):
    """What a driver's leg was for."""

    TO_STORE = 0
    TO_CUSTOMER = 1
    BACK = 2
    RETURN = 3
    """To the store, with goods that could not be handed over."""

    ONWARD = 4
    """From one customer to the next of the same tour."""


class Mishap(IntEnum):
    """What stops a vehicle on the road."""

    BREAKDOWN = 0
    """It is put right on the spot, and the ride goes on."""
    ACCIDENT = 1
    """It goes no further: goods go back to their store, else somebody else is offered the order; the driver goes home."""


class PickStage(IntEnum):
    """What a picker spends time on that is no part of fetching what is there."""

    LOOKING = 0
    """For what is not on its shelf, or for something else in its place."""
    WAITING = 1
    """For a place at the counter, or for a customer's answer."""
    PACKING = 2
    """Where no packing station has room, and bringing the parts of an order together."""
    COUNTING = 3
    """Shelves on which too little was found."""


class StockCause(IntEnum):
    """Why goods or a stock record changed outside an order."""

    OPENING = 0
    DELIVERY = 1
    MISPICK = 2
    COUNT = 3
    THEFT = 4
    DAMAGE = 5
    PUT_BACK = 6
    SOLD = 7
    """Sold without having been reserved."""
    RECOVERY = 8
    """A record was rebuilt from what was left of its history."""
    SPOILAGE = 9
    """Past its shelf life, thrown away and scanned as such."""
    RECONCILED = 10
    """A record was set to the scan log, by the hourly job or by somebody who had looked at the difference."""
    BREAKAGE = 11
    """Broken by a picker who was taking it."""
    RETURNED = 12
    """Brought back by a driver and put on the shelf again."""

    TRANSFER = 13
    """Sent to another store, or come from one."""


class Step(IntEnum):
    """A step that a saga plan may name; `sim.platform.saga` says how each is done and undone."""

    RESERVE = 0
    PAY = 1
    """Authorise and capture in one."""
    CONFIRM = 2
    RESERVE_AND_PAY = 3
    """Both at once, each by itself; done when both are."""
    PREPARE = 4
    """Two-phase commit, voting: the records are locked and the money is authorised."""
    COMMIT = 5
    """Two-phase commit, all voted yes: the goods are held, the money is captured, the locks are let go."""


class PayMethod(IntEnum):
    """How a customer pays."""

    CARD = 0
    WALLET = 1
    CASH = 2
    """On delivery: captured only at handover."""


class Charge(IntEnum):
    """What the payment provider answered."""

    CAPTURED = 0
    AUTHORISED = 1
    DECLINED = 2
    TIMEOUT = 3
    """No answer in time: the money may or may not have moved."""
    REFUSED = 4
    """Not asked at all: the breaker is open or too many questions are out."""


class Ruling(IntEnum):
    """What a fraud policy says of an order."""

    ALLOW = 0
    REVIEW = 1
    """A person looks at it first."""
    REFUSE = 2


class FaultKind(IntEnum):
    """What can go wrong with the platform and what it depends on; `sim.faults` says what each does."""

    PROVIDER_OUTAGE = 0
    BUS_SLOWDOWN = 1
    INSTANCE_CRASH = 2
    ZONE_OUTAGE = 3
    SERVICE_SLOWDOWN = 4
    CACHE_FLUSH = 5
    REPLICA_LAG = 6
    BUS_PARTITION = 7
    CONSUMER_REBALANCE = 8
    ORCHESTRATOR_CRASH = 9
    DATABASE_CRASH = 10
    BROKER_CRASH = 11
    CORRUPTED_RECORDS = 12
    STORE_PARTITION = 13
    EXPIRED_CERTIFICATE = 14
    EXHAUSTED_POOL = 15
    REGION_OUTAGE = 16
    APP_CONNECTION_LOSS = 17
    SCANNER_FAILURE = 18
    LOGIN_ATTACK = 19
    REQUEST_FLOOD = 20
    PUSH_OUTAGE = 21
    REVOKED_SESSIONS = 22


Stall = IntEnum("Stall", ["SILENT", "STOPPED", "LATE", "ASTRAY"], start=0)
"""Why a ride is overdue: nothing was heard of the driver for a while, he has not moved, or he moves."""


class Topic(IntEnum):
    """What messages on the bus are about."""

    ORDER_CONFIRMED = 0
    """`sim.ports.PickJob`, to the store."""
    ORDER_CANCELLED = 1
    """`sim.ports.Cancellation`, to the store and the driver."""
    OFFER = 2
    """`sim.ports.OfferMessage`, to a driver's phone."""
    STOCK_CHANGED = 3
    """`sim.ports.StockMessage`, from a store's scanners to the inventory service."""
    ORDER_EVENT = 4
    """A change of an order's state, for notifications, tracking and analytics: counted, heard by nobody on the floor."""
    CALL_IN = 5
    """`sim.ports.Summons`, to a driver at home."""
    REPOSITION = 6
    """`sim.ports.RideMessage`, to a driver's phone."""


class Svc(IntEnum):
    """The platform's services."""

    GATEWAY = 0
    CATALOGUE = 1
    INVENTORY = 2
    ORDERS = 3
    PAYMENTS = 4
    DISPATCH = 5
    TRACKING = 6
    NOTIFICATIONS = 7


class BreakerState(IntEnum):
    """Whether a circuit breaker lets calls through."""

    CLOSED = 0
    OPEN = 1
    HALF_OPEN = 2


class BreakerName(IntEnum):
    """The circuit breakers of the platform, by what they guard."""

    PROVIDER = 0
    CATALOGUE = 1


class Endpoint(IntEnum):
    """What the apps ask of the platform; each has its own limit and its own target of latency."""

    LOGIN = 0
    CATALOGUE = 1
    PLACE_ORDER = 2
    CHANGE_ORDER = 3
    ORDER_STATUS = 4
    DRIVERS_NEARBY = 5
    RESERVE = 6
    """Internal: the saga asks the inventory service."""
    HOME = 7
    """The home screen, which asks several services at once; worked out by monitoring, asked by nobody, so without a limit."""


class Alert(IntEnum):
    """What monitoring wakes somebody for; `sim.scenario.monitoring` says when."""

    REQUESTS_FAILING = 0
    ORDERS_SLOW = 1
    READS_SLOW = 2
    SERVICE_FAILING = 3
    SERVICE_DOWN = 4
    SERVICE_BUSY = 5
    BREAKER_OPEN = 6
    CONSUMER_LAG = 7
    CACHE_MISSES = 8
    STALE_STOCK = 9
    PAYMENTS_FAILING = 10
    CHECKOUT_STALLED = 11
    DRIVERS_STALLED = 12
