"""Services that die or fall behind: what becomes of orders that were confirmed, and of calls that were under way."""

from collections import Counter

import numpy as np
import pytest

from sim.laws import all_laws, verdict, whole_log
from sim.vocabulary import Alert, CancelReason, Endpoint, OfferAnswer, OrderState, PickStage, StockCause, Svc
from sim.world.build import build_world
from tests.platform.test_faults import BEGAN_S, OVER_S, broken, within

__all__ = ["broken"]


# -- services that only confirmed orders need ------------------------------------------------------------------------


def test_without_the_dispatch_service_nobody_is_asked_until_it_is_back(broken):
    played = broken("expired_certificate", "service: dispatch")
    made, picked = played.rows("offer_made"), played.rows("pick_started")
    assert len(within(made)) == 0
    assert len(within(picked)) > 10, "stores go on"
    assert len(within(made, OVER_S, OVER_S + 10.0)) > 3
    assert len(played.rows("goods_delivered")) > 150


def test_a_dispatch_service_that_is_behind_decides_later(broken):
    def waited_s(details):
        played = broken("service_slowdown", details)
        opened, made = played.rows("task_opened"), played.rows("offer_made")
        first = dict(zip(made["order"][::-1].tolist(), made["t_s"][::-1].tolist(), strict=True))
        return np.median([first[row["order"]] - row["t_s"] for row in within(opened) if row["order"] in first])

    assert waited_s("service: dispatch, factor: 1000") > waited_s("service: notifications, factor: 1000") + 2.0


def test_without_the_notification_service_offers_do_not_show(broken):
    played = broken("expired_certificate", "service: notifications")
    answers = within(played.rows("offer_answered"), BEGAN_S + 60.0, OVER_S)
    assert len(answers) > 5
    assert set(answers["answer"]) <= {OfferAnswer.EXPIRED, OfferAnswer.VOID}
    assert (within(played.rows("offer_answered"), OVER_S, 7200.0)["answer"] == OfferAnswer.ACCEPTED).sum() > 40


def test_without_the_tracking_service_positions_grow_old(broken):
    played, calm = (
        broken("expired_certificate", f"service: {service}", "platform.tracking.judge_every=1")
        for service in ("tracking", "catalogue")
    )
    moves = played.rows("service_answers")
    assert moves[["t_s", "service", "again"]].tolist() == [(BEGAN_S, Svc.TRACKING, False), (OVER_S, Svc.TRACKING, True)]

    def oldest_s(day):
        judged = day.rows("eta_judged")
        return within(judged, BEGAN_S + 900.0, OVER_S)["age_s"].max()

    assert oldest_s(played) > 300.0 > 60.0 > oldest_s(calm)
    lost = played.study.summary["tracking"]["lost_by"]
    assert lost["not_taken"] > 0 == calm.study.summary["tracking"]["lost_by"]["not_taken"]


# -- the line of the people at work -----------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["gateway", "orders"])
def test_nobody_hands_over_or_packs_while_their_apps_try_to_reach_the_platform(broken, service):
    played = broken("expired_certificate", f"service: {service}", "platform.offline_after_s=300")
    moved = played.rows("order_moved")
    told = moved[np.isin(moved["state"], [OrderState.PACKED, OrderState.PICKED_UP, OrderState.DELIVERED])]
    assert len(within(told, BEGAN_S - 300.0, BEGAN_S)) > 5
    assert len(within(told, BEGAN_S, BEGAN_S + 300.0)) == 0, "they try"
    assert len(within(told, BEGAN_S + 300.0, BEGAN_S + 301.0)) > 3, "they go on without"
    assert len(within(played.rows("pick_started"), BEGAN_S, BEGAN_S + 300.0)) == 0
    assert len(within(told, BEGAN_S + 301.0, OVER_S)) > 3, "apps keep what is done"
    waited = played.rows("stage_spent")
    assert 0.0 < waited[waited["pick_stage"] == PickStage.WAITING]["spent_s"].max() <= 300.0


def test_apps_that_reach_the_platform_again_go_on_at_once(broken):
    played = broken("expired_certificate", "service: orders", "platform.offline_after_s=86400")
    moved = played.rows("order_moved")
    handed = moved[moved["state"] == OrderState.DELIVERED]
    assert len(within(handed)) == 0
    assert len(within(handed, OVER_S, OVER_S + 0.1)) > 3
    patient, hasty = (
        broken("expired_certificate", "service: orders", f"platform.offline_after_s={tries_s}") for tries_s in (600, 0)
    )
    door_s = [day.study.summary["click_to_door_s"]["p50"] for day in (hasty, patient)]
    assert door_s[0] < door_s[1]


def test_an_answer_that_nobody_hears_is_none(broken):
    played = broken("expired_certificate", "service: gateway")
    answers = within(played.rows("offer_answered"), BEGAN_S + 1.0, OVER_S)
    assert len(answers) > 5
    assert set(answers["answer"]) <= {OfferAnswer.EXPIRED, OfferAnswer.VOID}


