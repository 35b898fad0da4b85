"""Where a new store could be: cells of the map with a road, or places that somebody has looked at."""

import csv
import math
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario
from sim.vocabulary import InputError
from sim.world.build import World
from sim.world.geography import Plain, metres_between
from sim.world.places import SNAP_LIMIT_M, nearest_node
from sim.world.traffic import level_at

MOST = 200
"""Cells that are looked at, those with the most people within reach (judgement: neighbours of a kilometre are alike)."""

FIT_OUT_CENTS = 25_000_000
"""Fit-out of a dark store, cents (judgement: shelves, cold rooms, benches and doors of 250 square metres)."""

RENT_SHARE = 0.5
"""Share of `costs.store_day_cents` that is rent, which a candidate's own takes the place of (judgement)."""

DAYS_A_MONTH = 365.0 / 12.0

_COLUMNS = ("name", "lat", "lon", "rent_cents", "fit_out_cents", "competition")


class Candidate(NamedTuple):
    """A place for a store.

    Attributes
    ----------
    name, node, lat, lon
        What it is called, the road node it would stand at, and where that is.
    rent_cents
        Rent of a month.
    fit_out_cents
        What it costs to open.
    competition
        Share of the customers around it who are somebody else's already, 0 to 1: of the customers that nobody serves today, so
        many would not come.
    """

    name: str
    node: int
    lat: float
    lon: float
    rent_cents: float
    fit_out_cents: float
    competition: float


def usual_rent_cents(scenario: Scenario) -> float:
    """Rent of a month where nobody says otherwise: its part of what a store costs."""
    return scenario.costs.store_day_cents * DAYS_A_MONTH * RENT_SHARE


def from_cells(world: World, taken: Sequence[int]) -> list[Candidate]:
    """A candidate in every H3 cell that has a road: its node nearest to the cell's middle.

    At most so many as `MOST`, those with the most people within a kilometre or so; cells with a store in them are left out.
    """
    import h3

    geography = world.geography
    people = np.bincount(world.cell, weights=world.node_weights, minlength=len(world.cells))
    at = {name: place for place, name in enumerate(world.cells)}
    around = [sum(people[at[near]] for near in h3.grid_disk(name, 1) if near in at) for name in world.cells]
    has_store = {int(world.cell[node]) for node in taken}
    rent = usual_rent_cents(world.scenario)
    found: list[Candidate] = []
    for place in np.argsort(-np.array(around), kind="stable"):
        if place in has_store or around[place] <= 0.0 or len(found) >= MOST:
            continue
        nodes = np.flatnonzero(world.cell == place)
        lat, lon = h3.cell_to_latlng(world.cells[place])
        metres = metres_between(geography.lon[nodes], geography.lat[nodes], lon, lat)
        node = int(nodes[int(np.argmin(metres))])
        lat, lon = float(geography.lat[node]), float(geography.lon[node])
        found.append(Candidate(f"near {lat:.3f}, {lon:.3f}", node, lat, lon, rent, FIT_OUT_CENTS, 0.0))
    if not found:
        raise InputError("plan sites: expected people somewhere without a store; there are none on this map.")
    return found


