"""How long pickers take: hands, walk, and whose hands they are."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sim.clock import Clock
from sim.operations.walks import Walks
from sim.ports import PickJob
from sim.vocabulary import PickerId, quantise


class Pace:
    """Seconds that picks take in one store.

    Parameters
    ----------
    pick_s
        Expected seconds for so many lines and units, without the walk.
    walks
        How far pickers walk; None: it is in `pick_s` already.
    noise
        Of each order, the factor on it all.
    news
        Pickers who are new, and how much longer than the others they take at a time, as a share.
    """

    def __init__(
        self,
        env: Clock,
        pick_s: Callable[[int, int], float],
        walks: Walks | None,
        noise: Any,
        news: Mapping[PickerId, Callable[[float], float]],
    ) -> None:
        self._env, self._pick_s, self.walks, self._noise, self._news = env, pick_s, walks, noise, news
        self._alone_s = None if walks is None else walks.order_s
        self._slower = 1.0

    def slow(self, factor: float) -> None:
        """Every pick that begins from now on takes `factor` times as long (scanners fail, lists are on paper)."""
        self._slower *= factor

    def alone_s(self, job: PickJob, picker: PickerId) -> float:
        """One whole order, picked by itself."""
        pick_s = self._pick_s(len(job.held), job.units)
        if self._alone_s is not None:
            pick_s += self._alone_s[job.order]
        return self._of(pick_s * self._noise[job.order], picker)

    def tour_s(self, jobs: Sequence[PickJob], picker: PickerId) -> float:
        """Several orders, or parts of them, on one tour."""
        noise, orders = self._noise, [job.order for job in jobs]
        pick_s = sum(self._pick_s(len(job.held), job.units) * noise[job.order] for job in jobs)
        if self.walks is not None:
            walk_s = self.walks.tour_s(orders) if len(jobs) > 1 else self.walks.past_s([sku for sku, _ in jobs[0].held])
            pick_s += walk_s * sum(noise[order] for order in orders) / len(orders)
        return self._of(pick_s, picker)

    def _of(self, pick_s: float, picker: PickerId) -> float:
        if picker in self._news:
            pick_s *= 1.0 + self._news[picker](self._env.now)
        return quantise(pick_s * self._slower)
