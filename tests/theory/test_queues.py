"""A store of pickers and a pool of drivers are M/M/c queues when everything else is taken away."""

from collections.abc import Callable
from heapq import heapify, heapreplace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from sim.engine import simulate
from sim.metrics.tables import order_table
from sim.recording import MemoryArchive
from sim.scenario import Scenario, load_text
from sim.streams import Streams
from sim.world.build import World, build_world

REPLICATIONS, SIMULATED = 60, 3
HORIZON_H = 15.0
WARM_S, BATCHES = 1800.0, 4
ERROR = 1e-5
"""Chance that a right program fails a test of this page, had the seed been drawn afresh."""

POINT = f"""
name: queue
start: 2026-11-18T00:00+00:00
horizon_h: {HORIZON_H}
drain_h: 1
map: {{width_m: 0, height_m: 0, points: 1, speed_kmh: 30}}
stores: {{count: 1, open: "00:00-24:00", zone: {{radius_m: 1000}}, inaccurate_share: 0}}
pickers: {{per_store: 400, shifts: [{{at: "00:00", hours: 16}}], base_s: 0, per_line_s: 0, per_unit_s: 0, noise: none,
           mispick_share: 0}}
drivers: {{count: 400, vehicles: {{car: 1}}, shifts: [{{at: "00:00", hours: 16}}], accept_share: 1, respond_s: 0,
           handoff_s: 0, door_s: 0, noise: none}}
catalogue: {{skus: 5}}
demand: {{basket: {{lines_mean: 1, units_mean: 1}}, profile: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],
          weekday: [1,1,1,1,1,1,1]}}
customers: {{patience_s: null}}
payments: {{decline_share: 0}}
platform: {{profile: minimal, give_up_s: 1.0e+7}}
supply: {{cover_days: 5}}
travel: {{noise_cv: 0, traffic: false}}
"""


def erlang_c(servers: int, load: float) -> float:
    """Chance that a customer of an M/M/c queue waits; `load` is arrival rate x mean service, erlangs (Erlang 1917)."""
    blocked = 1.0
    for busy in range(1, servers + 1):
        blocked = load * blocked / (busy + load * blocked)
    return blocked / (1.0 - load / servers * (1.0 - blocked))


def mean_wait_s(servers: int, load: float, service_s: float) -> float:
    """Mean wait in queue over all customers of an M/M/c queue."""
    return erlang_c(servers, load) * service_s / (servers - load)


def test_erlang_c_by_hand() -> None:
    # One server: the chance to wait is the load. Two servers: 2 a^2 / ((2 - a)(2 + 2a + a^2 ...)) = a^2 / (2 + a).
    assert erlang_c(1, 0.7) == pytest.approx(0.7)
    assert erlang_c(2, 1.2) == pytest.approx(1.2**2 / (2 + 1.2))
    assert mean_wait_s(1, 0.5, 10.0) == pytest.approx(10.0)
    # Three servers, two erlangs: 4/9, a textbook value (Gross, Harris, Fundamentals of Queueing Theory).
    assert erlang_c(3, 2.0) == pytest.approx(4 / 9)


def waits_of_fifo(arrivals: NDArray[Any], services: NDArray[Any], servers: int) -> NDArray[np.float64]:
    """Waits of customers served in order of arrival by the server that comes free first (Kiefer, Wolfowitz 1955)."""
    free = [0.0] * servers
    heapify(free)
    waits = np.empty(len(arrivals))
    for i, (at, work) in enumerate(zip(arrivals.tolist(), services.tolist(), strict=True)):
        begin = max(at, free[0])
        heapreplace(free, begin + work)
        waits[i] = begin - at
    return waits


Waits = Callable[[dict[str, Any]], NDArray[Any]]


