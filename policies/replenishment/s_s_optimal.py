"""Replenishment: the (s, S) of least cost, and the exact search that finds it."""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt
from sys import maxsize
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from policies.replenishment import check_costs, check_review
from sim.contracts import ReplenishmentView

_STEP: Final = 1.01
"""Ratio of neighbouring levels of demand for which (s, S) is worked out."""


class Levels(NamedTuple):
    """An (s, S) policy: an inventory position of `low` or less is raised to `high`, any other is left alone."""

    low: int
    high: int
    cost: float
    """What it costs a period in the long run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SSOptimal:
    """Raise a SKU's inventory position to S when a review finds it at s or below, at the s and S that cost least.

    Costs are those of ordering lines, of stock and of units short; demand is Poisson at the rate believed, or wider, and
    `best_levels` finds the exact optimum (Zheng, Federgruen 1991) for each level of demand, in steps of 1 %. It is there for
    stores that know their costs: `s_s` takes a service level and a cycle on trust, and `order_up_to` orders a line of
    whatever sold one unit. A customer here does not wait: a unit short is lost, where the theory owes it and pays anew each
    period, so with lead times of several reviews it errs towards more stock. s is never below 0, for nobody buys what a
    store has none of. Shelf life is no part of it. `every_s`: review period, seconds. `order_cost`: of ordering, checking
    and putting away one line. `holding_cost_per_unit_day`: of a unit on the shelf for a day. `stockout_cost_per_unit`: of a
    unit asked for in vain. All in the same money, of which only the ratios count. `variance_to_mean`: of the demand; 1
    (Poisson) where customers take single units, 2 u - 1 where they take u on average, geometrically.
    """

    every_s: float = 86_400.0
    order_cost: float = 0.25
    holding_cost_per_unit_day: float = 0.01
    stockout_cost_per_unit: float = 1.0
    variance_to_mean: float = 1.0

    def __post_init__(self) -> None:
        check_review(self.every_s)
        check_costs(self.order_cost, self.holding_cost_per_unit_day)
        if not 0 < self.stockout_cost_per_unit <= 1_000_000 * self.holding_cost_per_unit_day:
            raise ValueError(
                "Expected stockout_cost_per_unit > 0 and at most what a unit costs in 1,000,000 days, got"
                f" {self.stockout_cost_per_unit} where it costs {self.holding_cost_per_unit_day} a day."
            )
        if not 1 <= self.variance_to_mean <= 1000:
            raise ValueError(f"Expected 1 <= variance_to_mean <= 1000, got {self.variance_to_mean}.")

    def __call__(self, view: ReplenishmentView) -> NDArray[Any]:
        low, high = self.levels(np.asarray(view.daily_demand, dtype=np.float64), view.lead_time_s)
        position = view.on_hand + view.on_order
        return np.where(position <= low, high - position, 0)

    def levels(
        self, daily_demand: NDArray[np.float64], lead_time_s: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return s and S of each SKU, units, int64 (skus,).

        Parameters
        ----------
        daily_demand
            Expected units sold a day, float64 (skus,).
        lead_time_s
            From ordering to receiving, seconds.
        """
        period_days, lead_days = self.every_s / 86_400.0, round(lead_time_s) / 86_400.0
        sells = daily_demand > 0
        steps = np.rint(np.log(daily_demand, where=sells, out=np.zeros(len(sells))) / np.log(_STEP))
        low, high = np.zeros(len(sells), dtype=np.int64), np.ones(len(sells), dtype=np.int64)
        kinds, kind = np.unique(steps[sells], return_inverse=True)
        best = np.array(
            [
                _cached_levels(
                    self.order_cost, self.holding_cost_per_unit_day * period_days, self.stockout_cost_per_unit,
                    rate * period_days, rate * (period_days + lead_days), self.variance_to_mean,
                )
                for rate in (_STEP**kinds).tolist()
            ],
            dtype=np.int64,
        ).reshape(-1, 2)  # fmt: skip
        low[sells], high[sells] = best[kind, 0], best[kind, 1]
        return low, high


@lru_cache(maxsize=16_384)
def _cached_levels(
    order: float, holding: float, penalty: float, period: float, exposure: float, variance_to_mean: float
) -> tuple[int, int]:
    """Of demand by its means, s at least 0. Stores, days and runs share the answers."""
    demands = demand(period, variance_to_mean), demand(exposure, variance_to_mean)
    best = best_levels(order, holding, penalty, *demands, low_min=0)
    return best.low, best.high


def demand(mean: float, variance_to_mean: float = 1.0) -> NDArray[np.float64]:
    """Probabilities of a demand of 0, 1, 2, ... units, up to where the rest (below 1e-14) no longer counts.

    Poisson where the variance is the mean, negative binomial where it is greater; the sum over several periods is of the
    same kind, with the same ratio. One recursion does for both: P(k) / P(k-1) = (mean + (v - 1) (k - 1)) / (k v).

    Parameters
    ----------
    mean
        Units, above 0.
    variance_to_mean
        v, at least 1.
    """
    v = variance_to_mean
    units = np.arange(1, ceil(mean + 10.0 * sqrt(v * mean) + 40.0 * v), dtype=np.float64)
    ratios = (mean + (v - 1.0) * (units - 1.0)) / (units * v)
    logs = np.concatenate([[0.0], np.cumsum(np.log(ratios))])
    chances = np.exp(logs - logs.max())
    return np.asarray(chances / chances.sum())


