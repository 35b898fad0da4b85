"""Customers and stores on the map: weights, cells, sites, and files that will not do."""

from pathlib import Path
from typing import Any

import h3
import numpy as np
import pytest

from sim.scenario import Scenario, load
from sim.vocabulary import InputError
from sim.world.build import build_world
from sim.world.geography import metres_between
from sim.world.places import SNAP_LIMIT_M, middles_of, nearest_node

BASE = """
name: places
map: gothenburg
start: 2026-11-20T12:00+01:00
horizon_h: 1
stores: {count: 3, zone: {radius_m: 3000}}
catalogue: {skus: 20}
demand: {orders_per_day: 5000}
"""


def scenario_in(folder: Path, extra: str = "", *settings: str) -> Scenario:
    file = folder / "places.yaml"
    file.write_text(BASE + extra, encoding="utf-8")
    return load(str(file), settings)


def test_cells_hold_their_nodes(tmp_path: Path) -> None:
    for resolution in (7, 9):
        world = build_world(scenario_in(tmp_path, "", f"demand.cell_resolution={resolution}"))
        roads = world.geography
        assert list(world.cells) == sorted(set(world.cells))
        for node in range(0, len(roads.lon), 97):
            assert world.cells[world.cell[node]] == h3.latlng_to_cell(roads.lat[node], roads.lon[node], resolution)
        np.testing.assert_array_equal(world.trace.cell, world.cell[world.trace.node])


def test_customers_come_from_the_cells_of_the_file(tmp_path: Path) -> None:
    plain = build_world(scenario_in(tmp_path))
    counts = np.bincount(plain.cell)
    rich, poor = (plain.cells[int(i)] for i in np.argsort(-counts, kind="stable")[:2])
    (tmp_path / "cells.csv").write_text(f"h3,weight,note\n{rich},3,x\n{poor},1,y\n8001fffffffffff,0,no matter\n")
    world = build_world(scenario_in(tmp_path, "  \n", f"demand.cells={tmp_path / 'cells.csv'}"))
    shares = np.bincount(world.cell, weights=world.node_weights, minlength=len(world.cells))
    assert shares[world.cells.index(rich)] == pytest.approx(0.75)
    assert shares[world.cells.index(poor)] == pytest.approx(0.25)
    inside = world.node_weights[world.cell == world.cells.index(rich)]
    assert np.ptp(inside) == pytest.approx(0)
    assert world.files["demand.cells"]


