"""A location problem as the solvers see it: what each candidate costs each demand point, and what may be opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

_RELATIVE: Final = 1e-6
"""How exact a proof is: nothing is better by more than this share of the value. It is what HiGHS itself promises."""

_WHOLE: Final = 0.999
"""Where all costs are whole numbers, what is better is better by 1; a little less here, for rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Open some candidates so that opening them, and serving each demand point from the cheapest of them, costs least.

    With `count` and no opening costs it is the p-median problem, with opening costs and no `count` that of uncapacitated
    facility location.

    `costs`: of serving a demand point from a candidate, weighted, 0 or more, float64 (candidates, demand points).
    `opening`: of opening a candidate, 0 or more, float64 (candidates,). `count`: how many are open, or None for as many as
    pay. `held`: those that are open in any case, bool (candidates,).
    """

    costs: NDArray[np.float64]
    opening: NDArray[np.float64]
    count: int | None
    held: NDArray[np.bool_]

    def value(self, sites: NDArray[np.int64]) -> float:
        """What a choice of sites costs in all."""
        return float(self.costs[sites].min(axis=0).sum() + self.opening[sites].sum())

    def whole(self) -> bool:
        """Whether all costs are whole numbers, so that a bound may be rounded up."""
        return bool((self.costs == np.rint(self.costs)).all() and (self.opening == np.rint(self.opening)).all())

    def slack(self, value: float, whole: bool) -> float:
        """How much less than `value` other sites have to cost to count as better."""
        least = _RELATIVE * max(value, _RELATIVE * float(self.costs.max()))
        return max(least, _WHOLE) if whole else least


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sites:
    """Sites found, and how good any others could be at best: the two are found apart and said apart.

    `sites`: the candidates to open, ascending, those held open among them, int64 (open,). `value`: what they cost in all, or the
    weight they cover. `bound`: no choice costs less, or covers more. `proven`: whether no choice is better by more than a
    millionth (of the cost), or at all where every weighted cost is a whole number below a million. `nearest`: for each
    demand point the candidate that serves it, int64 (demand points,).
    """

    sites: NDArray[np.int64]
    value: float
    bound: float
    proven: bool
    nearest: NDArray[np.int64]

    @property
    def gap(self) -> float:
        """How much better others could be at most, as a share of `value`; 0 where they could not."""
        away = abs(self.value - self.bound)
        return away / self.value if away else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard to search, in steps and never in seconds, so that an answer does not hang on the machine.

    Judgement, all of them: the defaults prove the OR-Library's pmed1-20 in seconds and most cities of a thousand demand
    points and three hundred candidates within a minute. `shakes`: how often the search is thrown out of the best sites it knows.
    `steps`: most subgradient steps for the bound. `nodes`: most cases that branching tells apart, and most nodes of HiGHS.
    `entries`: the largest model given to HiGHS, coefficients; a larger one is left alone. `seed`: of the shakes.
    """

    shakes: int = 60
    steps: int = 3_000
    nodes: int = 2_000
    entries: int = 200_000
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("shakes", "steps", "nodes", "entries", "seed"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 0:
                raise ValueError(f"Expected {name} to be a whole number, 0 or more, got {value!r}.")


def checked_costs(costs: ArrayLike) -> NDArray[np.float64]:
    """Return costs as float64 (demand points, candidates), or raise ValueError."""
    matrix = np.asarray(costs, dtype=np.float64)
    if matrix.ndim != 2 or not matrix.size:
        raise ValueError(f"Expected costs of demand points by candidates, got an array of shape {matrix.shape}.")
    return _checked(matrix, "costs")


def checked_column(values: ArrayLike, name: str, length: int, owner: str) -> NDArray[np.float64]:
    """Return numbers, one per demand point or candidate, as float64 (length,), or raise ValueError."""
    column = np.asarray(values, dtype=np.float64)
    if column.shape != (length,):
        raise ValueError(f"Expected {length} {name}, one per {owner}, got an array of shape {column.shape}.")
    return _checked(column, name)


def checked_weights(weights: ArrayLike | None, length: int) -> NDArray[np.float64]:
    """Return weights of demand points as float64 (length,), 1 each where none are given, or raise ValueError."""
    if weights is None:
        return np.ones(length)
    column = checked_column(weights, "weights", length, "demand point")
    if not column.any():
        raise ValueError("Expected a weight above 0 at some demand point, got 0 at all of them.")
    return column


def checked_held(held: Sequence[int] | NDArray[Any], candidates: int) -> NDArray[np.bool_]:
    """Return which candidates are held open, bool (candidates,), from their numbers, or raise ValueError."""
    numbers, mask = np.asarray(held), np.zeros(candidates, dtype=bool)
    if not numbers.size:
        return mask
    if numbers.ndim != 1 or not np.issubdtype(numbers.dtype, np.integer):
        raise ValueError(f"Expected the numbers of the candidates that are held open, got {held!r}.")
    wrong = numbers[(numbers < 0) | (numbers >= candidates)]
    if len(wrong):
        raise ValueError(f"Expected candidates that are held open from 0 to {candidates - 1}, got {wrong[0]}.")
    mask[numbers] = True
    return mask


def checked_count(p: int, held: NDArray[np.bool_]) -> int:
    """Return how many sites are to be open, or raise ValueError."""
    if isinstance(p, bool) or not isinstance(p, int | np.integer) or not 1 <= p <= len(held):
        raise ValueError(f"Expected p from 1 to {len(held)}, got {p!r}.")
    if p < held.sum():
        raise ValueError(f"Expected p of {held.sum()} or more, as many as are held open, got {p}.")
    return int(p)


def _checked(values: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    wrong = np.argwhere(~(np.isfinite(values) & (values >= 0)))
    if len(wrong):
        at = tuple(wrong[0].tolist())
        raise ValueError(f"Expected {name} to be finite and 0 or more, got {values[at]} at {list(at)}.")
    return values
