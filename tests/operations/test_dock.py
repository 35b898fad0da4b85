"""The receiving dock: what a truck brought is in the building at once, and on the shelf when somebody has put it away."""

from typing import Any

import numpy as np
import pytest

from sim.engine import simulate
from sim.experiments.slo import failed, judge, unobserved
from sim.laws import all_laws, verdict, whole_log
from sim.opening import ready_world
from sim.operations.shelves import Shelves
from sim.recording import MemoryArchive
from sim.scenario import load, load_text
from sim.vocabulary import StockCause
from tests.conftest import lawful_day
from tests.operations.test_goods_only import WEEK

# Nothing goes wrong but what the dock brings about: stores nearly empty, a truck every half hour.
HONEST = (
    "stores.inaccurate_share=0",
    "pickers.mispick_share=0",
    "policies.reconciliation=never",
    "policies.replenishment=order_up_to(every_s=1800.0)",
    "supply={review_at: '12:00', lead_h: 0.25, cover_days: 0.03, units_min: 1, miscount_share: 0, late_share: 0}",
)
SLOW = "stores.dock={people: 1, per_line_s: 40, per_unit_s: 4, lines: 6, scan: %s}"


def held_and_short(played: Any) -> Any:
    """The lines that were held for orders and not found."""
    return played.rows("hold_reduced")


def at_dock(played: Any, store: int, sku: int, t_s: float) -> int:
    """Units of an SKU that stood at a dock at a moment."""
    docked, changed = played.rows("goods_docked"), played.rows("shelf_changed")
    changed = changed[changed["cause"] == StockCause.DELIVERY]
    mine = [rows[(rows["store"] == store) & (rows["sku"] == sku) & (rows["t_s"] <= t_s)] for rows in (docked, changed)]
    return int(mine[0]["units"].sum()) - int(mine[1]["units"].sum())


def test_scanned_at_the_dock_the_record_sells_what_nobody_can_pick_yet(two_stores: Any, play: Any) -> None:
    played = lawful_day(play, two_stores(*HONEST, SLOW % "dock"))
    short = held_and_short(played)
    assert len(short) > 5
    for row in short:
        assert at_dock(played, row["store"], row["sku"], row["t_s"]) > 0, "it is in the building"
    causes = played.study.summary["drift"]["short_by_cause"]
    assert causes["delivery"] == pytest.approx(short["units"].sum())


def test_scanned_at_the_shelf_it_is_found_where_it_is_sold(two_stores: Any, play: Any) -> None:
    played = lawful_day(play, two_stores(*HONEST, SLOW % "shelf"))
    assert len(held_and_short(played)) == 0
    assert len(played.rows("goods_docked")) > 50
    assert played.study.summary["drift"]["units_abs"] == 0


def test_without_a_dock_nothing_stands_there_and_nobody_is_paid_for_it(two_stores: Any, play: Any) -> None:
    played = lawful_day(play, two_stores(*HONEST))
    assert len(played.rows("goods_docked")) == len(played.rows("round_ended")) == 0
    assert played.study.summary["floor"]["dock_s"] == {"mean": None, "p95": None}
    assert played.study.summary["cost"]["by_kind"]["receiving"] == 0
    assert not played.outcome.state.dock.any()


def test_a_dock_that_takes_no_time_is_none(two_stores: Any, play: Any) -> None:
    """Put away at once, a truck's goods are where they are without a dock, however they are scanned."""
    without = play(two_stores(*HONEST)).study
    for scan in ("dock", "shelf"):
        setting = f"stores.dock={{per_line_s: 0, per_unit_s: 0, scan: {scan}}}"
        with_dock = lawful_day(play, two_stores(*HONEST, setting)).study
        assert with_dock.summary["fill_rate"] == without.summary["fill_rate"]
        np.testing.assert_array_equal(with_dock.stock["shelf"], without.stock["shelf"])


def test_the_least_covered_goods_go_first_and_each_round_takes_its_time(one_store: Any, play: Any) -> None:
    """One truck on a day without customers, one person: by hand from what it brought."""
    played = lawful_day(
        play,
        one_store(
            *HONEST[:4],
            "policies.replenishment=order_up_to(every_s=20000.0, units_min=9)",
            "demand.calendar={'2026-11-20': 0}",
            "supply={review_at: '12:00', lead_h: 0.25, cover_days: 0.03, units_min: 1, miscount_share: 0, late_share: 0}",
            "stores.dock={people: 1, per_line_s: 10, per_unit_s: 0.125, lines: 25}",
        ),
    )
    docked, rounds = played.rows("goods_docked"), played.rows("round_ended")
    came_s = docked["t_s"][0]
    assert came_s == 900.0
    assert rounds["lines"].tolist() == [25, 25, len(docked) - 50]
    took_s = rounds["lines"] * 10.0 + rounds["units"] * 0.125
    np.testing.assert_array_equal(rounds["t_s"], came_s + np.cumsum(took_s))
    np.testing.assert_array_equal(rounds["waited_s"], np.cumsum(took_s))
    assert rounds["units"].sum() == docked["units"].sum()
    # By cover: what the opening's shelf was for each unit wanted a day, the least first.
    changed = played.rows("shelf_changed")
    put_away = changed["sku"][changed["cause"] == StockCause.DELIVERY]
    cover = played.world.opening.record[0] / played.world.daily_demand[0]
    assert (np.diff(cover[put_away]) >= 0).all()
    summary = played.study.summary
    lines = np.repeat(np.cumsum(took_s), rounds["lines"])
    assert summary["floor"]["dock_s"]["mean"] == pytest.approx(lines.mean())
    assert summary["floor"]["dock_s"]["p95"] == pytest.approx(np.quantile(lines, 0.95))
    hour = played.world.scenario.costs.picker_hour_cents
    assert summary["cost"]["by_kind"]["receiving"] == round(took_s.sum() / 3600.0 * hour)


