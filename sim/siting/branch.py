"""What the bound leaves open, case by case: with this candidate and without it."""

from dataclasses import replace
from typing import Final

import numpy as np

from sim.siting.bound import Best, Case, raise_bound

_STEPS: Final = 60
_SIZE: Final = 0.5
_PATIENCE: Final = 8
_HALVINGS: Final = 4
"""Subgradient steps in each case, their first size, how long they are kept without progress, and how often they are halved
(judgement: the prices of the case it came from are good ones, so few and small steps will do)."""


def branch(best: Best, case: Case, nodes: int) -> float:
    """Split a case, and the halves again, until each holds nothing better; return the bound of what is left.

    Depth first, so that few cases are open at a time; the half that the relaxed problem favours comes first. Split is at the
    candidate that it opens nearest to half of the time.

    Parameters
    ----------
    nodes
        Most cases looked at.

    Returns
    -------
    float
        Choices of the case that are better than the best so far cost at least this; infinite where there are none.
    """
    open_cases, looked = [case], 0
    while open_cases and looked < nodes:
        now = open_cases.pop()
        if now.bound >= best.target:
            continue
        if looked:
            raise_bound(best, now, _STEPS, size=_SIZE, patience=_PATIENCE, halvings=_HALVINGS)
        looked += 1
        if now.bound < best.target:
            open_cases.extend(_halves(best, now))
    return min((left.bound for left in open_cases if left.bound < best.target), default=np.inf)


def _halves(best: Best, case: Case) -> list[Case]:
    free = np.flatnonzero(~(case.must | case.shut))
    count, must = best.problem.count, np.flatnonzero(case.must)
    if not len(free):
        # A single choice is left; a case whose number of sites does not come out holds none.
        if len(must) and count in (None, len(must)):
            best.found(must, best.problem.value(must))
        return []
    at = free[int(np.abs(case.often[free] - 0.5).argmin())]
    opened, closed = case.must.copy(), case.shut.copy()
    opened[at], closed[at] = True, True
    halves = [replace(case, shut=closed), replace(case, must=opened)]
    return halves if case.often[at] >= 0.5 else halves[::-1]
