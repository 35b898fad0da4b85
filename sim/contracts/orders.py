"""What policies see and decide of orders: whether they enter, from which store, and how they are held and paid."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from numpy.typing import NDArray

from sim.vocabulary import CellId, Cents, ClientId, NodeId, OrderId, Ruling, SkuId, Step, StoreId


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
    surcharge_cents: int = 0
    """What the customer was shown on top of the delivery fee, and agreed to."""


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

    def driver_in_s(self, store: StoreId) -> float:
        """Believed seconds until the nearest idle driver could be at a store; infinite when nobody is idle."""


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


class ReplacementView(NamedTuple):
    """A line of which a picker did not find everything, and the store's goods as columns over SKUs, shape (skus,)."""

    order: OrderId
    sku: SkuId
    units: int
    """Units that are missing."""
    category: NDArray[Any]
    """Number of each SKU's category, int."""
    price_cents: NDArray[Any]
    """Listed price of each SKU, int64."""
    available: NDArray[Any]
    """Units that the record says could be sold, int; 0 for what is in the basket already."""


class Substitution(Protocol):
    """True: go on with what there is and charge only that; False: give the order up.

    May have a method `replace(view: ReplacementView)`: the SKU to take for what a picker did not find; None: nothing. And an
    attribute `asks_s`: how long the picker waits for the customer's answer, seconds; None or without it nobody is asked, and
    those customers take a substitute who said so when they ordered.
    """

    def __call__(self, view: SubstitutionView) -> bool: ...


@runtime_checkable
class Replacement(Substitution, Protocol):
    """A `Substitution` that also names substitutes."""

    def replace(self, view: ReplacementView) -> SkuId | None: ...
