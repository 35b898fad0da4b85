"""Rosters: Erlang's need, the cheapest cover, and people who are dealt out exactly."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.experiments.roster import SLOT_S, Lengths, at_work, cover, hours_of, servers_needed, with_rosters, without
from sim.opening import ready_world
from sim.scenario import Scenario, load
from sim.scenario.people import Shift
from sim.streams import Streams
from sim.vocabulary import InputError
from sim.world.fleet import STEPS, shift_of_each


@pytest.fixture(scope="module")
def small() -> Scenario:
    return load("small", ["horizon_h=3"])


def _wait(servers: int, load: float) -> float:
    blocked = 1.0
    for busy in range(1, servers + 1):
        blocked = load * blocked / (busy + load * blocked)
    return blocked / (1.0 - load / servers * (1.0 - blocked)) / (servers - load)


@pytest.mark.parametrize(("load", "wait"), [(0.5, 0.3), (3.0, 0.1), (12.0, 0.05), (80.0, 0.01)])
def test_no_fewer_people_would_do_by_erlang(load: float, wait: float) -> None:
    found = servers_needed(load / 100.0, 100.0, 100.0 * wait)
    assert _wait(found, load) <= wait
    assert found - 1 <= load or _wait(found - 1, load) > wait


def test_nobody_is_needed_where_nothing_is_ordered() -> None:
    assert servers_needed(0.0, 100.0) == 0


@given(st.lists(st.integers(0, 12), min_size=20, max_size=44), st.sampled_from([(4.0,), (4.0, 6.0, 8.0), (2.0, 9.0)]))
@settings(max_examples=30, deadline=None)
def test_a_cover_has_as_many_at_work_as_are_needed(need: list[int], lengths: tuple[float, ...]) -> None:
    scenario = load("small")
    found = cover(scenario, np.array(need, dtype=np.float64), Lengths(lengths))
    assert all(have >= want for have, want in zip(at_work(found, len(need)), need, strict=True))
    assert {shift.hours for shift in found} <= set(lengths)


def test_the_cheapest_cover_of_a_peak_is_the_obvious_one(small: Scenario) -> None:
    need = np.zeros(48)
    need[18:34] = 3.0  # 09:00 to 17:00
    need[22:30] = 5.0  # 11:00 to 15:00
    found = cover(small, need, Lengths((4.0, 8.0)))
    assert hours_of(found) == 3 * 8 + 2 * 4
    assert {(shift.at, shift.hours, shift.people) for shift in found} >= {("11:00", 4.0, 2)}


def test_a_half_hour_that_no_shift_reaches_is_said(small: Scenario) -> None:
    need = np.zeros(48)
    need[1] = 1.0  # 00:30, which a shift from midnight on covers; from the day before nobody does
    assert cover(small, need, Lengths((4.0,)))[0].at == "00:00"
    with pytest.raises(InputError, match="cover every half-hour"):
        cover(small, need, Lengths((0.5,), every_h=6.0))


def test_shifts_after_midnight_serve_the_next_day_where_there_is_one(small: Scenario) -> None:
    need = np.zeros(96)
    need[[46, 47]] = 2.0
    need[[48, 49]] = 2.0
    found = cover(small, need, Lengths((2.0,)))
    assert [(shift.at, shift.people) for shift in found] == [("23:00", 2)]


def test_taking_the_last_one_out_takes_the_shift_out() -> None:
    roster = (Shift(at="08:00", hours=4, people=2), Shift(at="12:00", hours=4, people=1))
    assert [shift.people for shift in without(roster, 0, 1)] == [1, 1]
    assert [shift.at for shift in without(roster, 1, 1)] == ["08:00"]


# -- people of shifts, in the world -----------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_exactly_so_many_people_get_each_shift(people: list[int]) -> None:
    shifts = tuple(Shift(at="08:00", hours=4, people=count) for count in people)
    found = shift_of_each(shifts, 7, STEPS[2])
    assert [found.count(shift) for shift in range(len(people))] == people


def test_the_world_has_the_people_of_the_roster(small: Scenario) -> None:
    pickers = (Shift(at="17:00", hours=4, people=7), Shift(at="18:00", hours=4, people=4))
    drivers = (Shift(at="17:00", hours=6, people=20), Shift(at="19:00", hours=4, people=11))
    world = ready_world(with_rosters(small, pickers, drivers), Streams(1))

    def begins(people: Any) -> list[int]:
        starts = [round(each.shifts[0][0] / SLOT_S) for each in people if each.shifts]
        return [starts.count(slot) for slot in sorted(set(starts))]

    assert begins(world.drivers) == [20, 11]
    assert begins(world.pickers) == [7, 4]
    # Of seven pickers of one shift every one of three stores has somebody.
    assert {picker.store for picker in world.pickers if picker.shifts[0][0] < SLOT_S} == {0, 1, 2}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('drivers.shifts=[{at: "08:00", hours: 4, people: 3}, {at: "12:00", hours: 4}]', "people of every shift or of none"),
        ('drivers.shifts=[{at: "08:00", hours: 4, people: 0}]', "people: expected"),
        ('drivers.on_call={count: 3, shifts: [{at: "08:00", hours: 4, people: 3}]}', "on_call.count says how many"),
    ],
)  # fmt: skip
def test_people_that_do_not_add_up_are_refused(setting: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        load("small", [setting])


def test_what_the_law_forbids_is_not_planned(small: Scenario) -> None:
    strict = load("small", ["drivers.rules.hours_a_day=9"])
    with pytest.raises(InputError, match="rules of the place"):
        with_rosters(strict, None, (Shift(at="08:00", hours=10, people=3),))
