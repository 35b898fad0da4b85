"""Selection: the best is found at the promised rate, and those who are beaten cost no more runs."""

import numpy as np
import pytest

from sim.statistics.selection import KimNelson

ZONE = 1.0


def _select(rng: np.random.Generator, means: list[float], shared: float) -> tuple[str, int]:
    names = [str(place) for place in range(len(means))]
    race, spent = KimNelson(names, ZONE, 0.95), 0
    while race.chosen is None:
        day = shared * rng.normal()
        spent += len(race.left)
        race.add({name: means[int(name)] + day + 2.0 * rng.normal() for name in race.left})
    return race.chosen, spent


def test_the_best_is_picked_as_often_as_promised_where_it_is_hardest() -> None:
    # All others are worse by the zone exactly: the slippage configuration.
    rng, right = np.random.default_rng(1), 0
    for _ in range(300):
        right += _select(rng, [ZONE, ZONE, 0.0, ZONE], 0.0)[0] == "2"
    assert right >= 0.885 * 300  # a true 95 % falls below 88.5 % in 300 less than once in a million


def test_the_same_days_make_it_cheaper() -> None:
    def cost(shared: float, names: int = 5) -> float:
        rng = np.random.default_rng(2)
        means = [0.0] + [ZONE] * (names - 1)
        return float(np.mean([_select(rng, means, shared)[1] for _ in range(40)]))

    # What all share falls out of every difference: however much the days differ, the race costs the same.
    assert cost(20.0) == pytest.approx(cost(0.0), rel=0.15)


def test_who_is_far_behind_leaves_early() -> None:
    rng, race = np.random.default_rng(3), KimNelson(["far", "near", "best"], ZONE)
    left_at: dict[str, int] = {}
    while race.chosen is None:
        means = {"far": 20.0, "near": 1.5, "best": 0.0}
        for name in race.add({name: means[name] + 2.0 * rng.normal() for name in race.left}):
            left_at[name] = race.stage if race.left else 0
    assert race.chosen == "best"
    assert left_at["far"] == 10
    assert left_at["near"] > 10


def test_those_who_are_equal_to_the_bit_end_with_the_first() -> None:
    race = KimNelson(["a", "b", "c"], ZONE)
    for number in range(10):
        race.add(dict.fromkeys(race.left, float(number)))
    assert race.chosen == "a"


@pytest.mark.parametrize(
    ("names", "zone", "level", "first"),
    [(["a"], 1.0, 0.95, 10), (["a", "b"], 0.0, 0.95, 10), (["a", "b"], 1.0, 0.4, 10), (["a", "b"], 1.0, 0.95, 2)],
)
def test_a_race_that_cannot_be_run_is_refused(names: list[str], zone: float, level: float, first: int) -> None:
    with pytest.raises(ValueError, match="Expected"):
        KimNelson(names, zone, level, first)
