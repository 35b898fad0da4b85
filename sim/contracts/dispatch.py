"""What policies see and decide of drivers."""

from collections.abc import Collection, Iterable, Iterator, Sequence
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

    @property
    def declined(self) -> Collection[DriverId] | None:
        """Drivers who did not want it, or whose vehicle is too small; None: nobody."""

    def declined_by(self, driver: DriverId) -> bool: ...


class Sighting(NamedTuple):
    """Where the platform last saw a driver."""

    node: NodeId
    age_s: float


class Fleet(NamedTuple):
    """Drivers who are free now or will be before long, as columns (n,), by id."""

    driver: NDArray[Any]
    """Ids, int64."""
    idle: NDArray[Any]
    """Whether the driver is free now, bool; the others cannot be offered anything yet."""
    free_s: NDArray[Any]
    """When the driver is believed to be free at `place`, seconds since the start: now, or later."""
    until_s: NDArray[Any]
    """When the shift ends, seconds since the start."""
    place: NDArray[Any]
    """Where: a number for `DispatchView.from_places_s`."""
    litres: NDArray[Any]
    """What the vehicle carries."""
    vehicle: NDArray[Any]
    """Kind of vehicle: a number for `DispatchView.to_customer_s`, int64."""
    began_s: NDArray[Any]
    """When the shift begins or began, seconds since the start."""
    idle_since_s: NDArray[Any]
    """Since when the driver has had no work: of those who have, since before it; seconds since the start."""
    accepted_s: NDArray[Any]
    """When the driver accepted an order last, seconds since the start; minus infinity: never."""
    accepted: NDArray[Any]
    """Orders that the driver has accepted so far, int64."""
    declined: NDArray[Any]
    """Offers that the driver has declined or left unanswered so far, int64."""


class Stops(NamedTuple):
    """What a stop takes besides the ride, as the platform reckons, seconds."""

    arrive_s: float
    """From arriving to standing at the counter or the door."""
    handoff_s: float
    """At the counter, for each order, once it is packed."""
    door_s: float
    """At the door."""
    leave_s: float
    """From counter or door back on the road."""


class DispatchView(Protocol):
    """The fleet and the orders without a driver, live."""

    @property
    def now_s(self) -> float: ...
    @property
    def stores(self) -> int:
        """Number of stores."""

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

    def fleet(self, ahead_s: float) -> Fleet:
        """Drivers who are free now or will be within so many seconds, those who begin a shift by then among them.

        Of drivers with work, and of what each has had so far, the platform keeps account only for a policy with an attribute
        `ahead_s`.
        """

    def from_places_s(self, places: NDArray[Any], store: StoreId) -> NDArray[Any]:
        """Believed ride from each of some places (`Fleet.place`) to a store, seconds, float64."""

    def to_customer_s(self, store: StoreId, node: NodeId, vehicle: int | None = None) -> float:
        """Believed ride from a store to a customer, seconds; None: by the fleet's most common vehicle."""

    def onward_s(self, node: NodeId, target: NodeId) -> float:
        """Believed ride from one customer to another, seconds."""

    def metres(self, node: NodeId, other: NodeId) -> float:
        """Straight line between two nodes of the map, metres."""

    def store_node(self, store: StoreId) -> NodeId:
        """Where a store is."""

    @property
    def stops(self) -> Stops:
        """What a stop takes besides the ride."""


class Offer(NamedTuple):
    """Ask this driver to take this order, and others of the same store along with it."""

    order: OrderId
    driver: DriverId
    along: tuple[OrderId, ...] = ()
    """Handed over after `order`, in this order."""


class Reposition(NamedTuple):
    """Send this driver, who has no work, to a store without an order; on the way he may be offered any, or sent elsewhere."""

    driver: DriverId
    store: StoreId


class Dispatch(Protocol):
    """Offers to make now, and drivers to send ahead. May have an attribute `every_s`: then it is asked at most on that grid of
    seconds.

    Beside `every_s` an attribute `holds`, true of a policy that may leave an order for later: it is asked again at every step
    of its grid as long as orders wait and drivers are idle. Without a grid, an attribute `again_s` does likewise: so many
    seconds after it was asked it is asked again, if nothing else has happened. And an attribute `ahead_s`, see
    `DispatchView.fleet`.
    """

    def __call__(self, view: DispatchView) -> Iterator[Offer | Reposition]: ...


class PositioningView(Protocol):
    """A driver who has just become free, or whose shift is over."""

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
    @property
    def ends(self) -> bool:
        """Whether the shift is over: the store is where it is to end, after a paid ride; see `Positioning`."""

    @property
    def off_s(self) -> float:
        """When the driver's shift ends, seconds since the start; past: it has."""

    @property
    def bound(self) -> NDArray[Any]:
        """Drivers without work who stand at each store or ride to it, int64 (stores,); counted when asked."""

    @property
    def opened(self) -> Sequence[int]:
        """Orders of each store that have needed a driver so far; a live list."""

    @property
    def cell(self) -> int:
        """The H3 cell in which the driver is, dense from zero."""

    @property
    def opened_from(self) -> Sequence[int]:
        """Orders of the customers in each cell that have needed a driver so far; a live list."""

    def from_cells_s(self, store: StoreId) -> NDArray[Any]:
        """Believed rides from the middle of each cell to a store by the driver's vehicle, seconds, float64 (cells,)."""

    def between_s(self, store: StoreId, other: StoreId) -> float:
        """Believed ride from one store to another by the driver's vehicle, seconds."""


class Positioning(Protocol):
    """The store to ride back to; None stays put. With an attribute `at_end` other than "stay" it says so at a shift's end too."""

    def __call__(self, view: PositioningView) -> StoreId | None: ...
