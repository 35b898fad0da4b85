"""Where customers live and where stores stand: weights on road nodes, H3 cells, sites."""

from csv import DictReader
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario
from sim.shipped import user_cache_dir
from sim.streams import Streams
from sim.vocabulary import InputError
from sim.world.geography import Geography, Plain, metres_between
from sim.world.roads import load_cache, save_cache

SNAP_LIMIT_M = 2000.0
"""A place farther than this from every road node is off the map."""


def cells_of(geography: Geography, resolution: int) -> tuple[list[str], NDArray[np.int32]]:
    """Return the H3 cells that hold nodes (ids ascending) and each node's place in that list."""
    import h3

    cache = user_cache_dir() / "cells" / f"{geography.key}-{resolution}.npz"
    known = None if isinstance(geography, Plain) else load_cache(cache)
    if known is not None and len(known["cell"]) == len(geography.lat):
        return known["names"].tolist(), known["cell"]
    of_node = [h3.latlng_to_cell(lat, lon, resolution) for lat, lon in zip(geography.lat, geography.lon, strict=True)]
    names, cell = np.unique(np.array(of_node), return_inverse=True)
    if not isinstance(geography, Plain):
        save_cache(cache, {"names": names, "cell": cell.astype(np.int32)})
    return names.tolist(), cell.astype(np.int32)


def nearest_node(geography: Geography, lat: float, lon: float) -> tuple[int, float]:
    """Return the road node nearest to a place and its distance, metres; ties to the lowest node."""
    metres = metres_between(geography.lon, geography.lat, lon, lat)
    node = int(np.argmin(metres))
    return node, float(metres[node])


def middles_of(geography: Geography, cell: NDArray[np.int32]) -> list[int]:
    """Return for each cell the node nearest to the mean of its nodes, the lowest number where several are; see `cells_of`."""
    count = np.bincount(cell)
    mean_lon, mean_lat = (np.bincount(cell, weights=column) / count for column in (geography.lon, geography.lat))
    off_m = metres_between(geography.lon, geography.lat, mean_lon[cell], mean_lat[cell])
    order = np.lexsort((off_m, cell))
    return [int(node) for node in order[np.searchsorted(cell[order], np.arange(len(count)))]]


def customer_weights(
    scenario: Scenario,
    geography: Geography,
    zone_weights: NDArray[np.float64] | None,
    cells: list[str],
    cell: NDArray[np.int32],
) -> NDArray[np.float64]:
    """Return how likely a customer is at each node, float64 (nodes,), summing to 1.

    From a file of H3 cells where the scenario names one, else from the map's population zones, else every node alike.

    Raises
    ------
    InputError
        A cell file that is missing, malformed, or lies off the map.
    """
    demand = scenario.demand
    if demand.cells is not None:
        weights = _from_cells(scenario.base_of("demand.cells") / demand.cells, cells, cell, demand.cell_resolution)
    elif demand.place == "population" and zone_weights is not None:
        weights = zone_weights
    else:
        weights = np.ones(len(geography.lat))
    return np.asarray(weights / weights.sum())


def _from_cells(path: Path, cells: list[str], cell: NDArray[np.int32], resolution: int) -> NDArray[np.float64]:
    import h3

    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(DictReader(file))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected a CSV file of cells (columns h3, weight), got binary data.") from error
    except OSError as error:
        raise InputError(
            f"{path}: expected a CSV file of cells (columns h3, weight), got: {error.strerror}."
        ) from error
    if not rows or not {"h3", "weight"} <= set(rows[0]):
        raise InputError(
            f"{path}:1: expected the columns h3, weight, got: {', '.join(rows[0]) if rows else 'no rows'}."
        )
    ours: dict[int, dict[str, list[int]]] = {}
    nodes_in = np.bincount(cell, minlength=len(cells))
    per_cell = np.zeros(len(cells))
    for line, row in enumerate(rows, start=2):
        name = row["h3"].strip()
        try:
            weight = float(row["weight"])
        except (TypeError, ValueError):
            weight = -1.0
        if not h3.is_valid_cell(name) or not 0 <= weight < float("inf"):
            raise InputError(
                f"{path}:{line}: expected an H3 cell and a weight >= 0, got {row['h3']!r}, {row['weight']!r}."
            )
        size = h3.get_resolution(name)
        if size > resolution:
            name = h3.cell_to_parent(name, resolution)
            size = resolution
        # The map's own cells by their ancestors: a coarse cell may hold millions of fine ones, of which few are ours.
        if size not in ours:
            ours[size] = {}
            for index, each in enumerate(cells):
                ours[size].setdefault(h3.cell_to_parent(each, size), []).append(index)
        known = ours[size].get(name, [])
        for index in known:
            per_cell[index] += weight / len(known)
    if not any(float(row["weight"]) > 0 for row in rows):
        raise InputError(f"{path}: expected weights of which at least one is above zero, got none.")
    if not per_cell.sum() > 0:
        raise InputError(f"{path}: expected cells on the map, got {len(rows)} cells that hold no road node.")
    return np.asarray((per_cell / np.maximum(nodes_in, 1))[cell])


