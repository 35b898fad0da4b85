"""``darkstore watch``: follows a run, says what came of it, and never touches it."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

import cli
from sim.engine import Progress, simulate
from sim.experiments.beacon import EVERY_S, Beacon, Tally, Tried, both, tried
from sim.experiments.place import beside, whole_folder
from sim.experiments.runs import run_to_folder
from sim.opening import ready_world
from sim.reading.under_way import WORD, prefix, under_way
from sim.recording import SUMMARY, MemoryArchive
from sim.report.watching import word_line, word_panel
from sim.shell.errors import guarded
from tests.conftest import ONE_STORE


def call(capsys, *arguments):
    code = guarded(cli.app, ["watch", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_tally_counts_what_the_study_counts(two_stores, play):
    scenario = two_stores("horizon_h=0.5", "payments.decline_share=0.3")
    tally, seen = Tally(MemoryArchive()), []
    simulate(ready_world(scenario), tally, progress=lambda reached: seen.append(tally.counts()))
    orders = play(scenario).study.summary["orders"]
    last = tally.counts()
    assert (last["entered"], last["rejected"], last["delivered"]) == tuple(
        orders[k] for k in ("entered", "rejected", "delivered")
    )
    assert last["lost"] == orders["cancelled"] + orders["payment_failed"]
    places = ("delivered", "lost", "checkout", "waiting_pick", "being_picked", "waiting_driver", "riding")
    assert all(sum(each[place] for place in places) == each["entered"] for each in seen)
    assert any(each["riding"] for each in seen)


def test_a_run_leaves_word_while_it_goes_on_and_none_behind(one_store, tmp_path):
    words, scenario = [], one_store("horizon_h=0.6", "drain_h=1")

    def look(reached: Progress) -> None:
        (run,) = under_way(tmp_path / "run")
        assert run.alive
        words.append(run.word())
        assert reached.orders == words[-1]["orders"]["entered"] or words[-1]["now_s"] < reached.now_s

    found = run_to_folder(scenario, tmp_path / "run", progress=look)
    assert words[0]["phase"] == "simulating"
    assert words[-1]["now_s"] == scenario.end_s
    assert words[-1]["orders"]["delivered"] == found.summary["orders"]["delivered"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]
    assert WORD not in {path.name for path in (tmp_path / "run").iterdir()}
    assert not [path for path in (tmp_path / "run").iterdir() if path.name.startswith(".")]


def test_words_are_few(one_store, tmp_path, monkeypatch):
    beacon, tally = Beacon(tmp_path, one_store()), Tally(MemoryArchive())
    told = []
    monkeypatch.setattr(beacon, "_say", lambda now: (told.append(now), setattr(beacon, "_said", now)))
    until = time.monotonic() + 2.5 * EVERY_S
    while time.monotonic() < until:
        beacon.simulated(Progress(1.0, 9.0, 1), tally)
    assert 2 <= len(told) <= 4


def test_a_finished_run_is_summed_up(capsys, noon_folder):
    code, out, _ = call(capsys, noon_folder)
    assert code == 0
    assert "Click to door" in out
    assert str(noon_folder) in out


def test_nothing_there_is_said(capsys, tmp_path):
    code, out, err = call(capsys, tmp_path / "nothing", "--wait", "0.3")
    assert (code, out) == (2, "")
    waiting, said = err.splitlines()
    assert "waiting 0.3 s" in waiting
    assert said.startswith("darkstore: ")
    assert "under way or finished" in said


def test_what_is_about_to_begin_is_waited_for(capsys, tmp_path, one_store):
    def go() -> None:
        time.sleep(0.4)
        with beside(tmp_path / "results" / "a") as work:
            _word(one_store, work)
            time.sleep(0.6)

    thread = threading.Thread(target=go)
    thread.start()
    code, out, err = call(capsys, tmp_path / "results")
    thread.join()
    assert code == 1
    assert out.startswith("one-store seed 1; ")
    assert "ended without a result" in err


def _word(one_store, work: Path) -> None:
    beacon = Beacon(work, one_store())
    beacon.simulated(Progress(3600.0, 14_400.0, 99), Tally(MemoryArchive()))


def test_one_that_died_is_said_to_be_dead(capsys, tmp_path, one_store):
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
    )
    work = tmp_path / f".run.running-{int(gone.stdout)}-abc"
    work.mkdir()
    _word(one_store, work)
    code, out, err = call(capsys, tmp_path / "run")
    assert (code, out) == (1, "")
    assert "died" in err
    assert "13:00" in err
    assert call(capsys, tmp_path)[0] == 1  # found in the folder that runs go into as well


@pytest.mark.parametrize("ends", ["well", "badly"])
def test_an_experiment_is_followed_to_its_end(capsys, tmp_path, one_store, ends):
    """Also a sweep, whose folder is there from the beginning, and one that is run anew over an older result."""
    target, begun = tmp_path / "sweep-1", threading.Event()
    target.mkdir()
    (target / "sweep.json").write_text("{}")

    def go() -> None:
        with beside(target) as work, tried(work, one_store(), "sweep", 12) as word:
            word.trying("drivers.count 60")
            word.ran(7, 4)
            begun.set()
            time.sleep(1.0)
            if ends == "well":
                (target / "sweep.json").write_text("{ }")

    thread = threading.Thread(target=go)
    thread.start()
    begun.wait(10)
    code, out, err = call(capsys, target, "--every", "0.3")
    thread.join()
    assert out.startswith("one-store seed 1; sweep; 7 of 12 runs; ")
    assert "drivers.count 60" in out.splitlines()[0]
    assert code == (0 if ends == "well" else 1)
    assert ("The sweep is done. Its page: " in out, "without a result" in err) == (ends == "well", ends == "badly")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sweep-1"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("sweep", "--vary", "pickers.per_store=2,3"), "sweep; 2 of 2 runs"),
        (("compare", "--variant", "a:pickers.per_store=2", "--variant", "b:pickers.per_store=3", "--reps", "1"),
         "comparison; 2 of 2 runs"),
        (("plan", "stress", "--axis", "connectivity", "--reps", "1"), "plan of stress; "),
    ],
)  # fmt: skip
def test_experiments_leave_word(capsys, tmp_path, monkeypatch, command, said):
    lines, tiny = [], str(tmp_path / "tiny.yaml")
    Path(tiny).write_text(ONE_STORE.replace("horizon_h: 2", "horizon_h: 0.2") + 'slo: ["on_time >= 0.1"]\n')
    real = Tried._say

    def say(word, now):
        real(word, now)
        (found,) = under_way(tmp_path)
        lines.append(word_line(found.word()))

    monkeypatch.setattr(Tried, "_say", say)
    words = [*command[:2], tiny, *command[2:]] if command[0] == "plan" else [command[0], tiny, *command[1:]]
    code = guarded(cli.app, [*words, "--out", str(tmp_path / "out"), "--workers", "1"])
    capsys.readouterr()
    assert code == 0
    assert said in lines[-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "tiny.yaml"]
    assert WORD not in os.listdir(tmp_path / "out")


def test_several_are_told_at_once():
    heard = []
    both(heard.append, lambda *said: heard.append(said))(3)
    assert heard == [3, (3,)]


@pytest.mark.parametrize("ends", ["well", "badly"])
def test_one_under_way_is_followed_to_its_end(capsys, tmp_path, one_store, noon_folder, ends):
    target, begun = tmp_path / "results" / "run", threading.Event()

    def go() -> None:
        try:
            with whole_folder(target, force=False) as work:
                _word(one_store, work)
                begun.set()
                time.sleep(1.0)
                if ends == "badly":
                    raise InterruptedError
                for path in noon_folder.iterdir():
                    (work / path.name).write_bytes(path.read_bytes())
                (work / WORD).unlink()
        except InterruptedError:
            pass

    thread = threading.Thread(target=go)
    thread.start()
    begun.wait(10)
    code, out, err = call(capsys, tmp_path / "results", "--every", "0.3")
    thread.join()
    assert out.startswith("one-store seed 1; ")
    assert "13:00" in out
    if ends == "well":
        assert code == 0
        assert "Click to door" in out
    else:
        assert code == 1
        assert "ended without a result" in err
        assert "Click to door" not in out


def test_it_sees_only_what_is_a_runs(tmp_path):
    (tmp_path / prefix(tmp_path / "a.b")[:-1]).mkdir()
    (tmp_path / f"{prefix(tmp_path / 'a.b')}x").mkdir()
    (tmp_path / ".hidden").mkdir()
    (run,) = under_way(tmp_path)
    assert (run.target.name, run.process, run.word()) == ("a.b", os.getpid(), None)
    (run.work / WORD).write_text("{half")
    assert run.word() is None
    (run.work / WORD).write_text(json.dumps([1]))
    assert run.word() is None
    (run.target.parent / "other").mkdir()
    assert under_way(run.target.parent / "other") == []
    assert SUMMARY not in os.listdir(tmp_path)


@pytest.mark.parametrize("total", [None, 40])
def test_the_panel_of_an_experiment_fits(tmp_path, one_store, total):
    with tried(tmp_path, one_store(), "plan of staff", total) as word:
        word(12, "drivers, 14 to 20 o'clock")
        said = json.loads((tmp_path / WORD).read_text())
    with (tmp_path / "out.txt").open("w") as file:
        console = Console(file=file, width=60, force_terminal=True, color_system=None)
        console.print(word_panel(said, console.options.ascii_only, console.width))
    text = (tmp_path / "out.txt").read_text()
    assert max(map(len, text.splitlines())) <= 60
    assert ("12 of 40 runs" if total else "12 runs") in text
    assert ("█" in text) is (total is not None)
    assert not (tmp_path / WORD).exists()


@pytest.mark.parametrize("phase", ["simulating", "studying", "replicating"])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_panel_fits(tmp_path, one_store, phase, encoding):
    _word(one_store, tmp_path)
    word = json.loads((tmp_path / WORD).read_text())
    word |= {"phase": phase, "replications": 4, "done": 1}
    word["orders"] = dict.fromkeys(word["orders"], 12_345_678)
    with (tmp_path / "out.txt").open("w", encoding=encoding) as file:
        console = Console(file=file, width=60, force_terminal=True, color_system=None)
        console.print(word_panel(word, console.options.ascii_only, console.width))
    text = (tmp_path / "out.txt").read_text(encoding=encoding)
    assert max(map(len, text.splitlines())) <= 60
    assert "12,345,678" in text
    assert "one-store" in word_line(word)
