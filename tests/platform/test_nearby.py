"""The nearest idle drivers, found place by place, against asking everybody; on fleets that ride, stand, wait and vanish."""

import random
from typing import Any

import numpy as np
import pytest

from sim.platform.nearby import Nearby

NODES, PROFILES, STORE_NODES = 40, 2, [3, 3, 17, 30]  # two stores share a road node


class Roads:
    """Travel times by table, another one every 150 seconds."""

    def __init__(self, chance: random.Random, *, coarse: bool) -> None:
        step = 100 if coarse else 1
        self.table = np.array(
            [
                [[chance.randrange(0, 900, step) for _ in range(NODES * PROFILES)] for _ in STORE_NODES]
                for _hour in range(2)
            ],
            dtype=float,
        )

    def hour(self, now_s: float) -> int:
        return int(now_s // 150) % 2

    def until_s(self, now_s: float) -> float:
        return (now_s // 150 + 1) * 150.0

    def place(self, node: int, profile: int) -> int:
        return profile * NODES + node

    def places_to_store_s(self, places: Any, store: int, now_s: float) -> Any:
        return self.table[self.hour(now_s), store].take(places)


@pytest.mark.parametrize("coarse", [False, True], ids=["distinct", "ties"])
def test_against_asking_everybody(coarse: bool) -> None:
    chance = random.Random(11)
    looked = 0
    for case in range(60):
        roads = Roads(chance, coarse=coarse)
        nearby = Nearby(roads, STORE_NODES, PROFILES)  # type: ignore[arg-type]
        idle: dict[int, tuple[int, float]] = {}  # the plain model: where each idle driver will be, and when
        now_s = 0.0
        for _ in range(80):
            now_s += chance.choice([0.0, 1.0, 50.0])
            driver, act = chance.randrange(25), chance.random()
            if driver not in idle:
                node = chance.choice(STORE_NODES) if chance.random() < 0.85 else chance.randrange(NODES)
                free_s = chance.choice([0.0, now_s, now_s + chance.randrange(0, 400, 100 if coarse else 1)])
                idle[driver] = roads.place(node, driver % PROFILES), free_s
                nearby.add(driver, *idle[driver], now_s)  # type: ignore[arg-type]
            elif act < 0.5:
                nearby.remove(driver, *idle.pop(driver))  # type: ignore[arg-type]
            elif idle[driver][1]:
                nearby.arrived(driver, *idle[driver])  # type: ignore[arg-type]
                idle[driver] = idle[driver][0], 0.0
            store = chance.randrange(len(STORE_NODES))
            expected = sorted(
                (max(free_s - now_s, 0.0) + roads.table[roads.hour(now_s), store, place], driver)
                for driver, (place, free_s) in idle.items()
            )
            found = [(ride_s, driver) for driver, ride_s in nearby.nearest(store, now_s)]  # type: ignore[arg-type]
            assert found == expected, (case, now_s)
            looked += len(found)
    assert looked > 5000


def test_a_driver_who_is_taken_while_one_looks_hides_nobody() -> None:
    chance = random.Random(12)
    roads = Roads(chance, coarse=True)
    nearby = Nearby(roads, STORE_NODES, PROFILES)  # type: ignore[arg-type]
    where = {d: (roads.place(chance.choice(STORE_NODES), 0), chance.choice([0.0, 100.0 + d % 3])) for d in range(30)}
    for driver, at in where.items():
        nearby.add(driver, *at, 0.0)  # type: ignore[arg-type]
    found = []
    for driver, _ in nearby.nearest(0, 0.0):  # type: ignore[arg-type]
        found.append(int(driver))
        nearby.remove(driver, *where[driver])
    assert sorted(found) == list(range(30))
