"""Replenishment: (s, S), order up to S what has fallen to s."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.replenishment import Covering
from sim.contracts import ReplenishmentView


@dataclass(frozen=True, slots=True, kw_only=True)
class SS(Covering):
    """Raise a SKU's inventory position to S when a review finds it at s or below; leave all others alone.

    s = mu + z * sqrt(mu), at least `units_min`, with mu the expected demand over review and lead time; S = s + demand over
    `cycle_days`, at least s + 1 (Silver, Pyke, Thomas, *Inventory and Production Management*, 4th ed., ch. 6). Where
    `order_up_to` orders every SKU that sold anything, this orders few lines, each of several days' demand: it is there for
    lines that cost something to order, carry and put away. `every_s`: review period, seconds. `z`: safety factor.
    """

    cycle_days: float = 3.0

    def __post_init__(self) -> None:
        Covering.__post_init__(self)
        if not 0 <= self.cycle_days <= 366:
            raise ValueError(f"Expected cycle_days from 0 to 366, got {self.cycle_days}.")

    def __call__(self, view: ReplenishmentView) -> NDArray[Any]:
        low = self.cover(view)
        high = low + np.maximum(np.ceil(view.daily_demand * self.cycle_days), 1).astype(np.int64)
        position = view.on_hand + view.on_order
        return np.where(position <= low, high - position, 0)
