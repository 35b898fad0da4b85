"""Specs of policies: what is read, and one line for whatever cannot be."""

from pathlib import Path
from typing import Any

import pytest

from sim.engine import policies_of
from sim.menu import build_policy, parse_spec
from sim.scenario import load
from sim.vocabulary import InputError

MINE = '''
"""A user's own file."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mine:
    """Offer nothing."""

    share: float = 0.5

    def __call__(self, view):
        return iter(())


class Broken:
    def __init__(self):
        raise KeyError("inside")


class Dumb:
    pass


def factory(size=3):
    return lambda view: iter(())


THING = 3
'''


@pytest.mark.parametrize(
    ("spec", "target", "arguments"),
    [
        ("nearest", "nearest", {}),
        ("  nearest  ", "nearest", {}),
        ("nearest()", "nearest", {}),
        ("nearest(ride_s_max=300)", "nearest", {"ride_s_max": 300}),
        ("nearest( ride_s_max = 3e2 )", "nearest", {"ride_s_max": 300.0}),
        (
            "a(x='text (with, brackets)', y=[1, 2], z=None, w=-1.5)",
            "a",
            {"x": "text (with, brackets)", "y": [1, 2], "z": None, "w": -1.5},
        ),
        ("my/file.py:Class(a=True)", "my/file.py:Class", {"a": True}),
        ("a(\n  x=1,\n  y=2,\n)", "a", {"x": 1, "y": 2}),
    ],
)
def test_specs(spec: str, target: str, arguments: dict[str, Any]) -> None:
    assert parse_spec(spec, "here") == (target, arguments)


@pytest.mark.parametrize(
    "spec",
    [
        "", "   ", "(", ")", "nearest(", "nearest)", "nearest(300)", "nearest(ride_s_max)", "nearest(ride_s_max=)", "nearest(=3)",
        "nearest(ride_s_max=x)", "nearest(ride_s_max=10**9)", "nearest(ride_s_max=open('f'))", "nearest(**{'ride_s_max': 1})",
        "nearest(ride_s_max=1, ride_s_max=2)", "nearest(ride_s_max=1)(ride_s_max=2)", "nearest(ride_s_max=1)+g(b=2)",
        "nearest(ride_s_max=1) or f()", "nearest((ride_s_max:=1))", "nearest(x=1) if 1 else f(y=2)", "nearest(*[1])",
        "neaerst", "nearest(ride=3)", "nearest(ride_s_max='5')", "nearest(ride_s_max=-1)", "nearest(__class__=1)",
        "dispatch.nearest",
    ],
)  # fmt: skip
def test_a_bad_spec_is_one_line(spec: str) -> None:
    with pytest.raises(InputError) as caught:
        build_policy("dispatch", spec, "file.yaml:7: policies.dispatch", allow_code=False)
    text = str(caught.value)
    assert text.startswith("file.yaml:7: policies.dispatch: ")
    assert "xpected" in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("a(trained_on=/tmp/x)", " (a text needs quotes: trained_on='/tmp/x')."),
        ("a(n=2, trained_on=results/months/1, m=3)", " (a text needs quotes: trained_on='results/months/1')."),
        ("a(count_at=02:00)", " (a text needs quotes: count_at='02:00')."),
        ("a(x=1.5.2)", "got 'a(x=1.5.2)'."),
        ("a(x=yes)", " (a text needs quotes: x='yes')."),
        ("a(x=10**9)", "got 'a(x=10**9)'."),
        ("a(x=nan)", "got 'a(x=nan)' (x: expected a finite number)."),
        ("a(x=-inf)", "got 'a(x=-inf)' (x: expected a finite number)."),
        ("a(y=3, x=[1, 2)", "got 'a(y=3, x=[1, 2)'."),
    ],
)
def test_a_text_without_quotes_is_told_that_it_needs_them(spec: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_spec(spec, "here")
    assert str(caught.value).endswith(hint)


def test_a_users_file_runs_only_when_allowed(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        MINE + f"\nimport pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).write_text('x')\n", encoding="utf-8"
    )
    with pytest.raises(InputError, match="--allow-code"):
        build_policy("dispatch", f"{file}:Mine", "here", allow_code=False)
    assert not (tmp_path / "ran").exists(), "a scenario file never executes code by itself"
    policy = build_policy("dispatch", f"{file}:Mine(share=0.25)", "here", allow_code=True)
    assert policy.share == 0.25
    assert (tmp_path / "ran").exists()
    assert callable(build_policy("dispatch", f"{file}:factory(size=2)", "here", allow_code=True))


def test_of_a_users_file_a_class_has_to_be_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(MINE, encoding="utf-8")
    with pytest.raises(InputError, match=r"expected a class in the file, as in .*mine.py:Class"):
        build_policy("dispatch", str(file), "here", allow_code=True)
    with pytest.raises(InputError, match=r"one of: Mine, Broken, Dumb, factory; found no 'Mien'"):
        build_policy("dispatch", f"{file}:Mien", "here", allow_code=True)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Nope", MINE), ("", MINE), ("Broken", MINE), ("Dumb", MINE), ("THING", MINE), ("Mine(colour=1)", MINE),
        ("Mine", "def ("),
        ("Mine", "import no_such_module_at_all"), ("Mine", "1 / 0"), ("Mine", "\x00"), ("Mine", None),
    ],
)  # fmt: skip
def test_a_users_file_that_will_not_do_is_one_line(tmp_path: Path, name: str, content: Any) -> None:
    file = tmp_path / "mine.py"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        build_policy("dispatch", f"{file}:{name}", "here", allow_code=True)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("here: ")


def test_a_scenario_may_not_bring_code_but_the_command_line_may(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(MINE, encoding="utf-8")
    scenario_file = tmp_path / "day.yaml"
    scenario_file.write_text(f"policies:\n  dispatch: {file}:Mine\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"day\.yaml:2: policies\.dispatch: .*--allow-code"):
        policies_of(load(str(scenario_file)))
    assert policies_of(load(str(scenario_file)), allow_code=True).dispatch.share == 0.5  # type: ignore[attr-defined]
    assert policies_of(load("default", policies={"dispatch": f"{file}:Mine(share=0.1)"})).dispatch.share == 0.1  # type: ignore[attr-defined]
    # And leave for one family is no leave for another.
    with pytest.raises(InputError, match="--allow-code"):
        policies_of(load(str(scenario_file), policies={"picking": "fifo"}))
