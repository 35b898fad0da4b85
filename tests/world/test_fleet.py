"""People are dealt out fairly, and whoever is added changes nobody else."""

from collections import Counter
from itertools import product
from typing import Any

import numpy as np
import pytest

from sim.world.build import build_world
from sim.world.drivers import make_drivers
from sim.world.fleet import make_pickers

SHIFTS = (
    "[{at: '12:00', hours: 2, share: 0.2}, {at: '13:00', hours: 3, share: 0.3}, {at: '12:30', hours: 1, share: 0.5}]"
)
SHARES = np.array([0.5, 0.3, 0.2])


@pytest.mark.parametrize("count", [20, 97, 400])
def test_drivers_get_every_kind_of_place_in_proportion(one_store: Any, count: int) -> None:
    scenario = one_store(f"drivers={{count: {count}, vehicles: {{car: 0.6, ebike: 0.3, foot: 0.1}}, shifts: {SHIFTS}}}")
    drivers = make_drivers(scenario, SHARES)
    assert len(drivers) == count
    slack = 2.5 + 0.02 * count
    homes, profiles = Counter(d.home for d in drivers), Counter(d.profile for d in drivers)
    shifts = Counter(d.shifts for d in drivers)
    for store, share in enumerate(SHARES):
        assert abs(homes[store] - share * count) <= slack
    for profile, share in enumerate((0.6, 0.3, 0.1)):
        assert abs(profiles[profile] - share * count) <= slack
    # Shifts begin at 12:00, 12:30, 13:00 of a run that starts at 12:00.
    by_start = {start: count for ((start, _),), count in shifts.items()}
    assert abs(by_start[0.0] - 0.2 * count) <= slack
    assert abs(by_start[1800.0] - 0.5 * count) <= slack
    # No corner of the cube is left out: home, vehicle and shift are dealt independently.
    if count >= 400:
        together = Counter((d.home, d.profile) for d in drivers)
        for store, profile in product(range(3), range(3)):
            expected = SHARES[store] * (0.6, 0.3, 0.1)[profile] * count
            assert abs(together[store, profile] - expected) <= 0.3 * expected + 3


def test_any_first_few_are_a_fair_sample_and_stay_as_they_are(one_store: Any) -> None:
    few = make_drivers(one_store("drivers.count=30"), SHARES)
    many = make_drivers(one_store("drivers.count=300"), SHARES)
    assert many[:30] == few


@pytest.mark.parametrize("shares", [np.array([1.0, 0.0, 0.0]), np.array([1 / 3] * 3), np.array([0.98, 0.01, 0.01])])
def test_every_store_has_pickers_for_every_shift(one_store: Any, shares: Any) -> None:
    scenario = one_store(f"pickers={{per_store: 8, shifts: {SHIFTS}}}")
    pickers = make_pickers(scenario, shares)
    for store, share in enumerate(shares):
        mine = [p for p in pickers if p.store == store]
        assert abs(len(mine) - max(round(share * 24), 3)) <= 1
        assert len({p.shifts for p in mine}) == 3, f"store {store} with {len(mine)} pickers leaves a shift empty"
    even = make_pickers(one_store(f"pickers={{per_store: 8, spread: even, shifts: {SHIFTS}}}"), shares)
    assert Counter(p.store for p in even) == {0: 8, 1: 8, 2: 8}


def test_a_vehicle_without_a_share_is_not_in_the_fleet(one_store: Any) -> None:
    world = build_world(one_store("drivers.vehicles={car: 0, ebike: 1}"))
    assert [vehicle.name for vehicle in world.travel.profiles] == ["ebike"]
    assert {driver.profile for driver in world.drivers} == {0}


def test_shifts_are_cut_to_the_run_and_recur_daily(one_store: Any) -> None:
    late = "[{at: '22:00', hours: 8}]"
    scenario = one_store(
        f"pickers={{per_store: 1, shifts: {late}}}", "start=2026-11-20T02:00+00:00", "horizon_h=48", "drain_h=1"
    )
    (picker,) = make_pickers(scenario, np.array([1.0]))
    # Begun the evening before, at 22:00 today, and tomorrow until the run closes at 03:00.
    assert picker.shifts == ((0.0, 4 * 3600.0), (20 * 3600.0, 28 * 3600.0), (44 * 3600.0, 49 * 3600.0))
    assert sum(off - on for on, off in picker.shifts) == pytest.approx((4 + 8 + 5) * 3600)


def test_shifts_without_overlap_within_a_person(one_store: Any) -> None:
    scenario = one_store(
        "horizon_h=100", "drivers.shifts=[{at: '20:00', hours: 16, share: 0.5}, {at: '00:00', hours: 16, share: 0.5}]"
    )
    for driver in make_drivers(scenario, SHARES):
        for (_, off), (on, _) in zip(driver.shifts[:-1], driver.shifts[1:], strict=True):
            assert off <= on
