"""Rides as they were: each from where its driver set out to where the next thing happened to him."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.reading.run import FinishedRun
from sim.recording import Archive
from sim.vocabulary import InputError, Trip


class Leg(NamedTuple):
    """One ride; `order` is `NOBODY` where it was for none. Times are seconds since the start.

    `aim`, `due_s`: where it was to lead, and when it would have been there; a ride that nothing broke off ends so.
    """

    driver: int
    order: int
    trip: Trip
    origin: int
    node: int
    start_s: float
    end_s: float
    aim: int
    due_s: float


def legs_of(archive: Archive) -> list[Leg]:
    """Every ride, driver after driver, in the order of the day.

    A ride that was broken off ends at that moment: where the vehicle stands, or, where the driver was sent elsewhere, at the
    place where he turns, which he may reach a little later.
    """
    cuts: list[
        tuple[int, int, float, int, Leg | None]
    ] = []  # driver, place in the day, when, where, the ride that begins
    names = ("t_s", "driver", "order", "trip", "origin", "node", "arrive_s")
    rows = archive.rows("leg_started", names)
    for seq, (t_s, driver, order, trip, origin, node, arrive_s) in zip(
        archive.seq("leg_started").tolist(), rows.tolist(), strict=True
    ):
        cuts.append(
            (driver, seq, t_s, origin, Leg(driver, order, Trip(trip), origin, node, t_s, arrive_s, node, arrive_s))
        )
    for kind, where in (("vehicle_stopped", "node"), ("driver_off", None)):
        rows = archive.rows(kind)
        nodes = rows[where].tolist() if where else [-1] * len(rows)
        cuts += [
            (driver, seq, t_s, node, None)
            for driver, seq, t_s, node in zip(
                rows["driver"].tolist(), archive.seq(kind).tolist(), rows["t_s"].tolist(), nodes, strict=True
            )
        ]
    cuts.sort(key=lambda cut: cut[:2])
    legs = []
    for i, (driver, _, _, _, leg) in enumerate(cuts):
        if leg is None:
            continue
        if i + 1 < len(cuts) and cuts[i + 1][0] == driver and cuts[i + 1][2] < leg.end_s:
            _, _, end_s, node, _ = cuts[i + 1]
            leg = leg._replace(end_s=end_s, node=node if node >= 0 else leg.node)
        legs.append(leg)
    return legs


def places_of(run: FinishedRun) -> dict[int, tuple[float, float]]:
    """Longitude and latitude of nodes, degrees: of all where the run's map can be had, else of stores and customers."""
    known: dict[int, tuple[float, float]] = {}
    map_name = run.manifest["scenario"].get("map")
    if isinstance(map_name, str):
        from sim.world.maps import find_map
        from sim.world.roads import load_roads

        try:
            roads = load_roads(find_map(map_name))
        except (InputError, OSError, ValueError):
            roads = None
        if roads is not None and roads.key == run.manifest["world"].get("map_key"):
            return dict(enumerate(zip(_rounded(roads.lon), _rounded(roads.lat), strict=True)))
    orders = run.columns("orders", "node", "lon", "lat")
    for node, lon, lat in zip(*orders.values(), strict=True):
        if lon is not None and lat is not None:
            known[node] = (round(lon, 6), round(lat, 6))
    for store in run.stores:
        known[store.node] = (store.lon, store.lat)
    return known


def _rounded(degrees: NDArray[np.float64]) -> list[float]:
    found: list[float] = np.round(degrees, 6).tolist()
    return found
