"""Counts by plan: who counts, how long that takes, what is left, and what it takes from picking."""

from typing import Any

import numpy as np
import pytest

from sim.laws import all_laws, verdict
from sim.opening import ready_world
from sim.operations.picking import Station
from tests.conftest import Played, lawful_day

WRONG = ("stores.inaccurate_share=0.8", "stores.inaccurate_units=5", "supply.cover_days=2")
BY_PLAN = "policies.reconciliation=full_count(count_at='12:30', on_short_pick=False)"
PLAN_S = 30 * 60.0
GOODS_ONLY = ("mode=goods_only", "horizon_h=48", "drain_h=0", "stores.count_s=30")


def counts_of(day: Played) -> dict[str, Any]:
    return dict(day.study.summary["floor"]["counts"])


@pytest.mark.parametrize("people", [1, 4])
def test_a_crew_takes_its_time_and_corrects_what_it_has_counted(two_stores: Any, play: Any, people: int) -> None:
    """Sixty shelves of half a minute are half an hour for one, a quarter of that for four; six are done at a time."""
    day = lawful_day(play, two_stores(*WRONG, BY_PLAN, f"stores.counting.people={people}", "stores.count_s=30"))
    counted, crew = day.rows("shelf_counted"), day.rows("crew_counted")
    moments = np.unique(counted["t_s"]) - PLAN_S
    np.testing.assert_allclose(moments, 180.0 * np.arange(1, len(moments) + 1))
    assert len(moments) == -(-10 // people)
    assert (crew["lines"] == 6).all()
    assert counts_of(day) == {"planned": 120, "done": 120, "left": 0, "hours": 1.0}
    # The records of what is counted last are wrong for longer.
    written = day.rows("record_adjusted")
    late = written["t_s"] > PLAN_S + moments[-1]
    assert late.any()
    assert day.study.summary["cost"]["by_kind"]["counting"] == pytest.approx(
        day.world.scenario.costs.picker_hour_cents, abs=1
    )


def test_of_a_large_crew_as_many_count_as_there_is_to_count(two_stores: Any, play: Any) -> None:
    day = lawful_day(play, two_stores(*WRONG, BY_PLAN, "stores.counting={people: 50, lines: 40}", "stores.count_s=30"))
    assert sorted(day.rows("crew_counted")["lines"].tolist()) == [20, 20, 40, 40]
    assert counts_of(day)["done"] == 120


def test_what_nobody_had_time_for_is_left(two_stores: Any, play: Any) -> None:
    """A quarter of an hour is enough for thirty shelves of half a minute: the next are not begun."""
    short = ("stores.counting={people: 1, within_h: 0.25}", "stores.count_s=30")
    day = lawful_day(play, two_stores(*WRONG, BY_PLAN, *short))
    assert counts_of(day) == {"planned": 120, "done": 60, "left": 60, "hours": 0.5}
    assert len(day.rows("shelf_counted")) == 60
    cut = play(two_stores(*WRONG, BY_PLAN, "stores.counting.people=1", "stores.count_s=300", "drain_h=0"))
    found = counts_of(cut)
    assert found["planned"] == 120 > found["done"] > 0, "nor is what is open at the close"
    assert found["left"] == 120 - found["done"]


def test_a_new_plan_takes_the_place_of_what_is_left(two_stores: Any, play: Any) -> None:
    slow = ("stores.counting.people=1", "stores.count_s=3600", "horizon_h=50", "demand.orders_per_day=100")
    day = play(two_stores(*WRONG, BY_PLAN, *slow, "stores.counting.lines=1"))
    planned, counted = day.rows("count_planned"), day.rows("shelf_counted")
    assert planned["t_s"].tolist() == [PLAN_S + day_s for day_s in (0.0, 0.0, 86400.0, 86400.0, 172800.0, 172800.0)]
    mine = counted[counted["store"] == 0]
    first, second = (
        mine["sku"][(mine["t_s"] > PLAN_S + at) & (mine["t_s"] <= PLAN_S + at + 86400.0)] for at in (0, 86400.0)
    )
    assert first.tolist() == list(range(24))
    assert second.tolist() == list(range(24)), "one person goes on with the new plan, and nobody comes beside"


def test_pickers_count_when_there_is_no_order(two_stores: Any, play: Any) -> None:
    settings = (*WRONG, BY_PLAN, "stores.count_s=30", "stores.counting.lines=2", "demand.orders_per_day=1000")
    crew, own = (lawful_day(play, two_stores(*settings, f"stores.counting.by={by}")) for by in ("crew", "pickers"))
    assert counts_of(crew)["done"] == counts_of(own)["done"] == 120
    begun, ended = own.rows("count_started"), own.rows("count_ended")
    assert len(begun) == len(ended) == 60
    assert own.rows("crew_counted").size == 0
    # Nobody went to count while an order waited in the store.
    orders = own.study.orders
    for row in begun:
        waits = (orders["confirmed_s"] < row["t_s"]) & (orders["pick_start_s"] > row["t_s"])
        assert not (waits & (orders["store"] == row["store"])).any()
    one, other = crew.study.summary, own.study.summary
    assert other["utilisation"]["pickers"] > one["utilisation"]["pickers"]
    paid_h = 2 * 4 * 4.0
    assert (other["utilisation"]["pickers"] - one["utilisation"]["pickers"]) * paid_h == pytest.approx(1.0, abs=0.15)
    assert other["floor"]["counting_share"] > one["floor"]["counting_share"] == 0.0
    assert other["floor"]["lines_per_busy_hour"] < one["floor"]["lines_per_busy_hour"]
    assert one["cost"]["by_kind"]["counting"] > other["cost"]["by_kind"]["counting"] == 0, "they are paid anyway"


def test_counting_makes_orders_wait_and_busy_pickers_leave_shelves_uncounted(two_stores: Any, play: Any) -> None:
    def found(*more: str) -> Any:
        day = play(two_stores(*WRONG, BY_PLAN, "stores.count_s=60", *more))
        return day.study.summary["floor"]["wait_pick_s"]["mean"], counts_of(day)["left"]

    by_pickers = "stores.counting={by: pickers, lines: 10, within_h: 1}"
    assert found(by_pickers)[0] > found()[0] + 5.0
    assert found(by_pickers, "demand.orders_per_day=6000")[1] > found(by_pickers)[1] == 0
    shelf_by_shelf = "stores.counting={by: pickers, lines: 1, within_h: 1}"
    assert found(shelf_by_shelf)[0] < found(by_pickers)[0], "who looks up more often is sooner at the next order"


def test_pickers_who_rest_are_called_to_count(one_store: Any, play: Any) -> None:
    """Nobody orders before the plan, so that all rest when it is made."""
    profile = f"demand.profile={[0.0] * 13 + [1.0] + [0.0] * 10}"
    day = lawful_day(play, one_store(*WRONG, BY_PLAN, profile, "stores.counting.by=pickers", "stores.count_s=10"))
    begun = day.rows("count_started")
    assert (begun["t_s"] == PLAN_S).sum() == 4
    assert len(day.rows("shelf_counted")) == 60
    assert day.rows("shelf_counted")["t_s"].max() == PLAN_S + 180.0


@pytest.mark.parametrize("policy", ["batch", "wave(every_s=300)", "by_zone(sections=2)"])
def test_pickers_count_whatever_the_picking_policy(two_stores: Any, play: Any, policy: str) -> None:
    layout = ("stores.layout={levels: 1}", f"policies.picking={policy}", "stores.counting={by: pickers, lines: 3}")
    day = lawful_day(play, two_stores(*WRONG, BY_PLAN, *layout))
    assert counts_of(day)["done"] == 120
    assert len(day.rows("pick_ended")) > 50


@pytest.mark.parametrize("by", ["crew", "pickers"])
def test_a_goods_only_run_counts_at_once_and_pays_for_it(two_stores: Any, play: Any, by: str) -> None:
    """There is nobody whose hours could be taken: the labour is a crew's."""
    day = play(two_stores(*WRONG, BY_PLAN, *GOODS_ONLY, f"stores.counting.by={by}"))
    counted = day.rows("shelf_counted")
    assert np.unique(counted["t_s"]).tolist() == [PLAN_S, PLAN_S + 86400.0]
    assert counts_of(day) == {"planned": 240, "done": 240, "left": 0, "hours": 2.0}
    assert day.study.summary["cost"]["by_kind"]["counting"] == 2 * day.world.scenario.costs.picker_hour_cents


def test_a_law_says_when_somebody_picks_and_counts_at_once(two_stores: Any, play: Any, monkeypatch: Any) -> None:
    """The mutant begins a count and goes for an order before it is done."""

    def restless(self: Station, planned: Any, skus: Any, picker: Any) -> Any:
        self._facts.count_started(picker=picker, store=self._store)
        planned.count(self._store, skus)
        return
        yield

    monkeypatch.setattr(Station, "_count", restless)
    world = ready_world(two_stores(*WRONG, BY_PLAN, "stores.counting.by=pickers"))
    laws = all_laws(world)
    play(world, laws=laws)
    assert {breach.law for breach in verdict(laws)} == {"people"}
