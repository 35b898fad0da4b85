"""Several orders on one tour: more lines an hour, and a longer wait for each order."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from policies.picking.batch import Batch
from sim.engine import policies_of, simulate
from sim.laws import all_laws, verdict, whole_log
from sim.opening import ready_world
from sim.recording import MemoryArchive
from sim.scenario import load
from sim.vocabulary import InputError

# Two stores of eight aisles with fewer pickers than the noon's orders need.
RUSH = (
    "stores.layout={levels: 1}", "pickers.per_store=3", "pickers.base_s=15", "pickers.per_line_s=5", "drivers.count=60",
    "catalogue.skus=400", "demand.orders_per_day=3600", "policies.slotting=at_random",
)  # fmt: skip


def tours(day: Any) -> Any:
    """Orders of each tour: those that a picker began at one moment."""
    begun = day.rows("pick_started")
    return np.unique(begun[["picker", "t_s"]], return_counts=True)[1]


def test_the_laws_hold_when_orders_are_picked_together(two_stores: Any, play: Any) -> None:
    world = ready_world(
        two_stores(*RUSH, "policies.picking=batch", "stores.inaccurate_share=0.4", "customers.patience_s=900")
    )
    laws, archive = all_laws(world), MemoryArchive()
    outcome = simulate(world, archive, laws=laws)
    assert verdict(laws) + whole_log(archive, outcome.state) == []
    assert len(archive.rows("order_cancelled")) > 5


def test_more_lines_an_hour_for_a_longer_pick(two_stores: Any, play: Any) -> None:
    alone, together = (play(two_stores(*RUSH, f"policies.picking={name}")) for name in ("fifo", "batch(orders_max=4)"))
    assert set(tours(alone).tolist()) == {1}
    assert tours(together).max() == 4
    one, other = alone.study.summary, together.study.summary
    assert other["floor"]["lines_per_busy_hour"] > 1.15 * one["floor"]["lines_per_busy_hour"]
    assert other["stages_s"]["pick"] > 1.5 * one["stages_s"]["pick"]
    # There are too few pickers: what the single order loses at the shelves, it gains in the queue.
    assert other["stages_s"]["wait_pick"] < 0.6 * one["stages_s"]["wait_pick"]
    assert other["click_to_door_s"]["p95"] < one["click_to_door_s"]["p95"]
    assert other["utilisation"]["pickers"] <= 1.0, "a tour of four orders is one stretch of work"


def test_a_count_after_a_tour_is_counted_once(two_stores: Any, play: Any) -> None:
    day = play(
        two_stores(
            *RUSH,
            "policies.picking=batch",
            "stores.inaccurate_share=0.8",
            "stores.inaccurate_units=20",
            "supply.cover_days=0.05",
        )
    )
    counts, busy = len(day.rows("shelf_counted")), day.study.summary["floor"]["counting_share"]
    ended = day.rows("pick_ended")
    took = np.unique(ended[["picker", "t_s"]])
    begun = np.unique(day.rows("pick_started")[["picker", "t_s"]])
    # Whoever is still at it at the close has not counted; a tour is one stretch.
    assert len(took) == len(begun)
    hours = (
        took[np.lexsort((took["t_s"], took["picker"]))]["t_s"]
        - begun[np.lexsort((begun["t_s"], begun["picker"]))]["t_s"]
    )
    assert counts > 20
    assert busy * hours.sum() == pytest.approx(counts * day.world.scenario.stores.count_s, rel=1e-3)


def test_large_baskets_pay_for_batching(play: Any) -> None:
    fifo, batch = (play(load("big-baskets", [f"policies.picking={name}"])).study.summary for name in ("fifo", "batch"))
    assert batch["floor"]["lines_per_busy_hour"] > 1.06 * fifo["floor"]["lines_per_busy_hour"]
    assert batch["click_to_door_s"]["p95"] < 0.92 * fifo["click_to_door_s"]["p95"]
    assert batch["orders"]["delivered"] > fifo["orders"]["delivered"]


def test_without_a_layout_nothing_is_on_the_way(two_stores: Any, play: Any) -> None:
    day = play(two_stores(*RUSH[1:], "policies.picking=batch"))
    assert set(tours(day).tolist()) == {1}


class View:
    """A queue of orders that lie in one aisle each; a tour walks ten seconds to every aisle on it."""

    def __init__(self, *aisles: int, confirmed_s: Any = None) -> None:
        times = confirmed_s or [0.0] * len(aisles)
        self.now_s = 100.0
        self.waiting = [
            SimpleNamespace(order=n, aisle=aisle, confirmed_s=t)
            for n, (aisle, t) in enumerate(zip(aisles, times, strict=True))
        ]

    def walk_s(self, tasks: Any) -> float:
        return 10.0 * len({task.aisle for task in tasks})


def joined(view: View, aisle: int = 1, **parameters: Any) -> list[int]:
    first: Any = SimpleNamespace(order=99, aisle=aisle, confirmed_s=0.0)
    live: Any = view
    return list(Batch(**parameters).along(first, live))


def test_who_joins_a_tour() -> None:
    assert joined(View(2, 1, 3, 1)) == [1, 3], "those that lie on the way, the longest waiting first"
    assert joined(View(1, 1, 1, 1, 1)) == [0, 1, 2], "as many totes as the cart has"
    assert joined(View(1, 1), orders_max=1) == []
    assert joined(View(2, 3)) == [], "nobody whose walk is not shorter for it"
    assert joined(View(1, 1, confirmed_s=[400.0, 200.0])) == [1], "nobody from another time"
    assert joined(View(2, 2, 1), look=2) == []
    assert joined(View(1), saving_s_min=10.5) == []
    assert joined(View()) == []


@pytest.mark.parametrize("places", [[0, 0], [-1], [10_000]])
def test_places_that_are_none_are_refused(two_stores: Any, play: Any, places: list[int]) -> None:
    class Mine:
        def __call__(self, view: Any) -> int | None:
            return 0 if view.waiting else None

        def along(self, first: Any, view: Any) -> list[int]:
            return places if len(view.waiting) > 1 else []

    scenario, mine = two_stores(*RUSH), Mine()
    broken: Any = replace(policies_of(scenario), picking=mine)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"policies\.picking: expected places in the queue"):
        play(scenario, policies=broken)


def test_a_batch_keeps_the_single_order_waiting_where_pickers_are_enough(two_stores: Any, play: Any) -> None:
    calm = (*RUSH, "pickers.per_store=6", "demand.orders_per_day=4000")
    alone, together = (
        play(two_stores(*calm, f"policies.picking={name}")).study.summary for name in ("fifo", "batch(orders_max=4)")
    )
    assert together["click_to_door_s"]["mean"] > 1.01 * alone["click_to_door_s"]["mean"]
    assert together["stages_s"]["pick"] > alone["stages_s"]["pick"]
    assert together["floor"]["lines_per_busy_hour"] > alone["floor"]["lines_per_busy_hour"]
