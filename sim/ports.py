"""What the office is handed instead of the world, and the messages it sends to the floor.

The office never imports the street: it gets an estimator of travel times, the payment provider's and the phones'
interfaces, plain figures and drawn latencies, and speaks to the floor by messages on the bus.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from numpy.typing import NDArray

from sim.contracts import Sighting, Stops
from sim.vocabulary import (
    NO_ORDER,
    Cents,
    Charge,
    DriverId,
    NodeId,
    OrderId,
    OrderState,
    Role,
    SkuId,
    StockCause,
    StoreId,
)


@runtime_checkable
class Estimator(Protocol):
    """The platform's idea of travel times, seconds. It lags behind the roads and does not know the draws."""

    common: int
    """The fleet's most common vehicle profile."""

    def place(self, node: NodeId, profile: int) -> int:
        """One number for a node and a vehicle profile, to ask `places_to_store_s` with."""

    def places_to_store_s(self, places: NDArray[Any], store: StoreId, now_s: float) -> Any:
        """From each of many places (int array, see `place`) to a store (float64 array)."""

    def place_to_store_s(self, place: int, store: StoreId, now_s: float) -> float:
        """From one of them."""

    def until_s(self, now_s: float) -> float:
        """Until when all answers of a moment hold: what is believed of the traffic changes only then, seconds."""

    def to_customer_s(self, store: StoreId, node: NodeId, now_s: float, profile: int | None = None) -> float:
        """From a store to a customer by a vehicle profile; None: the fleet's most common one."""

    def to_store_s(self, node: NodeId, profile: int, store: StoreId, now_s: float) -> float:
        """From a node to a store by a vehicle profile."""

    def onward_s(self, node: NodeId, target: NodeId, now_s: float) -> float:
        """From one customer to another by the fleet's most common vehicle."""


class StockMessage(NamedTuple):
    """What a store's scanners tell the inventory service: units (n,) that changed or, with the cause COUNT, stand there."""

    store: StoreId
    skus: Any
    """Numbers of SKUs and units, both (n,): arrays, or sequences of integers where shelves were counted."""
    units: Any
    cause: StockCause
    role: Role = Role.PICKER
    """In what capacity somebody scanned it: heard where a record is adjusted by what was counted."""
    order: OrderId = NO_ORDER
    """Whose goods or line it was about."""


class ChargeAnswer(NamedTuple):
    """What the payment provider said, and how long it took."""

    charge: Charge
    latency_s: float


class PaymentProvider(Protocol):
    """The outside company that moves the money. A key makes asking twice the same as asking once."""

    def charge(self, order: OrderId, attempt: int, cents: Cents, *, key: int, capture: bool) -> ChargeAnswer:
        """Take a customer's money, or only set it aside (`capture` False); a known `key` gives the known answer."""

    def hung_up(self, order: OrderId, attempt: int, done: Charge, cents: Cents, *, after_s: float) -> None:
        """Whoever asked no longer waits: the answer, due `after_s` from now, comes as a callback."""

    def capture(self, order: OrderId) -> bool:
        """Take what was set aside; False when the provider is down."""

    def refund(self, order: OrderId, cents: Cents, *, by_file: bool = False) -> bool:
        """Give money back, or no longer set it aside; False when the provider is down (and it was not by file)."""

    def settlement(self) -> Sequence[tuple[OrderId, int]]:
        """The settlement file: for each order whose charges changed since the last file, cents kept by now."""

    def set_aside(self) -> Sequence[OrderId]:
        """The file's second part: orders whose money is authorised and neither captured nor let go."""


class Callbacks(Protocol):
    """Where the provider tells the platform of charges of its own accord (a webhook)."""

    def callback(self, order: OrderId, attempt: int, charge: Charge, cents: Cents) -> bool:
        """Whether somebody took it: else the provider tells once more, later."""


class Phones(Protocol):
    """The drivers' apps, asked for the newest of their positions that has arrived."""

    def ping(self, driver: DriverId) -> Sighting: ...

    def sighting(self, driver: DriverId, at_s: float) -> Sighting:
        """What `ping` said at an earlier time, up to twenty minutes ago."""

    def heard(self, again: bool) -> None:
        """From now on nobody takes the positions that phones send, or somebody does `again`."""


