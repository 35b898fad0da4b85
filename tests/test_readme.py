"""What the README shows runs as it stands there."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from cli import app
from tests.browsing import shown
from tests.conftest import lawful_day

README = Path(__file__).parent.parent / "README.md"


def test_the_example_policy_dispatches_a_day(two_stores: Any, play: Any, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (policy,) = [block for block in blocks if "class FreshestFirst" in block]
    assert policy.count("\n") < 30
    (tmp_path / "freshest.py").write_text(policy, encoding="utf-8")
    played = lawful_day(play, two_stores(f"policies.dispatch={tmp_path}/freshest.py:FreshestFirst(ride_s_max=600)"))
    assert len(played.rows("goods_delivered")) > 0.8 * played.world.trace.orders
    assert len(played.rows("proposal_refused")) == 0


def test_the_example_in_python_runs(monkeypatch: Any, tmp_path: Path) -> None:
    import sim

    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (example,) = [block for block in blocks if "import sim\n" in block]
    short = {"horizon_h": 0.5, "drain_h": 1.0}
    run, compare = sim.run, sim.compare
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        sim, "run", lambda name, **more: run(name, **more | {"set": more["set"] | short}), raising=False
    )
    monkeypatch.setattr(
        sim,
        "compare",
        lambda name, variants, reps: compare(name, variants, reps=2, workers=1, set=short),
        raising=False,
    )
    space: dict[str, Any] = {}
    exec(example, space)
    assert len(space["better"].table)
    assert not list(tmp_path.iterdir())


RECIPES = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def commands(text: str) -> list[list[str]]:
    """The words of every darkstore command in blocks of shell."""
    lines = [line for block in RECIPES.findall(text) for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("darkstore ")]


def section(title: str) -> str:
    text = README.read_text(encoding="utf-8")
    return text.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_every_command_of_the_readme_is_one() -> None:
    """Names and options are those that the program has; what they do is tested where they live."""
    found = commands(README.read_text(encoding="utf-8"))
    assert len(found) > 35
    for words in found:
        command, context = get_command(app), None
        while isinstance(command, TyperGroup):
            context = command.make_context("darkstore", list(words), parent=context, ignore_unknown_options=True)
            name, command, words = command.resolve_command(context, list(words))
            assert command is not None
        command.make_context(name, list(words), parent=context).close()


def test_the_five_recipes_run_as_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    recipes = commands(section("Five recipes"))
    assert len(recipes) == 5
    for words in recipes:
        said = CliRunner().invoke(app, words, catch_exceptions=False)
        assert said.exit_code in (0, 1), (words, said.output)
        assert max(map(len, said.stdout.splitlines())) <= 100 + len(str(tmp_path))
    pages = sorted(tmp_path.glob("results/small/*/report.html"))
    assert {"compare", "sweep", "plan"} <= {page.parent.name.split("-")[0] for page in pages}
    for page in pages:
        with shown(page) as seen:
            assert seen.ask("document.querySelectorAll('h1').length") == 1
            sections = seen.ask("[...document.querySelectorAll('section')].map(e => e.getBoundingClientRect().height)")
            assert len(sections) >= 3
            assert all(height > 40 for height in sections)
            assert seen.wrong == []


PLACEHOLDERS = ("FOLDER", "path/to", "city.osm", "results/", "mine.yaml", "METRIC", "RUN", "watch")
"""Words that stand for something of the reader's, or for another terminal."""

SHORT = ("horizon_h=1", "drain_h=1", "stores.burn_in_days=0", "slo=[]")


def shortened(words: list[str]) -> list[str]:
    """A command on less of the same: an hour of its scenario, two days of the small one."""
    if words[0] == "run":
        reps = [] if "--reps" in words or "--precision" in words else ["--reps", "1"]
        return [*words, *(f"--set={setting}" for setting in SHORT), *reps, "--quiet"]
    if words[0] in ("compare", "sweep", "plan", "check"):
        words = ["small" if word == "default" else word for word in words]
        words += ["--update-baseline"] if words[0] == "check" else []
        days = [] if "--reps" in words else ["--reps", "2"]
        return [*words, *(f"--set={setting}" for setting in SHORT[:3]), *days, "--quiet"]
    return ["storm", "--seeds", "0:3"] if words[0] == "storm" else words


@pytest.mark.slow
def test_every_command_of_the_readme_does_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that need nothing of the reader's, on less of the same; an hour is too short for a roster."""
    monkeypatch.chdir(tmp_path)
    done = 0
    for words in commands(README.read_text(encoding="utf-8")):
        if words[:2] != ["plan", "staff"] and not any(each in word for word in words for each in PLACEHOLDERS):
            said = CliRunner().invoke(app, shortened(words), catch_exceptions=False)
            assert said.exit_code in (0, 1, 3), (words, said.output)
            assert said.stdout.strip(), words
            done += 1
    assert done > 30
