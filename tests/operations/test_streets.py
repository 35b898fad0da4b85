"""What goes wrong between the counter and the door: breakdowns, accidents, detours, wrong addresses, no place to park."""

from typing import Any

import numpy as np
import pytest

from sim.operations.streets import Streets
from sim.vocabulary import CancelReason, Mishap, OfferAnswer, OrderState, Trip
from tests.conftest import lawful_day

CALM = ("customers.patience_s=null", "payments.decline_share=0", "drivers.accept_share=1", "travel.noise_cv=0")
SAFE = "{breakdowns_per_1000h: 0, accidents_per_1000h: 0, detour_share: 0}"


def rides_s(day: Any, trip: Trip) -> float:
    """Hours that rides of a kind were meant to take, without what came between, in seconds."""
    legs = day.rows("leg_started")
    legs = legs[legs["trip"] == trip]
    return float((legs["arrive_s"] - legs["t_s"]).sum())


def test_nothing_goes_wrong_where_nothing_is_asked_for(two_stores: Any, play: Any) -> None:
    plain, safe = (play(two_stores(*CALM, *more)) for more in ((), (f"drivers.mishaps={SAFE}",)))
    assert safe.outcome.digest == plain.outcome.digest
    for kind in ("vehicle_stopped", "address_wrong"):
        assert len(safe.rows(kind)) == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_breakdowns_come_by_the_hour_of_riding_and_delay_what_is_ridden_for(
    two_stores: Any, play: Any, seed: int
) -> None:
    rate = 3000.0  # three an hour
    terms = f"{{breakdowns_per_1000h: {rate}, repair_minutes: 4, accidents_per_1000h: 0, detour_share: 0}}"
    day = lawful_day(play, two_stores(*CALM, f"seed={seed}", f"drivers.mishaps={terms}", "drivers.count=40"))
    stopped = day.rows("vehicle_stopped")
    assert set(stopped["mishap"]) == {Mishap.BREAKDOWN}
    ridden_h = (rides_s(day, Trip.TO_STORE) + rides_s(day, Trip.TO_CUSTOMER)) / 3600.0
    expected = rate / 1000.0 * ridden_h
    # On a plain the next junction is the end of the ride: the same rides, each broken off at most once.
    assert abs(len(stopped) - expected) <= 5.0 * np.sqrt(expected)
    plain = play(two_stores(*CALM, f"seed={seed}", "drivers.count=40"))
    held_s = float((stopped["until_s"] - stopped["t_s"]).sum())
    assert held_s / len(stopped) == pytest.approx(240.0, rel=0.5)
    later = day.study.summary["stages_s"]["ride"] - plain.study.summary["stages_s"]["ride"]
    with_goods = np.isin(stopped["order"], day.study.orders["order"]) & (stopped["t_s"] > 0)
    assert 0.0 < later <= held_s / max(with_goods.sum(), 1)


def test_after_an_accident_goods_come_back_or_somebody_else_is_asked_and_the_driver_goes_home(
    two_stores: Any, play: Any
) -> None:
    terms = "{breakdowns_per_1000h: 0, accidents_per_1000h: 2000, rescue_minutes: 10, detour_share: 0}"
    apart = ("policies.positioning=stay", "policies.dispatch=nearest(ride_s_max=3000)", "drivers.count=40")
    day = lawful_day(play, two_stores(*CALM, f"drivers.mishaps={terms}", *apart))
    crashed, back = day.rows("vehicle_stopped"), day.rows("order_taken_back")
    assert set(crashed["mishap"]) == {Mishap.ACCIDENT}
    home, handed_in, accepted = day.rows("driver_off"), day.rows("tote_handed_in"), day.rows("offer_answered")
    accepted = accepted[accepted["answer"] == OfferAnswer.ACCEPTED]
    orders, with_goods, without = day.study.orders, [], 0
    for crash in crashed:
        mine = accepted[accepted["driver"] == crash["driver"]]
        assert not (mine["t_s"] > crash["t_s"]).any(), "who crashed takes nothing on any more"
        (went_s,) = home["t_s"][home["driver"] == crash["driver"]]
        if ((back["order"] == crash["order"]) & (back["driver"] == crash["driver"])).any():
            # Nothing in hand yet: somebody else is asked at once.
            assert went_s == crash["t_s"]
            others = accepted[(accepted["order"] == crash["order"]) & (accepted["t_s"] > crash["t_s"])]
            without += len(others) > 0
        else:
            (in_s,) = handed_in["t_s"][handed_in["order"] == crash["order"]]
            assert crash["until_s"] <= in_s == went_s
            with_goods.append(crash["order"])
    assert len(with_goods) >= 3
    assert without >= 3
    lost = np.isin(orders["order"], with_goods)
    assert (orders["state"][lost] == OrderState.CANCELLED).all()
    assert (orders["cancel_reason"][lost] == CancelReason.ACCIDENT).all()
    assert (orders["refunded_cents"][lost] == orders["charged_cents"][lost]).all()
    assert day.study.summary["orders"]["by_reason"]["accident"] == lost.sum()


def test_who_had_an_accident_does_not_come_back_after_the_break(two_stores: Any, play: Any) -> None:
    terms = "{breakdowns_per_1000h: 0, accidents_per_1000h: 1500, rescue_minutes: 5, detour_share: 0}"
    day = lawful_day(
        play,
        two_stores(
            *CALM, f"drivers.mishaps={terms}", "drivers.count=30", "drivers.break_minutes=15", "horizon_h=4",
            "drivers.shifts=[{at: '12:00', hours: 6}]", "pickers.shifts=[{at: '12:00', hours: 8}]",
        ),
    )  # fmt: skip
    crashed, on = day.rows("vehicle_stopped"), day.rows("driver_on")
    breaks = {n: driver.shifts[1][0] for n, driver in enumerate(day.world.drivers)}
    before = [crash for crash in crashed if crash["t_s"] < breaks[int(crash["driver"])]]
    assert before
    for crash in before:
        assert not ((on["driver"] == crash["driver"]) & (on["t_s"] > crash["t_s"])).any()
    assert len(on) > len(day.world.drivers), "the others come back"


