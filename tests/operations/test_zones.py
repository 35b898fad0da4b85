"""Aisles that are cooled or locked, and orders picked in parts by section."""

from typing import Any

import numpy as np
import pytest

from sim.engine import policies_of
from sim.operations.walks import walks_of
from sim.scenario import load, load_text
from sim.vocabulary import InputError, OrderState
from sim.world.build import build_world
from tests.conftest import TWO_STORES, lawful_day

ZONES = "stores.layout={aisles: 9, zones: {frozen: {aisles: 1, enter_s: 8}, chilled: {aisles: 4, enter_s: 3}}}"
AISLES = ("stores.layout={levels: 1}", "catalogue.skus=400", "policies.slotting=at_random")
LARGE = (*AISLES, "demand.basket={lines_mean: 14, units_mean: 1.3}", "drivers={count: 60, vehicles: {car: 1}}")


def walks(*settings: str, name: str = "small") -> Any:
    scenario = load(name, ["stores.burn_in_days=0", "horizon_h=3", *settings])
    world = build_world(scenario)
    return world, walks_of(world, policies_of(scenario))


@pytest.mark.parametrize("slotting", ["by_popularity", "by_aisle", "by_category", "at_random"])
def test_goods_lie_in_the_zone_they_are_kept_in(slotting: str) -> None:
    world, found = walks(ZONES, f"policies.slotting={slotting}")
    kept = np.array([category.zone for category in world.scenario.catalogue.categories])[world.catalogue.category]
    aisle = found._aisle
    assert set(aisle[kept == "frozen"].tolist()) == {8}
    assert set(aisle[kept == "chilled"].tolist()) <= {4, 5, 6, 7}
    assert set(aisle[kept == "ambient"].tolist()) <= {0, 1, 2, 3}
    # No slot for two.
    place = np.column_stack([aisle, found._along_m])
    layout = world.scenario.stores.layout
    assert np.unique(place, axis=0, return_counts=True)[1].max() <= 2 * layout.levels


def test_doors_and_gloves_are_a_part_of_the_pick() -> None:
    world, closed = walks(ZONES)
    _, open_ = walks(ZONES.replace("enter_s: 8", "enter_s: 0").replace("enter_s: 3", "enter_s: 0"))
    trace = world.trace
    kept = np.array([category.zone for category in world.scenario.catalogue.categories])[world.catalogue.category]
    more = np.array(closed.order_s) - np.array(open_.order_s)
    for order in range(trace.orders):
        mine = kept[trace.sku[trace.first_line[order] : trace.first_line[order + 1]]]
        assert more[order] == pytest.approx(8 * ("frozen" in mine) + 3 * ("chilled" in mine), abs=1e-6)


def test_a_layout_without_zones_is_one_zone() -> None:
    _, plain = walks("stores.layout={aisles: 9}")
    _, named = walks("stores.layout={aisles: 9, zones: {restricted: {aisles: 1}}}", "policies.slotting=by_aisle")
    _, eight = walks("stores.layout={aisles: 8}", "policies.slotting=by_aisle")
    assert list(named.order_s[:50]) == list(eight.order_s[:50]), (
        "an aisle for what nobody sells is no place for the others"
    )
    assert plain.expected_s(5) > 0


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        (
            "stores.layout={aisles: 3, zones: {frozen: {aisles: 2}, chilled: {aisles: 1}}}",
            "fewer aisles than the store has (3), got 3",
        ),
        ("stores.layout={zones: {warm: {aisles: 1}}}", "stores.layout.zones.warm"),
        ("stores.layout={zones: {frozen: {aisles: 0}}}", "stores.layout.zones.frozen.aisles"),
    ],
)
def test_zones_that_make_no_sense_are_refused(setting: str, told: str) -> None:
    with pytest.raises(InputError) as refused:
        load_text(TWO_STORES, (setting,))
    assert told in str(refused.value)


