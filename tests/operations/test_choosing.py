"""Why drivers accept: each ground moves the share as its log-odds say, and a usual offer is accepted as ever."""

from math import log
from typing import Any

import numpy as np
import pytest

from sim.operations.choosing import Choosing
from sim.operations.drivers import Driver
from sim.ports import OfferMessage
from sim.scenario.drivers import Choice, Pay
from sim.vocabulary import DriverId, NodeId, OfferAnswer, OrderId, StoreId
from sim.world.build import build_world

NOTHING = "{per_ride_minute: 0, per_tired_hour: 0, away: 0, per_idle_minute: 0, per_bonus_dollar: 0, per_pay_dollar: 0}"

PLAIN = Pay()


def odds(share: float) -> float:
    return log(share / (1.0 - share))


@pytest.fixture(scope="module")
def ask(two_stores: Any) -> Any:
    """The log-odds with which one who stands at store 0 accepts, three hours into the shift, after five minutes' idleness."""
    world = build_world(two_stores())

    def run(
        share: float = 0.8,
        store: int = 0,
        bonus: int = 0,
        idle_s: float = 300.0,
        on_s: float = 3 * 3600.0,
        along: int = 0,
        pay: Pay = PLAIN,
        **terms: Any,
    ) -> float:
        choosing = Choosing(world.travel, Choice(**terms), share, pay, lambda one, other: 1000.0 * (other - 1))
        driver = Driver(DriverId(0), StoreId(0), 0, NodeId(world.store_nodes[0]))
        driver.on_since_s, driver.free_since_s = 10_000.0 - on_s, 10_000.0 - idle_s
        stops = [(OrderId(1 + n), NodeId(4)) for n in range(along)]
        offer = OfferMessage(OrderId(0), DriverId(0), StoreId(store), NodeId(7), 45.0, stops, bonus)
        return odds(choosing.chance(driver, NodeId(world.store_nodes[0]), offer, 10_000.0))

    run.ride_minutes = world.travel.to_store[0][0][1][world.store_nodes[0]] / 60_000.0  # type: ignore[attr-defined]
    return run


def test_a_usual_offer_is_accepted_with_the_share_of_the_scenario(ask: Any) -> None:
    assert ask(ride_minutes=0.0) == pytest.approx(odds(0.8))


def test_each_ground_adds_its_log_odds(ask: Any) -> None:
    usual = ask(ride_minutes=0.0)
    assert ask(ride_minutes=0.0, store=1, away=0.4, per_ride_minute=0.1) - usual == pytest.approx(
        -0.4 - 0.1 * ask.ride_minutes
    )
    assert ask(ride_minutes=0.0, on_s=7 * 3600.0, per_tired_hour=0.2, fresh_hours=4.0) - usual == pytest.approx(-0.6)
    assert ask(ride_minutes=0.0, on_s=3600.0, per_tired_hour=0.2) == pytest.approx(usual)
    assert ask(ride_minutes=0.0, idle_s=900.0, per_idle_minute=0.05) - usual == pytest.approx(0.5)
    assert ask(ride_minutes=0.0, idle_s=1e5, per_idle_minute=0.05) - usual == pytest.approx(0.05 * 25)
    assert ask(ride_minutes=0.0, bonus=250, per_bonus_dollar=0.5) - usual == pytest.approx(1.25)


def test_an_order_that_pays_more_is_accepted_more_often(ask: Any) -> None:
    # The customer is at node 7, six kilometres from the store by the measure of this test, those beside at node 4, three.
    usual, by_km = ask(ride_minutes=0.0), Pay(order_cents=300, km_cents=50)
    assert ask(ride_minutes=0.0, pay=by_km, per_pay_dollar=0.4, way_km=2.0) - usual == pytest.approx(0.4 * 2.0)
    assert ask(ride_minutes=0.0, pay=by_km, per_pay_dollar=0.4, way_km=9.0) - usual == pytest.approx(-0.4 * 1.5)
    assert ask(ride_minutes=0.0, pay=by_km, per_pay_dollar=0.4, pay_cents=700) - usual == pytest.approx(-0.4)
    assert ask(ride_minutes=0.0, pay=Pay(order_cents=300), per_pay_dollar=0.4, pay_cents=100) - usual == pytest.approx(
        0.8
    )
    # A tour pays what its orders pay in the mean; a bonus counts as a bonus alone.
    assert ask(ride_minutes=0.0, pay=by_km, per_pay_dollar=0.4, way_km=2.0, along=2) - usual == pytest.approx(0.4 * 1.0)
    more = ask(ride_minutes=0.0, pay=by_km, per_pay_dollar=0.4, way_km=6.0, bonus=100, per_bonus_dollar=0.3) - usual
    assert more == pytest.approx(0.3)


