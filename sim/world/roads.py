"""Road maps compiled to arrays: travel times in whole milliseconds, shortest-path trees, paths, point-to-point rides.

A map file is read once; its drivable largest strongly connected component, with speeds imputed, is kept in the user's
cache by content hash, so the second start reads arrays. Edge times depend on vehicle and level of congestion:

    ms = max(1, length / min(free-flow speed, vehicle's top speed) x congestion of the road's class)

At least one millisecond, so that neither a zero-length edge nor a rounded-down one can vanish from a sparse matrix or
make a path go in circles; and with whole milliseconds, every routing engine finds the same times, and a path can be
recovered from a tree's times alone.
"""

import hashlib
import importlib.util
import os
import tempfile
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.shipped import user_cache_dir
from sim.streams import quick
from sim.vocabulary import InputError
from sim.world.traffic import ARTERIALS, LEVELS, Vehicle

FORMAT: Final = 1
"""Raise when the compiled arrays change meaning, so that old caches are passed over."""

_RIDES_KEPT: Final = 4096


class Roads:
    """A compiled road map (see `sim.world.geography.Geography`).

    Parameters
    ----------
    arrays
        ``lon, lat`` float64 (n,); ``tail, head`` int32 (m,) sorted by tail; ``length_m``, ``kmh`` float64 (m,);
        ``arterial`` bool (m,); ``people`` float64 (n,), or empty where the map has no population zones.
    name, key
        For people; for caches.
    """

    def __init__(self, arrays: dict[str, NDArray[Any]], name: str, key: str) -> None:
        self.name, self.key = name, key
        self.lon, self.lat = arrays["lon"], arrays["lat"]
        self.tail, self.head = arrays["tail"], arrays["head"]
        self._length_m, self._kmh, self.arterial = arrays["length_m"], arrays["kmh"], arrays["arterial"]
        self.people = arrays["people"] if len(arrays["people"]) else None
        self._graphs: dict[tuple[str, int, bool], Any] = {}
        self._hierarchies: dict[tuple[str, int], Any] | None = None
        self._edges: dict[bool, tuple[NDArray[np.int64], Any, Any]] = {}
        self._neighbours: dict[tuple[str, int, bool], tuple[Any, Any, Any]] = {}
        self._rides: OrderedDict[tuple[int, str, int], tuple[float, Any]] = OrderedDict()

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.lon)

    def edge_ms(self, vehicle: Vehicle, period: int) -> NDArray[np.int64]:
        """Time of each edge in whole milliseconds, at least 1, shape (edges,)."""
        hours = self._length_m / 1000.0 / np.minimum(self._kmh, vehicle.top_kmh)
        level = LEVELS[period if vehicle.jams else 0]
        slowed = hours * np.where(self.arterial, level.arterial, level.local)
        return np.asarray(np.maximum(np.rint(slowed * 3_600_000.0), 1), dtype=np.int64)

    def _graph(self, vehicle: Vehicle, period: int, *, backward: bool) -> Any:
        from scipy.sparse import csr_array

        period = period if vehicle.jams else 0
        key = (vehicle.name, period, backward)
        if key not in self._graphs:
            tail, head = (self.head, self.tail) if backward else (self.tail, self.head)
            ms = self.edge_ms(vehicle, period)
            # Building a CSR matrix sums parallel edges: keep the fastest of each pair first.
            order = np.lexsort((ms, head, tail))
            tail, head, ms = tail[order], head[order], ms[order]
            first = np.ones(len(ms), dtype=bool)
            first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
            n = self.nodes
            self._graphs[key] = csr_array((ms[first].astype(np.float64), (tail[first], head[first])), shape=(n, n))
        return self._graphs[key]

    def trees_ms(self, roots: Sequence[int], vehicle: Vehicle, period: int, *, towards: bool) -> NDArray[np.int32]:
        """Times between each root and every node, shape (roots, nodes), by Dijkstra from each root."""
        from scipy.sparse.csgraph import dijkstra

        times = dijkstra(self._graph(vehicle, period, backward=towards), indices=np.asarray(roots, dtype=np.int32))
        return np.minimum(np.atleast_2d(times), np.iinfo(np.int32).max).astype(np.int32)

    def accelerate(self) -> bool:
        """Answer `ride_ms` by a contraction hierarchy from now on, if ``ch-router`` (the extra fast-roads) is installed.

        Worth its preparation (seconds for each vehicle and level of congestion) from some hundred rides on. The answers
        are the same: whole milliseconds leave no room for rounding. Returns whether it is installed.
        """
        if importlib.util.find_spec("ch_router") is None:
            return False
        self._hierarchies = self._hierarchies or {}
        return True

    def _by_hierarchy(
        self, hierarchies: dict[tuple[str, int], Any], origin: int, target: int, vehicle: Vehicle, period: int
    ) -> int:
        import ch_router

        key = (vehicle.name, period if vehicle.jams else 0)
        if key not in hierarchies:
            tail, head, ms = (
                column.astype(np.uint32) for column in (self.tail, self.head, self.edge_ms(vehicle, period))
            )
            hierarchies[key] = ch_router.CHQuery(ch_router.ContractionHierarchy.build(self.nodes, tail, head, ms))
        found = hierarchies[key].reset().add_source(origin).add_target(target).run().get_distance()
        if found >= ch_router.INF_WEIGHT:
            raise ValueError(f"Expected a node that can be reached from {origin}, got {target}.")
        return int(found)

    def ride_ms(self, origin: int, target: int, vehicle: Vehicle, period: int) -> int:
        """Time of the fastest ride between two nodes: Dijkstra with a limit that grows until the target is inside.

        The last trees are kept, so several rides from one origin cost one search.

        Raises
        ------
        ValueError
            When the target cannot be reached.
        """
        if self._hierarchies is not None:
            return self._by_hierarchy(self._hierarchies, origin, target, vehicle, period)
        return int(self._tree_with(origin, target, vehicle, period)[target])

    def _tree_with(self, origin: int, target: int, vehicle: Vehicle, period: int) -> Any:
        """Times from an origin, known at least as far as the target."""
        from scipy.sparse.csgraph import dijkstra

        key = (origin, vehicle.name, period if vehicle.jams else 0)
        limit, tree = self._rides.pop(key, (0.0, None))
        while tree is None or not np.isfinite(tree[target]):
            if np.isinf(limit):
                raise ValueError(f"Expected a node that can be reached from {origin}, got {target}.")
            limit = 600_000.0 if limit == 0 else limit * 4 if limit < 4e7 else np.inf
            tree = dijkstra(self._graph(vehicle, period, backward=False), indices=[origin], limit=limit)[0]
        self._rides[key] = (limit, tree)
        if len(self._rides) > _RIDES_KEPT * 1000 // max(self.nodes, 1000):
            self._rides.popitem(last=False)
        return tree

    def _streets_at(self, vehicle: Vehicle, period: int, *, backward: bool) -> tuple[Any, Any, Any]:
        """Of each node, where its edges begin in two columns: of the nodes at their other ends, ascending, and of their times."""
        key = (vehicle.name, period if vehicle.jams else 0, backward)
        if key not in self._neighbours:
            if backward not in self._edges:
                near, far = (self.head, self.tail) if backward else (self.tail, self.head)
                order = np.lexsort((far, near))
                start = np.searchsorted(near[order], np.arange(self.nodes + 1))
                self._edges[backward] = order, quick(start), quick(far[order])
            order, starts, ends = self._edges[backward]
            self._neighbours[key] = starts, ends, quick(self.edge_ms(vehicle, period)[order])
        return self._neighbours[key]

    def walk(
        self, tree: Any, origin: int, target: int, vehicle: Vehicle, period: int, until_ms: float
    ) -> tuple[int, int]:
        """Follow a tree towards its root until `until_ms` have passed: the first node reached then or after, and when.

        Whole milliseconds make the path recoverable from times alone: the next node is one whose own time plus the
        edge's equals the time here; ties go to the lowest node.
        """
        start, heads, times = self._streets_at(vehicle, period, backward=False)
        node, whole, passed = origin, tree[origin], 0
        while passed < until_ms and node != target:
            here = tree[node]
            for edge in range(start[node], start[node + 1]):
                if tree[heads[edge]] + times[edge] == here:
                    node = heads[edge]
                    break
            passed = whole - tree[node]
        return node, passed

    def walk_out(
        self, tree: Any, origin: int, target: int, vehicle: Vehicle, period: int, until_ms: float
    ) -> tuple[int, int]:
        """The same on `path` from a tree's root, walked backwards from its end: as long as the end is far off, no search."""
        start, tails, times = self._streets_at(vehicle, period, backward=True)
        node = target
        while node != origin:
            here, before = tree[node], origin
            for edge in range(start[node], start[node + 1]):
                if tree[tails[edge]] + times[edge] == here:
                    before = tails[edge]
                    break
            if tree[before] < until_ms:
                break
            node = before
        return node, tree[node]

    def path(self, origin: int, target: int, vehicle: Vehicle, period: int) -> tuple[list[int], list[int]]:
        """The fastest ride's nodes and the time at which each is reached, ms from the origin; ties to the lowest node."""
        tree = self._tree_with(origin, target, vehicle, period)
        back = self._graph(vehicle, period, backward=True)
        nodes = [target]
        while nodes[-1] != origin:
            here = nodes[-1]
            before = back.indices[back.indptr[here] : back.indptr[here + 1]]
            cost = back.data[back.indptr[here] : back.indptr[here + 1]]
            nodes.append(int(before[tree[before] + cost == tree[here]].min()))
        nodes.reverse()
        return nodes, [int(tree[node]) for node in nodes]


