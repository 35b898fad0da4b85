"""Stories and signals: what `tell` promises."""

import gc
from typing import Any

import pytest
import simpy

from sim.clock import Clock, Timer
from sim.engine import policies_of, simulate
from sim.recording import MemoryArchive
from sim.story import Life, Signal, Story, tell, tell_while
from sim.world.build import build_world


def test_a_story_begins_at_once_and_goes_on_at_its_events() -> None:
    env, heard = simpy.Environment(), []

    def story() -> Story:
        heard.append(("begin", env.now))
        got = yield env.timeout(2.5, "value")
        heard.append((got, env.now))
        got = yield env.timeout(0.0, "at once")
        heard.append((got, env.now))

    tell(story())
    assert heard == [("begin", 0)]
    env.run()
    assert heard[1:] == [("value", 2.5), ("at once", 2.5)]


def test_a_signal_wakes_all_who_wait_inside_the_call_and_only_once() -> None:
    heard: list[Any] = []
    signal = Signal()

    def story(name: str) -> Story:
        yield signal
        heard.append(name)

    tell(story("a"))
    tell(story("b"))
    assert heard == []
    signal.ring()
    assert heard == ["a", "b"]
    signal.ring()
    assert heard == ["a", "b"]


def test_what_has_happened_already_is_not_waited_for() -> None:
    env, heard = simpy.Environment(), []
    rung = Signal()
    rung.ring()
    past = env.timeout(1, "past")
    env.run()

    def story() -> Story:
        yield rung
        heard.append((yield past))
        yield rung
        heard.append("end")

    tell(story())
    assert heard == ["past", "end"]


def test_a_story_may_ring_and_begin_others() -> None:
    heard: list[str] = []
    signal = Signal()

    def sleeper() -> Story:
        yield signal
        heard.append("woken")

    def waker() -> Story:
        tell(sleeper())
        heard.append("before")
        signal.ring()
        heard.append("after")
        yield signal

    tell(waker())
    assert heard == ["before", "woken", "after"]


def test_an_exception_in_a_story_ends_the_run() -> None:
    env = simpy.Environment()

    def story() -> Story:
        yield env.timeout(1)
        raise RuntimeError("our bug")

    tell(story())
    with pytest.raises(RuntimeError, match="our bug"):
        env.run()


def test_a_run_leaves_no_cyclic_garbage(two_stores: Any) -> None:
    """The engine switches the collector off for the run; that is fair only if there is nothing for it to collect."""
    wild = ("customers={patience_s: 600}", "payments.decline_share=0.2", "drivers.accept_share=0.6")
    short, long = (build_world(two_stores(*wild, f"horizon_h={hours}")) for hours in (0.5, 2))
    garbage = []
    for world in (short, long):
        policies = policies_of(world.scenario)
        gc.collect()
        outcome = simulate(world, MemoryArchive(), policies=policies)
        assert outcome.facts
        garbage.append(gc.collect())
    # What the office and the floor themselves are (a fixed number of cycles) is collected at the end; orders must not be.
    assert garbage[1] < garbage[0] * 1.3 + 200


def test_a_life_that_ends_takes_its_stories_along_and_leaves_the_later_ones():
    env, life, told = Clock(), Life(), []

    def story(name):
        try:
            told.append(f"{name} begins")
            yield Timer(env, 2.0)
            told.append(f"{name} goes on")
        finally:
            told.append(f"{name} is over")

    tell_while(story("early"), life)
    Timer(env, 1.0, lambda _: (life.end(), tell_while(story("late"), life)))
    env.advance(10.0)
    assert told == ["early begins", "late begins", "early is over", "late goes on", "late is over"]
