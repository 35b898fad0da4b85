"""`darkstore compare` as somebody types it: the same days, a verdict, a page; and what it says to what cannot be."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cli import app
from sim.shell.errors import guarded

SMALL = ["--set", "demand.orders_per_day=150", "--set", "horizon_h=6", "--quiet"]
VARIANTS = ["--variant", "base:dispatch=nearest", "--variant", "new:dispatch=matching(every_s=30)"]


def _compare(folder: Path, *words: str) -> int:
    return guarded(app, ["compare", "small", *SMALL, "--out", str(folder), *words])


def test_a_comparison_says_which_is_better_and_writes_its_days(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "both"
    assert _compare(folder, *VARIANTS, "--reps", "3", "--workers", "1") == 0
    out = capsys.readouterr().out
    assert "new against base" in out
    assert all(len(line) <= 100 for line in out.splitlines() if str(folder) not in line)
    found = json.loads((folder / "comparison.json").read_text())
    assert (found["base"], found["replications"]) == ("base", 3)
    row = next(row for row in found["rows"] if row["metric"] == "click_to_door_s.mean")
    tidy = pq.read_table(folder / "replications.parquet").to_pandas()
    days = tidy[tidy["metric"] == "click_to_door_s.mean"].pivot_table(
        index="replication", columns="variant", values="value", observed=True
    )
    assert row["difference"]["change"]["mean"] == pytest.approx((days["new"] - days["base"]).mean())
    page = (folder / "report.html").read_text()
    assert "new against base" in page
    (folder / "report.html").unlink()
    assert guarded(app, ["report", str(folder)]) == 0
    assert (folder / "report.html").read_text() == page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_a_variant_that_changes_nothing_differs_by_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _compare(tmp_path / "same", "--variant", "one", "--variant", "two", "--reps", "2", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {row["verdict"] for row in rows} == {"the same"}
    assert all(row["difference"]["change"] == {"mean": 0.0, "low": 0.0, "high": 0.0} for row in rows)


def test_whoever_works_the_comparison_is_the_same(tmp_path: Path) -> None:
    for workers in ("1", "2"):
        assert _compare(tmp_path / workers, *VARIANTS, "--reps", "2", "--workers", workers) == 0
    one, two = ((tmp_path / workers / "replications.parquet").read_bytes() for workers in ("1", "2"))
    assert one == two


def test_one_day_says_nothing_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _compare(tmp_path / "one", *VARIANTS, "--reps", "1") == 0
    assert "One day says nothing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--variant", "base:dispatch=nearest"], "expected two or more to compare"),
        (["--variant", "a", "--variant", "a"], "got 'a' twice"),
        (["--variant", "a", "--variant", "fifo"], "fifo changes, got nothing (the dispatch policy: fifo:dispatch=fifo)"),
        (["--variant", "a", "--variant", "b", "--confidence", "2"], "--confidence: expected --select METRIC with it"),
        (["--variant", "a", "--variant", "b", "--max-reps", "50"], "--max-reps: expected --select METRIC with it"),
        (["--variant", "a", "--variant", "b:dispatch"], "expected family=SPEC or path=value after the name, got 'dispatch'"),
        (["--variant", "a", "--variant", "b b:dispatch=nearest"], "got the name 'b b'"),
        (["--variant", "a", "--variant", "b:dispatch=nearst"], "--variant b:dispatch=nearst: policies.dispatch: expected"),
        (["--variant", "a", "--variant", "b:drivers.cuont=3"], "--variant b:drivers.cuont=3: drivers.cuont: expected a known"),
        (["--variant", "a", "--variant", "b:policies.dispatch.x=3"], "--variant b:policies.dispatch.x=3: expected a parameter"),
        (["--variant", "a", "--variant", "b:seed=3"], "expected one seed"),
        (["--variant", "a", "--variant", "b", "--metric", "click"], "--metric click: expected a metric of summary.json"),
        (["--variant", "a", "--variant", "b", "--metric", "packing.utilisation"], "nobody saw anything of it"),
        (["surge", "--variant", "a", "--variant", "b"], "several scenarios without; got both"),
        (["--variant", "a", "--variant", "b", "--cluster", "tcp://127.0.0.1:9"], "expected the address of a Dask scheduler"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_said_in_one_line(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _compare(tmp_path / "none", *words, "--reps", "1") == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert not (tmp_path / "none").exists()
    assert not list(tmp_path.iterdir())


def test_several_scenarios_are_compared_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, drivers in (("few", 8), ("many", 84)):
        (tmp_path / f"{name}.yaml").write_text(f"extends: small\nname: {name}\ndrivers: {{count: {drivers}}}\n")
    files = [str(tmp_path / f"{name}.yaml") for name in ("few", "many")]
    words = ["--metric", "on_time", "--metric", "utilisation.drivers", "--reps", "3", "--out", str(tmp_path / "both")]
    assert guarded(app, ["compare", *files, *SMALL, *words]) == 0
    rows = {row["metric"]: row for row in json.loads((tmp_path / "both" / "comparison.json").read_text())["rows"]}
    assert rows["on_time"]["verdict"] == "better"
    assert rows["utilisation.drivers"]["verdict"] == "lower"  # neither way of it is better
    assert "many against few" in capsys.readouterr().out


def test_the_best_of_several_is_found_day_by_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    variants = [word for drivers in (24, 60, 84) for word in ("--variant", f"d{drivers}:drivers.count={drivers}")]
    words = [*variants, "--select", "on_time", "--zone", "0.02", "--workers", "2"]
    assert _compare(tmp_path / "best", *words) == 0
    race = json.loads((tmp_path / "best" / "comparison.json").read_text())["selection"]
    assert race["sure"]
    assert race["chosen"] in ("d60", "d84")
    assert race["variants"]["d24"]["put_out_at"] == 10
    assert race["runs"] == sum(row["days"] for row in race["variants"].values())
    assert "is the best in on time" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--select", "on_time"], "expected --zone"), (["--select", "on_time", "--zone", "0"], "zone above 0"),
        (["--select", "utilisation.drivers", "--zone", "1"], "of this one neither is"),
        (["--select", "on_tme", "--zone", "1"], "--select on_tme"),
        (["--select", "on_time", "--zone", "0.1", "--reps", "5"], "expected neither --reps nor --metric"),
        (["--select", "on_time", "--zone", "0.1", "--confidence", "20%"], "expected a chance above"),
    ],
)  # fmt: skip
def test_a_race_that_cannot_be_run_is_said_in_one_line(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _compare(tmp_path / "none", *VARIANTS, *words) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert not list(tmp_path.iterdir())
