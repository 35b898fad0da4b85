"""Sweeps: every combination once, kept as it comes, and nothing lost or doubled whatever stops them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from cli import app
from sim.experiments.factors import combinations, parse_factor
from sim.shell.errors import guarded
from sim.vocabulary import InputError

BASE = ["sweep", "small", "--set", "horizon_h=1", "--set", "drain_h=1", "--quiet"]
GRID = ["--vary", "drivers.count=60,84", "--vary", "policies.dispatch=nearest,matching(every_s=30)"]


def _sweep(folder: Path, *words: str) -> int:
    return guarded(app, [*BASE, "--out", str(folder), *words])


def _rows(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(folder / "sweep.parquet").to_pylist()
    return rows


def test_a_sweep_runs_every_combination_on_the_same_days(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "grid"
    assert _sweep(folder, *GRID, "--reps", "2", "--workers", "1") == 0
    out = capsys.readouterr().out
    assert all(len(line) <= 100 for line in out.splitlines() if str(folder) not in line)
    rows = _rows(folder)
    assert [(row["point"], row["replication"]) for row in rows] == [
        (point, day) for point in range(4) for day in (0, 1)
    ]
    assert {(row["drivers.count"], row["policies.dispatch"]) for row in rows} == {
        (count, dispatch) for count in (60.0, 84.0) for dispatch in ("nearest", "matching(every_s=30)")
    }
    # The same days: whoever delivers, the same customers came.
    assert len({row["orders.offered"] for row in rows if row["replication"] == 0}) == 1
    assert json.loads((folder / "sweep.json").read_text())["effects"]["click_to_door_s.mean"]


def test_whoever_works_the_table_is_the_same(tmp_path: Path) -> None:
    for workers in ("1", "2"):
        assert _sweep(tmp_path / workers, *GRID, "--workers", workers) == 0
    assert (tmp_path / "1" / "sweep.parquet").read_bytes() == (tmp_path / "2" / "sweep.parquet").read_bytes()


def test_a_sweep_that_is_killed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    folder, whole = tmp_path / "killed", tmp_path / "whole"
    words = ["--vary", "drivers.count=60:84:4", "--reps", "2", "--workers", "2"]
    command = [sys.executable, "-m", "cli", *BASE, "--out", str(folder), *words]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    runs = folder / "runs.jsonl"
    for _ in range(600):
        if runs.exists() and runs.read_bytes().count(b"\n") >= 4:
            break
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = runs.read_bytes()
    kept = before[: before.rfind(b"\n") + 1]
    assert 4 <= kept.count(b"\n") < 15
    with runs.open("ab") as file:
        file.write(b'{"point": 3, "replica')  # the line that was being written
    assert _sweep(folder, *words) == 0
    assert runs.read_bytes().startswith(kept)
    assert _sweep(whole, *words) == 0
    assert (folder / "sweep.parquet").read_bytes() == (whole / "sweep.parquet").read_bytes()
    assert len(runs.read_text().splitlines()) == 1 + 14


def test_a_finished_sweep_is_kept_unless_forced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _sweep(tmp_path / "a", "--vary", "drivers.count=84") == 0
    assert _sweep(tmp_path / "a", "--vary", "drivers.count=84") == 2
    assert "holds a finished sweep" in capsys.readouterr().err
    assert _sweep(tmp_path / "a", "--vary", "drivers.count=80", "--force") == 0
    assert [row["drivers.count"] for row in _rows(tmp_path / "a")] == [80.0]


@pytest.mark.parametrize("what", [["--vary", "drivers.count=84,90"], ["--vary", "drivers.count=84", "--reps", "2"]])
def test_a_part_of_another_sweep_is_not_taken_up(
    what: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _sweep(tmp_path / "a", "--vary", "drivers.count=84") == 0
    (tmp_path / "a" / "sweep.json").unlink()
    assert _sweep(tmp_path / "a", *what) == 2
    assert "another sweep" in capsys.readouterr().err


def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert _sweep(tmp_path, "--vary", "drivers.count=84", "--force") == 2
    assert "mine.txt" in capsys.readouterr().err
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_parameter_of_a_policy_is_varied_with_the_policy(tmp_path: Path) -> None:
    words = ["--vary", "policies.dispatch=matching", "--vary", "policies.dispatch.every_s=20,120"]
    assert _sweep(tmp_path / "a", *words) == 0
    assert len({row["digest"] for row in _rows(tmp_path / "a")}) == 2


def test_drawn_points_lie_in_their_ranges(tmp_path: Path) -> None:
    words = [
        "--vary",
        "drivers.count=60:90",
        "--vary",
        "drivers.accept_share=0.5:1.0",
        "--design",
        "lhs",
        "--points",
        "5",
    ]
    assert _sweep(tmp_path / "a", *words) == 0
    rows = _rows(tmp_path / "a")
    assert len(rows) == 5
    assert all(60 <= row["drivers.count"] <= 90 and row["drivers.count"] == int(row["drivers.count"]) for row in rows)
    assert all(0.5 <= row["drivers.accept_share"] <= 1.0 for row in rows)


# -- what is written after --vary -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a.b=20:60:20", (20, 40, 60)), ("a.b=0.1:0.3:0.1", (0.1, 0.2, 0.3)), ("a.b=1:2:0.75", (1.0, 1.75)),
        ("a.b=10,30,60", (10, 30, 60)), ("a.b=x(p=1,q=2), y", ("x(p=1,q=2)", "y")), ("a.b=08:00-12:00,x", ("08:00-12:00", "x")),
    ],
)  # fmt: skip
def test_values_are_read_as_they_are_written(text: str, values: tuple[Any, ...]) -> None:
    assert parse_factor(text).values == values


@pytest.mark.parametrize(
    "text", ["a.b", "a.b=", "=1,2", "a.b=5:1:1", "a.b=1:5:0", "a.b=1:5:9", "a.b=1,1", "a.b=0:1000000:1"]
)
def test_values_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="expected"):
        parse_factor(text)


def test_a_range_to_draw_from_is_no_grid() -> None:
    with pytest.raises(InputError, match="--design lhs or sobol"):
        combinations([parse_factor("a.b=1:5")], "grid", 5, 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "expected --vary"), (["--vary", "drivers.cuont=1,2"], "--vary drivers.cuont=1: drivers.cuont: "),
        (["--vary", "drivers.count=1,x"], "drivers.count"),
        (["--vary", "policies.dispatch=nearst"], "--vary policies.dispatch=nearst: policies.dispatch: expected a dispatch"),
        (["--vary", "policies.dispatch.evry_s=1,2"], "--vary policies.dispatch.evry_s=1: expected"),
        (["--vary", "drivers.count=84", "--metric", "x"], "--metric x"),
        (["--vary", "drivers.count=84", "--pareto", "utilisation.drivers"], "of this one neither is"),
        (["--vary", "drivers.count=84", "--vary", "drivers.count=85"], "each path once"),
        (["--vary", "drivers.count=84", "--vary", "fleet.drivers=85"], "got drivers.count and drivers.count"),
        (["--vary", "faults.0.minutes=5", "--vary", "faults.0=3"], "got faults.0.minutes and faults.0, of which one sets"),
    ],
)  # fmt: skip
def test_what_cannot_be_swept_is_said_in_one_line(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _sweep(tmp_path / "none", *words) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
