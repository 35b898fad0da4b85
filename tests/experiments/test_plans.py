"""Plans: capacity finds where levels break, stress what breaks them, staff who is needed and nobody more."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from cli import app
from sim.experiments.capacity import capacity
from sim.experiments.staff import Staffing, _Search, staff
from sim.experiments.stress import AXES, axes_of, stress
from sim.experiments.trials import Days, Trials, held
from sim.scenario import Scenario, load
from sim.scenario.levels import Slo
from sim.scenario.loading import load_text
from sim.scenario.people import Shift
from sim.shell.errors import guarded
from sim.vocabulary import InputError

SMALL = ["--set", "horizon_h=1", "--set", "drain_h=1", "--set", "platform.profile=minimal", "--quiet"]


class Made(Trials):
    """Trials whose days are made up by a formula instead of run."""

    def __init__(self, figure: Any) -> None:
        super().__init__(1)
        self._figure = figure

    def days(self, *scenarios: Scenario, reps: int | None = None) -> list[Days]:
        self.runs += len(scenarios)
        return [[self._figure(scenario)] for scenario in scenarios]


def _asking(*levels: str) -> Scenario:
    return load("small", ["platform.profile=minimal", f"slo={json.dumps(levels)}"])


# -- capacity -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("breaks", [0.4, 0.9, 1.1, 1.47, 2.2, 3.4])
def test_capacity_finds_the_demand_at_which_a_level_breaks(breaks: float) -> None:
    scenario = _asking("on_time >= 0.9")
    trials = Made(lambda s: {"on_time": 0.99 if s.demand.orders_per_day < breaks * 900 else 0.5})
    found = capacity(scenario, trials, most=4.0)
    (row,) = found["levels"]
    assert row["holds_to"] < breaks <= row["breaks_at"]
    assert row["breaks_at"] / row["holds_to"] <= 1.06
    assert (found["first"], found["first_at"]) == (["on_time"], row["breaks_at"])


def test_what_holds_throughout_is_said_to_hold() -> None:
    found = capacity(_asking("on_time >= 0.9"), Made(lambda s: {"on_time": 1.0}))
    assert (found["levels"][0]["breaks_at"], found["levels"][0]["holds_to"]) == (None, 3.0)
    assert found["first"] == []


def test_what_never_holds_is_said_not_to() -> None:
    found = capacity(_asking("on_time >= 0.9"), Made(lambda s: {"on_time": 0.0}))
    assert (found["levels"][0]["holds_to"], found["first"]) == (None, ["on_time"])


def test_of_several_levels_the_first_to_break_is_named_and_what_is_full() -> None:
    def figure(scenario: Scenario) -> dict[str, float]:
        times = scenario.demand.orders_per_day / 900
        return {
            "on_time": 1.0 - 0.05 * times, "fill_rate": 1.0 - 0.02 * times,
            "stages_s.wait_pick": 10.0 * times, "stages_s.wait_driver": 20.0 * times**3, "stages_s.ride": 400.0,
        }  # fmt: skip

    found = capacity(_asking("on_time >= 0.92", "fill_rate >= 0.95"), Made(figure))
    assert found["first"] == ["on_time"]
    assert found["full"][0]["what"] == "drivers"
    assert 1.5 < found["first_at"] <= 1.7


def test_a_city_with_few_drivers_breaks_for_want_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "few"
    words = ["plan", "capacity", "small", *SMALL, "--set", "drivers.count=40", "--reps", "1", "--out", str(folder)]
    assert guarded(app, [*words, "--set", 'slo=["within_s.1800 >= 0.9"]', "--up-to", "3"]) == 0
    found = json.loads((folder / "plan.json").read_text())["capacity"]
    assert found["first"] == ["within_s.1800"]
    assert (folder / "report.html").is_file()
    out = capsys.readouterr().out
    assert all(len(line) <= 100 for line in out.splitlines() if str(folder) not in line)


def test_demand_is_raised_as_far_as_is_asked() -> None:
    breaks_at = capacity(_asking("on_time >= 0.9"), Made(_at(7.0)), most=9.0)["first_at"]
    assert 7.0 <= breaks_at <= 7.4
    assert capacity(_asking("on_time >= 0.9"), Made(_at(1.6)), most=1.2)["levels"][0]["holds_to"] == 1.2


def _at(breaks: float) -> Any:
    return lambda s: {"on_time": 0.99 if s.demand.orders_per_day < breaks * 900 else 0.5}


def test_what_only_few_orders_make_dear_does_not_break_for_want_of_capacity() -> None:
    scenario = _asking("cost.per_order_cents <= 1000", "on_time >= 0.9")
    dear = Made(lambda s: {"cost.per_order_cents": 900.0 * 900 / s.demand.orders_per_day, "on_time": 0.0})
    found = capacity(scenario, dear)
    assert [row["breaks_at"] for row in found["levels"]] == [None, 0.25]


@pytest.mark.parametrize("levels", [[], ["on_time >= 0.9 (warn)"]])
def test_levels_that_only_warn_are_looked_for_where_there_are_no_others(levels: list[str]) -> None:
    if not levels:
        with pytest.raises(InputError, match="service levels"):
            capacity(_asking(), Made(_at(1.6)))
        return
    assert capacity(_asking(*levels), Made(_at(1.6)))["first"] == ["on_time"]


# -- stress ------------------------------------------------------------------------------------------------------------------


def test_stress_names_the_assumption_that_breaks_first() -> None:
    scenario = _asking("on_time >= 0.9")

    def figure(s: Scenario) -> dict[str, float]:
        slow, absent = s.demand.weather.ride_factor, s.drivers.absent_share
        return {"on_time": 0.99 - 0.2 * (slow - 1.0) - 0.1 * absent}

    found = stress(scenario, Made(figure), axes_of(["no_show", "travel"]))
    by_name = {axis["axis"]: axis for axis in found["axes"]}
    assert by_name["no_show"]["breaks_at"] is None
    assert [step["step"] for step in by_name["no_show"]["steps"]] == [5], (
        "what the worst step does not break no other does"
    )
    assert [step["step"] for step in by_name["travel"]["steps"]] == [1, 2, 3]
    assert (by_name["travel"]["breaks_at"], by_name["travel"]["steps"][-1]["label"]) == (3, "+50 %")
    assert (found["first"], found["first_step"]) == (["travel"], 3)


@pytest.mark.parametrize("axis", [axis.name for axis in AXES])
def test_every_step_of_an_assumption_is_a_scenario_that_differs(axis: str) -> None:
    scenario = load("small")
    found = [change(scenario) for _, change in axes_of([axis])[0].steps]
    trees = [json.dumps(each.model_dump(mode="json"), sort_keys=True) for each in (scenario, *found)]
    assert len(set(trees)) == len(trees)
    for each in found:
        Scenario.model_validate(each.model_dump())


def test_a_day_under_stress_is_worse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plan", "stress", "small", *SMALL, "--axis", "travel", "--reps", "1", "--out", str(tmp_path / "s")]
    assert guarded(app, [*words, "--set", 'slo=["click_to_door_s.mean <= 950"]']) == 0
    found = json.loads((tmp_path / "s" / "plan.json").read_text())["stress"]
    times = [step["click_to_door_s"] for step in found["axes"][0]["steps"]]
    assert len(times) > 1
    assert times == sorted(times)
    out = capsys.readouterr().out
    assert all(len(line) <= 100 for line in out.splitlines() if str(tmp_path) not in line)


def test_an_assumption_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(app, ["plan", "stress", "small", "--axis", "weather", "--quiet"]) == 2
    assert "expected one of: no_show" in capsys.readouterr().err


# -- staff -------------------------------------------------------------------------------------------------------------------

QUEUE = """
name: queue
start: 2026-11-18T00:00+00:00
horizon_h: 15
drain_h: 1
map: {width_m: 0, height_m: 0, points: 1, speed_kmh: 30}
stores: {count: 1, open: "00:00-24:00", zone: {radius_m: 1000}, inaccurate_share: 0}
pickers: {per_store: 20, shifts: [{at: "00:00", hours: 16}], base_s: 120, per_line_s: 0, per_unit_s: 0, noise: exponential,
          mispick_share: 0, walk_m_s: 1000}
