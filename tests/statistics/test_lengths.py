"""How long and how often: precision, warm-up, batches."""

import numpy as np
import pytest

from sim.statistics.precision import Precision, look_ahead, relative_half_width
from sim.statistics.warmup import batch_means, mser
from tests.statistics.many_servers import mean_wait_by_customer


def test_mser_brings_the_mean_of_a_queue_that_started_empty_nearer_to_the_truth() -> None:
    # M/M/1 at rho 0.9: Wq = rho / (1 - rho) = 9 (mean service 1). The ramp shows in the mean over replications.
    series = mean_wait_by_customer(0.9, 2000, queues=4000, seed=1)
    found = mser(series.tolist())
    assert found.settled
    assert abs(found.mean - 9.0) < 0.5 * abs(series.mean() - 9.0)


def test_mser_cuts_a_ramp_where_it_ends() -> None:
    rng = np.random.default_rng(1)
    series = np.concatenate([np.linspace(-20.0, 0.0, 100), np.zeros(900)]) + rng.normal(0.0, 0.5, 1000)
    found = mser(series.tolist())
    assert found.settled
    assert 85 <= found.cut <= 110
    assert found.mean == pytest.approx(0.0, abs=0.1)


def test_mser_cuts_nothing_off_what_was_settled_from_the_start() -> None:
    found = mser(np.random.default_rng(2).normal(5.0, 1.0, 2000).tolist())
    assert found.cut <= 200


def test_mser_says_when_a_run_is_too_short_to_settle() -> None:
    assert not mser(np.linspace(0.0, 1.0, 500).tolist()).settled


def test_too_short_a_series_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 50 values"):
        mser([1.0] * 49)
    with pytest.raises(ValueError, match="batches of 2 or more"):
        batch_means([1.0] * 30, 20)


def test_batches_of_dependent_values_cover_where_single_values_do_not() -> None:
    rng = np.random.default_rng(3)
    held = alone = 0
    for _ in range(200):
        noise, series = rng.normal(size=4000), np.zeros(4000)
        for place in range(1, 4000):
            series[place] = 0.9 * series[place - 1] + noise[place]
        found = batch_means(series.tolist())
        held += bool(found.found.low <= 0.0 <= found.found.high)  # type: ignore[operator]
        alone += abs(series.mean()) <= 1.96 * series.std() / np.sqrt(4000)
    assert held >= 0.88 * 200
    assert alone < 0.6 * 200


def test_batches_that_are_too_short_are_told() -> None:
    drift = np.sin(np.linspace(0.0, 3.0, 400))
    assert batch_means(drift.tolist()).correlated
    assert not batch_means(np.random.default_rng(5).normal(size=4000).tolist()).correlated


def test_a_precision_is_reached_only_after_it_has_held_for_five_more() -> None:
    rule = Precision(0.05)
    rng = np.random.default_rng(1)
    said = [rule.add(value) for value in rng.normal(100.0, 10.0, 200)]
    n = said.index(True) + 1
    narrow = []
    again = Precision(0.05)
    for value in rule.values[:n]:
        again.add(value)
        narrow.append(again.found is not None and relative_half_width(again.found) <= 0.05)
    assert all(narrow[-6:])
    assert not narrow[-7]


def test_values_that_are_all_the_same_are_enough_after_the_look_ahead() -> None:
    rule = Precision(0.01)
    assert [rule.add(7.0) for _ in range(8)] == [False] * 7 + [True]


def test_one_looks_further_ahead_after_a_hundred() -> None:
    assert (look_ahead(40), look_ahead(200)) == (5, 10)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_a_precision_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="above 0 and below 100 %"):
        Precision(share)
