"""Policies of the family `replenishment`; see `sim.contracts` for what they see and decide."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts import ReplenishmentView


@dataclass(frozen=True, slots=True, kw_only=True)
class Covering:
    """What policies share that cover Poisson demand over review and lead time with a safety factor.

    `every_s`: review period, seconds. `z`: safety factor (2.33 covers 99 % of cycles). `units_min`: units always shown.
    """

    every_s: float = 86_400.0
    z: float = 2.33
    units_min: int = 3

    def __post_init__(self) -> None:
        check_review(self.every_s)
        if not 0 <= self.units_min <= 1_000_000:
            raise ValueError(f"Expected units_min from 0 to 1,000,000, got {self.units_min}.")
        if not -10 <= self.z <= 10:
            raise ValueError(f"Expected z from -10 to 10, got {self.z}.")

    def cover(self, view: ReplenishmentView) -> NDArray[Any]:
        """Units of each SKU that last over review and lead time, int64 (skus,): mu + z * sqrt(mu), at least `units_min`."""
        mean = view.daily_demand * ((self.every_s + view.lead_time_s) / 86_400.0)
        return np.maximum(np.ceil(mean + self.z * np.sqrt(mean)), self.units_min).astype(np.int64)


def check_review(every_s: float) -> None:
    """Refuse reviews that come faster than anybody could look."""
    if not every_s >= 1:
        raise ValueError(f"Expected every_s >= 1, got {every_s}.")


def check_costs(order_cost: float, holding_cost_per_unit_day: float) -> None:
    """Refuse costs that make no sense, and those of which an order would last for a lifetime."""
    if not holding_cost_per_unit_day > 0:
        raise ValueError(f"Expected holding_cost_per_unit_day > 0, got {holding_cost_per_unit_day}.")
    if not 0 <= order_cost <= 10_000 * holding_cost_per_unit_day:
        raise ValueError(
            f"Expected order_cost from 0 to what a unit costs in 10,000 days, got {order_cost}"
            f" where it costs {holding_cost_per_unit_day} a day."
        )
