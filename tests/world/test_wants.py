"""What customers ask for in a goods-only run, drawn from a normal distribution instead of one by one."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from sim.scenario import load_text
from sim.streams import Streams
from sim.vocabulary import InputError
from sim.world.build import build_world
from sim.world.wants import Wants

ERROR = 1e-5
DAYS, SKUS, MEAN, CV = 60, 40, 500.0, 0.2
WEEKS = f"""
name: weeks
mode: goods_only
start: 2026-11-20T00:00+00:00
horizon_h: {24 * DAYS}
map: {{width_m: 500, height_m: 500, points: 5}}
stores: {{count: 1, open: "06:00-24:00", zone: {{radius_m: 5000}}}}
pickers: {{mispick_share: 0.01, breakage_share: 0.02}}
catalogue: {{skus: {SKUS}, zipf: 0}}
demand: {{orders_per_day: {MEAN * SKUS / 4}, basket: {{lines_mean: 2, units_mean: 2}}, weekday: [1,1,1,1,1,1,1],
          profile: [0,0,0,0,0,0,1,2,3,4,5,6,7,8,7,6,5,4,3,2,1,1,1,1], distribution: normal, daily_cv: {CV}}}
slo: []
"""


def steps(*settings: str) -> Any:
    """All steps of the run."""
    world = build_world(load_text(WEEKS, settings))
    wants = Wants(world.scenario, Streams(1), world.open_s, world.daily_demand)
    return [wants.of(step) for step in range(len(wants.ends_s))]


def wanted(*settings: str) -> Any:
    """Units wanted of each SKU on each day, (days, SKUs)."""
    each = [np.bincount(step.place, weights=step.units, minlength=SKUS) for step in steps(*settings)]
    return np.reshape(each, (DAYS, -1, SKUS)).sum(axis=1)


@pytest.mark.parametrize("minutes", [60, 1440])
def test_a_day_has_its_mean_and_its_scatter(minutes: int) -> None:
    days = wanted(f"demand.step_minutes={minutes}")
    count, deviation = days.size, CV * MEAN
    assert abs(days.mean() - MEAN) < stats.norm.isf(ERROR) * deviation / np.sqrt(count)
    assert ERROR < stats.chi2.sf((count - 1) * days.var(ddof=1) / deviation**2, count - 1) < 1 - ERROR
    assert stats.kstest((days.ravel() - MEAN) / deviation, "norm").pvalue > ERROR
    # The days know nothing of each other, nor the SKUs.
    for one, other in ((days[:-1], days[1:]), (days[:, :-1], days[:, 1:])):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 5 / np.sqrt(count)


def test_the_steps_of_a_day_share_out_its_units_by_the_profile() -> None:
    hours = [np.bincount(step.place, weights=step.units, minlength=SKUS) for step in steps("demand.step_minutes=60")]
    day = wanted("demand.step_minutes=1440")
    np.testing.assert_array_equal(np.reshape(hours, (DAYS, 24, SKUS)).sum(axis=1), day)
    profile = build_world(load_text(WEEKS)).scenario.demand.profile
    expected = day[:, None, :] * (np.array(profile) / sum(profile))[:, None]
    assert np.abs(np.reshape(hours, (DAYS, 24, SKUS)) - expected).max() <= 1.0


def test_a_step_may_reach_into_the_next_day_and_the_run_begin_in_the_middle_of_one() -> None:
    middle = ("start=2026-11-20T15:20+00:00", "horizon_h=72", "demand.daily_cv=0", "demand.step_minutes=700")
    found = sum(np.bincount(step.place, weights=step.units, minlength=SKUS) for step in steps(*middle))
    # Three days' worth: the rest of the first, two whole ones, and as much of the last as makes up for it; whole units each.
    assert np.abs(found - 3 * MEAN).max() <= 2


def test_without_scatter_it_is_the_mean_to_the_unit() -> None:
    assert (wanted("demand.daily_cv=0", "demand.step_minutes=1440") == MEAN).all()


def test_nothing_less_than_nothing_is_wanted() -> None:
    assert min(step.units.min() for step in steps("demand.daily_cv=3") if len(step.units)) >= 1


def test_each_unit_may_slip_or_break() -> None:
    every = steps("demand.step_minutes=1440")
    units = sum(step.units.sum() for step in every)
    for found, share in (
        (sum(step.units[step.slips].sum() for step in every), 0.01),
        (sum(len(step.broken) for step in every), 0.02),
    ):
        assert abs(found - share * units) < stats.norm.isf(ERROR) * np.sqrt(share * units)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("mode=full",), "mode: expected goods_only with demand.distribution: normal"),
        (("demand.arrivals=even",), "demand.arrivals: expected poisson with demand.distribution: normal"),
        (("demand.distribution=gamma",), "demand.distribution: expected"),
        (("demand.daily_cv=-0.1",), "demand.daily_cv: expected"),
    ],
)
def test_where_demand_is_not_normal(settings: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        load_text(WEEKS, settings)
