"""Sites are the best there are: every answer against an integer program that knows none of our shortcuts."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.siting import Effort, fixed_charge, maximal_covering, p_median
from sim.siting.bound import Best, Case, raise_bound, whole_case
from sim.siting.branch import branch
from sim.siting.exact import integer_program
from sim.siting.interchange import greedy
from sim.siting.problem import Problem
from tests.siting.whole_models import best_cost, graph, most_covered, plane

CLOSE = 3e-6
"""Both programs promise a millionth."""


@pytest.mark.parametrize("p", [1, 3, 8, 20])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_p_median_of_the_plane(seed: int, p: int) -> None:
    costs, weights = plane(seed, 60, 25)
    found = p_median(costs, p, weights=weights)
    assert found.proven
    assert len(found.sites) == p
    assert found.value == pytest.approx(best_cost(costs, p=p, weights=weights), rel=CLOSE)
    assert found.value == pytest.approx(float((costs[:, found.sites].min(axis=1) * weights).sum()))
    assert found.bound <= found.value


@pytest.mark.parametrize("p", [2, 5, 15])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_p_median_of_a_graph_to_the_last_unit(seed: int, p: int) -> None:
    costs = graph(seed, 45)
    found = p_median(costs, p)
    assert found.proven
    assert found.value == found.bound == round(best_cost(costs, p=p))


@pytest.mark.parametrize("price", [0.0, 20_000.0, 200_000.0, 1e9])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_fixed_charge_problem(seed: int, price: float) -> None:
    costs, weights = plane(seed, 60, 25)
    opening = price * np.random.default_rng(seed).uniform(0.5, 1.5, 25)
    found = fixed_charge(costs, opening, weights=weights)
    assert found.proven
    assert found.value == pytest.approx(best_cost(costs, p=None, weights=weights, opening=opening), rel=CLOSE)
    assert price < 1e9 or len(found.sites) == 1


def test_fixed_charges_with_the_number_of_sites_given_and_some_held_open() -> None:
    costs, weights = plane(4, 60, 25)
    opening = 50_000.0 * np.random.default_rng(4).uniform(0.0, 2.0, 25)
    found = fixed_charge(costs, opening, p=6, weights=weights, held=[2, 17])
    best = best_cost(costs, p=6, weights=weights, opening=opening, held=[2, 17])
    assert found.proven
    assert found.value == pytest.approx(best, rel=CLOSE)
    found = fixed_charge(costs, opening, weights=weights, held=[2, 17])
    assert found.value == pytest.approx(
        best_cost(costs, p=None, weights=weights, opening=opening, held=[2, 17]), rel=CLOSE
    )


@pytest.mark.parametrize("p", [1, 3, 6])
@pytest.mark.parametrize("radius", [400.0, 900.0, 8000.0])
def test_maximal_covering(radius: float, p: int) -> None:
    costs, weights = plane(5, 120, 40)
    found = maximal_covering(costs, radius, p, weights=weights, held=[3])
    assert found.proven
    assert found.value == pytest.approx(most_covered(costs, radius, p=p, weights=weights, held=[3]), rel=CLOSE)
    assert found.value == pytest.approx(float(weights[costs[:, found.sites].min(axis=1) <= radius].sum()))
    assert found.bound >= found.value


def test_a_demand_point_just_at_the_radius_is_covered() -> None:
    found = maximal_covering([[5.0, 9.0], [9.0, 5.0], [9.0, 4.0]], 5.0, 1)
    assert (found.sites.tolist(), found.value, found.bound) == ([1], 2.0, 2.0)
    assert found.nearest.tolist() == [1, 1, 1]


def test_greedy_adding_alone_may_fail_where_the_answer_does_not() -> None:
    """The candidate in the middle covers most, but leaves two to be covered by one (Church, ReVelle 1974)."""
    covers = np.array([[1, 0, 1], [1, 0, 1], [1, 0, 0], [0, 1, 1], [0, 1, 1], [0, 1, 0]], dtype=bool)
    problem = Problem(
        costs=np.ascontiguousarray((~covers).T.astype(float)),
        opening=np.zeros(3), count=2, held=np.zeros(3, dtype=bool),
    )  # fmt: skip
    assert problem.value(greedy(problem)) == 1.0
    assert maximal_covering(np.where(covers, 1.0, 9.0), 2.0, 2).value == 6.0


Way = Callable[[Best, Case, int], float]
WAYS = [
    pytest.param(branch, id="branching"),
    pytest.param(lambda best, case, nodes: integer_program(best, case, nodes, 10**6), id="program"),
]
GAPS = [
    pytest.param(lambda: (graph(11, 60), None, 4, []), id="graph"),
    pytest.param(lambda: (*plane(12, 150, 60), 6, []), id="plane"),
    pytest.param(lambda: (*plane(13, 150, 60), None, []), id="fixed charge"),
    pytest.param(lambda: (*plane(14, 60, 40), 7, [1, 2, 3, 4]), id="held"),
]


@pytest.mark.parametrize("made", GAPS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("steps", [0, 20, 200])
def test_branching_and_the_program_each_prove_by_themselves_what_the_other_does(
    made: Callable[[], tuple[Any, Any, int | None, list[int]]], way: Way, steps: int
) -> None:
    """From bad sites, and from bounds good and bad."""
    costs, weights, p, held = made()
    weighted = costs if weights is None else costs * weights[:, None]
    opening = np.full(len(costs.T), 0.0 if p else 100_000.0)
    problem = Problem(
        costs=np.ascontiguousarray(weighted.T), opening=opening, count=p, held=np.isin(np.arange(len(costs.T)), held)
    )
    sites = np.arange(p or 3)
    best = Best(problem, sites, problem.value(sites))
    case = whole_case(best)
    raise_bound(best, case, steps)
    if case.bound < best.target:
        assert way(best, case, 100_000) == np.inf
    assert best.value == pytest.approx(best_cost(costs, p=p, weights=weights, opening=opening, held=held), rel=CLOSE)
    assert set(held) <= set(best.sites.tolist())


class Deaf(Best):
    """Keeps the value it began with."""

    def found(self, sites: NDArray[np.int64], value: float) -> None:
        pass


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("count", "price", "held"),
    [
        pytest.param(6, 0.0, [], id="median"),
        pytest.param(9, 0.0, [3, 4, 5, 6], id="median, some held"),
        pytest.param(None, 40.0, [], id="as many as pay"),
        pytest.param(None, 40.0, [7, 8], id="as many as pay, some held"),
        pytest.param(None, 5000.0, [], id="one"),
    ],
)
@pytest.mark.parametrize("steps", [0, 60, 400])
def test_what_is_settled_is_settled_rightly(
    count: int | None, price: float, held: list[int], way: Way, steps: int
) -> None:
    """With a value that the optimum alone betters: no site of it is shut, all that must be open are its own, and it is found."""
    settled = 0
    for seed in range(8 if steps else 2):
        costs, opening = graph(seed, 50), np.full(50, price) + np.arange(50) % 7
        optimum = fixed_charge(costs, opening, p=count, held=held)
        problem = Problem(costs=costs.T.copy(), opening=opening, count=count, held=np.isin(np.arange(50), held))
        best = Deaf(problem, np.arange(9), optimum.value + 1.0)
        case = whole_case(best)
        raise_bound(best, case, steps)
        assert case.bound <= optimum.value + 1e-6
        assert not case.shut[optimum.sites].any()
        assert set(np.flatnonzero(case.must)) <= set(optimum.sites.tolist())
        settled += int(case.shut.sum() + case.must.sum()) - len(held)
        hearing = Best(problem, np.arange(9), optimum.value + 1.0)
        assert way(hearing, case, 100_000) == np.inf
        assert hearing.value == optimum.value == problem.value(hearing.sites)
        assert set(held) <= set(hearing.sites.tolist())
    assert settled > (8 * 20 if steps == 400 else -1)


@pytest.mark.parametrize("way", WAYS)
def test_a_held_site_that_serves_nobody_takes_a_place_all_the_same(way: Way) -> None:
    costs, weights = plane(15, 60, 20)
    costs[:, 1] = costs[:, 0]
    problem = Problem(
        costs=np.ascontiguousarray((costs * weights[:, None]).T),
        opening=np.zeros(20), count=4, held=np.arange(20) < 2,
    )  # fmt: skip
    best = Best(problem, np.arange(4), problem.value(np.arange(4)))
    assert way(best, whole_case(best), 100_000) == np.inf
    assert best.sites[:2].tolist() == [0, 1]
    assert best.value == pytest.approx(best_cost(costs, p=4, weights=weights, held=[0, 1]), rel=CLOSE)


def test_a_case_with_a_single_choice_left_is_looked_at() -> None:
    costs = graph(1, 20)
    problem = Problem(costs=costs, opening=np.zeros(20), count=2, held=np.zeros(20, dtype=bool))
    best = Best(problem, np.array([0, 1]), 1e9)
    case = whole_case(best)
    case.must[[4, 9]] = True
    case.shut = ~case.must
    assert branch(best, case, 1) == np.inf
    assert best.sites.tolist() == [4, 9]
    assert best.value == problem.value(best.sites)


def test_without_effort_sites_are_found_and_not_proven() -> None:
    costs, weights = plane(6, 200, 80)
    found = p_median(costs, 7, weights=weights, effort=Effort(shakes=0, steps=0, nodes=0, entries=0))
    assert not found.proven
    assert found.bound == pytest.approx(float((costs.min(axis=1) * weights).sum()))
    assert found.bound < p_median(costs, 7, weights=weights).value <= found.value
    assert found.gap == pytest.approx(1 - found.bound / found.value)


def test_a_search_that_is_cut_short_says_so_and_its_bound_still_holds() -> None:
    """Costs without any geometry are the hardest."""
    costs = np.random.default_rng(3).random((40, 30))
    best = best_cost(costs, p=6)
    for nodes, entries in ((1, 0), (5, 0), (1, 100_000)):
        cut = p_median(costs, 6, effort=Effort(steps=100, nodes=nodes, entries=entries))
        assert cut.bound <= best * (1 + CLOSE) <= cut.value * (1 + 2 * CLOSE)
        assert not cut.proven
        assert cut.gap > 0.01


def test_a_bound_on_whole_numbers_is_a_whole_number_below_what_is_not_proven() -> None:
    costs = np.rint(100 * np.random.default_rng(3).random((40, 30)))
    cut = p_median(costs, 6, effort=Effort(steps=100, nodes=1, entries=0))
    assert not cut.proven
    assert cut.bound == round(cut.bound) < cut.value
    assert cut.bound <= p_median(costs, 6).value


def test_coverage_that_is_not_proven_has_a_bound_above_it() -> None:
    rng = np.random.default_rng(2)
    costs, weights = rng.random((80, 40)), rng.gamma(1.0, 50.0, 80)
    best = most_covered(costs, 0.1, p=6, weights=weights)
    cut = maximal_covering(costs, 0.1, 6, weights=weights, effort=Effort(steps=100, nodes=1, entries=0))
    assert not cut.proven
    assert cut.value <= best * (1 + CLOSE)
    assert best < cut.bound < weights.sum()