def test_a_zone_too_small_for_its_goods_is_refused(play: Any) -> None:
    with pytest.raises(
        InputError, match=r"stores\.layout\.zones\.chilled: expected slots for its \d+ chilled SKUs, got 512 slots"
    ):
        walks("stores.layout={aisles: 9, zones: {chilled: {aisles: 1}}}")


# -- picking by section ------------------------------------------------------------------------------------------------


def test_sections_are_neighbouring_aisles_with_about_as_many_lines() -> None:
    world, found = walks("stores.layout={aisles: 8}", "policies.slotting=at_random")
    for count in (1, 2, 4, 8):
        section = found.sections(count)
        by_aisle = [np.unique(section[found._aisle == aisle]) for aisle in range(8)]
        assert all(len(one) == 1 for one in by_aisle)
        assert (np.diff([one[0] for one in by_aisle]) >= 0).all()
        lines = np.bincount(section, weights=world.catalogue.popularity, minlength=count)
        assert lines.max() < 1.6 / count


@pytest.mark.parametrize(
    "more",
    [
        (),
        ("stores.packing={stations: 2, room: 3}", "stores.counter_room=6", "stores.totes={count: 9, litres: 20}"),
        ("policies.substitution=ask", "supply.cover_days=0.1", "shrinkage.theft_share=0.3"),
        ("customers.patience_s=300", "stores.inaccurate_share=0.6"),
    ],
)
def test_the_laws_hold_when_orders_are_picked_in_parts(two_stores: Any, play: Any, more: tuple[str, ...]) -> None:
    day = lawful_day(play, two_stores(*LARGE, "policies.picking=by_zone(sections=3)", "pickers.per_store=9", *more))
    begun = day.rows("pick_started")
    assert np.unique(begun["order"], return_counts=True)[1].max() == 3
    assert (day.study.orders["state"] == OrderState.DELIVERED).sum() > 20


def test_parts_picked_side_by_side_are_ready_sooner_and_cost_more_work(two_stores: Any, play: Any) -> None:
    settings = (*LARGE, "pickers.per_store=20", "customers.patience_s=null")
    whole, parts = (
        play(two_stores(*settings, f"policies.picking={name}")).study.summary
        for name in ("fifo", "by_zone(sections=3)")
    )
    assert parts["stages_s"]["pick"] < 0.8 * whole["stages_s"]["pick"]
    assert parts["click_to_door_s"]["mean"] < whole["click_to_door_s"]["mean"]
    assert parts["floor"]["lines_per_busy_hour"] < whole["floor"]["lines_per_busy_hour"]


def test_totes_never_stop_an_order_half_way(two_stores: Any, play: Any) -> None:
    """Parts of orders that have their totes go before orders that must wait for some."""
    day = play(
        two_stores(*LARGE, "policies.picking=by_zone(sections=4)", "stores.totes={count: 6, litres: 20}", "drain_h=8")
    )
    assert day.study.summary["orders"]["open"] == 0
    assert day.study.summary["orders"]["delivered"] > 20


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (("policies.picking=by_zone",), "expected a stores.layout"),
        ((*AISLES, "policies.picking=by_zone(sections=9)"), "expected sections from 1 to 8"),
    ],
)
def test_sections_that_cannot_be_are_refused(two_stores: Any, play: Any, settings: tuple[str, ...], told: str) -> None:
    with pytest.raises(InputError, match=told):
        play(two_stores(*settings))


def test_an_order_picked_in_parts_is_picked_twice_only_where_its_message_comes_twice(
    two_stores: Any, play: Any
) -> None:
    settings = (*LARGE, "policies.picking=by_zone(sections=3)", "pickers.per_store=9")
    bus = "platform.bus={{duplicates: 0.3, loss: 0.0, deduplicate: {}}}"
    once, twice = (play(two_stores(*settings, bus.format(known))) for known in ("true", "false"))
    begun = np.unique(once.rows("pick_started")["order"], return_counts=True)[1]
    assert (begun > 1).sum() > 20
    assert once.study.summary["platform"]["bus"]["picked_twice"] == 0
    assert twice.study.summary["platform"]["bus"]["picked_twice"] > 20
