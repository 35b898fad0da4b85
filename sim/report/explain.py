"""What the figures of a summary mean: a short name, how to write the figure, and one sentence for a newcomer."""

from dataclasses import dataclass
from typing import Final, Literal

from sim.vocabulary import InputError

Kind = Literal["time", "share", "count", "signed", "rate", "money"]
"""How a figure is written: seconds as minutes, shares in per cent, counts (or with a sign), rates, cents as money."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of summary.json: what people call it, how it is written, and what it means."""

    label: str
    kind: Kind
    meaning: str


def _times() -> dict[str, Metric]:
    which = {
        "mean": ("mean", "The mean"),
        "p50": ("half within", "The median"),
        "p90": ("90 % within", "The 90th percentile"),
        "p95": ("95 % within", "The 95th percentile"),
        "p99": ("99 % within", "The 99th percentile"),
    }
    return {
        f"click_to_door_s.{key}": Metric(
            f"click to door ({name})",
            "time",
            f"{how} of the time from placing an order to the handover, over delivered orders.",
        )
        for key, (name, how) in which.items()
    }


def _within() -> dict[str, Metric]:
    return {
        f"within_s.{limit}": Metric(
            f"within {limit // 60} minutes",
            "share",
            f"Share of confirmed orders that were delivered within {limit // 60} minutes of being placed; "
            "an order that was cancelled after its confirmation counts against it.",
        )
        for limit in (900, 1200, 1800)
    }


METRICS: Final[dict[str, Metric]] = {
    **_times(),
    **_within(),
    "on_time": Metric(
        "on time",
        "share",
        "Share of confirmed orders that were delivered no later than the customer had been promised.",
    ),
    "stages_s.checkout": Metric(
        "checkout", "time", "From placing an order to its confirmation: stock held, payment made."
    ),
    "stages_s.wait_pick": Metric("waiting for a picker", "time", "From the confirmation until a picker starts."),
    "stages_s.pick": Metric("picking and packing", "time", "From the picker's start until the order is packed."),
    "stages_s.wait_driver": Metric(
        "waiting for a driver", "time", "From packed until a driver has left with the order."
    ),
    "stages_s.wait_driver_accept": Metric(
        "until one accepts", "time", "Part of the wait for a driver: from packed until a driver has accepted the order."
    ),
    "stages_s.wait_driver_arrive": Metric(
        "until one is there",
        "time",
        "Part of the wait for a driver: packed and accepted, until the driver is there.",
    ),
    "stages_s.wait_driver_handoff": Metric(
        "at the counter",
        "time",
        "Part of the wait for a driver: packed and the driver there, until the driver leaves with it.",
    ),
    "stages_s.ride": Metric("ride and door", "time", "From leaving the store to the handover at the customer's door."),
    "utilisation.pickers": Metric("pickers busy", "share", "Share of pickers' time on shift spent on picking orders."),
    "utilisation.drivers": Metric(
        "drivers busy", "share", "Share of drivers' time on shift from accepting an order to its handover."
    ),
    "utilisation.drivers_riding_empty": Metric(
        "drivers riding empty",
        "share",
        "Share of drivers' time on shift spent on riding to a store or back to one; "
        "the ride to a store for an accepted order counts as busy too.",
    ),
    "orders_per_driver_hour": Metric(
        "orders per driver-hour", "rate", "Delivered orders for each hour of a driver on shift."
    ),
    "fill_rate": Metric("fill rate", "share", "Share of the units wanted in placed orders that stock could provide."),
    "drift.records_inaccurate_share": Metric(
        "stock records that are wrong", "share", "Share of stock records that differ from the shelf when the run ends."
    ),
    "drift.units_abs": Metric(
        "units off, either way", "count", "Sum of the gaps between record and shelf, signs left aside."
    ),
    "drift.units_net": Metric("units off, net", "signed", "Units on record less units on the shelves."),
    "cost.total_cents": Metric(
        "total cost", "money", "Everything that people, stores, packaging, payments and platform cost."
    ),
    "cost.per_order_cents": Metric("cost per order", "money", "Total cost for each delivered order."),
    "revenue_cents": Metric("revenue", "money", "What customers were charged, fees included, less what was refunded."),
    "orders.offered": Metric("wanted to order", "count", "Customers who opened the app to place an order."),
    "orders.entered": Metric("placed", "count", "Orders that were placed."),
    "orders.rejected": Metric("turned away", "count", "Customers who could not place an order."),
    "orders.delivered": Metric("delivered", "count", "Orders handed over at the door."),
    "orders.cancelled": Metric("cancelled", "count", "Orders that ended without a delivery after they were placed."),
    "orders.payment_failed": Metric("payment failed", "count", "Orders that ended because the customer could not pay."),
    "orders.open": Metric("still open at the close", "count", "Orders that had not ended when the run closed."),
    "refunds.orders": Metric(
        "refunded, wholly or in part", "count", "Orders for which money went back to the customer."
    ),
    "refunds.cents": Metric("refunds", "money", "Money that went back to customers."),
}
"""Every key of summary.json that a service level may name, and a few beside."""

REASONS: Final[dict[str, str]] = {
    "out_of_zone": "outside the area served",
    "closed": "stores closed",
    "overloaded": "too busy to take the order",
    "out_of_stock": "nothing of it in stock",
    "customer": "the customer gave up",
    "no_driver": "no driver found",
    "not_found": "not found on the shelf",
    "contention": "stock went to other buyers",
}
"""Why customers were turned away and orders cancelled."""


def words(name: str) -> str:
    """Turn a name without an entry of its own into words."""
    return name.replace("_", " ").replace(".", ", ")


def metric_of(name: str) -> Metric:
    """What is known of a metric; a figure nobody described is called by its name."""
    return METRICS.get(name) or Metric(words(name), "rate", "")


def explain(name: str) -> str:
    """Say what a metric means, in one sentence.

    Raises
    ------
    InputError
        There is no such metric; lists close ones, or all of them.
    """
    from difflib import get_close_matches

    if name in METRICS:
        return f"{METRICS[name].label}: {METRICS[name].meaning}"
    close = get_close_matches(name, METRICS, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    raise InputError(f"{name}: expected one of: {', '.join(METRICS)}{hint}.")
