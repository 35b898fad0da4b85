"""Picking: several orders on one tour."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from sim.contracts import PickingView, PickTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A free picker takes the order that has waited longest, and along with it those whose lines lie on the way.

    The savings heuristic with a seed (Clarke, Wright 1964; de Koster, van der Poort, Wolters 1999, IJPR 37(7)): again and again
    the order that joins is the one that saves most walking against a tour of its own, as long as it saves `saving_s_min` seconds.
    More lines an hour for a longer wait of each order: it pays when many wait. `orders_max`: totes on the cart.
    `window_s`: only orders confirmed within so many seconds of the first, either way. `look`: how many of the queue's oldest
    are weighed.
    """

    orders_max: int = 4
    window_s: float = 300.0
    look: int = 12
    saving_s_min: float = 10.0

    def __post_init__(self) -> None:
        if not self.orders_max >= 1:
            raise ValueError(f"Expected orders_max >= 1, got {self.orders_max}.")
        if not self.look >= 0:
            raise ValueError(f"Expected look >= 0, got {self.look}.")
        if not (self.window_s >= 0 and self.saving_s_min >= 0):
            raise ValueError(f"Expected window_s and saving_s_min >= 0, got {self.window_s} and {self.saving_s_min}.")

    def __call__(self, view: PickingView) -> int | None:
        return 0 if view.waiting else None

    def along(self, first: PickTask, view: PickingView) -> Sequence[int]:
        """Places of the orders that join the first, best saving first; ties to the one that has waited longest."""
        return self.join(first, view, view.waiting)

    def join(self, first: PickTask, view: PickingView, waiting: Iterable[PickTask]) -> Sequence[int]:
        """As `along`, of those of the queue that are `waiting` to be picked by now: its oldest."""
        near = {
            place: task
            for place, task in enumerate(islice(waiting, self.look))
            if abs(task.confirmed_s - first.confirmed_s) <= self.window_s
        }
        alone_s = {place: view.walk_s([task]) for place, task in near.items()}
        tasks, walk_s, chosen = [first], view.walk_s([first]), list[int]()
        while near and len(tasks) < self.orders_max:
            together_s = {place: view.walk_s([*tasks, task]) for place, task in near.items()}
            saving_s, place = max((walk_s + alone_s[place] - together_s[place], -place) for place in near)
            place = -place
            if saving_s < max(self.saving_s_min, 1e-9):
                break
            tasks.append(near.pop(place))
            walk_s = together_s[place]
            chosen.append(place)
        return chosen
