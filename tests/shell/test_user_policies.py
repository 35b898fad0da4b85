"""A user's own policy at the command line: let in by name, held to its contract, and told of in one line when it fails."""

import json
from pathlib import Path

import pytest

from tests.test_cli import PLAIN, call


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A working folder with a scenario in it."""
    monkeypatch.chdir(tmp_path)
    Path("plain.yaml").write_text(PLAIN)


def test_a_policy_file_from_the_command_line_needs_no_leave(capsys):
    Path("mine.py").write_text(
        "from dataclasses import dataclass\n\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class Never:\n    '''Offer nothing.'''\n\n    every_s: float = 60.0\n\n"
        "    def __call__(self, view):\n        return iter(())\n"
    )
    code, out, _ = call(
        capsys,
        "run",
        "--no-pages",
        "plain.yaml",
        "--policy",
        "dispatch=mine.py:Never(every_s=30)",
        "--json",
        "--out",
        "x",
    )
    assert code == 1
    assert json.loads(out)["orders"]["delivered"] == 0
    Path("code.yaml").write_text("extends: plain.yaml\npolicies: {dispatch: 'mine.py:Never'}\n")
    assert call(capsys, "run", "--no-pages", "code.yaml", "--allow-code", "--json", "--out", "y")[0] == 1


@pytest.mark.parametrize(
    ("family", "body", "words"),
    [
        ("dispatch", "raise KeyError('boom')", ("mine.py:Mine", "line 3", "KeyError: 'boom'")),
        ("dispatch", "raise SystemExit(0)", ("SystemExit",)),
        ("dispatch", "return 42", ("a generator that yields them, or a list), got 42",)),
        ("dispatch", "pass", ("expected any number of Offer and Reposition", "got None")),
        ("dispatch", "from sim.contracts import Offer; return Offer(1, 2)", ("got one alone, Offer(order=1",)),
        ("dispatch", "yield 7", ("expected an Offer(order, driver, along)", "got 7")),
        ("dispatch", "from sim.contracts import Offer; yield Offer('x', 'y')", ("expected an Offer",)),
        ("sourcing", "return 'here'", ("a store id or None", "'here'")),
        ("sourcing", "return 99", ("a store of this scenario", "99")),
        ("admission", "return 3", ("True or False", "3")),
        ("reservation", "return -1", ("seconds >= 0",)),
        ("saga", "return ()", ("RESERVE, PAY and CONFIRM",)),
        ("picking", "return 12345", ("a place in the queue", "12345")),
        ("locating", "return -1.0", ("seconds >= 0", "-1.0")),
        ("positioning", "return 2.5", ("a store id or None", "2.5")),
        ("replenishment", "return [-1]", ("whole units from 0",)),
    ],
)
def test_a_user_policy_that_fails_is_told_so_in_one_line(capsys, family, body, words):
    Path("mine.py").write_text(f"class Mine:\n    def __call__(self, *view):\n        {body}\n    every_s = 1800.0\n")
    keys = ("supply.review_at=12:10", "platform.window_s=3", "demand.orders_per_day=9000")
    settings = [part for key in keys for part in ("--set", key)]
    code, out, err = call(
        capsys, "run", "--no-pages", "plain.yaml", "--policy", f"{family}=mine.py:Mine", "--out", "x", *settings
    )
    assert (code, out, err.count("\n")) == (2, "", 1), err
    for word in words:
        assert word in err
    assert not Path("x").exists()


def test_numpy_ids_are_as_good_as_any(capsys):
    Path("mine.py").write_text(
        "from sim.contracts import Offer\n\nclass Mine:\n    def __call__(self, view):\n"
        "        for order, driver in zip(list(view.waiting), view.idle):\n            yield Offer(order.id, driver)\n"
    )
    assert (
        call(capsys, "run", "--no-pages", "plain.yaml", "--policy", "dispatch=mine.py:Mine", "--out", "x", "--json")[0]
        == 0
    )
