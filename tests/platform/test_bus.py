"""The bus: at least once, in the order of publishing per key, whatever is lost, comes twice, or stands still."""

from collections import Counter, defaultdict
from collections.abc import Callable
from math import inf
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.clock import Clock, Timer
from sim.facts import SIGNATURES, Facts
from sim.laws import all_laws, verdict, whole_log
from sim.platform.bus import Bus
from sim.scenario.bus import BusSpec
from sim.streams import Die
from sim.vocabulary import OrderId, Topic
from sim.world.build import build_world

QUIET = BusSpec(loss=0.0, duplicates=0.0)


class Word(NamedTuple):
    """A message about an order."""

    order: OrderId


class Line:
    """A bus on a bare clock with one listener to one topic, and every fact of it."""

    def __init__(self, delay_s: float = 0.5, spec: BusSpec = QUIET, topic: Topic = Topic.ORDER_CONFIRMED) -> None:
        self.env, self.topic, self.facts = Clock(), topic, Counter[str]()
        facts = Facts()
        for kind in SIGNATURES:
            setattr(facts, kind, self._counter(kind))
        self.bus = Bus(self.env, facts, delay_s, spec, Die(11))
        self.heard: list[tuple[float, Any]] = []
        self.bus.subscribe(topic, lambda message: self.heard.append((self.env.now, message)))

    def _counter(self, kind: str) -> Callable[..., None]:
        return lambda **values: self.facts.update([kind])

    def at(self, at_s: float, act: Callable[[], Any]) -> None:
        Timer(self.env, at_s, lambda _: act())

    def send(self, key: int, message: Any, at_s: float | None = None) -> None:
        if at_s is None:
            self.bus.publish(self.topic, key, message)
        else:
            self.at(at_s, lambda: self.bus.publish(self.topic, key, message))

    def lag(self) -> int:
        assert self.bus.lag == self.bus.published[self.topic] - self.bus.delivered[self.topic]
        return self.bus.lag

    def times(self) -> dict[int, float]:
        """When each order was heard of first."""
        first: dict[int, float] = {}
        for t_s, word in self.heard:
            first.setdefault(word.order, t_s)
        return first


# -- a bus to which nothing happens ------------------------------------------------------------------------------------


def test_messages_arrive_after_the_delay_in_order() -> None:
    line = Line()
    line.bus.subscribe(Topic.ORDER_CANCELLED, lambda message: line.heard.append((line.env.now, message)))
    for number in range(4):
        line.bus.publish(line.topic if number % 2 else Topic.ORDER_CANCELLED, 0, number)
    line.send(0, "late", at_s=0.25)
    line.bus.publish(Topic.OFFER, 0, "to nobody")
    line.env.advance(10.0)
    assert line.heard == [(0.5, 0), (0.5, 1), (0.5, 2), (0.5, 3), (0.75, "late")]


def test_without_delay_the_subscribers_are_called_at_once() -> None:
    line = Line(0.0)
    line.bus.subscribe(line.topic, lambda message: line.heard.append((line.env.now, -message)))
    line.send(3, 7)
    assert line.heard == [(0.0, 7), (0.0, -7)]
    assert line.env.peek() == float("inf"), "expected no event"


def test_a_slow_bus_that_recovers_keeps_the_order() -> None:
    """A message that was published first arrives first, also when the delay has fallen in the meantime."""
    line = Line(0.5)
    line.bus.slow(20.0)
    line.bus.slow(2.0)
    line.send(0, "first")
    line.at(1.0, lambda: line.bus.recover(20.0))
    line.send(0, "second", at_s=1.5)
    line.at(2.0, lambda: line.bus.recover(2.0))
    line.send(0, "third", at_s=30.0)
    line.env.advance(60.0)
    assert line.heard == [(20.0, "first"), (20.0, "second"), (30.5, "third")]


