"""The gate: nothing changed is exactly nothing, what got worse fails, and what cannot be told is said to be so."""

import json
from pathlib import Path
from xml.etree.ElementTree import parse

import pytest

from cli import app
from sim.experiments.baseline import Baseline, read_baseline, write_baseline
from sim.experiments.check import Finding, check, outcome
from sim.report.checked import junit, markdown
from sim.scenario import Scenario, load
from sim.shell.errors import guarded

EVENING = ["small", "--set", "horizon_h=2", "--set", "drain_h=1", "--workers", "1", "--quiet"]


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gate") / "baseline.json"
    assert guarded(app, ["check", *EVENING, "--baseline", str(path), "--update-baseline", "--reps", "20"]) == 0
    return path


def _check(baseline: Path, *words: str) -> int:
    return guarded(app, ["check", *EVENING, "--baseline", str(baseline), *words])


def test_code_that_did_not_change_differs_by_exactly_nothing(
    baseline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_baseline(baseline)
    assert _check(baseline, "--set", "slo=[]", "--set", "platform.profile=full") == 0
    told = capsys.readouterr().out
    assert told.count("the same") >= 5
    assert before.replications == 20


def test_picking_two_per_cent_slower_to_the_door_fails(baseline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Four and a half seconds more of each order's fixed work, and the queues it makes, are two per cent of click-to-door.
    assert _check(baseline, "--set", "pickers.base_s=49.5", "--json") == 1
    found = next(
        each
        for each in json.loads(capsys.readouterr().out)["findings"]
        if (each["kind"], each["metric"]) == ("change", "click_to_door_s.mean")
    )
    assert found["state"] == "fail"
    assert 0.012 <= found["found"]["mean"] <= 0.028


def test_a_baseline_written_again_is_the_same_to_the_byte(baseline: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.json"
    assert guarded(app, ["check", *EVENING, "--baseline", str(again), "--update-baseline", "--reps", "20"]) == 0
    assert again.read_bytes() == baseline.read_bytes()


def test_fewer_days_than_the_baselines_are_its_first(baseline: Path) -> None:
    assert _check(baseline, "--reps", "3", "--set", "slo=[]") == 0


def test_more_days_than_the_baselines_are_refused(baseline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _check(baseline, "--reps", "40") == 2
    assert "--update-baseline --reps 40" in capsys.readouterr().err


def test_ci_servers_are_told_in_their_own_words(
    baseline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "summary.md").write_text("before\n")
    words = ["--reps", "4", "--junit", str(tmp_path / "deep" / "junit.xml"), "--markdown", str(tmp_path / "check.md")]
    assert _check(baseline, *words, "--set", "pickers.base_s=90") == 1
    suite = parse(tmp_path / "deep" / "junit.xml").getroot()
    assert int(suite.get("failures", "0")) == len(suite.findall("testcase/failure")) > 0
    assert int(suite.get("tests", "0")) == len(suite.findall("testcase"))
    assert (tmp_path / "check.md").read_text() in (tmp_path / "summary.md").read_text()
    assert (tmp_path / "summary.md").read_text().startswith("before\n")


# -- what is decided, on figures made up ---------------------------------------------------------------------------------


def _scenario(*settings: str) -> Scenario:
    return load("small", ["platform.profile=minimal", *settings])


def _days(metric: str, *values: float) -> list[dict[str, float | None]]:
    return [{metric: value} for value in values]


def _one(scenario: Scenario, days: list[dict[str, float | None]], baseline: Baseline | None = None) -> Finding:
    return check(scenario, days, baseline)[-1]


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ((0.99, 0.98, 0.99, 0.985), "pass"),
        ((0.9, 0.91, 0.9, 0.905), "fail"),
        ((0.94, 0.97, 0.95, 0.955), "inconclusive"),
    ],
)
def test_a_level_is_decided_by_the_whole_interval(values: tuple[float, ...], state: str) -> None:
    found = _one(_scenario('slo=["on_time >= 0.95"]'), _days("on_time", *values))
    assert found.state == state
    assert (found.needed is None) == (state != "inconclusive")


def test_an_open_level_says_how_many_days_would_tell() -> None:
    scenario = _scenario('slo=["click_to_door_s.mean <= 600"]')
    values = (660.0, 540.0, 600.0, 560.0) * 2
    found = _one(scenario, _days("click_to_door_s.mean", *values))
    assert found.needed is not None
    fewer, enough = ((values * 40)[:days] for days in (found.needed - 8, found.needed + 8))
    assert _one(scenario, _days("click_to_door_s.mean", *fewer)).state == "inconclusive"
    assert _one(scenario, _days("click_to_door_s.mean", *enough)).state == "pass"


def test_a_figure_at_its_limit_is_met_by_no_more_and_no_less_and_missed_by_more() -> None:
    days = _days("on_time", 0.95, 0.95, 0.95)
    assert _one(_scenario('slo=["on_time >= 0.95"]'), days).state == "pass"
    assert _one(_scenario('slo=["on_time > 0.95"]'), days).state == "fail"


def _base(metric: str, *values: float) -> Baseline:
    return Baseline("small", 1, "f", "0", {metric: list(values)})


@pytest.mark.parametrize(
    ("metric", "factor", "state"),
    [
        ("click_to_door_s.mean", 1.02, "fail"), ("click_to_door_s.mean", 0.98, "pass"), ("click_to_door_s.mean", 1.005, "pass"),
        ("on_time", 0.98, "fail"), ("on_time", 1.02, "pass"),
        ("utilisation.pickers", 0.98, "fail"), ("utilisation.pickers", 1.02, "fail"),
    ],
)  # fmt: skip
def test_what_is_worse_hangs_on_which_way_is_better(metric: str, factor: float, state: str) -> None:
    scenario = _scenario("slo=[]", f'check.worsens=["{metric} <= 1%"]')
    found = _one(scenario, _days(metric, *(value * factor for value in (5.0, 6.0, 7.0))), _base(metric, 5.0, 6.0, 7.0))
    assert found.state == state


def test_what_scatters_more_than_the_limit_is_open() -> None:
    scenario = _scenario("slo=[]", 'check.worsens=["click_to_door_s.mean <= 1%"]')
    found = _one(scenario, _days("click_to_door_s.mean", 5.2, 5.9, 7.1), _base("click_to_door_s.mean", 5.0, 6.0, 7.0))
    assert found.state == "inconclusive"
    assert outcome([found]) == "inconclusive"


def test_out_of_nothing_comes_a_failure_and_nothing_from_nothing_passes() -> None:
    scenario = _scenario("slo=[]", 'check.worsens=["orders.cancelled <= 1%"]')
    assert _one(scenario, _days("orders.cancelled", 0, 1, 2), _base("orders.cancelled", 0, 0, 0)).state == "fail"
    assert _one(scenario, _days("orders.cancelled", 0, 0, 0), _base("orders.cancelled", 0, 0, 0)).state == "pass"


def test_what_only_warns_never_decides() -> None:
    scenario = _scenario('slo=["on_time >= 0.95 (warn)"]', "check.worsens=[]")
    assert outcome(check(scenario, _days("on_time", 0.5, 0.5))) == "pass"


def test_what_nobody_observed_is_open() -> None:
    assert outcome(check(_scenario('slo=["on_time >= 0.95"]'), _days("fill_rate", 1.0, 1.0))) == "inconclusive"


def test_tables_for_people_hold_what_was_found() -> None:
    found = {
        "scenario": "x", "seed": 1, "replications": 2, "outcome": "fail", "baseline": None,
        "findings": [
            {"kind": "level", "metric": "on_time", "limit": ">= 0.95", "severity": "error", "state": "fail",
             "found": {"mean": 0.9, "low": 0.89, "high": 0.91}, "change": None, "replications_needed": None},
        ],
    }  # fmt: skip
    assert "| on time | ≥ 95 % | 90.0 % |" in markdown(found)
    assert "<failure" in junit(found)


# -- files that will not do ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "expected JSON"), ("[]", "expected a JSON object"), ('{"schema": 1}', "without scenario"),
        ('{"schema": 2, "scenario": "x", "seed": 1, "fingerprint": "", "darkstore": "", "figures": {}}', "schema 1"),
        ('{"schema": 1, "scenario": "x", "seed": 1, "fingerprint": "", "darkstore": "", "figures": {"on_time": {"days": ["a"]}}}',
         "figures.on_time: expected days with a number each"),
        ('{"schema": 1, "scenario": "x", "seed": 1, "fingerprint": "", "darkstore": "", '
         '"figures": {"on_time": {"days": [1]}, "fill_rate": {"days": [1, 2]}}}', "as many days as of the others"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_baseline_is_refused_by_name(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    assert _check(path) == 2
    told = capsys.readouterr().err
    assert str(path) in told
    assert said in told


def test_a_missing_baseline_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _check(tmp_path / "none.json") == 2
    assert "--update-baseline" in capsys.readouterr().err


def test_other_days_are_not_compared(baseline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _check(baseline, "--seed", "7", "--reps", "2") == 2
    assert "the baseline's seed 1, got 7" in capsys.readouterr().err


def test_a_baseline_is_whole_or_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    words = ["check", *EVENING, "--baseline", str(tmp_path / "file" / "b.json"), "--update-baseline", "--reps", "2"]
    assert guarded(app, words) == 2
    write_baseline(tmp_path / "b.json", "x", 1, "f", {"on_time": [0.1, None], "fill_rate": [None, None]})
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert read_baseline(tmp_path / "b.json").figures == {"fill_rate": [None, None], "on_time": [0.1, None]}


@pytest.mark.parametrize("limit", ["on_time < 1%", "on_time <= 1", "nothing <= 1%", "on_time"])
def test_a_limit_that_is_none_is_refused(limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(app, ["check", *EVENING, "--set", f'check.worsens=["{limit}"]']) == 2
    assert "expected" in capsys.readouterr().err