def test_nobody_calls_off_while_the_order_service_is_down_and_then_apps_try_again(broken):
    few = ("customers.patience_s=600", "customers.patience_cv=0", "drivers.count=4")
    played = broken("expired_certificate", "service: orders", *few)
    off = played.rows("order_cancelled")
    off = off[off["reason"] == CancelReason.CUSTOMER]
    assert len(within(off, BEGAN_S - 600.0, BEGAN_S)) > 3
    assert len(within(off)) == 0
    assert len(within(off, OVER_S, OVER_S + 0.1)) > 3


# -- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reads", ["rate", "explicit"])
@pytest.mark.parametrize("service", ["catalogue", "inventory"])
def test_what_nobody_answers_fills_no_page(broken, reads, service):
    """Pages live for half a minute: then, with no breaker to have stale ones shown, there is nothing to be seen."""
    few = (
        f"platform.reads={reads}",
        "catalogue.skus=200",
        "demand.orders_per_day=1200",
        "platform.breaker.enabled=false",
    )
    played = broken("expired_certificate", f"service: {service}", *few)
    pages = played.rows("endpoint_sampled")
    pages = pages[pages["endpoint"] == Endpoint.CATALOGUE]
    failing = within(pages, BEGAN_S + 75.0, OVER_S)
    assert failing["errors"].sum() == pytest.approx(failing["rate"].sum())
    assert within(played.rows("platform_sampled"), BEGAN_S + 75.0, OVER_S)["hit_rate"].max() == 0.0
    calm = within(pages, OVER_S + 60.0, 7200.0)
    assert calm["errors"].sum() == 0.0 < calm["rate"].sum()


# -- a whole region ---------------------------------------------------------------------------------------------------


def test_a_lost_region_hears_and_says_nothing(two_stores, play):
    lost = "faults=[{kind: region_outage, at: '12:40', rto_h: 0.25, rpo_h: 0, dns_s: 300}]"
    habits = "payments={lost_answer_share: 0.2, timeout_s: 600, callback_s: 60}"
    played, calm = (play(two_stores("customers.patience_s=null", habits, *settings)) for settings in ((lost,), ()))
    assert {row["service"] for row in within(played.rows("service_answers"))} == set(Svc)
    for kind in ("callback_came", "hold_expired", "driver_stalled", "offer_made"):
        assert len(within(played.rows(kind))) == 0, kind
    assert len(played.rows("callback_came")) > 3
    mine, theirs = (day.study.summary for day in (played, calm))
    assert mine["tracking"]["lost_by"]["not_taken"] > 0 == theirs["tracking"]["lost_by"]["not_taken"]
    late = [summary["notifications"]["customers"]["late_share"] for summary in (mine, theirs)]
    assert late[0] > late[1] + 0.02


@pytest.mark.parametrize(("drivers", "rto_h"), [(4, 0.3), (14, 0.05)])
def test_the_young_orders_that_a_lost_region_finds_in_its_stores_end_as_failover_and_no_others(broken, drivers, rto_h):
    """Few drivers leave older orders in the stores as well; of many drivers some are soon on the road with young ones."""
    played = broken("region_outage", f"rto_h: {rto_h}, rpo_h: 0.2, dns_s: 0", f"drivers.count={drivers}")
    back_s = BEGAN_S + rto_h * 3600.0
    entered, moved = within(played.rows("order_entered"), 0.0, BEGAN_S), played.rows("order_moved")
    then, ended = (
        dict(zip(rows["order"].tolist(), rows["state"].tolist(), strict=True))
        for rows in (within(moved, 0.0, back_s), moved)
    )
    young = set(entered[entered["t_s"] > BEGAN_S - 0.2 * 3600.0]["order"].tolist())
    inside = {order for order, state in then.items() if state < OrderState.PICKED_UP}
    away = {order for order, state in then.items() if state == OrderState.PICKED_UP}
    assert len(young & inside) > 10
    assert len(young & away if drivers > 10 else inside - young) > 4
    cancelled = played.rows("order_cancelled")
    failover = cancelled[cancelled["reason"] == CancelReason.FAILOVER]
    assert set(failover["order"].tolist()) == young & inside
    assert set(failover["t_s"].tolist()) == {back_s}
    assert {ended[order] for order in young & inside} == {OrderState.CANCELLED}


