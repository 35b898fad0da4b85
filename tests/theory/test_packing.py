"""Packing stations with room for so many orders are an M/M/c/K queue: who finds no room is lost to them."""

from heapq import heappop, heappush
from math import factorial

import numpy as np
import pytest

from sim.engine import simulate
from sim.recording import MemoryArchive
from sim.scenario import load_text
from sim.streams import Streams
from sim.world.build import build_world
from tests.theory.test_queues import BATCHES, ERROR, HORIZON_H, POINT, REPLICATIONS, SIMULATED, WARM_S, interval

STATIONS, ROOM = 3, 8
ARRIVALS, SERVICES = 10.0, 3.0
"""An hour in the textbook's example; here time runs a hundred times as fast."""
MEAN_S = 3600.0 / SERVICES / 100.0


def blocked(load: float, servers: int, room: int) -> float:
    """Chance that a customer of an M/M/c/K queue finds no room (Gross, Harris, Fundamentals of Queueing Theory, 3.5)."""
    weights = [
        load**n / (factorial(n) if n <= servers else factorial(servers) * servers ** (n - servers))
        for n in range(room + 1)
    ]
    return weights[-1] / sum(weights)


def turned_away(arrivals: list[float], services: list[float], servers: int, room: int) -> list[bool]:
    """Who finds no room, customer by customer."""
    free, inside = [0.0] * servers, list[float]()
    lost = []
    for at, work in zip(arrivals, services, strict=True):
        while inside and inside[0] <= at:
            heappop(inside)
        lost.append(len(inside) >= room)
        if not lost[-1]:
            done = max(at, heappop(free)) + work
            heappush(free, done)
            heappush(inside, done)
    return lost


def test_the_formula_by_hand() -> None:
    assert blocked(ARRIVALS / SERVICES, STATIONS, ROOM) == pytest.approx(0.177571, abs=5e-7)
    # As many places as servers: Erlang's loss formula. One server and one place: a / (1 + a).
    assert blocked(0.5, 1, 1) == pytest.approx(1 / 3)


def test_packing_stations_are_an_mmck_queue() -> None:
    scenario = load_text(
        POINT,
        (
            f"stores.packing={{stations: {STATIONS}, room: {ROOM}, base_s: {MEAN_S}, per_unit_s: 0}}",
            "pickers.noise=exponential",
            f"demand.orders_per_day={ARRIVALS / SERVICES / MEAN_S * 86_400}",
        ),
    )
    edges = np.linspace(WARM_S, HORIZON_H * 3600.0, BATCHES + 1)
    shares, controls = [], []
    for replication in range(REPLICATIONS):
        streams = Streams(scenario.seed, replication)
        world = build_world(scenario, streams)
        entered, work = world.trace.entered_s, world.trace.pack_s
        lost = np.array(turned_away(entered.tolist(), work.tolist(), STATIONS, ROOM))
        if replication < SIMULATED:
            # The engine turns away whom the recursion does: so the recursion stands for it on the other days.
            archive = MemoryArchive()
            simulate(world, archive, streams=streams)
            brought = archive.rows("order_brought")
            assert (brought["order"] == np.arange(len(entered))).all()
            # Ticks of 2^-20 s: two things within one may be the other way round.
            assert (brought["room"] == lost).sum() <= 1e-4 * len(lost)
            lost = ~brought["room"]
        gap = np.diff(entered, prepend=0.0)
        batch = np.searchsorted(edges, entered, side="right") - 1
        for number in range(BATCHES):
            mine = batch == number
            shares.append(lost[mine].mean())
            load = work[mine].mean() / MEAN_S - 1
            controls.append((load, gap[mine].mean() * ARRIVALS / SERVICES / MEAN_S - 1))
    mean, half = interval(np.array(shares), np.array(controls))
    truth = blocked(ARRIVALS / SERVICES, STATIONS, ROOM)
    assert abs(mean - truth) <= half, f"expected {truth:.6f} within {mean:.6f} +- {half:.6f} ({1 - ERROR:%})"
    assert half < 0.02 * truth
