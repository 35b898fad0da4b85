"""The live, read-only facades through which policies see the platform: nothing is copied until asked for.

A policy may ask with numbers of NumPy's; behind the facades ids are plain ones.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.clock import Clock
from sim.contracts import Fleet, Sighting, WaitingOrder
from sim.platform.fleet import FleetAhead
from sim.platform.inventory import Inventory
from sim.platform.tracking import Tracking
from sim.ports import Estimator, Figures
from sim.vocabulary import DriverId, NodeId, SkuId, StoreId

if TYPE_CHECKING:
    from sim.platform.offers import Offers


class LiveDispatchView:
    """See `sim.contracts.DispatchView`."""

    __slots__ = (
        "_ahead",
        "_env",
        "_estimator",
        "_nearest",
        "_offers",
        "_store_nodes",
        "_tracking",
        "metres",
        "stops",
        "stores",
    )

    def __init__(
        self,
        env: Clock,
        offers: "Offers",
        tracking: Tracking,
        ahead: FleetAhead,
        estimator: Estimator,
        figures: Figures,
    ) -> None:
        self._env, self._offers, self._tracking = env, offers, tracking
        self._ahead, self._estimator, self.stops, self.stores = ahead, estimator, figures.stops, figures.stores
        self._nearest, self.metres, self._store_nodes = tracking.nearby.nearest, figures.metres, figures.store_nodes

    @property
    def now_s(self) -> float:
        """Seconds since the start."""
        return self._env.now

    @property
    def waiting(self) -> Iterable[WaitingOrder]:
        """Orders without a driver, oldest first."""
        return self._offers.undispatched()

    @property
    def idle_count(self) -> int:
        """How many drivers are idle."""
        return self._tracking.idle_count

    @property
    def idle(self) -> NDArray[Any]:
        """Ids of idle drivers, ascending."""
        return self._tracking.idle.nonzero()[0]

    def idle_at(self, store: StoreId) -> Sequence[DriverId]:
        """Idle drivers standing at a store, ascending."""
        return self._tracking.idle_at(StoreId(int(store)))

    def nearest(self, store: StoreId) -> Iterator[tuple[DriverId, float]]:
        """Idle drivers and their believed seconds to the store, soonest first."""
        return self._nearest(StoreId(int(store)), self._env.now)

    def ride_s(self, drivers: NDArray[Any], store: StoreId) -> NDArray[Any]:
        """Believed seconds until each driver could be at the store."""
        return self._tracking.ride_s(drivers, StoreId(int(store)), self._env.now)

    def seen(self, driver: DriverId) -> Sighting:
        """The last ping that arrived."""
        return self._tracking.seen(DriverId(int(driver)))

    def fleet(self, ahead_s: float) -> Fleet:
        """Drivers who are free now or will be within so many seconds."""
        return self._ahead.fleet(self._env.now, float(ahead_s))

    def from_places_s(self, places: NDArray[Any], store: StoreId) -> NDArray[Any]:
        """Believed ride from each of some places to a store, seconds."""
        return np.asarray(self._estimator.places_to_store_s(places, StoreId(int(store)), self._env.now))

    def to_customer_s(self, store: StoreId, node: NodeId, vehicle: int | None = None) -> float:
        """Believed ride from a store to a customer, seconds."""
        kind = None if vehicle is None else int(vehicle)
        return self._estimator.to_customer_s(StoreId(int(store)), NodeId(int(node)), self._env.now, kind)

    def onward_s(self, node: NodeId, target: NodeId) -> float:
        """Believed ride from one customer to another, seconds."""
        return self._estimator.onward_s(NodeId(int(node)), NodeId(int(target)), self._env.now)

    def store_node(self, store: StoreId) -> NodeId:
        """Where a store is."""
        return self._store_nodes[store]


class LiveSourcingView:
    """See `sim.contracts.SourcingView`."""

    __slots__ = ("_env", "_figures", "_inventory", "_queues", "_tracking")

    def __init__(
        self, env: Clock, figures: Figures, inventory: Inventory, queues: list[int], tracking: Tracking
    ) -> None:
        self._env, self._figures, self._inventory, self._queues = env, figures, inventory, queues
        self._tracking = tracking

    @property
    def now_s(self) -> float:
        """Seconds since the start."""
        return self._env.now

    def serving(self, node: NodeId) -> Sequence[StoreId]:
        """Stores whose zone holds the node, nearest first."""
        return self._figures.serving[node]

    def queue(self, store: StoreId) -> int:
        """Orders confirmed and not yet packed at a store."""
        return self._queues[store]

    def driver_in_s(self, store: StoreId) -> float:
        """Believed seconds until an idle driver could be at a store."""
        nearest = self._tracking.nearby.nearest(StoreId(int(store)), self._env.now)
        return next((ride_s for _, ride_s in nearest), inf)

    def available(self, store: StoreId, sku: SkuId) -> int:
        """Units the record says could be sold."""
        return self._inventory.available[store * self._inventory.skus + sku]


class LivePositioningView:
    """See `sim.contracts.PositioningView`; one object, pointed at each driver in turn."""

    __slots__ = (
        "_env", "_estimator", "_figures", "_middles", "_tracking", "driver", "ends", "home", "node", "opened", "opened_from"
    )  # fmt: skip

    def __init__(
        self, env: Clock, figures: Figures, estimator: Estimator, tracking: Tracking, offers: "Offers"
    ) -> None:
        self._env, self._figures, self._estimator, self._tracking = env, figures, estimator, tracking
        self.opened, self.opened_from = offers.opened, offers.opened_from
        self._middles: dict[int, NDArray[Any]] = {}  # by kind of vehicle, the cells' middles as places
        self.driver, self.node, self.home, self.ends = DriverId(0), NodeId(0), StoreId(0), False

    def at(self, driver: DriverId, node: NodeId, *, ends: bool = False) -> "LivePositioningView":
        """Point the view at a driver who has become free, or (`ends`) whose shift is over."""
        self.driver, self.node, self.home, self.ends = driver, node, self._figures.driver_homes[driver], ends
        return self

    @property
    def now_s(self) -> float:
        """Seconds since the start."""
        return self._env.now

    @property
    def stores(self) -> int:
        """Number of stores."""
        return self._figures.stores

    def ride_s(self, store: StoreId) -> float:
        """Believed seconds to a store."""
        profile = self._figures.driver_profiles[self.driver]
        return self._estimator.to_store_s(self.node, profile, StoreId(int(store)), self._env.now)

    @property
    def off_s(self) -> float:
        """When the driver's shift ends."""
        now = self._env.now
        return max((off for on, off in self._figures.driver_shifts[self.driver] if on <= now), default=now)

    @property
    def bound(self) -> NDArray[Any]:
        """Drivers without work at each store or on their way to it."""
        tracking = self._tracking
        bound = [tracking.bound_for(DriverId(driver)) for driver in tracking.idle.nonzero()[0].tolist()]
        stores = [store for store in bound if store is not None]
        return np.bincount(np.array(stores, dtype=np.int64), minlength=self._figures.stores)

    @property
    def cell(self) -> int:
        """Cell in which the driver is."""
        return self._figures.cell[self.node]

    def from_cells_s(self, store: StoreId) -> NDArray[Any]:
        """Believed rides from the cells' middles to a store, seconds."""
        profile, estimator = self._figures.driver_profiles[self.driver], self._estimator
        places = self._middles.get(profile)
        if places is None:
            middles = [estimator.place(NodeId(node), profile) for node in self._figures.middles()]
            places = self._middles[profile] = np.array(middles, dtype=np.int64)
        return np.asarray(estimator.places_to_store_s(places, StoreId(int(store)), self._env.now))

    def between_s(self, store: StoreId, other: StoreId) -> float:
        """Believed ride from one store to another, seconds."""
        profile, nodes = self._figures.driver_profiles[self.driver], self._figures.store_nodes
        return self._estimator.to_store_s(nodes[store], profile, StoreId(int(other)), self._env.now)


class LiveReplenishmentView:
    """See `sim.contracts.ReplenishmentView`."""

    def __init__(
        self, now_s: float, store: StoreId, on_hand: Any, on_order: Any, daily_demand: Any, lead_time_s: float
    ) -> None:
        self.now_s, self.store, self.on_hand, self.on_order = now_s, store, on_hand, on_order
        self.daily_demand, self.lead_time_s = daily_demand, lead_time_s
