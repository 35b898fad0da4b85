"""Services under faults: what dies with an instance, who notices, what replaces it, and what scaling is worth."""

from collections.abc import Callable
from itertools import pairwise
from math import inf, isnan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.clock import Clock
from sim.platform.cluster import Cluster
from sim.platform.services import Sample, Service
from sim.scenario.services import Autoscale, Health, Services, ServiceSpec
from sim.streams import Die
from sim.vocabulary import NOBODY, Svc

DIE = Die(42)
STILL = Autoscale(enabled=False)
NOTICED_S = 30.0
"""Ten seconds between checks, three failures."""


def a_service(
    instances: int = 3, workers: int = 2, work_s: float = 0.01, autoscale: Autoscale = STILL, **health: Any
) -> Service:
    return Service(ServiceSpec(instances=instances, workers=workers, work_s=work_s), autoscale, Health(**health))


def luck(n: int) -> float:
    return DIE.uniform(n)


def a_cluster(load: Callable[[float], float], autoscale: Autoscale, **keys: Any) -> tuple[Clock, Cluster]:
    """All services with the same spec and load."""
    env = Clock()
    spec = {"instances": 3, "workers": 4, "work_s": 0.01, **keys}
    specs = Services.model_validate({svc.name.lower(): spec for svc in Svc})
    cluster = Cluster(env, specs, autoscale, Health(), peak_loads=[0.0] * 8, load=lambda now_s: [load(now_s)] * 8)
    cluster.start()
    return env, cluster


# -- death and what it takes with it -----------------------------------------------------------------------------------


def test_what_is_in_flight_on_a_dying_instance_breaks_and_nothing_else() -> None:
    one = a_service()
    flights = []
    for n in range(6):  # six servers, all busy for ten seconds
        assert one.call(1.0, 10.0, luck(n)) == 10.0
        flights.append(one.last_instance)
    assert sorted(flights) == [0, 0, 1, 1, 2, 2]
    epoch = one.epoch
    assert one.kill(1, 5.0)
    assert one.epoch == epoch + 1
    assert [one.broke(instance, 1.0) for instance in flights] == [instance == 1 for instance in flights]
    assert not one.broke(1, 5.1), "a call that was made later cannot have been in flight"
    assert not one.broke(NOBODY, 0.0)
    assert one.sample(6.0).errors == 2
    assert not one.kill(1, 6.0), "nobody dies twice"
    assert one.epoch == epoch + 1


def test_work_goes_on_with_the_servers_that_are_left() -> None:
    one = a_service(instances=2, workers=1, replace=False)
    one.kill(0, 0.0)
    assert one.call(40.0, 2.0, 0.5) == 2.0
    assert one.last_instance == 1
    assert one.call(40.5, 0.1, 0.5) == inf, "1.5 s of waiting is more than the queue takes"
    assert one.call(41.5, 0.1, 0.5) == pytest.approx(0.5 + 0.1)


def test_a_dead_instance_fails_its_share_until_the_health_check_notices() -> None:
    one = a_service(workers=20, replace=False)
    one.kill(0, 100.0)
    failed = [
        (one.call(100.0 + n * 0.01, 0.001, luck(n)), one.last_instance) for n in range(2900)
    ]  # fmt: skip
    share = sum(latency == inf for latency, _ in failed) / len(failed)
    assert share == pytest.approx(1 / 3, abs=0.04)
    assert all((latency == inf) == (instance == 0) for latency, instance in failed)
    sample = one.sample(129.0)
    assert sample.errors == sum(latency == inf for latency, _ in failed)
    assert sample.instances == 2
    later = [one.call(100.0 + NOTICED_S + n * 0.01, 0.001, luck(n)) for n in range(3000)]
    assert inf not in later
    assert one.sample(170.0).errors == 0


def test_background_calls_fail_by_the_same_share() -> None:
    one = a_service(workers=20, replace=False)
    one.load(300.0, 0.0)
    one.kill(0, 100.0)
    before = one.sample(100.0)
    assert before.errors == pytest.approx(300 * 0.01 / 3), "those in flight: a third of three erlangs"
    assert one.sample(110.0).errors == pytest.approx(300 * 10 / 3)
    assert one.sample(140.0).errors == pytest.approx(300 * 20 / 3)
    assert one.sample(150.0).errors == 0


