"""How long pickers take: hands, walk, whose hands they are, and who else is in the aisles.

What a pick takes is the sum of four parts: hands, walk, entering zones, and what is lost to others. Pickers are slowed where
they meet: blocking grows with the number of pickers for each aisle (Gue, Meller, Skufca 2006, The effects of pick density on
order picking areas with narrow aisles, IIE Transactions 38(10); with passing, Parikh, Meller 2009, IIE Transactions 41(3)).
Here, how many others are at work when a pick begins, times how likely one of them is to be in the same aisle, times a share of
the time in the aisles (`stores.layout.blocking`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.clock import Clock, Timer
from sim.facts import Facts
from sim.operations.walks import Walks
from sim.ports import PickJob
from sim.story import Story
from sim.streams import quantised, quick
from sim.vocabulary import OrderId, PickerId, PickStage, quantise


class Draws(NamedTuple):
    """What is known of the pick of every order before the clock starts; read by order."""

    noise: Any
    """The factor on it all."""
    walk_s: Any
    """Seconds walked on a tour for it alone, with the noise."""
    zones_s: Any
    """Seconds to enter zones, likewise."""
    slowed: Any
    """Share of the time in the aisles that each other picker at work costs on such a tour."""


def draws_of(noise: NDArray[np.float64], walks: Walks | None, blocking: float) -> Draws:
    """The draws of a run; without walks, nothing is walked and nobody met."""
    if walks is None:
        nothing = quick(np.zeros(len(noise)))
        return Draws(quick(noise), nothing, nothing, nothing)
    walk_s = np.asarray(walks.order_s) - walks.zones_s
    return Draws(
        quick(noise),
        quick(quantised(walk_s * noise)),
        quick(quantised(walks.zones_s * noise)),
        quick(quantised(walks.order_met * blocking)),
    )


class Took(NamedTuple):
    """Seconds of a tour, in all and of each order: the pace of each, and equal parts of walk, zones and blocking."""

    tour_s: float
    paces: Sequence[float]
    walk_s: float
    zones_s: float
    crowd_s: float


class Pace:
    """Seconds that picks take in one store.

    Parameters
    ----------
    pick_s
        Expected seconds for so many lines and units, without the walk.
    per_line_s
        Those of a line alone.
    walks
        How far pickers walk; None: it is in `pick_s` already.
    blocking
        Share of the time in the aisles that is lost to each other picker in the same aisle.
    news
        Pickers who are new, and how much longer than the others they take at a time, as a share.
    """

    def __init__(
        self,
        env: Clock,
        pick_s: Callable[[int, int], float],
        per_line_s: float,
        walks: Walks | None,
        blocking: float,
        draws: Draws,
        news: Mapping[PickerId, Callable[[float], float]],
    ) -> None:
        self._env, self._pick_s, self.per_line_s, self.walks, self._news = env, pick_s, per_line_s, walks, news
        self._base_s, self._blocking = pick_s(0, 0), blocking
        self._noise, self._walk_s, self._zones_s, self._slowed = draws
        self._slower = 1.0

    def slow(self, factor: float) -> None:
        """Every pick that begins from now on takes `factor` times as long (scanners fail, lists are on paper)."""
        self._slower *= factor

    def alone(self, job: PickJob, picker: PickerId, others: int) -> tuple[float, float, float, float, float]:
        """One whole order, picked by itself, while so many others are at work.

        Returns seconds in all, the pace of the picker's hands, and of these seconds those walked, those spent on entering
        zones, and those lost to others.
        """
        order = job.order
        pace, walk_s, zones_s = self._noise[order], self._walk_s[order], self._zones_s[order]
        if picker in self._news or self._slower != 1.0:
            factor = self._factor(picker)
            pace, walk_s, zones_s = quantise(pace * factor), quantise(walk_s * factor), quantise(zones_s * factor)
        hands_s = self._pick_s(len(job.held), job.units) * pace
        crowd_s = others * self._slowed[order] * (walk_s + hands_s - self._base_s * pace)
        return quantise(hands_s + walk_s + zones_s + crowd_s), pace, walk_s, zones_s, crowd_s

    def tour(self, jobs: Sequence[PickJob], picker: PickerId, others: float) -> Took:
        """Several orders, or parts of them, on one tour, while so many others are at work."""
        factor, count = self._factor(picker), len(jobs)
        paces = [quantise(self._noise[job.order] * factor) for job in jobs]
        each_s = (self._pick_s(len(job.held), job.units) * pace for job, pace in zip(jobs, paces, strict=True))
        hands_s = sum(each_s, 0.0)
        if self.walks is None:
            return Took(quantise(hands_s), paces, 0.0, 0.0, 0.0)
        mean = sum(paces, 0.0) / count
        skus = self.walks.lines([job.order for job in jobs]) if count > 1 else [sku for sku, _ in jobs[0].held]
        walk_s, zones_s, met = self.walks.past(skus)
        aisles_s = walk_s * mean + hands_s - self._base_s * sum(paces, 0.0)
        each = [
            quantise(part / count) for part in (walk_s * mean, zones_s * mean, others * met * self._blocking * aisles_s)
        ]
        return Took(quantise(hands_s + count * sum(each, 0.0)), paces, *each)

    def _factor(self, picker: PickerId) -> float:
        return self._slower * (1.0 + self._news[picker](self._env.now)) if picker in self._news else self._slower


def spend(env: Clock, facts: Facts, order: OrderId, picker: PickerId, stage: PickStage, spent_s: float) -> Story:
    """A picker with an order in hand spends seconds on something else than fetching what is there."""
    spent_s = quantise(spent_s)
    yield Timer(env, spent_s)
    facts.stage_spent(picker=picker, pick_stage=stage, spent_s=spent_s, order=order)
