"""Replenishment: (R, Q), whole packs of what has fallen to the reorder point."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts import ReplenishmentView


@dataclass(frozen=True, slots=True, kw_only=True)
class RQ:
    """Order a SKU in whole packs of `pack` units, as many as lift its inventory position above the reorder point.

    R = mu + z * sqrt(mu), at least `units_min`, with mu the expected demand over review and lead time: the (R, nQ) policy
    (Silver, Pyke, Thomas, *Inventory and Production Management*, 4th ed., ch. 6). It is there for suppliers who sell by the
    case, which no other policy does. `every_s`: review period, seconds. `z`: safety factor.
    """

    every_s: float = 86_400.0
    z: float = 2.33
    pack: int = 6
    units_min: int = 3

    def __post_init__(self) -> None:
        if not self.every_s > 0:
            raise ValueError(f"Expected every_s > 0, got {self.every_s}.")
        if self.pack < 1:
            raise ValueError(f"Expected pack >= 1, got {self.pack}.")
        if not isfinite(self.z):
            raise ValueError(f"Expected a finite z, got {self.z}.")
        if self.units_min < 0:
            raise ValueError(f"Expected units_min >= 0, got {self.units_min}.")

    def __call__(self, view: ReplenishmentView) -> NDArray[Any]:
        mean = view.daily_demand * ((self.every_s + view.lead_time_s) / 86_400.0)
        point = np.maximum(np.ceil(mean + self.z * np.sqrt(mean)), self.units_min).astype(np.int64)
        below = np.maximum(point + 1 - view.on_hand - view.on_order, 0)
        return np.asarray((below + self.pack - 1) // self.pack * self.pack)
