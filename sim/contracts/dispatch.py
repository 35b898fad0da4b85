"""What policies see and decide of drivers."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from sim.vocabulary import DriverId, NodeId, OrderId, StoreId


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
