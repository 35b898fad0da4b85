"""How many replications are enough: until the interval is narrow enough, and stays so for a while."""

from collections.abc import Callable, Sequence

from sim.statistics.intervals import Interval, t_interval

LEAST = 3
"""Replications before an interval is believed at all (Robinson 2004, Simulation: The Practice of Model Development and Use)."""

AHEAD = 5
"""Further replications for which the interval must stay narrow, where there are up to a hundred of them
(Hoad, Robinson and Davies 2010, Automated selection of the number of replications for a discrete-event simulation)."""


def look_ahead(n: int) -> int:
    """For how many further replications the precision must hold after `n`: more after more than a hundred (same source)."""
    return AHEAD if n <= 100 else AHEAD * n // 100


def relative_half_width(found: Interval) -> float:
    """Half-width of an interval as a share of its mean; infinite while there is none, 0 where nothing varies."""
    if not found.half:
        return 0.0
    return found.half / abs(found.mean) if found.mean else float("inf")


class Precision:
    """Told one value after the other, says when they suffice.

    Parameters
    ----------
    share
        The half-width that is asked for, as a share of the mean.
    interval
        Makes an interval of values.

    Attributes
    ----------
    values
        What it has been told.
    reached
        Whether they suffice.
    found
        The interval of them all; None before there are two.
    """

    def __init__(self, share: float, interval: Callable[[Sequence[float]], Interval] = t_interval) -> None:
        if not 0.0 < share < 1.0:
            raise ValueError(f"Expected a precision above 0 and below 100 %, got {100 * share:g} %.")
        self._share, self._interval = share, interval
        self._since: int | None = None
        self.values: list[float] = []
        self.reached = False
        self.found: Interval | None = None

    def add(self, value: float) -> bool:
        """Take the next value; returns whether there are enough."""
        self.values.append(value)
        n = len(self.values)
        if n < 2:
            return False
        self.found = self._interval(self.values)
        if n < LEAST or relative_half_width(self.found) > self._share:
            self._since = None
            return False
        if self._since is None:
            self._since = n
        self.reached = n >= self._since + look_ahead(self._since)
        return self.reached
