"""Tours through a block of aisles: by hand, against brute force, and against each other."""

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.routing.largest_gap import LargestGap
from policies.routing.s_shape import SShape
from policies.routing.shortest import MANY, Shortest
from sim.contracts import Block
from sim.world.walking import visits

s_shape_m, largest_gap_m, shortest_m = SShape(), LargestGap(), Shortest()

ROUTINGS = (s_shape_m, largest_gap_m, shortest_m)
PICKS = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 19)), min_size=1, max_size=6, unique=True)


def lengths(block: Block, picks: list[tuple[int, float]]) -> list[float]:
    aisle, along = np.array([a for a, _ in picks]), np.array([float(y) for _, y in picks])
    seen = visits(block, 1, np.zeros(len(picks), dtype=int), aisle, along)
    return [float(routing(block, seen)[0]) for routing in ROUTINGS]


def brute_force_m(block: Block, picks: list[tuple[int, float]]) -> float:
    def between(one: tuple[int, float], other: tuple[int, float]) -> float:
        if one[0] == other[0]:
            return abs(one[1] - other[1])
        around = min(one[1] + other[1], 2 * block.length_m - one[1] - other[1])
        return abs(one[0] - other[0]) * block.pitch_m + around

    bench = (block.bench, 0.0)
    return min(sum(between(a, b) for a, b in pairwise([bench, *tour, bench])) for tour in permutations(picks))


def test_tours_worked_out_by_hand() -> None:
    block = Block(aisles=4, length_m=20.0, pitch_m=3.0)
    assert lengths(block, [(0, 5.0)]) == [10.0, 10.0, 10.0]
    assert lengths(block, [(2, 5.0)]) == [22.0, 22.0, 22.0]
    # Up aisle 0 and down aisle 1; it is shorter to return in each.
    assert lengths(block, [(0, 5.0), (1, 4.0)]) == [46.0, 46.0, 24.0]
    # Aisles 0 and 1 end to end, into aisle 3 and back; or aisles 0 and 3 end to end, aisle 1 but for its gap of 15.
    assert lengths(block, [(0, 19.0), (1, 2.0), (1, 17.0), (3, 18.0)])[:2] == [18.0 + 40.0 + 36.0, 18.0 + 40.0 + 10.0]


def test_a_tour_without_picks_is_no_walk_and_does_not_disturb_the_others() -> None:
    block = Block(aisles=3, length_m=20.0, pitch_m=3.0)
    seen = visits(block, 4, np.array([2, 0]), np.array([1, 0]), np.array([4.0, 7.0]))
    for routing in ROUTINGS:
        assert routing(block, seen).tolist() == [14.0, 0.0, 14.0, 0.0]
        empty = visits(block, 2, np.empty(0, dtype=int), np.empty(0, dtype=int), np.empty(0))
        assert routing(block, empty).tolist() == [0.0, 0.0]


@settings(max_examples=60, deadline=None)
@given(picks=PICKS, bench=st.integers(0, 4), pitch=st.sampled_from([1.0, 3.0, 12.0]))
def test_the_shortest_is_what_brute_force_finds_and_no_rule_beats_it(
    picks: list[tuple[int, float]], bench: int, pitch: float
) -> None:
    block = Block(aisles=5, length_m=20.0, pitch_m=pitch, bench=bench)
    s_shape, largest_gap, shortest = lengths(block, picks)
    assert shortest == pytest.approx(brute_force_m(block, picks))
    assert shortest <= min(s_shape, largest_gap) + 1e-9


def test_many_tours_at_once_are_the_same_tours() -> None:
    block, tours = Block(aisles=6, length_m=15.0, pitch_m=2.5, bench=3), MANY + 5
    chance = np.random.default_rng(1)
    tour, aisle = chance.integers(0, tours, 4 * tours), chance.integers(0, 6, 4 * tours)
    along = chance.uniform(0, 15, 4 * tours)
    seen = visits(block, tours, tour, aisle, along)
    for routing in ROUTINGS:
        metres = routing(block, seen)
        for one in (0, 7, MANY - 1, MANY, MANY + 4):
            mine = tour == one
            alone = visits(block, 1, np.zeros(mine.sum(), dtype=int), aisle[mine], along[mine])
            assert metres[one] == pytest.approx(routing(block, alone)[0])


def test_two_orders_in_one_tour_are_less_walk_than_two_tours() -> None:
    block = Block(aisles=8, length_m=15.0, pitch_m=2.5)
    chance = np.random.default_rng(2)
    tour, aisle, along = np.repeat(np.arange(400), 5), chance.integers(0, 8, 2000), chance.uniform(0, 15, 2000)
    for routing in ROUTINGS:
        single = routing(block, visits(block, 400, tour, aisle, along)).sum()
        assert routing(block, visits(block, 200, tour // 2, aisle, along)).sum() < 0.85 * single


def test_a_block_says_what_is_wrong_with_it() -> None:
    with pytest.raises(ValueError, match="aisles >= 1, got 0"):
        Block(aisles=0, length_m=1.0, pitch_m=1.0)
    with pytest.raises(ValueError, match="bench to be an aisle"):
        Block(aisles=2, length_m=1.0, pitch_m=1.0, bench=2)
    with pytest.raises(ValueError, match="length_m > 0"):
        Block(aisles=2, length_m=0.0, pitch_m=1.0)
