"""Drivers' days: breaks, shifts nobody comes to, early ends, people on call, and the rules of the place."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from sim.laws import Hours, verdict
from sim.operations.driving import Driving
from sim.vocabulary import InputError, OfferAnswer
from sim.world.build import build_world
from tests.conftest import lawful_day

CALM = ("customers.patience_s=null", "payments.decline_share=0")
LONG = ("horizon_h=8", "drain_h=1", "pickers.shifts=[{at: '12:00', hours: 10}]", "demand.orders_per_day=1200")
SHIFT = "drivers.shifts=[{at: '12:00', hours: 8}]"
DAYS = ("horizon_h=44", "drain_h=2", "pickers.shifts=[{at: '08:00', hours: 14}]", "demand.orders_per_day=600")


def stretches(day: Any) -> dict[int, list[tuple[float, float]]]:
    """By driver, from logging on to going home or into a break."""
    found: dict[int, list[tuple[float, float]]] = {}
    on, off = day.rows("driver_on"), day.rows("driver_off")
    for driver in np.unique(on["driver"]).tolist():
        ends = off["t_s"][off["driver"] == driver].tolist()
        begins = on["t_s"][on["driver"] == driver].tolist()
        found[driver] = list(zip(begins, [*ends, day.world.scenario.end_s][: len(begins)], strict=True))
    return found


def test_everybody_has_the_break_and_goes_on_where_it_began(one_store: Any, play: Any) -> None:
    day = lawful_day(play, one_store(*CALM, *LONG, SHIFT, "drivers.break_minutes=30", "policies.positioning=stay"))
    on, off, begun = day.rows("driver_on"), day.rows("driver_off"), 0
    for driver, ((_, left_s), (again_s, _)) in stretches(day).items():
        (_, pause_s), (back_s, _) = day.world.drivers[driver].shifts
        assert back_s - pause_s == 1800.0
        assert left_s >= pause_s
        assert again_s == max(back_s, left_s) or again_s == back_s
        at = on["node"][on["driver"] == driver][1]
        last = day.rows("goods_delivered")
        mine = last["node"][(last["driver"] == driver) & (last["t_s"] <= left_s)]
        if len(mine):
            assert at == mine[-1]
            begun += 1
    assert begun
    assert len(on) == 2 * len(day.world.drivers) == len(off)


def test_nobody_comes_to_some_shifts_and_some_end_early_and_the_platform_learns_it_as_it_happens(
    one_store: Any, play: Any
) -> None:
    more = ("drivers.count=200", "drivers.absent_share=0.2", "drivers.early_share=0.5", "drivers.early_minutes=30")
    scenario = one_store(*CALM, *LONG, SHIFT, *more)
    people = build_world(scenario).drivers
    absent = np.mean([not person.works for person in people])
    assert absent == pytest.approx(0.2, abs=5 * np.sqrt(0.16 / 200))
    early = [person for person in people if person.works and person.works != person.shifts]
    assert len(early) / sum(bool(person.works) for person in people) == pytest.approx(0.5, abs=0.2)
    cut = [person.shifts[-1][1] - person.works[-1][1] for person in early]
    assert np.mean(cut) == pytest.approx(1800.0, rel=5 / np.sqrt(len(cut)))
    day = lawful_day(play, one_store(*CALM, *LONG, SHIFT, *more, "drivers.count=20"))
    came = set(day.rows("driver_on")["driver"].tolist())
    assert came == {number for number, person in enumerate(day.world.drivers) if person.works}


def test_drivers_on_call_come_when_too_much_waits_and_stay_for_their_hours(one_store: Any, play: Any) -> None:
    terms = "{count: 6, shifts: [{at: '12:00', hours: 8}], waiting_per_driver: 0.5, come_share: 1, notice_minutes: 5, hours: 2}"
    busy = ("drivers.count=2", "demand.orders_per_day=2000", f"drivers.on_call={terms}", SHIFT)
    day = lawful_day(play, one_store(*CALM, *LONG, *busy))
    called, on = day.rows("driver_called"), day.rows("driver_on")
    assert called["driver"].tolist() == sorted(set(called["driver"].tolist())) != []
    assert set(on["driver"].tolist()) == {0, 1} | set(called["driver"].tolist())
    for driver, call_s in zip(called["driver"].tolist(), called["t_s"].tolist(), strict=True):
        ((begin_s, end_s),) = stretches(day)[driver]
        assert begin_s > call_s
        assert end_s >= min(begin_s + 2 * 3600.0, 8 * 3600.0)
    quiet = play(one_store(*CALM, *LONG, "drivers.count=40", f"drivers.on_call={terms}", SHIFT))
    assert len(quiet.rows("driver_called")) == 0
    # Help has been worth it.
    alone = play(one_store(*CALM, *LONG, *busy, "drivers.on_call=null"))
    delivered = [d.study.summary["orders"]["delivered"] for d in (alone, day)]
    assert delivered[0] < delivered[1]


def test_some_who_are_called_do_not_come(one_store: Any, play: Any) -> None:
    terms = "{count: 20, shifts: [{at: '12:00', hours: 8}], come_share: 0, waiting_per_driver: 0.1}"
    day = lawful_day(play, one_store(*CALM, *LONG, "drivers.count=1", f"drivers.on_call={terms}", SHIFT))
    assert len(day.rows("driver_called")) > 5
    assert set(day.rows("driver_on")["driver"].tolist()) == {0}


def test_a_call_that_comes_when_nobody_is_on_call_any_more_calls_nobody(one_store: Any) -> None:
    from types import SimpleNamespace as Some

    from sim.clock import Clock
    from sim.operations.on_call import AtHome
    from sim.ports import Summons
    from sim.scenario.drivers import OnCall
    from sim.streams import Die
    from sim.vocabulary import DriverId
    from sim.world.drivers import Driver

    for hours, begun in ((((0.0, 3600.0),), 1), (((-10.0, 0.0),), 0), (((-10.0, 0.0), (7200.0, 9000.0)), 0)):
        env, came = Clock(), []
        people = [Driver(0, 0, hours, on_call=True)]
        driving = Some(begin=lambda *call, came=came: came.append(call), end=lambda driver: None)
        terms = OnCall(count=1, come_share=1.0, notice_minutes=1.0)
        AtHome(env, driving, people, terms, Die(1), 0.0).called(Summons(DriverId(0), 0))  # type: ignore[arg-type]
        env.advance(1e5)
        assert len(came) == begun


def test_after_a_late_end_the_break_and_the_night_are_as_long_as_the_rules_ask(one_store: Any, play: Any) -> None:
    day = lawful_day(
        play,
        one_store(
            *CALM, *DAYS, "drivers.break_minutes=30", "drivers.count=4", "demand.orders_per_day=1500",
            "drivers.shifts=[{at: '10:00', hours: 9}]",
            "drivers.rules={hours_a_day: 10, hours_at_a_stretch: 6, pause_minutes: 30, rest_hours: 15}",
        ),
    )  # fmt: skip
    late = 0
    for mine in stretches(day).values():
        for (_, left_s), (again_s, _) in pairwise(mine):
            gap_s = again_s - left_s
            assert gap_s >= (1800.0 if gap_s < 4 * 3600 else 15 * 3600.0)
            late += gap_s in (1800.0, 15 * 3600.0)
    assert late, "expected somebody whose delivery in hand made the next begin later"


def test_without_the_rest_the_law_is_broken(one_store: Any, play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Driving.begin
    monkeypatch.setattr(Driving, "begin", lambda self, number, until_s=1e9, rest_s=0.0: begin(self, number, until_s))
    scenario = one_store(
        *CALM, *DAYS, "drivers.break_minutes=30", "drivers.count=4", "demand.orders_per_day=1500",
        "drivers.shifts=[{at: '10:00', hours: 9}]",
        "drivers.rules={hours_a_day: 10, hours_at_a_stretch: 6, pause_minutes: 30, rest_hours: 15}",
    )  # fmt: skip
    world = build_world(scenario)
    law = Hours(world)
    play(world, laws=[law])
    assert any("of rest" in breach.what for breach in verdict([law]))


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("drivers.rules.hours_at_a_stretch=6", "drivers: expected at most 6 hours without a break of 30 minutes"),
        ("drivers={break_minutes: 20, rules: {hours_at_a_stretch: 6}}", "drivers: expected at most 6 hours without a break"),
        ("drivers={break_minutes: 30, rules: {hours_at_a_stretch: 5}}", "drivers: expected at most 5 hours without a break"),
        ("drivers.rules.hours_a_day=7", "drivers: expected at most 7 hours a day"),
        ("drivers.rules.rest_hours=17", "drivers: expected 17 hours of rest between two days"),
        ("drivers={on_call: {count: 2, hours: 10}, rules: {hours_a_day: 9}}", "drivers: expected at most 9 hours a day"),
    ],
)  # fmt: skip
def test_a_roster_against_the_rules_is_refused(one_store: Any, setting: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        one_store(*LONG, SHIFT, setting)


def test_accepting_after_too_many_hours_breaks_the_law(one_store: Any, play: Any) -> None:
    scenario = one_store(*CALM, *LONG, SHIFT)
    world = build_world(scenario)
    day = play(world)
    strict = one_store(*CALM, *LONG, SHIFT).model_copy(
        update={"drivers": scenario.drivers.model_copy(
            update={"rules": scenario.drivers.rules.model_copy(update={"hours_a_day": 2.0, "hours_at_a_stretch": 3.0})}
        )}
    )  # fmt: skip
    law = Hours(type("World", (), {"scenario": strict, "travel": world.travel, "drivers": world.drivers})())  # type: ignore[arg-type]
    for row in day.rows("driver_on"):
        law.driver_on(*(row[name] for name in ("t_s", "driver", "store", "node", "profile")))
    accepted = day.rows("offer_answered")
    for row in accepted[accepted["answer"] == OfferAnswer.ACCEPTED]:
        law.offer_answered(*(row[name] for name in ("t_s", "order", "driver", "answer")))
    said = " ".join(breach.what for breach in verdict([law]))
    assert "after a break" in said
    assert "hours of work today" in said
