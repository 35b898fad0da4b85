"""Forecast: what was sold on the same day of the week."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.forecast import WEEK, WEEKS_MAX, check_belief, with_belief
from sim.contracts import ForecastView


@dataclass(frozen=True, slots=True, kw_only=True)
class NaiveSeasonal:
    """Expect of each day what the same day of the week has sold, on average over the last weeks.

    The seasonal naive method (Hyndman, Athanasopoulos, *Forecasting: Principles and Practice*, 3rd ed., sec. 5.2), with more
    than one season averaged because a SKU sells few units a day. It is there as what every forecast has to beat, and what a
    spreadsheet does. `weeks`: how many, 1 to 8. `belief_units`: how much the office's first belief weighs, as if so many units
    had been sold at its rate; 0: only until the weekday has been seen once.
    """

    weeks: int = 4
    belief_units: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.weeks <= WEEKS_MAX:
            raise ValueError(f"Expected 1 <= weeks <= {WEEKS_MAX}, got {self.weeks}.")
        check_belief(self.belief_units)

    @property
    def history_days(self) -> int:
        """So many whole weeks."""
        return self.weeks * WEEK

    def __call__(self, view: ForecastView) -> NDArray[np.float64]:
        found = np.empty((len(view.ahead), len(view.believed)))
        for row, weekday in enumerate(view.ahead.tolist()):
            same = view.weekdays == weekday
            days = float(view.open_share[same].sum())
            found[row] = (
                with_belief(view.sold[same].sum(axis=0), days, view.believed, self.belief_units)
                if days
                else view.believed
            )
        return found
