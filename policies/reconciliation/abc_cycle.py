"""Reconciliation: ABC cycle counting."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.reconciliation import Planned
from sim.contracts import CountView


@dataclass(frozen=True, slots=True, kw_only=True)
class AbcCycle(Planned):
    """A crew counts what sells much often and what sells little seldom, some of each class every night.

    ABC cycle counting (Silver, Pyke, Thomas, *Inventory and Production Management*, 4th ed.): class A are the SKUs that make
    the first `a_share` of demand, B those up to `b_share`, C the rest; each is counted once in `a_days`, `b_days` or
    `c_days`. Records go wrong with sales, so most of what a full count finds is found for a fraction of its price.
    `count_at`: when, every day, "HH:MM". `on_short_pick`: whether pickers also count what they do not find.
    """

    a_days: int = 7
    b_days: int = 30
    c_days: int = 90
    a_share: float = 0.6
    b_share: float = 0.9

    def __post_init__(self) -> None:
        # By name: a dataclass with slots is made anew, and `super()` would still look at the old one.
        Planned.__post_init__(self)
        if not 1 <= self.a_days <= self.b_days <= self.c_days:
            raise ValueError(
                f"Expected 1 <= a_days <= b_days <= c_days, got {self.a_days}, {self.b_days}, {self.c_days}."
            )
        if not 0 <= self.a_share <= self.b_share <= 1:
            raise ValueError(f"Expected 0 <= a_share <= b_share <= 1, got {self.a_share}, {self.b_share}.")

    def plan(self, view: CountView) -> NDArray[Any]:
        """The SKUs whose turn it is: the n-th of the store's SKUs by demand on every `days`-th day after day n."""
        order = np.argsort(-view.daily_demand, kind="stable")
        sold = np.cumsum(view.daily_demand[order])
        before = (sold - view.daily_demand[order]) / max(float(sold[-1]), 1e-300)
        days = np.where(before < self.a_share, self.a_days, np.where(before < self.b_share, self.b_days, self.c_days))
        return np.sort(order[(np.arange(len(order)) + view.day) % days == 0])
