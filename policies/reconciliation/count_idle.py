"""Reconciliation: count what should have sold and did not."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.reconciliation import Planned
from sim.contracts import CountView


@dataclass(frozen=True, slots=True, kw_only=True)
class CountIdle(Planned):
    """A crew counts every night the SKUs that are on record, sell, and have not moved for suspiciously long.

    What lies in the record and not on the shelf cannot be sold, is not ordered again, and looks healthy for ever: a phantom.
    With demand as a Poisson stream of `units_mean` units a line, nothing moves for d days with the chance exp(-demand d /
    units_mean); below `chance_max` somebody goes and looks. `count_at`: when, every day, "HH:MM". `on_short_pick`: whether
    pickers also count what they do not find.
    """

    chance_max: float = 0.01
    units_mean: float = 1.3

    def __post_init__(self) -> None:
        Planned.__post_init__(self)
        if not 0 < self.chance_max < 1:
            raise ValueError(f"Expected chance_max between 0 and 1, got {self.chance_max}.")
        if not self.units_mean >= 1:
            raise ValueError(f"Expected units_mean >= 1, got {self.units_mean}.")

    def plan(self, view: CountView) -> NDArray[Any]:
        """SKUs on record whose silence has too small a chance."""
        silence = np.exp(-view.daily_demand * view.idle_days / self.units_mean)
        return np.flatnonzero((view.recorded > 0) & (silence < self.chance_max))
