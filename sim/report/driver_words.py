"""What the figures of drivers' work and pay, and of surcharges, mean."""

from typing import Final

from sim.report.metric import Metric

DRIVERS: Final[dict[str, Metric]] = {
    "drivers.proposals_refused": Metric(
        "offers that could not be made",
        "count",
        "Offers the dispatch policy wanted that the platform could not make: the order did not wait, the driver was not free, or"
        " his vehicle would not do; story tells of each order why.",
    ),
    "drivers.accepted_share": Metric(
        "offers accepted", "share", "Share of the offers answered, or left unanswered, that drivers accepted.",
    ),
    "drivers.gini_orders": Metric(
        "orders, Gini", "rate",
        "Gini coefficient of orders per hour on shift over drivers: 0, all alike, to 1, one driver has them all.",
    ),
    "drivers.gini_pay": Metric(
        "hourly pay, Gini", "rate", "Gini coefficient of what drivers earn an hour, bonuses and tips included.",
    ),
    "drivers.longest_idle_s": Metric(
        "longest time without work", "time", "The longest time that any driver was on shift without work, at one stretch.",
    ),
    "drivers.guaranteed_share": Metric(
        "at the guaranteed minimum", "share",
        "Share of drivers whose hours, orders and ways brought less than the guaranteed minimum, so that they are paid that.",
    ),
    "drivers.earned_hour_cents.mean": Metric(
        "earned an hour", "money", "What drivers earned, bonuses and tips included, for each hour on shift.",
    ),
    "drivers.earned_hour_cents.p10": Metric(
        "earned an hour (10th percentile)", "money", "A tenth of the drivers earned less than this an hour.",
    ),
    "drivers.earned_hour_cents.p50": Metric(
        "earned an hour (median)", "money", "Half of the drivers earned less than this an hour.",
    ),
    "drivers.ways_cents": Metric(
        "paid for ways", "money", "What drivers were paid by the kilometre to their customers, at drivers.pay.km_cents.",
    ),
    "drivers.tips_cents": Metric("tips", "money", "What customers gave drivers; no cost of the business."),
    "drivers.bonuses_cents": Metric("bonuses", "money", "What drivers were paid on top for orders offered with a bonus."),
    "surcharges.orders": Metric("with a surcharge", "count", "Orders whose customers agreed to a surcharge."),
    "surcharges.cents": Metric("surcharges", "money", "What these customers agreed to on top of the delivery fee."),
    "surcharges.walked_away": Metric("walked away", "count", "Customers who saw a surcharge and went away."),
}  # fmt: skip
"""Every key of the objects `drivers` and `surcharges` of summary.json."""
