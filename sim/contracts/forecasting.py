"""What a forecast sees and decides: sales by calendar day as the records have them, and what is expected of the days to come."""

from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

from numpy.typing import NDArray

from sim.vocabulary import StoreId

HISTORY_DAYS_MAX: Final = 56
"""Days of sales that the office keeps at most: eight weeks."""


class ForecastView(NamedTuple):
    """One store at the beginning of a day, or later that day: what it sold until the day before.

    What was sold is not what was wanted: of an empty shelf, or one whose record says so, nothing is sold, and nobody notes who
    would have bought.
    """

    store: StoreId
    now_s: float
    weekdays: NDArray[Any]
    """Of each day of the history, Monday is 0: int64 (days,), oldest first; the last one is yesterday."""
    sold: NDArray[Any]
    """Units sold on each of these days by the records, int64 (days, skus)."""
    open_share: NDArray[Any]
    """How much of each day's opening hours the history covers, float64 (days,): 1 for a whole day, 0 for none."""
    believed: NDArray[Any]
    """What the office believed to sell on an ordinary day before it had sold any, float64 (skus,)."""
    ahead: NDArray[Any]
    """Weekdays of the days to forecast, today first, int64 (ahead,)."""


class SalesHistory(NamedTuple):
    """Sales of all stores by calendar day, oldest first; see `ForecastView`."""

    weekdays: NDArray[Any]
    sold: NDArray[Any]
    """Integers (days, stores, skus)."""
    open_share: NDArray[Any]


class Forecast(Protocol):
    """Units expected to be sold on each of the days ahead, float64 (ahead, skus), finite and not negative.

    None: the true mean of an ordinary day, which no real office is told. `history_days`: days of sales it wants to see, 0 to 56.
    """

    @property
    def history_days(self) -> int: ...
    def __call__(self, view: ForecastView) -> NDArray[Any] | None: ...


@runtime_checkable
class TrainedForecast(Forecast, Protocol):
    """A `Forecast` that learns from another run: `trained` gives the one that is asked, from sales of the run `trained_on`."""

    @property
    def trained_on(self) -> str:
        """A finished run's folder, relative to the scenario file (or, from the command line, to the working folder).

        A parameter of the policy: it is read where the policy is named, as in `name(trained_on=FOLDER)`.
        """

    def trained(self, history: SalesHistory) -> Forecast: ...
