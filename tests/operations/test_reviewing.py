"""What a picker's own count may do to a record, and what waits for somebody with more rights."""

from typing import Any

import numpy as np
import pytest

from sim.scenario import load_text
from sim.scenario.fields import off_s
from sim.vocabulary import Adjustment, Role, StockCause
from tests.conftest import lawful_day
from tests.operations.test_goods_only import WEEK

SHORT = (
    "demand.orders_per_day=4000", "stores.inaccurate_share=0.6", "stores.inaccurate_units=5",
    "supply={units_min: 1, cover_days: 0.05}", "policies.reconciliation=count_on_short_pick",
    "stores.count_error_share=0", "pickers.mispick_share=0",
)  # fmt: skip


def review(units: object, people: int = 2) -> str:
    return f"stores.review={{people: {people}, minutes: 2, hours: '00:00-24:00', picker_units: {units}}}"


def test_every_count_that_changes_a_record_has_one_line_that_says_who_counted(two_stores: Any, play: Any) -> None:
    day = lawful_day(play, two_stores(*SHORT, "policies.reconciliation=full_count(count_at='13:30')"))
    lines, adjusted = day.rows("stock_corrected"), day.rows("record_adjusted")
    adjusted = adjusted[adjusted["cause"] == StockCause.COUNT]
    for name in ("t_s", "store", "sku", "units"):
        np.testing.assert_array_equal(lines[name], adjusted[name])
    planned = lines["role"] == Role.STORE
    assert planned.any()
    assert (lines["t_s"][planned] > 5400.0).all(), "the crew begins at half past one"
    assert (lines["role"][~planned] == Role.PICKER).all()
    assert len(lines) > planned.sum()
    assert set(lines["adjustment"].tolist()) == {int(Adjustment.COUNTED)}


def test_by_default_a_picker_may_adjust_by_ten_units(two_stores: Any, play: Any) -> None:
    wrong = ("stores.inaccurate_units=40", "stores.inaccurate_share=0.8")
    usual, ten, free = (
        play(two_stores(*SHORT, *wrong, *more))
        for more in ((), ("stores.review.picker_units=10",), ("stores.review.picker_units=null",))
    )
    assert usual.outcome.digest == ten.outcome.digest
    assert len(usual.rows("difference_flagged")) > 3
    assert not len(free.rows("difference_flagged"))
    assert np.abs(free.rows("stock_corrected")["units"]).max() > 10


def test_what_is_more_than_a_picker_may_adjust_waits_for_review(two_stores: Any, play: Any) -> None:
    usual, day = (lawful_day(play, two_stores(*SHORT, *more)) for more in ((), (review(2),)))
    lines, flagged = day.rows("stock_corrected"), day.rows("difference_flagged")
    mine = lines["role"] == Role.PICKER
    assert (np.abs(lines["units"][mine]) <= 2).all()
    assert len(flagged) > 5
    assert (np.abs(flagged["units"]) > 2).all()
    reviewed = lines[lines["adjustment"] == Adjustment.REVIEWED]
    assert set(reviewed["role"].tolist()) == {int(Role.ADMIN)}
    # What a count said stands in the scan log, so that is what a reviewer sets the record to.
    first = flagged[0]
    later = reviewed[(reviewed["store"] == first["store"]) & (reviewed["sku"] == first["sku"])][0]
    assert later["t_s"] == first["t_s"] + 120.0
    assert len(usual.rows("shelf_counted")) > 0
    assert day.study.summary["reviews"]["flagged"] == len(flagged)


def test_where_nobody_reviews_large_counts_change_nothing(two_stores: Any, play: Any) -> None:
    day = lawful_day(play, two_stores(*SHORT, review(0, people=0)))
    assert not len(day.rows("stock_corrected"))
    assert day.study.summary["reviews"]["open"] == len(day.rows("difference_flagged")) > 5


@pytest.mark.parametrize("units", [0, 1, 3])
def test_months_of_goods_are_reviewed_by_the_same_people(play: Any, units: int) -> None:
    day = lawful_day(play, load_text(WEEK, ["policies.reconciliation=count_on_short_pick", review(units)]))
    lines = day.rows("stock_corrected")
    counted, reviewed = (lines[lines["adjustment"] == ground] for ground in (Adjustment.COUNTED, Adjustment.REVIEWED))
    assert (np.abs(counted["units"]) <= units).all()
    assert (len(counted) > 0) == (units > 0)
    assert len(reviewed) > 0


@pytest.mark.parametrize(
    ("hours", "at_h", "left_h"),
    [
        ("09:00-17:00", 8, 1),
        ("09:00-17:00", 9, 0),
        ("09:00-17:00", 17, 16),
        ("22:00-06:00", 3, 0),
        ("22:00-06:00", 6, 16),
    ],
)
def test_hours_may_go_past_midnight(hours: str, at_h: float, left_h: float) -> None:
    for days in (0, 3):
        assert off_s(hours, 86_400.0 * days + 3600.0 * at_h) == 3600.0 * left_h
