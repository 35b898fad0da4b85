"""What the figures of the support desk mean."""

from typing import Final

from sim.report.metric import Metric

SUPPORT: Final[dict[str, Metric]] = {
    "support.contacts": Metric(
        "wrote to support", "count", "Customers who wrote to support about an order that was late, incomplete or wrong."
    ),
    "support.per_1000": Metric(
        "wrote to support, per 1,000", "rate", "Customers who wrote to support, for every 1,000 delivered orders."
    ),
    "support.answered": Metric("letters answered", "count", "Letters to support that were answered."),
    "support.open": Metric(
        "letters unanswered", "count", "Letters to support that nobody had answered when the run ended."
    ),
    "support.wait_s.mean": Metric(
        "wait for support", "time", "Mean time from writing to support until an agent takes the letter up."
    ),
    "support.wait_s.p95": Metric("95 % wait for support at most", "time", "95th percentile of that wait."),
    "support.refunds": Metric(
        "refunds by staff", "count", "Letters after which staff gave some of an order's price back."
    ),
    "support.refund_cents": Metric(
        "refunded by staff",
        "money",
        "What staff gave back of their own decision: a part of all refunds, beside what goes back by itself.",
    ),
    "support.by_lead": Metric(
        "refunds that needed a lead", "count", "Refunds by staff that were more than an agent may give alone."
    ),
    "support.utilisation": Metric(
        "support agents busy", "share", "Share of the desk's hours that its agents were at a letter."
    ),
}
"""Every key of the object `support` of summary.json."""
