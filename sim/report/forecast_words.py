"""What the figures of the forecasts mean."""

from typing import Final

from sim.report.metric import Metric

FORECAST: Final[dict[str, Metric]] = {
    "forecast.wape": Metric(
        "forecast off, by article",
        "share",
        "Units by which the day's forecasts of each article were off, either way, for each unit sold; of slow sellers even the "
        "true mean is far off, so hold it against that of forecast=known.",
    ),
    "forecast.total_wape": Metric(
        "forecast off, by store",
        "share",
        "Units by which the forecasts of a store's whole day were off, either way, for each unit sold.",
    ),
    "forecast.bias": Metric(
        "forecast too high",
        "share",
        "Units expected beyond those sold, as a share of them; below zero, too few were expected.",
    ),
}
"""Every key of the object `forecast` of summary.json."""
