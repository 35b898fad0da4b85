"""Forecast: exponential smoothing with weekly factors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.forecast import WEEK
from sim.contracts import HISTORY_DAYS_MAX, ForecastView

_HARDLY = 0.05
"""Share of a day's opening hours below which its sales say nothing, and factor of a weekday below which it is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExponentialSmoothing:
    """Expect each SKU's level, smoothed exponentially over the days, times what the weekday does to the whole store.

    Simple exponential smoothing of sales from which the weekday was taken out: level += alpha * (sales / factor - level),
    from the office's first belief on; a change of level is made up for by 1 - (1 - alpha)^n after n days (Hyndman,
    Athanasopoulos, *Forecasting: Principles and Practice*, 3rd ed., sec. 8.1 and 8.3). The factors of Holt and Winters are
    smoothed from week to week, factor += gamma * (day / mean of its week - factor), and belong to the store as a whole: a
    SKU's own would be noise (Withycombe 1989, *International Journal of Forecasting* 5). There is no trend: an order lasts for
    a day or two. It is the default's rival for offices that live on their own records. `alpha`: of the level, above 0, at most 1;
    judgement: 0.1, for a SKU sells about one unit a day. `gamma`: of the factors, 0 to 1; 0: all days alike.
    """

    alpha: float = 0.1
    gamma: float = 0.3

    def __post_init__(self) -> None:
        if not 0 < self.alpha <= 1:
            raise ValueError(f"Expected 0 < alpha <= 1, got {self.alpha}.")
        if not 0 <= self.gamma <= 1:
            raise ValueError(f"Expected 0 <= gamma <= 1, got {self.gamma}.")

    @property
    def history_days(self) -> int:
        """All there are: whatever is older has no weight."""
        return HISTORY_DAYS_MAX

    def __call__(self, view: ForecastView) -> NDArray[np.float64]:
        factors = self.factors(view)
        level = np.asarray(view.believed, dtype=np.float64)
        for weekday, sold, share in zip(view.weekdays.tolist(), view.sold, view.open_share.tolist(), strict=True):
            if min(share, factors[weekday]) < _HARDLY:
                continue
            weight = 1.0 - (1.0 - self.alpha) ** share
            level = level + weight * (sold / (factors[weekday] * share) - level)
        return np.outer(factors[view.ahead], level)

    def factors(self, view: ForecastView) -> NDArray[np.float64]:
        """What each weekday does to the store's sales, Monday first, float64 (7,), of mean 1."""
        factors, first = np.ones(WEEK), True
        totals = view.sold.sum(axis=1, dtype=np.float64)
        for end in range(len(totals) % WEEK + WEEK, len(totals) + 1, WEEK) if self.gamma else ():
            week = slice(end - WEEK, end)
            if view.open_share[week].min() < 1.0 - 1e-9 or not totals[week].any():
                continue
            seen = np.empty(WEEK)
            seen[view.weekdays[week]] = totals[week] / totals[week].mean()
            factors, first = (seen if first else factors + self.gamma * (seen - factors)), False
        return factors
