"""Compiled roads against networkx on small random maps with every awkwardness a real one has."""

from bisect import bisect_left
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.world.geography import Plain, metres_between
from sim.world.roads import Roads, load_cache, save_cache
from sim.world.traffic import LEVELS, VEHICLES


def random_roads(seed: int, nodes: int) -> Roads:
    """A strongly connected map with parallel edges, loops of no length, one-way streets and all speeds."""
    chance = np.random.default_rng(seed)
    around = chance.permutation(nodes)
    extra = chance.integers(0, nodes, (3 * nodes, 2))
    tail = np.concatenate([around, extra[:, 0], extra[: nodes // 2, 0]])
    head = np.concatenate([np.roll(around, 1), extra[:, 1], extra[: nodes // 2, 1]])
    edges = len(tail)
    length = np.where(chance.random(edges) < 0.15, 0.0, chance.exponential(150.0, edges))
    order = np.lexsort((head, tail))
    arrays: dict[str, Any] = {
        "lon": chance.random(nodes), "lat": chance.random(nodes),
        "tail": tail[order].astype(np.int32), "head": head[order].astype(np.int32), "length_m": length[order],
        "kmh": chance.choice([5.0, 30.0, 50.0, 90.0], edges), "arterial": chance.random(edges) < 0.3, "people": np.empty(0),
    }  # fmt: skip
    return Roads(arrays, "random", f"random-{seed}-{nodes}")


def oracle(roads: Roads, vehicle: Any, period: int) -> Any:
    graph: Any = nx.DiGraph()
    graph.add_nodes_from(range(roads.nodes))
    for a, b, ms in zip(roads.tail.tolist(), roads.head.tolist(), roads.edge_ms(vehicle, period).tolist(), strict=True):
        if not graph.has_edge(a, b) or graph[a][b]["ms"] > ms:
            graph.add_edge(a, b, ms=ms)
    return graph


def test_edge_times_follow_the_formula() -> None:
    roads = random_roads(3, 20)
    for name, vehicle in VEHICLES.items():
        for period, level in enumerate(LEVELS):
            for i in range(0, len(roads.tail), 7):
                factors = level if vehicle.jams else LEVELS[0]
                factor = factors.arterial if roads.arterial[i] else factors.local
                ms = roads._length_m[i] / 1000 / min(roads._kmh[i], vehicle.top_kmh) * factor * 3_600_000
                assert roads.edge_ms(vehicle, period)[i] == max(round(ms), 1), name


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    nodes=st.integers(2, 30),
    name=st.sampled_from(["car", "bicycle"]),
    period=st.integers(0, 4),
)
def test_trees_rides_and_paths_are_the_shortest(seed: int, nodes: int, name: str, period: int) -> None:
    roads, vehicle = random_roads(seed, nodes), VEHICLES[name]
    graph = oracle(roads, vehicle, period)
    truth = dict(nx.all_pairs_dijkstra_path_length(graph, weight="ms"))
    matrix = np.array([[truth[a][b] for b in range(nodes)] for a in range(nodes)])
    roots = [0, nodes - 1, nodes // 2]
    np.testing.assert_array_equal(roads.trees_ms(roots, vehicle, period, towards=False), matrix[roots])
    np.testing.assert_array_equal(roads.trees_ms(roots, vehicle, period, towards=True), matrix[:, roots].T)
    chance = np.random.default_rng(seed)
    for origin, target in chance.integers(0, nodes, (12, 2)).tolist():
        assert roads.ride_ms(origin, target, vehicle, period) == matrix[origin, target]
        path, times = roads.path(origin, target, vehicle, period)
        assert path[0] == origin
        assert path[-1] == target
        assert times[0] == 0
        assert times[-1] == matrix[origin, target]
        assert len(set(path)) == len(path), "a path does not go in circles"
        for (a, b), (before, after) in zip(pairwise(path), pairwise(times), strict=True):
            assert graph.has_edge(a, b)
            assert after - before == graph[a][b]["ms"]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), nodes=st.integers(2, 30), share=st.floats(-0.1, 1.2))
def test_a_walk_is_where_the_time_says(seed: int, nodes: int, share: float) -> None:
    roads, vehicle, period = random_roads(seed, nodes), VEHICLES["car"], 2
    graph = oracle(roads, vehicle, period)
    target = seed % nodes
    tree = roads.trees_ms([target], vehicle, period, towards=True)[0].tolist()
    for origin in range(nodes):
        until = share * tree[origin]
        node, reached = roads.walk(np.array(tree, dtype=np.int32).data, origin, target, vehicle, period, until)
        # On a shortest way, reached no earlier than asked for (unless it is the end), and the node before was earlier.
        assert reached == tree[origin] - tree[node]
        assert nx.dijkstra_path_length(graph, origin, node, weight="ms") == reached
        assert reached >= until or node == target
        if reached:
            before = [a for a in graph.predecessors(node) if tree[a] == tree[node] + graph[a][node]["ms"]]
            assert any(tree[origin] - tree[a] < until for a in before)
        else:
            assert node == origin


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), nodes=st.integers(2, 30), share=st.floats(-0.1, 1.2))
def test_a_walk_out_is_the_first_place_on_the_path_that_is_late_enough(seed: int, nodes: int, share: float) -> None:
    roads, vehicle, period = random_roads(seed, nodes), VEHICLES["car"], 2
    origin = seed % nodes
    tree = roads.trees_ms([origin], vehicle, period, towards=False)[0].tolist()
    for target in range(nodes):
        until = share * tree[target]
        path, times = roads.path(origin, target, vehicle, period)
        step = min(bisect_left(times, until), len(path) - 1)
        assert roads.walk_out(tree, origin, target, vehicle, period, until) == (path[step], times[step])


def test_an_end_that_cannot_be_reached_is_said() -> None:
    arrays: dict[str, Any] = {
        "lon": np.zeros(3), "lat": np.zeros(3), "tail": np.array([0], dtype=np.int32), "head": np.array([1], dtype=np.int32),
        "length_m": np.array([10.0]), "kmh": np.array([30.0]), "arterial": np.array([False]), "people": np.empty(0),
    }  # fmt: skip
    roads = Roads(arrays, "broken", "broken")
    assert roads.ride_ms(0, 1, VEHICLES["car"], 0) > 0
    for origin, target in ((1, 0), (0, 2)):
        with pytest.raises(ValueError, match="Expected a node that can be reached"):
            roads.ride_ms(origin, target, VEHICLES["car"], 0)


def test_long_rides_go_beyond_the_first_limit_and_old_ones_are_forgotten_rightly() -> None:
    roads = random_roads(7, 25)
    slow = VEHICLES["foot"]
    far = Roads({**{k: getattr(roads, k) for k in ("lon", "lat", "tail", "head")}, "length_m": roads._length_m * 500,
                 "kmh": roads._kmh, "arterial": roads.arterial, "people": np.empty(0)}, "far", "far")  # fmt: skip
    truth = dict(nx.all_pairs_dijkstra_path_length(oracle(far, slow, 0), weight="ms"))
    assert max(max(row.values()) for row in truth.values()) > 4e7
    for _ in range(2):
        for origin in range(25):
            for target in (3, 11, 24):
                assert far.ride_ms(origin, target, slow, 0) == truth[origin][target]
                far.path(origin, target, slow, 0)


def test_an_accelerator_gives_the_same_times() -> None:
    plain, fast = random_roads(11, 40), random_roads(11, 40)
    if not fast.accelerate():
        pytest.skip("ch-router is not installed")
    for origin in range(0, 40, 3):
        for target in range(40):
            for name, period in (("car", 3), ("ebike", 0)):
                assert fast.ride_ms(origin, target, VEHICLES[name], period) == plain.ride_ms(
                    origin, target, VEHICLES[name], period
                )
    path, times = fast.path(0, 17, VEHICLES["car"], 3)
    assert times[-1] == plain.ride_ms(0, 17, VEHICLES["car"], 3)
    assert path == plain.path(0, 17, VEHICLES["car"], 3)[0]


def test_the_same_answers_in_any_order_of_questions() -> None:
    pairs = np.random.default_rng(5).integers(0, 30, (60, 2)).tolist()
    first, second = random_roads(2, 30), random_roads(2, 30)
    there = [first.path(a, b, VEHICLES["car"], 1) for a, b in pairs]
    back = [second.path(a, b, VEHICLES["car"], 1) for a, b in reversed(pairs)]
    assert there == back[::-1]


def test_caches_return_what_was_saved_and_broken_ones_nothing(tmp_path: Any) -> None:
    arrays = {"a": np.arange(5), "names": np.array(["x", "yz"])}
    path = tmp_path / "deep" / "cache.npz"
    assert load_cache(path) is None
    save_cache(path, arrays)
    found = load_cache(path)
    assert found is not None
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
    whole = path.read_bytes()
    for broken in (b"", b"junk", whole[: len(whole) // 2], whole[:-30], whole[:60] + b"\0" * 40 + whole[100:]):
        path.write_bytes(broken)
        assert load_cache(path) is None
    save_cache(path, arrays)
    assert load_cache(path) is not None
    assert [file.name for file in path.parent.iterdir()] == ["cache.npz"], "no temporary file is left behind"
    # A cache that cannot be written is done without.
    (tmp_path / "file").write_text("in the way")
    save_cache(tmp_path / "file" / "cache.npz", arrays)


def test_the_plain_is_straight_lines() -> None:
    plain = Plain(np.array([0.0, 300.0, 0.0]), np.array([0.0, 400.0, 0.0]), 36.0)
    vehicle = VEHICLES["car"]
    assert plain.ride_ms(0, 1, vehicle, 3) == 50_000
    assert plain.path(0, 1, vehicle, 0) == ([0, 1], [0, 50_000])
    assert plain.path(1, 1, vehicle, 0) == ([1], [0])
    np.testing.assert_array_equal(plain.trees_ms([1], vehicle, 0, towards=True), [[50_000, 0, 50_000]])
    assert plain.walk([0, 50_000, 0], 1, 0, vehicle, 0, 0.0) == (1, 0)
    assert plain.walk([0, 50_000, 0], 1, 0, vehicle, 0, 1.0) == (0, 50_000)
    assert metres_between(plain.lon[0], plain.lat[0], plain.lon[1], plain.lat[1]) == pytest.approx(500, rel=1e-6)