def test_a_dead_instance_is_replaced_after_it_was_noticed_and_another_is_provisioned() -> None:
    one = a_service(autoscale=Autoscale(enabled=False, provisioning_s=60.0))
    one.kill(2, 100.0)
    ready_s = 100.0 + NOTICED_S + 60.0
    for at_s, instances in ((129.0, 2), (131.0, 2), (ready_s - 0.1, 2), (ready_s + 0.1, 3), (500.0, 3)):
        assert one.sample(at_s).instances == instances, at_s
    assert one.rotation.up == [0, 1, 3]
    assert [one.rotation.zone[instance] for instance in one.rotation.up] == [0, 1, 2]
    one.call(500.0, 0.01, 0.5)
    taken = set()
    for n in range(12):
        one.call(501.0, 0.01, luck(n))
        taken.add(one.last_instance)
    assert taken == {0, 1, 3}


def test_without_replacement_the_dead_stay_away() -> None:
    one = a_service(replace=False)
    one.kill(2, 100.0)
    one.tick(0.0, 5000.0)
    assert one.sample(9000.0).instances == 2


def test_the_replacement_comes_at_its_time_also_when_only_calls_ask() -> None:
    one = a_service(instances=1, workers=1)
    one.kill(0, 0.0)
    assert one.call(NOTICED_S + 59.9, 0.01, 0.5) == inf
    assert one.call(NOTICED_S + 60.0, 0.01, 0.5) == pytest.approx(0.01)
    assert one.last_instance == 1


def test_a_zone_takes_exactly_its_instances_and_others_replace_them() -> None:
    env, cluster = a_cluster(lambda _: 50.0, STILL, instances=7)
    env.advance(100.0)
    cluster.zone_down(1)
    for service in cluster.services:
        assert service.rotation.up == [0, 2, 3, 5, 6], "1 and 4 were in zone 1"
        assert service.epoch == 2
    env.advance(300.0)
    for service in cluster.services:
        assert len(service.rotation.up) == 7
        assert all(service.rotation.zone[instance] != 1 for instance in service.rotation.up)
    cluster.zone_up(1)
    cluster.kill(Svc.ORDERS, 0)
    env.advance(500.0)
    orders = cluster.services[Svc.ORDERS].rotation
    assert [orders.zone[instance] for instance in orders.up].count(1) == 1, "the emptiest zone comes first"


def test_a_zone_takes_those_that_are_starting_as_well() -> None:
    one = a_service(autoscale=Autoscale(enabled=False, provisioning_s=60.0))
    one.kill(1, 0.0)
    one.advance(NOTICED_S)  # its successor starts in the empty zone
    one.zone_down(1, NOTICED_S + 30.0)
    one.tick(0.0, NOTICED_S + 45.0)
    assert one.sample(NOTICED_S + 61.0).instances == 2
    assert one.sample(NOTICED_S + 45.0 + 60.0).instances == 3
    assert one.rotation.zone[one.rotation.up[-1]] != 1


def test_overlapping_outages_of_a_zone_end_with_the_last() -> None:
    one = a_service()
    one.zone_down(0, 0.0)
    one.zone_down(0, 10.0)
    one.zone_up(0)
    one.advance(NOTICED_S)
    assert one.rotation.zone[3] != 0
    one.zone_up(0)
    one.kill(1, 200.0)
    one.advance(400.0)
    assert one.rotation.zone[4] == 0


def test_with_all_zones_down_nothing_starts_until_one_is_back() -> None:
    one = a_service(workers=1)
    one.load(10.0, 0.0)
    for zone in range(3):
        one.zone_down(zone, 10.0)
    assert not one.answers
    for at_s in (15.0, 60.0, 120.0):
        assert one.call(at_s, 0.01, luck(int(at_s))) == inf
        one.tick(10.0, at_s)
    sample = one.sample(120.0)
    assert sample.instances == 0
    assert sample.errors == pytest.approx(3 + 110 * 10, abs=1)
    assert isnan(sample.p99_s)
    one.zone_up(2)
    one.tick(10.0, 135.0)
    one.advance(135.0 + 60.0)
    assert [one.rotation.zone[instance] for instance in one.rotation.up] == [2, 2, 2]
    assert one.call(200.0, 0.01, 0.9) == pytest.approx(0.01)


