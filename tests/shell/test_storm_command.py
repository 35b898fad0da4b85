"""``darkstore storm``: exit 0 when every law held, 1 with a line for each storm that broke one, 2 for bad input."""

import pytest

from cli import app
from sim.experiments import storm
from sim.laws import Breach
from sim.shell.errors import guarded


def run(capsys, *arguments):
    code = guarded(app, ["storm", *arguments])
    said = capsys.readouterr()
    return code, said.out.splitlines(), said.err


@pytest.fixture
def broken(monkeypatch):
    """The storms of seeds 17 and 19 break a law, that of 18 breaks off."""

    def weather(seed):
        if seed == 18:
            raise ZeroDivisionError("division by zero")
        return [Breach("money", 61.5, "order 3 was charged twice")] if seed in (17, 19) else []

    monkeypatch.setattr(storm, "weather", weather)


def test_storms_in_which_every_law_holds(capsys):
    assert run(capsys, "--seeds", "0:3", "--workers", "1") == (0, ["3 storms: every law held."], "")


def test_the_first_storm_that_breaks_a_law_ends_it(capsys, broken):
    code, lines, _ = run(capsys, "--seeds", "15:40", "--workers", "1")
    assert code == 1
    assert lines == [
        "darkstore storm --seeds 17:18  # money at 61.500 s: order 3 was charged twice",
        "3 storms: a law broke in 1.",
    ]


def test_keep_going_tells_of_every_one(capsys, broken):
    code, lines, _ = run(capsys, "--seeds", "15:40", "--workers", "1", "--keep-going")
    assert code == 1
    assert [line.split("  # ")[0] for line in lines[:-1]] == [
        f"darkstore storm --seeds {seed}:{seed + 1}" for seed in (17, 18, 19)
    ]
    assert lines[-1] == "25 storms: a law broke in 3."


def test_a_storm_that_breaks_off_is_no_crash_of_ours(capsys, broken):
    code, lines, errors = run(capsys, "--seeds", "18:19")
    assert code == 1
    assert "ZeroDivisionError" in lines[0]
    assert errors == ""


@pytest.mark.parametrize("seeds", ["7", "7:7", "9:7", "-3:7", "a:b", ""])
def test_seeds_that_are_none_are_bad_input(capsys, seeds):
    code, lines, errors = run(capsys, f"--seeds={seeds}")
    assert code == 2
    assert lines == []
    assert "--seeds: expected A:B" in errors


def test_without_seeds_it_asks_for_them(capsys):
    code, _, errors = run(capsys)
    assert code == 2
    assert "--seeds" in errors
