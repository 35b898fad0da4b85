"""What the figures of the software platform mean."""

from functools import cache
from typing import Final

from sim.report.metric import Kind, Metric
from sim.vocabulary import Svc

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


PLATFORM: Final[dict[str, Metric]] = {
    **_platform(),
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
        " nobody took at the door. An order lost while several faults are on counts for the one that began last. Some may have"
        " been lost without it as well: hold it against the same day without the fault.",
    ),
    "platform.faults.units_short": Metric(
        "units short", "count", "Of each fault: units sold while it lasted that were on record and not on the shelf."
    ),
    "platform.fault_totals.faults": Metric("faults", "count", "How many faults began."),
    "platform.fault_totals.noticed": Metric(
        "faults noticed",
        "count",
        "Faults that an alert told of: raised until five minutes after the end, or on all the time.",
    ),
    "platform.fault_totals.detected_after_s": Metric(
        "mean time to detect", "time", "Mean over the faults that were noticed: from the beginning to the alert."
    ),
    "platform.fault_totals.recovered_after_s": Metric(
        "mean time to recover",
        "time",
        "Mean over the faults whose alerts were all cleared: from the beginning until then.",
    ),
    "platform.fault_totals.orders_lost": Metric(
        "orders lost in faults",
        "count",
        "Orders turned away, cancelled or not paid while some fault was on, each counted once. Some may have been lost without"
        " it as well: hold it against the same day without the fault.",
    ),
    "platform.fault_totals.units_short": Metric(
        "units short in faults",
        "count",
        "Sum over all faults: units sold while it lasted that were on record and not on the shelf.",
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
    "platform.orders_doubled": Metric(
        "second taps taken for orders",
        "count",
        "Orders that were the second tap of another, and were done all the same.",
    ),
    "platform.confirmations_revoked": Metric(
        "confirmations taken back", "count", "Orders whose customer had been told yes and was then told no."
    ),
    "platform.bus.messages_per_order": Metric(
        "bus messages per order",
        "rate",
        "Messages published on the bus for each order placed, those that tell of a change of its state among them.",
    ),
    "platform.bus.redelivered": Metric(
        "messages redelivered", "count", "Messages that were lost on the way and sent again."
    ),
    "platform.bus.duplicated": Metric("messages duplicated", "count", "Messages that came a second time."),
    "platform.bus.picked_twice": Metric(
        "orders picked twice",
        "count",
        "Orders of which a line was picked again, because the store had its message twice.",
    ),
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
}
