"""Travel times between stores and everywhere, by hour: the truth, and the platform's lagging idea of it.

One tree towards and one tree from each store, for each vehicle and level of congestion that the run meets, answer
nearly every question by one look-up. The tables are cached on disk by the map's content and the stores' nodes.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario
from sim.shipped import user_cache_dir
from sim.streams import quick
from sim.vocabulary import NodeId, StoreId
from sim.world.geography import Air, Geography, Plain
from sim.world.roads import FORMAT, load_cache, save_cache
from sim.world.traffic import LEVELS, VEHICLES, Vehicle, level_at

Table = list[list[list[Any]]]
"""[period][vehicle profile][store] -> memoryview over nodes of int milliseconds (a NumPy scalar read is 3x slower)."""


def levels_by_hour(scenario: Scenario, geography: Geography) -> list[int]:
    """Level of congestion for each hour since the first day's local midnight."""
    midnight = scenario.start_at + timedelta(seconds=scenario.midnight_s)
    hours = int((scenario.end_s - scenario.midnight_s) // 3600) + 2
    if not scenario.travel.traffic or isinstance(geography, Plain):
        return [0] * hours
    return [level_at(midnight + timedelta(hours=hour)) for hour in range(hours)]


class Travel:
    """Ride times of a run.

    Attributes
    ----------
    profiles
        The fleet's vehicles; a vehicle profile is an index into this.
    periods
        Level of congestion for each hour since the first day's local midnight.
    to_store, from_store
        See `Table`.
    to_store_array
        period -> int32 (profiles, stores, nodes), for questions about many drivers at once.
    to_store_flat
        period -> for each store, the same as one row; what flies reaches no store from the dock of another.
    """

    def __init__(self, scenario: Scenario, geography: Geography, store_nodes: Sequence[int]) -> None:
        self.geography = geography
        self.store_nodes = [NodeId(node) for node in store_nodes]
        self.profiles = [VEHICLES[name] for name, share in scenario.drivers.vehicles.items() if share > 0]
        self._ways: list[Geography] = [Air(geography) if vehicle.flies else geography for vehicle in self.profiles]
        self.midnight_s = scenario.midnight_s
        self.periods = levels_by_hour(scenario, geography)
        self.to_store_flat: dict[int, list[NDArray[np.int32]]] = {}
        arrays = self._trees(sorted(set(self.periods)))
        self.to_store_array: dict[int, NDArray[np.int32]] = {}
        self.from_store_array: dict[int, NDArray[np.int32]] = {}
        self.to_store: Table = [[] for _ in LEVELS]
        self.from_store: Table = [[] for _ in LEVELS]
        for period in set(self.periods):
            for towards, stacks, table in (
                (True, self.to_store_array, self.to_store),
                (False, self.from_store_array, self.from_store),
            ):
                stack = np.stack([arrays[_name(vehicle, period, towards)] for vehicle in self.profiles])
                stacks[period] = stack
                table[period] = [[quick(row) for row in profile] for profile in stack]

            by_store = np.ascontiguousarray(self.to_store_array[period].transpose(1, 0, 2))
            self.nodes = by_store.shape[2]
            if any(vehicle.flies for vehicle in self.profiles):
                by_store = self._tethered(by_store.copy())
            self.to_store_flat[period] = [store.ravel() for store in by_store]

    def _tethered(self, by_store: NDArray[np.int32]) -> NDArray[np.int32]:
        """Put every store out of reach of what flies from the docks of the others, (stores, profiles, nodes)."""
        nodes = np.array(self.store_nodes)
        for store, node in enumerate(self.store_nodes):
            for profile, vehicle in enumerate(self.profiles):
                if vehicle.flies:
                    by_store[store, profile, nodes[nodes != node]] = np.iinfo(np.int32).max
        return by_store

    def _trees(self, periods: list[int]) -> dict[str, NDArray[np.int32]]:
        wanted = {
            _name(vehicle, period, towards): (vehicle, period, towards)
            for vehicle in self.profiles
            for period in periods
            for towards in (True, False)
        }
        # The cache's name holds everything a time depends on: the map, the stores, the model of traffic and vehicles.
        model = repr((FORMAT, self.geography.key, self.store_nodes, LEVELS, VEHICLES))
        path = user_cache_dir() / "trees" / f"{hashlib.sha256(model.encode()).hexdigest()[:24]}.npz"
        plain = isinstance(self.geography, Plain)
        known = {} if plain else load_cache(path) or {}
        missing = [name for name in wanted if name not in known]
        for name in missing:
            vehicle, period, towards = wanted[name]
            ways = self._ways[self.profiles.index(vehicle)]
            known[name] = ways.trees_ms(self.store_nodes, vehicle, period, towards=towards)
        if missing and not plain:
            save_cache(path, known)
        return known

    def period_at(self, t_s: float) -> int:
        """Level of congestion at a time, seconds since the start."""
        return self.periods[int((t_s - self.midnight_s) // 3600.0)]

    def along(
        self, root: int, towards: bool, origin: int, target: int, profile: int, period: int, elapsed_ms: float
    ) -> tuple[int, int]:
        """The first node of a leg that is reached at or after `elapsed_ms`, and when (ms since setting out).

        `root` is the store that it leads to (`towards`) or from; below zero: neither end is one.
        """
        vehicle, ways = self.profiles[profile], self._ways[profile]
        if towards:
            return ways.walk(self.to_store[period][profile][root], origin, target, vehicle, period, elapsed_ms)
        if root >= 0:
            return ways.walk_out(self.from_store[period][profile][root], origin, target, vehicle, period, elapsed_ms)
        nodes, reached = ways.path(origin, target, vehicle, period)
        step = min(bisect_left(reached, elapsed_ms), len(nodes) - 1)
        return nodes[step], reached[step]

    def onward_ms(self, node: int, target: int, profile: int, period: int) -> int:
        """Time of a ride between two places that are no stores, milliseconds."""
        return self._ways[profile].ride_ms(node, target, self.profiles[profile], period)

    def free_flow_ms(self, period: int = 0) -> NDArray[np.int32]:
        """Time from each store to each node by the fastest of the fleet's vehicles on the ground, shape (stores, nodes).

        Of a fleet that only flies, by the fastest of all.
        """
        ground = [i for i, vehicle in enumerate(self.profiles) if not vehicle.flies] or slice(None)
        return np.asarray(self.from_store_array[period][ground].min(axis=0))


def _name(vehicle: Vehicle, period: int, towards: bool) -> str:
    return f"{vehicle.name}-{period if vehicle.jams else 0}-{'to' if towards else 'from'}"


class LaggingEstimator:
    """What the platform believes about travel times: the right map, the traffic of a while ago, and no noise.

    It implements `sim.contracts.Estimator` and is all that the office ever learns of the roads.
    """

    def __init__(self, travel: Travel, lag_s: float, bias: float, common_profile: int) -> None:
        self._travel, self._lag_s = travel, lag_s
        self._scale = bias / 1000.0
        self.common = self._common = common_profile
        self._from_s, self._until_s, self._level = 0.0, -1.0, 0

    def _period(self, now_s: float) -> int:
        if now_s >= self._until_s or now_s < self._from_s:
            # The level holds until the lagging clock strikes the next hour; most questions come within the same one.
            midnight_s = self._travel.midnight_s
            lagging_s = max(now_s - self._lag_s, midnight_s)
            self._level = self._travel.period_at(lagging_s)
            self._from_s = now_s
            self._until_s = midnight_s + ((lagging_s - midnight_s) // 3600.0 + 1.0) * 3600.0 + self._lag_s
        return self._level

    def until_s(self, now_s: float) -> float:
        """Until when what is believed at a moment holds, seconds."""
        self._period(now_s)
        return self._until_s

    def place(self, node: NodeId, profile: int) -> int:
        """Index of a node and a vehicle profile into a store's flat table."""
        index: int = profile * self._travel.nodes + node
        return index

    def places_to_store_s(self, places: NDArray[Any], store: StoreId, now_s: float) -> Any:
        """From each of many places (see `place`) to a store, seconds (float64)."""
        # One flat table per store: `take` is several times faster than indexing by three arrays.
        return self._travel.to_store_flat[self._period(now_s)][store].take(places) * self._scale

    def place_to_store_s(self, place: int, store: StoreId, now_s: float) -> float:
        """From one of them, seconds."""
        profile, node = divmod(place, self._travel.nodes)
        return float(self._travel.to_store[self._period(now_s)][profile][store][node] * self._scale)

    def to_customer_s(self, store: StoreId, node: NodeId, now_s: float, profile: int | None = None) -> float:
        """From a store to a customer by a vehicle profile, seconds; None: the fleet's most common one."""
        vehicle = self._common if profile is None else profile
        return float(self._travel.from_store[self._period(now_s)][vehicle][store][node] * self._scale)

    def onward_s(self, node: NodeId, target: NodeId, now_s: float) -> float:
        """From one customer to another by the fleet's most common vehicle, seconds."""
        return self._travel.onward_ms(node, target, self._common, self._period(now_s)) * self._scale

    def to_store_s(self, node: NodeId, profile: int, store: StoreId, now_s: float) -> float:
        """From a node to a store by a vehicle profile, seconds."""
        return float(self._travel.to_store[self._period(now_s)][profile][store][node] * self._scale)
