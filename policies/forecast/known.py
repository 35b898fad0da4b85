"""Forecast: none, for the office is told the truth."""

from dataclasses import dataclass

from sim.contracts import ForecastView


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Expect the true mean of an ordinary day, which the world tells: what no real office has.

    It is there as the yardstick for what a forecast is worth, and so that what is said of ordering and counting is not mixed
    up with how well somebody forecasts. It knows each SKU's mean and nothing else: no weekday, no season, no weather, no
    growth; where these matter, an office that looks at its own sales does better.
    """

    @property
    def history_days(self) -> int:
        """It looks at no sales."""
        return 0

    def __call__(self, view: ForecastView) -> None:
        return None