# -- losses, duplicates, dead letters ----------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [0.01, 0.2, 0.5])
def test_every_message_is_delivered_at_least_once(loss: float) -> None:
    """And late by as many times `redeliver_s` as it was lost: k losses with chance loss^k (1 - loss), each key by itself."""
    n = 2000
    line = Line(spec=BusSpec(loss=loss, duplicates=0.0, partitions=n, deliveries_max=20, redeliver_s=5.0))
    for number in range(n):
        line.send(number, Word(OrderId(number)))
    line.env.advance(1e4)
    assert sorted(line.times()) == list(range(n))
    assert len(line.heard) == n
    losses = Counter(round((t_s - 0.5) / 5.0) for t_s, _ in line.heard)
    for k in range(3):
        expected = loss**k * (1 - loss)
        assert abs(losses[k] / n - expected) < 5 * np.sqrt(expected * (1 - expected) / n)
    assert line.bus.redelivered == sum(k * count for k, count in losses.items())
    assert line.facts["message_redelivered"] == n - losses[0]
    assert line.lag() == 0


def seconds(least: int, most: int) -> st.SearchStrategy[float]:
    """Times of the simulator's grid, so that sums are exact."""
    return st.integers(least * 8, most * 8).map(lambda n: n / 8)


SENT = st.lists(st.tuples(seconds(0, 9), st.integers(0, 3)), min_size=1, max_size=60)
HAPPENS = st.lists(
    st.tuples(seconds(0, 60), st.sampled_from(["slow", "block", "block one", "broker"]), seconds(1, 40)), max_size=6
)


@settings(max_examples=150, deadline=None)
@given(SENT, HAPPENS, st.sampled_from([0.0, 0.3, 0.5]), st.sampled_from([0.0, 0.3]), st.sampled_from([0.0, 0.05, 3.0]),
       st.sampled_from(["all", "leader"]))  # fmt: skip
@example([(5.0, 0), (5.0, 0)], [(0.0, "block", 10.0)], 0.0, 0.0, 0.0, "all")
@example([(0.0, 0)] * 20, [], 0.3, 0.0, 0.0, "all")
@example([(1.0, 0)] * 20, [(2.0, "broker", 5.0)], 0.0, 0.0, 0.0, "leader")
def test_messages_of_one_key_never_overtake_each_other(
    sent: Any, happens: Any, loss: float, duplicates: float, delay_s: float, acks: Any
) -> None:
    """Under loss, duplicates, slow-downs, blocks and dead brokers at once; and all arrive."""
    line = Line(
        delay_s, BusSpec(loss=loss, duplicates=duplicates, partitions=3, deliveries_max=20, acks=acks, outbox_s=20.0)
    )
    now, of_key = 0.0, defaultdict(list)
    for number, (gap_s, key) in enumerate(sent):
        now += gap_s
        of_key[key].append(number)
        line.send(key, Word(OrderId(number)), at_s=now)
    for at_s, what, much in happens:
        if what == "slow":
            line.at(at_s, lambda factor=much: line.bus.slow(factor))  # type: ignore[misc]
            line.at(at_s + 15.0, lambda factor=much: line.bus.recover(factor))  # type: ignore[misc]
        elif what == "broker":
            line.at(at_s, lambda seconds=much: line.bus.broker_dies(seconds))  # type: ignore[misc]
        else:
            place = 1 if what == "block one" else None
            line.at(at_s, lambda seconds=much, place=place: line.bus.block(seconds, place))  # type: ignore[misc]
    line.env.advance(1e12)  # six slow-downs at once multiply
    heard = [word.order for _, word in line.heard]
    assert sorted(heard) == list(range(len(sent))), "each once: second copies are dropped"
    for key, numbers in of_key.items():
        assert [order for order in heard if order in numbers] == numbers, key
    assert line.lag() == 0


