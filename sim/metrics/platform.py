"""The platform's figures, from the samples and facts of its log: what its users met, what went wrong, and for how long.

Samples are taken every 15 s and hold percentiles, not calls. A percentile of the whole day is that of their mixture: each
sample's latencies are taken to fall off exponentially through its p50 and p99 (for an exponential service that is what
they do), weighted by its calls. Nothing of this exists in the minimal profile: its figures are None.
"""

from collections.abc import Callable
from math import inf, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.metrics.faults import BEAT_S, fault_totals, faults
from sim.metrics.tables import Columns
from sim.recording import Archive
from sim.scenario import Scenario
from sim.vocabulary import (
    Alert,
    BreakerName,
    BreakerState,
    CancelReason,
    Endpoint,
    Rejection,
    Ruling,
    Svc,
)

USERS = (Endpoint.CATALOGUE, Endpoint.PLACE_ORDER, Endpoint.ORDER_STATUS, Endpoint.DRIVERS_NEARBY)
"""Endpoints that users ask, reads and orders alike; views of the home screen are among the reads."""


def mixture_quantile(tail: float, p50_s: Any, p99_s: Any, calls: Any, *, counted: Any = False) -> float | None:
    """Latency that a share `tail` of all calls of several samples exceed, seconds; None without calls.

    Parameters
    ----------
    p50_s, p99_s
        Of each sample; nan where it had no call that was answered.
    calls
        Calls of each sample.
    counted
        Of each sample: whether its calls were measured one by one. Of n such calls the largest is exceeded by none of
        them and is a share 1/n of them, however small n is; n // 2 lie below the median, which is one of them.
    """
    known = ~np.isnan(p99_s) & (calls > 0)
    half, most, weight = (np.asarray(column, dtype=float)[known] for column in (p50_s, p99_s, calls))
    if not len(half):
        return None
    one_by_one = np.broadcast_to(counted, known.shape)[known]
    # Share of a sample's calls at or above its p99, and whether any lie beyond.
    at_most = np.where(one_by_one, np.maximum(0.01, 1.0 / np.maximum(np.rint(weight), 1.0)), 0.01)
    whole = one_by_one & (at_most > 0.01)
    log_most = np.log(np.minimum(at_most, 0.5))
    # Shares at or above the median, and above it: of a few calls, it is a good part of them itself.
    count = np.maximum(np.rint(weight), 1.0)
    above_half = count - count // 2
    log_from = np.where(one_by_one, np.log(above_half / count), np.log(0.5))
    log_after = np.where(one_by_one, np.log(np.maximum(above_half - 1.0, 0.5) / count), np.log(0.5))
    span = np.maximum(most - half, 1e-12)

    every, asked = float(weight.sum()), float(np.log(tail))

    def beyond(t: float) -> float:
        """By what factor the share of calls beyond a latency is above the one asked for, as a logarithm."""
        below = log_from * t / np.maximum(half, 1e-12)
        above = log_after + (np.minimum(log_most, log_after) - log_after) * (t - half) / span
        share = np.exp(np.maximum(np.where(t < half, below, above), -60.0))
        share = np.where(whole & (t >= most), 0.0, share)
        found = float((share * weight).sum()) / every
        return log(found) - asked if found > 0.0 else -inf

    low, high = 0.0, float(most.max())
    at_low, at_high = beyond(low), beyond(high)
    while at_high > 0.0 and high < 1e6:
        low, at_low = high, at_high
        high = 2.0 * high + 1e-6
        at_high = beyond(high)
    # The logarithm falls nearly in a line: where that does not lead on (steps, plateaus), halve.
    for step in range(90):
        if high - low <= 1e-9 * high:
            break
        share = at_low / (at_low - at_high) if step % 3 < 2 and at_high > -inf else 0.5
        middle = low + min(max(share, 1e-6), 1.0 - 1e-6) * (high - low)
        found = beyond(middle)
        if abs(found) <= 1e-10:
            return middle
        low, at_low, high, at_high = (middle, found, high, at_high) if found > 0.0 else (low, at_low, middle, found)
    return high


def _share(part: Any, whole: Any) -> float | None:
    return float(part) / float(whole) if whole else None


def _from(rows: Any, warm_s: float) -> Any:
    return rows[rows["t_s"] >= warm_s]


