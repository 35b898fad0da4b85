"""Faults: each does what its name says while it lasts, to what it befalls and nothing else, and then it is over."""

import re
from dataclasses import replace

import numpy as np
import pytest

from sim.engine import policies_of
from sim.faults import occasions
from sim.laws import all_laws, verdict, whole_log
from sim.streams import Streams
from sim.vocabulary import FaultKind, InputError, OfferAnswer, OrderState, Rejection, StockCause, Svc
from sim.world.build import build_world
from sim.world.pings import Pings

BEGAN_S, OVER_S = 2400.0, 3600.0
"""Every fault here begins at 12:40 and, where its length is given by minutes, lasts for twenty."""

CONFIRMED, PAYMENT_FAILED = OrderState.CONFIRMED, OrderState.PAYMENT_FAILED

DETAILS = {
    "instance_crash": "service: orders, instances: 2",
    "service_slowdown": "service: inventory",
    "expired_certificate": "service: orders",
    "region_outage": "rto_h: 0.25, rpo_h: 0.2, dns_s: 300",
}


def fault(kind, details=""):
    return f'faults=[{{kind: {kind}, at: "12:40", minutes: 20, {details or DETAILS.get(kind, "")}}}]'


@pytest.fixture
def broken(two_stores, play):
    """Run the two stores with one fault."""

    def run(kind, details="", *settings):
        return play(two_stores(fault(kind, details), "customers.patience_s=null", *settings))

    return run


def within(rows, begin_s=BEGAN_S, end_s=OVER_S):
    return rows[(rows["t_s"] >= begin_s) & (rows["t_s"] < end_s)]


def turned_away(played, why):
    rows = played.rows("order_rejected")
    return rows[rows["reject"] == why]["t_s"]


def confirmed(played):
    """Order -> when it was confirmed."""
    rows = played.rows("order_moved")
    rows = rows[rows["state"] == CONFIRMED]
    return dict(zip(rows["order"].tolist(), rows["t_s"].tolist(), strict=True))


def waits(played, store=None):
    """When each order was confirmed and how long after that a picker took it, (n, 2)."""
    since, rows = confirmed(played), played.rows("pick_started")
    if store is not None:
        rows = rows[rows["store"] == store]
    return np.array([(since[row["order"]], row["t_s"] - since[row["order"]]) for row in rows])


def sampled(played, service, column):
    """A column of a service's samples: before the fault, while it lasts, and when it has long been over."""
    rows = played.rows("service_sampled")
    rows = rows[rows["service"] == service]
    spans = ((600.0, BEGAN_S), (BEGAN_S + 30.0, OVER_S), (OVER_S + 300.0, 7200.0))
    return [within(rows, *span)[column] for span in spans]


# -- all of them -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind.name.lower() for kind in FaultKind])
def test_every_fault_begins_ends_and_breaks_no_law(two_stores, play, kind):
    world = build_world(two_stores(fault(kind)))
    laws = all_laws(world)
    played = play(world, laws=laws)
    assert verdict(laws) + whole_log(played.archive, played.outcome.state) == []
    began, ended = played.rows("fault_began"), played.rows("fault_ended")
    assert began["fault"].tolist() == ended["fault"].tolist() == [FaultKind[kind.upper()]]
    assert began["t_s"].tolist() == [BEGAN_S]
    assert ended["t_s"].tolist() == began["until_s"].tolist()


def test_what_began_before_the_start_lasts_as_long_as_is_left_of_it(two_stores, play):
    """A fault lasts as long as its own kind says, and not as `minutes` would."""
    before = (
        "{kind: region_outage, at: '11:30', rto_h: 1, dns_s: 0}", "{kind: database_crash, at: '11:55', failover_s: 600}",
        "{kind: cache_flush, at: '11:55', minutes: 10}", "{kind: database_crash, at: '11:50', failover_s: 30}",
    )  # fmt: skip
    played = play(two_stores(f"faults=[{', '.join(before)}]"))
    found = sorted(zip(played.rows("fault_began")["fault"], played.rows("fault_began")["until_s"], strict=True))
    assert found == sorted([
        (FaultKind.REGION_OUTAGE, 1800.0), (FaultKind.DATABASE_CRASH, 300.0), (FaultKind.CACHE_FLUSH, 300.0)
    ])  # fmt: skip
    assert (played.rows("fault_began")["t_s"] == 0.0).all()