@pytest.mark.parametrize("deduplicate", [True, False])
def test_second_copies_are_dropped_by_who_deduplicates_and_heard_by_who_does_not(deduplicate: bool) -> None:
    n = 2000
    line = Line(spec=BusSpec(loss=0.0, duplicates=0.3, deduplicate=deduplicate))
    for number in range(n):
        line.send(number, Word(OrderId(number)), at_s=0.25 * number)
    line.env.advance(1e4)
    again = line.facts["message_duplicated"]
    assert abs(again / n - 0.3) < 5 * np.sqrt(0.3 * 0.7 / n)
    assert line.bus.duplicated == again
    assert line.bus.dropped == (again if deduplicate else 0)
    copies = Counter(word.order for _, word in line.heard)
    assert Counter(copies.values()) == ({1: n} if deduplicate else {1: n - again, 2: again})
    assert line.lag() == 0, "second copies are not counted as deliveries"


def test_whoever_remembers_for_a_shorter_time_than_a_copy_takes_hears_it() -> None:
    line = Line(spec=BusSpec(loss=0.0, duplicates=1.0, redeliver_s=5.0, remember_s=5.0))
    for number in range(400):
        line.send(number, Word(OrderId(number)))
    line.env.advance(1e3)
    late = [t_s for t_s, _ in line.heard[400:]]
    assert line.bus.dropped + len(late) == 400
    assert min(late) > 5.5 >= max(line.times().values())
    assert 120 < len(late) < 280, "copies come up to twice redeliver_s later, so half of them too late"


def test_what_does_not_arrive_in_time_is_a_dead_letter_and_is_replayed() -> None:
    """Half of the deliveries fail, three are made: one message in eight is out of the log, and nobody waits for it."""
    n = 2000
    spec = BusSpec(loss=0.5, duplicates=0.0, partitions=n, deliveries_max=3, replay_s=900.0, redeliver_s=5.0)
    line = Line(spec=spec)
    for number in range(n):
        line.send(number, Word(OrderId(number)))
        line.send(number, Word(OrderId(n + number)), at_s=1.0)
    line.env.advance(800.0)
    dead = line.facts["message_dead"]
    assert abs(dead / (2 * n) - 1 / 8) < 5 * np.sqrt(1 / 8 * 7 / 8 / (2 * n))
    assert line.lag() == line.bus.dead == dead
    assert max(t_s for t_s, _ in line.heard) <= 1.5 + 2 * 5.0
    line.env.advance(2000.0)
    assert line.lag() == 0
    replayed = [t_s for t_s, _ in line.heard if t_s > 800]
    assert len(replayed) == dead
    assert set(replayed) == {900.5, 901.5}


def test_messages_of_one_order_or_of_none_each_have_their_own_luck() -> None:
    n = 400
    for message in (Word(OrderId(7)), "no order"):
        line = Line(spec=BusSpec(loss=0.5, duplicates=0.0, partitions=n, deliveries_max=20))
        for number in range(n):
            line.send(number, message)
        line.env.advance(1e4)
        delayed = sum(t_s > 0.5 for t_s, _ in line.heard)
        assert abs(delayed / n - 0.5) < 5 * 0.5 / np.sqrt(n)


# -- blocks and brokers ------------------------------------------------------------------------------------------------


def test_a_block_of_one_partition_delays_only_its_keys() -> None:
    line = Line(spec=BusSpec(loss=0.0, duplicates=0.0, partitions=4))
    line.at(1.0, lambda: line.bus.block(60.0, 6))
    for key in range(8):
        line.send(key, Word(OrderId(key)), at_s=2.0)
        line.send(key, Word(OrderId(100 + key)), at_s=70.0)
    line.env.advance(30.0)
    assert line.lag() == 2
    line.env.advance(200.0)
    assert line.times() == {key: 61.0 if key % 4 == 2 else 2.5 for key in range(8)} | {100 + k: 70.5 for k in range(8)}


