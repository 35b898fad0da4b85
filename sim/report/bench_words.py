"""What the figures of packing stations and substitutes mean, in the order in which the page tells them."""

from typing import Final

from sim.report.metric import Metric

BENCHES: Final[dict[str, Metric]] = {
    "packing.wait_s.mean": Metric(
        "wait for a packing station", "time", "Mean time from being brought to the packing stations until one is free."
    ),
    "packing.wait_s.p95": Metric("95 % wait for a station at most", "time", "95th percentile of that wait."),
    "packing.pack_s.mean": Metric(
        "packing", "time", "Mean time at a packing station, the wait for a place at the counter included."
    ),
    "packing.pack_s.p95": Metric("95 % are packed within", "time", "95th percentile of the time at a packing station."),
    "packing.overflow_share": Metric(
        "packed by their pickers",
        "share",
        "Share of the orders brought to the packing stations that found no room there.",
    ),
    "packing.utilisation": Metric(
        "packing stations busy", "share", "Share of opening hours for which packing stations had an order."
    ),
    "substitutions.lines": Metric("lines substituted", "count", "Lines for which something else came."),
    "substitutions.units": Metric("units substituted", "count", "Units that came for others that were not found."),
    "substitutions.cents": Metric("substitutes sold for", "money", "What customers paid for substitutes."),
    "substitutions.refused": Metric(
        "substitutes refused", "count", "Lines for which the customer did not want the substitute."
    ),
    "substitutions.unanswered": Metric(
        "substitutes unanswered", "count", "Lines for which the customer was asked and did not answer in time."
    ),
}
"""Every key of the objects `packing` and `substitutions` of summary.json."""