@pytest.mark.parametrize(
    "kind", ["provider_outage", "zone_outage", "bus_slowdown", "region_outage", "scanner_failure", "corrupted_records"]
)
def test_faults_of_one_kind_may_overlap_and_each_is_put_back_by_itself(two_stores, play, kind):
    own = {"bus_slowdown": ", factor: 2", "scanner_failure": ", factor: 2", "region_outage": ", rto_h: 0.3, dns_s: 0"}
    first, second = (f'{{kind: {kind}, at: "{at}", minutes: 20{own.get(kind, "")}}}' for at in ("12:40", "12:50"))
    both = f"faults=[{first}, {second}]"
    world = build_world(two_stores(both))
    laws = all_laws(world)
    played = play(world, laws=laws)
    assert verdict(laws) + whole_log(played.archive, played.outcome.state) == []
    last_s = played.rows("fault_ended")["t_s"].max()
    entered, rows = played.rows("order_entered"), played.rows("order_moved")
    # The last hour is like any other: who ordered then was served.
    late = entered[entered["t_s"] > last_s + 600.0]["order"]
    delivered = rows[rows["state"] == OrderState.DELIVERED]["order"]
    assert len(late) > 40
    assert np.isin(late, delivered).mean() > 0.9


def test_a_rate_is_that_of_a_poisson_process_and_the_times_are_known_before_the_start(two_stores):
    """Mean and variance of the count over a day of rate r are r: 400 days of r = 6 give 2400 +- 3 sqrt(2400)."""
    scenario = two_stores("horizon_h=24", "drain_h=0", "faults=[{kind: cache_flush, rate_per_day: 6}]")
    counts = [len(occasions(scenario, Streams(seed))) for seed in range(400)]
    assert abs(sum(counts) - 2400) < 3 * 2400**0.5
    assert occasions(scenario, Streams(5)) == occasions(scenario, Streams(5))


def test_the_minimal_profile_knows_no_faults(broken):
    assert len(broken("provider_outage", "", "platform.profile=minimal").rows("fault_began")) == 0


# -- provider and messages -----------------------------------------------------------------------------------------


def test_while_the_provider_is_down_no_money_moves_and_nearly_nobody_gets_confirmed(broken):
    played = broken("provider_outage", "", "payments.methods={card: 1}")
    assert len(within(played.rows("charge_made"))) == 0
    times = np.array(list(confirmed(played).values()))
    assert ((times >= BEGAN_S + 60) & (times < OVER_S)).sum() == 0
    assert (times >= OVER_S + 60).sum() > 60


def test_a_slow_bus_delays_every_message_by_its_factor(broken):
    found = waits(broken("bus_slowdown", "factor: 40", "platform.bus_s=1"))
    slow = (found[:, 0] >= BEGAN_S) & (found[:, 0] < OVER_S)
    assert found[slow, 1].min() >= 40.0
    assert found[found[:, 0] < BEGAN_S, 1].min() < 2.0
    assert found[found[:, 0] > OVER_S + 60.0, 1].min() < 2.0


def test_a_blocked_partition_holds_back_one_stores_messages_and_not_the_others(broken):
    played = broken("bus_partition", "", "platform.bus.partitions=2")
    blocked, other = waits(played, store=1), waits(played, store=0)
    held = blocked[(blocked[:, 0] >= BEGAN_S) & (blocked[:, 0] < OVER_S)]
    assert len(held) > 5
    assert (held.sum(axis=1) >= OVER_S).all()
    free = other[(other[:, 0] >= BEGAN_S) & (other[:, 0] < OVER_S - 60)]
    assert (free.sum(axis=1) < OVER_S).mean() > 0.9


def test_a_rebalance_holds_back_all_messages(broken):
    found = waits(broken("consumer_rebalance"))
    held = found[(found[:, 0] >= BEGAN_S) & (found[:, 0] < OVER_S)]
    assert len(held) > 10
    assert (held.sum(axis=1) >= OVER_S).all()


