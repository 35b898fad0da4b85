"""Where people live: population zones beside a map, and their people spread over the road nodes inside them."""

import gzip
import json
import math
import zlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.vocabulary import InputError
from sim.world.roadtable import EARTH_RADIUS_M, RoadTable

ZONES_SUFFIX: Final = ".zones.geojson.gz"

Ring = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Zones:
    """Areas with people in them.

    Attributes
    ----------
    rings
        Per zone its closed rings, each float64[k, 2] of longitude and latitude, degrees. A point is inside where a ray
        from it crosses the rings an odd number of times, so holes and islands need no mark.
    population
        float64[z], people, not negative.
    """

    rings: tuple[tuple[Ring, ...], ...]
    population: NDArray[np.float64]


def read_zones(path: Path) -> Zones:
    """Read a GeoJSON (gzipped or not) of polygons with a ``population``.

    Raises
    ------
    InputError
        The file is no such GeoJSON.
    """
    try:
        raw = path.read_bytes()
        text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        features = json.loads(text)["features"]
        zones = [_zone(feature, f"{path}: zone {at}") for at, feature in enumerate(features)]
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        reason = type(error).__name__
        raise InputError(f"{path}: expected a GeoJSON of polygons with a population, got none ({reason})") from None
    if not zones:
        raise InputError(f"{path}: expected at least one zone, got none")
    return Zones(tuple(rings for rings, _ in zones), np.array([people for _, people in zones]))


def node_weights(table: RoadTable, zones: Zones) -> NDArray[np.float64]:
    """Spread each zone's people evenly over the road nodes inside it.

    The people of a zone without a node go to the node nearest to its centroid, so nobody is lost.

    Returns
    -------
    NDArray[np.float64]
        float64[n], people per node; the sum is the zones' population.
    """
    weight = np.zeros(table.nodes)
    for rings, people in zip(zones.rings, zones.population, strict=True):
        inside = np.flatnonzero(contains(rings, table.lon, table.lat))
        if len(inside):
            weight[inside] += people / len(inside)
        else:
            weight[_nearest(table, *centroid(rings))] += people
    return weight


def contains(rings: tuple[Ring, ...], lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points lie inside the rings by the even-odd rule: bool[n]."""
    points = np.concatenate(rings)
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    near = np.flatnonzero((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
    x, y = lon[near], lat[near]
    odd = np.zeros(len(near), dtype=np.bool_)
    for ring in rings:
        for (x0, y0), (x1, y1) in pairwise(ring.tolist()):
            if y0 != y1:
                crosses = (y0 > y) != (y1 > y)
                odd ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    result = np.zeros(len(lon), dtype=np.bool_)
    result[near] = odd
    return result


def centroid(rings: tuple[Ring, ...]) -> tuple[float, float]:
    """Longitude and latitude of the centre of area; of the points' mean where the rings enclose none."""
    area, east, north = _moments(rings)
    if area <= 0.0:
        mean = np.concatenate(rings).mean(axis=0)
        return float(mean[0]), float(mean[1])
    return float(rings[0][0, 0]) + east / area, float(rings[0][0, 1]) + north / area


def area_km2(rings: tuple[Ring, ...]) -> float:
    """Area inside the rings, km², on the sphere taken as flat around them."""
    km_per_degree = math.radians(EARTH_RADIUS_M / 1000.0)
    return _moments(rings)[0] * km_per_degree**2 * math.cos(math.radians(centroid(rings)[1]))


def _moments(rings: tuple[Ring, ...]) -> tuple[float, float, float]:
    """Area and its first moments about the first point, in degrees (shoelace formula)."""
    area = east = north = 0.0
    for at, ring in enumerate(rings):
        x, y = (ring - rings[0][0]).T
        cross = x[:-1] * y[1:] - x[1:] * y[:-1]
        # A ring within an odd number of other rings is a hole, whichever way round it was drawn.
        others = (other for i, other in enumerate(rings) if i != at)
        depth = sum(bool(contains((other,), ring[:1, 0], ring[:1, 1])[0]) for other in others)
        sign = (-1.0 if depth % 2 else 1.0) * math.copysign(1.0, float(cross.sum()))
        area += sign * float(cross.sum()) / 2.0
        east += sign * float(((x[:-1] + x[1:]) * cross).sum()) / 6.0
        north += sign * float(((y[:-1] + y[1:]) * cross).sum()) / 6.0
    return area, east, north


def _nearest(table: RoadTable, lon: float, lat: float) -> int:
    """Index of the node nearest to a point; degrees of longitude shrink with the latitude."""
    east = (table.lon - lon) * math.cos(math.radians(lat))
    return int(np.argmin(east**2 + (table.lat - lat) ** 2))


def _zone(feature: dict[str, Any], place: str) -> tuple[tuple[Ring, ...], float]:
    people = float(feature["properties"]["population"])
    if not (math.isfinite(people) and people >= 0.0):
        raise InputError(f"{place}: expected a population >= 0, got {people:g}")
    shape = feature["geometry"]
    if shape["type"] not in ("Polygon", "MultiPolygon"):
        raise InputError(f"{place}: expected a Polygon or MultiPolygon, got {shape['type']}")
    polygons = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
    rings = tuple(np.array(ring, dtype=np.float64)[:, :2] for polygon in polygons for ring in polygon)
    if not rings or any(len(ring) < 4 or (ring[0] != ring[-1]).any() for ring in rings):
        raise InputError(f"{place}: expected closed rings of at least four points")
    return rings, people
