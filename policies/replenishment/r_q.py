"""Replenishment: (R, Q), whole packs of what has fallen to the reorder point."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.replenishment import Covering
from sim.contracts import ReplenishmentView


@dataclass(frozen=True, slots=True, kw_only=True)
class RQ(Covering):
    """Order a SKU in whole packs of `pack` units, as many as lift its inventory position above the reorder point.

    R = mu + z * sqrt(mu), at least `units_min`, with mu the expected demand over review and lead time: the (R, nQ) policy
    (Silver, Pyke, Thomas, *Inventory and Production Management*, 4th ed., ch. 6). It is there for suppliers who sell by the
    case, which no other policy does. `every_s`: review period, seconds. `z`: safety factor.
    """

    pack: int = 6

    def __post_init__(self) -> None:
        Covering.__post_init__(self)
        if not 1 <= self.pack <= 1_000_000:
            raise ValueError(f"Expected pack from 1 to 1,000,000, got {self.pack}.")

    def __call__(self, view: ReplenishmentView) -> NDArray[Any]:
        below = np.maximum(self.cover(view) + 1 - view.on_hand - view.on_order, 0)
        return np.asarray((below + self.pack - 1) // self.pack * self.pack)
