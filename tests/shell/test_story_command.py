"""``darkstore story``: the latest order, any other, and numbers that are none."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from sim.vocabulary import InputError


def story(*words: str) -> str:
    result = CliRunner().invoke(app, ["story", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_without_a_number_it_tells_of_the_latest(noon_folder: Path) -> None:
    found = json.loads(story(str(noon_folder), "--json"))
    assert found["late_s"] > 0.0
    assert sum(found["late_by_s"].values()) == pytest.approx(found["late_s"], abs=0.1)
    text = story(str(noon_folder))
    assert text.startswith(f"Order {found['order']}, promised for")
    assert "made it late by" in text
    assert "he was to be there" in text
    shown = [line.split() for line in text.splitlines() if line.startswith(tuple(found["spent_s"]))]
    told = [c for c, s in found["spent_s"].items() if s >= 0.5 or abs(found["late_by_s"].get(c, 0.0)) >= 0.5]
    assert len(shown) == len(told), "what took no time may have saved some"
    assert max(map(len, text.splitlines())) <= 100
    assert all(event["told"][:30] in text for event in found["events"])


def test_every_fact_is_told_to_who_asks(noon_folder: Path) -> None:
    few, many = (json.loads(story(str(noon_folder), "0", "--json", *more))["events"] for more in ((), ("--every",)))
    assert len(few) < len(many)
    assert "stock_reserved" in {event["fact"] for event in many} - {event["fact"] for event in few}


def test_a_number_that_is_none_is_refused(noon_folder: Path) -> None:
    with pytest.raises(InputError, match=r"expected the number of an order, 0 to \d+; got 99999"):
        story(str(noon_folder), "99999")
    with pytest.raises(InputError, match=r"expected the number of an order, such as 172; got 'abc'"):
        story(str(noon_folder), "abc")


def test_without_a_folder_it_is_the_last_run(
    noon_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="expected a finished run in it"):
        story()
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "two-stores").mkdir()
    (tmp_path / "results" / "two-stores" / "first").symlink_to(noon_folder)
    first, rest = story().split("\n", 1)
    assert first == "Run results/two-stores/first"
    assert rest == story(str(noon_folder))
    assert story("0").split("\n", 1)[1] == story(str(noon_folder), "0"), "a number alone is an order of the last run"
