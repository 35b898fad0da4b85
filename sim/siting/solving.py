"""Where to open stores: the p-median, maximal covering and fixed-charge problems, each solved and held against a bound."""

from collections.abc import Sequence
from math import ceil
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.siting.bound import Best, raise_bound, whole_case
from sim.siting.branch import branch
from sim.siting.exact import integer_program
from sim.siting.interchange import greedy, interchange, variable_neighbourhood
from sim.siting.problem import (
    Effort,
    Problem,
    Sites,
    checked_column,
    checked_costs,
    checked_count,
    checked_held,
    checked_weights,
)  # fmt: skip

_EFFORT: Final = Effort()
_ROUNDING: Final = 1e-6
"""What a bound may be off by before it is rounded up to a whole number."""


def p_median(
    costs: ArrayLike,
    p: int,
    *,
    weights: ArrayLike | None = None,
    held: Sequence[int] | NDArray[Any] = (),
    effort: Effort = _EFFORT,
) -> Sites:
    """Open p sites so that the weighted sum of what each demand point's cheapest site costs it is least.

    Parameters
    ----------
    costs
        Of serving a demand point from a candidate, such as travel times, (demand points, candidates).
    p
        How many are open in the end, those held open among them.
    weights
        Of demand points, such as orders a day, (demand points,); 1 each where none are given.
    held
        Numbers of candidates that are open in any case, such as the stores there are.
    effort
        How hard to search.

    Raises
    ------
    ValueError
        If costs or weights are not finite or below 0, or p is not from the number held open to that of candidates.

    Notes
    -----
    S. Hakimi (1964), "Optimum locations of switching centers and the absolute centers and medians of a graph", Operations
    Research 12(3), 450-459. C. ReVelle, R. Swain (1970), "Central facilities location", Geographical Analysis 2(1), 30-42.
    """
    return fixed_charge(costs, np.zeros(checked_costs(costs).shape[1]), p=p, weights=weights, held=held, effort=effort)


def fixed_charge(
    costs: ArrayLike,
    opening: ArrayLike,
    *,
    p: int | None = None,
    weights: ArrayLike | None = None,
    held: Sequence[int] | NDArray[Any] = (),
    effort: Effort = _EFFORT,
) -> Sites:
    """Open as many sites as pay (or p of them), so that opening them and serving each demand point costs least in all.

    Parameters
    ----------
    opening
        What a candidate costs to open, in the unit of weight times cost, (candidates,). That of candidates held open counts too,
        and changes nothing.
    p
        How many are open in the end, those held open among them; None for as many as pay, and at least one.
    costs, weights, held, effort
        As for `p_median`.

    Raises
    ------
    ValueError
        As for `p_median`, or if opening costs are not finite or below 0.

    Notes
    -----
    The uncapacitated facility location problem: D. Erlenkotter (1978), "A dual-based procedure for uncapacitated facility
    location", Operations Research 26(6), 992-1009. Solved as the p-median is, which is the case of p given and
    nothing to pay.
    """
    matrix = checked_costs(costs)
    points, candidates = matrix.shape
    is_held = checked_held(held, candidates)
    problem = Problem(
        costs=np.ascontiguousarray((matrix * checked_weights(weights, points)[:, None]).T),
        opening=checked_column(opening, "opening costs", candidates, "candidate"),
        count=None if p is None else checked_count(p, is_held),
        held=is_held,
    )
    best, bound, proven = _solved(problem, effort)
    return Sites(sites=best.sites, value=best.value, bound=bound, proven=proven, nearest=_nearest(matrix, best.sites))


def maximal_covering(
    costs: ArrayLike,
    radius: float,
    p: int,
    *,
    weights: ArrayLike | None = None,
    held: Sequence[int] | NDArray[Any] = (),
    effort: Effort = _EFFORT,
) -> Sites:
    """Open p sites so that the weight of the demand points with a site within the radius is greatest.

    Parameters
    ----------
    radius
        The cost up to which, and at which, a demand point counts as covered.
    costs, p, weights, held, effort
        As for `p_median`.

    Returns
    -------
    Sites
        `value` is the weight covered, and `bound` the most that could be. `nearest` is the cheapest site also where it is farther
        than the radius.

    Raises
    ------
    ValueError
        As for `p_median`, or if the radius is below 0, not finite, or so small that no candidate covers anything.

    Notes
    -----
    R. Church, C. ReVelle (1974), "The maximal covering location problem", Papers of the Regional Science Association 32,
    101-118. It is the p-median problem of costs 0 and 1, within the radius and beyond (Church, ReVelle 1976, "Theoretical and
    computational links between the p-median, location set-covering, and the maximal covering location problem", Geographical
    Analysis 8(4), 406-415), and is solved as that; demand points that the same candidates cover are taken as one.
    """
    matrix = checked_costs(costs)
    points, candidates = matrix.shape
    load, is_held = checked_weights(weights, points), checked_held(held, candidates)
    count = checked_count(p, is_held)
    nearest_of_all = float(matrix[load > 0].min())
    if not np.isfinite(radius) or radius < nearest_of_all:
        raise ValueError(
            f"Expected a radius within which some candidate covers some demand, {nearest_of_all:g} or more, got {radius:g}."
        )
    covers = matrix <= radius
    _, first, group = np.unique(np.packbits(covers, axis=1), axis=0, return_index=True, return_inverse=True)
    missed = np.bincount(group.ravel(), load)
    problem = Problem(
        costs=np.ascontiguousarray((~covers[first] * missed[:, None]).T),
        opening=np.zeros(candidates), count=count, held=is_held,
    )  # fmt: skip
    best, bound, proven = _solved(problem, effort, program_first=True)
    total, value = float(load.sum()), float(load[covers[:, best.sites].any(axis=1)].sum())
    most = value if bound == best.value else max(value, total - bound)
    return Sites(sites=best.sites, value=value, bound=most, proven=proven, nearest=_nearest(matrix, best.sites))


def _nearest(matrix: NDArray[np.float64], sites: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(sites[matrix[:, sites].argmin(axis=1)])


def _solved(problem: Problem, effort: Effort, *, program_first: bool = False) -> tuple[Best, float, bool]:
    """The best sites found, a lower bound on the cost of any, and whether the two meet.

    From the cheap to the dear, and no further than needed: greedy adding, interchange and shakes, the bound, then branching and
    HiGHS. Branching is the faster one by far where costs differ; where they are 0 or 1 the relaxation is weak, and HiGHS's
    cutting planes are not.
    """
    generator = np.random.Generator(np.random.PCG64(effort.seed))
    sites, value = interchange(problem, greedy(problem))
    best = Best(problem, *variable_neighbourhood(problem, sites, value, effort.shakes, generator))
    case = whole_case(best)
    raise_bound(best, case, effort.steps)
    bound = case.bound
    for program in (program_first, not program_first):
        if bound < best.target:
            by = (
                integer_program(best, case, effort.nodes, effort.entries)
                if program
                else branch(best, case, effort.nodes)
            )
            bound = max(bound, by)
    plain = float(problem.costs.min(axis=0).sum() + problem.opening[problem.held].sum())
    bound = max(bound, plain)
    to_the_unit = best.whole and best.slack < 1.0
    if bound >= best.target:
        # What is left out of a proof, choices better by less than the slack, is no part of the bound.
        return best, best.value if to_the_unit else max(plain, best.target), True
    return best, min(float(ceil(bound - _ROUNDING)), best.value - 1.0) if to_the_unit else bound, False
