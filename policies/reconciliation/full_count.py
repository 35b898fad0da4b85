"""Reconciliation: count everything every night."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.reconciliation import Planned
from sim.contracts import CountView


@dataclass(frozen=True, slots=True, kw_only=True)
class FullCount(Planned):
    """A crew counts every shelf of every store every night: the most that counting can do, and what that costs.

    `count_at`: when, every day, "HH:MM". `on_short_pick`: whether pickers also count what they do not find.
    """

    def plan(self, view: CountView) -> NDArray[Any]:
        """All SKUs."""
        return np.arange(len(view.daily_demand))
