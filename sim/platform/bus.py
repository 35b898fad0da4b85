"""The message bus: from the office to the floor, and between the office's own services.

Each topic has its subscribers; a message arrives after the bus's delay, in the order in which it was published. Without
a delay the subscribers are called at once and no event is spent on it.
"""

from enum import IntEnum
from typing import Any

import simpy

from sim.clock import Timer
from sim.ports import Subscriber


class Topic(IntEnum):
    """What messages are about."""

    ORDER_CONFIRMED = 0
    """`sim.contracts.PickJob`, to the store."""
    ORDER_CANCELLED = 1
    """`sim.contracts.Cancellation`, to the store and the driver."""
    OFFER = 2
    """`sim.contracts.OfferMessage`, to a driver's phone."""


class Bus:
    """Publish and subscribe with a delay.

    Parameters
    ----------
    delay_s
        From publishing to delivery, seconds; may be changed while the run goes on (a slow bus).
    """

    def __init__(self, env: simpy.Environment, delay_s: float) -> None:
        self._env = env
        self.delay_s = delay_s
        self._last_s = 0.0
        self._subscribers: list[list[Subscriber]] = [[] for _ in Topic]
        self._deliver = [self._deliverer(topic) for topic in Topic]

    def _deliverer(self, topic: Topic) -> Any:
        subscribers = self._subscribers[topic]

        def deliver(event: Timer) -> None:
            for subscriber in subscribers:
                subscriber(event.value)

        return deliver

    def subscribe(self, topic: Topic, subscriber: Subscriber) -> None:
        """Call `subscriber` with every message of a topic."""
        self._subscribers[topic].append(subscriber)

    def publish(self, topic: Topic, message: Any) -> None:
        """Send a message to the subscribers of a topic."""
        if self.delay_s:
            # A bus that gets faster again must not let a message overtake those before it.
            self._last_s = max(self._env.now + self.delay_s, self._last_s)
            Timer(self._env, self._last_s - self._env.now, self._deliver[topic], message)
        else:
            for subscriber in self._subscribers[topic]:
                subscriber(message)
