"""The message bus: from the office to the floor, and between the office's own services.

A topic is split into partitions by key; each partition is a log that its consumer reads in order, so messages of one key
never overtake each other. Delivery is at least once: a message that is lost on its way is sent again after a while, and
everything behind it in its partition waits; a message whose acknowledgement is lost comes twice. Consumers know the ids
of what they had lately and drop a second copy (switchable). What does not arrive after several deliveries goes to the
dead-letter queue, and from there is replayed later by hand. A bus without losses, duplicates and delay calls its
subscribers at once and spends no event.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from sim.clock import Clock, Timer
from sim.facts import Facts
from sim.ports import Subscriber
from sim.scenario.bus import BusSpec
from sim.streams import Die
from sim.vocabulary import NO_ORDER, NOBODY, OrderId, Topic, quantise

_BLOCK = 1 << 12


def _name(topic: Topic, number: Any) -> Any:
    """The key of a message's draws."""
    return number * 8 + int(topic)


class _Fates:
    """Which messages of a topic, by number, something happens to: worked out for many at once."""

    __slots__ = ("_luck", "_spec", "_topic", "fated", "known")

    def __init__(self, luck: Die, spec: BusSpec, topic: Topic) -> None:
        self._luck, self._spec, self._topic = luck, spec, topic
        # Below which number they are known, and those of the last block to which something happens.
        self.known, self.fated = 0, set[int]()

    def more(self) -> None:
        """Work out the next block."""
        numbers = np.arange(self.known, self.known + _BLOCK, dtype=np.int64)
        chances = self._luck.uniforms(_name(self._topic, numbers))
        fated = (chances < self._spec.loss) | (chances > 1.0 - self._spec.duplicates)
        self.fated = set(numbers[fated].tolist())
        self.known += _BLOCK


class Partition:
    """One log of a topic: when its last message arrives, and until when nothing does."""

    __slots__ = ("blocked_s", "last_s")

    def __init__(self) -> None:
        self.last_s = 0.0
        self.blocked_s = 0.0


