"""What the figures of goods that are lost mean, and those of differences that are put right."""

from typing import Final

from sim.report.metric import Metric

LOSSES: Final[dict[str, Metric]] = {
    "losses.stolen": Metric("units stolen", "count", "Units that were taken from the shelves, and nobody scanned it."),
    "losses.damaged": Metric("units damaged", "count", "Units that broke on the shelves, scanned as such or not."),
    "losses.spoiled": Metric(
        "units thrown away",
        "count",
        "Units that were on the shelves beyond their shelf life; what is thrown away when it comes back from a door is "
        "returns.wasted_units.",
    ),
    "losses.waste_share": Metric(
        "waste",
        "share",
        "Units too old on the shelf for each unit that was picked; without what is thrown away when it comes back from a door, "
        "which is in cost.by_kind.waste.",
    ),
    "losses.broken": Metric("units broken", "count", "Units that broke as they were picked, scanned as such or not."),
    "losses.shrink_share": Metric("shrink", "share", "Units stolen, damaged or broken for each unit that was picked."),
    "reviews.units_corrected": Metric(
        "corrected from the scan log",
        "count",
        "Units by which records were set to the scan log by the job, and to the scan log or a picker's count after a review.",
    ),
    "reviews.flagged": Metric(
        "differences flagged",
        "count",
        "Differences of scan log and record too large for the job, and counts of pickers beyond stores.review.picker_units.",
    ),
    "reviews.reviewed": Metric(
        "differences reviewed", "count", "Flagged differences and counts that somebody has looked into."
    ),
    "reviews.open": Metric(
        "waiting for review", "count", "Flagged differences and counts that nobody had looked into at the close."
    ),
    "reviews.wait_s": Metric(
        "wait for review",
        "time",
        "Mean time from flagging a difference, or a picker's large count, until it was looked into.",
    ),
}
"""Every key of the objects `losses` and `reviews` of summary.json."""
