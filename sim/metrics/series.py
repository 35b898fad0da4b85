"""Time series: what was going on in each five minutes, as time-weighted averages and counts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.metrics.tables import Columns
from sim.recording import Archive
from sim.vocabulary import BreakerName, BreakerState, OrderState

STEP_S = 300.0


def averages(begins: Any, ends: Any, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Time-weighted average number of stretches under way between each two edges, float64 (len(edges) - 1,)."""
    ends = np.where(np.isnan(ends), edges[-1], ends)
    area = _area(np.asarray(begins), edges) - _area(ends, edges)
    return np.asarray(np.diff(area) / np.diff(edges))


def _area(starts: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum over starts of the time since each, at each edge."""
    starts = np.sort(starts)
    total = np.concatenate([[0.0], np.cumsum(starts)])
    count = np.searchsorted(starts, edges, side="right")
    return np.asarray(count * edges - total[count])


def series_table(archive: Archive, orders: Columns, work: dict[str, Any], end_s: float) -> Columns:
    """One row per five minutes: counts of arrivals and ends, averages of orders and people in each condition."""
    edges = np.append(np.arange(0.0, end_s, STEP_S), end_s)
    ended = np.fmin(orders["delivered_s"], ended_s(archive, orders))

    def count(times: Any) -> NDArray[Any]:
        return np.histogram(np.asarray(times)[~np.isnan(times)], edges)[0]

    def between(begins: Any, ends: Any) -> NDArray[Any]:
        known = ~np.isnan(begins)
        return averages(begins[known], np.fmin(ends, ended)[known], edges)

    return {
        "t_s": edges[:-1],
        "entered": count(orders["entered_s"]),
        "rejected": count(archive.rows("order_rejected")["t_s"]),
        "delivered": count(orders["delivered_s"]),
        "cancelled": count(archive.rows("order_cancelled")["t_s"]),
        "open_orders": between(orders["entered_s"], ended),
        "waiting_pick": between(orders["confirmed_s"], orders["pick_start_s"]),
        "being_picked": between(orders["pick_start_s"], orders["packed_s"]),
        "waiting_driver": between(orders["packed_s"], orders["picked_up_s"]),
        "riding": between(orders["picked_up_s"], orders["delivered_s"]),
        **{name: averages(begins, ends, edges) for name, (_, begins, ends) in work.items()},
        **platform_series(archive, edges),
    }


def ended_s(archive: Archive, orders: Columns) -> NDArray[Any]:
    """When each order was cancelled or its payment given up, seconds; nan where neither happened."""
    moved = archive.rows("order_moved")
    over = moved[np.isin(moved["state"], [OrderState.CANCELLED, OrderState.PAYMENT_FAILED])]
    ids = orders["order"]
    size = int(ids.max()) + 1 if len(ids) else 0
    times = np.full(size, np.nan)
    times[over["order"]] = over["t_s"]
    return times[ids]


def platform_series(archive: Archive, edges: NDArray[np.float64]) -> Columns:
    """Averages of the platform between edges, for series.parquet: nan where there was no sample."""
    rest, services = archive.rows("platform_sampled"), archive.rows("service_sampled")
    bins = len(edges) - 1

    def mean(t_s: Any, values: Any, weights: Any = None) -> NDArray[Any]:
        known = ~np.isnan(values)
        weights = np.ones(len(values)) if weights is None else weights
        total = np.histogram(t_s[known], edges, weights=(values * weights)[known])[0]
        whole = np.histogram(t_s[known], edges, weights=weights[known])[0]
        return np.asarray(np.divide(total, whole, out=np.full(bins, np.nan), where=whole > 0))

    beats = np.histogram(rest["t_s"], edges)[0]
    breakers = {name: np.where(beats > 0, share, np.nan) for name, share in _breakers(archive, edges).items()}
    instances = np.histogram(services["t_s"], edges, weights=services["instances"].astype(float))[0]
    return {
        "reads_per_s": mean(rest["t_s"], rest["reads"]),
        "hit_rate": mean(rest["t_s"], rest["hit_rate"], rest["reads"]),
        "bus_lag": mean(rest["t_s"], rest["lag"].astype(float)),
        "breakers_open": np.asarray(sum(breakers.values())),
        "instances": np.divide(instances, beats, out=np.full(bins, np.nan), where=beats > 0),
        **breakers,
    }


def _breakers(archive: Archive, edges: NDArray[np.float64]) -> Columns:
    """Share of the time between edges that each breaker was open, and half open; what is left it was closed."""
    moved = archive.rows("breaker_moved")
    found = {}
    for name in BreakerName:
        mine = moved[moved["breaker"] == name]
        until_s = np.append(mine["t_s"][1:], np.nan)  # a state ends with the next
        for state in (BreakerState.OPEN, BreakerState.HALF_OPEN):
            now = mine["breaker_state"] == state
            column = f"breaker_{name.name.lower()}_{state.name.lower()}"
            found[column] = averages(mine["t_s"][now], until_s[: len(mine)][now], edges)
    return found
