"""What the figures of a summary mean: a short name, how to write the figure, and one sentence for a newcomer."""

from collections.abc import Mapping
from typing import Final

from sim.report.bench_words import BENCHES
from sim.report.cost_words import COSTS
from sim.report.drift_words import DRIFT
from sim.report.driver_words import DRIVERS
from sim.report.fault_words import FAULT_WORDS, fault_said
from sim.report.floor_words import FLOOR
from sim.report.forecast_words import FORECAST
from sim.report.formulas import working
from sim.report.goods_words import GOODS
from sim.report.loss_words import LOSSES
from sim.report.metric import Metric
from sim.report.platform_words import PLATFORM, further
from sim.report.reasons import CAUSE_WORDS, OBJECTS, PAGE_WORDS, REASONS
from sim.report.return_words import RETURNS
from sim.report.signal_words import SIGNALS
from sim.report.support_words import SUPPORT
from sim.vocabulary import InputError


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
    **PLATFORM,
    **FLOOR,
    **BENCHES,
    **DRIVERS,
    **RETURNS,
    **SUPPORT,
    **SIGNALS,
    **FORECAST,
    **GOODS,
    **COSTS,
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
    "utilisation.pickers": Metric(
        "pickers busy", "share", "Share of pickers' time on shift with an order, or counting by plan."
    ),
    "utilisation.drivers": Metric(
        "drivers busy",
        "share",
        "Share of drivers' time on shift from accepting an order to its handover, or until what was not taken is handed in.",
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
    "fill_rate": Metric("fill rate", "share", "Share of the units wanted that stock could provide at once."),
    "sales.units_wanted": Metric(
        "units wanted", "count", "Units of goods in placed orders; of a goods-only run, all wanted."
    ),
    "sales.units_denied": Metric("denied by the record", "count", "Units wanted that the records did not have."),
    "sales.units_short": Metric(
        "not found on the shelf", "count", "Units wanted that the records had and nobody found on the shelf."
    ),
    "sales.backorders_mean": Metric(
        "units waited for", "rate", "Units that customers wait for, on average over time; only with unmet: backorder."
    ),
    **DRIFT,
    **LOSSES,
    "cost.total_cents": Metric(
        "total cost",
        "money",
        "Everything that people, stores, packaging, payments and platform cost, and goods thrown away, lost and held.",
    ),
    "cost.per_order_cents": Metric("cost per order", "money", "Total cost for each delivered order."),
    "revenue_cents": Metric("revenue", "money", "What customers were charged, fees included, less what was refunded."),
    "tax_cents": Metric("tax", "money", "Tax contained in the revenue, whether prices include it or it comes on top."),
    "discount_cents": Metric(
        "discounts", "money", "What promotion codes took off the bills of orders that paid or were delivered."
    ),
    "fees_cents": Metric(
        "fees",
        "money",
        "Delivery and small-order fees billed to orders that paid or were delivered, without a tax on top.",
    ),
    "orders.offered": Metric("wanted to order", "count", "Customers who opened the app to place an order."),
    "orders.entered": Metric("placed", "count", "Orders that were placed."),
    "orders.rejected": Metric("turned away", "count", "Customers who could not place an order."),
    "orders.delivered": Metric("delivered", "count", "Orders handed over at the door."),
    "orders.cancelled": Metric("cancelled", "count", "Orders that ended without a delivery after they were placed."),
    "orders.payment_failed": Metric(
        "payment failed",
        "count",
        "Orders that ended unpaid: the customer could not pay, or no provider took the money.",
    ),
    "orders.open": Metric("still open at the close", "count", "Orders that had not ended when the run closed."),
    "refunds.orders": Metric(
        "refunded, wholly or in part", "count", "Orders for which money went back to the customer."
    ),
    "refunds.cents": Metric("refunds", "money", "Money that went back to customers."),
}
"""Every key of summary.json that a service level may name, and a few beside."""


def words(name: str) -> str:
    """Turn a name without an entry of its own into words."""
    return name.replace("_", " ").replace(".", ", ")


def metric_of(name: str) -> Metric:
    """What is known of a metric; a figure nobody described is called by its name."""
    return METRICS.get(name) or Metric(words(name), "rate", "")


def explain(name: str) -> str:
    """Say what a metric means, and how, in which unit and where it is worked out; of a group, as `floor`, each in a line.

    Parameters
    ----------
    name
        A key, a group of keys, or what pages and terminal call a figure, a reason, a cause or a fault: ``at the counter``;
        ``faults`` for all kinds of them.

    Raises
    ------
    InputError
        There is none of these; names a close one, and the groups.
    """
    from difflib import get_close_matches

    known = METRICS | further()
    if f"platform.{name}" in known:
        name = f"platform.{name}"
    if name in known:
        metric, how = known[name], working(name, known[name].kind)
        said = [f"{metric.label}: {metric.meaning}", f"  key:     {name}"]
        if how is not None:
            said += [f"  formula: {how.formula}", f"  unit:    {how.unit}", f"  where:   {how.place}"]
        return "\n".join(said)
    if name in OBJECTS:
        return OBJECTS[name]
    of = next((each for each in OBJECTS if name.startswith(f"{each}.")), None)
    if of is not None:
        part = name.removeprefix(f"{of}.")
        return f"{REASONS.get(part) or CAUSE_WORDS.get(part) or words(part)}: a part of {of}. {OBJECTS[of]}"
    if name == "faults":
        return "\n".join(f"{kind}  {said}" for kind, said in FAULT_WORDS.items())
    if name.replace(" ", "_") in FAULT_WORDS:
        return fault_said(name.replace(" ", "_"))
    group = [path for path in METRICS if path.startswith(f"{name}.")]
    if group:
        return "\n".join(f"{path}  {METRICS[path].label}: {METRICS[path].meaning}" for path in group)
    called = _called(name, known)
    if len(called) == 1:
        return explain(called[0])
    if not called and (elsewhere := _elsewhere(name)):
        return elsewhere
    if called:
        return "\n".join(f"{path}  {known[path].label}: {known[path].meaning}" for path in called)
    labels = (metric.label for metric in known.values())
    others = (*REASONS.values(), *CAUSE_WORDS.values(), *PAGE_WORDS)
    close = get_close_matches(name, [*known, *OBJECTS, *FAULT_WORDS, *labels, *others], n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    groups = dict.fromkeys(path.partition(".")[0] for path in METRICS)
    raise InputError(
        f"{name}: expected a figure by its key in summary.json or by its name on a page, or a group of keys, one of: "
        f"{', '.join(groups)}{hint}."
    )


def _called(words: str, known: Mapping[str, Metric]) -> list[str]:
    """The keys of figures that are called so; where none is, of those whose names have these words in them."""
    said = " ".join(words.split()).casefold()
    by_label = {path: metric.label.casefold() for path, metric in known.items()}
    return [path for path, label in by_label.items() if label == said] or [
        path for path, label in by_label.items() if len(said) > 2 and said in label
    ]


def _elsewhere(said: str) -> str | None:
    """What pages call a reason, a cause, or a column that is no figure of its own; None: they call nothing so."""
    said = " ".join(said.split()).casefold()
    if said in PAGE_WORDS:
        return f"{said}: {PAGE_WORDS[said]}"
    for path, called in (("orders.by_reason", REASONS), ("drift.by_cause", CAUSE_WORDS)):
        for part, label in called.items():
            if label.casefold() == said:
                return explain(f"{path}.{part}")
    return None
