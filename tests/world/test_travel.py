"""Travel tables of a run, their cache, zones, and what the platform's estimator makes of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.scenario import load_text
from sim.world.build import build_world
from sim.world.geography import metres_between
from sim.world.traffic import level_at
from sim.world.travel import LaggingEstimator

ROADS = """
map: gothenburg
start: 2026-11-20T07:30+01:00
horizon_h: 3
drain_h: 1
stores: {count: 3, zone: {drive_s: 420}}
drivers: {vehicles: {car: 0.5, ebike: 0.5}}
catalogue: {skus: 20}
demand: {orders_per_day: 200}
"""


@pytest.fixture(scope="module")
def world() -> Any:
    return build_world(load_text(ROADS))


def test_tables_are_the_roads_own_times(world: Any) -> None:
    travel, roads = world.travel, world.geography
    chance = np.random.default_rng(1)
    for _ in range(40):
        store, node = int(chance.integers(3)), int(chance.integers(roads.nodes))
        profile, period = int(chance.integers(2)), int(chance.choice(travel.periods))
        vehicle, root = travel.profiles[profile], world.store_nodes[store]
        assert travel.to_store[period][profile][store][node] == roads.ride_ms(node, root, vehicle, period)
        assert travel.from_store[period][profile][store][node] == roads.ride_ms(root, node, vehicle, period)
    for period in set(travel.periods):
        assert (travel.to_store_array[period] < 2**31 - 1).all(), (
            "every place can be reached in a strongly connected map"
        )


def test_periods_follow_the_local_clock(world: Any) -> None:
    travel = world.travel
    start = world.scenario.start_at
    assert travel.period_at(0.0) == level_at(start)
    for t_s in (0.0, 1799.9, 1800.0, 5400.0, 9000.0, world.scenario.end_s):
        hour = int((7.5 * 3600 + t_s) // 3600)
        assert travel.period_at(t_s) == level_at(start.replace(hour=hour, minute=0))
    quiet = build_world(load_text(ROADS, ("travel.traffic=false",))).travel
    assert set(quiet.periods) == {0}


def test_jams_slow_cars_and_spare_bicycles(world: Any) -> None:
    travel = world.travel
    rush, calm = travel.period_at(3600.0), 0
    assert rush > calm
    car, ebike = 0, 1
    assert (travel.to_store_array[rush][car] >= travel.to_store_array[calm][car]).all()
    assert (travel.to_store_array[rush][car] > travel.to_store_array[calm][car]).mean() > 0.99
    np.testing.assert_array_equal(travel.to_store_array[rush][ebike], travel.to_store_array[calm][ebike])


@pytest.mark.parametrize("zone", ["{radius_m: 1500}", "{drive_s: 420}"])
def test_zones(zone: str) -> None:
    world = build_world(load_text(ROADS, (f"stores.zone={zone}",)))
    roads: Any = world.geography
    travel = world.travel
    if "radius" in zone:
        measure = np.array(
            [metres_between(roads.lon, roads.lat, roads.lon[n], roads.lat[n]) for n in world.store_nodes]
        )
        limit = 1500
    else:
        measure, limit = travel.from_store_array[0].min(axis=0) / 1000, 420
    for node in range(0, roads.nodes, 37):
        inside = [store for store in range(3) if measure[store, node] <= limit]
        assert list(world.serving[node]) == sorted(inside, key=lambda store: (measure[store, node], store))
    served = np.array([bool(stores) for stores in world.serving])
    assert 0 < served.mean() < 1


def test_a_warm_start_gives_equal_tables_and_a_broken_cache_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DARKSTORE_HOME", str(tmp_path))
    cold = build_world(load_text(ROADS))
    files = sorted(tmp_path.rglob("*.npz"))
    assert {file.parent.name for file in files} >= {"maps", "trees", "cells"}
    warm = build_world(load_text(ROADS))
    for file in files:
        file.write_bytes(file.read_bytes()[:-40])
    mended = build_world(load_text(ROADS))
    for other in (warm, mended):
        assert other.store_nodes == cold.store_nodes
        assert other.cells == cold.cells
        np.testing.assert_array_equal(other.cell, cold.cell)
        np.testing.assert_array_equal(other.geography.lon, cold.geography.lon)
        assert set(other.travel.to_store_array) == set(cold.travel.to_store_array)
        for period, table in cold.travel.to_store_array.items():
            np.testing.assert_array_equal(other.travel.to_store_array[period], table)
            np.testing.assert_array_equal(other.travel.from_store_array[period], cold.travel.from_store_array[period])


def test_the_estimator_lags_and_knows_no_noise(world: Any) -> None:
    travel = world.travel
    estimator: Any = LaggingEstimator(travel, 1800.0, 1.25, 1)
    node, store = 100, 2
    for now_s in (
        0.0,
        1799.0,
        1800.0,
        3600.0,
        7199.0,
        7200.0,
        60.0,
    ):  # the level it keeps follows the hour, back too
        period = travel.period_at(max(now_s - 1800.0, travel.midnight_s))
        for profile in (0, 1):
            true_ms = travel.to_store[period][profile][store][node]
            assert estimator.to_store_s(node, profile, store, now_s) == pytest.approx(true_ms * 1.25 / 1000)
        assert estimator.to_customer_s(store, node, now_s) == pytest.approx(
            travel.from_store[period][1][store][node] * 1.25 / 1000
        )
        nodes, profiles = np.array([5, 100, 777]), np.array([1, 0, 1])
        places = np.array([estimator.place(int(n), int(p)) for n, p in zip(nodes, profiles, strict=True)])
        np.testing.assert_allclose(
            estimator.places_to_store_s(places, store, now_s),
            [estimator.to_store_s(int(n), int(p), store, now_s) for n, p in zip(nodes, profiles, strict=True)],
        )
        assert [estimator.place_to_store_s(int(place), store, now_s) for place in places] == [
            estimator.to_store_s(int(n), int(p), store, now_s) for n, p in zip(nodes, profiles, strict=True)
        ]


@pytest.mark.parametrize("towards", [True, False])
def test_along_a_ride(world: Any, towards: bool) -> None:
    travel, roads = world.travel, world.geography
    store, profile, period = 1, 0, travel.period_at(3600.0)
    root = world.store_nodes[store]
    for node in range(3, roads.nodes, 611):
        origin, target = (node, root) if towards else (root, node)
        path, times = roads.path(origin, target, travel.profiles[profile], period)
        for share in (0.0, 0.3, 0.77, 1.0):
            elapsed = share * times[-1]
            found, reached = travel.along(store, towards, origin, target, profile, period, elapsed)
            assert reached == roads.ride_ms(origin, found, travel.profiles[profile], period)
            assert reached >= elapsed
            assert reached + roads.ride_ms(found, target, travel.profiles[profile], period) == times[-1]
    assert path
