"""The inventory's own history rebuilds its records: from snapshots and tail, at any recovery point that is kept."""

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.clock import Clock
from sim.platform.stock_events import Fold, StockEvent, StockEvents

SKUS = 3
EFFECT = {
    StockEvent.RESERVED: (-1, 1),
    StockEvent.RETURNED: (1, -1),
    StockEvent.SOLD: (0, -1),
    StockEvent.ADJUSTED: (1, 0),
}

Batch = tuple[int, StockEvent, list[tuple[int, int]]]
BATCHES = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from(StockEvent),
        st.lists(st.tuples(st.integers(0, SKUS - 1), st.integers(-(2**31), 2**31)), max_size=4),
    ),
    max_size=25,
)


def by_hand(batches: list[Batch], until_s: float) -> list[list[int]]:
    records, now = [[0] * SKUS for _ in range(3)], 0
    for wait_s, kind, lines in batches:
        now += wait_s
        if now <= until_s:
            for sku, units in lines:
                records[0][sku] += EFFECT[kind][0] * units
                records[1][sku] += EFFECT[kind][1] * units
                records[2][sku] += 1
    return records


def told(fold: Fold) -> list[list[int]]:
    return [column.tolist() for column in fold]


def write(events: StockEvents, env: Clock, batches: list[Batch], snapshots: set[int]) -> None:
    for number, (wait_s, kind, lines) in enumerate(batches):
        env.advance(env.now + wait_s)
        if number % 2:
            events.lines(0, kind, lines)  # type: ignore[arg-type]
        else:
            skus, units = (np.array([line[i] for line in lines], dtype=np.int64) for i in (0, 1))
            events.columns(0, kind, skus, units)  # type: ignore[arg-type]
        if number in snapshots:
            events.snapshot(0)  # type: ignore[arg-type]


@given(batches=BATCHES, every=st.integers(1, 9), snapshots=st.sets(st.integers(0, 25)), keep_s=st.integers(0, 30))
@settings(max_examples=150, deadline=None)
def test_records_are_the_fold_of_their_events(
    batches: list[Batch], every: int, snapshots: set[int], keep_s: int
) -> None:
    env = Clock()
    events = StockEvents(env, 2, SKUS, every=every, keep_s=keep_s)
    write(events, env, batches, snapshots)
    assert told(events.rebuild(0)) == by_hand(batches, env.now)  # type: ignore[arg-type]
    assert events.count(0) == sum(len(lines) for _, _, lines in batches)  # type: ignore[arg-type]
    assert events.tail(0) < every + 4, "the tail is bounded by the distance of snapshots"  # type: ignore[arg-type]
    assert told(events.rebuild(1)) == [[0] * SKUS] * 3, "each store is its own partition"  # type: ignore[arg-type]


@given(
    batches=BATCHES,
    every=st.integers(1, 9),
    snapshots=st.sets(st.integers(0, 25)),
    back_s=st.floats(0, 30),
    more=BATCHES,
)
@settings(max_examples=150, deadline=None)
def test_a_cut_takes_the_stream_back_to_its_recovery_point(
    batches: list[Batch], every: int, snapshots: set[int], back_s: float, more: list[Batch]
) -> None:
    env = Clock()
    events = StockEvents(env, 1, SKUS, every=every, keep_s=30.0)
    write(events, env, batches, snapshots)
    point, before = env.now - back_s, events.count(0)  # type: ignore[arg-type]
    lost = events.cut(0, point)  # type: ignore[arg-type]
    then = by_hand(batches, point)
    assert told(events.rebuild(0)) == then  # type: ignore[arg-type]
    assert lost == before - sum(then[2])
    # The stream goes on from there.
    write(events, env, more, snapshots)
    assert told(events.rebuild(0)) == (np.array(then) + np.array(by_hand(more, np.inf))).tolist()  # type: ignore[arg-type]


def test_old_events_are_forgotten_and_a_recovery_point_among_them_is_refused() -> None:
    env = Clock()
    events = StockEvents(env, 1, SKUS, every=10, keep_s=100.0)
    for _ in range(2000):
        env.advance(env.now + 1.0)
        events.line(0, StockEvent.ADJUSTED, 1, 1)  # type: ignore[arg-type]
    partition = events._partitions[0]
    assert len(partition.codes) <= 120
    assert len(partition.snapshots) <= 12
    with pytest.raises(ValueError, match="Expected a recovery point from"):
        events.cut(0, 1000.0)  # type: ignore[arg-type]
    assert events.cut(0, 1900.0) == 100  # type: ignore[arg-type]
    assert events.rebuild(0).available.tolist() == [0, 1900, 0]  # type: ignore[arg-type]


def test_a_stream_that_begins_anew_knows_nothing_of_before() -> None:
    env = Clock()
    events = StockEvents(env, 1, SKUS)
    env.advance(5.0)
    events.line(0, StockEvent.ADJUSTED, 1, 7)  # type: ignore[arg-type]
    events.restart(0, Fold(*(np.full(SKUS, value) for value in (4, 2, 9))))  # type: ignore[arg-type]
    events.line(0, StockEvent.RESERVED, 0, 1)  # type: ignore[arg-type]
    assert told(events.rebuild(0)) == [[3, 4, 4], [3, 2, 2], [10, 9, 9]]  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Expected a recovery point"):
        events.cut(0, 4.0)  # type: ignore[arg-type]
    assert events.cut(0, 5.0) == 0  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"every": 0}, {"keep_s": -1.0}])
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Expected every >= 1 and keep_s >= 0"):
        StockEvents(Clock(), 1, 1, **wrong)


@pytest.mark.benchmark
def test_an_event_costs_little(capsys: Any) -> None:
    events, held = StockEvents(Clock(), 1, 2000), [(3, 1), (50, 2), (700, 1), (1500, 1)]
    times = []
    for _ in range(5):
        start = time.process_time()
        for _ in range(50_000):
            events.lines(0, StockEvent.RESERVED, held)  # type: ignore[arg-type]
        times.append((time.process_time() - start) / 200_000)
    with capsys.disabled():
        print(f"\n{min(times) * 1e9:.0f} ns an event")
    assert min(times) < 300e-9
