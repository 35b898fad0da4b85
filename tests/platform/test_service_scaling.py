"""Scaling: what it is worth in a surge, when the number of instances falls again, and what they cost."""

from itertools import pairwise

import pytest

from sim.platform.meter import Sample
from sim.platform.services import Service
from sim.scenario.services import Autoscale, Health, ServiceSpec
from sim.vocabulary import Svc
from tests.platform.small_services import STILL, a_cluster, a_service, luck

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
    assert one.rotation.bill.paid_s(100.0) == 300.0
    one.kill(0, 100.0)  # paid until it is noticed at 130, when its successor is ordered
    one.sample(1000.0)
    assert one.rotation.bill.paid_s(1000.0) == 3 * 1000.0
    bare = a_service(replace=False)
    bare.kill(0, 100.0)
    bare.advance(1000.0)
    assert bare.rotation.bill.paid_s(1000.0) == 2 * 1000.0 + 130.0
