"""Paired differences: what the same days are worth, and how often a false alarm is raised."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from sim.statistics import holm, paired
from sim.statistics.paired import pairs_needed

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20)


@given(VALUES)
def test_what_is_the_same_differs_by_nothing(values: list[float]) -> None:
    found = paired(values, values)
    assert found.change == (0.0, 0.0, 0.0)
    assert found.p == 1.0


def test_the_test_is_students_paired_one() -> None:
    rng = np.random.default_rng(1)
    one = rng.normal(10.0, 2.0, 12)
    two = one + rng.normal(0.3, 0.5, 12)
    theirs = ttest_rel(two, one)
    found = paired(one.tolist(), two.tolist())
    assert found.p == pytest.approx(theirs.pvalue)
    interval = theirs.confidence_interval(0.95)
    assert (found.change.low, found.change.high) == pytest.approx((interval.low, interval.high))


def test_days_in_common_cut_the_variance_by_what_they_share() -> None:
    rng = np.random.default_rng(2)
    days = rng.normal(0.0, 3.0, 4000)
    one, two = days + rng.normal(0.0, 1.0, 4000), days + rng.normal(0.0, 1.0, 4000)
    # (9 + 1 + 9 + 1) / (1 + 1) = 10
    assert paired(one.tolist(), two.tolist()).reduction == pytest.approx(10.0, rel=0.1)
    assert paired(one.tolist(), two[::-1].tolist()).reduction == pytest.approx(1.0, rel=0.1)


def test_a_change_by_the_same_on_every_day_is_certain() -> None:
    found = paired([1.0, 2.0, 4.0], [2.0, 3.0, 5.0])
    assert (found.p, found.reduction) == (0.0, math.inf)


def test_one_pair_says_nothing() -> None:
    assert paired([1.0], [2.0]).p is None


def test_series_of_unlike_length_are_refused() -> None:
    with pytest.raises(ValueError, match="as many values of either"):
        paired([1.0, 2.0], [1.0])


def test_holm_is_the_published_example() -> None:
    # Holm (1979): with 0.01, 0.04, 0.03, 0.005 the factors are 4, 3, 2, 1 in order of size, and none falls below the last.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20))
def test_holm_keeps_the_order_and_never_makes_a_p_smaller(p: list[float]) -> None:
    adjusted = holm(p)
    assert all(a >= b or a == 1.0 for a, b in zip(adjusted, p, strict=True))
    order = sorted(range(len(p)), key=p.__getitem__)
    assert [adjusted[place] for place in order] == sorted(adjusted)


def test_false_alarms_among_many_comparisons_are_as_rare_as_one_was() -> None:
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(400):
        found = [paired(rng.normal(size=8).tolist(), rng.normal(size=8).tolist()) for _ in range(6)]
        alarms += min(holm([each.p for each in found if each.p is not None])) < 0.05
    assert alarms <= 42  # 5 % of 400 are 20; more than 42 once in a million


def test_as_many_pairs_are_enough_as_are_said_to_be() -> None:
    needed = pairs_needed(2.0, 0.5)
    rng = np.random.default_rng(4)
    halves = []
    for _ in range(50):
        found = paired([0.0] * needed, rng.normal(0.0, 2.0, needed).tolist())
        halves.append(found.change.half)
    assert needed == 64  # 1.998 x 2 / 0.5 = 8.0, squared
    assert np.mean(halves) == pytest.approx(0.5, rel=0.05)
