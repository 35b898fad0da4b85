"""Dead zones: circles that hold the share of the nodes asked for, and the parts of rides that lie in them."""

from typing import Any

import numpy as np
import pytest

from sim.streams import Streams
from sim.world.build import build_world
from sim.world.coverage import Coverage
from sim.world.geography import Plain

PLAIN = Plain(np.array([0.0, 1000.0, 2000.0, 0.0, 4000.0]), np.array([0.0, 0.0, 0.0, 1000.0, 0.0]), 30.0)


def test_the_circles_hold_the_share_and_are_the_same_in_every_replication(two_stores: Any) -> None:
    scenario = two_stores("platform.tracking.dead_zones={share: 0.25, radius_m: 400}")
    worlds = [build_world(scenario, Streams(scenario.seed, replication)) for replication in (0, 1)]
    first, second = (world.coverage for world in worlds)
    assert first is not None
    assert second is not None
    assert 0.25 <= first.dead.mean() < 0.6
    np.testing.assert_array_equal(first.centres, second.centres)
    # One circle fewer would not do.
    order = np.append(first.centres[:-1], first.centres[-1:])
    assert Coverage(worlds[0].geography, order[:-1], 400.0, 1.0).dead.mean() < 0.25


def test_without_a_share_there_are_none(two_stores: Any) -> None:
    assert build_world(two_stores()).coverage is None
    dead = "platform.tracking.dead_zones={share: 0.25}"
    assert build_world(two_stores(dead, "platform.profile=minimal")).coverage is None


def test_a_ride_through_a_circle_loses_that_part_of_its_way() -> None:
    coverage = Coverage(PLAIN, np.array([1]), 250.0, 1.0)
    assert coverage.gaps(0, 2) == (pytest.approx((0.375, 0.625)),)
    assert coverage.gaps(2, 0) == (pytest.approx((0.375, 0.625)),)
    assert coverage.gaps(0, 1) == (pytest.approx((0.75, 1.0)),)
    assert coverage.gaps(1, 1) == ((0.0, 1.0),)
    assert coverage.gaps(0, 0) == coverage.gaps(0, 3) == coverage.gaps(2, 4) == ()


def test_parts_in_several_circles_are_joined() -> None:
    coverage = Coverage(PLAIN, np.array([1, 2]), 600.0, 1.0)
    assert coverage.gaps(0, 4) == (pytest.approx((0.1, 0.65)),)


def test_parts_are_what_looking_along_the_way_finds(two_stores: Any) -> None:
    world = build_world(two_stores("platform.tracking.dead_zones={share: 0.3, radius_m: 350}"))
    coverage, x, y = world.coverage, world.geography.x_m, world.geography.y_m  # type: ignore[attr-defined]
    assert coverage is not None
    found = 0
    for origin, target in ((a, b) for a in range(0, 40, 3) for b in range(1, 40, 7)):
        parts = coverage.gaps(origin, target)
        for share in np.linspace(0.0005, 0.9995, 400):
            at = [(1 - share) * axis[origin] + share * axis[target] for axis in (x, y)]
            metres = np.hypot(x[coverage.centres] - at[0], y[coverage.centres] - at[1]).min()
            if abs(metres - 350.0) > 1.0:
                assert any(begin <= share <= end for begin, end in parts) == (metres < 350.0)
        found += bool(parts)
    assert found > 20
