"""Help: what people want, in the order in which they come to want it."""

import re

import pytest
from typer.main import get_command

import cli
from sim.contracts import FAMILIES
from sim.report.menu import menu_rows, source
from sim.shell.errors import guarded
from sim.shell.help import PANELS


def call(capsys, *arguments):
    code = guarded(cli.app, list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_every_command_is_in_one_panel_and_in_order(capsys):
    command = get_command(cli.app)
    listed = [name for names in PANELS.values() for name in names]
    assert sorted(command.commands) == sorted(listed)
    code, out, _ = call(capsys, "--help")
    assert code == 0
    assert [name for name in PANELS if f"─ {name} ─" in out or f"- {name} -" in out] == list(PANELS)
    shown = [found for found in re.findall(r"^\W+(\w+)  ", out, re.MULTILINE) if found in listed]
    assert shown == listed


def _all_commands(command, path=()):
    for name, each in getattr(command, "commands", {}).items():
        yield (*path, name), each
        yield from _all_commands(each, (*path, name))


@pytest.mark.parametrize(
    ("path", "command"),
    list(_all_commands(get_command(cli.app))),
    ids=lambda each: "-".join(each) if isinstance(each, tuple) else "",
)
def test_help_begins_with_what_a_command_is_for(path, command):
    first = (command.help or "").split("\n")[0]
    assert re.match(r"[A-Z][a-z]+ \w", first), path
    assert first.endswith("."), path
    assert first.split()[0] not in ("The", "This", "A", "Scenarios:"), path
    assert all(parameter.help for parameter in command.params if parameter.name not in ("help", "version")), path


def test_the_shell_can_complete(capsys):
    assert "--install-completion" in call(capsys, "--help")[1]


def test_every_policy_has_a_source():
    rows = menu_rows()
    assert all(row["source"] and not row["source"].endswith(".") and len(row["source"]) < 260 for row in rows)
    assert all(row["source"].count("(") == row["source"].count(")") for row in rows)
    found = {(row["family"], row["name"]): row["source"] for row in rows}
    assert found["reservation", "optimistic"].startswith("Brooker")
    assert found["positioning", "stay"] == "Reyes et al. 2018"
    assert found["slotting", "by_popularity"] == "Heskett 1963; Petersen 1999, IJOPM 19(10)"
    assert found["replenishment", "newsvendor"].startswith("Silver, Pyke, Thomas")
    assert found["fraud", "rules"] == "judgement"
    assert found["picking", "fifo"] == "a plain rule"


@pytest.mark.parametrize(
    ("doc", "said"),
    [
        ("Do it.", "a plain rule"),
        ("Do it. The figures are judgement.", "judgement"),
        ("Do it (Smith 1999).", "Smith 1999"),
        ("Do it.\n\nSmith, Jones (1999), How to do it, OR 3. `a`: a thing.", "Smith, Jones (1999), How to do it, OR 3"),
        ("Do it.\n\nFull jitter after Brown, \"Jitter\" (A Blog, 2015).", 'Brown, "Jitter" (A Blog, 2015)'),
    ],
)  # fmt: skip
def test_a_source_is_what_is_cited(doc, said):
    assert source(doc) == said


def test_a_family_is_shown_with_all_that_is_said_of_it(capsys):
    code, out, _ = call(capsys, "policies", "reservation")
    assert code == 0
    assert "fencing" in out
    assert "Kleppmann" in out
    assert "timeout_s" in out
    short = call(capsys, "policies")[1]
    assert all(f"{family}: " in short for family in FAMILIES)
    assert short.count("Source: ") == len(menu_rows())