def test_a_second_copy_waits_for_its_blocked_partition() -> None:
    spec = BusSpec(loss=0.0, duplicates=1.0, partitions=4, deduplicate=False, redeliver_s=5.0)
    line = Line(spec=spec)
    for key in range(8):
        line.send(key, Word(OrderId(key)))
    line.at(0.75, lambda: line.bus.block(60.0, 6))
    line.at(20.0, lambda: line.bus.block(60.0, 6))
    line.env.advance(200.0)
    again = {word.order: t_s for t_s, word in line.heard[8:]}
    assert set(line.times().values()) == {0.5}
    assert len(line.heard) == 16
    assert all((t_s == 80.0) == (key % 4 == 2) for key, t_s in again.items())
    assert all(t_s <= 10.5 for key, t_s in again.items() if key % 4 != 2)


def test_a_consumer_that_stands_still_forgets_nothing() -> None:
    """Its memory ages with what it reads: copies that come after a block longer than that are known all the same."""
    line = Line(spec=BusSpec(loss=0.0, duplicates=1.0, deduplicate=True, redeliver_s=5.0, remember_s=20.0))
    for key in range(8):
        line.send(key, Word(OrderId(key)))
    line.at(0.51, lambda: line.bus.block(60.0))
    line.env.advance(200.0)
    assert len(line.heard) == 8
    assert line.bus.dropped == line.bus.duplicated == 8


def test_a_replayed_dead_letter_waits_for_its_blocked_partition() -> None:
    """Every delivery fails, so that all that is heard comes from the dead-letter queue."""
    spec = BusSpec(loss=0.999, duplicates=0.0, partitions=4, deliveries_max=1, replay_s=100.0)
    line = Line(spec=spec)
    for key in range(8):
        line.send(key, Word(OrderId(key)))
    line.at(90.0, lambda: line.bus.block(60.0, 6))
    line.at(120.0, lambda: line.bus.block(60.0, 6))
    line.env.advance(500.0)
    assert line.bus.dead == 8
    assert line.times() == {key: 180.0 if key % 4 == 2 else 100.5 for key in range(8)}
    assert line.lag() == 0


def test_a_rebalance_holds_up_everybody() -> None:
    line = Line(spec=BusSpec(loss=0.0, duplicates=0.0, partitions=4))
    line.bus.block(30.0)
    for key in range(8):
        line.send(key, Word(OrderId(key)), at_s=float(key))
    line.env.advance(100.0)
    assert line.heard == [(30.0, Word(OrderId(key))) for key in range(8)]


@pytest.mark.parametrize(
    ("acks", "replicas", "lost"), [("all", 3, 0), ("leader", 3, 2), ("leader", 1, 20), ("all", 1, 20)]
)
def test_a_dead_broker_loses_what_it_alone_had_and_the_outbox_sends_it_again(
    acks: Any, replicas: int, lost: int
) -> None:
    """A message a second for a minute; the broker is gone from 20.25 s on for 20 s, a new leader is there after 8 s.

    What the leader alone had acknowledged is what it took in its last two seconds, or, without copies, all until it is back.
    """
    spec = BusSpec(loss=0, duplicates=0, acks=acks, replicas=replicas, election_s=8.0, outbox_s=60.0, partitions=1000)
    line = Line(spec=spec)
    line.at(20.25, lambda: line.bus.broker_dies(20.0))
    for number in range(60):
        line.send(number, Word(OrderId(number)), at_s=float(number))
    line.env.advance(500.0)
    assert line.bus.lost == line.facts["message_lost"] == lost
    assert line.lag() == 0
    for number, t_s in line.times().items():
        gone_s = 20.0 if replicas == 1 else 0.0 if acks == "all" else 2.0
        if 20.25 < number < 20.25 + gone_s:
            assert t_s == number + 60.5
        else:
            assert t_s == max(number + 0.5, 28.25 if number > 20.25 and replicas > 1 else 0.0)


def test_crashes_of_brokers_may_overlap() -> None:
    line = Line(spec=BusSpec(loss=0, duplicates=0, replicas=1))
    line.bus.broker_dies(100.0)
    line.at(10.0, lambda: line.bus.broker_dies(5.0))
    line.send(0, Word(OrderId(0)), at_s=50.0)
    line.env.advance(500.0)
    assert line.bus.lost == 1


# -- whole days --------------------------------------------------------------------------------------------------------

