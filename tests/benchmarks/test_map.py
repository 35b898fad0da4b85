"""Start of a map, cold and warm; store-rooted trees; point-to-point rides with and without the accelerator."""

import time

import numpy as np
import pytest

from sim.scenario import load
from sim.world.build import build_world
from sim.world.maps import find_map
from sim.world.roads import load_roads
from sim.world.traffic import VEHICLES

pytestmark = pytest.mark.benchmark


def cpu(action):
    start = time.process_time()
    result = action()
    return time.process_time() - start, result


def test_cold_and_warm_start(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DARKSTORE_HOME", str(tmp_path))
    path = find_map("coquimbo")
    cold, _ = cpu(lambda: load_roads(path))
    warm = min(cpu(lambda: load_roads(path))[0] for _ in range(5))
    scenario = load("default")
    world_cold, _ = cpu(lambda: build_world(scenario))
    world_warm = min(cpu(lambda: build_world(scenario))[0] for _ in range(5))
    with capsys.disabled():
        print(
            f"\nmap: cold {cold:.2f} s, warm {warm:.3f} s; whole world: cold {world_cold:.2f} s, warm {world_warm:.2f} s (CPU)"
        )
    assert warm < cold / 10


def test_trees_and_rides(capsys):
    roads = load_roads(find_map("coquimbo"))
    car = VEHICLES["car"]
    nodes = np.random.default_rng(1).integers(0, roads.nodes, (300, 2)).tolist()
    roads.trees_ms([0], car, 0, towards=True)
    tree, _ = cpu(lambda: roads.trees_ms(list(range(20)), car, 0, towards=True))
    plain, slow = cpu(lambda: [roads.ride_ms(a, b, car, 0) for a, b in nodes])
    with capsys.disabled():
        print(f"\ntree {tree / 20 * 1e3:.1f} ms; point to point by scipy {plain / 300 * 1e3:.2f} ms", end="")
    if roads.accelerate():
        build, _ = cpu(lambda: roads.ride_ms(nodes[0][0], nodes[0][1], car, 1))
        roads.ride_ms(*nodes[0], car, 0)
        fast_s, fast = cpu(lambda: [roads.ride_ms(a, b, car, 0) for a, b in nodes])
        with capsys.disabled():
            print(f", by ch-router {fast_s / 300 * 1e3:.3f} ms after {build:.2f} s of preparation")
        assert fast == slow
