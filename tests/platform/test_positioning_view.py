"""What a positioning policy sees when a driver comes free."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim.engine import policies_of
from sim.vocabulary import StoreId


class Probe:
    """Sends drivers to the stores in turn and keeps what was seen."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    def __call__(self, view: Any) -> StoreId:
        self.seen.append(
            {
                "t_s": view.now_s,
                "driver": int(view.driver),
                "off_s": view.off_s,
                "bound": view.bound.copy(),
                "opened": list(view.opened),
                "between": [view.between_s(StoreId(0), StoreId(1)), view.between_s(StoreId(0), StoreId(0))],
            }
        )
        return StoreId(len(self.seen) % 2)


@pytest.fixture(scope="module")
def probed(two_stores: Any, play: Any) -> tuple[Any, list[dict[str, Any]]]:
    scenario, probe = two_stores("drivers.accept_share=1", "drivers.respond_s=0"), Probe()
    played = play(scenario, policies=replace(policies_of(scenario), positioning=probe))
    return played, probe.seen


def test_orders_are_counted_store_by_store_as_they_come_to_need_a_driver(probed: Any) -> None:
    played, seen = probed
    tasks = played.rows("task_opened")
    for look in seen:
        before = [int(((tasks["t_s"] < look["t_s"]) & (tasks["store"] == store)).sum()) for store in (0, 1)]
        by_then = [int(((tasks["t_s"] <= look["t_s"]) & (tasks["store"] == store)).sum()) for store in (0, 1)]
        assert all(low <= said <= high for low, said, high in zip(before, look["opened"], by_then, strict=True))
    assert sum(seen[-1]["opened"]) > 20


def test_drivers_without_work_are_counted_where_they_are_bound_for(probed: Any) -> None:
    """Every driver who works goes where the probe sent the last time; nobody is counted who has work."""
    played, seen = probed
    offers, legs = played.rows("offer_made"), played.rows("leg_started")
    for look in seen[:: max(len(seen) // 40, 1)]:
        assert look["bound"].sum() <= 14
    first = seen[0]
    busy = len(np.unique(offers["driver"][offers["t_s"] <= first["t_s"]]))
    assert first["bound"].sum() == 14 - busy
    assert len(legs) > len(seen)


def test_the_shift_that_runs_ends_when_the_roster_says(probed: Any) -> None:
    played, seen = probed
    for look in seen:
        shifts = played.world.drivers[look["driver"]].shifts
        running = [off for on, off in shifts if on <= look["t_s"]]
        assert look["off_s"] == max(running)


def test_stores_are_a_ride_apart(probed: Any) -> None:
    _, seen = probed
    assert all(look["between"][0] > 0.0 and look["between"][1] == 0.0 for look in seen)
