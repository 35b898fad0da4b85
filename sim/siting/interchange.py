"""Fast interchange: the best site to add, to drop, or to swap for another, until nothing gets better; and ways out of there."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.siting.problem import Problem

_STILL: Final = 1e-11
"""A move has to gain more than this share of the value, or rounding could go round in circles."""

_SHAKEN_MOST: Final = 12
"""Most sites swapped at random at a time (judgement: with more of them it is a start afresh)."""


def greedy(problem: Problem) -> NDArray[np.int64]:
    """Open what saves most, one after the other, until enough are open or none pays.

    Of coverage it is the greedy adding of Church and ReVelle (1974). Ties go to the candidate named first.
    """
    costs, opening = problem.costs, problem.opening
    sites = np.flatnonzero(problem.held).tolist()
    nearest = costs[sites].min(axis=0) if sites else costs.max(axis=0)
    while problem.count is None or len(sites) < problem.count:
        saves = nearest.sum() - np.minimum(costs, nearest).sum(axis=1) - opening
        saves[sites] = -np.inf
        best = int(saves.argmax())
        if problem.count is None and sites and saves[best] <= 0:
            break
        sites.append(best)
        nearest = np.minimum(nearest, costs[best])
    return np.sort(np.asarray(sites, dtype=np.int64))


def interchange(problem: Problem, sites: NDArray[np.int64]) -> tuple[NDArray[np.int64], float]:
    """Make the best move until there is none; return the sites, ascending, and what they cost.

    With d1 and d2 the cost of a demand point's cheapest and second cheapest open site, opening i gains the sum of (d1 - d_i)+;
    closing r for it then loses, over those that r serves, the sum of min(max(d_i, d1), d2) - d1 (Whitaker 1983). So one pass
    over the matrix prices all swaps. Where the number of sites is given, only swaps are moves.

    Notes
    -----
    R. Whitaker (1983), "A fast algorithm for the greedy interchange for large-scale clustering and median location problems",
    INFOR 21(2), 95-108. M. Resende, R. Werneck (2007), "A fast swap-based local search procedure for location problems",
    Annals of Operations Research 150, 205-230.
    """
    costs, opening, free = problem.costs, problem.opening, problem.count is None
    sites = sites.copy()
    while True:
        value, first, second, serving = _two_nearest(costs, sites)
        value += float(opening[sites].sum())
        gains = first.sum() - np.minimum(costs, first).sum(axis=1) - opening
        gains[sites] = -np.inf
        order = np.argsort(serving, kind="stable")
        busy, starts = np.unique(serving[order], return_index=True)
        losses = np.zeros((len(costs), len(sites)))
        d1 = first[order]
        losses[:, busy] = np.add.reduceat(np.clip(costs[:, order], d1, second[order]) - d1, starts, axis=1)
        losses -= opening[sites]
        losses[:, problem.held[sites]] = np.inf
        swaps = gains[:, None] - losses
        to, off = divmod(int(swaps.argmax()), len(sites))
        best, move = float(swaps[to, off]), "swap"
        if free:
            if gains.max() > best:
                to, best, move = int(gains.argmax()), float(gains.max()), "add"
            saved = _saved(problem, sites, first, second, serving)
            if len(sites) > 1 and saved.max() > best:
                off, best, move = int(saved.argmax()), float(saved.max()), "drop"
        if not best > _STILL * value:
            return np.sort(sites), problem.value(sites)
        if move == "swap":
            sites[off] = to
        else:
            sites = np.append(sites, to) if move == "add" else np.delete(sites, off)


def _two_nearest(
    costs: NDArray[np.float64], sites: NDArray[np.int64]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """The cost of all, of each demand point's cheapest and second cheapest site (infinite where there is none), and the place of
    its cheapest in `sites`.
    """
    served = costs[sites]
    serving = served.argmin(axis=0)
    points = np.arange(served.shape[1])
    first = served[serving, points]
    served[serving, points] = np.inf
    return float(first.sum()), first, served.min(axis=0), serving


def _saved(
    problem: Problem,
    sites: NDArray[np.int64],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    serving: NDArray[np.int64],
) -> NDArray[np.float64]:
    """What closing each site saves, its demand points going to their second cheapest."""
    saved = problem.opening[sites] - np.bincount(serving, second - first, len(sites))
    saved[problem.held[sites]] = -np.inf
    return saved


def shaken(problem: Problem, sites: NDArray[np.int64], moves: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Swap so many sites at random for others; where any number may be open, also open or close some."""
    loose = sites[~problem.held[sites]]
    closed = np.setdiff1d(np.arange(len(problem.costs)), sites)
    most = min(moves, len(loose), len(closed))
    out, into = generator.permutation(loose)[:most], generator.permutation(closed)[:most]
    if problem.count is None:
        whim = int(generator.integers(3))
        out, into = (out if whim != 1 else out[:0]), (into if whim != 2 else into[:0])
    kept = np.union1d(np.setdiff1d(sites, out), into)
    return kept if len(kept) else sites


def variable_neighbourhood(
    problem: Problem, sites: NDArray[np.int64], value: float, shakes: int, generator: np.random.Generator
) -> tuple[NDArray[np.int64], float]:
    """Shake the best sites, a little more each time it leads nowhere, and go down from there; return the best found.

    Notes
    -----
    P. Hansen, N. Mladenovic (1997), "Variable neighborhood search for the p-median", Location Science 5(4), 207-226.
    """
    most = max(2, min(len(sites) // 2, _SHAKEN_MOST))
    moves = 1
    for _ in range(shakes):
        tried, costs = interchange(problem, shaken(problem, sites, moves, generator))
        if costs < value - _STILL * value:
            sites, value, moves = tried, costs, 1
        else:
            moves = moves % most + 1
    return sites, value