DAY = (
    "horizon_h=1", "demand.orders_per_day=4800", "drivers.count=30", "stores.inaccurate_share=0",
    "pickers.mispick_share=0", "customers={patience_s: 600, patience_cv: 1}",
)  # fmt: skip


def day(play: Any, scenario: Any) -> tuple[Any, list[Any]]:
    world = build_world(scenario)
    laws = all_laws(world)
    played = play(world, laws=laws)
    return played, verdict(laws) + whole_log(played.archive, played.outcome.state)


def measured(played: Any) -> tuple[int, int]:
    """Orders picked more than once; units by which records and shelves have come apart."""
    state, picks = played.outcome.state, Counter(played.rows("pick_started")["order"].tolist())
    drift = np.abs(state.available + state.reserved - state.shelf).sum()
    return sum(count > 1 for count in picks.values()), int(drift)


@pytest.mark.parametrize("seed", range(3))
def test_without_deduplication_orders_are_picked_twice_and_it_shows(two_stores: Any, play: Any, seed: int) -> None:
    """Double picks and drift are measured; the law of goods notices, those of money and records stand."""
    bus = "platform.bus={{duplicates: 0.3, loss: 0.0, deduplicate: {}}}"
    (kept, no_breach), (bare, breaches) = (
        day(play, two_stores(*DAY, f"seed={seed}", bus.format(known))) for known in ("true", "false")
    )
    assert no_breach == []
    assert measured(kept) == (0, 0)
    assert kept.rows("message_duplicated")["dropped"].all()
    assert len(kept.rows("message_duplicated")) > 50
    twice, drift = measured(bare)
    assert twice > 20
    assert drift > 50
    told = [run.study.summary["platform"]["bus"]["picked_twice"] for run in (kept, bare)]
    assert told[0] == 0
    assert 20 < told[1] <= twice, "whose second picker found nothing was picked once"
    assert not bare.rows("message_duplicated")["dropped"].any()
    assert {breach.law for breach in breaches} - {"orders"} == {"goods"}


@pytest.mark.parametrize(
    "bus",
    [
        "{loss: 0.3, duplicates: 0.3, deliveries_max: 20}",
        "{loss: 0.4, duplicates: 0.1, deliveries_max: 2, replay_s: 300}",
        "{acks: leader, outbox_s: 30}",
        "{partitions: 1, loss: 0.2}",
    ],
)
def test_a_bad_day_of_the_bus_breaks_no_law(two_stores: Any, play: Any, bus: str) -> None:
    faults = [
        "{kind: broker_crash, at: '12:10', minutes: 5}", "{kind: consumer_rebalance, at: '12:20', minutes: 1}",
        "{kind: bus_partition, at: '12:30', minutes: 5}", "{kind: bus_slowdown, at: '12:25', minutes: 10}",
    ]  # fmt: skip
    played, breaches = day(play, two_stores(*DAY, f"platform.bus={bus}", f"faults=[{', '.join(faults)}]"))
    assert breaches == []
    assert (played.study.orders["delivered_s"] > 0).sum() > 50


def test_from_a_blocked_partition_nothing_is_pulled_and_from_the_others_what_is_theirs() -> None:
    line = Line(spec=BusSpec(loss=0.0, duplicates=0.0, partitions=4), topic=Topic.ORDER_EVENT)
    bus, topic = line.bus, Topic.ORDER_EVENT
    bus.published[topic] += 100
    assert bus.pull(topic, 60.0) == 60
    assert bus.pull(topic, 60.0) == 40
    bus.block(10.0, 1)
    bus.published[topic] += 100
    assert bus.pull(topic, inf) == 75
    assert bus.lag == 25
    bus.block(5.0)
    bus.published[topic] += 8
    assert bus.pull(topic, inf) == 0
    line.env.advance(6.0)
    bus.published[topic] += 8
    assert bus.pull(topic, inf) == 6
    line.env.advance(11.0)
    assert bus.pull(topic, inf) == bus.published[topic] - 181
    assert bus.lag == 0
