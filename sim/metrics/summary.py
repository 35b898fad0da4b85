"""The figures of a run: the object of summary.json, and the tables beside it.

Definitions are the contract's: `within_s` and `on_time` are shares of *confirmed* orders, click-to-door is over
delivered ones, stages telescope. Orders that entered during the warm-up are left out of every figure about orders.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.metrics.benches import packing, substitutions
from sim.metrics.drift import drift, reviews
from sim.metrics.drift_series import drift_table, value_off
from sim.metrics.drivers import Earnings, driver_table, people
from sim.metrics.floor import floor
from sim.metrics.forecast import forecast
from sim.metrics.long import long_run
from sim.metrics.money import costs
from sim.metrics.notices import notifications
from sim.metrics.platform import platform, platform_table
from sim.metrics.returns import returns
from sim.metrics.sales import sales
from sim.metrics.series import series_table
from sim.metrics.stock import losses, stock_table
from sim.metrics.support import support
from sim.metrics.tables import Columns, order_table, share, task_table, work_spans
from sim.metrics.tracking import eta_errors, tracking
from sim.recording import Archive, State
from sim.scenario import Scenario
from sim.streams import Streams
from sim.vocabulary import CancelReason, OrderState, Rejection

WITHIN_S = (900, 1200, 1800)
QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Study:
    """Everything that is worked out from one archive."""

    summary: dict[str, Any]
    orders: Columns
    tasks: Columns
    drivers: Columns
    stock: Columns
    series: Columns
    platform: Columns
    drift: Columns


def study(archive: Archive, scenario: Scenario, state: State, streams: Streams | None = None) -> Study:
    """Work out tables and summary.

    Parameters
    ----------
    state
        The final state, as `sim.recording.replay` rebuilds it.
    streams
        The randomness of the run, for what was no event of it; by default that of the scenario's seed, replication 0.
    """
    streams = streams or Streams(scenario.seed)
    warm_s = scenario.warmup_h * 3600.0
    orders = order_table(archive)
    work = work_spans(archive, scenario.end_s)
    counted = orders["entered_s"] >= scenario.warmup_h * 3600.0
    # Without a warm-up they all count: nothing is copied then, for these columns are the largest of the study.
    warm = orders if counted.all() else {name: column[counted] for name, column in orders.items()}
    earnings = Earnings(archive, scenario, work)
    drivers = driver_table(archive, work, earnings)
    stock = stock_table(archive, state)
    drifts = drift_table(archive, scenario, state.shelf.shape)
    summary = {
        "orders": _order_counts(archive, warm, scenario.warmup_h * 3600.0),
        "long_run": long_run(warm, scenario),
        "by_store": by_store(warm, state.shelf.shape[0]),
        "surcharges": _surcharges(archive, warm, warm_s),
        "returns": returns(archive, warm),
        "refunds": {"orders": int((warm["refunded_cents"] > 0).sum()), "cents": int(warm["refunded_cents"].sum())},
        **service(warm),
        **people(work, warm, scenario),
        "drivers": earnings.summary(),
        **sales(archive, scenario, warm),
        "drift": {**drift(archive, state), "value_cents": value_off(drifts)},
        "reviews": reviews(archive, scenario.warmup_h * 3600.0),
        "losses": losses(stock),
        "forecast": forecast(archive, scenario.warmup_h * 3600.0),
        "floor": floor(archive, scenario, state, work, orders, warm),
        "packing": packing(archive, scenario, warm),
        "substitutions": substitutions(archive, scenario.warmup_h * 3600.0),
        "support": support(archive, scenario, warm),
        **costs(archive, scenario, work, warm, earnings),
        "platform": platform(archive, scenario, warm),
        "tracking": tracking(archive, scenario, streams),
        "eta_error_s": eta_errors(archive, warm_s),
        "notifications": notifications(archive, scenario, streams),
    }
    return Study(
        summary,
        orders,
        task_table(archive),
        drivers,
        stock,
        series_table(archive, orders, work, scenario.end_s),
        platform_table(archive),
        drifts,
    )


def _order_counts(archive: Archive, orders: Columns, warm_s: float) -> dict[str, Any]:
    rejected = archive.rows("order_rejected")
    rejected = rejected[rejected["t_s"] >= warm_s]
    ends = {state: int((orders["state"] == state).sum()) for state in OrderState}
    entered = len(orders["order"])
    over = (OrderState.DELIVERED, OrderState.CANCELLED, OrderState.PAYMENT_FAILED)
    reasons = {reason.name.lower(): int((orders["cancel_reason"] == reason).sum()) for reason in CancelReason}
    turned_away = {reason.name.lower(): int((rejected["reject"] == reason).sum()) for reason in Rejection}
    return {
        "offered": entered + len(rejected),
        "entered": entered,
        "rejected": len(rejected),
        "delivered": ends[OrderState.DELIVERED],
        "cancelled": ends[OrderState.CANCELLED],
        "payment_failed": ends[OrderState.PAYMENT_FAILED],
        "open": entered - sum(ends[state] for state in over),
        "by_reason": {name: count for name, count in (reasons | turned_away).items() if count},
    }


def by_store(orders: Columns, stores: int) -> list[dict[str, float | None]]:
    """What each store did, in the order of stores: orders, how they went, and their means, seconds."""
    found = []
    for store in range(stores):
        mine = orders["store"] == store
        done = mine & ~np.isnan(orders["delivered_s"])
        confirmed = int((mine & ~np.isnan(orders["confirmed_s"])).sum())
        took = orders["delivered_s"][done] - orders["entered_s"][done]
        late = int((orders["delivered_s"][done] > orders["promised_s"][done]).sum())
        picked = mine & ~np.isnan(orders["pick_start_s"]) & ~np.isnan(orders["confirmed_s"])
        waits = orders["pick_start_s"][picked] - orders["confirmed_s"][picked]
        found.append({
            "orders": int(mine.sum()), "delivered": int(done.sum()), "on_time": share(int(done.sum()) - late, confirmed),
            "click_to_door_s": float(took.mean()) if len(took) else None,
            "wait_pick_s": float(waits.mean()) if len(waits) else None,
        })  # fmt: skip
    return found


def _surcharges(archive: Archive, orders: Columns, warm_s: float) -> dict[str, int]:
    """Orders whose customers agreed to a surcharge, what these came to, and customers who went away because of one."""
    asked, rejected = archive.rows("order_surcharged"), archive.rows("order_rejected")
    asked = asked[np.isin(asked["order"], orders["order"])]
    away = (rejected["reject"] == Rejection.TOO_DEAR) & (rejected["t_s"] >= warm_s)
    return {"orders": len(asked), "cents": int(asked["cents"].sum()), "walked_away": int(away.sum())}


def service(orders: Columns) -> dict[str, Any]:
    """Click-to-door, shares within limits, and the stages, seconds; None where there is nothing to average."""
    done = ~np.isnan(orders["delivered_s"])
    took = (orders["delivered_s"] - orders["entered_s"])[done]
    confirmed = int((~np.isnan(orders["confirmed_s"])).sum())
    on_time = int((orders["delivered_s"] <= orders["promised_s"]).sum())
    return {
        "click_to_door_s": {
            "mean": float(took.mean()) if len(took) else None,
            **{name: float(np.quantile(took, q)) if len(took) else None for name, q in QUANTILES.items()},
        },
        "within_s": {str(limit): share((took <= limit).sum(), confirmed) for limit in WITHIN_S},
        "on_time": share(on_time, confirmed),
        "stages_s": {
            name: float(column[done].mean()) if done.any() else None for name, column in stages(orders).items()
        },
    }


def stages(orders: Columns) -> dict[str, NDArray[Any]]:
    """Seconds each order spent in each stage; the first five add up to click-to-door, the last three to `wait_driver`."""
    packed, accepted, there, left = (orders[name] for name in ("packed_s", "accepted_s", "at_store_s", "picked_up_s"))
    for_accept = np.maximum(accepted - packed, 0.0)
    for_arrival = np.maximum(there - np.maximum(packed, accepted), 0.0)
    return {
        "checkout": orders["confirmed_s"] - orders["entered_s"],
        "wait_pick": orders["pick_start_s"] - orders["confirmed_s"],
        "pick": packed - orders["pick_start_s"],
        "wait_driver": left - packed,
        "ride": orders["delivered_s"] - left,
        "wait_driver_accept": for_accept,
        "wait_driver_arrive": for_arrival,
        "wait_driver_handoff": left - packed - for_accept - for_arrival,
    }
