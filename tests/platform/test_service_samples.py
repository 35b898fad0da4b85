"""Samples of a service: what monitoring is told of calls, percentiles and utilisation, and that it adds up in any story."""

from math import inf, isnan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.platform.meter import Sample
from sim.platform.services import Service
from sim.scenario.services import Autoscale, Health, ServiceSpec
from sim.streams import Die
from tests.platform.small_services import STILL, a_service


def test_a_sample_counts_since_the_last_one() -> None:
    one = a_service()
    one.load(100.0, 0.0)
    for n in range(30):
        one.call(n * 0.5, 0.01, 0.9)
    first = one.sample(15.0)
    assert first.calls == pytest.approx(30 + 1500)
    assert first.rate == pytest.approx(first.calls / 15.0)
    assert first.utilisation == pytest.approx((30 * 0.01 + 15.0) / (15 * 6))
    second = one.sample(30.0)
    assert second.calls == pytest.approx(1500)
    assert second.utilisation == pytest.approx(1 / 6)
    one.load(0.0, 30.0)
    third = one.sample(45.0)
    assert (third.calls, third.errors, third.refused, third.utilisation) == (0, 0, 0, 0)
    assert isnan(third.p50_s)


def test_percentiles_mix_the_foreground_with_the_background() -> None:
    one = a_service(workers=50)
    one.load(100.0, 0.0)
    alone = one.sample(10.0)
    assert alone.p99_s == pytest.approx(0.01 * 4.605, rel=1e-3)
    for n in range(20):
        one.call(10.0 + n * 0.4, 5.0, 0.9)
    mixed = one.sample(20.0)  # 20 of 1,020 calls take five seconds: more than one in a hundred
    assert mixed.p99_s == 5.0
    assert mixed.p50_s == pytest.approx(0.01 * 0.713, rel=1e-2)  # 510 of 1,000 background calls lie above: -ln(0.49)
    for n in range(5):
        one.call(20.0 + n * 0.4, 5.0, 0.9)
    few = one.sample(30.0)  # 5 of 1,005: the background has the other 5.05 of the slowest hundredth
    assert few.p99_s == pytest.approx(0.01 * 5.288, rel=1e-2)


def test_work_that_does_not_fit_keeps_the_servers_busy_afterwards() -> None:
    one = Service(ServiceSpec(instances=1, workers=2, queue_max_s=100.0, timeout_s=1e6), STILL, Health())
    for _ in range(4):
        one.call(0.0, 15.0, 0.5)
    assert one.sample(10.0).utilisation == 1.0
    assert one.sample(25.0).utilisation == 1.0
    assert one.sample(35.0).utilisation == pytest.approx(0.5)
    assert one.sample(45.0).utilisation == 0.0


def story(seed: int) -> tuple[list[float], list[Sample]]:
    """A service that meets a bit of everything, in an order that the seed draws."""
    die = Die(seed)
    one = a_service(instances=4, workers=2, autoscale=Autoscale(provisioning_s=20.0))
    answers, samples, now_s = [], [], 0.0
    rate = 0.0
    for n in range(400):
        now_s += die.uniform(n) * 2.0
        what = int(die.uniform(n, 1) * 14)
        if what == 0:
            one.kill(int(die.uniform(n, 2) * len(one.rotation.zone)), now_s)
        elif what == 1:
            one.slow(5.0, now_s)
            one.recover(5.0, now_s + 0.5)
        elif what == 2:
            one.fail_all(now_s)
            one.heal(now_s + 0.3)
        elif what == 3:
            one.zone_down(n % 3, now_s)
            one.zone_up(n % 3)
        elif what == 4:
            rate = die.uniform(n, 2) * 2000.0
            one.tick(rate, now_s)
        elif what == 5:
            one.tick(rate, now_s)
            samples.append(one.sample(now_s))
        else:
            answers.append(one.call(now_s + 0.01 * die.uniform(n, 3), 0.2 * die.uniform(n, 4), die.uniform(n, 5)))
    samples.append(one.sample(now_s))
    return answers, samples


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_in_any_story_counters_add_up(seed: int) -> None:
    answers, samples = story(seed)
    assert all(answer == inf or 0.0 <= answer <= 1.0 + 0.2 * 5.0 for answer in answers), "queue and slowed work at most"
    for sample in samples:
        assert -1e-6 <= sample.refused <= sample.errors + 1e-6
        assert 0.0 <= sample.utilisation <= 1.0
        assert sample.queue >= 0.0
        assert sample.backlog_s >= 0.0
        assert isnan(sample.p99_s) or sample.p50_s <= sample.p99_s
        assert sample.instances <= 60
    assert sum(sample.errors for sample in samples) >= sum(answer == inf for answer in answers)
    assert sum(sample.calls for sample in samples) >= len(answers)


def test_the_same_calls_have_the_same_answers() -> None:
    assert all(repr(story(seed)) == repr(story(seed)) for seed in range(5))
    assert repr(story(1)) != repr(story(2))
