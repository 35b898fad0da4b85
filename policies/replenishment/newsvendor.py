"""Replenishment: the newsvendor's critical fractile."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.replenishment import check_review
from sim.contracts import ReplenishmentView


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsvendor:
    """Every review, raise each SKU's inventory position to the stock that balances having too much and too little.

    S = mu + z * sigma with z the normal quantile of penalty / (penalty + holding), mu the expected demand over review and lead
    time, and sigma the larger of Poisson's sqrt(mu) and `cv` * mu (Silver, Pyke, Thomas, *Inventory and Production Management*,
    4th ed., ch. 9). It is there for goods that spoil or sell at a margin one knows, where `order_up_to` asks for a service
    level instead. `every_s`: review period, seconds. `holding`: cost of a unit left over. `penalty`: cost of a unit short;
    of both only the ratio counts. `cv`: coefficient of variation of the forecast's error.
    """

    every_s: float = 86_400.0
    holding: float = 0.1
    penalty: float = 1.0
    cv: float = 0.2

    def __post_init__(self) -> None:
        check_review(self.every_s)
        if not (self.holding > 0 and self.penalty > 0):
            raise ValueError(f"Expected holding and penalty > 0, got {self.holding} and {self.penalty}.")
        if not 1e-9 <= self.penalty / self.holding <= 1e9:
            raise ValueError(
                f"Expected a penalty within 1e9 times holding, or of it, got {self.penalty} and {self.holding}."
            )
        if not 0 <= self.cv <= 100:
            raise ValueError(f"Expected cv from 0 to 100, got {self.cv}.")

    def __call__(self, view: ReplenishmentView) -> NDArray[Any]:
        mean = view.daily_demand * ((self.every_s + view.lead_time_s) / 86_400.0)
        spread = np.maximum(np.sqrt(mean), self.cv * mean)
        z = NormalDist().inv_cdf(self.penalty / (self.penalty + self.holding))
        level = np.maximum(np.rint(mean + z * spread), 0).astype(np.int64)
        return np.asarray(np.maximum(level - view.on_hand - view.on_order, 0))
