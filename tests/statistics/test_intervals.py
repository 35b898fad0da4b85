"""Intervals hold what they promise, and agree with the tables they come from."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap as scipy_bootstrap
from scipy.stats import ttest_1samp
from scipy.stats.mstats import mquantiles_cimj

from sim.statistics import bootstrap_interval, quantile_interval, share_interval, t_interval, wilson
from tests.statistics.many_servers import erlang_wait, mean_waits

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40)


def _coverage(experiments: int, reps: int, customers: int, seed: int) -> float:
    """Share of experiments on M/M/2 at 60 % load whose t interval over `reps` replications holds Erlang's wait."""
    true = erlang_wait(2, 0.6)
    found = mean_waits(2, 0.6, experiments * reps, 300, customers, seed).reshape(experiments, reps)
    return sum(low <= true <= high for _, low, high in (t_interval(row) for row in found.tolist())) / experiments


def test_the_t_interval_covers_erlangs_wait_as_often_as_it_says() -> None:
    # A true coverage of 95 % falls below 86.5 % or is 100 % in 200 experiments less than once in a million.
    assert 0.865 <= _coverage(200, 10, 700, seed=1) < 1.0


@pytest.mark.slow
def test_a_thousand_experiments_cover_within_a_point_and_a_half() -> None:
    assert 0.935 <= _coverage(1000, 20, 2000, seed=2) <= 0.965


def test_the_t_interval_is_the_one_of_scipy() -> None:
    values = [3.1, 2.7, 3.9, 3.3, 2.2]
    theirs = ttest_1samp(values, 0.0).confidence_interval(0.95)
    mean, low, high = t_interval(values)
    assert (mean, low, high) == pytest.approx((np.mean(values), theirs.low, theirs.high))


def test_a_single_value_has_no_interval() -> None:
    assert t_interval([4.0]) == (4.0, None, None)
    assert share_interval([0.4]) == (0.4, None, None)


def test_wilsons_interval_is_the_published_one() -> None:
    # Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611; 1 of 29 gives 0.0061 to 0.1718.
    for met, of, low, high in ((81, 263, 0.2553, 0.3662), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)):
        found = wilson(met, of)
        assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=30))
@example([2.8e-140] * 3)
@example([0.0, 1e-200])
def test_an_interval_of_shares_stays_within_nothing_and_all_and_holds_its_mean(values: list[float]) -> None:
    mean, low, high = share_interval(values)
    assert low is not None
    assert high is not None
    if 0.0 < mean < 1.0 and max(values) - min(values) > 1e-6:
        assert 0.0 <= low <= mean <= high <= 1.0


def test_far_from_either_end_shares_have_the_t_interval_nearly() -> None:
    values = (0.5 + 0.01 * np.random.default_rng(1).standard_normal(20)).tolist()
    mine, students = share_interval(values), t_interval(values)
    assert mine.low == pytest.approx(students.low, abs=1e-4)
    assert mine.high == pytest.approx(students.high, abs=1e-4)


def test_the_bootstrap_agrees_with_scipys() -> None:
    values = np.random.default_rng(3).exponential(1.0, 40)
    theirs = scipy_bootstrap((values,), np.mean, n_resamples=9999, method="BCa", rng=5).confidence_interval
    mean, low, high = bootstrap_interval(values.tolist())
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_the_bootstrap_of_skewed_values_reaches_further_up() -> None:
    mean, low, high = bootstrap_interval(np.random.default_rng(4).lognormal(0.0, 1.0, 30).tolist())
    assert low is not None
    assert high is not None
    assert high - mean > mean - low


@given(VALUES)
@settings(max_examples=50)
def test_the_same_values_have_the_same_bootstrap_interval(values: list[float]) -> None:
    assert bootstrap_interval(values) == bootstrap_interval(values)


def test_order_statistics_cover_the_ninetieth_percentile() -> None:
    rng = np.random.default_rng(6)
    true, held = -np.log(0.1), 0
    for _ in range(400):
        _, low, high = quantile_interval(rng.exponential(1.0, 80).tolist(), 0.9)
        assert low is not None
        held += low <= true and (high is None or true <= high)
    assert held >= 0.93 * 400  # at least 95 %, and 400 of them scatter by 1.1 points


def test_too_few_values_leave_an_end_of_a_percentile_open() -> None:
    found = quantile_interval([1.0, 2.0, 3.0, 4.0, 5.0], 0.9)
    assert found.high is None


def test_a_medians_interval_lies_where_another_method_puts_it() -> None:
    values = np.random.default_rng(7).normal(10.0, 1.0, 200)
    low, high = (float(end[0]) for end in mquantiles_cimj(values, [0.5]))
    found = quantile_interval(values.tolist(), 0.5)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.06)


@pytest.mark.parametrize(("met", "of"), [(-1, 5), (6, 5), (0, 0)])
def test_counts_that_cannot_be_are_refused(met: int, of: int) -> None:
    with pytest.raises(ValueError, match="Expected a count"):
        wilson(met, of)
