"""Transfers between stores: what the policies propose, and what moving goods is good for."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.contracts import Move
from sim.menu import build_policy
from sim.scenario import load
from sim.vocabulary import InputError

DAY_S = 86_400.0


def policy(spec: str, *, allow_code: bool = False) -> Any:
    return build_policy("transfer", spec, "test", allow_code=allow_code)


def view(on_hand: Any, on_order: Any = 0, daily: Any = 4.0, *, days: float = 1.0, transfer_s: float = 1800.0) -> Any:
    stock = np.array(on_hand)
    return SimpleNamespace(
        now_s=0.0, on_hand=stock, on_order=np.broadcast_to(on_order, stock.shape), transfer_s=transfer_s,
        daily_demand=np.broadcast_to(daily, stock.shape).astype(float), next_delivery_s=days * DAY_S,
    )  # fmt: skip


def moves(spec: str, seen: Any) -> list[tuple[int, int, int, int]]:
    return [tuple(int(x) for x in move) for move in policy(spec)(seen)]


def test_nothing_moves_nothing() -> None:
    assert list(policy("nothing")(view([[0], [99]]))) == []


def test_who_lacks_most_is_served_first_by_who_can_spare_most() -> None:
    # A day's demand of 4 and z = 1: the level is 6. Store 0 lacks 6, store 3 lacks 2; store 1 can spare 3, store 2 can spare 4.
    seen = view([[0], [9], [10], [4]])
    assert moves("balance(trip_units=0)", seen) == [(2, 0, 0, 4), (1, 0, 0, 2), (1, 3, 0, 1)]
    # Ties go to the lowest store.
    assert moves("balance(trip_units=0)", view([[0], [0], [12], [12]])) == [(2, 0, 0, 6), (3, 1, 0, 6)]


def test_what_is_on_its_way_is_not_lacking_and_cannot_be_sent() -> None:
    assert moves("balance(trip_units=0)", view([[0], [9]], [[6], [0]])) == []
    assert moves("balance(trip_units=0)", view([[0], [6]], [[0], [9]])) == []


def test_a_store_keeps_its_days_of_demand() -> None:
    assert moves("balance(trip_units=0, keep_days=2.0)", view([[0], [9]])) == [(1, 0, 0, 1)]
    assert moves("balance(trip_units=0, keep_days=3.0)", view([[0], [9]])) == []


def test_a_small_trip_is_not_made_and_none_that_comes_after_the_truck() -> None:
    seen = view([[0, 0], [8, 9], [20, 0]], daily=[[4.0, 4.0]])
    assert moves("balance(trip_units=0)", seen) == [(2, 0, 0, 6), (1, 0, 1, 3)]
    assert moves("balance(trip_units=4)", seen) == [(2, 0, 0, 6)]
    late = view([[0], [99]], days=0.01, transfer_s=900.0)
    assert moves("balance(trip_units=0, keep_days=0.0)", late) == []


def test_moves_depend_on_nothing_but_the_view() -> None:
    rng = np.random.default_rng(3)
    seen = view(rng.integers(0, 20, (5, 200)), daily=rng.uniform(0, 9, (5, 200)))
    found = moves("balance(trip_units=0)", seen)
    assert found == moves("balance(trip_units=0)", seen)
    level = np.ceil(seen.daily_demand + np.sqrt(seen.daily_demand))
    after = seen.on_hand.copy()
    for origin, to, sku, units in found:
        assert units > 0
        after[origin, sku] -= units
        after[to, sku] += units
    gave, got = after < seen.on_hand, after > seen.on_hand
    assert gave.any()
    assert not (gave & got).any()
    assert (after >= level)[gave].all(), "who gives keeps what is needed"
    assert (after <= level)[got].all(), "who gets gets no more than that"


def test_where_trucks_are_too_small_for_large_stores_moving_goods_pays(play: Any) -> None:
    """Measured over two weeks: fill rate 0.933 without, 0.950 with; 12,400 units more are sold, for 912 dollars of trips."""

    def week(spec: str) -> Any:
        return play(load("small-trucks", ["horizon_h=168", f"policies.transfer={spec}"])).study.summary

    without, balanced = week("nothing"), week("balance")
    assert balanced["fill_rate"] > without["fill_rate"] + 0.01
    more = without["sales"]["units_denied"] - balanced["sales"]["units_denied"]
    assert more > 3000
    assert 0 < balanced["cost"]["by_kind"]["transfers"] < 15 * more, "fifteen cents for each further unit sold"
    assert without["cost"]["by_kind"]["transfers"] == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return [(0, 9, 0, 1)]", "two of 2 stores"),
        ("return [(0, 0, 0, 1)]", "two of 2 stores"),
        ("return [(0, 1, 60, 1)]", "an sku below 60"),
        ("return [(0, 1, 0, -1)]", "units >= 0"),
        ("return [(0, 1, 0, 1), (0, 1, 0, 2)]", "each once"),
        ("return [(0, 1, 0, 1.5)]", "sim.contracts.Move of whole numbers"),
        ("return 7", "sim.contracts.Move of whole numbers"),
        ("return 1 / 0", "ZeroDivisionError"),
    ],
)
def test_moves_that_make_no_sense_are_refused_in_one_line(
    two_stores: Any, play: Any, tmp_path: Any, body: str, said: str
) -> None:
    (tmp_path / "odd.py").write_text(
        f"class Odd:\n    every_s = 600.0\n    def __call__(self, view):\n        {body}\n", encoding="utf-8"
    )
    from dataclasses import replace

    from sim.engine import policies_of

    scenario = two_stores("supply.transfer_at='12:10'")
    odd = policy(f"{tmp_path / 'odd.py'}:Odd", allow_code=True)
    with pytest.raises(InputError) as caught:
        play(scenario, policies=replace(policies_of(scenario), transfer=odd))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_move_is_four_numbers() -> None:
    assert Move._fields == ("origin", "to", "sku", "units")
