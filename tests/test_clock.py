"""The clock is SimPy's own with two shortcuts, and both keep SimPy's order of things."""

import pytest

from sim.clock import SOON_S, Clock, Timer


def happenings(advance):
    env, seen = Clock(), []
    for at_s, name in ((2.0, "late"), (1.0, "first"), (1.0, "second")):
        Timer(
            env,
            at_s,
            lambda event: (seen.append((env.now, event.value)), env.afterwards(lambda: later(event.value))),
            name,
        )

    def later(name):
        seen.append((env.now, f"after {name}"))
        if name == "first":
            env.afterwards(lambda: seen.append((env.now, "after that")))

    advance(env)
    return seen


@pytest.mark.parametrize(
    "advance", [lambda env: env.advance(5.0), lambda env: env.run(until=5.0)], ids=["advance", "run"]
)
def test_what_is_put_off_follows_its_event_and_precedes_the_next(advance):
    assert happenings(advance) == [
        (1.0, "first"), (1.0, "after first"), (1.0, "after that"),
        (1.0, "second"), (1.0, "after second"),
        (2.0, "late"), (2.0, "after late"),
    ]  # fmt: skip


def test_what_is_put_off_before_the_start_comes_first():
    env, seen = Clock(), []
    env.afterwards(lambda: seen.append("put off"))
    Timer(env, 0.0, lambda _: seen.append("event"))
    env.advance(1.0)
    assert seen == ["put off", "event"]


def test_a_timer_never_runs_backwards():
    with pytest.raises(ValueError, match="delay_s >= 0"):
        Timer(Clock(), -1.0)


@pytest.mark.parametrize("advance", [lambda env: env.advance(20.0), lambda env: env.run()], ids=["advance", "run"])
def test_short_and_long_timers_are_served_in_one_order_of_time_and_of_setting(advance):
    """Short ones stand in a queue of their own, and nobody can tell."""
    env, served = Clock(), []

    def note(event):
        served.append((env.now, event.value))

    def at_seven(_):
        Timer(env, 1.0, note, "short, set last")
        Timer(env, 0.5, note, "sooner")

    Timer(env, 8.0, note, "long, set first")
    Timer(env, 7.0, at_seven)
    Timer(env, SOON_S, note, "on the border")
    assert env.peek() == SOON_S
    advance(env)
    assert served == [(SOON_S, "on the border"), (7.5, "sooner"), (8.0, "long, set first"), (8.0, "short, set last")]
    assert env.peek() == float("inf")