# -- slow, broken, full ------------------------------------------------------------------------------------------------


def test_slow_downs_multiply_and_are_taken_back_exactly() -> None:
    one = a_service()
    one.slow(7.0, 0.0)
    one.slow(49.0, 0.0)
    assert one.call(0.0, 0.001, 0.5) == 0.001 * 343.0
    one.recover(7.0, 1.0)
    assert one.call(1.0, 0.001, 0.5) == 0.001 * 49.0
    one.recover(49.0, 2.0)
    assert one.call(2.0, 0.001, 0.5) == 0.001


def test_a_slow_down_makes_the_background_flood() -> None:
    one = a_service(workers=10)
    one.load(1000.0, 0.0)  # 10 erlangs on 30 servers
    assert one.sample(100.0).backlog_s == 0.0
    one.slow(4.0, 100.0)
    assert one.sample(101.0).backlog_s == pytest.approx(10 / 30)
    one.recover(4.0, 101.0)
    assert one.sample(101.5).backlog_s == 0.0


def test_fail_all_nests_and_heals() -> None:
    one = a_service()
    one.load(100.0, 0.0)
    one.fail_all(10.0)
    one.fail_all(20.0)
    one.heal(30.0)
    assert one.call(35.0, 0.01, 0.5) == inf
    one.heal(40.0)
    assert one.call(41.0, 0.01, 0.5) == pytest.approx(0.01)
    sample = one.sample(50.0)
    assert sample.errors == pytest.approx(1 + 100 * 30)
    assert sample.calls == pytest.approx(2 + 100 * 50)
    assert one.sample(60.0).errors == 0


def test_a_full_queue_refuses_and_an_empty_one_takes_again() -> None:
    one = a_service(instances=1, workers=1)
    answers = [one.call(0.0, 0.3, 0.5) for _ in range(6)]
    assert answers == pytest.approx([0.3, 0.6, 0.9, 1.2, inf, inf])
    sample = one.sample(1.0)
    assert (sample.calls, sample.errors, sample.refused) == (6, 2, 2)
    assert one.call(1.2, 0.3, 0.5) == pytest.approx(0.3)


# -- scaling -----------------------------------------------------------------------------------------------------------

SURGE_S = 600.0


def surge(autoscale: Autoscale) -> list[tuple[float, Sample]]:
    """Ten times the load from ten minutes on, on a service that was half busy."""
    env, cluster = a_cluster(lambda now_s: 600.0 if now_s < SURGE_S else 6000.0, autoscale)
    found = []
    while env.now < 3600.0:
        env.advance(env.now + 15.0)
        found.append((env.now, cluster.sample()[Svc.CATALOGUE]))
    return found


def healthy(sample: Sample) -> bool:
    return sample.p99_s < 0.2 and sample.errors < 1e-3 * sample.calls


def test_scaling_brings_latency_back_within_minutes_and_without_it_nothing_does() -> None:
    with_it, without = surge(Autoscale()), surge(STILL)
    for samples in (with_it, without):
        assert all(healthy(sample) for at_s, sample in samples if at_s < SURGE_S)
        assert any(not healthy(sample) for at_s, sample in samples)
    assert not any(healthy(sample) for at_s, sample in without if at_s > SURGE_S + 60.0)
    back_s = max(at_s for at_s, sample in with_it if not healthy(sample))
    assert SURGE_S + 60.0 < back_s < SURGE_S + 480.0
    final = with_it[-1][1]
    assert 60 / 4 / 0.66 <= final.instances <= 60 / 4 / 0.54 + 1, "60 erlangs, 4 workers each, 60 % busy"


def test_the_number_falls_again_only_after_the_cooldown() -> None:
    env, cluster = a_cluster(lambda now_s: 3000.0 if now_s < 600.0 else 60.0, Autoscale(cooldown_s=300.0))
    counts = {}
    while env.now < 1200.0:
        env.advance(env.now + 15.0)
        counts[env.now] = cluster.sample()[0].instances
    assert counts[600.0] == counts[885.0] > 10
    assert counts[930.0] == 3
    zones = [cluster.services[0].rotation.zone[instance] for instance in cluster.services[0].rotation.up]
    assert sorted(zones) == [0, 1, 2], "scaling in keeps the zones even"