def test_a_dead_broker_takes_what_only_it_had_and_with_copies_on_others_nothing_is_lost(broken):
    alone = broken("broker_crash", "", "platform.bus.replicas=1")
    copied = broken("broker_crash", "", "platform.bus.acks=all")
    assert len(within(alone.rows("message_lost"))) == len(alone.rows("message_lost")) > 10
    assert len(copied.rows("message_lost")) == 0
    # The outbox sends it again: a minute later the store hears of the order after all.
    found = waits(alone)
    assert found[(found[:, 0] >= BEGAN_S) & (found[:, 0] < OVER_S), 1].min() >= 60.0


# -- services ----------------------------------------------------------------------------------------------------------


def test_crashed_instances_are_missing_until_they_are_replaced(broken):
    before, during, after = sampled(broken("instance_crash"), Svc.ORDERS, "instances")
    assert set(before) == {3}
    assert during.min() == 1
    assert set(after) == {3}


def test_a_zone_takes_its_third_of_every_service_and_nothing_starts_in_it_meanwhile(broken):
    played = broken("zone_outage", "zone: 1", "platform.autoscale.enabled=false", "platform.health.replace=false")
    for service in Svc:
        before, during, _ = sampled(played, service, "instances")
        assert set(before) == {3}
        assert set(during) == {2}
    replaced = broken("zone_outage", "zone: 1")
    assert {sampled(replaced, service, "instances")[2].min() for service in Svc} == {3}


def test_a_slowed_service_takes_its_factor_of_time_and_the_others_do_not(broken):
    played = broken("service_slowdown", "service: catalogue, factor: 20")
    before, during, after = (np.nanmean(part) for part in sampled(played, Svc.CATALOGUE, "p50_s"))
    assert during / before == pytest.approx(20.0, rel=0.3)
    assert after / before == pytest.approx(1.0, rel=0.3)
    before, during, _ = (np.nanmean(part) for part in sampled(played, Svc.GATEWAY, "p50_s"))
    assert during / before == pytest.approx(1.0, rel=0.2)


def test_an_expired_certificate_fails_every_call_so_nobody_can_order(broken):
    played = broken("expired_certificate")
    assert len(within(played.rows("order_entered"))) == 0
    times = turned_away(played, Rejection.UNAVAILABLE)
    assert len(times) > 15
    assert ((times >= BEGAN_S) & (times < OVER_S)).all()


def test_an_exhausted_pool_asks_the_provider_nothing(broken):
    played = broken("exhausted_pool", "share: 1.0", "payments.methods={card: 1}")
    asked = played.rows("payment_asked")
    assert len(within(asked)) == 0
    assert len(within(asked, OVER_S, 7200.0)) > 60
    failed = played.rows("order_moved")
    assert len(within(failed[failed["state"] == PAYMENT_FAILED])) > 15


def test_while_the_orchestrator_is_down_no_saga_moves_and_then_all_go_on(broken):
    played = broken(
        "orchestrator_crash", "", "platform.restart_s=300", "payments.latency_s=30", "payments.timeout_s=120"
    )
    steps, up_s = played.rows("saga_step_done"), BEGAN_S + 300.0
    assert len(within(steps, BEGAN_S, up_s)) == 0
    resumed = played.rows("saga_resumed")
    assert len(resumed) > 3
    assert set(resumed["t_s"]) == {up_s}
    over = played.rows("order_moved")
    assert np.isin(resumed["order"], over[over["state"] >= OrderState.DELIVERED]["order"]).all()


# -- records and caches --------------------------------------------------------------------------------------------


def test_a_flushed_cache_misses_until_it_is_warm_again(broken):
    rows = broken("cache_flush").rows("platform_sampled")
    before = within(rows, BEGAN_S - 300.0, BEGAN_S)["hit_rate"].mean()
    assert before > 0.9
    assert within(rows, BEGAN_S, BEGAN_S + 1.0)["hit_rate"].tolist() == [0.0]
    assert within(rows, BEGAN_S + 1.0, OVER_S)["hit_rate"].mean() == pytest.approx(before, abs=0.05)


