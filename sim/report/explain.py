"""What the figures of a summary mean: a short name, how to write the figure, and one sentence for a newcomer."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from sim.report.bench_words import BENCHES
from sim.report.cost_words import COSTS
from sim.report.drift_words import DRIFT
from sim.report.driver_words import DRIVERS
from sim.report.floor_words import FLOOR
from sim.report.forecast_words import FORECAST
from sim.report.formulas import working
from sim.report.goods_words import GOODS
from sim.report.loss_words import LOSSES
from sim.report.metric import Kind, Metric
from sim.report.reasons import OBJECTS, REASONS
from sim.report.return_words import RETURNS
from sim.report.signal_words import SIGNALS
from sim.report.support_words import SUPPORT
from sim.vocabulary import InputError, Svc


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


_ASKED: Final = {
    "user": ("user requests", "users' requests of all kinds"),
    "endpoints.catalogue": ("GET inventory", "reads of what a store has"),
    "endpoints.place_order": ("POST orders", "placing an order, its checkout screen included"),
    "endpoints.order_status": ("GET order status", "reads of an order's state"),
    "endpoints.drivers_nearby": ("GET drivers nearby", "questions for drivers nearby"),
    "endpoints.home": ("home screen", "views of the home screen, until its slowest part that is waited for is there"),
    "endpoints.reserve": ("internal reserve", "calls of the saga that reserve stock"),
    **{
        f"services.{service.name.lower()}": (
            f"{service.name.lower()} service",
            f"calls to the {service.name.lower()} service",
        )
        for service in Svc
    },
}


def _platform() -> dict[str, Metric]:
    found = {}
    for key, (label, what) in _ASKED.items():
        path = f"platform.{key}"
        found[f"{path}.p50_s"] = Metric(f"{label} (median)", "latency", f"Median latency of {what}, on our side.")
        found[f"{path}.p99_s"] = Metric(
            f"{label} (p99)",
            "latency",
            f"Latency that 1 % of {what} exceed, on our side: without the phone's network.",
        )
        found[f"{path}.availability"] = Metric(
            f"{label} answered", "share", f"Share of {what} that were neither refused nor failed."
        )
        if key.startswith("services."):
            found[f"{path}.utilisation"] = Metric(
                f"{label} busy", "share", f"Share of the time of its workers that {what} took, mean over the samples."
            )
    return found


_MOST: Final[tuple[tuple[str, Kind, str], ...]] = (
    ("utilisation", "share", "The largest share of its workers that were busy with {} at a sample."),
    ("queue", "count", "The most of {} that waited at a sample."),
    ("instances", "count", "The most instances that took {} at a sample."),
)


@cache
def further() -> dict[str, Metric]:
    """Figures of the platform's load, which are in summary.json and which nobody asks a level of."""
    found = {}
    for key, (label, what) in _ASKED.items():
        path = f"platform.{key}"
        found[f"{path}.per_s"] = Metric(
            f"{label} a second", "rate", f"How many a second there were of {what}, in the mean."
        )
        if key.startswith("services."):
            for name, kind, meaning in _MOST:
                found[f"{path}.{name}_max"] = Metric(f"{label}, {name} at most", kind, meaning.format(what))
    return found


