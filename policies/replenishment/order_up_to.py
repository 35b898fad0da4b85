"""Replenishment: periodic review, order up to a level."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts import ReplenishmentView


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUpTo:
    """Every review, raise each SKU's inventory position to expected demand over review + lead time plus safety stock.

    Level S = mu + z * sqrt(mu), at least `units_min`, with mu = daily demand x (review + lead) in days: the periodic
    (R, S) policy for Poisson demand (Silver, Pyke, Thomas, *Inventory and Production Management*, 4th ed., ch. 6).
    `every_s`: review period, seconds. `z`: safety factor (2.33 covers 99 % of cycles). `units_min`: units always shown.
    """

    every_s: float = 86_400.0
    z: float = 2.33
    units_min: int = 3

    def __post_init__(self) -> None:
        if not self.every_s > 0:
            raise ValueError(f"Expected every_s > 0, got {self.every_s}.")
        if not isfinite(self.z):
            raise ValueError(f"Expected a finite z, got {self.z}.")
        if self.units_min < 0:
            raise ValueError(f"Expected units_min >= 0, got {self.units_min}.")

    def __call__(self, view: ReplenishmentView) -> NDArray[Any]:
        mean = view.daily_demand * ((self.every_s + view.lead_time_s) / 86_400.0)
        level = np.maximum(np.ceil(mean + self.z * np.sqrt(mean)), self.units_min).astype(np.int64)
        return np.asarray(np.maximum(level - view.on_hand - view.on_order, 0))
