"""Where phones have no signal: circles about road nodes, drawn until they hold a share of the city's nodes.

For coverage a ride is the straight line between its ends, covered evenly from when it begins until it arrives: near enough
for areas of some hundred metres, and the parts of a ride without a signal are known when it begins, without a look at its
streets.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario
from sim.streams import Streams, quick
from sim.world.geography import METRES_PER_DEGREE, Geography

Parts = tuple[tuple[float, float], ...]
"""Parts of a way as (from, to), shares of it, ascending and apart from each other."""

_NOWHERE: Final[Parts] = ()


class Coverage:
    """The dead zones of a city.

    Parameters
    ----------
    order
        All road nodes, in the order in which they become the middle of a circle.
    share
        Share of the nodes that the circles hold at least.

    Attributes
    ----------
    centres
        Road nodes in their middles, int64 (n,).
    dead
        Of each road node: whether it has no signal, bool (nodes,).
    """

    def __init__(self, geography: Geography, order: NDArray[np.int64], radius_m: float, share: float) -> None:
        scale = METRES_PER_DEGREE * np.cos(np.radians(float(np.mean(geography.lat))))
        x_m, y_m = geography.lon * scale, geography.lat * METRES_PER_DEGREE
        self._radius2 = radius_m * radius_m
        self._x, self._y = quick(x_m), quick(y_m)
        self.dead = np.zeros(len(x_m), dtype=bool)
        chosen = []
        for node in order.tolist():
            if self.dead.sum() >= share * len(x_m):
                break
            if not self.dead[node]:  # the next that still has a signal
                chosen.append(node)
                self.dead |= (x_m - x_m[node]) ** 2 + (y_m - y_m[node]) ** 2 <= self._radius2
        self.centres = np.array(chosen, dtype=np.int64)
        self._cx, self._cy = x_m[self.centres], y_m[self.centres]

    def gaps(self, origin: int, target: int) -> Parts:
        """Parts of the way between two nodes that have no signal; of no way at all, none or the whole."""
        x, y = self._x[origin], self._y[origin]
        dx, dy = self._x[target] - x, self._y[target] - y
        fx, fy = x - self._cx, y - self._cy
        length2 = dx * dx + dy * dy
        if not length2:
            return ((0.0, 1.0),) if self.dead[origin] else _NOWHERE
        # Where the line crosses a circle: |f + t d|^2 = r^2.
        half = (fx * dx + fy * dy) / length2
        inside = half * half - (fx * fx + fy * fy - self._radius2) / length2
        crossed = np.flatnonzero(inside > 0.0)
        if not len(crossed):
            return _NOWHERE
        root, middle = np.sqrt(inside[crossed]), -half[crossed]
        parts: list[tuple[float, float]] = []
        for begin, end in sorted(zip((middle - root).tolist(), (middle + root).tolist(), strict=True)):
            begin, end = max(begin, 0.0), min(end, 1.0)
            if begin >= end:
                continue
            if parts and begin <= parts[-1][1]:
                parts[-1] = parts[-1][0], max(parts[-1][1], end)
            else:
                parts.append((begin, end))
        return tuple(parts)


def draw_coverage(scenario: Scenario, streams: Streams, geography: Geography) -> Coverage | None:
    """Draw a city's dead zones; None where it has none, or the platform is the minimal one."""
    zones = scenario.platform.tracking.dead_zones
    if not zones.share or scenario.platform.profile == "minimal" or scenario.mode != "full":
        return None
    order = streams.generator("coverage").permutation(len(geography.lon))
    return Coverage(geography, order, zones.radius_m, zones.share)
