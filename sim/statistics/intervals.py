"""Confidence intervals for what independent replications found.

Which one for which figure: a mean has Student's t interval; a share one of Wilson's form, which stays within 0 and 1; a
percentile, whose estimates are skewed, a bootstrap interval. What is observed once a replication (the share of days on
which a target was met; the day that is worse than nine of ten) has Wilson's own, and one by order statistics.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LEVEL = 0.95
"""How often an interval should hold the true figure."""

RESAMPLES = 2000
"""Bootstrap samples: the usual number for intervals at 95 % (Efron and Tibshirani 1993, ch. 14: 1,000 at least)."""

FEW = 10
"""With fewer values than this a bootstrap is too short of them: percentiles then have a t interval (judgement)."""


class Interval(NamedTuple):
    """A figure's mean with a two-sided confidence interval; None at both ends where a single value has none."""

    mean: float
    low: float | None
    high: float | None

    @property
    def half(self) -> float:
        """Half of its width; infinite where there is none."""
        return math.inf if self.low is None or self.high is None else (self.high - self.low) / 2.0


def _moments(values: Sequence[float]) -> tuple[int, float, float]:
    """How many, their mean, and the standard error of that mean (0 of a single value)."""
    n = len(values)
    if not n:
        raise ValueError("Expected at least one value, got none.")
    mean = math.fsum(values) / n
    if n == 1:
        return n, mean, 0.0
    return n, mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1) / n)


def t_quantile(n: int, level: float = LEVEL) -> float:
    """Student's t for a two-sided interval of the mean of `n` values."""
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, 0.5 + level / 2))


def t_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Mean and Student's t interval with n - 1 degrees of freedom (Law, Simulation Modeling and Analysis, 5th ed., 9.4)."""
    n, mean, error = _moments(values)
    if n == 1:
        return Interval(mean, None, None)
    half = t_quantile(n, level) * error
    return Interval(mean, mean - half, mean + half)


def wilson(met: int, of: int, level: float = LEVEL) -> Interval:
    """Share `met / of` of independent trials with Wilson's score interval (Wilson 1927)."""
    from scipy.special import ndtri

    if not 0 <= met <= of or not of:
        raise ValueError(f"Expected a count of 1 or more trials, got {met} of {of}.")
    return _score(met / of, float(of), float(ndtri(0.5 + level / 2)))


def share_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Mean of shares, one a replication, with an interval that stays within 0 and 1.

    The orders of a day depend on each other, so that a day of n orders is worth fewer. How many all days are worth is read off
    from how the shares scatter, m (1 - m) / error^2, and Wilson's interval taken for as many trials, with Student's t
    (Korn and Graubard 1998; Franco, Little, Louis and Slud 2019, on intervals for shares in clustered samples).
    """
    n, mean, error = _moments(values)
    if n == 1:
        return Interval(mean, None, None)
    if not error or not 0.0 < mean < 1.0:
        half = t_quantile(n, level) * error
        return Interval(mean, mean - half, mean + half)
    return _score(mean, mean / error * ((1.0 - mean) / error), t_quantile(n, level))


def _score(share: float, trials: float, z: float) -> Interval:
    middle = (share + z * z / (2.0 * trials)) / (1.0 + z * z / trials)
    half = z * math.sqrt(share * (1.0 - share) / trials + (0.5 * z / trials) ** 2) / (1.0 + z * z / trials)
    return Interval(share, min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share))


def bootstrap_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Mean with the bias-corrected and accelerated bootstrap interval (Efron 1987).

    The same values have the same interval always. Fewer than ten values, or such as are all the same, have the t interval.
    """
    data = np.asarray(values, dtype=np.float64)
    if len(data) < FEW or not float(np.ptp(data)):
        return t_interval(values, level)
    from scipy.special import ndtr, ndtri

    n, mean = len(data), float(data.mean())
    draws = np.random.default_rng(n).integers(0, n, size=(RESAMPLES, n))
    means = np.sort(data[draws].mean(axis=1))
    below = (np.count_nonzero(means < mean) + 0.5 * np.count_nonzero(means == mean)) / RESAMPLES
    bias = float(ndtri(min(max(below, 0.5 / RESAMPLES), 1.0 - 0.5 / RESAMPLES)))
    # Leaving one value out moves a mean by a share of what that value lacks to it: the jackknife's skewness is the data's.
    away = data - mean
    acceleration = float((away**3).sum() / (6.0 * (away**2).sum() ** 1.5))
    ends = []
    for tail in ((1.0 - level) / 2.0, (1.0 + level) / 2.0):
        z = bias + float(ndtri(tail))
        ends.append(float(np.quantile(means, ndtr(bias + z / (1.0 - acceleration * z)))))
    return Interval(mean, *ends)


def quantile_interval(values: Sequence[float], share: float, level: float = LEVEL) -> Interval:
    """The value that a share of independent values do not exceed, with an interval by two of them (order statistics).

    Free of any assumption on their distribution (David and Nagaraja 2003, Order Statistics, 7.1). An end for which there are
    too few values is None.
    """
    from scipy.special import bdtr

    if not 0.0 < share < 1.0 or not len(values):
        raise ValueError(f"Expected a share between 0 and 1 of one or more values, got {share} of {len(values)}.")
    ordered, n = sorted(values), len(values)
    tail = (1.0 - level) / 2.0
    # P(the k-th smallest <= quantile) = P(Binomial(n, share) >= k).
    lower = [k for k in range(1, n + 1) if bdtr(k - 1, n, share) <= tail]
    upper = [k for k in range(1, n + 1) if 1.0 - bdtr(k - 1, n, share) <= tail]
    found = float(np.quantile(ordered, share))
    return Interval(found, ordered[lower[-1] - 1] if lower else None, ordered[upper[0] - 1] if upper else None)
