"""Policies of the family `forecast`; see `sim.contracts` for what they see and decide."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts import HISTORY_DAYS_MAX

WEEK = 7
WEEKS_MAX = HISTORY_DAYS_MAX // WEEK


def with_belief(sold: NDArray[Any], days: Any, believed: NDArray[Any], units: float) -> NDArray[np.float64]:
    """Units a day of what sold `sold` units in `days` days and was believed to sell `believed` a day, float64, like `sold`.

    The belief weighs as if `units` had been sold at its rate: the mean of a gamma prior of that shape after Poisson sales
    (Gelman et al., *Bayesian Data Analysis*, 3rd ed., sec. 2.6). So it soon gives way where much is sold, and late where
    little is. Without sales or belief: 0.
    """
    believed_days = np.divide(units, believed, out=np.zeros(believed.shape), where=believed > 0)
    whole = np.asarray(days + believed_days, dtype=np.float64)
    total = np.asarray(sold + units * (believed > 0), dtype=np.float64)
    return np.divide(total, whole, out=np.zeros(np.broadcast_shapes(total.shape, whole.shape)), where=whole > 0)


def check_belief(units: float) -> None:
    """Refuse a weight below nothing."""
    if not units >= 0:
        raise ValueError(f"Expected belief_units >= 0, got {units}.")
