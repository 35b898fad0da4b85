"""The bus: after its delay, in the order of publishing."""

from typing import Any

import simpy

from sim.platform.bus import Bus, Topic


def test_messages_arrive_after_the_delay_in_order() -> None:
    env = simpy.Environment()
    bus = Bus(env, 0.5)
    heard: list[Any] = []
    bus.subscribe(Topic.OFFER, lambda message: heard.append((env.now, message)))
    bus.subscribe(Topic.ORDER_CANCELLED, lambda message: heard.append((env.now, message)))

    def story() -> Any:
        for number in range(4):
            bus.publish(Topic.OFFER if number % 2 else Topic.ORDER_CANCELLED, number)
        yield env.timeout(0.25)
        bus.publish(Topic.OFFER, "late")
        bus.publish(Topic.ORDER_CONFIRMED, "to nobody")

    env.process(story())
    env.run()
    assert heard == [(0.5, 0), (0.5, 1), (0.5, 2), (0.5, 3), (0.75, "late")]


def test_without_delay_the_subscribers_are_called_at_once() -> None:
    env = simpy.Environment()
    bus = Bus(env, 0.0)
    heard: list[Any] = []
    bus.subscribe(Topic.OFFER, heard.append)
    bus.subscribe(Topic.OFFER, lambda message: heard.append(-message))
    bus.publish(Topic.OFFER, 7)
    assert heard == [7, -7]
    assert env.peek() == float("inf"), "expected no event"


def test_a_slow_bus_that_recovers_keeps_the_order() -> None:
    """A message that was published first arrives first, also when the delay has fallen in the meantime."""
    env = simpy.Environment()
    bus = Bus(env, 10.0)
    heard: list[Any] = []
    bus.subscribe(Topic.OFFER, heard.append)

    def story() -> Any:
        bus.publish(Topic.OFFER, "first")
        yield env.timeout(1.0)
        bus.delay_s = 0.05
        bus.publish(Topic.OFFER, "second")

    env.process(story())
    env.run()
    assert heard == ["first", "second"]
