"""What the figures of goods that come back mean."""

from typing import Final

from sim.report.metric import Metric

RETURNS: Final[dict[str, Metric]] = {
    "returns.orders": Metric(
        "brought back, wholly or in part",
        "count",
        "Orders of which a driver brought goods back to the store: nobody opened, or the customer could not show to be of age.",
    ),
    "returns.units": Metric("units brought back", "count", "Units that drivers brought back and handed in."),
    "returns.put_back_units": Metric(
        "units back on the shelf", "count", "Units that were brought back and put on the shelf again."
    ),
    "returns.wasted_units": Metric(
        "units thrown away on return",
        "count",
        "Units that were brought back and thrown away: by default fresh, chilled and frozen goods.",
    ),
}
"""Every key of the object `returns` of summary.json."""
