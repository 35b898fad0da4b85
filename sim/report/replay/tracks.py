"""Where drivers were at every moment: each ride as the streets it went along, and when.

The log has of a ride its ends and its times. The streets are those that the simulator itself rode: the fastest way by vehicle
and level of congestion at the hour of setting out, by the same trees, ties broken alike (`sim.world.roads`); a ride's own noise
stretches all of it evenly, as it did in the run. A ride that the next one breaks off goes on to the junction where its driver
turns, and the next one sets out from there, then.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.reading.legs import Leg, legs_of
from sim.reading.run import FinishedRun
from sim.report.replay.ground import Ground
from sim.scenario import Scenario
from sim.streams import quick
from sim.vocabulary import Trip
from sim.world.roads import Roads
from sim.world.traffic import VEHICLES
from sim.world.travel import levels_by_hour

STRAIGHT = 255
"""In `Tracks.pace`: no streets, a straight line."""

_TOWARDS = frozenset({Trip.TO_STORE, Trip.BACK, Trip.RETURN})


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Rides, driver after driver, in the order of the day.

    Attributes
    ----------
    driver, order, trip, origin, node
        As in `sim.reading.legs.Leg`, int32 (rides,) each.
    depart_s, end_s
        When the driver leaves `origin`, and when he is at `node`, float64 (rides,).
    pace
        Which column of `times_ms` the ride goes by, uint8 (rides,); `STRAIGHT`: none.
    step_start, edge
        The streets of ride ``i`` are ``edge[step_start[i]:step_start[i + 1]]``, numbers of the map's edges.
    times_ms
        A column for each vehicle and level of congestion that was met: time of each edge, int64 (edges,).
    """

    driver: NDArray[np.int32]
    order: NDArray[np.int32]
    trip: NDArray[np.int32]
    origin: NDArray[np.int32]
    node: NDArray[np.int32]
    depart_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    pace: NDArray[np.uint8]
    step_start: NDArray[np.int64]
    edge: NDArray[np.int32]
    times_ms: list[NDArray[np.int64]]


def vehicles_of(run: FinishedRun) -> dict[int, str]:
    """The vehicle of each driver who came to work."""
    names = run.manifest["world"]["vehicles"]
    rows = run.archive.rows("driver_on", ("driver", "profile"))
    return {driver: names[profile] for driver, profile in rows.tolist()}