def test_the_number_falls_only_to_the_most_that_was_wanted_meanwhile() -> None:
    def load(now_s: float) -> float:  # a peak, calm, a lesser peak in the middle of the cooldown, calm
        return 3000.0 if now_s < 600.0 else 1500.0 if 690.0 <= now_s < 735.0 else 60.0

    env, cluster = a_cluster(load, Autoscale(cooldown_s=300.0))
    env.advance(940.0)
    assert 15 / 4 / 0.66 <= cluster.sample()[0].instances <= 15 / 4 / 0.54 + 1
    env.advance(1300.0)
    assert cluster.sample()[0].instances == 3


def test_scaling_stays_within_its_limits_and_at_most_doubles_a_step() -> None:
    env, cluster = a_cluster(lambda _: 1e5, Autoscale(most=20, provisioning_s=30.0))
    counts = []
    while env.now < 900.0:
        env.advance(env.now + 5.0)
        counts.append(cluster.services[0].rotation.known)
    assert counts[-1] == max(counts) == 20
    assert all(after <= 2 * before for before, after in pairwise(counts))


def test_what_leaves_finishes_its_work() -> None:
    one = a_service(instances=6, workers=1, autoscale=Autoscale(cooldown_s=0.0))
    for n in range(6):
        assert one.call(0.0, 20.0, luck(n)) == 20.0
    one.tick(0.0, 15.0)
    for at_s in (60.0, 75.0, 90.0):
        one.tick(0.0, at_s)
    assert one.sample(90.0).instances == 3
    assert one.epoch == 0
    assert not any(one.broke(instance, 0.0) for instance in range(6))


@pytest.mark.parametrize(("peak", "instances"), [(0.0, 3), (5.9, 3), (6.0, 3), (6.1, 4), (100.0, 50), (1e4, 60)])
def test_a_service_is_sized_for_its_peak_at_half_its_capacity(peak: float, instances: int) -> None:
    service = Service(ServiceSpec(workers=4), Autoscale(), Health(), peak)
    assert service.sample(1.0).instances == instances
    assert {service.rotation.zone[instance] for instance in service.rotation.up} == {0, 1, 2}


def test_instances_are_paid_for_from_their_order_to_their_end() -> None:
    one = a_service(autoscale=Autoscale(enabled=False, provisioning_s=60.0))
    assert one.rotation.paid_s(100.0) == 300.0
    one.kill(0, 100.0)  # paid until it is noticed at 130, when its successor is ordered
    one.sample(1000.0)
    assert one.rotation.paid_s(1000.0) == 3 * 1000.0
    bare = a_service(replace=False)
    bare.kill(0, 100.0)
    bare.advance(1000.0)
    assert bare.rotation.paid_s(1000.0) == 2 * 1000.0 + 130.0


# -- monitoring --------------------------------------------------------------------------------------------------------


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
    one = Service(ServiceSpec(instances=1, workers=2, queue_max_s=100.0), STILL, Health())
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


def test_a_clusters_faults_reach_the_service_they_name() -> None:
    env, cluster = a_cluster(lambda _: 0.0, STILL)
    env.advance(30.0)
    cluster.fail_all(Svc.PAYMENTS)
    cluster.slow(Svc.CATALOGUE, 10.0)
    assert cluster.kill(Svc.ORDERS, 2)
    answers = [service.call(30.0, 0.01, 0.9) for service in cluster.services]
    assert answers == [inf if svc is Svc.PAYMENTS else 0.1 if svc is Svc.CATALOGUE else 0.01 for svc in Svc]
    cluster.heal(Svc.PAYMENTS)
    cluster.recover(Svc.CATALOGUE, 10.0)
    assert [service.call(31.0, 0.01, 0.9) for service in cluster.services] == [0.01] * 8
    assert [sample.instances for sample in cluster.sample()] == [2 if svc is Svc.ORDERS else 3 for svc in Svc]
    assert cluster.paid_s() == pytest.approx(30.0 * 24)
