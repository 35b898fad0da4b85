"""A pool of drivers whose customers lose patience is an M/M/c+M queue: Erlang A."""

from heapq import heapify, heapreplace

import numpy as np
import pytest

from sim.engine import simulate
from sim.metrics.tables import order_table
from sim.recording import MemoryArchive
from sim.scenario import load_text
from sim.streams import Streams
from sim.vocabulary import CancelReason
from sim.world.build import build_world
from tests.theory.test_queues import HORIZON_H, POINT, interval

SERVERS, LOAD, MEAN_S, PATIENCE_S = 50, 48.0, 300.0, 600.0
REPLICATIONS, SIMULATED, BATCHES = 56, 2, 4
WARM_S = 3600.0


def erlang_a(servers: int, load: float, impatience: float) -> tuple[float, float]:
    """Share that gives up and mean wait of all, in mean services: the birth and death process summed up (Palm 1957).

    `load`: arrivals in a mean service; `impatience`: mean service over mean patience.
    """
    weights = [1.0]
    for n in range(1, servers + 2000):
        leaving = min(n, servers) + max(n - servers, 0) * impatience
        weights.append(weights[-1] * load / leaving)
    chance = np.array(weights) / sum(weights)
    waiting = float(np.maximum(np.arange(len(chance)) - servers, 0) @ chance)
    return impatience * waiting / load, waiting / load


def test_erlang_a_by_hand() -> None:
    """Where patience is as long as a service, nobody notices the servers: Poisson many are there."""
    gone, wait = erlang_a(1, 1.0, 1.0)
    assert wait == pytest.approx(np.exp(-1.0)), "one erlang, one server: those beyond one of a Poisson(1) number"
    assert gone == pytest.approx(np.exp(-1.0))
    assert erlang_a(SERVERS, LOAD, 0.5) == pytest.approx((0.030912, 0.061824), abs=1e-6)


def played(at: list[float], work: list[float], patience: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Waits, and who gave up: served in order of arrival by the driver who comes free first, unless that is too late."""
    free = [0.0] * SERVERS
    heapify(free)
    waits, gone = np.empty(len(at)), np.zeros(len(at), dtype=bool)
    for i, (now, takes, stays) in enumerate(zip(at, work, patience, strict=True)):
        begin = max(now, free[0])
        gone[i] = begin - now > stays
        waits[i] = min(begin - now, stays)
        if not gone[i]:
            heapreplace(free, begin + takes)
    return waits, gone


def test_drivers_with_impatient_customers_are_erlang_a() -> None:
    scenario = load_text(
        POINT,
        (
            f"drivers.count={SERVERS}", f"drivers.door_s={MEAN_S}", "drivers.noise=exponential",
            f"customers.patience_s={PATIENCE_S}", "customers.patience_noise=exponential",
            f"demand.orders_per_day={LOAD / MEAN_S * 86_400}",
        ),
    )  # fmt: skip
    edges = np.linspace(WARM_S, HORIZON_H * 3600.0, BATCHES + 1)
    shares, means, controls = [], [], []
    for replication in range(REPLICATIONS):
        streams = Streams(scenario.seed, replication)
        world = build_world(scenario, streams)
        trace = world.trace
        entered, work, patience = (column.tolist() for column in (trace.entered_s, trace.door_s, trace.patience_s))
        waits, gone = played(entered, work, patience)
        if replication < SIMULATED:
            archive = MemoryArchive()
            simulate(world, archive, streams=streams)
            orders = order_table(archive)
            np.testing.assert_array_equal(orders["cancel_reason"] == CancelReason.CUSTOMER, gone)
            taken = ~gone
            np.testing.assert_allclose((orders["accepted_s"] - orders["entered_s"])[taken], waits[taken], atol=1e-3)
        batch = np.searchsorted(edges, trace.entered_s, side="right") - 1
        gap = np.diff(trace.entered_s, prepend=0.0) * LOAD / MEAN_S
        for number in range(BATCHES):
            mine = batch == number
            shares.append(gone[mine].mean())
            means.append(waits[mine].mean() / MEAN_S)
            controls.append((trace.door_s[mine].mean() / MEAN_S - 1.0, gap[mine].mean() - 1.0))
    for figures, truth in zip((shares, means), erlang_a(SERVERS, LOAD, MEAN_S / PATIENCE_S), strict=True):
        mean, half = interval(np.array(figures), np.array(controls))
        assert abs(mean - truth) <= half, f"expected {truth:.6f} within {mean:.6f} +- {half:.6f}"
        assert half < 0.08 * truth, f"an interval of {half / truth:.3f} proves little"


def test_offers_take_one_over_the_chance_of_a_yes() -> None:
    """Nobody is asked twice for an order, and there are always others to ask: tries are geometric."""
    share = 0.4
    scenario = load_text(
        POINT, (f"drivers.accept_share={share}", "demand.orders_per_day=6000", "drivers.respond_s=2", "horizon_h=12")
    )
    streams = Streams(3)
    world, archive = build_world(scenario, streams), MemoryArchive()
    simulate(world, archive, streams=streams)
    offers, accepted = archive.rows("offer_made"), len(archive.rows("goods_delivered"))
    assert accepted == world.trace.orders > 2000
    tries = np.bincount(offers["order"], minlength=accepted)
    # Of a geometric number the mean is 1/p and the variance (1 - p) / p^2.
    half = 4.5 * np.sqrt((1.0 - share) / share**2 / accepted)
    assert abs(tries.mean() - 1.0 / share) < half < 0.1 / share
