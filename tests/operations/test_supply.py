"""Trucks: when they come, what they can bring, and what is on them whatever the note says."""

from typing import Any

import numpy as np
import pytest

from sim.operations.replenishment import Trucks
from sim.scenario.goods import Supply
from sim.streams import Streams
from sim.vocabulary import StockCause, StoreId
from tests.conftest import lawful_day

HOUR_S = 3600.0
STORE = StoreId(0)


def trucks(midnight_s: float = -12 * HOUR_S, skus: int = 4, **terms: Any) -> Trucks:
    return Trucks(Supply(**terms), midnight_s, np.arange(1.0, skus + 1), Streams(3))


def test_a_truck_comes_at_the_first_time_that_is_far_enough_away() -> None:
    fleet = trucks(deliveries=("16:00", "05:30"), lead_h=4.0)  # the run starts at noon
    assert fleet.due_s(0.0) == 4 * HOUR_S
    assert fleet.due_s(1.0) == 17.5 * HOUR_S
    assert fleet.due_s(13.5 * HOUR_S) == 17.5 * HOUR_S
    assert fleet.due_s(14 * HOUR_S) == 28 * HOUR_S
    assert trucks(lead_h=4.0).due_s(7.0) == 7.0 + 4 * HOUR_S, "without times, as soon as it can"


def test_a_share_of_the_trucks_is_late() -> None:
    delays = np.array(
        [trucks(late_share=0.2, late_minutes=30.0).delay_s(StoreId(s), n) for s in range(50) for n in range(80)]
    )
    late = delays > 0
    assert late.mean() == pytest.approx(0.2, abs=4 * np.sqrt(0.2 * 0.8 / 4000))
    assert delays[late].mean() == pytest.approx(1800.0, abs=4 * 1800.0 / np.sqrt(late.sum()))
    assert not any(trucks(late_share=0.0).delay_s(STORE, n) for n in range(100))


def test_a_full_truck_leaves_the_best_covered_behind() -> None:
    wanted, cover = np.array([5, 2, 4, 1]), np.array([3.0, 0.5, 0.1, 0.5])
    # Volumes: 5, 4, 12, 4 litres; in the order of cover: SKU 2, then 1 and 3 (a tie, by SKU), then 0.
    assert trucks(truck_litres=20.0).load(wanted, cover).tolist() == [0, 2, 4, 1]
    assert trucks(truck_litres=19.0).load(wanted, cover).tolist() == [0, 2, 4, 0]
    assert trucks(truck_litres=22.0).load(wanted, cover).tolist() == [2, 2, 4, 1], "the last line comes in part"
    assert trucks(truck_litres=11.0).load(wanted, cover).tolist() == [0, 0, 3, 0], "a line larger than the truck too"
    assert trucks().load(wanted, cover).tolist() == wanted.tolist()


def test_some_lines_hold_something_else_than_is_noted() -> None:
    noted = np.full(20_000, 50)
    noted[::2] = 0
    fleet = trucks(skus=20_000, miscount_share=0.1, miscount_units=2.0, miscount_short_share=0.6)
    there = fleet.brought(STORE, 1, noted)
    wrong = there != noted
    assert not wrong[::2].any(), "what is not on the note is not on the truck"
    assert wrong[1::2].mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / 10_000))
    assert (there < noted)[wrong].mean() == pytest.approx(0.6, abs=4 * np.sqrt(0.24 / 1000))
    assert np.abs(there - noted)[wrong].mean() == pytest.approx(2.0, abs=4 * np.sqrt(2.0 / 1000))
    assert (fleet.brought(STORE, 2, noted) != there).any(), "another truck"
    assert (fleet.brought(StoreId(1), 1, noted) != there).any(), "another store"
    assert (fleet.brought(STORE, 1, np.minimum(noted, 1)) >= 0).all()
    honest = trucks(skus=20_000, miscount_share=0.0)
    assert (honest.brought(STORE, 1, noted) == noted).all()


def test_what_was_miscounted_is_drift_from_the_dock_on(two_stores: Any, play: Any) -> None:
    settings = (
        "stores.inaccurate_share=0",
        "pickers.mispick_share=0",
        "policies.reconciliation=never",
        "policies.replenishment=order_up_to(every_s=1800.0)",
        "supply={review_at: '12:00', lead_h: 0.25, cover_days: 0.03, units_min: 1, miscount_share: 0.4, "
        "late_share: 0.5, late_minutes: 5}",
    )
    played = lawful_day(play, two_stores(*settings))
    changed, slips = played.rows("shelf_changed"), played.rows("scan_slipped")
    delivered = changed[changed["cause"] == StockCause.DELIVERY]
    assert len(delivered) > 50
    assert (slips["cause"] == StockCause.DELIVERY).all()
    drift, state = played.study.summary["drift"], played.outcome.state
    assert drift["by_cause"]["delivery"] == drift["units_abs"] > 20
    np.testing.assert_array_equal(state.scan, state.available + state.reserved)
    # Late ones come after their time, the others on it.
    due = played.rows("supply_ordered")["due_s"]
    times = np.unique(delivered["t_s"])
    assert 0 < np.isin(times, due).sum() < len(times)


def test_a_small_truck_sells_less(two_stores: Any, play: Any) -> None:
    def fill_rate(litres: str) -> float:
        settings = (
            "policies.replenishment=order_up_to(every_s=1800.0)",
            f"supply={{review_at: '12:00', lead_h: 0.25, cover_days: 0.05, units_min: 1, truck_litres: {litres}}}",
        )
        return float(play(two_stores(*settings)).study.summary["fill_rate"])

    assert fill_rate("20") < fill_rate("100") < fill_rate("null")
