"""What holds of sites whatever the map, and what is refused."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.siting import Effort, Sites, fixed_charge, maximal_covering, p_median
from sim.siting.interchange import greedy, interchange
from sim.siting.problem import Problem
from tests.siting.whole_models import graph, plane

CLOSE = 3e-6

maps = st.tuples(st.integers(0, 10_000), st.integers(1, 25), st.integers(1, 12))


def drawn(seed: int, points: int, candidates: int) -> tuple[Any, Any]:
    """Costs with ties and zeros among them, and weights, some of them 0."""
    rng = np.random.default_rng(seed)
    costs = rng.integers(0, 12, (points, candidates)) * (1.0 if seed % 2 else 0.37)
    weights = rng.integers(0, 5, points).astype(float)
    weights[0] += 1.0
    return costs, weights


@settings(max_examples=40, deadline=None)
@given(maps, st.data())
def test_no_search_beats_the_bound_whatever_the_effort(drawing: tuple[int, int, int], data: Any) -> None:
    costs, weights = drawn(*drawing)
    p = data.draw(st.integers(1, costs.shape[1]))
    effort = Effort(
        shakes=data.draw(st.sampled_from([0, 5])), steps=data.draw(st.sampled_from([0, 10, 200])),
        nodes=data.draw(st.sampled_from([0, 3, 50])), entries=data.draw(st.sampled_from([0, 10_000])),
    )  # fmt: skip
    best = p_median(costs, p, weights=weights)
    some = p_median(costs, p, weights=weights, effort=effort)
    assert best.proven
    assert some.bound <= best.value + 1e-9
    assert best.value <= some.value * (1 + CLOSE)
    assert best.bound <= best.value


@settings(max_examples=25, deadline=None)
@given(maps)
def test_more_sites_never_cost_more_and_never_cover_less(drawing: tuple[int, int, int]) -> None:
    costs, weights = drawn(*drawing)
    values = [p_median(costs, p, weights=weights).value for p in range(1, costs.shape[1] + 1)]
    assert all(more <= fewer * (1 + CLOSE) for fewer, more in pairwise(values))
    assert values[-1] == pytest.approx(float((costs.min(axis=1) * weights).sum()))
    radius = float(costs[weights > 0].min()) + 1.0
    covered = [maximal_covering(costs, radius, p, weights=weights).value for p in range(1, costs.shape[1] + 1)]
    assert all(more >= fewer * (1 - CLOSE) for fewer, more in pairwise(covered))


@settings(max_examples=40, deadline=None)
@given(maps, st.data())
def test_sites_held_open_stay_open_and_cost_no_less_than_a_free_choice(
    drawing: tuple[int, int, int], data: Any
) -> None:
    costs, weights = drawn(*drawing)
    candidates = costs.shape[1]
    held = data.draw(st.lists(st.integers(0, candidates - 1), unique=True))
    p = data.draw(st.integers(max(1, len(held)), candidates))
    opening = np.arange(candidates, dtype=float)
    radius = float(costs[weights > 0].min())
    for answer, free in (
        (p_median(costs, p, weights=weights, held=held), p_median(costs, p, weights=weights)),
        (fixed_charge(costs, opening, weights=weights, held=held), fixed_charge(costs, opening, weights=weights)),
        (maximal_covering(costs, radius, p, weights=weights, held=held), None),
    ):
        assert set(held) <= set(answer.sites.tolist())
        assert answer.proven
        if free is not None:
            assert free.value <= answer.value * (1 + CLOSE)


@settings(max_examples=25, deadline=None)
@given(maps, st.data())
def test_the_names_of_candidates_do_not_change_the_value(drawing: tuple[int, int, int], data: Any) -> None:
    costs, weights = drawn(*drawing)
    candidates = costs.shape[1]
    names = np.asarray(data.draw(st.permutations(range(candidates))))
    p = data.draw(st.integers(1, candidates))
    opening = np.arange(candidates, dtype=float)
    radius = float(costs[weights > 0].min()) + 1.0
    for one, other in (
        (p_median(costs, p, weights=weights), p_median(costs[:, names], p, weights=weights)),
        (
            fixed_charge(costs, opening, weights=weights),
            fixed_charge(costs[:, names], opening[names], weights=weights),
        ),
        (
            maximal_covering(costs, radius, p, weights=weights),
            maximal_covering(costs[:, names], radius, p, weights=weights),
        ),
    ):
        assert one.value == pytest.approx(other.value, rel=CLOSE, abs=1e-9)


@pytest.mark.parametrize("count", [None, 1, 2, 5, 9])
def test_after_interchange_no_single_move_is_better(count: int | None) -> None:
    """From greedy sites and from any, each open one closed, each closed one opened, and both at once."""
    for seed in range(60):
        rng = np.random.default_rng(seed)
        costs, weights = drawn(seed, 20, 11)
        held = np.arange(11) < seed % 2
        problem = Problem(
            costs=np.ascontiguousarray((costs * weights[:, None]).T),
            opening=rng.integers(0, 15, 11).astype(float), count=count, held=held,
        )  # fmt: skip
        others = rng.permutation(np.flatnonzero(~held))
        start = (
            np.concatenate([np.flatnonzero(held), others])[: count or 1 + seed % 11] if seed % 3 else greedy(problem)
        )
        sites, value = interchange(problem, start)
        assert value == problem.value(sites) <= problem.value(start) + 1e-9
        inside, outside = set(sites.tolist()), set(range(11)) - set(sites.tolist())
        assert set(np.flatnonzero(held)) <= inside
        assert count in (None, len(inside))
        loose = inside - set(np.flatnonzero(held).tolist())
        tries = [inside - {out} | {into} for out in loose for into in outside]
        if count is None:
            tries += [inside | {into} for into in outside] + [inside - {out} for out in loose if len(inside) > 1]
        assert all(problem.value(np.array(sorted(tried))) >= value - 1e-9 * (1 + value) for tried in tries)


def test_each_demand_point_is_served_by_its_cheapest_site() -> None:
    costs, weights = plane(3, 80, 30)
    found = p_median(costs, 5, weights=weights, held=[4])
    assert found.nearest.shape == (80,)
    assert np.array_equal(costs[np.arange(80), found.nearest], costs[:, found.sites].min(axis=1))


def test_the_same_question_has_the_same_answer() -> None:
    costs = graph(2, 60)
    one, two = p_median(costs, 6), p_median(costs.copy(), 6)
    assert (one.sites.tolist(), one.value, one.bound) == (two.sites.tolist(), two.value, two.bound)


def test_costs_given_are_left_as_they_were() -> None:
    costs, weights = plane(1, 20, 8)
    before = costs.copy()
    p_median(costs, 3, weights=weights, held=np.array([1]))
    assert np.array_equal(costs, before)


def test_a_world_in_which_everything_is_free() -> None:
    found = p_median(np.zeros((3, 4)), 2)
    assert (found.value, found.bound, found.proven, found.gap) == (0.0, 0.0, True, 0.0)


SQUARE = [[1.0, 2.0, 3.0], [2.0, 1.0, 2.0]]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (lambda: p_median(SQUARE, 0), "Expected p from 1 to 3, got 0."),
        (lambda: p_median(SQUARE, 4), "Expected p from 1 to 3, got 4."),
        (lambda: p_median(SQUARE, 1.5), "Expected p from 1 to 3, got 1.5."),  # type: ignore[arg-type]
        (lambda: p_median(SQUARE, True), "Expected p from 1 to 3, got True."),
        (lambda: p_median(SQUARE, 1, held=[0, 2]), "Expected p of 2 or more, as many as are held open, got 1."),
        (lambda: p_median(SQUARE, 2, held=[3]), "Expected candidates that are held open from 0 to 2, got 3."),
        (lambda: p_median(SQUARE, 2, held=[-1]), "Expected candidates that are held open from 0 to 2, got -1."),
        (lambda: p_median(SQUARE, 2, held=[0.5]), "Expected the numbers of the candidates that are held open, got [0.5]."),  # type: ignore[list-item]
        (lambda: p_median([[1.0, np.inf]], 1), "Expected costs to be finite and 0 or more, got inf at [0, 1]."),
        (lambda: p_median([[1.0], [np.nan]], 1), "Expected costs to be finite and 0 or more, got nan at [1, 0]."),
        (lambda: p_median([[1.0, -2.0]], 1), "Expected costs to be finite and 0 or more, got -2.0 at [0, 1]."),
        (lambda: p_median([1.0, 2.0], 1), "Expected costs of demand points by candidates, got an array of shape (2,)."),
        (lambda: p_median(np.zeros((0, 3)), 1), "Expected costs of demand points by candidates, got an array of shape (0, 3)."),
        (lambda: p_median(SQUARE, 1, weights=[1.0]), "Expected 2 weights, one per demand point, got an array of shape (1,)."),
        (lambda: p_median(SQUARE, 1, weights=[1.0, -1.0]), "Expected weights to be finite and 0 or more, got -1.0 at [1]."),
        (lambda: p_median(SQUARE, 1, weights=[0.0, 0.0]),
         "Expected a weight above 0 at some demand point, got 0 at all of them."),
        (lambda: fixed_charge(SQUARE, [1.0]), "Expected 3 opening costs, one per candidate, got an array of shape (1,)."),
        (lambda: fixed_charge(SQUARE, [1.0, np.nan, 0.0]), "Expected opening costs to be finite and 0 or more, got nan at [1]."),
        (lambda: maximal_covering(SQUARE, 0.5, 1),
         "Expected a radius within which some candidate covers some demand, 1 or more, got 0.5."),
        (lambda: maximal_covering(SQUARE, np.nan, 1),
         "Expected a radius within which some candidate covers some demand, 1 or more, got nan."),
        (lambda: Effort(shakes=-1), "Expected shakes to be a whole number, 0 or more, got -1."),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_in_one_sentence(asked: Any, message: str) -> None:
    with pytest.raises(ValueError, match=r"^Expected") as refused:
        asked()
    assert str(refused.value) == message


def test_sites_compare_by_identity_for_they_hold_arrays() -> None:
    found = p_median(SQUARE, 1)
    assert isinstance(found, Sites)
    assert found == found
    assert found.sites.dtype == found.nearest.dtype == np.int64