@pytest.mark.parametrize("rpo_h", [0.0, 0.1, 0.2])
def test_a_lost_regions_records_lose_what_left_them_since_the_recovery_point(broken, rpo_h):
    """Goods that left the shelves are on record again, to the unit, from the moment another region takes over."""
    played = broken("region_outage", f"rto_h: 0.25, rpo_h: {rpo_h}, dns_s: 0", "drivers.count=2")
    adjusted, held = played.rows("record_adjusted"), played.rows("stock_reserved")
    left = within(played.rows("hold_committed"), BEGAN_S - rpo_h * 3600.0, BEGAN_S)
    assert len(within(adjusted, BEGAN_S - rpo_h * 3600.0, BEGAN_S)) == 0, "nothing came"
    gone, back = Counter(), Counter()
    for row in held[np.isin(held["order"], left["order"])]:
        gone[row["store"], row["sku"]] += row["units"]
    mended = adjusted[adjusted["cause"] == StockCause.RECOVERY]
    for row in mended:
        back[row["store"], row["sku"]] += row["units"]
    assert back == gone
    assert set(mended["t_s"].tolist()) == ({BEGAN_S + 0.25 * 3600.0} if rpo_h else set())
    assert gone.total() >= 400 * rpo_h


# -- messages to customers --------------------------------------------------------------------------------------------


def test_without_the_notification_service_customers_are_told_late_and_the_bus_keeps_what_it_is_to_tell(broken):
    few = "platform.monitoring.alerts.consumer_lag.least=1"
    played, calm = (
        broken("expired_certificate", f"service: {service}", few) for service in ("notifications", "catalogue")
    )
    late = [day.study.summary["notifications"]["customers"]["late_share"] for day in (played, calm)]
    moved = played.rows("order_moved")
    told = moved[np.isin(moved["state"], [OrderState.CONFIRMED, OrderState.PICKED_UP, OrderState.DELIVERED])]
    share = len(within(told)) / len(told)
    assert late[0] == pytest.approx(late[1] + share, abs=0.1)
    lag = played.rows("platform_sampled")
    changes = len(within(moved, BEGAN_S, OVER_S))
    assert within(lag)["lag"].max() == pytest.approx(changes, rel=0.1)
    assert within(lag, OVER_S + 60.0, 7200.0)["lag"].max() < 10
    raised = within(played.rows("alert_raised"))
    assert Alert.CONSUMER_LAG in raised["alert"]


# -- calls under way ---------------------------------------------------------------------------------------------------


def test_a_charge_whose_instance_dies_under_it_is_unknown_and_asked_for_again(two_stores, play):
    """The provider takes two minutes in the mean; all of our instances die with a dozen charges under way."""
    settings = (
        "customers.patience_s=null",
        "payments.latency_s=120",
        "payments.timeout_s=900",
        "demand.orders_per_day=6000",
    )
    crash = 'faults=[{kind: instance_crash, service: payments, at: "12:40", instances: 99}]'
    hit, calm = play(two_stores(*settings, crash)), play(two_stores(*settings))
    unknown, asked, made = hit.rows("payment_unknown"), hit.rows("payment_asked"), hit.rows("charge_made")
    assert len(unknown) > 5 > len(calm.rows("payment_unknown"))
    unknown = unknown[unknown["t_s"] < BEGAN_S + 900.0]
    for order in unknown["order"].tolist():
        tries = asked[asked["order"] == order]
        assert (tries["t_s"] < BEGAN_S).any()
        assert (made["order"] == order).sum() == 1, "the same key: it is charged once"
    ended = {row["order"]: row["state"] for row in hit.rows("order_moved")}
    delivered = {order for order in unknown["order"].tolist() if ended[order] == OrderState.DELIVERED}
    returned = set(hit.rows("charge_returned")["order"].tolist())
    assert delivered.isdisjoint(returned)
    assert delivered | returned >= set(unknown["order"].tolist()), "who got no goods got the money back"
    # Nobody takes the provider's word for it while all instances are dead: it comes again when some are there.
    came = hit.rows("callback_came")["t_s"]
    down = hit.rows("service_answers")["t_s"].tolist()
    assert len(came) > 3
    assert not ((came > down[0]) & (came < down[1])).any()


@pytest.mark.parametrize(("service", "factor"), [("orders", 2000), ("gateway", 20000)])
def test_a_request_whose_instance_dies_under_it_is_sent_again(two_stores, play, service, factor):
    """Our services take twenty seconds with each request; all instances of one die with some in hand."""
    slow = f"{{kind: service_slowdown, service: {service}, at: '12:30', minutes: 10, factor: {factor}}}"
    crash = f"{{kind: instance_crash, service: {service}, at: '12:35', instances: 99}}"
    settings = ("demand.orders_per_day=12000", "platform.breaker.enabled=false", "customers.patience_s=null")
    roomy = f"platform.services.{service}={{instances: 6, workers: 200, timeout_s: 600}}"
    world = build_world(two_stores(*settings, roomy, f"faults=[{slow}, {crash}]"))
    laws = all_laws(world)
    played = play(world, laws=laws)
    assert verdict(laws) + whole_log(played.archive, played.outcome.state) == []
    lost = played.rows("request_lost")
    assert len(lost) > 3
    ended = {int(row["order"]): row["state"] for row in played.rows("order_moved")}
    states = [ended[order] for order in set(lost["order"].tolist())]
    assert set(states) <= {OrderState.DELIVERED, OrderState.CANCELLED}
    calm = play(two_stores(*settings, roomy))
    assert len(calm.rows("request_lost")) == 0