def compile_table(table: Any, zones: Path | None = None) -> dict[str, NDArray[Any]]:
    """Compile a `sim.world.roadtable.RoadTable` to the arrays of `Roads`: largest component, speeds imputed."""
    from sim.world.roadtable import impute_speeds
    from sim.world.zones import node_weights, read_zones

    table = table.largest_scc()
    arterial = np.array([name in ARTERIALS for name in table.classes], dtype=bool)
    return {
        "node_id": table.node_id,
        "lon": table.lon,
        "lat": table.lat,
        "tail": table.tail.astype(np.int32),
        "head": table.head.astype(np.int32),
        "length_m": table.length_m,
        "kmh": np.asarray(impute_speeds(table)),
        "arterial": arterial[table.highway],
        "people": node_weights(table, read_zones(zones)) if zones else np.empty(0),
    }


def file_key(path: Path) -> str:
    """Return 16 hexadecimal digits of a file's content.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise InputError(f"{path}: expected a readable file, got: {error.strerror}.") from error


def save_cache(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write arrays atomically; a cache that cannot be written is done without."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".npz")
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        os.replace(temporary, path)
    except OSError:
        return


def load_cache(path: Path) -> dict[str, NDArray[Any]] | None:
    """Read arrays, or nothing when they are not there or broken."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
        return None