def test_a_file_is_relative_to_whoever_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a scenario file: to that file; on the command line: to where the user stands."""
    world = build_world(scenario_in(tmp_path))
    names = list(world.cells)
    names = [names[int(i)] for i in np.argsort(-np.bincount(world.cell), kind="stable")[:2]]
    for folder, cell in (("here", names[0]), ("there", names[1])):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "cells.csv").write_text(f"h3,weight\n{cell},1\n")
    text = BASE.replace("{orders_per_day: 5000}", "{orders_per_day: 5000, cells: cells.csv}")
    (tmp_path / "there" / "mine.yaml").write_text(text)
    monkeypatch.chdir(tmp_path / "here")
    named = build_world(load("../there/mine.yaml"))
    assert {named.cells[cell] for cell in named.trace.cell} == {names[1]}
    given = build_world(load("../there/mine.yaml", ("demand.cells=cells.csv",)))
    assert {given.cells[cell] for cell in given.trace.cell} == {names[0]}


def test_cells_of_another_resolution_are_shared_out(tmp_path: Path) -> None:
    plain = build_world(scenario_in(tmp_path))
    parent = h3.cell_to_parent(plain.cells[0], 6)
    child = h3.cell_to_center_child(plain.cells[-1], 10)
    (tmp_path / "cells.csv").write_text(f"h3,weight\n{parent},1\n{child},1\n")
    world = build_world(scenario_in(tmp_path, "", f"demand.cells={tmp_path / 'cells.csv'}"))
    weights = np.bincount(world.cell, weights=world.node_weights, minlength=len(world.cells))
    inside = np.array([h3.cell_to_parent(cell, 6) == parent for cell in world.cells])
    last = world.cells.index(plain.cells[-1])
    expected_last = 0.5 + (weights[inside][0] if inside[last] else 0.0)
    assert weights[last] == pytest.approx(expected_last)
    assert weights.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "cells.csv"),
        ("", "cells.csv:1"),
        ("a,b\n1,2\n", "cells.csv:1"),
        ("h3,weight\n", "cells.csv:1"),
        ("h3,weight\nnonsense,1\n", "cells.csv:2"),
        ("h3,weight\n881f2e5a5bfffff,-1\n", "cells.csv:2"),
        ("h3,weight\n881f2e5a5bfffff,nan\n", "cells.csv:2"),
        ("h3,weight\n881f2e5a5bfffff,inf\n", "cells.csv:2"),
        ("h3,weight\n881f2e5a5bfffff\n", "cells.csv:2"),
        ("h3,weight\n\n,\n", "cells.csv"),
        ("h3,weight\n881f2e5a5bfffff,1\n881f2e5a5bfffff,x\n", "cells.csv:3"),
        ("h3,weight\n88754e6499fffff,1\n", "cells.csv"),  # a good cell far from Gothenburg
        ("h3,weight\n8001fffffffffff,1\n", "cells.csv"),  # a base cell elsewhere: must not be split into billions
        (b"\xff\xfe\x00h3", "cells.csv"),
        (b"%PDF-1.7\x00\x01", "cells.csv"),
    ],
)
def test_a_bad_file_of_cells_is_one_line(tmp_path: Path, content: Any, expected: str) -> None:
    if content is not None:
        (tmp_path / "cells.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputError) as caught:
        build_world(scenario_in(tmp_path, "", f"demand.cells={tmp_path / 'cells.csv'}"))
    assert expected in str(caught.value)
    assert "expected" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_stores_where_the_user_says(tmp_path: Path) -> None:
    plain = build_world(scenario_in(tmp_path))
    roads = plain.geography
    places = [(float(roads.lat[n]), float(roads.lon[n])) for n in (17, 4000)]
    text = "".join(f"    - {{lat: {lat + 1e-7}, lon: {lon}}}\n" for lat, lon in places)
    file = tmp_path / "mine.yaml"
    file.write_text(
        BASE.replace(
            "stores: {count: 3, zone: {radius_m: 3000}}",
            f"stores:\n  place:\n{text}    - {{name: Harbour, lat: 57.7, lon: 11.95}}",
        )
    )
    world = build_world(load(str(file)))
    assert world.store_names == ("store 1", "store 2", "Harbour")
    for (lat, lon), node in zip(places, world.store_nodes, strict=False):
        found, metres = nearest_node(roads, lat, lon)
        assert found == node
        assert metres < 0.1
    file.write_text(
        BASE.replace(
            "stores: {count: 3, zone: {radius_m: 3000}}",
            f"stores:\n  place:\n{text}    - {{name: Oslo, lat: 59.9, lon: 10.7}}",
        )
    )
    with pytest.raises(
        InputError, match=r"mine.yaml:10: stores.place.2: expected a place within 2000 m of a road"
    ) as caught:
        build_world(load(str(file)))
    assert SNAP_LIMIT_M == 2000
    assert "km away" in str(caught.value)


def test_stores_are_spread_where_people_are(tmp_path: Path) -> None:
    for count in (1, 4, 12):
        world = build_world(scenario_in(tmp_path, "", f"stores.count={count}"))
        assert len(set(world.store_nodes)) == count
        north = [world.geography.lat[node] for node in world.store_nodes]
        roads, weights = world.geography, world.node_weights
        scale = np.cos(np.radians(np.average(roads.lat, weights=weights)))
        points = np.column_stack([roads.lon * scale, roads.lat])

        def cost(nodes: Any, points: Any = points, weights: Any = weights) -> float:
            gaps = ((points[:, None, :] - points[list(nodes)][None]) ** 2).sum(axis=2).min(axis=1)
            return float((gaps * weights).sum())

        chance = np.random.default_rng(count)
        rivals = [cost(chance.choice(len(points), count, p=weights)) for _ in range(20)]
        assert cost(world.store_nodes) < min(rivals)
        assert north
    # The same whatever the seed: a store does not move because another day is simulated.
    nodes = {build_world(scenario_in(tmp_path, "", f"seed={seed}")).store_nodes for seed in (1, 2, 3)}
    assert len(nodes) == 1


def test_too_many_stores_are_refused(one_store: Any) -> None:
    with pytest.raises(InputError, match=r"--set stores.count=41: stores.count: expected at most 40"):
        build_world(one_store("stores.count=41"))
    assert len(build_world(one_store("stores.count=40")).store_nodes) == 40
    assert build_world(one_store("stores.count=3", "map={width_m: 0, height_m: 0, points: 1}")).store_nodes == (0, 0, 0)


@pytest.mark.parametrize("name", ["no-such-map", "nowhere/map.graphml", "places.yaml", "."])
def test_a_map_that_is_none_is_one_line_with_its_place(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as caught:
        build_world(scenario_in(tmp_path, "", f"map={name}"))
    assert "\n" not in str(caught.value)
    assert f"--set map={name}" in str(caught.value)


def test_customers_are_where_people_live() -> None:
    world = build_world(load("default", ("horizon_h=12", "demand.orders_per_day=60000")))
    people = getattr(world.geography, "people", None)
    assert people is not None
    assert people.sum() == pytest.approx(451_899, rel=1e-6)
    np.testing.assert_allclose(world.node_weights, people / people.sum())
    counts = np.bincount(world.trace.cell, minlength=len(world.cells))
    expected = np.bincount(world.cell, weights=world.node_weights, minlength=len(world.cells)) * world.trace.orders
    big = expected > 5
    statistic = ((counts - expected)[big] ** 2 / expected[big]).sum()
    from scipy import stats

    assert stats.chi2.sf(statistic, int(big.sum()) - 1) > 1e-6
    even = build_world(load("default", ("horizon_h=1", "demand.place=nodes")))
    assert np.ptp(even.node_weights) == 0


def test_the_middle_of_a_cell_is_its_node_nearest_to_the_mean_of_all(tmp_path: Path) -> None:
    world = build_world(scenario_in(tmp_path))
    roads, middles = world.geography, middles_of(world.geography, world.cell)
    assert len(middles) == len(world.cells)
    assert [int(world.cell[node]) for node in middles] == list(range(len(middles)))
    for cell in range(0, len(middles), 7):
        nodes = np.flatnonzero(world.cell == cell)
        off_m = metres_between(roads.lon[nodes], roads.lat[nodes], roads.lon[nodes].mean(), roads.lat[nodes].mean())
        assert middles[cell] == nodes[off_m.argmin()]