def best_levels(
    order_cost: float,
    holding_cost: float,
    penalty_cost: float,
    period: NDArray[np.float64],
    exposure: NDArray[np.float64],
    *,
    low_min: int | None = None,
) -> Levels:
    """Find the (s, S) of least cost a period, under periodic review with what is short owed to the customer.

    With m(j) the expected number of reviews at which the position is j units below S between two orders (the renewal
    masses of the demand a period: m(0) = 1 / (1 - p0), m(j) = m(0) * sum of p_i m(j-i)), M(n) = m(0) + ... + m(n-1) and
    G(y) = E[h (y-D)+ + p (D-y)+] for a position of y units after the review, an (s, S) costs a period

        c(s, S) = (K + sum of m(j) G(S-j) over j < S-s) / M(S-s).

    G is convex with its least at y*. An S >= y* is best served by the largest s < y* with c(s, S) <= G(s), no S with
    G(S) > c is better than a c found, and of two S's the better one is the better one at the other's s already: one way
    up is enough.

    Parameters
    ----------
    order_cost, holding_cost, penalty_cost
        K of an order, h of a unit left at the end of a period, p of a unit owed then.
    period
        Probabilities of a demand of 0, 1, 2, ... units a period; below 1 at 0.
    exposure
        The same of the demand over the lead time and one period more, at the end of which costs are counted: for a lead
        time of L whole periods, of the sum of L + 1 periods' demands.
    low_min
        The least s allowed, if any.

    Returns
    -------
    Levels
        s, S and their cost a period. A position of exactly s is ordered for.

    Notes
    -----
    Y.-S. Zheng, A. Federgruen (1991), "Finding optimal (s, S) policies is about as simple as evaluating a single policy",
    Operations Research 39(4), 654-665. The least s is ours: if the best s is below it, the least s itself is the best of
    those allowed, but its S may be below y*.
    """
    if not 0 <= period[0] < 1:
        raise ValueError(f"Expected demand in some periods, got none with probability {period[0]}.")
    loss, masses = _Loss(holding_cost, penalty_cost, exposure), _Masses(period)
    cheapest = int(np.searchsorted(np.cumsum(exposure), penalty_cost / (penalty_cost + holding_cost)))
    start = cheapest if low_min is None else max(cheapest, low_min + 1)
    least, cost = _down(order_cost, loss, masses, start, low_min)

    # No S from `top` on can be better, no s below `least`: what is to be tried is known.
    top = loss.first_above(cost, start)
    m, total = masses.up_to(top - least), masses.sums(top - least)
    g = loss(np.arange(top, least, -1))  # of top, top - 1, ..., least + 1

    def price(low: int, high: int) -> float:
        return float((order_cost + m[: high - low] @ g[top - high : top - low]) / total[high - low])

    low, best = least, start
    for high in range(start + 1, top):
        if g[top - high] > cost:
            break
        if price(low, high) < cost:
            best = high
            while low + 1 < best and price(low, best) <= g[top - low - 1]:
                low += 1
            cost = price(low, best)
    if low == low_min:
        for high in range(low + 1, start):
            if price(low, high) < cost:
                best, cost = high, price(low, high)
    return Levels(low, best, cost)


def _down(order_cost: float, loss: "_Loss", masses: "_Masses", high: int, low_min: int | None) -> tuple[int, float]:
    """The best s for an S, and its cost: going down, the first s at which a review had better order, or the least allowed."""
    most = maxsize if low_min is None else high - low_min
    depth = 32
    while True:
        depth = min(depth, most)
        m, g = masses.up_to(depth), loss(high - np.arange(depth + 1))
        costs = (order_cost + np.cumsum(m * g[:-1])) / np.cumsum(m)  # of s = high - 1, high - 2, ...
        enough = np.flatnonzero(costs <= g[1:])
        if len(enough) or depth == most:
            at = int(enough[0]) if len(enough) else depth - 1
            return high - 1 - at, float(costs[at])
        depth *= 2


class _Loss:
    """G(y): what stock and debt cost at the end of a period, by the position y of its beginning."""

    def __init__(self, holding: float, penalty: float, exposure: NDArray[np.float64]) -> None:
        self._holding, self._penalty = holding, penalty
        self._mean = float(np.arange(len(exposure)) @ exposure)
        self._left = np.concatenate([[0.0], np.cumsum(np.cumsum(exposure))])
        """Of y = 0, 1, ...: expected units left, E[(y-D)+], the sum of P(D <= k) over k < y."""

    def __call__(self, y: NDArray[np.int64]) -> NDArray[np.float64]:
        last = len(self._left) - 1
        left = np.where(y > last, y - self._mean, self._left[np.clip(y, 0, last)])
        return np.asarray(self._holding * left + self._penalty * (self._mean - y + left))

    def first_above(self, cost: float, y: int) -> int:
        """The first position above y, itself at the best or above, where the loss is greater than a cost."""
        step = 32
        while True:
            more = np.flatnonzero(self(np.arange(y + 1, y + step + 1)) > cost)
            if len(more):
                return y + 1 + int(more[0])
            step *= 2


class _Masses:
    """Renewal masses m(j) of the demand a period, as far as they are asked for."""

    def __init__(self, period: NDArray[np.float64]) -> None:
        self._first = 1.0 / (1.0 - float(period[0]))
        self._weights = (self._first * period)[:0:-1].copy()
        self._known = np.array([self._first])

    def up_to(self, count: int) -> NDArray[np.float64]:
        """m(0), ..., m(count - 1)."""
        had = len(self._known)
        if had < count:
            masses, wide = np.empty(count), len(self._weights)
            masses[:had] = self._known
            for j in range(had, count):
                width = min(j, wide)
                masses[j] = self._weights[wide - width :] @ masses[j - width : j]
            self._known = masses
        return self._known[:count]

    def sums(self, count: int) -> NDArray[np.float64]:
        """M(0), ..., M(count)."""
        return np.concatenate([[0.0], np.cumsum(self.up_to(count))])
