"""`darkstore run` with as many replications as it takes, a warm-up that is found, and what a long run says of itself."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cli import app
from sim.experiments.pool import Crew, Job, as_they_come, in_turn
from sim.experiments.warming import find_warmup
from sim.metrics.long import long_run
from sim.scenario import load
from sim.shell.errors import guarded
from sim.vocabulary import InputError

HOUR = ["--set", "horizon_h=1", "--set", "drain_h=1", "--set", "slo=[]", "--quiet", "--workers", "1"]


def _run(folder: Path, *words: str) -> int:
    return guarded(app, ["run", "small", "--no-pages", *HOUR, "--out", str(folder), *words])


def test_replications_go_on_until_the_interval_is_narrow_and_stays_so(tmp_path: Path) -> None:
    assert _run(tmp_path / "p", "--precision", "10%") == 0
    found = json.loads((tmp_path / "p" / "summary.json").read_text())
    assert found["precision"]["reached"]
    assert found["precision"]["half_width_share"] <= 0.1
    assert found["replications"] == len((tmp_path / "p" / "replications.jsonl").read_text().splitlines()) >= 8
    mean = found["click_to_door_s"]["mean"]
    assert (mean["high"] - mean["low"]) / 2 / mean["mean"] == pytest.approx(found["precision"]["half_width_share"])


def test_the_cap_is_said_and_the_exit_code_is_that_of_what_cannot_be_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(tmp_path / "p", "--precision", "0.1%", "--max-reps", "3") == 3
    told = capsys.readouterr().err
    assert "expected it within 3 replications (--max-reps), got a half-width of" in told
    found = json.loads((tmp_path / "p" / "summary.json").read_text())
    assert (found["replications"], found["precision"]["reached"]) == (3, False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--precision", "5%", "--reps", "3"], "--reps or --precision, got both"),
        (["--precision", "0%"], "--precision: expected a share"), (["--precision", "x"], "--precision: expected a share"),
        (["--precision", "5%", "--metric", "on_tme"], "--metric on_tme"),
        (["--precision", "5%", "--metric", "packing.utilisation"], "nothing to observe"),
        (["--warmup", "soon"], "--warmup: expected hours"), (["--warmup", "-1"], "--warmup: expected hours"),
        (["--max-reps", "5"], "expected --precision with"),
        (["--warmup", "auto"], "--warmup auto: expected orders in at least 50"),
    ],
)  # fmt: skip
def test_what_cannot_be_reached_is_said_in_one_line(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(tmp_path / "none", *words) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert not (tmp_path / "none").exists()


def test_service_levels_say_how_many_days_met_them_and_what_a_bad_day_is(tmp_path: Path) -> None:
    assert guarded(
        app,
        [
            "run",
            "small",
            "--no-pages",
            *HOUR,
            "--set",
            'slo=["on_time >= 0.9"]',
            "--reps",
            "4",
            "--out",
            str(tmp_path / "r"),
        ],
    ) in (0, 1)
    (level, *_) = json.loads((tmp_path / "r" / "summary.json").read_text())["slo"]
    days = [json.loads(line)["on_time"] for line in (tmp_path / "r" / "replications.jsonl").read_text().splitlines()]
    assert level["met_share"]["mean"] == sum(day >= 0.9 for day in days) / 4
    assert level["bad_day"]["mean"] == pytest.approx(np.quantile(days, 0.1))
    assert level["bad_day"]["low"] is None  # four days say nothing of how bad it can be


def test_a_ramp_at_the_start_is_found_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def ramp(jobs: list[Job], crew: Crew, work: object) -> object:
        rng = np.random.default_rng(1)
        level = np.concatenate([np.linspace(100.0, 600.0, 24), np.full(264, 600.0)])
        for place in range(len(jobs)):
            yield place, np.array([10.0 * (level + rng.normal(0.0, 20.0, 288)), np.full(288, 10.0)])

    monkeypatch.setattr("sim.experiments.warming.as_they_come", ramp)
    found = find_warmup(load("small"))
    assert 1.5 <= found.hours <= 2.5  # the ramp takes two hours


def test_a_run_that_only_climbs_has_no_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def climb(jobs: list[Job], crew: Crew, work: object) -> object:
        for place in range(len(jobs)):
            yield place, np.array([10.0 * np.linspace(100.0, 900.0, 288), np.full(288, 10.0)])

    monkeypatch.setattr("sim.experiments.warming.as_they_come", climb)
    with pytest.raises(InputError, match="more than half"):
        find_warmup(load("small"))


def _orders(days: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    entered = np.sort(rng.uniform(0.0, days * 86_400.0, days * 200))
    took = 600.0 + rng.normal(0.0, 60.0, len(entered))
    return {
        "order": np.arange(len(entered)), "entered_s": entered, "confirmed_s": entered, "delivered_s": entered + took,
        "promised_s": entered + 680.0,
    }  # fmt: skip


def test_one_long_run_says_how_sure_it_is_by_batches_of_days() -> None:
    scenario = load("default", ["horizon_h=960", "stores.burn_in_days=0"])
    found = long_run(_orders(40, np.random.default_rng(1)), scenario)
    assert (found["batches"], found["days_each"]) == (20, 2)
    assert found["click_to_door_s"]["low"] < 600.0 < found["click_to_door_s"]["high"]
    assert not found["click_to_door_s"]["correlated"]
    assert found["on_time"]["mean"] == pytest.approx(0.909, abs=0.01)


def test_a_short_run_says_nothing_of_the_kind() -> None:
    assert long_run(_orders(1, np.random.default_rng(2)), load("default"))["click_to_door_s"] is None


# -- running wide --------------------------------------------------------------------------------------------------------------


def test_runs_come_back_in_the_order_they_were_asked_for_whoever_works() -> None:
    scenario = load("small", ["horizon_h=0.5", "drain_h=0.5", "platform.profile=minimal"])
    jobs = [Job(scenario, number) for number in range(3)]
    one, two = ([run["digest"] for run in in_turn(jobs, Crew(workers))] for workers in (1, 2))
    assert one == two
    assert len(set(one)) == 3
    assert {place for place, _ in as_they_come(jobs, Crew(2))} == {0, 1, 2}


def test_a_worker_who_is_killed_costs_nothing_but_time(tmp_path: Path) -> None:
    folder, whole = tmp_path / "killed", tmp_path / "whole"
    words = ["sweep", "small", *HOUR[:-2], "--vary", "drivers.count=60:84:4", "--workers", "2", "--out"]
    process = subprocess.Popen([sys.executable, "-m", "cli", *words, str(folder)], stderr=subprocess.PIPE)
    runs = folder / "runs.jsonl"
    for _ in range(600):
        if runs.exists() and runs.read_bytes().count(b"\n") >= 3:
            break
        time.sleep(0.05)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    lines = {int(child): Path(f"/proc/{child}/cmdline").read_text() for child in children}
    workers = [child for child, line in lines.items() if "loky" in line and "resource_tracker" not in line]
    os.kill(workers[0], signal.SIGKILL)
    _, told = process.communicate(timeout=240)
    assert process.returncode == 0, told
    assert guarded(app, [*words, str(whole)]) == 0
    assert (folder / "sweep.parquet").read_bytes() == (whole / "sweep.parquet").read_bytes()
