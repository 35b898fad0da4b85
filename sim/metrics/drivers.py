"""Drivers: how busy they were, what they earned, and how evenly work and pay came to them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.metrics.tables import Columns, share
from sim.recording import Archive
from sim.scenario import Scenario
from sim.vocabulary import OfferAnswer, OrderState

PAID_LEAST_S = 900.0
"""Who was on shift for less than this is left out of figures per hour, seconds (judgement)."""


class Earnings:
    """What each driver earned from the warm-up on; columns over drivers' ids, (drivers,).

    Pay is the greater of two over the whole run: hours, orders and their ways by their rates, or the guaranteed hours. Bonuses
    that were promised with an order come on top, and so do tips, which customers pay. A drone earns nothing: its hours cost
    `costs.driver_hour_cents`.

    Attributes
    ----------
    hours
        On shift, float64.
    delivered
        Orders handed over, int64.
    pay_cents, ways_cents, tips_cents, bonuses_cents
        Float64; pay holds ways and bonuses.
    guaranteed
        Whether the guarantee was more than what the work brought, bool.
    idle_s
        The longest time on shift without work, seconds; from the start of the run, float64.
    """

    def __init__(self, archive: Archive, scenario: Scenario, work: dict[str, Any]) -> None:
        pay, warm_s = scenario.drivers.pay, scenario.warmup_h * 3600.0
        who, begins, ends = work["drivers_on"]
        size = int(who.max()) + 1 if len(who) else 0

        def total(kind: str, weight: str | None) -> NDArray[Any]:
            rows = archive.rows(kind)
            rows = rows[rows["t_s"] >= warm_s]
            weights = None if weight is None else rows[weight]
            return np.bincount(rows["driver"], weights=weights, minlength=size)

        on_s = np.maximum(ends - np.maximum(begins, warm_s), 0.0)
        self.hours = np.bincount(who, weights=on_s, minlength=size) / 3600.0
        self.delivered = total("goods_delivered", None)
        self.ways_cents, self.tips_cents = total("way_paid", "cents"), total("tip_given", "cents")
        hour_cents = scenario.costs.driver_hour_cents if pay.hour_cents is None else pay.hour_cents
        earned = self.hours * hour_cents + self.delivered * pay.order_cents + self.ways_cents
        least = self.hours * pay.guaranteed_hour_cents
        machines = _machines(archive, scenario, size)
        earned[machines], least[machines] = self.hours[machines] * scenario.costs.driver_hour_cents, 0.0
        self._people, self.guaranteed = ~machines, least > earned
        self.bonuses_cents = np.where(machines, 0.0, _bonuses_cents(archive, warm_s, size))
        self.pay_cents = np.maximum(earned, least) + self.bonuses_cents
        self.idle_s = _longest_idle_s(work, size)
        answered = archive.rows("offer_answered")
        answered = answered[(answered["t_s"] >= warm_s) & (answered["answer"] != OfferAnswer.VOID)]
        refused = archive.rows("proposal_refused")
        self._proposals_refused = int((refused["t_s"] >= warm_s).sum())
        self._accepted_share = share((answered["answer"] == OfferAnswer.ACCEPTED).sum(), len(answered))

    def of(self, column: NDArray[Any], ids: NDArray[Any]) -> NDArray[Any]:
        """Some drivers' entries of a column."""
        return column[ids] if len(column) else np.zeros(0)

    def summary(self) -> dict[str, Any]:
        """The object `drivers` of the summary, over people who were on shift for a quarter of an hour."""
        mine = self._people & (self.hours * 3600.0 >= PAID_LEAST_S)
        hours, some = self.hours[mine], bool(mine.any())
        orders, got = self.delivered[mine] / hours, (self.pay_cents + self.tips_cents)[mine] / hours
        return {
            "accepted_share": self._accepted_share,
            "proposals_refused": self._proposals_refused,
            "gini_orders": gini(orders),
            "gini_pay": gini(got),
            "longest_idle_s": float(self.idle_s[mine].max()) if some else None,
            "guaranteed_share": share(self.guaranteed[mine].sum(), mine.sum()),
            "earned_hour_cents": {
                "mean": share((self.pay_cents + self.tips_cents)[mine].sum(), hours.sum()),
                "p10": float(np.quantile(got, 0.1)) if some else None,
                "p50": float(np.quantile(got, 0.5)) if some else None,
            },
            "ways_cents": int(np.rint(self.ways_cents.sum())),
            "tips_cents": int(np.rint(self.tips_cents.sum())),
            "bonuses_cents": int(np.rint(self.bonuses_cents.sum())),
        }


