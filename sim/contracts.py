"""What a policy sees, what it may propose, and what the rooms ask of each other.

Every family of decisions has one Protocol here. A policy is a frozen dataclass whose fields are its parameters, with one
``__call__`` from a read-only view to a decision; the platform accepts or refuses what is proposed. A policy that needs
memory is an ordinary class, built afresh per run. Views are live facades over indexes: read them during the call, keep
nothing. Distances and times in a view are what the platform *believes*.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from numpy.typing import NDArray

from sim.vocabulary import CellId, Cents, ClientId, DriverId, NodeId, OrderId, SkuId, Step, StoreId
from sim.vocabulary import Ruling as Ruling

FAMILIES = {
    "admission": "whether a customer may place an order now",
    "fraud": "which orders are refused as fraud",
    "sourcing": "which store serves an order",
    "reservation": "how stock is held against concurrent buyers",
    "saga": "in which order an order is reserved, paid and confirmed",
    "substitution": "what happens to lines the records deny",
    "picking": "which order a free picker takes next",
    "dispatch": "which driver is offered which order, and when",
    "positioning": "where a driver goes after a delivery",
    "replenishment": "what a store orders from its supplier",
    "reconciliation": "when people count shelves to correct the records",
}


# -- orders as the platform sees them ---------------------------------------------------------------------------------


class OrderRequest(NamedTuple):
    """What a customer asks of the gateway: basket lines are parallel tuples of SKUs and units."""

    order: OrderId
    client: ClientId
    node: NodeId
    cell: CellId
    skus: Sequence[SkuId]
    units: Sequence[int]
    value_cents: Cents
    litres: float
    method: int = 0
    """How the customer pays: a `sim.vocabulary.PayMethod`."""


class FraudView(NamedTuple):
    """An order about to be accepted, and what is remembered of its client."""

    now_s: float
    client: int
    value_cents: int
    late_cancels: int
    """Orders the client cancelled after dispatch, within the window that is remembered."""
    moved_m: float
    """From the address of the client's previous order to this one's, metres; 0 without a previous one."""
    since_s: float
    """Time since the client's previous order, seconds; infinite without one."""
    address_age_s: float
    """Time since the client last changed address, seconds: 0 when this order does, infinite when never."""


class Fraud(Protocol):
    """Whether an order is accepted, looked at by a person, or refused."""

    def __call__(self, view: FraudView) -> Ruling: ...


class AdmissionView(Protocol):
    """The state of the platform at the door."""

    @property
    def now_s(self) -> float: ...
    @property
    def open_orders(self) -> int:
        """Orders that entered and have not ended."""

    @property
    def drivers_on(self) -> int:
        """Drivers on shift, as far as the platform knows."""


class Admission(Protocol):
    """Whether a customer may place an order: True lets the request in."""

    def __call__(self, view: AdmissionView, request: OrderRequest) -> bool: ...


class SourcingView(Protocol):
    """Stores as seen from one customer."""

    @property
    def now_s(self) -> float: ...
    def serving(self, node: NodeId) -> Sequence[StoreId]:
        """Stores that are open now and whose zone holds the node, nearest first (by the zone's own measure)."""

    def queue(self, store: StoreId) -> int:
        """Orders confirmed and not yet packed at a store."""

    def available(self, store: StoreId, sku: SkuId) -> int:
        """Units the record says could be sold."""


class Sourcing(Protocol):
    """Which store serves a request; None when none does."""

    def __call__(self, view: SourcingView, request: OrderRequest) -> StoreId | None: ...


class ReservationView(NamedTuple):
    """A reservation that failed because somebody else wrote first, or because its lease was lost before the write."""

    order: OrderId
    attempt: int
    """How many times this reservation has been tried, at least 1."""
    chance: float
    """A uniform draw on [0, 1) of this attempt's own, for jitter."""


class Reservation(Protocol):
    """Seconds to wait before reading the records again; None gives up.

    May have an attribute `mechanism`: `optimistic` (the default), `slots`, `lock` or `none`, with the parameters of that
    mechanism as attributes beside it (see `sim.platform.reserving`).
    """

    def __call__(self, view: ReservationView) -> float | None: ...


class SagaView(NamedTuple):
    """What is known when an order's plan is chosen."""

    order: OrderId
    value_cents: Cents


class SagaPlan(Protocol):
    """The steps of an order's saga, in order; each has its compensation in `sim.platform.saga`."""

    def __call__(self, view: SagaView) -> Sequence[Step]: ...


class SubstitutionView(NamedTuple):
    """An order for which the records deny some units."""

    order: OrderId
    units_wanted: int
    units_missing: int


class Substitution(Protocol):
    """True: go on with what there is and charge only that; False: give the order up."""

    def __call__(self, view: SubstitutionView) -> bool: ...


# -- the shop floor ----------------------------------------------------------------------------------------------------


class PickTask(Protocol):
    """An order waiting to be picked."""

    @property
    def order(self) -> OrderId: ...
    @property
    def lines(self) -> int: ...
    @property
    def confirmed_s(self) -> float: ...
    @property
    def promised_s(self) -> float: ...


class PickingView(Protocol):
    """One store's queue, oldest first."""

    @property
    def now_s(self) -> float: ...
    @property
    def waiting(self) -> Sequence[PickTask]: ...


class Picking(Protocol):
    """The place in the queue of the order a free picker takes next; None leaves the picker idle."""

    def __call__(self, view: PickingView) -> int | None: ...


