"""Where things are and how long it takes from one to another: roads and the plain behind one interface.

Times are whole milliseconds. A *profile* is a kind of vehicle, a *period* a level of congestion. Rides to and from
stores come from shortest-path trees rooted at the stores, which answer nearly every question of a run by one look-up;
legs between two other places are point-to-point queries.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.world.traffic import Vehicle

METRES_PER_DEGREE = 111_195.0
"""Length of a degree of latitude on a sphere of 6,371 km."""


class Geography(Protocol):
    """Places (nodes 0..n-1 with coordinates) and travel times between them."""

    @property
    def name(self) -> str: ...
    @property
    def lon(self) -> NDArray[np.float64]: ...
    @property
    def lat(self) -> NDArray[np.float64]: ...
    @property
    def key(self) -> str:
        """Names the content: equal keys give equal times."""

    def trees_ms(self, roots: Sequence[int], vehicle: Vehicle, period: int, *, towards: bool) -> NDArray[np.int32]:
        """Times between each root and every node, shape (roots, nodes): node to root if `towards`, else root to node."""

    def ride_ms(self, origin: int, target: int, vehicle: Vehicle, period: int) -> int:
        """Time of the fastest ride between two nodes."""

    def path(self, origin: int, target: int, vehicle: Vehicle, period: int) -> tuple[list[int], list[int]]:
        """The fastest ride's nodes, both ends included, and the time at which each is reached, ms from the origin."""

    def walk(
        self, tree: Any, origin: int, target: int, vehicle: Vehicle, period: int, until_ms: float
    ) -> tuple[int, int]:
        """Follow a tree towards its root until `until_ms` have passed: the first node reached then or after, and when."""

    def walk_out(
        self, tree: Any, origin: int, target: int, vehicle: Vehicle, period: int, until_ms: float
    ) -> tuple[int, int]:
        """The same on the way from the root of a tree, `origin`, to a target."""


class Straight:
    """Straight lines between places: what the plain and the air have in common."""

    def between_ms(self, one: Any, other: Any, vehicle: Vehicle) -> Any:
        """Time between places (arrays of nodes that broadcast), whole milliseconds."""
        raise NotImplementedError

    def trees_ms(self, roots: Sequence[int], vehicle: Vehicle, period: int, *, towards: bool) -> NDArray[np.int32]:
        """Straight-line times between each root and every node."""
        at, everywhere = np.asarray(roots), np.arange(self.nodes)
        return np.asarray(self.between_ms(at[:, None], everywhere[None, :], vehicle), dtype=np.int32)

    @property
    def nodes(self) -> int:
        """Number of places."""
        raise NotImplementedError

    def ride_ms(self, origin: int, target: int, vehicle: Vehicle, period: int) -> int:
        """Straight-line time."""
        return int(self.between_ms(origin, target, vehicle))

    def path(self, origin: int, target: int, vehicle: Vehicle, period: int) -> tuple[list[int], list[int]]:
        """Two ends and nothing between."""
        if origin == target:
            return [origin], [0]
        return [origin, target], [0, self.ride_ms(origin, target, vehicle, period)]

    def walk(
        self, tree: Any, origin: int, target: int, vehicle: Vehicle, period: int, until_ms: float
    ) -> tuple[int, int]:
        """There is no place to turn on a straight line: the next node is its end."""
        return (origin, 0) if until_ms <= 0 else (target, int(tree[origin]))

    def walk_out(
        self, tree: Any, origin: int, target: int, vehicle: Vehicle, period: int, until_ms: float
    ) -> tuple[int, int]:
        """Nor is there on the way out."""
        return (origin, 0) if until_ms <= 0 else (target, int(tree[target]))


class Plain(Straight):
    """A Euclidean plain: straight lines at one speed for every vehicle on the ground at every hour.

    Parameters
    ----------
    x_m, y_m
        Coordinates of the places, metres, float64 (n,).
    speed_kmh
        Speed of everything.
    """

    def __init__(
        self, x_m: NDArray[np.float64], y_m: NDArray[np.float64], speed_kmh: float, key: str = "plain"
    ) -> None:
        self.name = "plain"
        self.x_m, self.y_m, self._speed = x_m, y_m, speed_kmh
        # Near (0, 0) a degree is the same length both ways, so the plain has honest coordinates for maps and cells.
        self.lon, self.lat = x_m / METRES_PER_DEGREE, y_m / METRES_PER_DEGREE
        self.key = key

    @property
    def nodes(self) -> int:
        """Number of places."""
        return len(self.x_m)

    def between_ms(self, one: Any, other: Any, vehicle: Vehicle) -> Any:
        """Straight-line time between places, whole milliseconds."""
        x, y = self.x_m, self.y_m
        return np.rint(np.hypot(x[one] - x[other], y[one] - y[other]) * (3600.0 / self._speed))


class Air(Straight):
    """What flies over a geography: straight lines at the vehicle's own speed, with time to go up and down."""

    def __init__(self, ground: Geography) -> None:
        self.name, self.key = ground.name, ground.key
        self.lon, self.lat = ground.lon, ground.lat

    @property
    def nodes(self) -> int:
        """Number of places."""
        return len(self.lon)

    def between_ms(self, one: Any, other: Any, vehicle: Vehicle) -> Any:
        """Time of a flight between places, whole milliseconds."""
        metres = metres_between(self.lon[one], self.lat[one], self.lon[other], self.lat[other])
        return np.rint(metres * (3600.0 / vehicle.top_kmh) + np.where(metres > 0.0, vehicle.lift_s * 1000.0, 0.0))


def metres_between(lon_a: Any, lat_a: Any, lon_b: Any, lat_b: Any) -> Any:
    """Distance over a city's size: equirectangular about the mean latitude, metres (error below 0.1 % within 100 km)."""
    middle = np.cos(np.radians((np.asarray(lat_a) + np.asarray(lat_b)) / 2.0))
    return METRES_PER_DEGREE * np.hypot((np.asarray(lon_a) - lon_b) * middle, np.asarray(lat_a) - lat_b)