def tracks_of(run: FinishedRun, ground: Ground, scenario: Scenario) -> Tracks:
    """Work out the streets of every ride of a run."""
    vehicles, ways = vehicles_of(run), _Ways(ground.roads)
    levels = levels_by_hour(scenario, ground.geography) if ground.geography is not None else [0]
    legs, midnight_s = legs_of(run.archive), scenario.midnight_s
    departs, ends, paces, starts, edges = list[float](), list[float](), list[int](), [0], list[int]()
    last: _Ridden | None = None
    for leg in legs:
        vehicle, pace, way = vehicles.get(leg.driver, ""), STRAIGHT, list[int]()
        if vehicle in VEHICLES and not VEHICLES[vehicle].flies:
            hour = int((leg.start_s - midnight_s) // 3600.0)
            pace, way = ways.find(leg, vehicle, levels[min(hour, len(levels) - 1)])
        depart_s = leg.start_s
        if last is not None and last.leg.driver == leg.driver and last.leg.end_s == leg.start_s:
            depart_s = max(depart_s, last.at_s(leg.origin))
        last = _Ridden(leg, depart_s, ways.nodes(leg, way), ways.reached_ms(way, pace))
        departs.append(depart_s)
        ends.append(max(last.at_s(leg.node), depart_s))
        paces.append(pace if way else STRAIGHT)
        edges += way[: last.place(leg.node)]
        starts.append(len(edges))
    columns = {
        name: np.array([int(getattr(leg, name)) for leg in legs], dtype=np.int32)
        for name in ("driver", "order", "trip", "origin", "node")
    }
    return Tracks(
        **columns,
        depart_s=np.array(departs, dtype=np.float64),
        end_s=np.array(ends, dtype=np.float64),
        pace=np.array(paces, dtype=np.uint8),
        step_start=np.array(starts, dtype=np.int64),
        edge=np.array(edges, dtype=np.int32),
        times_ms=ways.times_ms,
    )


class _Ridden(NamedTuple):
    """A ride as it was begun: the nodes of its way to where it was to lead, and the time of each by the streets, ms."""

    leg: Leg
    depart_s: float
    nodes: list[int]
    reached_ms: list[int]

    def place(self, node: int) -> int:
        """How many steps of the way lead to a node; all of them, where it is not on the way."""
        return self.nodes.index(node) if node in self.nodes else len(self.nodes) - 1

    def at_s(self, node: int) -> float:
        """When the driver is at a node of his way."""
        place, whole = self.place(node), self.reached_ms[-1]
        if place == len(self.nodes) - 1 or not whole:
            return self.leg.due_s
        return self.depart_s + (self.leg.due_s - self.depart_s) * self.reached_ms[place] / whole


class _Ways:
    """The fastest ways, found as the simulator finds them."""

    def __init__(self, roads: Roads | None) -> None:
        self._roads = roads
        self.times_ms: list[NDArray[np.int64]] = []
        self._paces: dict[tuple[str, int], int] = {}
        self._quick_ms: list[Any] = []
        self._trees: dict[tuple[int, int, bool], Any] = {}
        self._found: dict[tuple[int, int, int, bool], list[int]] = {}
        if roads is not None:
            self._tail, self._head = quick(roads.tail), quick(roads.head)

    def find(self, leg: Leg, vehicle: str, level: int) -> tuple[int, list[int]]:
        """The edges of a ride to where it was to lead, and the column of `times_ms` it goes by."""
        roads = self._roads
        if roads is None or leg.origin == leg.aim:
            return STRAIGHT, []
        level = level if VEHICLES[vehicle].jams else 0
        pace = self._paces.get((vehicle, level))
        if pace is None:
            pace = self._paces[vehicle, level] = len(self.times_ms)
            self.times_ms.append(roads.edge_ms(VEHICLES[vehicle], level))
            self._quick_ms.append(quick(self.times_ms[pace]))
        towards = leg.trip in _TOWARDS
        key = (leg.origin, leg.aim, pace, towards)
        if key not in self._found:
            if leg.trip == Trip.ONWARD:
                nodes, _ = roads.path(leg.origin, leg.aim, VEHICLES[vehicle], level)
                self._found[key] = [self._edge(a, b, pace) for a, b in pairwise(nodes)]
            else:
                self._found[key] = self._walk(leg, vehicle, level, pace, towards=towards)
        return pace, self._found[key]

    def _walk(self, leg: Leg, vehicle: str, level: int, pace: int, *, towards: bool) -> list[int]:
        """Follow a tree: towards its root, or from its root, backwards."""
        begin, end = (leg.origin, leg.aim) if towards else (leg.aim, leg.origin)
        key = (end, pace, towards)
        if key not in self._trees:
            self._trees[key] = self._tree(end, vehicle, level, pace, towards=towards)
        step, way, node, onward = self._trees[key], list[int](), begin, self._head if towards else self._tail
        while node != end:
            edge = step[node]
            way.append(edge)
            node = onward[edge]
        return way if towards else way[::-1]

    def _tree(self, root: int, vehicle: str, level: int, pace: int, *, towards: bool) -> Any:
        """Of each node, the edge by which it is nearer to the root; of several, the one whose other end is lowest."""
        roads = self._roads
        assert roads is not None
        (far_ms,) = roads.trees_ms([root], VEHICLES[vehicle], level, towards=towards)
        here, there = (roads.tail, roads.head) if towards else (roads.head, roads.tail)
        on_it = np.flatnonzero(far_ms[there] + self.times_ms[pace] == far_ms[here])
        on_it = on_it[np.lexsort((there[on_it], here[on_it]))[::-1]]
        step = np.full(roads.nodes, -1, dtype=np.int32)
        step[here[on_it]] = on_it  # the last one written stays
        return quick(step)

    def _edge(self, tail: int, head: int, pace: int) -> int:
        """The fastest edge between two neighbours."""
        roads = self._roads
        assert roads is not None
        first, end = np.searchsorted(roads.tail, [tail, tail + 1]).tolist()
        times = self._quick_ms[pace]
        return min((e for e in range(first, end) if self._head[e] == head), key=lambda e: times[e])

    def nodes(self, leg: Leg, way: list[int]) -> list[int]:
        """The nodes of a way, both ends included."""
        if not way:
            return [leg.origin, leg.aim] if leg.origin != leg.aim else [leg.aim]
        return [leg.origin, *(self._head[edge] for edge in way)]

    def reached_ms(self, way: list[int], pace: int) -> list[int]:
        """When each of them is reached by the streets alone, ms from setting out; of a straight line, its beginning only."""
        if not way:
            return [0]
        times, reached = self._quick_ms[pace], [0]
        for edge in way:
            reached.append(reached[-1] + times[edge])
        return reached
