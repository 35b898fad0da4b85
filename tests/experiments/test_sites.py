"""Sites: candidates with a road, the best of them by the measures of location, and what they do to today's network."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli import app
from sim.experiments.candidates import FIT_OUT_CENTS, Candidate, from_cells, from_file, in_zone, ride_s
from sim.experiments.sites import chosen, with_sites
from sim.opening import ready_world
from sim.scenario import load
from sim.shell.errors import guarded
from sim.streams import Streams
from sim.vocabulary import InputError
from sim.world.build import World

SMALL = ["--set", "horizon_h=1", "--set", "drain_h=1", "--set", "platform.profile=minimal", "--reps", "1", "--quiet"]


@pytest.fixture(scope="module")
def world() -> World:
    scenario = load("small", ["horizon_h=1", "platform.profile=minimal"])
    return ready_world(scenario, Streams(scenario.seed))


def test_candidates_of_cells_stand_on_roads_where_no_store_is(world: World) -> None:
    found = from_cells(world, world.store_nodes)
    assert 20 < len(found) <= 200
    assert len({candidate.node for candidate in found}) == len(found)
    taken = {int(world.cell[node]) for node in world.store_nodes}
    assert not taken & {int(world.cell[candidate.node]) for candidate in found}
    assert all(candidate.lat == world.geography.lat[candidate.node] for candidate in found)


def test_rides_are_those_of_the_roads_at_the_busiest_hour(world: World) -> None:
    seconds = ride_s(world, world.store_nodes)
    own = [int(world.cell[node]) for node in world.store_nodes]
    # Nobody is nearer to a cell than the store that stands in it.
    assert all(int(seconds[cell].argmin()) == store for store, cell in enumerate(own))
    cars = ["horizon_h=1", "drivers.vehicles={car: 1}"]
    busy, calm = (
        ride_s(ready_world(load("small", [*cars, f"travel.traffic={word}"]), Streams(1)), world.store_nodes)
        for word in ("true", "false")
    )
    assert busy.mean() > 1.1 * calm.mean()


def test_the_choice_for_all_customers_is_the_best_of_all_by_hand(world: World) -> None:
    candidates = from_cells(world, world.store_nodes)[:40]
    choices, said = chosen(world, candidates, 1, 1)
    people = np.bincount(world.cell, weights=world.node_weights, minlength=len(world.cells))
    seconds = ride_s(world, [*(candidate.node for candidate in candidates), *world.store_nodes])
    inside = in_zone(world, [*(candidate.node for candidate in candidates), *world.store_nodes])
    way = seconds * inside + said["far_s"] * (1.0 - inside)
    today = way[:, len(candidates) :].min(axis=1)
    costs = [float((np.minimum(today, way[:, site]) * people).sum()) for site in range(len(candidates))]
    assert choices[0].sites == (int(np.argmin(costs)),)
    assert choices[0].proven
    assert said["choices"][0]["covered"] >= said["today"]["covered"]


def test_where_others_have_the_customers_already_nobody_opens(world: World) -> None:
    free = from_cells(world, world.store_nodes)[:30]
    best = chosen(world, free, 1, 1)[0][0].sites[0]
    taken = [each._replace(competition=1.0) if place == best else each for place, each in enumerate(free)]
    assert chosen(world, taken, 1, 1)[0][0].sites[0] != best


def test_a_dear_site_is_not_the_one_for_money(world: World) -> None:
    cheap = from_cells(world, world.store_nodes)[:30]
    (money,) = (choice for choice in chosen(world, cheap, 1, 3)[0] if "money" in choice.ways)
    dear = [each._replace(rent_cents=1e9) if place in money.sites else each for place, each in enumerate(cheap)]
    (other,) = (choice for choice in chosen(world, dear, 1, 3)[0] if "money" in choice.ways)
    assert other.sites != money.sites


def test_the_network_keeps_its_stores_and_its_customers(world: World) -> None:
    new = from_cells(world, world.store_nodes)[0]
    grown = ready_world(with_sites(world.scenario, world, [new]), Streams(world.scenario.seed))
    assert grown.store_nodes[:-1] == world.store_nodes
    assert grown.store_nodes[-1] == new.node
    assert np.array_equal(grown.trace.entered_s, world.trace.entered_s)
    assert np.array_equal(grown.trace.node, world.trace.node)


def test_a_plan_says_where_what_it_brings_and_what_it_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "sites"
    assert guarded(app, ["plan", "sites", "small", "--open", "2", *SMALL, "--simulate", "2", "--out", str(folder)]) == 0
    out = capsys.readouterr().out
    assert all(len(line) <= 100 for line in out.splitlines() if str(folder) not in line)
    plan: dict[str, Any] = json.loads((folder / "plan.json").read_text())["sites"]
    for choice in plan["choices"]:
        assert len(set(choice["sites"])) == 2
        orders = sum(each["delivered"] for each in choice["per_site"])
        assert orders == pytest.approx(choice["new_orders"] + choice["cannibalised"] * orders)
        assert choice["lost_to_others"] == 0.0
        before, after = plan["today"]["by_store"], choice["by_store"]
        assert sum(after) - sum(before) == pytest.approx(choice["new_orders"])
        assert choice["gain_cents"]["mean"] == pytest.approx(choice["profit_cents"] - plan["today"]["profit_cents"])
    page = (folder / "report.html").read_text()
    assert page.count("new store") >= len(plan["choices"])
    before, after = plan["locations"]["today"]["rides_s"], [each["rides_s"] for each in plan["locations"]["choices"]]
    assert len(before) == len(plan["cells"])
    for rides in after:
        assert all((a is None) == (b is None) and (a is None or a <= b) for a, b in zip(rides, before, strict=True))
        assert any(a is not None and a < b for a, b in zip(rides, before, strict=True)), "somebody has it nearer now"
    assert "Before: rides from the nearest store" in page
    assert "within 4 min" in page


def test_what_competitors_keep_is_neither_won_nor_earned(world: World, tmp_path: Path) -> None:
    far = max(from_cells(world, world.store_nodes)[:60], key=lambda each: min(
        abs(each.lat - world.geography.lat[node]) + abs(each.lon - world.geography.lon[node]) for node in world.store_nodes
    ))  # fmt: skip
    found = []
    for competition in (0.0, 0.5):
        path, folder = tmp_path / f"{competition}.csv", tmp_path / f"c{competition}"
        path.write_text(f"name,lat,lon,competition\nfar,{far.lat},{far.lon},{competition}\n")
        words = ["plan", "sites", "small", *SMALL, "--candidates", str(path), "--out", str(folder)]
        assert guarded(app, [*words, "--set", "stores.zone={radius_m: 2500}"]) == 0
        found.append(json.loads((folder / "plan.json").read_text())["sites"]["choices"][0])
    free, shared = found
    assert free["new_orders"] > 0.0
    assert shared["new_orders"] == pytest.approx(0.5 * free["new_orders"])
    assert shared["gain_cents"]["mean"] < free["gain_cents"]["mean"]


def test_a_list_of_candidates_is_taken_as_it_is(world: World, tmp_path: Path) -> None:
    path = tmp_path / "places.csv"
    lat, lon = world.geography.lat[100], world.geography.lon[100]
    path.write_text(f"name,lat,lon,rent_cents,fit_out_cents,competition\ncorner,{lat},{lon},500000,,0.25\n")
    assert from_file(path, world) == [Candidate("corner", 100, lat, lon, 500000.0, FIT_OUT_CENTS, 0.25)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "bad.csv:1: expected the columns"), ("name,lat\nx,1\n", "bad.csv:1: expected the columns"),
        ("name,lat,lon,price\n", "bad.csv:1: expected the columns"), ("name,lat,lon\n", "at least one candidate"),
        ("name,lat,lon\na,x,1\n", "bad.csv:2: expected lat"), ("name,lat,lon\na,-29.9,\n", "bad.csv:2: expected lon"),
        ("name,lat,lon\na,50,8\n", "bad.csv:2: expected a place within"),
        ("name,lat,lon,competition\na,-29.9,-71.25,2\n", "bad.csv:2: expected competition from 0 to 1"),
        ("name,lat,lon\na,-29.9,-71.25\na,-29.91,-71.25\n", "bad.csv:3: expected a name of its own"),
    ],
)  # fmt: skip
def test_a_list_that_will_not_do_is_refused_at_its_line(text: str, said: str, world: World, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        from_file(path, world)


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--open", "50", "--candidates", "{file}"], "--open 50: expected at most 1"), (["--candidates", "none.csv"], "none.csv")],
)  # fmt: skip
def test_what_cannot_be_planned_is_said_in_one_line(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "one.csv"
    path.write_text("name,lat,lon\na,-29.9,-71.25\n")
    given = [word.replace("{file}", str(path)) for word in words]
    assert guarded(app, ["plan", "sites", "small", *SMALL, *given, "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert not (tmp_path / "out").exists()
