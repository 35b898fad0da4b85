"""A lower bound by Lagrangian relaxation: what no choice of sites can beat, and which candidates that settles."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.siting.interchange import interchange
from sim.siting.problem import Problem

_AIM: Final = 1.001
_MEMORY: Final = 0.5
_SEARCH_EVERY: Final = 50
_THIN: Final = 0.8
_FADING: Final = 0.95
"""Judgement: how far above the best value steps aim; how much of the last direction is kept in the next (Camerini, Fratta,
Maffioli 1975); after how many steps the relaxed problem's sites are improved by interchange; from which share of candidates
left on the matrix is cut down; and how fast it is forgotten which candidates were opened."""


class Best:
    """The best sites found so far."""

    def __init__(self, problem: Problem, sites: NDArray[np.int64], value: float) -> None:
        self.problem, self.whole = problem, problem.whole()
        self.sites, self.value, self.slack = sites, value, problem.slack(value, self.whole)

    @property
    def target(self) -> float:
        """What better sites have to cost less than."""
        return self.value - self.slack

    def found(self, sites: NDArray[np.int64], value: float) -> None:
        """Take other sites, if they are better."""
        if value < self.value:
            self.sites, self.value, self.slack = np.sort(sites), value, self.problem.slack(value, self.whole)


@dataclass(slots=True, kw_only=True)
class Case:
    """Part of all choices: those that open some candidates and leave others shut.

    `must`, `shut`: the candidates that each choice of the case opens, and that none does, bool (candidates,). `bound`: better
    choices of the case than the best so far cost at least this. `prices`: the multipliers that say so, what each demand point
    would pay, float64 (demand points,). `often`: how often the relaxed problem opened a candidate of late, 0 to 1.
    """

    must: NDArray[np.bool_]
    shut: NDArray[np.bool_]
    prices: NDArray[np.float64]
    often: NDArray[np.float64]
    bound: float = -np.inf


def whole_case(best: Best) -> Case:
    """All choices there are, with prices to begin with: between a demand point's cheapest and second cheapest site."""
    problem, count = best.problem, len(best.problem.costs)
    prices = np.sort(problem.costs[best.sites], axis=0)[:2].mean(axis=0)
    return Case(must=problem.held.copy(), shut=np.zeros(count, dtype=bool), prices=prices, often=np.zeros(count))


def raise_bound(
    best: Best, case: Case, steps: int, *, size: float = 2.0, patience: int = 30, halvings: int = 10
) -> None:
    """Raise a case's bound step by step until nothing better can be in it, or the steps get too small; settle what that settles.

    Relaxed is that each demand point is served exactly once. At prices u a candidate is then worth
    f_j + the sum over i of min(0, c_ij - u_i), and the bound is the sum of u and of the least worths that the case allows. The
    candidates that it opens are sites too, and now and then interchange makes better ones of them.

    Parameters
    ----------
    size
        Of the first steps, as a factor of Polyak's step.
    patience, halvings
        Steps without a better bound before the size is halved, and how often it is halved before that is all.

    Notes
    -----
    G. Cornuejols, M. Fisher, G. Nemhauser (1977), "Location of bank accounts to optimize float: an analytic study of exact and
    approximate algorithms", Management Science 23(8), 789-810. J. Beasley (1993), "Lagrangean heuristics for location problems",
    European Journal of Operational Research 65(3), 383-399.
    """
    last, stale = size * 0.5**halvings, 0
    core = _Core(best.problem, case)
    prices, heading = case.prices.copy(), np.zeros(len(case.prices))
    for step in range(1, steps + 1):
        worth = core.worth(prices)
        chosen = core.choice(worth)
        if chosen is None:
            case.bound = np.inf
            break
        bound = float(prices.sum() + worth[chosen].sum())
        if bound > case.bound:
            case.bound, case.prices, stale = bound, prices.copy(), 0
        else:
            stale += 1
        core.settle(worth, chosen, best.target - bound)
        sites = core.numbers[chosen]
        best.found(sites, best.problem.value(sites))
        if step % _SEARCH_EVERY == 0:
            best.found(*interchange(best.problem, sites))
        if case.bound >= best.target:
            break
        if stale == patience:
            size, stale, prices, heading = size / 2, 0, case.prices.copy(), np.zeros(len(prices))
            if size < last:
                break
            continue
        heading = 1.0 - (core.costs[chosen] < prices).sum(axis=0) + _MEMORY * heading
        length = float(heading @ heading)
        if length == 0.0:
            break
        prices = np.maximum(prices + size * (_AIM * best.value - bound) / length * heading, 0.0)
        core.thin()
    core.tell(case)


class _Core:
    """The candidates of a case that are not settled yet, or open: the matrix shrinks as candidates are shut."""

    def __init__(self, problem: Problem, case: Case) -> None:
        self._count = problem.count
        self.numbers = np.flatnonzero(~case.shut)
        self.costs, self._opening = problem.costs[self.numbers], problem.opening[self.numbers]
        self._must, self._often = case.must[self.numbers], np.zeros(len(self.numbers))
        self._shut = np.zeros(len(self.numbers), dtype=bool)
        self._seen = 0.0

    def worth(self, prices: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self._opening + np.minimum(self.costs - prices, 0.0).sum(axis=1))

    def choice(self, worth: NDArray[np.float64]) -> NDArray[np.int64] | None:
        """What the relaxed problem opens, or None where the case holds no choice at all."""
        must, free = np.flatnonzero(self._must), np.flatnonzero(~(self._must | self._shut))
        ranked = free[np.argsort(worth[free], kind="stable")]
        if self._count is not None:
            more = self._count - len(must)
        else:
            more = max(int((worth[free] < 0).sum()), 1 - len(must))
        if not 0 <= more <= len(ranked):
            return None
        chosen = np.concatenate([must, ranked[:more]])
        self._often *= _FADING
        self._often[chosen] += 1.0
        self._seen = _FADING * self._seen + 1.0
        return chosen

    def settle(self, worth: NDArray[np.float64], chosen: NDArray[np.int64], left: float) -> None:
        """Shut what no better choice opens and hold what each one opens, by how much the bound would rise otherwise.

        Opening one more takes the place of the least worthy chosen, where their number is given, and of nobody else; leaving a
        chosen one shut lets the next best in.
        """
        taken = np.zeros(len(worth), dtype=bool)
        taken[chosen] = True
        others, taken = ~(taken | self._shut), taken & ~self._must
        if self._count is not None:
            enters = float(worth[others].min()) if others.any() else np.inf
            leaves = float(worth[taken].max()) if taken.any() else -np.inf
        elif len(chosen) == 1 and not self._must.any():
            return  # it may be open only because one has to be
        else:
            enters = leaves = 0.0
        self._shut |= others & (worth - leaves >= left)
        self._must |= taken & (enters - worth >= left)

    def thin(self) -> None:
        """Cut the matrix down once enough candidates are shut."""
        if self._shut.sum() > (1.0 - _THIN) * len(self._shut):
            stay = ~self._shut
            self.numbers, self.costs, self._opening = self.numbers[stay], self.costs[stay], self._opening[stay]
            self._must, self._often, self._shut = self._must[stay], self._often[stay], self._shut[stay]

    def tell(self, case: Case) -> None:
        """Write what was settled back to the case."""
        case.shut, case.must = np.ones_like(case.shut), np.zeros_like(case.must)
        case.shut[self.numbers], case.must[self.numbers] = self._shut, self._must
        case.often = np.zeros(len(case.shut))
        case.often[self.numbers] = self._often / max(self._seen, 1.0)
