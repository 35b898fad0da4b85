"""Goods that go missing: thefts, damage, wrong counts; what the scan log says of them and where drift comes from."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from sim.laws import whole_log
from sim.streams import Streams
from sim.vocabulary import StockCause
from sim.world.mishaps import SLOT_S, draw_mishaps
from tests.conftest import lawful_day

HONEST = ("stores.inaccurate_share=0", "pickers.mispick_share=0", "policies.reconciliation=never")


def test_mishaps_are_as_many_as_the_scenario_says(two_stores: Any) -> None:
    scenario = two_stores("shrinkage={theft_share: 0.01, theft_units: 3, damage_share: 0.005, scanned_share: 0.25}")
    daily = np.linspace(0.0, 4000.0, 2 * 60).reshape(2, 60)
    mishaps = draw_mishaps(scenario, Streams(5), daily)
    lines = np.diff(mishaps.first_line)
    expected = daily.sum() * scenario.end_s / 86_400.0
    for cause, share, mean in ((StockCause.THEFT, 0.01, 3.0), (StockCause.DAMAGE, 0.005, 1.2)):
        units = mishaps.units[np.repeat(mishaps.cause, lines) == cause].sum()
        # A compound Poisson sum of geometric sizes: variance = events * E[size^2] = events * mean * (2 mean - 1).
        spread = np.sqrt(expected * share / mean * mean * (2 * mean - 1))
        assert abs(units - expected * share) < 4 * spread
    damaged = np.repeat(mishaps.cause == StockCause.DAMAGE, lines)
    known = np.average(np.repeat(mishaps.scanned, lines)[damaged], weights=mishaps.units[damaged])
    assert known == pytest.approx(0.25, abs=0.06)
    assert not mishaps.scanned[mishaps.cause == StockCause.THEFT].any(), "thieves do not scan"
    assert (np.diff(mishaps.at_s) >= 0).all()
    assert (mishaps.at_s % SLOT_S == 0).all()
    assert mishaps.at_s.max() < scenario.end_s
    assert not (mishaps.sku[mishaps.store[np.repeat(np.arange(len(lines)), lines)] == 0] == 0).any(), (
        "no demand, no theft"
    )
    for begin, end in zip(mishaps.first_line[:-1], mishaps.first_line[1:], strict=True):
        assert len(np.unique(mishaps.sku[begin:end])) == end - begin > 0


def test_of_a_theft_neither_scan_log_nor_record_knows(two_stores: Any, play: Any) -> None:
    played = lawful_day(play, two_stores(*HONEST, "shrinkage={theft_share: 0.2, damage_share: 0}"))
    state, drift = played.outcome.state, played.study.summary["drift"]
    stolen = -played.rows("shelf_changed")["units"][played.rows("shelf_changed")["cause"] == StockCause.THEFT]
    assert stolen.sum() > 100
    assert (stolen > 0).all()
    np.testing.assert_array_equal(state.scan, state.available + state.reserved)
    assert (state.scan - state.shelf).sum() == stolen.sum()
    assert drift["by_cause"]["theft"] == drift["units_abs"] == drift["units_net"] == stolen.sum()
    assert played.study.summary["losses"]["stolen"] == stolen.sum()


def test_damage_that_is_scanned_is_no_drift(two_stores: Any, play: Any) -> None:
    broken = "shrinkage={theft_share: 0, damage_share: 0.2, scanned_share: %d}"
    known = lawful_day(play, two_stores(*HONEST, broken % 1))
    unknown = lawful_day(play, two_stores(*HONEST, broken % 0))
    assert known.study.summary["losses"]["damaged"] > 100
    assert known.study.summary["drift"]["units_abs"] == 0
    assert unknown.study.summary["drift"]["by_cause"]["damage"] == unknown.study.summary["losses"]["damaged"] > 100


def test_what_is_held_for_an_order_is_not_written_off(one_store: Any, play: Any) -> None:
    played = lawful_day(
        play,
        one_store(
            *HONEST,
            "supply={units_min: 1, cover_days: 0.06}",
            "shrinkage={theft_share: 0, damage_share: 1, scanned_share: 1}",
            "pickers.per_store=1",  # a long queue: much is held and still on the shelf
        ),
    )
    # The scan log knows what the record cannot give: that is the platform's gap, until the picker finds nothing.
    drift, state = played.study.summary["drift"], played.outcome.state
    assert drift["units_short"] > 0
    assert drift["short_by_cause"]["late_message"] == drift["units_short"]
    np.testing.assert_array_equal(state.scan, state.shelf)


def test_a_mispick_is_scanned_as_the_right_one(two_stores: Any, play: Any) -> None:
    played = lawful_day(play, two_stores(*HONEST[:1], HONEST[2], "pickers.mispick_share=0.3"))
    slips = played.rows("scan_slipped")
    assert len(slips) > 100
    assert slips["units"].sum() == 0, "one is scanned too often, its neighbour not at all"
    assert (slips["cause"] == StockCause.MISPICK).all()
    drift = played.study.summary["drift"]
    assert drift["by_cause"]["mispick"] == drift["units_abs"] > 0
    assert drift["units_net"] == 0


def test_a_count_leaves_its_own_error_and_nothing_else(two_stores: Any, play: Any) -> None:
    settings = (
        "supply={units_min: 1, cover_days: 0.05}",
        "shrinkage={theft_share: 0.3}",
        "stores.inaccurate_share=0.5",
    )
    played = lawful_day(play, two_stores(*settings, "stores.count_error_share=1"))
    counted = played.rows("shelf_counted")
    found = [(int(row["store"]), int(row["sku"])) for row in counted]
    assert len(found) > 20
    # A neighbour taken in error was not empty: whoever counts him errs. An empty shelf everybody sees.
    exact = lawful_day(play, two_stores(*settings, "stores.count_error_share=0"))
    rows = exact.rows("shelf_counted")
    last = {(int(row["store"]), int(row["sku"])): float(row["t_s"]) for row in rows}
    slips = exact.rows("scan_slipped")
    untouched = [
        place
        for place, t_s in last.items()
        if not ((slips["store"] == place[0]) & (slips["sku"] == place[1]) & (slips["t_s"] > t_s)).any()
    ]
    assert len(untouched) > 10
    state = exact.outcome.state
    for place in untouched:
        assert state.scan[place] == state.shelf[place] == state.available[place] + state.reserved[place]
    assert exact.study.summary["drift"]["by_cause"]["count"] == 0
    assert whole_log(played.archive, played.outcome.state) == []


def test_shelves_that_leak_leave_pickers_with_nothing(two_stores: Any, play: Any) -> None:
    def short(share: float) -> float:
        settings = ("supply={units_min: 1, cover_days: 0.15}", f"shrinkage.theft_share={share}")
        summary = play(two_stores(*HONEST, *settings)).study.summary
        assert summary["drift"]["short_by_cause"]["theft"] == summary["drift"]["units_short"]
        return float(summary["drift"]["units_short"])

    none, some, much = short(0.0), short(0.1), short(0.5)
    assert none == 0 < some < much


def unseen_by_plain_loops(day: Any) -> int:
    """Units denied that were there: the log read from its first fact to its last."""
    changes: list[tuple[int, str, Any]] = []
    kinds = (
        "shelf_changed", "goods_picked", "goods_put_back", "record_adjusted", "stock_reserved", "hold_reduced", "hold_committed",
        "line_missing",
    )  # fmt: skip
    for kind in kinds:
        changes += [(int(seq), kind, row) for seq, row in zip(day.archive.seq(kind), day.rows(kind), strict=True)]
    shelf: Counter[tuple[int, int]] = Counter()
    record: Counter[tuple[int, int]] = Counter()
    held: dict[int, Counter[tuple[int, int]]] = {}
    found = 0
    for _, kind, row in sorted(changes, key=lambda change: change[0]):
        if kind == "hold_committed":
            record.subtract(held.pop(int(row["order"])))
            continue
        place, units = (int(row["store"]), int(row["sku"])), int(row["units"])
        if kind in ("shelf_changed", "goods_put_back"):
            shelf[place] += units
        elif kind == "goods_picked":
            shelf[place] -= units
        elif kind == "record_adjusted":
            record[place] += units
        elif kind in ("stock_reserved", "hold_reduced"):
            held.setdefault(int(row["order"]), Counter())[place] += units if kind == "stock_reserved" else -units
        else:
            found += max(min(units, shelf[place] - record[place]), 0)
    return found


def test_sales_are_lost_of_what_the_record_denies(two_stores: Any, play: Any) -> None:
    settings = ("supply={units_min: 1, cover_days: 0.04}", "demand.orders_per_day=3600")
    honest = play(two_stores(*HONEST, *settings)).study.summary["drift"]
    wrong = play(two_stores(*settings, "stores.inaccurate_share=0.8", "stores.inaccurate_units=3"))
    drift = wrong.study.summary["drift"]
    assert honest["units_unseen"] == 0
    assert drift["units_unseen"] == unseen_by_plain_loops(wrong) > 30
    assert drift["unseen_by_cause"]["opening"] > 0.8 * drift["units_unseen"]
    assert drift["units_unseen"] < wrong.study.summary["sales"]["units_denied"]


def test_who_takes_the_wrong_thing_leaves_the_right_one_unseen(two_stores: Any, play: Any) -> None:
    settings = ("supply={units_min: 1, cover_days: 0.04}", "demand.orders_per_day=3600")
    drift = play(two_stores(*HONEST[:1], HONEST[2], *settings, "pickers.mispick_share=0.2")).study.summary["drift"]
    assert drift["unseen_by_cause"]["mispick"] == pytest.approx(drift["units_unseen"])
    assert drift["units_unseen"] > 5


def test_what_a_picker_overlooks_is_there(two_stores: Any, play: Any) -> None:
    blind = lawful_day(play, two_stores(*HONEST, "pickers.overlook_share=0.1"))
    drift, lines = blind.study.summary["drift"], len(blind.rows("stock_reserved"))
    assert 0.05 * lines < drift["units_short"] < 0.2 * lines
    assert drift["short_by_cause"]["overlooked"] == drift["units_short"]
    assert drift["units_abs"] == 0, "nothing is wrong but the picker"
    # Whoever goes and counts finds it: no record is written down for it.
    counted = play(two_stores(*HONEST[:2], "pickers.overlook_share=0.1", "policies.reconciliation=count_on_short_pick"))
    assert len(counted.rows("shelf_counted")) > 20
    assert counted.study.summary["drift"]["by_cause"]["count"] == counted.study.summary["drift"]["units_abs"]
    assert counted.study.summary["drift"]["units_abs"] < 5