def test_a_wrong_address_costs_a_call_and_another_ride_and_the_goods_go_where_the_customer_is(
    two_stores: Any, play: Any
) -> None:
    day = lawful_day(
        play, two_stores(*CALM, "drivers.wrong_address_share=0.3", "drivers.wrong_address_s=60", "drivers.count=40")
    )
    wrong, delivered, legs = (day.rows(kind) for kind in ("address_wrong", "goods_delivered", "leg_started"))
    share = len(wrong) / len(delivered)
    assert share == pytest.approx(0.3, abs=5.0 * np.sqrt(0.21 / len(delivered)))
    assert day.world.streets is not None
    for order, node in zip(delivered["order"].tolist(), delivered["node"].tolist(), strict=True):
        moved = day.world.streets.moved.get(order)
        assert node == (day.world.trace.node[order] if moved is None else moved)
    for row in wrong:
        on = legs[(legs["order"] == row["order"]) & (legs["trip"] == Trip.ONWARD)]
        assert on["t_s"].tolist() == [row["t_s"] + 60.0]


def test_a_detour_leads_by_another_address_first(two_stores: Any, play: Any) -> None:
    terms = "{breakdowns_per_1000h: 0, accidents_per_1000h: 0, detour_share: 0.5}"
    day = lawful_day(play, two_stores(*CALM, f"drivers.mishaps={terms}", "drivers.count=40"))
    streets = day.world.streets
    assert streets is not None
    legs, delivered = day.rows("leg_started"), day.rows("goods_delivered")
    out = legs[legs["trip"] == Trip.TO_CUSTOMER]
    went = dict(zip(out["order"].tolist(), out["node"].tolist(), strict=True))
    some = 0
    for order, node in zip(delivered["order"].tolist(), delivered["node"].tolist(), strict=True):
        assert node == day.world.trace.node[order]
        assert went[order] == streets.detours.get(order, node)
        some += went[order] != node
    assert some > 20


def test_parking_takes_each_vehicle_its_own_time(two_stores: Any, play: Any) -> None:
    mix = "drivers={count: 40, accept_share: 1, noise: none, vehicles: {car: 0.5, ebike: 0.5}, parking_s: {car: 120}}"
    day = lawful_day(play, two_stores(*CALM[:2], "travel.noise_cv=0", mix))
    legs, delivered = day.rows("leg_started"), day.rows("goods_delivered")
    out = legs[legs["trip"] == Trip.TO_CUSTOMER]
    arrive_s = dict(zip(out["order"].tolist(), out["arrive_s"].tolist(), strict=True))
    stood = {0: [], 1: []}  # type: ignore[var-annotated]
    for order, driver, t_s in zip(*(delivered[name].tolist() for name in ("order", "driver", "t_s")), strict=True):
        stood[day.world.drivers[driver].profile].append(t_s - arrive_s[order])
    assert stood[1] == pytest.approx([120.0] * len(stood[1]))  # the door alone, as drivers.door_s has it
    searched = np.array(stood[0]) - 120.0
    assert searched.mean() == pytest.approx(120.0, abs=5.0 * 120.0 / np.sqrt(len(searched)))


def test_who_lives_in_a_tower_is_later_served_at_every_order(two_stores: Any) -> None:
    from sim.world.build import build_world

    kinds = "drivers.buildings={house: {share: 0.6, door_s: 60}, tower: {share: 0.4, door_s: 240}}"
    world = build_world(two_stores(kinds, "drivers.noise=none"))
    node, door_s = world.trace.node, world.trace.door_s
    by_node = {int(n): set(door_s[node == n].tolist()) for n in np.unique(node)}
    assert all(times in ({60.0}, {240.0}) for times in by_node.values())
    towers = np.mean([times == {240.0} for times in by_node.values()])
    assert towers == pytest.approx(0.4, abs=5.0 * np.sqrt(0.24 / len(by_node)))
    # Who promises a time reckons with the mean.
    assert world.scenario.drivers.expected_door_s == pytest.approx(0.6 * 60 + 0.4 * 240)


def test_a_breakdown_that_costs_no_time_breaks_a_law(
    two_stores: Any, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Streets, "_mishap", lambda self, order, number: (Mishap.BREAKDOWN, 10.0 if number == 1 else 1e9, -5.0)
    )
    from sim.laws import all_laws, verdict
    from sim.opening import ready_world

    world = ready_world(two_stores(*CALM, "drivers.mishaps={}"))
    laws = all_laws(world)
    try:
        play(world, laws=laws)
    except ValueError:
        return  # the clock itself refuses to go back
    assert verdict(laws)


@pytest.mark.parametrize("seed", range(4))
def test_an_accident_on_the_first_ride_of_a_tour_gives_all_of_it_up_and_breaks_no_law(
    two_stores: Any, play: Any, seed: int
) -> None:
    terms = "{breakdowns_per_1000h: 0, accidents_per_1000h: 300}"
    tours = "policies.dispatch=matching(every_s=15, early_s=120, bundle_weight=20.0)"
    day = lawful_day(play, two_stores(tours, f"drivers.mishaps={terms}", "drivers.count=10", f"seed={seed}"))
    assert len(day.rows("order_bundled")) > 3
