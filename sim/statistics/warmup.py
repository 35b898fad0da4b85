"""When a run that started empty has forgotten it, and what one long run is worth: MSER-5 and batch means."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sim.statistics.intervals import LEVEL, Interval, t_interval


class WarmUp(NamedTuple):
    """What MSER-5 found.

    Attributes
    ----------
    cut
        Observations to leave out at the start.
    mean
        Mean of the others.
    settled
        Whether the cut lies in the first half: where it does not, the run is too short to tell (White 1997).
    """

    cut: int
    mean: float
    settled: bool


def mser(values: Sequence[float], batch: int = 5) -> WarmUp:
    """Cut off the start that makes the standard error of what remains least, by means of batches of five.

    Of all cuts d among the batch means, the one with the least sum of (value - mean)^2 over (n - d)^2 (White, Cobb and Spratt
    2000, A comparison of five steady-state truncation heuristics for simulation). Cuts in the last fifth are not looked at,
    where a few values that happen to agree would win.

    Raises
    ------
    ValueError
        There are fewer than ten batches.
    """
    data = np.asarray(values, dtype=np.float64)
    n = len(data) // batch
    if n < 10:
        raise ValueError(f"Expected at least {10 * batch} values, got {len(data)}.")
    means = data[: n * batch].reshape(n, batch).mean(axis=1)
    means_from = means[::-1]
    left = np.arange(1, n + 1)
    sums, squares = np.cumsum(means_from - means.mean()), np.cumsum((means_from - means.mean()) ** 2)
    error = ((squares - sums**2 / left) / left.astype(np.float64) ** 2)[::-1]
    cut = int(np.argmin(error[: n - n // 5]))
    return WarmUp(cut * batch, float(means[cut:].mean()), cut <= n // 2)


class Batches(NamedTuple):
    """The mean of one long run by batches.

    Attributes
    ----------
    found
        Mean with its t interval over the batch means.
    batches, size
        Batches, and observations in each.
    correlated
        Whether neighbouring batches still look alike (von Neumann's ratio, at 5 %): the interval is then too narrow.
    """

    found: Interval
    batches: int
    size: int
    correlated: bool


def batch_means(values: Sequence[float], batches: int = 20, level: float = LEVEL) -> Batches:
    """Mean of a series of dependent observations with an interval by means of non-overlapping batches (Schmeiser 1982).

    Ten to thirty batches are the usual advice (same source). Whether they are long enough is tested by von Neumann's (1941)
    ratio of successive differences, which is about normal with mean 2 where batches are independent. Observations that fill no
    batch are left out at the start.

    Raises
    ------
    ValueError
        There are fewer than two observations for each batch.
    """
    data = np.asarray(values, dtype=np.float64)
    size = len(data) // batches
    if batches < 3 or size < 2:
        raise ValueError(f"Expected 3 or more batches of 2 or more values, got {batches} of {len(data)} values.")
    means = data[len(data) - size * batches :].reshape(batches, size).mean(axis=1)
    return of_batches(means.tolist(), size, level)


def of_batches(means: Sequence[float], size: int, level: float = LEVEL) -> Batches:
    """The same, given the means of the batches and how much is in each."""
    data, batches = np.asarray(means, dtype=np.float64), len(means)
    spread = float(((data - data.mean()) ** 2).sum())
    ratio = float((np.diff(data) ** 2).sum()) / spread if spread else 2.0
    scale = np.sqrt(4.0 * (batches - 2) / (batches**2 - 1.0))
    return Batches(t_interval(list(means), level), batches, size, bool((2.0 - ratio) / scale > 1.645))