def _machines(archive: Archive, scenario: Scenario, size: int) -> NDArray[np.bool_]:
    """Which drivers fly, and are no people, (drivers,)."""
    flies = np.array([name == "drone" for name, part in scenario.drivers.vehicles.items() if part > 0])
    came, found = archive.rows("driver_on"), np.zeros(size, dtype=bool)
    if len(flies):
        found[came["driver"]] = flies[came["profile"]]
    return found


def _bonuses_cents(archive: Archive, warm_s: float, size: int) -> NDArray[np.float64]:
    """Of each driver the bonuses on orders handed over, by the offer that was accepted: the last of an order, (drivers,)."""
    offered, delivered = archive.rows("bonus_offered"), archive.rows("goods_delivered")
    if not len(offered):
        return np.zeros(size)
    delivered = delivered[delivered["t_s"] >= warm_s]
    on_order = np.zeros(1 + max(int(rows["order"].max(initial=0)) for rows in (offered, delivered)))
    on_order[offered["order"]] = offered["cents"]
    return np.asarray(
        np.bincount(delivered["driver"], weights=on_order[delivered["order"]], minlength=size), dtype=float
    )


def gini(values: NDArray[Any]) -> float | None:
    """Gini coefficient of values that are not negative: 0, all alike, to nearly 1, one has everything; None: all are zero.

    Half the mean absolute difference over the mean (Gini 1912), by its formula for sorted values.
    """
    total, n = float(values.sum()), len(values)
    if not total > 0:
        return None
    ranked = np.sort(values)
    return float((2 * np.arange(1, n + 1) - n - 1) @ ranked / (n * total))


def _longest_idle_s(work: dict[str, Any], size: int) -> NDArray[np.float64]:
    """Of each driver the longest stretch on shift without work, seconds, (drivers,)."""
    who, on, off = work["drivers_on"]
    busy, begins, ends = work["drivers_busy"]
    # A driver without work begins a shift or ends a job, and takes one on or goes home: by turns.
    since, until = (np.concatenate(pair) for pair in ((on, ends), (begins, off)))
    people = np.concatenate([who, busy]), np.concatenate([busy, who])
    since = since[np.lexsort((since, people[0]))]
    until = until[np.lexsort((until, people[1]))]
    longest = np.zeros(size)
    np.maximum.at(longest, np.sort(people[0]), until - since)
    return longest


def people(work: dict[str, Any], orders: Columns, scenario: Scenario) -> dict[str, Any]:
    """Shares of the time on shift that people were busy, from the warm-up on; orders per driver-hour."""
    start = scenario.warmup_h * 3600.0

    def hours(name: str) -> float:
        _, begins, ends = work[name]
        return float(np.maximum(ends - np.maximum(begins, start), 0.0).sum()) / 3600.0

    delivered = int((orders["state"] == OrderState.DELIVERED).sum())
    return {
        "utilisation": {
            "pickers": share(hours("pickers_busy"), hours("pickers_on")),
            "drivers": share(hours("drivers_busy"), hours("drivers_on")),
            "drivers_riding_empty": share(hours("drivers_riding_empty"), hours("drivers_on")),
        },
        "orders_per_driver_hour": share(delivered, hours("drivers_on")),
    }


def driver_table(archive: Archive, work: dict[str, Any], earnings: Earnings) -> Columns:
    """One row per driver who worked: time on shift, busy and riding empty (seconds), deliveries, offers, answers, pay.

    What is earned is counted from the warm-up on, everything else from the start.
    """
    came = archive.rows("driver_on")
    ids, first = np.unique(came["driver"], return_index=True)
    size = int(ids.max()) + 1 if len(ids) else 0
    answered, delivered = archive.rows("offer_answered"), archive.rows("goods_delivered")

    def seconds(name: str) -> NDArray[Any]:
        who, begins, ends = work[name]
        return np.bincount(who, weights=ends - begins, minlength=size)[ids] if size else np.zeros(0)

    def count(rows: Any) -> NDArray[Any]:
        return np.bincount(rows["driver"], minlength=size)[ids] if size else np.zeros(0, dtype=np.int64)

    return {
        "driver": ids.astype(np.int64),
        "home": came["store"][first],
        "vehicle": came["profile"][first],
        "on_s": seconds("drivers_on"),
        "busy_s": seconds("drivers_busy"),
        "riding_empty_s": seconds("drivers_riding_empty"),
        "delivered": count(delivered),
        "offers": count(answered),
        "accepted": count(answered[answered["answer"] == OfferAnswer.ACCEPTED]),
        "pay_cents": earnings.of(earnings.pay_cents, ids),
        "tips_cents": earnings.of(earnings.tips_cents, ids),
        "longest_idle_s": earnings.of(earnings.idle_s, ids),
    }
