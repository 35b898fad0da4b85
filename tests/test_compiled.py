"""Machine code: a run comes to the same with it and without, and a source that has changed since is read as it stands."""

import os
import shutil
import subprocess
import sys

import pytest

import cli
import sim.compiled
import sim.compiled.build as build
from sim.compiled import VARIABLE, home, in_use, modules, root
from sim.shell.errors import guarded
from sim.shipped import HOME_VARIABLE
from sim.vocabulary import InputError

DIGESTS = """
from sim.compiled import in_use
from sim.engine import simulate
from sim.experiments.storm_draws import storm_scenario
from sim.laws import all_laws, verdict
from sim.opening import ready_world
from sim.recording import MemoryArchive
from sim.scenario import load
print(in_use())
for scenario in [load("small", ["horizon_h=14"]), load("bad-day", ["horizon_h=13"]), *map(storm_scenario, range(16))]:
    world = ready_world(scenario, keep=False)
    laws = all_laws(world)
    print(scenario.name, simulate(world, MemoryArchive(), laws=laws).digest, verdict(laws))
"""


@pytest.fixture
def with_code(compiled_home):
    if compiled_home is None:
        pytest.skip("there is no machine code of this source here (make fast)")
    return compiled_home


def told_by(home_folder, program, **variables):
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    environment |= {HOME_VARIABLE: str(home_folder), **variables}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_day_comes_to_the_same_with_machine_code_and_without(with_code):
    with_it = told_by(with_code, DIGESTS)
    without = told_by(with_code, DIGESTS, **{VARIABLE: "0"})
    assert (with_it[0], without[0]) == ("True", "False")
    assert with_it[1:] == without[1:]
    assert len(with_it) == 19


def test_machine_code_is_loaded_where_it_lies_and_the_rest_from_source(with_code):
    files = (
        "import sim.clock, sim.platform.saga, sim.operations.counter as c; print(sim.clock.__file__); print(c.__file__)"
    )
    clock, counter = told_by(with_code, files)
    assert clock.startswith(str(with_code))
    assert counter.endswith("counter.py")


def test_the_tests_are_of_the_source():
    assert not in_use()
    assert os.environ[VARIABLE] == "0"


def test_a_source_that_has_changed_has_no_machine_code(tmp_path, monkeypatch):
    package = tmp_path / "sim"
    (package / "platform").mkdir(parents=True)
    (package / "clock.py").write_text("NOW = 0\n")
    (package / "platform" / "__init__.py").write_text("")
    (package / "vocabulary.py").write_text("TICK_S = 1\n")
    monkeypatch.setattr(sim.compiled, "_PACKAGE", package)
    assert list(modules()) == ["sim.clock"]
    before = home()
    assert home() == before
    (package / "vocabulary.py").write_text("TICK_S = 2\n")  # not compiled itself, but its constants are
    assert home() != before


def test_what_is_compiled_is_there():
    assert {"sim.clock", "sim.story", "sim.platform.saga", "sim.operations.driving"} <= set(modules())
    assert all(path.is_file() for path in modules().values())
    assert not any(name.endswith("__init__") or "counter" in name for name in modules())


@pytest.fixture
def nothing_made(tmp_path, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))


@pytest.mark.usefixtures("nothing_made")
def test_what_is_lacking_is_named_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert guarded(cli.app, ["compile"]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert "expected mypy, setuptools and a C compiler" in said[0]
    assert "got no C compiler" in said[0]
    monkeypatch.undo()
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="got no mypy"):
        build.compile_all()


def test_a_cache_that_cannot_be_written_to_or_read_is_none(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "file"))
    monkeypatch.setattr(build, "_lacking", lambda: None)
    assert guarded(cli.app, ["compile"]) == 2
    assert "expected to write to" in capsys.readouterr().err

    def unreadable():
        raise PermissionError

    monkeypatch.setattr(sim.compiled, "root", unreadable)
    monkeypatch.delenv(VARIABLE)
    sim.compiled.install()
    assert not in_use()


@pytest.mark.usefixtures("nothing_made")
def test_a_compiler_that_gives_up_leaves_nothing(monkeypatch):
    monkeypatch.setattr(build, "_lacking", lambda: None)
    gave_up = subprocess.CompletedProcess([], 1, stdout="", stderr="saga.c:7: error: too hot\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: gave_up)
    with pytest.raises(RuntimeError, match="too hot"):
        build.compile_all()
    assert list(root().iterdir()) == []


@pytest.mark.usefixtures("nothing_made")
def test_only_the_newest_makings_are_kept_and_all_can_be_removed(monkeypatch, capsys):
    monkeypatch.setattr(build, "_lacking", lambda: None)
    for age in range(5):
        old = root() / f"older-{age}"
        old.mkdir(parents=True)
        os.utime(old, (1000 + age, 1000 + age))

    def makes(command, **_):
        from pathlib import Path

        (Path(command[3]) / "ready").mkdir()
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", makes)
    assert build.compile_all() == home()
    assert {path.name for path in root().iterdir()} == {home().name, "older-3", "older-4"}
    assert guarded(cli.app, ["compile"]) == 0
    assert "Compiled already" in capsys.readouterr().out
    assert guarded(cli.app, ["compile", "--remove"]) == 0
    assert list(root().iterdir()) == []
    assert guarded(cli.app, ["compile", "--remove"]) == 0
    assert "There was no machine code." in capsys.readouterr().out
