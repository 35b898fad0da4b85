"""The package as installed elsewhere: scenarios, maps and the menu come with it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with nothing but the installed wheel."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("target")
    for name in ("sim", "policies", "scenarios"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("cli.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    python = [sys.executable, "-m"]
    subprocess.run(
        [*python, "hatchling", "build", "-t", "wheel", "-d", "out"], cwd=source, check=True, capture_output=True
    )
    (wheel,) = (source / "out").glob("*.whl")
    install = [
        *python,
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--disable-pip-version-check",
        "--target",
        str(target),
    ]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    return target


def call(installed, cwd, *arguments):
    script = "import sys, cli; sys.argv[0] = 'darkstore'; cli.main()"
    environment = {**os.environ, "PYTHONPATH": str(installed), "DARKSTORE_HOME": str(cwd / "home")}
    command = [sys.executable, "-P", "-c", script, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_shipped_scenarios_and_maps_are_found_outside_the_checkout(installed, tmp_path):
    listed = call(installed, tmp_path, "scenario", "list", "--json")
    assert set(json.loads(listed.stdout)) >= {"default", "small", "surge", "flash-sale"}
    maps = json.loads(call(installed, tmp_path, "map", "list", "--json").stdout)
    assert {entry["name"] for entry in maps} >= {"coquimbo", "gothenburg", "cairo"}
    assert all(str(installed) in entry["path"] for entry in maps)


def test_a_run_from_an_installed_wheel(installed, tmp_path):
    done = call(installed, tmp_path, "run", "small", "--set", "horizon_h=2", "--json", "--out", "day")
    assert done.returncode in (0, 1), done.stderr
    assert json.loads(done.stdout)["orders"]["delivered"] > 20
    assert (tmp_path / "day" / "report.html").stat().st_size > 10_000
    assert (tmp_path / "day" / "replay.html").stat().st_size > 1_000_000