def days(
    scenario: Scenario, work_s: Callable[[World], Any], waits_of: Waits, servers: int
) -> list[tuple[Any, Any, Any]]:
    """Arrivals, services and waits of independent days.

    The first days are simulated, and each single wait is held against the exact recursion; so the recursion stands for
    the engine on the other days, of which there can then be enough for a narrow interval.
    """
    found = []
    for replication in range(REPLICATIONS):
        streams = Streams(scenario.seed, replication)
        world = build_world(scenario, streams)
        entered, work = world.trace.entered_s, work_s(world)
        waits = waits_of_fifo(entered, work, servers)
        if replication < SIMULATED:
            archive = MemoryArchive()
            simulate(world, archive, streams=streams)
            orders = order_table(archive)
            np.testing.assert_array_equal(orders["entered_s"], entered)
            # Ticks of 2^-20 s: a rounded service may shift a whole busy period, one tick for each of its customers.
            np.testing.assert_allclose(waits_of(orders), waits, atol=1e-3)
            waits = waits_of(orders)
        found.append((entered, work, waits))
    return found


def interval(figures: NDArray[Any], controls: NDArray[Any] | None = None) -> tuple[float, float]:
    """Mean and half-width of a t interval over batches, with control variates (given less their known means).

    Least squares on the controls takes out what the draws of arrivals and services explain; each control costs a degree
    of freedom (Lavenberg, Welch 1981).
    """
    design = np.ones((len(figures), 1)) if controls is None else np.column_stack([np.ones(len(figures)), controls])
    coefficients, residual, _, _ = np.linalg.lstsq(design, figures, rcond=None)
    freedom = len(figures) - design.shape[1]
    variance = residual[0] / freedom * np.linalg.inv(design.T @ design)[0, 0]
    return float(coefficients[0]), float(stats.t.ppf(1 - ERROR / 2, freedom) * np.sqrt(variance))


def check(runs: list[tuple[Any, Any, Any]], servers: int, load: float, mean_s: float) -> None:
    """The draws are exponential, and the waits agree with Erlang C."""
    rate = load / mean_s
    edges = np.linspace(WARM_S, HORIZON_H * 3600.0, BATCHES + 1)
    means, shares, controls = [], [], []
    for entered, work, waits in runs:
        gap = np.diff(entered, prepend=0.0)
        batch = np.searchsorted(edges, entered, side="right") - 1
        for number in range(BATCHES):
            mine = batch == number
            means.append(waits[mine].mean())
            shares.append((waits[mine] > 1e-3).mean())
            # Mean and second moment of services and of gaps between arrivals, each divided by what theory says.
            services, gaps = work[mine] / mean_s, gap[mine] * rate
            controls.append(
                (services.mean() - 1, (services**2).mean() / 2 - 1, gaps.mean() - 1, (gaps**2).mean() / 2 - 1)
            )
    known = np.array(controls)
    for control in known.T:
        mean, half = interval(control)
        assert abs(mean) <= half < 0.05, f"expected 0 within {mean:.4f} +- {half:.4f}"
    for figures, truth in ((means, mean_wait_s(servers, load, mean_s)), (shares, erlang_c(servers, load))):
        mean, half = interval(np.array(figures), known)
        assert abs(mean - truth) <= half, f"expected {truth:.4f} within {mean:.4f} +- {half:.4f}"
        # An interval that would take in a ten-per-cent error as well proves nothing.
        assert half < 0.05 * truth, f"{half / truth:.3f}"


def test_a_store_of_pickers_is_an_mmc_queue() -> None:
    servers, load, mean_s = 3, 1.8, 8.0
    per_day = load / mean_s * 86_400
    scenario = load_text(
        POINT,
        (
            f"pickers.per_store={servers}",
            f"pickers.base_s={mean_s}",
            "pickers.noise=exponential",
            f"demand.orders_per_day={per_day}",
        ),
    )
    runs = days(
        scenario,
        lambda world: world.trace.pick_noise * mean_s,
        lambda orders: orders["pick_start_s"] - orders["confirmed_s"],
        servers,
    )
    check(runs, servers, load, mean_s)


def test_a_pool_of_drivers_is_an_mmc_queue() -> None:
    servers, load, mean_s = 4, 2.6, 10.0
    per_day = load / mean_s * 86_400
    scenario = load_text(
        POINT,
        (
            f"drivers.count={servers}",
            f"drivers.door_s={mean_s}",
            "drivers.noise=exponential",
            f"demand.orders_per_day={per_day}",
        ),
    )
    runs = days(
        scenario,
        lambda world: world.trace.door_s,
        lambda orders: orders["picked_up_s"] - orders["packed_s"],
        servers,
    )
    check(runs, servers, load, mean_s)