def test_a_lagging_replica_shows_old_stock_for_longer(broken):
    scarce = ("supply.units_min=1", "supply.cover_days=0.05")
    fresh_s = [
        np.median(within(played.rows("record_seen"), BEGAN_S + 60.0, OVER_S)["fresh_s"])
        for played in (broken("replica_lag", "factor: 200", *scarce), broken("cache_flush", "", *scarce))
    ]
    assert fresh_s[0] > 5.0 * fresh_s[1]


def test_without_a_database_orders_are_turned_away_and_a_standby_that_lagged_lacks_writes(broken):
    for replica, recovered in (("asynchronous", True), ("synchronous", False)):
        played = broken("database_crash", f"replica: {replica}, lag_s: 120, failover_s: 600")
        assert len(within(played.rows("order_entered"), BEGAN_S, BEGAN_S + 600.0)) == 0
        assert len(within(played.rows("order_entered"), BEGAN_S + 600.0)) > 5
        causes = played.rows("record_adjusted")["cause"]
        assert (causes == StockCause.RECOVERY).any() == recovered


def test_corrupted_records_sell_nothing_until_they_are_rebuilt_exactly(broken):
    played = broken("corrupted_records", "store: 1, share: 1.0")
    held = played.rows("stock_reserved")
    assert len(within(held[held["store"] == 1])) == 0
    assert len(within(held[held["store"] == 0])) > 10
    assert len(within(held[held["store"] == 1], OVER_S, 7200.0)) > 30
    assert played.replayed().differences(played.outcome.state) == []


def test_a_store_cut_off_from_its_records_refuses_or_sells_without_looking(broken):
    for on_partition, sells in (("refuse", False), ("accept", True)):
        played = broken("store_partition", f"store: 1, on_partition: {on_partition}")
        entered, held = within(played.rows("order_entered")), played.rows("stock_reserved")
        mine = entered[entered["store"] == 1]
        assert (len(mine) > 5) == sells
        assert not np.isin(mine["order"], held["order"]).any()
        theirs = entered[entered["store"] == 0]
        assert np.isin(theirs["order"], held["order"]).mean() > 0.9
        refused = (played.rows("order_rejected")["reject"] == Rejection.UNAVAILABLE).sum()
        offered = len(played.rows("order_entered")) + len(played.rows("order_rejected"))
        met = played.study.summary["platform"]["endpoints"]["place_order"]["availability"]
        assert met == pytest.approx(1.0 - refused / offered, abs=0.003), "who is turned away has met an error"


def test_a_lost_region_takes_no_order_and_forgets_the_youngest(broken):
    played = broken("region_outage", "rto_h: 0.25, rpo_h: 0.2, dns_s: 300", "drivers.count=2")
    back_s = BEGAN_S + 0.25 * 3600.0 + 300.0
    assert len(within(played.rows("order_entered"), BEGAN_S, back_s)) == 0
    assert len(within(played.rows("offer_made"), BEGAN_S, back_s)) == 0
    assert len(within(played.rows("order_entered"), back_s, 7200.0)) > 30
    lost, entered = played.rows("books_lost"), played.rows("order_entered")
    assert len(lost) > 5
    when = dict(zip(entered["order"].tolist(), entered["t_s"].tolist(), strict=True))
    assert all(when[order] > BEGAN_S - 0.2 * 3600.0 for order in lost["order"].tolist())
    # What the books forgot the settlement file still knows, and gives back.
    returned = played.rows("charge_returned")
    assert np.isin(lost["order"], returned["order"]).all()


# -- the floor, and attackers ----------------------------------------------------------------------------------------


def test_phones_without_a_connection_answer_no_offer(broken):
    played = broken("app_connection_loss", "share: 1.0")
    answers = within(played.rows("offer_answered"), BEGAN_S + 60.0, OVER_S)
    assert len(answers) > 5
    assert set(answers["answer"]) <= {OfferAnswer.EXPIRED, OfferAnswer.VOID}
    assert (within(played.rows("offer_answered"), OVER_S, 7200.0)["answer"] == OfferAnswer.ACCEPTED).sum() > 40