def sites(scenario: Scenario, geography: Geography, weights: NDArray[np.float64]) -> tuple[list[str], list[int]]:
    """Return the stores' names and road nodes: as given, or spread over the customers by weighted k-means.

    The spread depends on the map and the customers alone, not on the seed.

    Raises
    ------
    InputError
        A given store is off the map, or more stores are wanted than there are places.
    """
    place = scenario.stores.place
    if not isinstance(place, str):
        names, nodes = [], []
        for index, site in enumerate(place):
            node, metres = nearest_node(geography, site.lat, site.lon)
            if metres > SNAP_LIMIT_M:
                where = scenario.origin_of(f"stores.place.{index}")
                raise InputError(
                    f"{where}: stores.place.{index}: expected a place within {SNAP_LIMIT_M:.0f} m of a road of the map"
                    f" {geography.name}, got {site.lat:g}, {site.lon:g}, which is {metres / 1000:.1f} km away."
                )
            names.append(site.name or f"store {index + 1}")
            nodes.append(node)
        return names, nodes
    count = scenario.stores.count
    places = int(np.count_nonzero(weights))
    if isinstance(geography, Plain) and len(set(zip(geography.lon, geography.lat, strict=True))) == 1:
        return [f"store {index + 1}" for index in range(count)], [0] * count
    if count > places:
        where = scenario.origin_of("stores.count")
        raise InputError(
            f"{where}: stores.count: expected at most {places}, the places where customers live, got {count}."
        )
    return [f"store {index + 1}" for index in range(count)], _spread(geography, weights, count)


def _spread(geography: Geography, weights: NDArray[np.float64], count: int) -> list[int]:
    columns = (np.ascontiguousarray(each, dtype=np.float64) for each in (geography.lon, geography.lat, weights))
    return list(_medians(*(column.tobytes() for column in columns), count))


@lru_cache(maxsize=8)
def _medians(lon: bytes, lat: bytes, weight: bytes, count: int) -> tuple[int, ...]:
    """Weighted k-median (Weiszfeld's step in Lloyd's loop) from a k-means++ start, snapped to distinct nodes.

    Medians, not means: a mean is drawn towards the few people far out. Arthur, Vassilvitskii (2007) for the start. Remembered,
    since experiments build the same map with the same customers for every run.

    Parameters
    ----------
    lon, lat, weight
        Of each node, float64 as bytes.
    """
    east, north, weights = (np.frombuffer(column) for column in (lon, lat, weight))
    generator = Streams(0).generator("stores.place")
    scale = np.cos(np.radians(float(np.average(north, weights=weights))))
    points = np.column_stack([east * scale, north])
    centres = points[[int(generator.choice(len(points), p=weights))]]
    while len(centres) < count:
        gap = _squares(points, centres).min(axis=1) * weights
        centres = np.vstack([centres, points[int(generator.choice(len(points), p=gap / gap.sum()))]])
    for _ in range(50):
        squares = _squares(points, centres)
        nearest = squares.argmin(axis=1)
        pull = weights / np.sqrt(np.maximum(squares.min(axis=1), 1e-8))
        mass = np.bincount(nearest, weights=pull, minlength=count)
        moved = np.column_stack(
            [np.bincount(nearest, weights=pull * points[:, axis], minlength=count) for axis in (0, 1)]
        )
        new = np.where(mass[:, None] > 0, moved / np.maximum(mass, 1e-300)[:, None], centres)
        if np.abs(new - centres).max() < 1e-7:
            break
        centres = new
    free = np.ones(len(points), dtype=bool)
    nodes: list[int] = []
    for centre in centres[np.lexsort((centres[:, 0], -centres[:, 1]))]:  # from north to south
        gap = np.where(free, _squares(points, centre[None])[:, 0], np.inf)
        nodes.append(int(gap.argmin()))
        free[nodes[-1]] = False
    return tuple(nodes)


def _squares(points: NDArray[Any], centres: NDArray[Any]) -> NDArray[Any]:
    """Squared distances, (points, centres)."""
    x, y = (np.subtract.outer(points[:, axis], centres[:, axis]) for axis in (0, 1))
    return np.asarray(x * x + y * y)
