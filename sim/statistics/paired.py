"""Differences between two ways to do a thing, seen on the same days: common random numbers and what they are worth."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from sim.statistics.intervals import LEVEL, Interval, t_interval


class Difference(NamedTuple):
    """What changes from a base to a variant, over paired replications.

    Attributes
    ----------
    base, variant
        The two means.
    change
        Mean of variant - base with its t interval.
    p
        Chance of so large a change, either way, were there none (paired t test); 1 without any change, None of a single pair.
    reduction
        By how much pairing cut the variance: (var(base) + var(variant)) / var(variant - base); infinite where all differ by
        the same, None where nothing varies or a single pair says nothing.
    pairs
        Pairs of replications.
    """

    base: float
    variant: float
    change: Interval
    p: float | None
    reduction: float | None
    pairs: int


def paired(base: Sequence[float], variant: Sequence[float], level: float = LEVEL) -> Difference:
    """Compare two series of the same replications (Law, Simulation Modeling and Analysis, 5th ed., 10.2.1 and 11.2).

    Raises
    ------
    ValueError
        They are not of one length, or empty.
    """
    if len(base) != len(variant):
        raise ValueError(f"Expected as many values of either, got {len(base)} and {len(variant)}.")
    apart = [other - one for one, other in zip(base, variant, strict=True)]
    change, pairs = t_interval(apart, level), len(apart)
    means = math.fsum(base) / pairs, math.fsum(variant) / pairs
    if pairs == 1:
        return Difference(*means, change, None, None, pairs)
    from scipy.special import stdtr

    spread = _variance(apart)
    if spread:
        p = 2.0 * float(stdtr(pairs - 1, -abs(change.mean) / math.sqrt(spread / pairs)))
    else:
        p = 0.0 if change.mean else 1.0
    alone = _variance(base) + _variance(variant)
    return Difference(*means, change, p, alone / spread if spread else math.inf if alone else None, pairs)


def _variance(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)


def holm(p: Sequence[float]) -> list[float]:
    """Adjust the p of several tests at once, so that one false alarm among all of them is as rare as each said (Holm 1979)."""
    order = sorted(range(len(p)), key=lambda place: p[place])
    adjusted, least = [1.0] * len(p), 0.0
    for rank, place in enumerate(order):
        least = max(least, min(p[place] * (len(p) - rank), 1.0))
        adjusted[place] = least
    return adjusted


def pairs_needed(spread: float, distance: float, level: float = LEVEL) -> int:
    """Replications after which an interval's half-width should be below a distance, given the values' standard deviation.

    Found by trying, for Student's t falls with the number itself; at most a million.
    """
    from sim.statistics.intervals import t_quantile

    if not spread:
        return 2
    if not distance:
        return 1_000_000
    low, high = 2, 1_000_000
    while low < high:
        middle = (low + high) // 2
        if t_quantile(middle, level) * spread / math.sqrt(middle) <= distance:
            high = middle
        else:
            low = middle + 1
    return low
