"""The clock is SimPy's own with two shortcuts, and both keep SimPy's order of things."""

import pytest

from sim.clock import Clock, Timer


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