def platform(archive: Archive, scenario: Scenario, orders: Columns) -> dict[str, Any]:
    """The object `platform` of the summary.

    Parameters
    ----------
    orders
        The orders that count: those entered after the warm-up.
    """
    warm_s = scenario.warmup_h * 3600.0
    services = _from(archive.rows("service_sampled"), warm_s)
    asked = _from(archive.rows("endpoint_sampled"), warm_s)
    rest = _from(archive.rows("platform_sampled"), warm_s)
    entered = len(orders["order"])

    def count(kind: str) -> int:
        return int((archive.rows(kind, ["t_s"])["t_s"] >= warm_s).sum())

    def per_1000(number: float) -> float | None:
        return 1000.0 * number / entered if entered else None

    counted = [Endpoint.PLACE_ORDER, Endpoint.RESERVE]
    if scenario.platform.reads == "explicit":
        counted.append(Endpoint.CATALOGUE)
    one_by_one = np.isin(asked["endpoint"], counted)
    user = np.isin(asked["endpoint"], USERS)
    fresh = _from(archive.rows("record_seen", ["t_s", "fresh_s"]), warm_s)["fresh_s"]
    conflicts = count("version_conflict")
    given_up = int((orders["cancel_reason"] == CancelReason.CONTENTION).sum())
    reads = rest["reads"].sum()
    known = ~np.isnan(rest["hit_rate"])
    simulated = len(services) > 0
    broken = faults(archive)

    span_s = scenario.end_s - warm_s

    def users() -> dict[str, Any]:
        found = _latency(asked[user], one_by_one[user], span_s)
        failed = None if found["availability"] is None else 1.0 - found["availability"]
        budget = 1.0 - scenario.platform.monitoring.targets.availability
        return found | {"error_budget_burnt": failed / budget if failed is not None and budget > 0 else None}

    return {
        "user": users(),
        "endpoints": {
            endpoint.name.lower(): _latency(asked[mine], one_by_one[mine], span_s)
            for endpoint in (*USERS, Endpoint.HOME, Endpoint.RESERVE)
            for mine in [asked["endpoint"] == endpoint]
        },
        "services": {
            service.name.lower(): _latency(mine, service is Svc.PAYMENTS, span_s)
            | {
                "utilisation": float(mine["utilisation"].mean()) if simulated else None,
                "utilisation_max": float(mine["utilisation"].max()) if simulated else None,
                "queue_max": float(mine["queue"].max()) if simulated else None,
                "instances_max": int(mine["instances"].max()) if simulated else None,
            }
            for service in Svc
            for mine in [services[services["service"] == service]]
        },
        "hit_rate": _share((rest["hit_rate"][known] * rest["reads"][known]).sum(), reads),
        "stale_reads_share": _share(rest["stale"].sum(), reads),
        "freshness_s": {
            name: float(np.quantile(fresh, q)) if len(fresh) else None for name, q in (("p50", 0.5), ("p99", 0.99))
        },
        "shown_was_gone_per_1000": per_1000(count("shown_was_gone")) if simulated else None,
        "lines_hidden_per_1000": per_1000(count("line_hidden")) if simulated else None,
        "stale_orders": _stale_orders(archive, orders, simulated),
        "screens": _screens(archive, asked, warm_s, per_1000) if simulated else dict.fromkeys(SCREENS),
        "fraud": _fraud(archive, warm_s, entered),
        "attacks": _attacks(archive, warm_s),
        "version_conflicts_per_1000": per_1000(conflicts),
        "retries_per_1000": per_1000(max(conflicts - given_up, 0)),
        "lock_timeouts": count("lock_timed_out"),
        "writes_fenced": count("write_fenced"),
        "holds_expired": count("hold_expired"),
        "bus": {
            "messages_per_order": _share(_grown(rest["messages"]), entered) if simulated else None,
            "redelivered": count("message_redelivered"),
            "duplicated": count("message_duplicated"),
            "dead": count("message_dead"),
            "lost": count("message_lost"),
            "picked_twice": _picked_twice(archive, orders),
            "lag_max": int(rest["lag"].max()) if simulated else None,
        },
        "breakers": _breakers(archive, scenario.end_s) if simulated else {"openings": None, "open_s": None},
        "payments": _payments(archive, warm_s),
        "confirmations_revoked": count("confirmation_revoked"),
        "orders_doubled": count("order_doubled"),
        "rejected": _rejected(archive, warm_s),
        "alerts": _alerts(archive),
        "faults": broken,
        "fault_totals": fault_totals(broken),
    }


def _grown(total: NDArray[Any]) -> float:
    """By how much a running total grew."""
    return float(total[-1] - (total[0] if len(total) and total[0] else 0)) if len(total) else 0.0


def _latency(rows: Any, counted: Any, span_s: float) -> dict[str, Any]:
    calls = rows["rate"] * BEAT_S
    answered = np.maximum(calls - rows["errors"] * BEAT_S, 0.0)
    all_calls = float(calls.sum())
    return {
        "per_s": all_calls / span_s if len(rows) else None,
        "p50_s": mixture_quantile(0.5, rows["p50_s"], rows["p99_s"], answered, counted=counted),
        "p99_s": mixture_quantile(0.01, rows["p50_s"], rows["p99_s"], answered, counted=counted),
        "availability": 1.0 - min(float(rows["errors"].sum()) * BEAT_S / all_calls, 1.0) if all_calls else None,
    }


def _breakers(archive: Archive, end_s: float) -> dict[str, Any]:
    """How often circuit breakers opened, and how long they were not closed, seconds."""
    moved = archive.rows("breaker_moved")
    openings, open_s = 0, 0.0
    for name in BreakerName:
        mine = moved[moved["breaker"] == name]
        since_s: float | None = None
        for at_s, state in zip(mine["t_s"].tolist(), mine["breaker_state"].tolist(), strict=True):
            openings += state == BreakerState.OPEN
            if state == BreakerState.CLOSED:
                open_s += at_s - since_s if since_s is not None else 0.0
                since_s = None
            elif since_s is None:
                since_s = at_s
        open_s += end_s - since_s if since_s is not None else 0.0
    return {"openings": openings, "open_s": open_s}


