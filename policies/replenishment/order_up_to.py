"""Replenishment: periodic review, order up to a level."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.replenishment import Covering
from sim.contracts import ReplenishmentView


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUpTo(Covering):
    """Every review, raise each SKU's inventory position to expected demand over review + lead time plus safety stock.

    Level S = mu + z * sqrt(mu), at least `units_min`, with mu = daily demand x (review + lead) in days: the periodic
    (R, S) policy for Poisson demand (Silver, Pyke, Thomas, *Inventory and Production Management*, 4th ed., ch. 6).
    `every_s`: review period, seconds. `z`: safety factor (2.33 covers 99 % of cycles). `units_min`: units always shown.
    """

    def __call__(self, view: ReplenishmentView) -> NDArray[Any]:
        return np.asarray(np.maximum(self.cover(view) - view.on_hand - view.on_order, 0))
