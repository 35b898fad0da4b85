"""Goods between stores: taken as far as they are there, on the road, and then on another store's shelves."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from sim.contracts import Move
from sim.engine import policies_of, simulate
from sim.laws import all_laws, verdict, whole_log
from sim.metrics import study
from sim.opening import ready_world
from sim.operations.shelves import Shelves
from sim.operations.transfers import Transfers
from sim.recording import MemoryArchive
from sim.scenario import load_text
from sim.vocabulary import NOBODY, StockCause
from tests.conftest import Played
from tests.operations.test_goods_only import WEEK

QUIET = (
    "stores.inaccurate_share=0",
    "pickers.mispick_share=0",
    "demand.calendar={'2026-11-20': 0}",
    "policies.replenishment=nothing",
    "supply={transfer_at: '12:10', transfer_minutes: 30, cover_days: 0.05, units_min: 9}",
)
MOVING = "policies.transfer=balance(every_s=7200.0, keep_days=0.0, z=0, trip_units=1)"
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Say:
    """Moves what it was told, once."""

    moves: tuple[tuple[int, int, int, int], ...]
    every_s: float = 1e6

    def __call__(self, view: Any) -> Any:
        return [Move(*move) for move in self.moves]  # type: ignore[arg-type]


def moved(scenario: Any, *moves: tuple[int, int, int, int]) -> Played:
    """Play a day on which these moves are asked for, and no law is broken."""
    world = ready_world(scenario)
    laws, archive = all_laws(world), MemoryArchive()
    policies = replace(policies_of(scenario), transfer=Say(moves))
    outcome = simulate(world, archive, policies=policies, laws=laws)
    assert verdict(laws) + whole_log(archive, outcome.state) == []
    return Played(world, outcome, archive, study(archive, scenario, outcome.state))


def rows_of(played: Played, kind: str, cause: StockCause = StockCause.TRANSFER) -> list[tuple[float, int, int, int]]:
    rows = played.rows(kind)
    rows = rows[rows["cause"] == cause]
    return [(round(float(r["t_s"]), 3), int(r["store"]), int(r["sku"]), int(r["units"])) for r in rows]


def test_goods_leave_one_store_and_come_to_the_other(two_stores: Any) -> None:
    played = moved(two_stores(*QUIET), (0, 1, 4, 3), (0, 1, 7, 2), (1, 0, 4, 1))
    assert rows_of(played, "shelf_changed") == [
        (600.0, 0, 4, -3), (600.0, 0, 7, -2), (600.0, 1, 4, -1), (2400.0, 1, 4, 3), (2400.0, 1, 7, 2), (2400.0, 0, 4, 1),
    ]  # fmt: skip
    told = rows_of(played, "record_adjusted")
    assert [row[1:] for row in told] == [row[1:] for row in rows_of(played, "shelf_changed")]
    assert [row[0] for row in told[:3]] == [600.05] * 3, "by message"
    trips = played.study.summary["cost"]["by_kind"]["transfers"]
    assert trips == 2 * played.world.scenario.costs.transfer_cents, "two trips"
    assert played.study.summary["drift"]["units_abs"] == 0


def test_what_the_record_lied_about_is_not_sent_and_may_be_counted(two_stores: Any) -> None:
    lying = ("stores.inaccurate_share=1", "stores.inaccurate_units=30", "policies.reconciliation=count_on_short_pick")
    scenario = two_stores(*QUIET[1:], *lying)
    opening = ready_world(scenario).opening
    phantom = int(np.argmax(opening.record[0] - opening.shelf[0]))
    record, shelf = int(opening.record[0, phantom]), int(opening.shelf[0, phantom])
    assert record > shelf + 5
    played = moved(scenario, (0, 1, phantom, 10**6))
    assert played.rows("goods_sent")["units"].tolist() == [shelf], (
        "what the record had was asked for, what was there went"
    )
    assert played.rows("shelf_counted")["sku"].tolist() == [phantom]
    assert played.outcome.state.available[0, phantom] == 0


def test_what_is_promised_to_orders_stays(two_stores: Any) -> None:
    """More than is available is never sent, whatever a policy says: law 2 listens."""
    busy = ("supply={transfer_at: '12:10', transfer_minutes: 30, cover_days: 0.05, units_min: 3}", "seed=3")
    played = moved(two_stores(*busy), *((0, 1, sku, 10**6) for sku in range(60)))
    assert len(played.rows("goods_sent")) > 20
    assert played.study.summary["orders"]["delivered"] > 50


def test_a_run_that_closes_before_they_come_has_them_on_the_road(two_stores: Any) -> None:
    played = moved(two_stores(*QUIET, "horizon_h=0.5", "drain_h=0"), (0, 1, 4, 3), (1, 0, 9, 2))
    road = played.outcome.state.road
    assert road[1, 4] == 3
    assert road[0, 9] == 2
    assert road.sum() == 5
    assert played.study.stock["road"].sum() == 5


def test_weeks_of_goods_alone_keep_the_laws(play: Any) -> None:
    scenario = load_text(WEEK, [MOVING, "stores.dock={people: 1}"])
    world = ready_world(scenario)
    laws = all_laws(world)
    week = play(world, laws=laws)
    assert verdict(laws) + whole_log(week.archive, week.outcome.state) == []
    assert week.rows("goods_sent")["units"].sum() > 50
    by_cause = week.study.summary["drift"]["by_cause"]
    assert sum(by_cause.values()) == pytest.approx(week.study.summary["drift"]["units_abs"])


def test_goods_do_not_get_younger_on_the_road(two_stores: Any) -> None:
    """What lay in two stores goes on the same day, wherever it is by then."""
    fish = "catalogue.categories=[{name: fish, share: 1, price_cents: 900, litres: 1, life_days: 3}]"
    days = (
        "horizon_h=90",
        "supply={transfer_at: '12:10', transfer_minutes: 1440, cover_days: 1, look_at: '05:00'}",
        fish,
    )
    closed = "demand.calendar={'2026-11-20': 0, '2026-11-21': 0, '2026-11-22': 0, '2026-11-23': 0}"
    scenario = two_stores(*QUIET[:4], *days, closed)
    opening = ready_world(scenario).opening.shelf
    played = moved(scenario, (0, 1, 4, int(opening[0, 4])))
    spoiled = rows_of(played, "shelf_changed", StockCause.SPOILAGE)
    mine = [(t_s, units) for t_s, store, sku, units in spoiled if (store, sku) == (1, 4)]
    # The opening came on the day of the start, so it goes at the third look; for a day of that it was on the road.
    assert mine == [((12 + 5 + 48) * HOUR_S, -int(opening[:, 4].sum()))]


def test_a_burn_in_leaves_what_is_on_the_road(two_stores: Any, play: Any) -> None:
    scenario = two_stores(
        "stores.burn_in_days=4", "supply={transfer_at: '11:50', lead_h: 1}", MOVING,
        "policies.replenishment=order_up_to(z=0, units_min=0)",
    )  # fmt: skip
    world = ready_world(scenario)
    hauls = world.opening.hauls
    assert hauls
    assert all(haul.at_s == 35 * 60.0 for haul in hauls)
    again = ready_world(scenario).opening.hauls
    assert [haul.units.tolist() for haul in again] == [haul.units.tolist() for haul in hauls], (
        "once more, from the cache"
    )
    laws = all_laws(world)
    played = play(world, laws=laws)
    assert verdict(laws) + whole_log(played.archive, played.outcome.state) == []
    sent = played.rows("goods_sent")
    before = sent[sent["store"] == NOBODY]
    assert before["units"].sum() == sum(int(haul.units.sum()) for haul in hauls)
    assert (before["due_s"] == 35 * 60.0).all()


# -- break it, and the law must notice -------------------------------------------------------------------------------


def breaches(scenario: Any) -> set[str]:
    world = ready_world(scenario)
    laws, archive = all_laws(world), MemoryArchive()
    outcome = simulate(world, archive, laws=laws)
    return {breach.law for breach in verdict(laws) + whole_log(archive, outcome.state)}


def arrives_twice(monkeypatch: Any) -> None:
    arrive = Transfers._arrive

    def twice(self: Any, event: Any) -> None:
        arrive(self, event)
        arrive(self, event)

    monkeypatch.setattr(Transfers, "_arrive", twice)


def loses_a_unit_on_the_road(monkeypatch: Any) -> None:
    arrive = Shelves.arrive

    def less(self: Any, store: Any, skus: Any, units: Any) -> None:
        arrive(self, store, skus[1:], units[1:])

    monkeypatch.setattr(Shelves, "arrive", less)


def sends_what_nobody_took(monkeypatch: Any) -> None:
    monkeypatch.setattr(Shelves, "send", lambda self, store, *rest: self._go(store, *rest))


def takes_what_is_not_sent(monkeypatch: Any) -> None:
    send = Shelves.send

    def more(self: Any, store: Any, destination: Any, skus: Any, units: Any, due_s: Any) -> None:
        self.change_many(store, skus[:1], -units[:1] * 0 - 1, StockCause.TRANSFER)
        send(self, store, destination, skus, units, due_s)

    monkeypatch.setattr(Shelves, "send", more)


@pytest.mark.parametrize(
    "mutant", [None, arrives_twice, loses_a_unit_on_the_road, sends_what_nobody_took, takes_what_is_not_sent]
)
def test_a_transfer_that_makes_or_loses_goods_breaks_the_law_of_goods(play: Any, monkeypatch: Any, mutant: Any) -> None:
    if mutant is None:
        assert breaches(load_text(WEEK, [MOVING])) == set()
        return
    mutant(monkeypatch)
    assert "goods" in breaches(load_text(WEEK, [MOVING]))