def _stale_orders(archive: Archive, orders: Columns, simulated: bool) -> dict[str, Any]:
    """Orders placed from expired pages while the breaker on catalogue reads was open, and the median age of these pages."""
    rows = archive.rows("ordered_from_stale")
    ages = rows["age_s"][np.isin(rows["order"], orders["order"])]  # of requests that became orders
    return {
        "orders": len(ages) if simulated else None,
        "per_1000": _share(1000 * len(ages), len(orders["order"])) if simulated else None,
        "age_p50_s": float(np.median(ages)) if len(ages) else None,
    }


SCREENS = ("checkout_short", "checkout_short_per_1000", "home_parts_dropped", "home_parts_dropped_per_1000")


def _screens(
    archive: Archive, asked: Any, warm_s: float, per_1000: Callable[[float], float | None]
) -> dict[str, float | None]:
    """Checkout screens without an optional part, and optional parts that home screens did without (an expected number)."""
    short = len(_from(archive.rows("checkout_shortened"), warm_s))
    dropped = float(_from(archive.rows("home_shortened"), warm_s)["rate"].sum()) * BEAT_S
    home = asked[asked["endpoint"] == Endpoint.HOME]
    shown = float((home["rate"] - home["errors"]).sum()) * BEAT_S
    return dict(zip(SCREENS, (short, per_1000(short), round(dropped), _share(1000.0 * dropped, shown)), strict=True))


def _fraud(archive: Archive, warm_s: float, entered: int) -> dict[str, Any]:
    """How the rulings of the fraud screen compare with who the fraudsters are; all None where nothing was screened.

    Who is refused is turned away as suspect and all others enter, so that both together are the orders screened; only what
    is out of the ordinary is logged one by one. Whatever is not allowed counts as accused.
    """
    rejected = _from(archive.rows("order_rejected"), warm_s)["reject"]
    ruled = _from(archive.rows("order_screened"), warm_s)
    screened = entered + int((rejected == Rejection.SUSPECT).sum())
    guilty, accused = ruled["fraudster"], ruled["ruling"] != Ruling.ALLOW
    fraudsters, wrongly, missed = int(guilty.sum()), int((accused & ~guilty).sum()), int((~accused & guilty).sum())
    found = {
        "screened": screened,
        "fraudsters_orders": fraudsters,
        "false_positives": wrongly,
        "false_negatives": missed,
        "false_positive_rate": _share(wrongly, screened - fraudsters),
        "false_negative_rate": _share(missed, fraudsters),
    }
    return found if len(archive.rows("screening_began")) else dict.fromkeys(found)


def _picked_twice(archive: Archive, orders: Columns) -> int:
    """Orders of which a line was picked more than once: the store had its message twice."""
    begun, times = np.unique(archive.rows("pick_started", ["order"])["order"], return_counts=True)
    mine = np.intersect1d(begun[times > 1], orders["order"])
    picked = archive.rows("goods_picked", ["order", "sku"])
    picked = np.sort(picked[np.isin(picked["order"], mine)], order=["order", "sku"])
    again = picked[1:][picked[1:] == picked[:-1]]
    return len(np.unique(again["order"]))


def _attacks(archive: Archive, warm_s: float) -> dict[str, Any]:
    met = _from(archive.rows("attack_met"), warm_s)
    asked, refused = int(met["asked"].sum()), int(met["refused"].sum())
    return {"asked": asked, "refused": refused, "refused_share": _share(refused, asked)}


def _payments(archive: Archive, warm_s: float) -> dict[str, int]:
    callbacks = _from(archive.rows("callback_came"), warm_s)
    charged = _from(archive.rows("charge_made"), warm_s)["order"]
    settled = archive.rows("books_settled")
    return {
        "unknown": len(_from(archive.rows("payment_unknown"), warm_s)),
        "late": int(callbacks["news"].sum()),
        "duplicated": int((~callbacks["news"]).sum()),
        "double_charges": int((np.bincount(charged) > 1).sum()) if len(charged) else 0,
        "differing": int(settled["differing"].sum()),
    }


def _rejected(archive: Archive, warm_s: float) -> dict[str, int]:
    reject = _from(archive.rows("order_rejected"), warm_s)["reject"]
    found = {reason.name.lower(): int((reject == reason).sum()) for reason in Rejection}
    return {name: number for name, number in found.items() if number}


def _alerts(archive: Archive) -> dict[str, int]:
    raised = archive.rows("alert_raised")["alert"]
    found = {alert.name.lower(): int((raised == alert).sum()) for alert in Alert}
    return {name: number for name, number in found.items() if number}


def platform_table(archive: Archive) -> Columns:
    """One row for each service and sample (platform.parquet): calls and errors a second, latency, load, queue, instances."""
    rows = archive.rows("service_sampled")
    names = ("service", "t_s", "rate", "errors", "p50_s", "p99_s", "utilisation", "queue", "instances")
    return {name: np.ascontiguousarray(rows[name]) for name in names}
