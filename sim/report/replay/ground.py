"""The ground that a replay plays on: places in metres about the middle of what happens, and the streets between them.

Where the run's map can be had (by name, with the same content as then), drivers are shown on its streets. On a plain, and
where the map is gone, places are joined by straight lines.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.reading.legs import places_of
from sim.reading.run import FinishedRun
from sim.scenario import Scenario
from sim.streams import Streams
from sim.vocabulary import InputError
from sim.world.build import geography_of
from sim.world.geography import METRES_PER_DEGREE, Geography
from sim.world.maps import find_map
from sim.world.roads import Roads, load_shapes

TOLERANCE_M: Final = 2.0
"""A bend that lies nearer to the line between its neighbours is left out of what is drawn."""

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Places and streets of a run.

    Attributes
    ----------
    xy_m
        Places by node, metres east and north of the middle, float64 (nodes, 2).
    middle
        Longitude and latitude of the middle, degrees.
    geography
        How rides went; None where the map is gone.
    shape_start, shape_m
        Bends of each street between its ends, as in `sim.world.roads.load_shapes`, in metres, float64 (bends, 2).
    """

    xy_m: Points
    middle: tuple[float, float]
    geography: Geography | None
    shape_start: NDArray[np.int64]
    shape_m: Points

    @property
    def roads(self) -> Roads | None:
        """The streets; None where rides are straight lines."""
        return self.geography if isinstance(self.geography, Roads) else None

    def metres(self, lon: Any, lat: Any) -> Points:
        """Places given in degrees, metres from the middle, float64 (n, 2)."""
        return _metres(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float), self.middle)


def ground_of(run: FinishedRun, scenario: Scenario) -> Ground:
    """Find the ground of a run."""
    geography = _geography(run, scenario)
    if geography is not None:
        lon, lat = np.asarray(geography.lon), np.asarray(geography.lat)
    else:
        lon, lat = _known(run)
    orders = run.columns("orders", "lon", "lat")
    east = [store.lon for store in run.stores] + [value for value in orders["lon"] if value is not None]
    north = [store.lat for store in run.stores] + [value for value in orders["lat"] if value is not None]
    middle = (round((min(east) + max(east)) / 2.0, 6), round((min(north) + max(north)) / 2.0, 6))
    xy_m = _metres(lon, lat, middle)
    start, shapes = np.zeros(1, dtype=np.int64), np.empty((0, 2))
    if isinstance(geography, Roads):
        found = load_shapes(find_map(str(scenario.map)))
        start, shapes = found["start"], _metres(found["lon"], found["lat"], middle)
        if len(start) != len(geography.tail) + 1:
            start, shapes = np.zeros(len(geography.tail) + 1, dtype=np.int64), np.empty((0, 2))
        start, shapes = _simpler(xy_m, geography, start, shapes)
    return Ground(xy_m, middle, geography, start, shapes)


def _metres(lon: NDArray[Any], lat: NDArray[Any], middle: tuple[float, float]) -> Points:
    narrow = float(np.cos(np.radians(middle[1])))
    return np.column_stack(((lon - middle[0]) * narrow, lat - middle[1])) * METRES_PER_DEGREE


def _geography(run: FinishedRun, scenario: Scenario) -> Geography | None:
    try:
        geography, _, _ = geography_of(scenario, Streams(run.seed))
    except (InputError, OSError, ValueError):
        return None
    return geography if geography.key == run.manifest["world"].get("map_key") else None


def _known(run: FinishedRun) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude by node, of stores and customers; all others are put where the first store is."""
    places = places_of(run)
    lon = np.full(max(places, default=0) + 1, run.stores[0].lon)
    lat = np.full(len(lon), run.stores[0].lat)
    for node, (east, north) in places.items():
        lon[node], lat[node] = east, north
    return lon, lat


def _simpler(xy_m: Points, roads: Roads, start: NDArray[np.int64], shapes: Points) -> tuple[NDArray[np.int64], Points]:
    """Leave out bends that nobody would see (Douglas and Peucker 1973)."""
    kept, counts = np.zeros(len(shapes), dtype=bool), np.diff(start)
    for edge in np.flatnonzero(counts).tolist():
        begin, end = int(start[edge]), int(start[edge + 1])
        line = np.vstack((xy_m[roads.tail[edge]], shapes[begin:end], xy_m[roads.head[edge]]))
        stack = [(0, len(line) - 1)]
        while stack:
            a, b = stack.pop()
            if b - a < 2:
                continue
            off = _off_m(line[a + 1 : b], line[a], line[b])
            worst = int(off.argmax())
            if off[worst] > TOLERANCE_M:
                kept[begin + a + worst] = True
                stack += [(a, a + 1 + worst), (a + 1 + worst, b)]
    per_edge = np.repeat(np.arange(len(counts)), counts)
    left = np.bincount(per_edge[kept], minlength=len(counts))
    return np.concatenate(([0], np.cumsum(left))).astype(np.int64), shapes[kept]


def _off_m(points: Points, one: Points, other: Points) -> Points:
    """How far points are from the stretch between two, metres."""
    way = other - one
    length = float(way @ way)
    along = np.clip((points - one) @ way / length, 0.0, 1.0) if length else np.zeros(len(points))
    return np.asarray(np.hypot(*(points - one - along[:, None] * way).T))