def load_roads(path: Path) -> Roads:
    """Load a map file (GraphML) with its population zones, compiled and cached by content.

    Raises
    ------
    InputError
        When the file is not a road map.
    """
    from sim.world.maps import map_name
    from sim.world.zones import ZONES_SUFFIX

    beside = path.with_name(map_name(path) + ZONES_SUFFIX)
    zones = beside if beside.is_file() else None
    key = file_key(path) + ("-" + file_key(zones) if zones else "")
    cached = user_cache_dir() / "maps" / f"{key}-v{FORMAT}.npz"
    arrays = load_cache(cached)
    if arrays is None:
        from sim.world.graphml import read_graphml

        arrays = compile_table(read_graphml(path), zones)
        save_cache(cached, arrays)
    return Roads(arrays, map_name(path), key)


def load_shapes(path: Path) -> dict[str, NDArray[Any]]:
    """Load how the streets of a map file run between the nodes of `load_roads`, cached by content.

    Returns
    -------
    dict[str, NDArray]
        ``start`` int64 (edges + 1), ``lon``, ``lat`` float64: the points of edge ``e`` between its ends are
        ``start[e]:start[e + 1]``.

    Raises
    ------
    InputError
        When the file is not a road map.
    """
    cached = user_cache_dir() / "maps" / f"{file_key(path)}-shapes-v{FORMAT}.npz"
    arrays = load_cache(cached)
    if arrays is None:
        from sim.world.graphml import read_graphml

        table = read_graphml(path).largest_scc()
        arrays = {"start": table.shape_start, "lon": table.shape_lon, "lat": table.shape_lat}
        save_cache(cached, arrays)
    return arrays
