"""Designs fill the space they are asked to, and results are put down to the factors that made them."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.statistics.designs import effects, pareto, unit_points


@pytest.mark.parametrize("count", [7, 16, 33])
def test_a_latin_hypercube_has_one_point_in_every_row_of_every_side(count: int) -> None:
    found = unit_points("lhs", 3, count, seed=1)
    assert all(sorted((column * count).astype(int)) == list(range(count)) for column in found.T)


def test_sobol_points_halve_every_side_evenly() -> None:
    found = unit_points("sobol", 2, 64, seed=1)
    quarter = (found * 2).astype(int)
    assert all(((quarter == corner).all(axis=1)).sum() == 16 for corner in product((0, 1), (0, 1)))


@pytest.mark.parametrize("design", ["lhs", "sobol"])
def test_the_same_seed_draws_the_same_points(design: str) -> None:
    one, two, other = (unit_points(design, 2, 20, seed) for seed in (1, 1, 2))  # type: ignore[arg-type]
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_in_a_grid_shares_of_variance_add_up_to_all_of_it() -> None:
    levels = list(product((1, 2, 3), ("a", "b")))
    results = [10.0 * one + (5.0 if two == "a" else 0.0) + (3.0 * one if two == "b" else 0.0) for one, two in levels]
    found = {effect.factors: effect.share for effect in effects(levels, results)}
    assert sum(found.values()) == pytest.approx(1.0)
    assert found[(0,)] > found[(0, 1)] > 0.0


def test_factors_that_only_add_up_do_not_act_together() -> None:
    levels = list(product((1, 2, 3), (10, 20)))
    found = {effect.factors: effect.share for effect in effects(levels, [2.0 * one + two for one, two in levels])}
    assert found[(0, 1)] == pytest.approx(0.0, abs=1e-12)


def test_drawn_points_are_put_down_to_their_factors_by_a_linear_model() -> None:
    points = unit_points("sobol", 3, 64, seed=3)
    results = 4.0 * points[:, 0] + 1.0 * points[:, 1] + 6.0 * (points[:, 0] - 0.5) * (points[:, 1] - 0.5)
    found = {
        effect.factors: effect.share for effect in effects([tuple(row) for row in points.tolist()], results.tolist())
    }
    assert found[(0,)] > 0.6
    assert 0.02 < found[(1,)] < 0.12
    assert found[(0, 1)] > 0.05
    assert found[(2,)] < 0.01


def test_what_never_varies_is_put_down_to_nothing() -> None:
    assert effects([(1,), (2,), (3,)], [5.0, 5.0, 5.0]) == []


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30))
@settings(max_examples=80)
def test_nothing_beats_the_front_and_the_front_beats_all_else(rows: list[tuple[int, int]]) -> None:
    front = pareto(np.array(rows, dtype=np.float64))

    def beats(one: tuple[int, int], two: tuple[int, int]) -> bool:
        return all(a <= b for a, b in zip(one, two, strict=True)) and one != two

    for row, on in zip(rows, front, strict=True):
        assert on == (not any(beats(other, row) for other in rows))
