"""The scenario's keys for monitoring: when an alert is raised, and the published targets that a healthy platform meets.

An alert is a figure of the samples, a limit, over how long the figure is averaged, and for how long it must be beyond the
limit: the shape of Prometheus' alerting rules.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import model_validator

from sim.scenario.fields import JUDGEMENT, AboveZero, Branch, NonNegative, Share, given


class AlertRule(Branch):
    """One alert: raised when its figure has been above `limit`, cleared at the first sample at which it is not."""

    enabled: bool = given(True, "-", "false: never raised")
    limit: NonNegative = given(0.0, JUDGEMENT, "the figure may be this high: a share, seconds or a count")
    over_s: AboveZero = given(15.0, JUDGEMENT, "the figure is that of so many seconds")
    for_s: NonNegative = given(0.0, JUDGEMENT, "it must be above the limit for so long, seconds")
    least: NonNegative = given(0.0, JUDGEMENT, "not raised by fewer cases than this in the time it is averaged over")


_DEFAULTS: dict[str, dict[str, float]] = {
    "requests_failing": {"limit": 0.001, "over_s": 60.0, "least": 100.0},
    "orders_slow": {"limit": 0.2, "for_s": 60.0},
    "reads_slow": {"limit": 0.2, "for_s": 60.0},
    "service_failing": {"limit": 0.05, "over_s": 30.0},
    "service_down": {"limit": 0.0},
    "service_busy": {"limit": 0.9, "for_s": 60.0},
    "breaker_open": {"limit": 0.0},
    "consumer_lag": {"limit": 10.0, "over_s": 60.0, "least": 5.0},
    "cache_misses": {"limit": 0.2, "over_s": 60.0, "least": 3000.0},
    "stale_stock": {"limit": 10.0, "over_s": 600.0, "least": 5.0},
    "payments_failing": {"limit": 0.2, "over_s": 300.0, "least": 30.0},
    "checkout_stalled": {"limit": 0.5, "over_s": 120.0, "least": 10.0},
    "drivers_stalled": {"limit": 0.02},
}


def _rule(name: str, source: str, doc: str) -> Any:
    return given(lambda: AlertRule(**_DEFAULTS[name]), source, doc)  # type: ignore[arg-type]


class Alerts(Branch):
    """Every alert, in the order of `sim.vocabulary.Alert`. What is not given of one stays as it is by default."""

    requests_failing: AlertRule = _rule(
        "requests_failing",
        "judgement: ten times the published error budget",
        "share of users' requests refused or failed",
    )
    orders_slow: AlertRule = _rule(
        "orders_slow", "the published target, four samples long", "p99 of placing an order, seconds"
    )
    reads_slow: AlertRule = _rule(
        "reads_slow", "the published target, four samples long", "p99 of the slowest kind of read, seconds"
    )
    service_failing: AlertRule = _rule("service_failing", JUDGEMENT, "share of failed calls of the worst service")
    service_down: AlertRule = _rule("service_down", "-", "services that cannot answer at all")
    service_busy: AlertRule = _rule("service_busy", JUDGEMENT, "utilisation of the busiest service")
    breaker_open: AlertRule = _rule("breaker_open", "-", "circuit breakers that are not closed")
    consumer_lag: AlertRule = _rule(
        "consumer_lag", JUDGEMENT, "mean time of messages on their way (Little: under way over rate), seconds"
    )
    cache_misses: AlertRule = _rule(
        "cache_misses", "judgement; not at night, when a page is read too seldom to be cached",
        "share of catalogue reads that the cache did not answer",
    )  # fmt: skip
    stale_stock: AlertRule = _rule("stale_stock", JUDGEMENT, "mean time until a change of stock is shown, seconds")
    payments_failing: AlertRule = _rule(
        "payments_failing", "judgement: six times the usual share of declines, and with so many charges no mere chance",
        "share of charges declined, unanswered or not even tried",
    )  # fmt: skip
    checkout_stalled: AlertRule = _rule("checkout_stalled", JUDGEMENT, "share of placed orders that were not confirmed")

    drivers_stalled: AlertRule = _rule(
        "drivers_stalled",
        JUDGEMENT,
        "share of the drivers on shift whose ride is overdue, and who are silent or stopped",
    )

    @model_validator(mode="before")
    @classmethod
    def _completed(cls, found: Any) -> Any:
        if not isinstance(found, Mapping):
            return found
        return {
            name: {**_DEFAULTS.get(name, {}), **rule} if isinstance(rule, Mapping) else rule
            for name, rule in found.items()
        }


_PUBLISHED = "published target of large quick-commerce platforms"


class Targets(Branch):
    """What the platform promises: rows of the table of service levels that warn and never fail a run."""

    user_p99_s: AboveZero = given(0.2, _PUBLISHED, "p99 of users' requests of all kinds, seconds")
    availability: Share = given(0.9999, _PUBLISHED, "share of users' requests that are answered")
    visible_p99_s: AboveZero = given(5.0, _PUBLISHED, "p99 of the time until browsers see a change of stock, seconds")
    catalogue_p99_s: AboveZero = given(0.05, _PUBLISHED, "p99 of GET inventory: what a store has, seconds")
    place_order_p99_s: AboveZero = given(0.2, _PUBLISHED, "p99 of POST orders, seconds")
    order_status_p99_s: AboveZero = given(0.1, _PUBLISHED, "p99 of GET order status, seconds")
    drivers_nearby_p99_s: AboveZero = given(0.075, _PUBLISHED, "p99 of GET drivers nearby, seconds")
    reserve_p99_s: AboveZero = given(0.025, _PUBLISHED, "p99 of the internal call that reserves stock, seconds")


class MonitoringSpec(Branch):
    """What the platform watches of itself."""

    alerts: Alerts = given(Alerts, "-", "when somebody is woken")
    targets: Targets = given(Targets, "-", "published targets, shown in the table of service levels")