class Latencies(NamedTuple):
    """How long the platform's hops take, seconds; one value per order where it varies (drawn before the start)."""

    submit_s: Sequence[float]
    """From the customer's tap to the order service, per order."""
    window_s: Sequence[float]
    """Between reading stock records and writing them, per order."""
    bus_s: float
    """From publishing a message to its delivery."""


class Figures(NamedTuple):
    """What the office was told about the operation when it was set up: plain figures, never the world itself."""

    skus: int
    stores: int
    prices_cents: Sequence[int]
    """Price of each SKU."""
    store_nodes: Sequence[NodeId]
    loads_litres: Sequence[float]
    """Load of each vehicle profile."""
    driver_profiles: Sequence[int]
    driver_homes: Sequence[StoreId]
    driver_nodes: Sequence[NodeId]
    """Where each driver's shift begins."""
    driver_shifts: Sequence[Sequence[tuple[float, float]]]
    """The roster: stretches worked by each driver, seconds since the start."""
    on_call: Sequence[bool]
    """Of each driver: whether he comes only when he is called; empty where nobody does."""
    ranges_m: Sequence[float]
    """How far each vehicle profile gets on one charge, metres; infinite for most."""
    stops: Stops
    """What a driver's stop takes besides the ride."""
    pick_s: Callable[[int, int], float]
    """Expected seconds to pick so many lines and units."""
    door_s: float
    """Expected seconds from arriving at the address to the handover."""
    open_s: Sequence[tuple[float, float]]
    """Opening windows of the stores."""
    serving: Sequence[Sequence[StoreId]]
    """For each road node, the stores whose zone holds it, nearest first."""
    drivers: int
    peak_orders_s: float
    """Orders a second at the peak of an ordinary day: what the platform was sized for."""
    traffic: Callable[[float], float]
    """Orders a second that are being placed at a time, constant within each minute: how busy the apps are."""
    store_shares: Sequence[float]
    """Share of the customers of each store."""
    categories: Sequence[int]
    """Category of each SKU."""
    category_shares: Sequence[float]
    """Share of each category in what is looked at."""
    cell: Sequence[int]
    """H3 cell of each road node, dense from zero."""
    middles: Callable[[], Sequence[int]]
    """Works out the node in the middle of each cell."""
    metres: Callable[[int, int], float]
    """Straight-line distance between two road nodes."""
    restricted: Sequence[bool]
    """Of each SKU: whether it is sold to adults only; empty where none is."""


class PickJob(NamedTuple):
    """What a store is told about a confirmed order (see `PickTask`)."""

    order: OrderId
    store: StoreId
    held: Sequence[tuple[SkuId, int]]
    """SKUs and units to pick."""
    units: int
    """Units to pick, over all lines."""
    confirmed_s: float
    promised_s: float

    @property
    def lines(self) -> int:
        """Basket lines to pick."""
        return len(self.held)


class OfferMessage(NamedTuple):
    """What a driver's phone shows."""

    order: OrderId
    driver: DriverId
    store: StoreId
    node: NodeId
    window_s: float
    along: Sequence[tuple[OrderId, NodeId]] = ()
    """Orders of the same store, with their customers, to hand over after `order`."""
    bonus_cents: int = 0
    """On top of the usual pay, if it is handed over."""


class RideMessage(NamedTuple):
    """A driver without work is told to ride to a store."""

    driver: DriverId
    store: StoreId
    sent_s: float
    """When he was told, seconds since the start: what came after it counts more."""


class Summons(NamedTuple):
    """A driver on call is asked to come."""

    driver: DriverId
    call: int
    """How many have been made before this one."""


class OrderStatus(NamedTuple):
    """What the platform says of an order to whoever may see it."""

    state: OrderState
    promised_s: float
    wanted: int
    """Units that were ordered."""
    held: Sequence[tuple[SkuId, int]]
    """SKUs and units that should be in the bag."""


class Cancellation(NamedTuple):
    """An order that nobody should work on any longer."""

    order: OrderId
    store: StoreId
    driver: DriverId


Subscriber = Callable[[Any], None]