def test_what_every_order_pays_moves_nobody_unless_another_pay_is_usual(two_stores: Any, play: Any) -> None:
    day, same, better = (
        play(two_stores(f"drivers.pay={{order_cents: {cents}}}", f"drivers.choice={{{usual}}}"))
        for cents, usual in ((0, ""), (900, ""), (900, "pay_cents: 600"))
    )
    assert day.outcome.digest == same.outcome.digest
    assert better.study.summary["drivers"]["accepted_share"] > same.study.summary["drivers"]["accepted_share"] + 0.05


def test_far_customers_are_accepted_more_often_where_their_way_is_paid(two_stores: Any, play: Any) -> None:
    def far_less_near(km_cents: int) -> float:
        only = "{per_ride_minute: 0, per_tired_hour: 0, away: 0, per_idle_minute: 0, per_pay_dollar: 2}"
        day = play(two_stores(
            f"drivers.choice={only}", "drivers.accept_share=0.5", "demand.orders_per_day=4800",
            f"drivers.pay={{order_cents: 200, km_cents: {km_cents}}}",
        ))  # fmt: skip
        world, answered = day.world, day.rows("offer_answered")
        entered = day.rows("order_entered")
        km = np.zeros(len(world.trace.node))
        for order, store, node in zip(entered["order"], entered["store"], entered["node"], strict=True):
            km[order] = world.metres(world.store_nodes[store], node) / 1000.0
        said, way = answered["answer"] == OfferAnswer.ACCEPTED, km[answered["order"]]
        return float(said[way > 2.0].mean() - said[way < 1.0].mean())

    assert far_less_near(0) == pytest.approx(0.0, abs=0.12)
    assert far_less_near(100) > 0.3


def test_whoever_always_or_never_accepts_is_moved_by_nothing(two_stores: Any) -> None:
    world = build_world(two_stores())
    driver = Driver(DriverId(0), StoreId(0), 0, NodeId(world.store_nodes[0]))
    far = OfferMessage(OrderId(0), DriverId(0), StoreId(1), NodeId(1), 45.0, (), 10_000)
    for share in (0.0, 1.0):
        choosing = Choosing(world.travel, Choice(per_ride_minute=100.0), share, Pay(order_cents=1), world.metres)
        assert choosing.chance(driver, NodeId(world.store_nodes[0]), far, 10_000.0) == share


def test_without_any_ground_a_run_is_as_without_the_choice(two_stores: Any, play: Any) -> None:
    plain, same = (play(two_stores(*more)) for more in ((), (f"drivers.choice={NOTHING}",)))
    assert plain.outcome.digest == same.outcome.digest


def test_who_is_asked_from_further_away_declines_more_often(two_stores: Any, play: Any) -> None:
    choosy = "drivers.choice={per_ride_minute: 1, ride_minutes: 0, per_idle_minute: 0, away: 0}"
    day = play(two_stores(choosy, "policies.dispatch=nearest(ride_s_max=3000)", "demand.orders_per_day=6000"))
    answered = day.rows("offer_answered")
    accepted = answered[answered["answer"] == OfferAnswer.ACCEPTED]
    share = len(accepted) / len(answered)
    assert share < 0.8
    plain = play(two_stores("policies.dispatch=nearest(ride_s_max=3000)", "demand.orders_per_day=6000"))
    asked = plain.rows("offer_answered")
    assert np.mean(asked["answer"] == OfferAnswer.ACCEPTED) == pytest.approx(0.869, abs=0.05)