drivers: {count: 200, vehicles: {car: 1}, shifts: [{at: "00:00", hours: 16}], accept_share: 1, respond_s: 0,
          handoff_s: 0, door_s: 0, noise: none}
catalogue: {skus: 5}
demand: {orders_per_day: 3600, basket: {lines_mean: 1, units_mean: 1},
         profile: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1], weekday: [1,1,1,1,1,1,1]}
customers: {patience_s: null}
payments: {decline_share: 0}
platform: {profile: minimal, give_up_s: 1.0e+7}
supply: {cover_days: 5}
travel: {noise_cv: 0, traffic: false}
slo: ["floor.wait_pick_s.mean <= 40"]
"""


@lru_cache
def _queue() -> tuple[Scenario, dict[str, Any]]:
    from sim.experiments.roster import Lengths

    scenario = load_text(QUEUE)
    found = staff(scenario, Trials(6), reps=6, who="pickers", lengths=Lengths((16.0,)), fresh=6)
    return scenario, found


def _erlang_wait_s(servers: int, load: float, work_s: float) -> float:
    blocked = 1.0
    for busy in range(1, servers + 1):
        blocked = load * blocked / (busy + load * blocked)
    return blocked / (1.0 - load / servers * (1.0 - blocked)) * work_s / (servers - load)


def test_on_a_plain_queue_the_roster_is_erlangs_answer() -> None:
    # 150 orders an hour of 120 s each are 5 erlangs; the least servers with a mean wait of at most 40 s.
    answer = next(c for c in range(6, 20) if _erlang_wait_s(c, 5.0, 120.0) <= 40.0)
    _, found = _queue()
    assert [(shift["at"], shift["people"]) for shift in found["rosters"]["pickers"]] == [("00:00", answer)]
    assert _erlang_wait_s(answer, 5.0, 120.0) < 25.0  # neither answer is a close call
    assert _erlang_wait_s(answer - 1, 5.0, 120.0) > 60.0


def test_it_holds_on_days_that_the_search_has_not_seen_and_breaks_without_anybody() -> None:
    _, found = _queue()
    assert all(level["met"] for level in found["fresh"])
    assert [row["breaks"]["sure"] for row in found["spared"]] == [False]
    assert found["cost_cents"] < found["before_cents"]


def test_levels_that_nobody_can_meet_are_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match=r"expected service levels that people can meet.*stages_s.ride"):
        staff(_asking("stages_s.ride <= 1"), Made(_rides), reps=1)


def _rides(scenario: Scenario) -> dict[str, float]:
    return {
        "stages_s.ride": 300.0, "floor.pick_s.mean": 150.0, "utilisation.drivers": 0.4, "orders_per_driver_hour": 2.0,
        "orders.entered": 10.0, "orders.offered": 10.0,
    }  # fmt: skip


def test_a_scenario_without_levels_cannot_be_staffed() -> None:
    with pytest.raises(InputError, match="severity error"):
        staff(_asking(), Made(_rides), reps=1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--shift-hours", "4,x"], "--shift-hours"), (["--shift-hours", "17"], "--shift-hours"),
            (["--reps", "1"], "greater than or equal to 2"),
        (["--confidence", "40%"], "above 50 %"), (["--confidence", "x"], "--confidence: expected a share"),
    ],
)  # fmt: skip
def test_what_cannot_be_staffed_is_said_in_one_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(app, ["plan", "staff", "small", "--quiet", *words]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_the_roster_is_a_scenario_that_runs(tmp_path: Path) -> None:
    folder = tmp_path / "staff"
    words = ["plan", "staff", "small", *SMALL, "--set", 'slo=["within_s.1800 >= 0.9"]', "--reps", "2", "--fresh", "2"]
    words += ["--seed", "5", "--who", "drivers"]
    assert guarded(app, [*words, "--out", str(folder)]) == 0
    planned = json.loads((folder / "plan.json").read_text())["staff"]["rosters"]["drivers"]
    scenario = load(str(folder / "roster.yaml"))
    assert [shift.people for shift in scenario.drivers.shifts] == [shift["people"] for shift in planned]
    assert (scenario.horizon_h, scenario.seed, scenario.platform.profile) == (1.0, 5, "minimal")
    assert [slo.metric for slo in scenario.slo] == ["within_s.1800"]
    # The file is what was planned: its first day is the first day of the search.
    assert guarded(
        app, ["run", str(folder / "roster.yaml"), "--no-pages", "--quiet", "--out", str(tmp_path / "run")]
    ) in (0, 1)
    (seen,) = json.loads((folder / "plan.json").read_text())["staff"]["searched"]
    day = json.loads((tmp_path / "run" / "summary.json").read_text())["within_s"]["1800"]
    assert day == pytest.approx(seen["found"]["mean"], abs=0.2)


class ByDay(Trials):
    """Trials whose days are made up by a formula of the scenario and the day's number, and counted."""

    def __init__(self, figure: Any) -> None:
        super().__init__(4)
        self._figure, self.seen = figure, set()

    def days(self, *scenarios: Scenario, reps: int | None = None) -> list[Days]:
        found = [[self._figure(each, day) for day in range(reps or 4)] for each in scenarios]
        self.seen |= {(_pickers(each), day) for each in scenarios for day in range(reps or 4)}
        return found