METRICS: Final[dict[str, Metric]] = {
    **_times(),
    **_within(),
    **_platform(),
    **FLOOR,
    **BENCHES,
    **DRIVERS,
    **RETURNS,
    **SUPPORT,
    **SIGNALS,
    **FORECAST,
    **GOODS,
    **COSTS,
    "platform.user.error_budget_burnt": Metric(
        "error budget burnt", "share", "Failed users' requests as a share of those the target of availability allows."
    ),
    "platform.freshness_s.p50": Metric(
        "stock visible (median)",
        "latency",
        "Median time from a change between sold out and available until browsers see it.",
    ),
    "platform.freshness_s.p99": Metric(
        "stock visible (p99)",
        "latency",
        "Time from a change of stock until browsers see it, which 1 % of changes exceed.",
    ),
    "platform.hit_rate": Metric("cache hit rate", "share", "Share of catalogue reads that the cache answered."),
    "platform.stale_reads_share": Metric(
        "stale reads", "share", "Share of catalogue reads that were shown an older state of a record than the newest."
    ),
    "platform.shown_was_gone_per_1000": Metric(
        "shown, was gone", "rate", "Lines shown as available that the records then denied, for every 1,000 orders."
    ),
    "platform.lines_hidden_per_1000": Metric(
        "there, but hidden",
        "rate",
        "Lines not ordered because they were still shown as sold out, for every 1,000 orders.",
    ),
    "platform.stale_orders.orders": Metric(
        "ordered from stale pages",
        "count",
        "Orders placed from expired pages, which are shown while the circuit breaker on catalogue reads is not closed.",
    ),
    "platform.stale_orders.per_1000": Metric(
        "ordered from stale pages, per 1,000", "rate", "Orders placed from expired pages, for every 1,000 orders."
    ),
    "platform.stale_orders.age_p50_s": Metric(
        "age of stale pages (median)",
        "time",
        "Median age of the oldest expired page that such an order was placed from.",
    ),
    "platform.screens.checkout_short": Metric(
        "checkout screens cut short",
        "count",
        "Checkout screens shown without an optional part that was late at the deadline.",
    ),
    "platform.screens.checkout_short_per_1000": Metric(
        "checkout screens cut short, per 1,000",
        "rate",
        "Checkout screens without an optional part, for every 1,000 orders.",
    ),
    "platform.screens.home_parts_dropped": Metric(
        "home screen parts dropped",
        "count",
        "Optional parts that home screens were shown without because they were late at the deadline (an expected number).",
    ),
    "platform.screens.home_parts_dropped_per_1000": Metric(
        "home screen parts dropped, per 1,000", "rate", "Optional parts dropped, for every 1,000 home screens shown."
    ),
    "platform.fraud.screened": Metric("screened for fraud", "count", "Orders that a fraud policy ruled on."),
    "platform.fraud.fraudsters_orders": Metric(
        "fraudsters' orders", "count", "Screened orders of clients who are fraudsters, as only the scenario knows."
    ),
    "platform.fraud.false_positives": Metric(
        "honest orders accused", "count", "Screened orders of honest clients that were refused or sent to review."
    ),
    "platform.fraud.false_negatives": Metric(
        "fraudsters' orders allowed", "count", "Screened orders of fraudsters that were neither refused nor reviewed."
    ),
    "platform.fraud.false_positive_rate": Metric(
        "false positive rate", "share", "Share of honest clients' screened orders that were refused or sent to review."
    ),
    "platform.fraud.false_negative_rate": Metric(
        "false negative rate", "share", "Share of fraudsters' screened orders that were neither refused nor reviewed."
    ),
    "platform.attacks.asked": Metric("attackers' requests", "count", "Requests of those who attack the platform."),
    "platform.attacks.refused": Metric(
        "attackers' requests refused", "count", "Attackers' requests that a rate limit turned away at the edge."
    ),
    "platform.attacks.refused_share": Metric(
        "attackers refused", "share", "Share of attackers' requests that a rate limit turned away at the edge."
    ),
    "platform.faults.detected_after_s": Metric(
        "time to detect",
        "time",
        "Of each fault: from its beginning to the first alert raised until five minutes after its end. If none was raised but "
        "one was on before, at the first look and until the end, people were looking all the time: 0, and already_on is true.",
    ),
    "platform.faults.recovered_after_s": Metric(
        "time to recover",
        "time",
        "Of each fault: from its beginning until every alert raised because of it, or the one that was already on, is cleared.",
    ),
    "platform.faults.orders_lost": Metric(
        "orders lost",
        "count",
        "Of each fault: orders turned away, cancelled or not paid from its beginning until its end and recovery; not those that"
        " nobody took at the door.",
    ),
    "platform.version_conflicts_per_1000": Metric(
        "version conflicts", "rate", "Reservations that found a record changed by another, for every 1,000 orders."
    ),
    "platform.retries_per_1000": Metric(
        "reservations tried again",
        "rate",
        "Version conflicts after which the order tried again, for every 1,000 orders.",
    ),
    "platform.lock_timeouts": Metric(
        "lock timeouts", "count", "Reservations that gave up waiting for a record's lock."
    ),
    "platform.writes_fenced": Metric(
        "writes fenced off", "count", "Writes refused because their lease had lapsed and gone to another."
    ),
    "platform.holds_expired": Metric(
        "holds expired", "count", "Holds that ended because nobody went on with the order."
    ),
    "platform.confirmations_revoked": Metric(
        "confirmations taken back", "count", "Orders whose customer had been told yes and was then told no."
    ),
    "platform.bus.messages_per_order": Metric(
        "bus messages per order", "rate", "Messages published on the bus for each order placed."
    ),
    "platform.bus.redelivered": Metric(
        "messages redelivered", "count", "Messages that were lost on the way and sent again."
    ),
    "platform.bus.duplicated": Metric("messages duplicated", "count", "Messages that came a second time."),
    "platform.bus.dead": Metric("messages dead-lettered", "count", "Messages given up after their last delivery."),
    "platform.bus.lost": Metric("messages lost", "count", "Messages that died with a broker that alone had them."),
    "platform.bus.lag_max": Metric(
        "most messages under way", "count", "The most messages seen sent and not yet delivered."
    ),
    "platform.breakers.openings": Metric("breaker openings", "count", "How often a circuit breaker opened."),
    "platform.breakers.open_s": Metric("breakers open", "time", "Time that circuit breakers were not closed, summed."),
    "platform.payments.unknown": Metric(
        "charges without answer", "count", "Charges of which the provider did not say in time whether they were made."
    ),
    "platform.payments.late": Metric(
        "charges known late", "count", "Charges that our books learned of by a callback of the provider."
    ),
    "platform.payments.duplicated": Metric(
        "callbacks that were no news", "count", "Callbacks of the provider about charges that our books had."
    ),
    "platform.payments.double_charges": Metric("double charges", "count", "Orders that the provider charged twice."),
    "platform.payments.differing": Metric(
        "books put right", "count", "Charges that differed between our books and the provider's settlement file."
    ),
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
    "orders.payment_failed": Metric("payment failed", "count", "Orders that ended because the customer could not pay."),
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
        A key, a group of keys, or what pages and terminal call a figure: ``at the counter``.

    Raises
    ------
    InputError
        There is none of these; names a close one, and the groups.
    """
    from difflib import get_close_matches

    known = METRICS | further()
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
        return f"{REASONS.get(part, words(part))}: a part of {of}. {OBJECTS[of]}"
    group = [path for path in METRICS if path.startswith(f"{name}.")]
    if group:
        return "\n".join(f"{path}  {METRICS[path].label}: {METRICS[path].meaning}" for path in group)
    called = _called(name, known)
    if len(called) == 1:
        return explain(called[0])
    if called:
        return "\n".join(f"{path}  {known[path].label}: {known[path].meaning}" for path in called)
    labels = (metric.label for metric in known.values())
    close = get_close_matches(name, [*known, *OBJECTS, *labels], n=1)
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
