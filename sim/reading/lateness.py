"""What made orders late: promises shared out among causes, and what each cause took beyond its share."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sim.reading.paths import Way


class Part(NamedTuple):
    """A cause's part in the lateness of some orders: seconds, below zero where time was made up; `orders` with it above."""

    cause: str
    seconds: float
    orders: int


def usual(ways: Sequence[Way]) -> dict[str, float]:
    """Shares of their time that orders spent by cause: of those that came in time, or of all where none did.

    They add up to one.
    """
    counted = [way for way in ways if way.late_s <= 0.0] or list(ways)
    total = sum(way.delivered_s - way.entered_s for way in counted)
    spent: dict[str, float] = {}
    for way in counted:
        for cause, seconds in way.spent().items():
            spent[cause] = spent.get(cause, 0.0) + seconds
    return {cause: seconds / total for cause, seconds in spent.items()} if total > 0.0 else {}


def overrun(way: Way, shares: Mapping[str, float]) -> dict[str, float]:
    """What each cause took beyond its share of the promise, seconds; they add up to how late the order was.

    Parameters
    ----------
    shares
        As `usual` gives them.
    """
    spent, promise_s = way.spent(), way.promised_s - way.entered_s
    return {cause: spent.get(cause, 0.0) - promise_s * shares.get(cause, 0.0) for cause in {**shares, **spent}}


def main_cause(way: Way, shares: Mapping[str, float]) -> str:
    """The cause that took most beyond its share."""
    parts = overrun(way, shares)
    return max(sorted(parts), key=lambda cause: parts[cause])


def waterfall(ways: Sequence[Way]) -> list[Part]:
    """By cause, what late orders were late by, the largest part first; in sum the lateness of them all.

    Parameters
    ----------
    ways
        Of all delivered orders, or a fair choice: those in time say what is usual.
    """
    shares = usual(ways)
    seconds: dict[str, float] = {}
    orders: dict[str, int] = {}
    for way in ways:
        if way.late_s > 0.0:
            for cause, part in overrun(way, shares).items():
                seconds[cause] = seconds.get(cause, 0.0) + part
                orders[cause] = orders.get(cause, 0) + (part > 0.0)
    parts = [Part(cause, seconds[cause], orders[cause]) for cause in seconds]
    return sorted(parts, key=lambda part: (-part.seconds, part.cause))
