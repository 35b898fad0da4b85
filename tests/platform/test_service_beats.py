"""A beat is a round of control and a look in one: the short way that an ordinary one takes leads where the long one does."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.platform.meter import Sample
from sim.platform.services import Service
from sim.scenario.services import Autoscale, Health, ServiceSpec
from sim.streams import Die

Beat = Callable[[Service, float, float], Sample]


def the_long_way(one: Service, rate: float, now_s: float) -> Sample:
    one.tick(rate, now_s)
    return one.sample(now_s)


def life(seed: int, beat: Beat, peace: float = 0.9, beats: int = 120) -> list[object]:
    """All that a service says in a life that the seed draws, of which a share is peaceful: calls, and a rate that drifts."""
    die = Die(seed)
    short, touchy = die.uniform(-2) < 0.3, die.uniform(-3) < 0.3
    one = Service(
        ServiceSpec(instances=3, workers=4, work_s=0.01, queue_max_s=0.02 if short else 2.0),
        Autoscale(provisioning_s=20.0, cooldown_s=60.0, queue_per_instance=0.001 if touchy else 10.0),
        Health(),
    )
    asked = list[tuple[int, float]]()
    found, rate = list[object](), die.uniform(-1) * 400.0
    for n in range(beats):
        now_s = 15.0 * (n + 1)
        if die.uniform(n, 1) > peace:
            what, at_s = int(die.uniform(n, 2) * 7), now_s - 9.0
            if what == 0:
                one.kill(one.rotation.up[0], at_s)
            elif what == 1:
                one.slow(5.0, at_s)
                one.recover(5.0, at_s + 3.0)
            elif what == 2:
                one.fail_all(at_s)
                found.append(one.call(at_s + 1.0, 0.01, 0.5))
                one.heal(at_s + 2.0)
            elif what == 3:
                rate = die.uniform(n, 3) * 2500.0
            elif what == 4:
                rate = 0.0
            elif what == 5:
                # More than there are servers; some hold theirs beyond the beat, with more work than fits before it.
                found.extend(one.call(at_s, 2.0 + 20.0 * die.uniform(n, 3), 0.5) for _ in range(15))
            else:
                found.extend(one.call(now_s - 0.01, 0.02, 0.5) for _ in range(15))  # hardly any work, but not done yet
        for call in range(int(die.uniform(n, 4) * 5)):
            key = 100 * n + call
            at_s = now_s - 2.0 + 0.3 * call
            found.append(one.call(at_s, 0.05 * die.uniform(key, 5), die.uniform(key, 6)))
            asked.append((one.last_instance, at_s))
        if len(asked) > 15:
            found.append([one.broke(*asked.pop(0)) for _ in range(5)])  # long after
        found.append(tuple(beat(one, rate, now_s)))
        found.append((one.answers, one.epoch, one.delay_s(now_s), one.rotation.known, one.rotation.desired))
        rate *= 1.0 + 0.001 * (die.uniform(n, 7) - 0.5)
    return found


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_in_any_life_a_beat_is_a_round_of_control_and_then_a_look(seed: int) -> None:
    # Written out, for no percentile is equal to none.
    assert repr(life(seed, Service.beat)) == repr(life(seed, the_long_way))


def test_a_peaceful_life_takes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds, tick = list[float](), Service.tick

    def counted(one: Service, rate: float, now_s: float) -> None:
        rounds.append(now_s)
        tick(one, rate, now_s)

    def long_way(peace: float) -> list[int]:
        """How many of 120 beats took the long way, in each of ten lives."""
        found = []
        for seed in range(10):
            rounds.clear()
            life(seed, Service.beat, peace)
            found.append(len(rounds))
        return sorted(found)

    monkeypatch.setattr(Service, "tick", counted)
    assert 0 < long_way(peace=1.0)[4] < 10
    assert long_way(peace=0.0)[4] > 60