def from_file(path: Path, world: World) -> list[Candidate]:
    """Read a CSV with the columns name, lat, lon, and where known rent_cents (a month), fit_out_cents, competition (0 to 1).

    Raises
    ------
    InputError
        It is no such file, or a place is off the map; names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            header = list(reader.fieldnames or [])
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path}: expected a CSV of candidates, got: {getattr(error, 'strerror', None) or error}."
        ) from error
    lacking = [column for column in _COLUMNS[:3] if column not in header]
    unknown = [column for column in header if column not in _COLUMNS]
    if lacking or unknown or len(set(header)) < len(header):
        raise InputError(
            f"{path}:1: expected the columns name, lat, lon and of {', '.join(_COLUMNS[3:])} those that are known; "
            f"got {', '.join(map(str, header)) or 'none'}."
        )
    usual = {"rent_cents": usual_rent_cents(world.scenario), "fit_out_cents": float(FIT_OUT_CENTS), "competition": 0.0}
    found: list[Candidate] = []
    for line, row in rows:
        where = f"{path}:{line}"
        if None in row:
            raise InputError(f"{where}: expected {len(header)} values, got more.")
        lat, lon = _number(row, "lat", where, -90.0, 90.0), _number(row, "lon", where, -180.0, 180.0)
        node, metres = nearest_node(world.geography, lat, lon)
        if metres > SNAP_LIMIT_M:
            raise InputError(
                f"{where}: expected a place within {SNAP_LIMIT_M:.0f} m of a road of the map {world.geography.name}, "
                f"got {lat:g}, {lon:g}, which is {metres / 1000:.1f} km away."
            )
        rest = [
            _number(row, column, where, 0.0, 1.0 if column == "competition" else 1e12)
            if row.get(column)
            else usual[column]
            for column in _COLUMNS[3:]
        ]
        name = (row["name"] or "").strip()
        if not name or len(name) > 40 or not name.isprintable() or name in {other.name for other in found}:
            raise InputError(f"{where}: expected a name of its own of up to 40 letters, got {name[:60]!r}.")
        found.append(Candidate(name, node, float(world.geography.lat[node]), float(world.geography.lon[node]), *rest))
    if not found:
        raise InputError(f"{path}: expected at least one candidate, got none.")
    return found


def _number(row: dict[str, str], column: str, where: str, low: float, high: float) -> float:
    text = row.get(column)
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise InputError(f"{where}: expected {column} from {low:g} to {high:g}, got {text!r}.")
    return value


def in_zone(world: World, nodes: Sequence[int]) -> NDArray[np.float64]:
    """Share of each cell's customers whom a store at a place would serve, by the scenario's zone, float64 (cells, places)."""
    zone, geography = world.scenario.stores.zone, world.geography
    if zone.radius_m is not None:
        lon, lat = geography.lon, geography.lat
        inside = [metres_between(lon, lat, lon[node], lat[node]) <= zone.radius_m for node in nodes]
    else:
        assert zone.drive_s is not None
        ground = [vehicle for vehicle in world.travel.profiles if not vehicle.flies] or world.travel.profiles
        trees = [geography.trees_ms(list(nodes), vehicle, 0, towards=False) for vehicle in ground]
        inside = list(np.min(trees, axis=0) <= zone.drive_s * 1000.0)
    weights = _weights(world)
    total = np.bincount(world.cell, weights=weights, minlength=len(world.cells))
    found = [np.bincount(world.cell, weights=weights * served, minlength=len(world.cells)) / total for served in inside]
    return np.array(found).T


def _weights(world: World) -> NDArray[np.float64]:
    """Customers by node; in cells where nobody lives all nodes alike."""
    living = np.bincount(world.cell, weights=world.node_weights, minlength=len(world.cells))
    return np.where(living[world.cell] > 0.0, world.node_weights, 1.0)


def ride_s(world: World, nodes: Sequence[int]) -> NDArray[np.float64]:
    """Mean ride from each place to each cell at the busiest hour, by the fleet's most common vehicle, float64 (cells, places).

    Over the cell's customers, as they live there; where nobody does, over its road nodes.
    """
    scenario = world.scenario
    shares: dict[str, float] = {str(name): share for name, share in scenario.drivers.vehicles.items()}
    # The share of a vehicle decides among those on the ground; what flies is no measure of roads.
    common = max(
        (vehicle for vehicle in world.travel.profiles if not vehicle.flies), default=world.travel.profiles[0],
        key=lambda vehicle: shares.get(vehicle.name, 0.0),
    )  # fmt: skip
    peak = scenario.start_at + timedelta(seconds=scenario.midnight_s, hours=int(np.argmax(scenario.demand.profile)))
    level = level_at(peak) if scenario.travel.traffic and not isinstance(world.geography, Plain) else 0
    trees = world.geography.trees_ms(list(nodes), common, level, towards=False)
    weights = _weights(world)
    total = np.bincount(world.cell, weights=weights, minlength=len(world.cells))
    found = np.empty((len(world.cells), len(nodes)))
    for place, tree in enumerate(np.asarray(trees, dtype=np.float64)):
        # Places that no road reaches are as far as can be, not infinitely so.
        seconds = np.minimum(tree / 1000.0, 86_400.0)
        found[:, place] = np.bincount(world.cell, weights=weights * seconds, minlength=len(world.cells)) / np.maximum(
            total, 1e-300
        )
    return found
