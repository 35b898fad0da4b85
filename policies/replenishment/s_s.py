"""Replenishment: (s, S), order up to S what has fallen to s."""

from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts import ReplenishmentView


@dataclass(frozen=True, slots=True, kw_only=True)
class SS:
    """Raise a SKU's inventory position to S when a review finds it at s or below; leave all others alone.

    s = mu + z * sqrt(mu), at least `units_min`, with mu the expected demand over review and lead time; S = s + demand over
    `cycle_days`, at least s + 1 (Silver, Pyke, Thomas, *Inventory and Production Management*, 4th ed., ch. 6). Where
    `order_up_to` orders every SKU that sold anything, this orders few lines, each of several days' demand: it is there for
    lines that cost something to order, carry and put away. `every_s`: review period, seconds. `z`: safety factor.
    """

    every_s: float = 86_400.0
    z: float = 2.33
    cycle_days: float = 3.0
    units_min: int = 3

    def __post_init__(self) -> None:
        if not self.every_s > 0:
            raise ValueError(f"Expected every_s > 0, got {self.every_s}.")
        if not 0 <= self.cycle_days < inf:
            raise ValueError(f"Expected a finite cycle_days >= 0, got {self.cycle_days}.")
        if not isfinite(self.z):
            raise ValueError(f"Expected a finite z, got {self.z}.")
        if self.units_min < 0:
            raise ValueError(f"Expected units_min >= 0, got {self.units_min}.")

    def __call__(self, view: ReplenishmentView) -> NDArray[Any]:
        mean = view.daily_demand * ((self.every_s + view.lead_time_s) / 86_400.0)
        low = np.maximum(np.ceil(mean + self.z * np.sqrt(mean)), self.units_min).astype(np.int64)
        high = low + np.maximum(np.ceil(view.daily_demand * self.cycle_days), 1).astype(np.int64)
        position = view.on_hand + view.on_order
        return np.where(position <= low, high - position, 0)
