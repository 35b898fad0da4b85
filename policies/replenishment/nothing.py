"""Replenishment: none."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.replenishment import check_review
from sim.contracts import ReplenishmentView


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """Order nothing: the day is served from its opening stock.

    The yardstick for what restocking is worth, and what a test of one day's stock wants. `every_s`: seconds between the
    reviews at which nothing is ordered.
    """

    every_s: float = 86_400.0

    def __post_init__(self) -> None:
        check_review(self.every_s)

    def __call__(self, view: ReplenishmentView) -> NDArray[Any]:
        return np.zeros(len(view.on_hand), dtype=np.int64)