def test_a_lost_connection_leaves_exactly_its_length_of_staleness(two_stores, play):
    """Every second somebody asks where a driver was last seen: the age of it grows from the last ping before the loss on."""

    class Nosy:
        every_s, holds = 1.0, True

        def __init__(self):
            self.ages = {}

        def __call__(self, view):
            self.ages[view.now_s] = view.seen(0).age_s
            return iter(())

    nosy = Nosy()
    scenario = two_stores(
        fault("app_connection_loss", "share: 1.0"), "platform.ping_s=8", "platform.give_up_s=100000",
        "platform.tracking={loss_share: 0, delay_s: 0}",
    )  # fmt: skip
    play(scenario, policies=replace(policies_of(scenario), dispatch=nosy))
    at_s, age_s = (np.array(list(column)) for column in (nosy.ages, nosy.ages.values()))
    lost = (at_s >= BEGAN_S) & (at_s < OVER_S)
    assert lost.sum() > 1000
    phase_s = Pings.of(scenario, Streams(scenario.seed)).phase_s(0)
    # The last ping before the loss was sent so long before it.
    before_s = (BEGAN_S - phase_s) % 8.0
    assert np.array_equal(age_s[lost], at_s[lost] - BEGAN_S + before_s)
    after = ~lost & (at_s >= 8.0) & ((at_s < BEGAN_S) | (at_s >= OVER_S + 8.0))
    assert np.array_equal(age_s[after], (at_s[after] - phase_s) % 8.0)


def test_broken_scanners_make_picking_longer_by_their_factor(broken):
    played = broken("scanner_failure", "store: 0, factor: 5", "pickers.noise=none", "pickers.per_store=8")
    started, ended = played.rows("pick_started"), played.rows("pick_ended")
    end_s = dict(zip(ended["order"].tolist(), ended["t_s"].tolist(), strict=True))

    def mean_s(store, begin_s, until_s):
        rows = within(started[started["store"] == store], begin_s, until_s)
        return np.mean([end_s[row["order"]] - row["t_s"] for row in rows])

    assert mean_s(0, BEGAN_S, OVER_S) > 3.0 * mean_s(0, 0.0, BEGAN_S)
    assert mean_s(1, BEGAN_S, OVER_S) == pytest.approx(mean_s(1, 0.0, BEGAN_S), rel=0.3)
    assert mean_s(0, OVER_S, 7200.0) == pytest.approx(mean_s(0, 0.0, BEGAN_S), rel=0.3)


@pytest.mark.parametrize("kind", ["login_attack", "request_flood"])
def test_attackers_requests_are_work_for_the_gateway_unless_limits_refuse_them(broken, kind):
    whole, limited = (
        [
            part.mean()
            for part in sampled(
                broken(kind, "per_second: 200, addresses: 2", f"platform.limits.on={on}"), Svc.GATEWAY, "rate"
            )
        ]
        for on in ("false", "true")
    )
    work = 25.0 if kind == "login_attack" else 1.0
    assert whole[1] - whole[0] == pytest.approx(200.0 * work, rel=0.1)
    assert limited[1] - limited[0] < 0.3 * (whole[1] - whole[0])
    assert whole[2] < whole[0] + 10.0


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (
            "{kind: provider_outage, at: '12:40', share: 0.5}",
            "of provider_outage beside its time only minutes, and not share",
        ),
        ("{kind: zone_outage, at: '12:40', store: 1, factor: 2}", "only minutes, zone, and not factor, store"),
        ("{kind: request_flood, at: '12:40', per_second: 1.0e+12}", "expected a value <= 100000"),
    ],
)
def test_what_is_not_of_a_faults_kind_is_refused(two_stores, fault, told):
    with pytest.raises(InputError, match=re.escape(told)):
        two_stores(f"faults=[{fault}]")


def test_more_instances_at_least_than_at_most_are_refused(two_stores):
    with pytest.raises(InputError, match=r"platform\.autoscale: expected most not to be below least, 10"):
        two_stores("platform.autoscale={least: 10, most: 3}")