class ReplenishmentView(Protocol):
    """One store's records, as columns over SKUs (int64, shape (skus,))."""

    @property
    def now_s(self) -> float: ...
    @property
    def store(self) -> StoreId: ...
    @property
    def on_hand(self) -> NDArray[Any]:
        """Units available plus reserved, by the record."""

    @property
    def on_order(self) -> NDArray[Any]:
        """Units ordered and not yet received."""

    @property
    def daily_demand(self) -> NDArray[Any]:
        """Expected units sold a day, by the platform's forecast (float64)."""

    @property
    def lead_time_s(self) -> float:
        """From ordering to receiving."""


class Replenishment(Protocol):
    """Units of each SKU to order now (non-negative integers, shape (skus,)). `every_s`: seconds between reviews."""

    @property
    def every_s(self) -> float: ...
    def __call__(self, view: ReplenishmentView) -> NDArray[Any]: ...


class ShortPick(NamedTuple):
    """A picker found fewer units than the record promised."""

    store: StoreId
    sku: SkuId
    wanted: int
    found: int


class CountView(NamedTuple):
    """A store about to be counted by plan."""

    store: StoreId
    day: int
    """Days since the run's first, by the calendar."""
    daily_demand: NDArray[Any]
    """Expected units sold a day, float64 (skus,)."""


class Reconciliation(Protocol):
    """True sends somebody to count the shelf of a short pick and correct its record.

    May have a method `plan(view: CountView)` and an attribute `count_at` ("HH:MM"): then every day at that time a crew
    counts the SKUs that the method names (integers, each once) in each store, and is paid for it.
    """

    def __call__(self, view: ShortPick) -> bool: ...


@runtime_checkable
class PlannedReconciliation(Reconciliation, Protocol):
    """A `Reconciliation` that also counts by plan."""

    @property
    def count_at(self) -> str: ...
    def plan(self, view: CountView) -> NDArray[Any]: ...


# -- dispatch ----------------------------------------------------------------------------------------------------------


class WaitingOrder(Protocol):
    """An order that needs a driver."""

    @property
    def id(self) -> OrderId: ...
    @property
    def store(self) -> StoreId: ...
    @property
    def node(self) -> NodeId:
        """The customer's road node."""

    @property
    def ready_s(self) -> float:
        """When the order is believed to be packed (past: it is)."""

    @property
    def opened_s(self) -> float:
        """When the order began to wait for a driver."""

    @property
    def promised_s(self) -> float: ...
    @property
    def litres(self) -> float:
        """Volume of the goods."""

    def declined_by(self, driver: DriverId) -> bool: ...


class Sighting(NamedTuple):
    """Where the platform last saw a driver."""

    node: NodeId
    age_s: float


class DispatchView(Protocol):
    """The fleet and the orders without a driver, live."""

    @property
    def now_s(self) -> float: ...
    @property
    def waiting(self) -> Iterable[WaitingOrder]:
        """Orders without a driver, oldest first; lazily."""

    @property
    def idle_count(self) -> int: ...
    @property
    def idle(self) -> NDArray[Any]:
        """Ids of idle drivers, ascending (int64)."""

    def idle_at(self, store: StoreId) -> Sequence[DriverId]:
        """Idle drivers standing at a store, ascending."""

    def nearest(self, store: StoreId) -> Iterator[tuple[DriverId, float]]:
        """Idle drivers with the believed seconds until each could be at the store: soonest first, ties by id, lazily.

        For narrow questions: looking at the first few costs next to nothing, however large the fleet.
        """

    def ride_s(self, drivers: NDArray[Any], store: StoreId) -> NDArray[Any]:
        """Believed seconds until each driver could be at the store (float64): the rest of his leg, then the roads."""

    def seen(self, driver: DriverId) -> Sighting:
        """The last ping that arrived."""


class Offer(NamedTuple):
    """Ask this driver to take this order."""

    order: OrderId
    driver: DriverId


class Dispatch(Protocol):
    """Offers to make now. May have an attribute `every_s`: then it is asked at most on that grid of seconds."""

    def __call__(self, view: DispatchView) -> Iterator[Offer]: ...


class PositioningView(Protocol):
    """A driver who has just become free."""

    @property
    def now_s(self) -> float: ...
    @property
    def driver(self) -> DriverId: ...
    @property
    def node(self) -> NodeId: ...
    @property
    def home(self) -> StoreId: ...
    def ride_s(self, store: StoreId) -> float:
        """Believed seconds from where the driver stands to a store."""

    @property
    def stores(self) -> int: ...


class Positioning(Protocol):
    """The store to ride back to; None stays put."""

    def __call__(self, view: PositioningView) -> StoreId | None: ...


POLICY_PROTOCOLS: dict[str, Any] = {
    "admission": Admission,
    "fraud": Fraud,
    "sourcing": Sourcing,
    "reservation": Reservation,
    "saga": SagaPlan,
    "substitution": Substitution,
    "picking": Picking,
    "dispatch": Dispatch,
    "positioning": Positioning,
    "replenishment": Replenishment,
    "reconciliation": Reconciliation,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """One policy per family."""

    admission: Admission
    fraud: Fraud
    sourcing: Sourcing
    reservation: Reservation
    saga: SagaPlan
    substitution: Substitution
    picking: Picking
    dispatch: Dispatch
    positioning: Positioning
    replenishment: Replenishment
    reconciliation: Reconciliation
