"""Build the world of a scenario: everything that is given before the clock starts, immutable from then on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.contracts import SalesHistory
from sim.scenario import Scenario
from sim.scenario.fields import clock_s, window_s
from sim.scenario.tree import Euclidean
from sim.streams import Streams
from sim.vocabulary import InputError
from sim.world.catalogue import Catalogue, Opening, make_catalogue, opening_stock
from sim.world.coverage import Coverage, draw_coverage
from sim.world.demand import BIN_S, Trace, believed_demand, complete, daily_demand, draw_wishes, no_wishes, rate_per_bin
from sim.world.doors import Doors, draw_doors
from sim.world.drivers import Driver, make_drivers
from sim.world.fleet import Picker, make_pickers
from sim.world.geography import Geography, Plain, metres_between
from sim.world.maps import find_map
from sim.world.mishaps import Mishaps, draw_mishaps
from sim.world.places import cells_of, customer_weights, sites
from sim.world.roads import file_key, load_roads
from sim.world.streets import Streets, draw_streets
from sim.world.trace_file import read_wishes
from sim.world.travel import Travel


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Everything that is given.

    Attributes
    ----------
    store_nodes, store_names
        One per store.
    open_s
        Opening windows, (from, to) in seconds since the start, ascending; the same for all stores.
    serving
        For each node, the stores whose zone holds it, nearest first.
    daily_demand
        Expected units a normal day, float64 (stores, skus).
    believed
        What the office believes of it before it has sold anything.
    lesson
        Sales of the run that the forecast learns from, if it learns from one.
    store_shares
        Share of the customers who are nearest to each store, float64 (stores,).
    minutes
        Orders expected in each minute (of a trace, those that come), flash sales included.
    ready_s
        When each order is ready, seconds since the start, where kitchens say so instead of pickers; None: pickers.
    doors
        What happens at the customers' doors; None where every order is handed over without a question.
    coverage
        Where phones have no signal; None: nowhere.
    streets
        What happens on the way to the doors; None where every ride goes as planned.
    files
        Role -> content key of every file the scenario names, for the fingerprint.
    """

    scenario: Scenario
    geography: Geography
    travel: Travel
    store_nodes: tuple[int, ...]
    store_names: tuple[str, ...]
    open_s: tuple[tuple[float, float], ...]
    serving: list[tuple[int, ...]]
    cells: tuple[str, ...]
    cell: NDArray[np.int32]
    node_weights: NDArray[np.float64]
    catalogue: Catalogue
    daily_demand: NDArray[np.float64]
    believed: NDArray[np.float64]
    opening: Opening
    mishaps: Mishaps
    pickers: list[Picker]
    drivers: list[Driver]
    trace: Trace
    files: dict[str, bytes]
    store_shares: NDArray[np.float64]
    minutes: Sequence[float]
    doors: Doors | None
    coverage: Coverage | None = None
    streets: Streets | None = None
    lesson: SalesHistory | None = None
    ready_s: NDArray[np.float64] | None = None

    def start_node(self, driver: Driver) -> int:
        """Where a driver's shift begins."""
        return self.store_nodes[driver.home] if driver.node is None else driver.node

    def traffic(self, now_s: float) -> float:
        """Orders a second that are being placed at a time, on average over its minute."""
        minute = int(now_s // BIN_S)
        return self.minutes[minute] / BIN_S if minute < len(self.minutes) else 0.0

    def metres(self, one: int, other: int) -> float:
        """Straight-line distance between two nodes."""
        lon, lat = self.geography.lon, self.geography.lat
        return float(metres_between(lon[one], lat[one], lon[other], lat[other]))

    @property
    def peak_orders_s(self) -> float:
        """Orders a second at the busiest hour of an ordinary busy day, surges and calendar left out."""
        demand = self.scenario.demand
        return demand.orders_per_day * max(demand.weekday) * max(demand.profile) / sum(demand.profile) / 3600.0

    @property
    def stores(self) -> int:
        """Number of stores."""
        return len(self.store_nodes)


def geography_of(
    scenario: Scenario, streams: Streams
) -> tuple[Geography, NDArray[np.float64] | None, dict[str, bytes]]:
    """Where a run takes place; how many people live at each node, where known; the files that it was read from, by key.

    Raises
    ------
    InputError
        The map cannot be had.
    """
    if isinstance(scenario.map, Euclidean):
        plain = scenario.map
        unit = streams.generator("plain").random((plain.points, 2))
        if plain.width_m == 0 and plain.height_m == 0:
            unit = unit[:1]
        key = f"plain-{plain.width_m}-{plain.height_m}-{plain.points}-{plain.speed_kmh}"
        return Plain(unit[:, 0] * plain.width_m, unit[:, 1] * plain.height_m, plain.speed_kmh, key), None, {}
    where = scenario.origin_of("map")
    try:
        path = find_map(scenario.map, scenario.base_of("map"))
        roads = load_roads(path)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    return roads, roads.people, {"map": roads.key.encode()}


def _zones(scenario: Scenario, geography: Geography, travel: Travel) -> list[tuple[int, ...]]:
    """For each node, the stores whose zone holds it, nearest first; ties to the lowest store."""
    zone, nodes = scenario.stores.zone, travel.store_nodes
    if zone.radius_m is not None:
        metres = [metres_between(geography.lon, geography.lat, geography.lon[n], geography.lat[n]) for n in nodes]
        measure, limit = np.array(metres), zone.radius_m
    else:
        assert zone.drive_s is not None
        measure, limit = travel.free_flow_ms() / 1000.0, zone.drive_s
    order = np.argsort(measure, axis=0, kind="stable").T
    inside = limit >= np.take_along_axis(measure, order.T, axis=0).T
    known: dict[bytes, tuple[int, ...]] = {}
    serving: list[tuple[int, ...]] = []
    for stores, near in zip(order, inside, strict=True):
        chosen = stores[near]
        serving.append(known.setdefault(chosen.tobytes(), tuple(chosen.tolist())))
    return serving


def _open_windows(scenario: Scenario) -> tuple[tuple[float, float], ...]:
    start, end = window_s(scenario.stores.open)
    windows: list[tuple[float, float]] = []
    for day in scenario.days():
        shift = scenario.midnight_s + day * 86_400.0
        if end + shift > 0:
            windows.append((max(start + shift, 0.0), end + shift))
    return tuple(windows)


def _store_shares(weights: NDArray[np.float64], serving: list[tuple[int, ...]], stores: int) -> NDArray[np.float64]:
    """Share of the customers who are nearest to each store (all alike where no zone holds anybody)."""
    first = np.array([near[0] if near else -1 for near in serving])
    shares = np.bincount(first[first >= 0], weights=weights[first >= 0], minlength=stores)
    if shares.sum() > 0:
        return np.asarray(shares / shares.sum())
    return np.full(stores, 1.0 / stores)


def _work_shares(
    scenario: Scenario, weights: NDArray[np.float64], serving: list[tuple[int, ...]], travel: Travel
) -> NDArray[np.float64]:
    """Share of the drivers' work at each store: orders times the time each takes, to the door and back."""
    first = np.array([near[0] if near else -1 for near in serving])
    served = np.flatnonzero(first >= 0)
    stores = len(travel.store_nodes)
    if not weights[served].sum() > 0:
        return np.full(stores, 1.0 / stores)
    handling_s = scenario.drivers.expected_door_s + scenario.drivers.handoff_s
    busy_s = handling_s + 2.0 * travel.free_flow_ms()[first[served], served] / 1000.0
    work = np.bincount(first[served], weights=weights[served] * busy_s, minlength=stores)
    return np.asarray(work / work.sum() if work.sum() > 0 else _store_shares(weights, serving, stores))


def build_world(scenario: Scenario, streams: Streams | None = None) -> World:
    """Build the world.

    Parameters
    ----------
    streams
        All the randomness; by default that of the scenario's seed, replication 0.

    Raises
    ------
    InputError
        The scenario names a map, file or place that will not do.
    """
    streams = streams or Streams(scenario.seed)
    # What stands before anybody orders is the same in every replication: stores, places and goods.
    fixed = Streams(scenario.seed)
    geography, zones, files = geography_of(scenario, fixed)
    names, cell = cells_of(geography, scenario.demand.cell_resolution)
    weights = customer_weights(scenario, geography, zones, names, cell)
    store_names, store_nodes = sites(scenario, geography, weights)
    travel = Travel(scenario, geography, store_nodes)
    serving = _zones(scenario, geography, travel)
    shares = _store_shares(weights, serving, len(store_nodes))
    catalogue = make_catalogue(scenario, fixed)
    daily = daily_demand(scenario, catalogue, shares)
    if scenario.demand.trace is not None:
        path = scenario.base_of("demand.trace") / scenario.demand.trace
        wishes = read_wishes(scenario, path, geography, catalogue)
        files["demand.trace"] = file_key(path).encode()
    elif scenario.mode == "goods_only":
        wishes = no_wishes()
    else:
        wishes = draw_wishes(scenario, streams, weights, catalogue)
    if scenario.demand.cells is not None:
        files["demand.cells"] = file_key(scenario.base_of("demand.cells") / scenario.demand.cells).encode()
    trace = complete(scenario, streams, wishes, catalogue, cell)
    return World(
        scenario=scenario,
        geography=geography,
        travel=travel,
        store_nodes=tuple(store_nodes),
        store_names=tuple(store_names),
        open_s=_open_windows(scenario),
        serving=serving,
        cells=tuple(names),
        cell=cell,
        node_weights=weights,
        catalogue=catalogue,
        daily_demand=daily,
        believed=believed_demand(scenario, fixed, daily),
        opening=opening_stock(scenario, streams, daily),
        mishaps=draw_mishaps(scenario, streams, daily),
        pickers=make_pickers(scenario, shares),
        drivers=make_drivers(scenario, _work_shares(scenario, weights, serving, travel), streams),
        trace=trace,
        files=files,
        store_shares=shares,
        minutes=_minutes(scenario, wishes.entered_s),
        doors=draw_doors(scenario, streams, catalogue, trace.orders, trace.taps),
        coverage=draw_coverage(scenario, fixed, geography),
        streets=draw_streets(scenario, streams, geography, wishes.node, weights, trace.taps),
    )


def _minutes(scenario: Scenario, entered_s: NDArray[np.float64]) -> list[float]:
    rate = rate_per_bin(scenario)
    came = np.bincount((entered_s // BIN_S).astype(int), minlength=len(rate))[: len(rate)].astype(np.float64)
    if scenario.demand.trace is not None:
        # Of a trace only what came is known: over a quarter of an hour, so that an odd minute is not taken for a rush.
        return [float(x) for x in np.convolve(came, np.ones(15) / 15.0, mode="same")]
    for sale in scenario.demand.flash_sales:
        first = (clock_s(sale.at) + scenario.midnight_s) // BIN_S
        for minute in range(int(first), int(first + sale.seconds // BIN_S) + 2):
            if 0 <= minute < len(rate):
                rate[minute] = max(rate[minute], came[minute])
    return [float(x) for x in rate]
