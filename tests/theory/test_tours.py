"""Mean tour lengths for uniform picks, against approximations worked out in the manner of Hall (1993)."""

import numpy as np
import pytest

from policies.routing.largest_gap import LargestGap
from policies.routing.s_shape import SShape
from policies.routing.shortest import Shortest
from sim.contracts import Block, Visits
from sim.world.walking import visits

s_shape_m, largest_gap_m, shortest_m = SShape(), LargestGap(), Shortest()

MANY = Block(aisles=10, length_m=20.0, pitch_m=3.0)
TOURS = 20_000


def uniform(picks: int) -> Visits:
    chance = np.random.default_rng(picks)
    tour = np.repeat(np.arange(TOURS), picks)
    aisle = chance.integers(0, MANY.aisles, len(tour))
    return visits(MANY, TOURS, tour, aisle, chance.uniform(0, MANY.length_m, len(tour)))


def aisles_visited(picks: int) -> float:
    return MANY.aisles * (1 - (1 - 1 / MANY.aisles) ** picks)


def across_m(picks: int) -> float:
    """There and back to the farthest aisle: the exact mean of the largest of so many uniform numbers."""
    below = (np.arange(1, MANY.aisles) / MANY.aisles) ** picks
    return float(2 * MANY.pitch_m * (MANY.aisles - 1 - below.sum()))


@pytest.mark.parametrize("picks", [1, 5, 20])
def test_the_number_of_aisles_visited(picks: int) -> None:
    assert len(uniform(picks).tour) / TOURS == pytest.approx(aisles_visited(picks), rel=0.01)


@pytest.mark.parametrize("picks", [5, 10, 20, 40])
def test_s_shape(picks: int) -> None:
    # Every aisle end to end, and half an aisle more when the last of an odd number is walked there and back (Hall 1993).
    mean = across_m(picks) + MANY.length_m * (aisles_visited(picks) + 0.5 * 0.5)
    assert s_shape_m(MANY, uniform(picks)).mean() == pytest.approx(mean, rel=0.05)


@pytest.mark.parametrize("picks", [20, 40, 80])
def test_largest_gap(picks: int) -> None:
    # The largest of the k + 1 stretches that k uniform picks leave has the mean H(k + 1) / (k + 1) of the aisle.
    counts = np.random.default_rng(9).binomial(picks, 1 / MANY.aisles, 200_000)
    harmonic = np.cumsum(1.0 / np.arange(1, picks + 2))
    walked = 1.0 - (harmonic[counts] / (counts + 1)).mean()
    mean = across_m(picks) + 2 * MANY.length_m * (1 + (MANY.aisles - 2) * walked)
    assert largest_gap_m(MANY, uniform(picks)).mean() == pytest.approx(mean, rel=0.05)


def test_largest_gap_is_better_with_few_picks_and_s_shape_with_many_and_the_shortest_always() -> None:
    few, many = uniform(15), uniform(100)
    assert largest_gap_m(MANY, few).mean() < s_shape_m(MANY, few).mean()
    assert s_shape_m(MANY, many).mean() < largest_gap_m(MANY, many).mean()
    for seen in (few, many):
        best = np.minimum(s_shape_m(MANY, seen), largest_gap_m(MANY, seen))
        assert (shortest_m(MANY, seen) <= best + 1e-9).all()