def test_more_people_have_it_on_the_shelves_sooner(one_store: Any, play: Any) -> None:
    def stood(people: int) -> float:
        dock = f"stores.dock={{people: {people}, lines: 5}}"
        return float(play(one_store(*HONEST, dock)).study.summary["floor"]["dock_s"]["mean"])

    assert stood(1) > 1.2 * stood(4)


def test_who_counts_an_empty_shelf_takes_what_stands_at_the_dock_off_the_record(two_stores: Any, play: Any) -> None:
    """A count sees the shelf alone: put away later, the goods are there and the record lacks them."""
    counting = "policies.reconciliation=count_on_short_pick"
    played = lawful_day(play, two_stores(*HONEST, SLOW % "dock", counting))
    state = played.outcome.state
    gap = state.available + state.reserved - state.shelf - state.dock
    assert (gap <= 0).all()
    assert gap.sum() < 0
    assert play(two_stores(*HONEST, SLOW % "shelf", counting)).study.summary["drift"]["units_abs"] == 0


@pytest.mark.parametrize("scan", ["dock", "shelf"])
def test_weeks_of_goods_alone_keep_the_laws_with_a_dock(play: Any, scan: str) -> None:
    week = lawful_day(play, load_text(WEEK, [f"stores.dock={{people: 1, per_line_s: 120, scan: {scan}}}"]))
    assert len(week.rows("round_ended")) > 20
    assert week.study.summary["losses"]["spoiled"] > 0


def test_a_run_begins_with_what_stood_at_the_dock(two_stores: Any, play: Any) -> None:
    """Five days whose last truck came an hour ago: the goods are at the dock, on order until somebody scans them."""
    for scan in ("shelf", "dock"):
        scenario = two_stores(
            "stores.burn_in_days=5",
            "supply.review_at='10:00'",
            "supply.lead_h=1",
            "supply.miscount_share=0.3",
            f"stores.dock={{people: 1, per_line_s: 600, lines: 5, scan: {scan}}}",
        )
        world = ready_world(scenario)
        assert world.opening.dock is not None
        noted, there = world.opening.dock
        assert there.sum() > 50
        assert (noted != there).any()
        assert (ready_world(scenario).opening.dock == world.opening.dock).all(), "once more, from the cache"
        played = lawful_day(play, scenario)
        at_start = played.rows("goods_docked")["t_s"] == 0.0
        assert played.rows("goods_docked")["units"][at_start].sum() == there.sum()
        heard = played.rows("record_adjusted")
        heard = heard[(heard["cause"] == StockCause.DELIVERY) & (heard["t_s"] < 7200.0)]
        assert (heard["units"].sum() > 0) == (scan == "shelf"), "at the dock it was scanned before"


def breaches(scenario: Any) -> set[str]:
    world = ready_world(scenario)
    laws, archive = all_laws(world), MemoryArchive()
    outcome = simulate(world, archive, laws=laws)
    return {breach.law for breach in verdict(laws) + whole_log(archive, outcome.state)}


def test_goods_put_away_twice_break_the_law_of_goods(two_stores: Any, monkeypatch: Any) -> None:
    put_away = Shelves.put_away

    def twice(self: Any, store: Any, skus: Any, units: Any, scanned: Any) -> None:
        put_away(self, store, skus, units, scanned)
        put_away(self, store, skus, units, scanned)

    scenario = two_stores(*HONEST, SLOW % "shelf")
    assert breaches(scenario) == set()
    monkeypatch.setattr(Shelves, "put_away", twice)
    assert "goods" in breaches(scenario)


def test_goods_lost_between_dock_and_shelf_break_the_replay(two_stores: Any, monkeypatch: Any) -> None:
    put_away = Shelves.put_away

    def one_falls(self: Any, store: Any, skus: Any, units: Any, scanned: Any) -> None:
        self.docked[store, skus[0]] -= 1
        put_away(self, store, skus, units, scanned)

    monkeypatch.setattr(Shelves, "put_away", one_falls)
    assert "replay" in breaches(two_stores(*HONEST, SLOW % "shelf"))


def test_the_evening_with_everything_has_a_truck_put_away_before_it_ends_and_meets_its_levels(play: Any) -> None:
    """`full-floor` is there to show what docks are; the truck of its evening comes at the peak."""
    scenario = load("full-floor")
    played = play(scenario)
    docked, rounds = played.rows("goods_docked"), played.rows("round_ended")
    assert set(docked["store"]) == set(range(scenario.stores.count))
    assert docked["t_s"].max() < rounds["t_s"].max() < scenario.horizon_s
    assert rounds["units"].sum() == docked["units"].sum() > 200
    assert played.study.summary["floor"]["dock_s"]["mean"] > 60.0
    verdicts = judge(scenario, played.study.summary)
    assert not failed(verdicts)
    assert not unobserved(verdicts)