class Bus:
    """Publish and subscribe.

    Parameters
    ----------
    delay_s
        From publishing to delivery, seconds; may be changed while the run goes on (a slow bus).
    spec
        The scenario's `platform.bus`.
    luck
        Keyed draws by (topic and number of the message, delivery) for what happens to a message.

    Attributes
    ----------
    repeating
        Whether what is being delivered came before and nobody knows: for facts, not for the consumers.
    """

    def __init__(self, env: Clock, facts: Facts, delay_s: float, spec: BusSpec, luck: Die) -> None:
        self._env, self._facts, self._spec, self._luck = env, facts, spec, luck
        self.delay_s = self._normal_s = delay_s
        self._factors: list[float] = []
        self._reliable = not (spec.loss or spec.duplicates)
        self.published = [0] * len(Topic)
        self.delivered, self._pulled = [0] * len(Topic), [0] * len(Topic)
        self._fated = [_Fates(luck, spec, topic) for topic in Topic]
        self._subscribers: list[list[Subscriber]] = [[] for _ in Topic]
        self._ahead: list[Callable[[Any, float], None] | None] = [None for _ in Topic]
        self._deliver = [self._deliverer(topic) for topic in Topic]
        self._partitions = [[Partition() for _ in range(spec.partitions)] for _ in Topic]
        self.redelivered = self.duplicated = self.dropped = self.dead = self.lost = 0
        self.repeating = False
        self._blocked_until_s = -1.0  # the latest block of any partition
        self._shaky: tuple[float, float] | None = None  # a dying broker takes what is published between these times

    def _deliverer(self, topic: Topic) -> Any:
        subscribers, delivered = self._subscribers[topic], self.delivered

        def deliver(event: Timer) -> None:
            delivered[topic] += 1
            message = event._value
            for subscriber in subscribers:
                subscriber(message)

        return deliver

    def subscribe(self, topic: Topic, subscriber: Subscriber) -> None:
        """Call `subscriber` with every message of a topic."""
        self._subscribers[topic].append(subscriber)

    def subscribe_ahead(self, topic: Topic, subscriber: Callable[[Any, float], None]) -> None:
        """Call `subscriber` with a message and the time at which it arrives, seconds; with nothing in its way, at once.

        For a consumer whom nothing but the arrival concerns: it spares the event.
        """
        self._ahead[topic] = subscriber
        self.subscribe(topic, lambda message: subscriber(message, self._env.now))

    @property
    def lag(self) -> int:
        """Messages published and not yet delivered, over all topics."""
        return sum(self.published) - sum(self.delivered)

    def pull(self, topic: Topic, most: float) -> int:
        """Deliver at most so many messages to a consumer who comes for them, oldest first; returns how many there were.

        For messages that are counted and not kept: their reader does the same with each. From a blocked partition nothing
        comes, and messages are dealt to all of them alike.
        """
        logs, published = self._partitions[topic], self.published[topic]
        new, self._pulled[topic] = published - self._pulled[topic], published
        free = len(logs)
        if self._env.now < self._blocked_until_s:
            free = sum([log.blocked_s <= self._env.now for log in logs])
        there = published - self.delivered[topic] if free == len(logs) else new * free / len(logs)
        count = int(min(there, most))
        self.delivered[topic] += count
        return count

    def publish(self, topic: Topic, key: int, message: Any) -> None:
        """Send a message to the subscribers of a topic; messages of one key arrive in the order of their sending."""
        self.published[topic] = number = self.published[topic] + 1
        if self._reliable and not self.delay_s and self._blocked_until_s < 0.0 and self._shaky is None:
            self.delivered[topic] += 1
            for subscriber in self._subscribers[topic]:
                subscriber(message)
            return
        now, delay_s = self._env.now, self.delay_s
        if self._shaky is not None and now >= self._shaky[1]:
            self._shaky = None
        fates = self._fated[topic]
        if number >= fates.known:
            fates.more()
        if self._shaky is not None or number in fates.fated:
            self._risk(topic, key, message)
        elif now <= self._blocked_until_s:
            self._arrive(topic, key, message, now + delay_s)
        elif not delay_s:
            self.delivered[topic] += 1
            for subscriber in self._subscribers[topic]:
                subscriber(message)
        else:
            logs, ahead, at_s = self._partitions[topic], self._ahead[topic], now + delay_s
            log = logs[key % len(logs)]
            if at_s < log.last_s:
                self._arrive(topic, key, message, at_s)
                return
            log.last_s = at_s
            if ahead is None:
                Timer(self._env, delay_s, self._deliver[topic], message)
            else:
                self.delivered[topic] += 1
                ahead(message, at_s)

    def _arrive(self, topic: Topic, key: int, message: Any, at_s: float) -> float:
        # A later message must not overtake an earlier one of its partition.
        env, partitions = self._env, self._partitions[topic]
        partition = partitions[key % len(partitions)]
        if at_s < partition.last_s or at_s < partition.blocked_s:
            at_s = max(partition.last_s, partition.blocked_s)
        partition.last_s = at_s
        Timer(env, at_s - env.now, self._deliver[topic], message)
        return at_s

    def _risk(self, topic: Topic, key: int, message: Any) -> None:
        """Publish a message to which something may happen."""
        spec, now, order = self._spec, self._env.now, _order_of(message)
        if self._shaky is not None and self._shaky[0] <= now < self._shaky[1]:
            self.lost += 1
            self._facts.message_lost(topic=topic, order=order)
            # The sender's own record of what it has sent (its outbox) outlives the broker.
            self._hold_back(self._arrive(topic, key, message, now + self.delay_s + spec.outbox_s))
            return
        name, losses, delay_s = _name(topic, self.published[topic]), 0, self.delay_s
        # One draw decides for nearly every message that nothing happens to it.
        chance = self._luck.uniform(name, 0)
        again = chance > 1.0 - spec.duplicates
        while losses < spec.deliveries_max and chance < spec.loss:
            losses += 1
            chance = self._luck.uniform(name, losses)
        if losses == spec.deliveries_max:
            self.dead += 1
            self._facts.message_dead(topic=topic, order=order)
            delay_s += spec.replay_s
            # Out of the log: what comes behind it need not wait, so that it may overtake it.
            Timer(self._env, quantise(delay_s), self._replay, (topic, key, message))
            return
        if losses:
            self.redelivered += losses
            delay_s += losses * spec.redeliver_s
        at_s = self._arrive(topic, key, message, now + quantise(delay_s))
        if losses:
            self._hold_back(at_s)
            self._facts.message_redelivered(topic=topic, order=order, delay_s=at_s - now)
        if again:
            again_s = at_s + quantise(spec.redeliver_s * self._luck.uniform(name, -2) * 2.0)
            Timer(self._env, again_s - now, self._again, (topic, key, order, message, again_s - at_s))

    def _hold_back(self, until_s: float) -> None:
        # Nothing may overtake what is on its way again, not even what would be delivered without any delay.
        self._blocked_until_s = max(self._blocked_until_s, until_s)

    def _waits_s(self, topic: Topic, key: int) -> float:
        """For how long nothing more comes from a key's partition, seconds."""
        logs = self._partitions[topic]
        return max(logs[key % len(logs)].blocked_s - self._env.now, 0.0)

    def _replay(self, event: Timer) -> None:
        topic, key, message = event.value
        if wait_s := self._waits_s(topic, key):
            Timer(self._env, wait_s, self._replay, event.value)  # by then there may be another block
        else:
            Timer(self._env, 0.0, self._deliver[topic], message)

    def _again(self, event: Timer) -> None:
        topic, key, order, message, gap_s = event.value
        if wait_s := self._waits_s(topic, key):
            Timer(self._env, wait_s, self._again, event.value)
            return
        self.duplicated += 1
        # A consumer's memory ages with what it reads: while its partition stands still it forgets nothing.
        known = self._spec.deduplicate and gap_s <= self._spec.remember_s
        self._facts.message_duplicated(topic=topic, order=order, dropped=known)
        if known:
            self.dropped += 1
            return
        self.repeating = True
        for subscriber in self._subscribers[topic]:
            subscriber(message)
        self.repeating = False

    # -- what can go wrong -------------------------------------------------------------------------------------------

    def slow(self, factor: float) -> None:
        """Every message takes `factor` times as long, until `recover` with the same factor; several may be in force."""
        self._factors.append(factor)
        self.delay_s = quantise(self._normal_s * prod(self._factors))

    def recover(self, factor: float) -> None:
        """Take a slow-down back."""
        self._factors.remove(factor)
        self.delay_s = quantise(self._normal_s * prod(self._factors))

    def block(self, seconds: float, partition: int | None = None) -> None:
        """No message arrives for a while: at one partition of every topic, or at all of them (a rebalance, no leader)."""
        until_s = self._env.now + quantise(seconds)
        self._blocked_until_s = max(self._blocked_until_s, until_s)
        number = NOBODY if partition is None else partition % self._spec.partitions
        self._facts.partition_blocked(partition=number, until_s=until_s)
        for partitions in self._partitions:
            chosen = partitions if partition is None else [partitions[partition % len(partitions)]]
            for log in chosen:
                log.blocked_s = max(log.blocked_s, until_s)

    def broker_dies(self, seconds: float) -> None:
        """A broker is gone for a while: messages wait for the new leader, and those that only the dead one has are lost.

        Without copies these are all until it is back; with copies, where the leader's word is enough, the last that it took.
        """
        spec, lost_s = self._spec, seconds
        if spec.replicas > 1:
            self.block(min(seconds, spec.election_s))
            lost_s = 0.0 if spec.acks == "all" else min(seconds, spec.unreplicated_s)
        if lost_s:
            until_s = self._env.now + quantise(lost_s)
            if self._shaky is not None:
                until_s = max(until_s, self._shaky[1])  # another one is down already, perhaps for longer
            self._shaky = (self._env.now, until_s)


def _order_of(message: Any) -> OrderId:
    order: OrderId = getattr(message, "order", NO_ORDER)
    return order
