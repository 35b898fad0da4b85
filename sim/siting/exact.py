"""The rest by an integer program: what the bound could not settle goes to HiGHS."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.siting.bound import Best, Case

_SCALE: Final = 1e4
"""What the best sites cost in the units given to HiGHS, whose tolerances are absolute (1e-6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """Rows with at least `least` on their left, over candidates first and steps of demand points then."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    entries: NDArray[np.float64]
    least: NDArray[np.float64]
    prices: NDArray[np.float64]
    constant: float


def integer_program(best: Best, case: Case, nodes: int, entries: int) -> float:
    """Look for better sites in a case with HiGHS, where the model is small enough; return the bound of what is left, as `branch`.

    The radius formulation: let a demand point's different costs rise D_1 < D_2 < ..., and z_k be 1 if no site costs it D_k or
    less. It then pays D_1 + the sum of (D_k+1 - D_k) z_k, and z_k-1 - z_k is at most the sum of y_j over the candidates at D_k.
    A demand point with price u_i pays at most u_i + (what better sites cost at most) - (the bound) in any better choice, so
    dearer levels are left out. Of coverage it is Church and ReVelle's model, with two levels.

    Notes
    -----
    G. Cornuejols, G. Nemhauser, L. Wolsey (1980), "A canonical representation of simple plant location problems and its
    applications", SIAM Journal on Algebraic and Discrete Methods 1(3), 261-272. S. Garcia, M. Labbe, A. Marin (2011), "Solving
    large p-median problems with a radius formulation", INFORMS Journal on Computing 23(4), 546-556.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    left = np.flatnonzero(~case.shut)
    model = _model(best, case, left)
    if model is None:
        return np.inf
    if len(model.entries) > entries:
        return case.bound
    shape = (len(model.least), len(model.prices))
    matrix = coo_array((model.entries, (model.rows, model.columns)), shape=shape).tocsr()
    count, is_site = best.problem.count, np.zeros(shape[1], dtype=np.int64)
    is_site[: len(left)] = 1
    number = LinearConstraint(is_site[None, :], 1 if count is None else count, np.inf if count is None else count)
    low = np.zeros(shape[1])
    low[: len(left)] = case.must[left]
    unit = _SCALE / best.value if best.value > 0 else 1.0
    answer = milp(
        model.prices * unit, integrality=is_site, bounds=Bounds(low, np.ones(shape[1])),
        constraints=[LinearConstraint(matrix, model.least, np.full(shape[0], np.inf)), number],
        options={"node_limit": nodes, "mip_rel_gap": 0.0},
    )  # fmt: skip
    if answer.x is not None:
        sites = left[answer.x[: len(left)] > 0.5]
        best.found(sites, best.problem.value(sites))
    if answer.status in (0, 2):
        return np.inf  # solved, or nothing better there
    if answer.mip_dual_bound is None:
        return case.bound
    return max(case.bound, float(answer.mip_dual_bound) / unit + model.constant)


def _model(best: Best, case: Case, left: NDArray[np.int64]) -> _Model | None:
    """The model of a case over the candidates left, or None where some demand point finds none near enough."""
    problem = best.problem
    costs, must = problem.costs[left], case.must[left]
    farthest = costs.max(axis=0)
    far = np.minimum(case.prices + (best.target - case.bound), farthest)
    if must.any():
        far = np.minimum(far, costs[must].min(axis=0))
    if (costs.min(axis=0) > far).any():
        return None
    order = np.argsort(costs, axis=0, kind="stable")
    ranked = np.take_along_axis(costs, order, axis=0)
    near = ranked <= far
    starts = near.copy()
    starts[1:] &= ranked[1:] > ranked[:-1]
    # One row per demand point and level, counted demand point by demand point: everything below is in that order.
    near, starts, order, ranked = near.T, starts.T, order.T, ranked.T
    row_of = np.cumsum(starts).reshape(starts.shape) - 1
    levels = ranked[starts]
    first = np.zeros(len(levels), dtype=bool)
    first[row_of[:, 0]] = True
    last = np.append(first[1:], True)
    # The last level has no step: who gets this far has a site there. Where it is the dearest of all, that goes without saying.
    said = levels < np.repeat(farthest, starts.sum(axis=1))
    step = np.cumsum(~last) - 1 + len(left)
    steps, later = np.flatnonzero(~last), np.flatnonzero(~first)
    rows = np.concatenate([row_of[near], steps, later])
    columns = np.concatenate([order[near], step[steps], step[later - 1]])
    entries = np.concatenate([np.ones(int(near.sum()) + len(steps)), -np.ones(len(later))])
    kept = said[rows]
    return _Model(
        rows=(np.cumsum(said) - 1)[rows[kept]], columns=columns[kept], entries=entries[kept],
        least=first[said].astype(np.float64),
        prices=np.concatenate([problem.opening[left], levels[steps + 1] - levels[steps]]),
        constant=float(levels[first].sum()),
    )  # fmt: skip
