"""Customers come as a Poisson process whose rate is what the scenario says, hour by hour."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from sim.scenario import Scenario, load_text
from sim.streams import Streams
from sim.world.build import build_world
from sim.world.demand import rate_per_bin

ERROR = 1e-6
DAY = """
name: day
start: 2026-11-20T00:00+00:00
map: {width_m: 500, height_m: 500, points: 5}
stores: {count: 1, zone: {radius_m: 5000}}
catalogue: {skus: 50}
demand: {orders_per_day: 20000}
"""


def arrivals(scenario: Scenario, replication: int = 0) -> Any:
    return build_world(scenario, Streams(scenario.seed, replication)).trace.entered_s


def chi_square(counts: Any, expected: Any) -> float:
    """Chance of counts as odd as these under independent Poisson counts."""
    counts, expected = np.asarray(counts, dtype=float), np.asarray(expected, dtype=float)
    assert (counts[expected == 0] == 0).all(), "somebody came where the rate is zero"
    kept = expected > 0
    assert (expected[kept] > 5).all()
    statistic = ((counts - expected)[kept] ** 2 / expected[kept]).sum()
    return float(stats.chi2.sf(statistic, kept.sum()))


@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("demand.surges=[{at: '13:20', minutes: 40, factor: 10}]",),
        ("demand.surges=[{at: '13:20', minutes: 40, factor: 0}, {at: '18:00', minutes: 60, factor: 3}]",),
        ("demand.weather.demand_factor=1.4", "demand.calendar={'2026-11-20': 0.5}"),
    ],
    ids=["default profile", "surge", "pause", "factors"],
)
def test_counts_by_quarter_match_the_rate(settings: tuple[str, ...]) -> None:
    scenario = load_text(DAY, ("demand.orders_per_day=60000", *settings))
    entered, rate = arrivals(scenario), rate_per_bin(scenario)
    counts = np.histogram(entered, np.arange(0, 86_401, 900))[0]
    assert chi_square(counts, rate.reshape(-1, 15).sum(axis=1)) > ERROR


def test_the_rate_is_the_days_orders_times_every_factor() -> None:
    # A Friday with a date's factor and rain: profile weights share the day's orders out.
    scenario = load_text(DAY, ("demand.weather.demand_factor=1.5", "demand.calendar={'2026-11-20': 2}"))
    rate = rate_per_bin(scenario)
    demand = scenario.demand
    total = 20_000 * demand.weekday[4] * 2 * 1.5
    assert rate.sum() == pytest.approx(total)
    shares = np.array(demand.profile) / sum(demand.profile)
    np.testing.assert_allclose(rate.reshape(24, 60).sum(axis=1), total * shares)


def test_a_surge_adds_what_it_says() -> None:
    calm, wild = (
        rate_per_bin(load_text(DAY, settings))
        for settings in ((), ("demand.surges=[{at: '13:20', minutes: 40, factor: 10}]",))
    )
    inside = np.zeros(1440, dtype=bool)
    inside[13 * 60 + 20 : 14 * 60] = True
    np.testing.assert_allclose(wild[inside], 10 * calm[inside])
    np.testing.assert_array_equal(wild[~inside], calm[~inside])


def test_nobody_comes_in_hours_without_weight() -> None:
    # Three silent hours and then a loud one: the loud hour's first minute must not leak back into the night.
    profile = [0, 0, 0, 5] + [1] * 20
    scenario = load_text(DAY, (f"demand.profile={profile}", "demand.orders_per_day=200000"))
    entered = arrivals(scenario)
    assert (entered < 3 * 3600).sum() == 0
    first = np.histogram(entered, 3 * 3600 + np.arange(0, 601, 60))[0]
    assert chi_square(first, rate_per_bin(scenario)[180:190]) > ERROR


def test_counts_scatter_like_poisson_and_even_ones_not_at_all() -> None:
    scenario = load_text(DAY, ("demand.orders_per_day=900", "horizon_h=24"))
    expected = rate_per_bin(scenario).sum()
    counts = np.array([len(arrivals(scenario, replication)) for replication in range(80)])
    # Index of dispersion: (n - 1) s^2 / mean is chi-square with n - 1 degrees of freedom when the variance is the mean.
    statistic = counts.var(ddof=1) / expected * (len(counts) - 1)
    assert ERROR < stats.chi2.sf(statistic, len(counts) - 1) < 1 - ERROR
    assert abs(counts.mean() - expected) < stats.norm.isf(ERROR) * np.sqrt(expected / len(counts))
    even = load_text(DAY, ("demand.orders_per_day=900", "demand.arrivals=even"))
    entered = arrivals(even)
    assert len(entered) == round(expected)
    by_hour = np.histogram(entered, np.arange(0, 86_401, 3600))[0]
    assert np.abs(by_hour - rate_per_bin(even).reshape(24, 60).sum(axis=1)).max() <= 1.5


def test_gaps_are_exponential_at_a_constant_rate() -> None:
    flat = [1] * 24
    scenario = load_text(DAY, (f"demand.profile={flat}", "demand.weekday=[1,1,1,1,1,1,1]"))
    gaps = np.diff(arrivals(scenario))
    assert stats.kstest(gaps, "expon", args=(0, 86_400 / 20_000)).pvalue > ERROR


def test_a_flash_sale_adds_its_buyers_within_its_seconds() -> None:
    settings = "demand.flash_sales=[{at: '20:00', seconds: 30, buyers: 3000, sku: 7, units: 2}]"
    calm = build_world(load_text(DAY)).trace
    sale = build_world(load_text(DAY, (settings,))).trace
    assert sale.orders == calm.orders + 3000
    inside = (sale.entered_s >= 72_000) & (sale.entered_s < 72_030)
    assert inside.sum() == 3000 + ((calm.entered_s >= 72_000) & (calm.entered_s < 72_030)).sum()
    single = np.diff(sale.first_line)[inside] == 1
    first = sale.first_line[:-1][inside][single]
    assert ((sale.sku[first] == 7) & (sale.units[first] == 2)).sum() >= 3000
    # The ordinary customers keep their times: the sale comes on top of the same day.
    assert np.isin(calm.entered_s, sale.entered_s).all()


@pytest.mark.parametrize("start", ["2026-11-20T00:00+00:00", "2026-11-20T17:30+00:00"])
def test_the_profile_follows_the_local_clock(start: str) -> None:
    scenario = load_text(DAY.replace("2026-11-20T00:00+00:00", start), ("horizon_h=6",))
    rate = rate_per_bin(scenario)
    begin = scenario.start_at.hour * 60 + scenario.start_at.minute
    demand = scenario.demand
    friday, saturday = demand.weekday[4], demand.weekday[5]
    for minute in range(0, 360, 7):
        clock = begin + minute
        factor = friday if clock < 1440 else saturday
        expected = 20_000 / sum(demand.profile) * demand.profile[clock // 60 % 24] / 60 * factor
        assert rate[minute] == pytest.approx(expected)


def test_baskets_have_the_means_of_the_scenario() -> None:
    scenario = load_text(
        DAY, ("catalogue.skus=4000", "catalogue.zipf=0", "demand.basket={lines_mean: 4, units_mean: 1.5}")
    )
    trace = build_world(scenario).trace
    n = trace.orders
    # With 4,000 equally popular SKUs hardly any basket holds the same SKU twice (they would become one line).
    lines, units = np.diff(trace.first_line), trace.units
    assert abs(lines.mean() - 4) < 5 * np.sqrt(3 / n) + 0.01
    assert abs(units.sum() / n - 6) < 0.15
    assert lines.min() >= 1


def test_skus_are_bought_by_their_popularity() -> None:
    scenario = load_text(DAY, ("demand.basket={lines_mean: 1, units_mean: 1}", "catalogue.skus=30", "catalogue.zipf=1"))
    world = build_world(scenario)
    counts = np.bincount(world.trace.sku, minlength=30)
    expected = 1 / np.arange(1, 31)
    expected *= world.trace.orders / expected.sum()
    statistic = ((counts - expected) ** 2 / expected).sum()
    assert stats.chi2.sf(statistic, 29) > ERROR
