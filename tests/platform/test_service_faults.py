"""Services under faults: what dies with an instance, who notices, what replaces it, and what slowness or a full queue does."""

from math import inf, isnan

import pytest

from sim.scenario.services import Autoscale
from sim.vocabulary import NOBODY, Svc
from tests.platform.small_services import STILL, a_cluster, a_service, luck

NOTICED_S = 30.0
"""Ten seconds between checks, three failures."""


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


def test_calls_in_flight_in_a_zone_that_goes_down_are_lost_and_no_others() -> None:
    env, cluster = a_cluster(lambda _: 0.0, STILL)
    env.advance(1.0)
    flights = []
    for service in cluster.services:
        for n in range(6):
            assert service.call(1.0, 2.0, luck(n)) == 2.0
            flights.append((service, (service.epoch, service.last_instance, 1.0)))
    env.advance(2.0)
    cluster.zone_down(1)
    lost = [service.lost(flight) for service, flight in flights]
    assert lost == [service.rotation.zone[flight[1]] == 1 for service, flight in flights]
    assert [sample.errors for sample in cluster.sample()] == [2] * 8
    env.advance(8.0)
    cluster.zone_up(1)
    assert [service.lost(flight) for service, flight in flights] == lost, "nor are they found again"


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
    assert cluster.bill.paid_s(30.0) == pytest.approx(30.0 * 24)
