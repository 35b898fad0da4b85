"""Picking: in waves."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from policies.picking.batch import Batch
from sim.contracts import PickingView, PickTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave(Batch):
    """Orders are released together every `every_s` seconds, and those of a wave go on tours as of `batch`.

    Warehouses that ship by lorry pick in waves to meet its departure (de Koster, Le-Duc, Roodbergen 2007, EJOR 182(2)). Here
    it is the yardstick for `batch`: tours are shorter still, because more orders are there to choose from, but an order waits
    for its wave first, half of `every_s` in the mean, and pickers stand idle until then. `orders_max`, `window_s`, `look` and
    `saving_s_min`: as of `batch`.
    """

    every_s: float = 240.0
    window_s: float = 86_400.0
    look: int = 48

    def __post_init__(self) -> None:
        super(Wave, self).__post_init__()  # a class with slots is made anew, which `super()` does not know
        if not self.every_s >= 1:
            raise ValueError(f"Expected every_s >= 1, got {self.every_s}.")

    def _released_s(self, view: PickingView) -> float:
        return view.now_s - view.now_s % self.every_s

    def __call__(self, view: PickingView) -> int | None:
        waiting = view.waiting
        return 0 if waiting and waiting[0].confirmed_s <= self._released_s(view) else None

    def along(self, first: PickTask, view: PickingView) -> Sequence[int]:
        """Places of the orders of the wave that join the first."""
        until_s = self._released_s(view)
        return self.join(first, view, takewhile(lambda task: task.confirmed_s <= until_s, view.waiting))
