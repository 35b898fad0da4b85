"""Reads that wait for an answer somebody else has asked for, in whole runs: both modes, and what slow services make of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.clock import Timer
from sim.platform.backend import Backend
from sim.platform.meter import Sample
from sim.platform.tails import beyond, tail_s
from sim.vocabulary import Svc
from tests.platform.test_reads import both, platform

__all__ = ["both"]

SHORT = ("horizon_h=0.5", "demand.orders_per_day=3000", "catalogue.skus=200")
SLOW = "platform.services.catalogue.work_s=0.5"
UNCACHED = ("platform.browsing.cache.ttl_s=0", "horizon_h=0.3", "demand.orders_per_day=9600")

modes = pytest.mark.parametrize("mode", ["rate", "explicit"])


def test_who_shares_an_answer_waits_for_it_either_way(both):
    """Nothing is cached and an answer takes half a second: half of the reads join one that is under way."""
    mine, theirs = (platform(run)["endpoints"]["catalogue"] for run in both(*UNCACHED, SLOW))
    assert mine["p50_s"] == pytest.approx(theirs["p50_s"], rel=0.1)
    assert mine["p99_s"] == pytest.approx(theirs["p99_s"], rel=0.1)
    assert 0.2 < theirs["p50_s"] < 0.4


def asked(played):
    """Calls of the catalogue service, while orders come in."""
    rows = played.rows("service_sampled")
    return float(rows["rate"][(rows["service"] == Svc.CATALOGUE) & (rows["t_s"] > 0.0) & (rows["t_s"] < 1800.0)].sum())


@modes
def test_who_may_not_share_an_answer_asks_for_one(play, two_stores, mode):
    shared, alone = (
        asked(play(two_stores(*SHORT, SLOW, f"platform.reads={mode}", f"platform.browsing.cache.coalesce={on}")))
        for on in ("true", "false")
    )
    assert 1.15 * shared < alone < 1.5 * shared


@modes
def test_the_slower_the_catalogue_the_more_reads_share_an_answer(play, two_stores, monkeypatch, mode):
    """Of reads r a second of a page, r fill / (1 + r (fill + ttl)) come while it is being filled."""
    start, counts = Backend.start, []

    def started(backend):
        start(backend)
        for at_s in (60.0, 600.0, 660.0, 1200.0, 1260.0, 1800.0):
            Timer(backend._env, at_s, lambda _: counts.append(count(backend)))

    def count(backend):
        backend.catalogue.sample(backend._env.now)
        return backend.catalogue.coalesced, backend.catalogue.reads

    monkeypatch.setattr(Backend, "start", started)
    slow = "faults=[{kind: service_slowdown, service: catalogue, at: '12:10', minutes: 10, factor: 100}]"
    play(two_stores(*SHORT, slow, f"platform.reads={mode}"))
    shares = np.diff(np.array(counts), axis=0)[::2]
    before, while_slow, after = shares[:, 0] / shares[:, 1]
    assert while_slow > 0.01 > 5 * max(before, after)


@given(st.floats(1e-3, 10.0), st.floats(1.01, 50.0), st.floats(1e-6, 0.999))
def test_the_share_beyond_a_latency_is_the_tail_at_that_latency(p50_s, times, tail):
    sample = Sample(100.0, 0.0, 0.0, 1.0, p50_s, times * p50_s, 0.0, 0.0, 1, 0.0)
    assert beyond(sample, tail_s(sample, tail)) == pytest.approx(tail)
    assert beyond(sample, p50_s) == pytest.approx(0.5)
    assert beyond(sample, times * p50_s) == pytest.approx(0.01)


def test_nothing_lies_beyond_the_latencies_of_a_service_nobody_called_and_all_beyond_none():
    for p99_s in (2.0, float("nan")):
        assert beyond(Sample(100.0, 0.0, 0.0, 1.0, 1.0, p99_s, 0.0, 0.0, 1, 0.0), 0.0) == 1.0
    assert beyond(Sample(0.0, 0.0, 0.0, 0.0, 1.0, float("nan"), 0.0, 0.0, 1, 0.0), 1e-9) == 0.0
