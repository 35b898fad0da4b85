"""A road network as plain columns: the form in which every map file enters the program."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.vocabulary import InputError
from sim.world.speeds import ABSURD_KMH, DEFAULT_KMH

EARTH_RADIUS_M = 6_371_009.0
"""Mean radius of the earth, metres (IUGG); the one OSMnx measures road lengths with."""


@dataclass(frozen=True, slots=True, eq=False)
class RoadTable:
    """Directed roads between nodes; nodes are sorted by id, edges by (tail, head, length, class, name).

    Attributes
    ----------
    node_id
        int64[n], ascending; OpenStreetMap's where the source has them.
    lon, lat
        float64[n], degrees WGS84.
    tail, head
        int32[m], indices into the nodes: an edge leads from tail to head.
    length_m
        float64[m], metres along the road, not negative.
    highway
        int16[m], index into `classes`, the sorted OpenStreetMap highway classes that occur.
    maxspeed_kmh
        float64[m], tagged speed; nan where there is none. `impute_speeds` fills the gaps.
    name
        int32[m], index into the sorted `names`; -1 where a road has none.
    shape_start, shape_lon, shape_lat
        int64[m + 1] and float64[k] each: the points of edge ``e`` between its ends are
        ``shape_start[e]:shape_start[e + 1]``. For drawing only.

    Raises
    ------
    InputError
        No edge at all, columns of unequal length, an end that is no node, a coordinate off the globe, a bad length.
    """

    node_id: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    length_m: NDArray[np.float64]
    highway: NDArray[np.int16]
    classes: tuple[str, ...]
    maxspeed_kmh: NDArray[np.float64]
    name: NDArray[np.int32]
    names: tuple[str, ...]
    shape_start: NDArray[np.int64]
    shape_lon: NDArray[np.float64]
    shape_lat: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Refuse what cannot be a road network."""
        n, m = len(self.node_id), len(self.tail)
        if m == 0:
            raise InputError(f"expected at least one road, got {n} nodes and no road")
        per_edge = (self.head, self.length_m, self.highway, self.maxspeed_kmh, self.name, self.shape_start[1:])
        if len(self.lon) != n or len(self.lat) != n or any(len(column) != m for column in per_edge):
            raise InputError("expected columns of equal length")
        if min(self.tail.min(), self.head.min()) < 0 or max(self.tail.max(), self.head.max()) >= n:
            raise InputError(f"expected every road to end at one of the {n} nodes")
        wild = ~((np.abs(self.lon) <= 180.0) & (np.abs(self.lat) <= 90.0))
        if wild.any():
            at = int(np.flatnonzero(wild)[0])
            raise InputError(
                f"node {self.node_id[at]}: expected longitude and latitude in degrees, "
                f"got x={self.lon[at]:g}, y={self.lat[at]:g} (is the graph projected?)"
            )
        bad = ~(np.isfinite(self.length_m) & (self.length_m >= 0.0))
        if bad.any():
            at = int(np.flatnonzero(bad)[0])
            ends = f"{self.node_id[self.tail[at]]} -> {self.node_id[self.head[at]]}"
            raise InputError(f"road {ends}: expected a length in metres >= 0, got {self.length_m[at]:g}")

    @property
    def nodes(self) -> int:
        """How many nodes."""
        return len(self.node_id)

    @property
    def edges(self) -> int:
        """How many directed edges; a two-way street counts twice."""
        return len(self.tail)

    @property
    def km(self) -> float:
        """Length of all directed edges together, kilometres; a two-way street counts twice."""
        return float(self.length_m.sum()) / 1000.0

    @property
    def speed_share(self) -> float:
        """Share of the edges with a credible tagged speed."""
        return float(np.isfinite(credible_kmh(self.maxspeed_kmh)).mean())

    @property
    def bbox(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the nodes, degrees."""
        return float(self.lon.min()), float(self.lat.min()), float(self.lon.max()), float(self.lat.max())

    def components(self) -> NDArray[np.int32]:
        """Label the strongly connected components: int32[n], numbered by their lowest node."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        ones = np.ones(self.edges, dtype=np.int32)
        graph = coo_array((ones, (self.tail, self.head)), shape=(self.nodes, self.nodes))
        _, label = connected_components(graph, directed=True, connection="strong")
        _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
        rank = np.empty(len(first), dtype=np.int32)
        rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
        return rank[inverse]

    def largest_scc(self) -> "RoadTable":
        """Keep the largest set of nodes that all reach one another; among equals, the one with the lowest node.

        Raises
        ------
        InputError
            No two nodes reach one another.
        """
        label = self.components()
        kept = label == np.bincount(label).argmax()
        if not (kept[self.tail] & kept[self.head]).any():
            raise InputError("expected roads that lead back to where they began, got only one-way roads without return")
        return self.subset(kept)

    def subset(self, node_mask: NDArray[np.bool_], edge_mask: NDArray[np.bool_] | None = None) -> "RoadTable":
        """Keep the nodes of `node_mask`, bool[n], and the edges of `edge_mask`, bool[m], whose two ends are kept.

        Raises
        ------
        InputError
            No edge is left.
        """
        keep = node_mask[self.tail] & node_mask[self.head]
        if edge_mask is not None:
            keep &= edge_mask
        index = np.cumsum(node_mask, dtype=np.int32) - np.int32(1)
        points = np.diff(self.shape_start)
        on_kept = np.repeat(keep, points)
        highway, classes = _compact(self.highway[keep], self.classes)
        name, names = _compact(self.name[keep], self.names)
        return RoadTable(
            node_id=self.node_id[node_mask],
            lon=self.lon[node_mask],
            lat=self.lat[node_mask],
            tail=index[self.tail[keep]],
            head=index[self.head[keep]],
            length_m=self.length_m[keep],
            highway=highway.astype(np.int16),
            classes=classes,
            maxspeed_kmh=self.maxspeed_kmh[keep],
            name=name.astype(np.int32),
            names=names,
            shape_start=_starts(points[keep]),
            shape_lon=self.shape_lon[on_kept],
            shape_lat=self.shape_lat[on_kept],
        )


def make_table(
    *,
    node_id: ArrayLike,
    lon: ArrayLike,
    lat: ArrayLike,
    tail_id: ArrayLike,
    head_id: ArrayLike,
    length_m: ArrayLike,
    highway: Sequence[str],
    maxspeed_kmh: ArrayLike,
    name: Sequence[str],
    shape_points: ArrayLike | None = None,
    shape_lon: ArrayLike = (),
    shape_lat: ArrayLike = (),
) -> RoadTable:
    """Build a table from nodes and edges in any order.

    Parameters
    ----------
    node_id, lon, lat
        One entry per node; degrees WGS84.
    tail_id, head_id, length_m, highway, maxspeed_kmh, name
        One entry per directed edge: ids of its ends, metres, highway class (empty: "road"), km/h or nan, name or empty.
    shape_points, shape_lon, shape_lat
        How many points each edge has between its ends, and these points of all edges one after the other, degrees.

    Raises
    ------
    InputError
        A node id that occurs twice, an edge whose end is no node, or what `RoadTable` refuses.
    """
    ids = np.asarray(node_id, dtype=np.int64)
    by_id = np.argsort(ids, kind="stable")
    ids = ids[by_id]
    twice = np.flatnonzero(ids[1:] == ids[:-1])
    if len(twice):
        raise InputError(f"expected node ids to be unique, got node {ids[twice[0]]} twice")
    tail, head = _positions(ids, tail_id), _positions(ids, head_id)
    length = np.asarray(length_m, dtype=np.float64)
    classes, class_code = _encode([word or "road" for word in highway])
    names, name_code = _encode(name)
    if names and names[0] == "":
        names, name_code = names[1:], name_code - 1
    order = np.lexsort((name_code, class_code, length, head, tail))
    m = len(order)
    points = np.zeros(m, np.int64) if shape_points is None else np.asarray(shape_points, dtype=np.int64)
    start = _starts(points)
    moved = points[order]
    gather = np.repeat(start[:-1][order] - _starts(moved)[:-1], moved) + np.arange(int(points.sum()))
    return RoadTable(
        node_id=ids,
        lon=np.asarray(lon, dtype=np.float64)[by_id],
        lat=np.asarray(lat, dtype=np.float64)[by_id],
        tail=tail[order],
        head=head[order],
        length_m=length[order],
        highway=class_code[order].astype(np.int16),
        classes=classes,
        maxspeed_kmh=np.asarray(maxspeed_kmh, dtype=np.float64)[order],
        name=name_code[order].astype(np.int32),
        names=names,
        shape_start=_starts(moved),
        shape_lon=np.asarray(shape_lon, dtype=np.float64)[gather],
        shape_lat=np.asarray(shape_lat, dtype=np.float64)[gather],
    )


def impute_speeds(table: RoadTable) -> NDArray[np.float64]:
    """Give every edge a free-flow speed, as OSMnx's ``add_edge_speeds`` does.

    A tagged speed stands. An untagged edge takes the mean of the tagged edges of its class; a class without any takes
    the mean of the classes' means. Where the map has no tagged speed at all, `DEFAULT_KMH` decides by class. Unlike
    OSMnx, tagged speeds not above 0 or above `ABSURD_KMH` count as untagged.

    Returns
    -------
    NDArray[np.float64]
        float64[m], km/h, all above zero.
    """
    tagged = credible_kmh(table.maxspeed_kmh)
    known = np.isfinite(tagged)
    kinds = len(table.classes)
    if known.any():
        count = np.bincount(table.highway[known], minlength=kinds)
        total = np.bincount(table.highway[known], weights=tagged[known], minlength=kinds)
        mean = total / np.maximum(count, 1)
        by_class = np.where(count > 0, mean, mean[count > 0].mean())
    else:
        by_class = np.array([DEFAULT_KMH.get(word, DEFAULT_KMH["road"]) for word in table.classes])
    return np.where(known, tagged, by_class[table.highway])


def credible_kmh(maxspeed_kmh: NDArray[np.float64]) -> NDArray[np.float64]:
    """Blank out (nan) tagged speeds that no road has: not above 0, or above `ABSURD_KMH`; km/h."""
    with np.errstate(invalid="ignore"):
        return np.where((maxspeed_kmh > 0.0) & (maxspeed_kmh <= ABSURD_KMH), maxspeed_kmh, math.nan)


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)


def _positions(ids: NDArray[np.int64], wanted: ArrayLike) -> NDArray[np.int32]:
    sought = np.asarray(wanted, dtype=np.int64)
    at = np.searchsorted(ids, sought)
    lost = np.flatnonzero(ids[np.minimum(at, len(ids) - 1)] != sought) if len(ids) else np.arange(len(sought))
    if len(lost):
        raise InputError(f"expected every road to end at a node of the map, got unknown node {sought[lost[0]]}")
    return at.astype(np.int32)


def _encode(words: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    known = tuple(sorted(set(words)))
    code = {word: i for i, word in enumerate(known)}
    return known, np.array([code[word] for word in words], dtype=np.int64)


def _compact(code: NDArray[Any], words: tuple[str, ...]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    used = np.unique(code[code >= 0])
    renumbered = np.where(code >= 0, np.searchsorted(used, code), -1)
    return renumbered, tuple(words[i] for i in used)
