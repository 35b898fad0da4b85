"""The best of many: go on only with those that may still be it.

`KimNelson` is the fully sequential procedure KN++ of Kim and Nelson (2006), On the asymptotic validity of fully sequential
selection procedures, with variances brought up to date at every stage. The same days for all (common random numbers) are
exploited: its measure is the variance of differences.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np


class KimNelson:
    """Told a figure of every one still in play, stage by stage, puts out those that are beaten.

    The smallest is the best. With chance `level` the last one in play is the best, where it is better than all others by the
    indifference zone at least.

    Parameters
    ----------
    names
        The alternatives.
    zone
        The difference worth telling, in the figure's own unit.
    level
        The promised chance of a correct selection.
    first
        Stages before anybody is put out; ten at least make the promise hold (same source).

    Attributes
    ----------
    left
        Who is in play.
    values
        Of each, the figures of its stages.
    """

    def __init__(self, names: Sequence[str], zone: float, level: float = 0.95, first: int = 10) -> None:
        if len(names) < 2:
            raise ValueError(f"Expected two alternatives or more, got {len(names)}.")
        if not 0.0 < zone < math.inf:
            raise ValueError(f"Expected an indifference zone above 0, got {zone:g}.")
        if not 1.0 / len(names) < level < 1.0:
            raise ValueError(f"Expected a chance above {1.0 / len(names):g} and below 1, got {level:g}.")
        if first < 3:
            raise ValueError(f"Expected three stages or more before the first screening, got {first}.")
        self._zone, self._first, self._all = zone, first, len(names)
        self._miss = 1.0 - level
        self.left = list(names)
        self.values: dict[str, list[float]] = {name: [] for name in names}

    @property
    def stage(self) -> int:
        """How many figures each one in play has given."""
        return len(self.values[self.left[0]])

    @property
    def chosen(self) -> str | None:
        """The one that is left; None while there are several."""
        return self.left[0] if len(self.left) == 1 else None

    def add(self, figures: Mapping[str, float]) -> list[str]:
        """Take the next figure of everyone in play; returns who is put out by it."""
        for name in self.left:
            self.values[name].append(figures[name])
        n = self.stage
        if n < self._first:
            return []
        # h^2 = 2 eta (n - 1), with the chance of a miss shared among k - 1 rivals, who need not be independent.
        beta = 2.0 * self._miss / (self._all - 1)
        h2 = (n - 1) * (beta ** (-2.0 / (n - 1)) - 1.0)
        data = np.array([self.values[name] for name in self.left])
        means = data.mean(axis=1)
        beaten = []
        for one, name in enumerate(self.left):
            apart = data[one] - data
            spread = apart.var(axis=1, ddof=1)
            slack = np.maximum(self._zone / (2.0 * n) * (h2 * spread / self._zone**2 - n), 0.0)
            worse = means[one] - means > slack
            # Where no slack is left two that are equal would both stay for ever: the first of them is as good.
            equal = (means[one] == means) & (slack <= 0.0) & (np.arange(len(self.left)) < one)
            if (worse | equal).any():
                beaten.append(name)
        self.left = [name for name in self.left if name not in beaten]
        return beaten

    def best(self) -> str:
        """The one with the smallest mean of those in play."""
        return min(self.left, key=lambda name: math.fsum(self.values[name]) / len(self.values[name]))
