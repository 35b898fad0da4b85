"""``darkstore map``: the result on stdout, as a table or as JSON; bad input is left to whoever reports it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sim.shell.maps import map_app
from sim.vocabulary import InputError

OSM = (
    '<osm version="0.6"><node id="1" lat="43.730" lon="7.420"/>'
    '<node id="2" lat="43.731" lon="7.421"/><node id="3" lat="43.732" lon="7.421"/>'
    '<way id="1"><nd ref="1"/><nd ref="2"/>'  # codespell:ignore nd
    '<tag k="highway" v="residential"/><tag k="maxspeed" v="30"/></way>'
    '<way id="2"><nd ref="2"/><nd ref="3"/>'  # codespell:ignore nd
    '<tag k="highway" v="residential"/><tag k="oneway" v="yes"/></way></osm>'
)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DARKSTORE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def town(tmp_path):
    (tmp_path / "town.osm").write_text(OSM)
    return tmp_path / "town.osm"


def run(*arguments):
    result = CliRunner().invoke(map_app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_import_says_what_it_kept_and_dropped_and_list_and_show_know_the_map(town, tmp_path):
    said = run("import", town, "--name", "ville")
    # Node 3 can be reached but not left, so the second way goes.
    assert "2 nodes, 2 directed edges" in said
    assert "1 nodes, 1 edges" in said
    assert "100% of the edges" in said
    assert "ville" in run("list")
    shown = run("show", "ville", "--png", tmp_path / "ville.png")
    assert "2 nodes, 2 directed edges" in shown
    assert "no population zones" in shown
    assert (tmp_path / "ville.png").read_bytes().startswith(b"\x89PNG")


def test_json_is_exactly_one_json_value_with_the_figures_of_the_table(town):
    report = json.loads(run("import", town, "--json"))
    facts = json.loads(run("show", "town", "--json"))
    listed = {entry["name"]: entry for entry in json.loads(run("list", "--json"))}
    assert (report["nodes"], report["edges"], report["nodes_dropped"], report["components"]) == (2, 2, 1, 2)
    assert {key: facts[key] for key in ("name", "nodes", "edges", "speed_share")} == {
        key: report[key] for key in ("name", "nodes", "edges", "speed_share")
    }
    assert listed["town"] == {"name": "town", "origin": "imported", "path": report["path"]}
    assert listed["coquimbo"]["origin"] == "shipped"


def test_tables_fit_a_hundred_columns(town):
    for text in (run("import", town), run("list"), run("show", "coquimbo")):
        assert max(len(line) for line in text.splitlines()) <= 100


def test_a_second_import_needs_force(town):
    run("import", town)
    with pytest.raises(InputError, match="--force"):
        run("import", town)
    run("import", town, "--force")


@pytest.mark.parametrize("command", [("show", "atlantis"), ("import", "missing.osm"), ("show", "missing.graphml")])
def test_bad_input_is_one_line_left_to_the_caller(command, home):
    with pytest.raises(InputError) as caught:
        run(*command)
    assert "\n" not in str(caught.value)
    assert not home.exists()


def test_fetch_passes_the_place_on(monkeypatch):
    def refuse(place, name, *, force):
        raise InputError(f"{place} {name} {force}")

    monkeypatch.setattr("sim.world.importing.fetch_map", refuse)
    with pytest.raises(InputError, match=r"Delft, Netherlands delft True"):
        run("fetch", "Delft, Netherlands", "--name", "delft", "--force")


def test_the_commands_are_known_without_importing_what_they_need():
    heavy = {"osmnx", "pandas", "matplotlib", "scipy", "osmium", "shapely"}
    code = f"import sys, sim.shell.maps; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "[]"
