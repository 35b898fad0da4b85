"""Where shifts end: where the driver is, or after a ride to a store, on which nobody is offered anything."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim.clock import Timer
from sim.engine import policies_of
from sim.laws import all_laws, verdict
from sim.opening import ready_world
from sim.operations.driving import Driving
from sim.streams import Streams
from sim.vocabulary import NOBODY, InputError, OfferAnswer, StoreId, Trip
from tests.conftest import lawful_day

CALM = ("customers.patience_s=null", "payments.decline_share=0")
SHORT = "drivers.shifts=[{at: '12:00', hours: 1, share: 0.5}, {at: '12:30', hours: 1, share: 0.5}]"
STAY, HOME, NEAREST = (f'policies.positioning=stay(at_end="{where}")' for where in ("stay", "home", "nearest"))


def last_seen(day: Any) -> dict[int, tuple[float, int]]:
    """By driver, when he went off and the node that the log has him at then."""
    found = {}
    off, legs, on = day.rows("driver_off"), day.rows("leg_started"), day.rows("driver_on")
    for driver, off_s in zip(off["driver"].tolist(), off["t_s"].tolist(), strict=True):
        mine = legs[(legs["driver"] == driver) & (legs["t_s"] <= off_s)]
        node = mine["node"][-1] if len(mine) else on["node"][on["driver"] == driver][-1]
        found[driver] = off_s, int(node)
    return found


@pytest.mark.parametrize("policy", ["stay", "return_to_store", "prestage"])
def test_who_is_to_end_at_home_ends_there_and_rides_there_for_pay(two_stores: Any, play: Any, policy: str) -> None:
    day, plain = (
        lawful_day(play, two_stores(*CALM, SHORT, f'policies.positioning={policy}(at_end="{where}")'))
        for where in ("home", "stay")
    )
    drivers, nodes = day.world.drivers, day.world.store_nodes
    ends = last_seen(day)
    assert len(ends) == len(drivers)
    assert all(node == nodes[drivers[driver].home] for driver, (_, node) in ends.items())
    away = [driver for driver, (_, node) in last_seen(plain).items() if node != nodes[drivers[driver].home]]
    legs, given = day.rows("leg_started"), day.rows("goods_delivered")
    rode = 0
    for driver, (off_s, _) in ends.items():
        shift_s = drivers[driver].shifts[0][1]
        last = legs[legs["driver"] == driver][-1]
        assert off_s >= shift_s
        if off_s > shift_s and last["trip"] == Trip.BACK:
            assert off_s == last["arrive_s"]
            # From the end of the shift on, or from the handover after it; on the way already, or from the next junction.
            done = given["t_s"][given["driver"] == driver]
            assert last["t_s"] <= shift_s or last["t_s"] == shift_s or last["t_s"] == done[-1]
            rode += 1
    assert rode >= min(len(away), 1)
    assert rode > 0 or policy == "return_to_store"
    # Hours are paid until then, and the ride is an empty one.
    study, other = day.study.summary, plain.study.summary
    on_s = sum(off_s - drivers[driver].shifts[0][0] for driver, (off_s, _) in ends.items())
    assert day.study.drivers["on_s"].sum() == pytest.approx(on_s)
    assert study["cost"]["by_kind"]["drivers"] == round(on_s / 3600.0 * 1500.0)
    assert study["cost"]["by_kind"]["drivers"] >= other["cost"]["by_kind"]["drivers"]
    riding = [one.study.drivers["riding_empty_s"].sum() for one in (day, plain)]
    assert riding[0] >= riding[1]


def test_who_is_to_end_at_the_nearest_store_rides_to_the_nearest(two_stores: Any, play: Any) -> None:
    day, home = (lawful_day(play, two_stores(*CALM, SHORT, where)) for where in (NEAREST, HOME))
    world, legs = day.world, day.rows("leg_started")
    to_store = world.travel.to_store[0]
    ends, away = last_seen(day), 0
    for driver, (_, node) in ends.items():
        assert node in world.store_nodes
        last = legs[legs["driver"] == driver][-1]
        if last["trip"] == Trip.BACK:
            profile = world.drivers[driver].profile
            rides = [to_store[profile][store][int(last["origin"])] for store in range(2)]
            assert world.store_nodes.index(node) == int(np.argmin(rides))
            away += node != world.store_nodes[world.drivers[driver].home]
    assert away
    riding = [one.study.drivers["riding_empty_s"].sum() for one in (day, home)]
    assert riding[0] < riding[1]


def test_after_the_shift_nobody_is_offered_anything(two_stores: Any, play: Any) -> None:
    day = lawful_day(play, two_stores(*CALM, SHORT, HOME, "demand.orders_per_day=4800"))
    offers = day.rows("offer_made")
    shift_s = np.array([driver.shifts[0][1] for driver in day.world.drivers])
    assert (offers["t_s"] <= shift_s[offers["driver"]]).all()


def test_a_break_is_no_end(one_store: Any, play: Any) -> None:
    long = ("horizon_h=8", "drain_h=1", "pickers.shifts=[{at: '12:00', hours: 10}]", "drivers.break_minutes=30")
    shift = "drivers.shifts=[{at: '12:00', hours: 8}]"
    day = lawful_day(play, one_store(*CALM, *long, shift, HOME))
    legs, on, off = day.rows("leg_started"), day.rows("driver_on"), day.rows("driver_off")
    back = legs[legs["trip"] == Trip.BACK]
    ends_s = np.array([driver.shifts[-1][1] for driver in day.world.drivers])
    assert len(on) == 2 * len(day.world.drivers) == len(off)
    assert len(back)
    assert (back["t_s"] >= ends_s[back["driver"]]).all()
    assert (on["node"][len(ends_s) :] != day.world.store_nodes[0]).any()


def test_the_night_is_as_long_as_the_rules_ask_from_the_store_on(one_store: Any, play: Any) -> None:
    days = ("horizon_h=44", "drain_h=2", "pickers.shifts=[{at: '08:00', hours: 14}]", "demand.orders_per_day=1500")
    day = lawful_day(
        play,
        one_store(
            *CALM, *days, HOME, "drivers.count=4", "drivers.shifts=[{at: '10:00', hours: 9}]",
            "drivers.rules={hours_a_day: 10, rest_hours: 15}",
        ),
    )  # fmt: skip
    on, off = day.rows("driver_on"), day.rows("driver_off")
    late = 0
    for driver in range(4):
        gaps_s = on["t_s"][on["driver"] == driver][1:] - off["t_s"][off["driver"] == driver][:-1]
        assert (gaps_s >= 15 * 3600.0).all()
        late += int((gaps_s == 15 * 3600.0).sum())
    assert late, "expected somebody whose ride home made the next day begin later"


@pytest.mark.parametrize("policy", [HOME, HOME.replace("stay(", "return_to_store("), NEAREST])
def test_who_is_to_work_again_on_the_way_home_works_on_from_there(
    two_stores: Any, play: Any, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    ends, again = Driving._ends, []

    def and_begin(self: Any, driver: Any) -> Any:
        def called(_: Timer) -> None:
            off_s = day_s[driver.id]
            if driver.ending and self._env.now < off_s:
                again.append((driver.id, self._env.now))
                self.begin(driver.id, off_s)
                Timer(self._env, off_s - self._env.now, lambda _: self.end(driver.id))

        Timer(self._env, 5.0, called)
        return (yield from ends(self, driver))

    early = ("drivers.early_share=1", "drivers.early_minutes=90", "drivers.shifts=[{at: '12:00', hours: 3}]")
    scenario = two_stores(*CALM, *early, policy, "demand.orders_per_day=4000", "drain_h=3")
    day_s = [driver.shifts[0][1] for driver in ready_world(scenario, Streams(scenario.seed)).drivers]
    monkeypatch.setattr(Driving, "_ends", and_begin)
    day = lawful_day(play, scenario)
    assert len(again) > 3
    on, off, answered = day.rows("driver_on"), day.rows("driver_off"), day.rows("offer_answered")
    accepted = answered[answered["answer"] == OfferAnswer.ACCEPTED]
    for driver, _ in again:
        assert (on["driver"] == driver).sum() == 1, "nobody comes twice"
        assert (off["driver"] == driver).sum() == 1
    assert any((accepted["t_s"][accepted["driver"] == driver] > now_s).any() for driver, now_s in again)


class Elsewhere:
    """Ends every shift at the store that is not the driver's own; a policy of somebody's, with its own word for it."""

    at_end = "elsewhere"

    def __init__(self) -> None:
        self.asked: list[tuple[float, int]] = []

    def __call__(self, view: Any) -> StoreId | None:
        if not view.ends:
            return None
        self.asked.append((view.now_s, int(view.driver)))
        return StoreId(1 - view.home)


def test_a_policy_with_a_word_for_it_is_asked_once_for_each_shift(two_stores: Any, play: Any) -> None:
    scenario, policy = two_stores(*CALM, SHORT), Elsewhere()
    world = ready_world(scenario, Streams(scenario.seed))
    laws = all_laws(world)
    day = play(world, policies=replace(policies_of(scenario), positioning=policy), laws=laws)
    assert verdict(laws) == []
    assert sorted(driver for _, driver in policy.asked) == list(range(len(world.drivers)))
    assert all(node == world.store_nodes[1 - world.drivers[who].home] for who, (_, node) in last_seen(day).items())


def test_whoever_had_an_accident_and_what_flies_ride_nowhere(two_stores: Any, play: Any) -> None:
    crash = "drivers.mishaps={breakdowns_per_1000h: 0, accidents_per_1000h: 3000, rescue_minutes: 5}"
    day = lawful_day(play, two_stores(*CALM, HOME, crash, "drivers.vehicles={car: 0.7, drone: 0.3}", SHORT))
    stopped, back, off = day.rows("vehicle_stopped"), day.rows("leg_started"), day.rows("driver_off")
    assert len(stopped)
    for row in stopped:
        later = back[(back["driver"] == row["driver"]) & (back["t_s"] > row["t_s"])]
        assert not (later["trip"] == Trip.BACK).any()
    flies = [n for n, driver in enumerate(day.world.drivers) if day.world.travel.profiles[driver.profile].flies]
    assert set(flies) <= set(off["driver"].tolist())


def test_riding_home_too_fast_breaks_the_law(two_stores: Any, play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = Driving._ends

    def fast(self: Any, driver: Any) -> Any:
        driver.back /= 2.0
        return ends(self, driver)

    monkeypatch.setattr(Driving, "_ends", fast)
    world = ready_world(two_stores(*CALM, SHORT, HOME), Streams(1))
    laws = all_laws(world)
    play(world, laws=laws)
    assert {breach.law for breach in verdict(laws)} == {"people"}


def test_taking_work_on_while_riding_home_breaks_the_law(
    two_stores: Any, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sim.platform.tracking import Tracking

    off = Tracking.off

    def keeps(self: Any, driver: Any) -> None:
        off(self, driver)
        self.resume(driver)
        self.free(driver, self._figures.store_nodes[0], None, 0.0)

    monkeypatch.setattr(Tracking, "off", keeps)
    monkeypatch.setattr("sim.operations.answering._DECLINED", OfferAnswer.ACCEPTED)
    world = ready_world(two_stores(*CALM, SHORT, HOME), Streams(1))
    laws = all_laws(world)
    play(world, laws=laws)
    assert "people" in {breach.law for breach in verdict(laws)}


def test_where_a_shift_ends_is_one_of_three(two_stores: Any, play: Any) -> None:
    with pytest.raises(InputError, match="Expected at_end to be one of stay, home, nearest, got 'there'"):
        play(two_stores('policies.positioning=stay(at_end="there")'))


def test_who_ends_where_he_is_is_no_news(two_stores: Any, play: Any) -> None:
    plain, said = (play(two_stores(f"policies.positioning={how}")) for how in ("stay", 'stay(at_end="stay")'))
    assert plain.outcome.digest == said.outcome.digest
    assert NOBODY not in last_seen(plain)