def _pickers(scenario: Scenario) -> int:
    return sum(shift.people or 0 for shift in scenario.pickers.shifts)


def test_what_two_days_decide_is_not_run_on_the_others() -> None:
    """Ten people hold on all days; how much nine do worse on two of them says that they do not."""
    apart = (0.02, 0.03, 0.01, 0.0)
    trials = ByDay(lambda each, day: {"on_time": 0.9 + apart[day] + 0.01 * (_pickers(each) - 10)})
    search = _Search(_asking("on_time >= 0.89"), trials, 4, 0.95)
    ten, nine, twelve, five = (Staffing((Shift(at="07:00", hours=8, people=some),), None) for some in (10, 9, 12, 5))
    assert search.holds(ten)
    assert not search.holds(nine, like=ten)
    assert not search.holds(five)
    assert search.holds(twelve, like=ten)
    assert {(some, day) for some, day in trials.seen if some in (9, 5)} == {(9, 0), (9, 1), (5, 0), (5, 1)}
    assert (12, 3) in trials.seen


def test_a_search_that_more_people_do_not_help_ends() -> None:
    """The first four days hold with anybody, others never do."""

    def figure(scenario: Scenario, day: int) -> dict[str, float]:
        return _rides(scenario) | {"on_time": 0.99 if day < 4 and scenario.seed == 1 else 0.5}

    with pytest.raises(InputError, match=r"hold with confidence on 8 days .*more --reps or less --confidence"):
        staff(_asking("on_time >= 0.9"), ByDay(figure), reps=4, who="pickers")


# -- levels ------------------------------------------------------------------------------------------------------------------


def test_a_level_is_met_by_its_mean_and_sure_by_its_interval() -> None:
    slo = Slo(metric="on_time", op=">=", target=0.9)
    near = held([slo], [{"on_time": value} for value in (0.89, 0.92, 0.93)])[0]
    far = held([slo], [{"on_time": value} for value in (0.98, 0.985, 0.99)])[0]
    assert (near.met, near.sure) == (True, False)
    assert (far.met, far.sure) == (True, True)
    assert far.margin > near.margin > 0.0
    assert not held([slo], [{"on_time": None}])[0].met
