"""What the figures about drift mean."""

from typing import Final

from sim.report.metric import Metric

DRIFT: Final[dict[str, Metric]] = {
    "drift.records_inaccurate_share": Metric(
        "records that are wrong", "share", "Share of stock records that differ from the shelf when the run ends."
    ),
    "drift.units_abs": Metric(
        "units off, either way", "count", "Sum of the gaps between record and shelf, signs left aside."
    ),
    "drift.units_net": Metric("units off, net", "signed", "Units on record less units on the shelves."),
    "drift.value_cents": Metric(
        "value of the units off",
        "money",
        "Selling price of the units by which records differ from the shelves, either way.",
    ),
    "drift.phantom_share": Metric(
        "phantom stock", "share", "Share of stock records that offer units of which the shelf holds none."
    ),
    "drift.units_short": Metric(
        "held but not found", "count", "Units that were held for orders and that pickers did not find."
    ),
    "drift.units_unseen": Metric(
        "denied though there", "count", "Units that the record denied although the shelf had them for anybody to buy."
    ),
    "drift.needless_reorder_units": Metric(
        "ordered in vain",
        "count",
        "Units that the stores ordered and would not have ordered, by the same policy, had the records been right.",
    ),
    "drift.lacking_reorder_units": Metric(
        "not ordered in time",
        "count",
        "Units that the stores would have ordered, by the same policy, had the records been right: sold out later, perhaps.",
    ),
}
"""Every figure of the object `drift` of summary.json but the shares of causes."""
