"""Walking: where goods lie and how pickers go past them is a part of every pick."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim.engine import policies_of
from sim.operations.walks import LINES_MAX, expected_pick_s, walks_of
from sim.scenario import load
from sim.streams import Streams
from sim.vocabulary import InputError
from sim.world.build import build_world
from sim.world.walking import slots

LAYOUT = "stores.layout={aisles: 3, length_m: 10, pitch_m: 2, facing_m: 1, levels: 1}"
PLAIN = (
    "pickers.noise=none",
    "pickers.base_s=20",
    "pickers.per_line_s=5",
    "pickers.per_unit_s=1",
    "pickers.walk_m_s=2",
)


def test_a_pick_takes_the_walk_past_its_lines(two_stores: Any, play: Any) -> None:
    """Handling and the tour's length over the speed, worked out from the basket once more, order by order."""
    settings = ("stores.layout.blocking=0", "stores.inaccurate_share=0", "policies.slotting=by_aisle")
    day = play(two_stores(LAYOUT, *PLAIN, *settings))
    trace, world = day.world.trace, day.world
    # By aisle from the front: SKU 0 and 1 lie at half a metre, 2 and 3 at one and a half, twenty to an aisle.
    orders, checked = day.study.orders, 0
    for order, start, packed in zip(orders["order"], orders["pick_start_s"], orders["packed_s"], strict=True):
        lines = slice(trace.first_line[order], trace.first_line[order + 1])
        sku, units = trace.sku[lines], trace.units[lines]
        if np.isnan(packed) or (day.rows("line_missing")["order"] == order).any():
            continue
        aisles = np.unique(sku // 20)
        farthest = (sku[sku // 20 == aisles[-1]] % 20 // 2 + 0.5).max()
        odd = len(aisles) % 2
        metres = 2 * 2.0 * aisles[-1] + (len(aisles) - odd) * 10.0 + odd * 2.0 * farthest
        assert packed - start == pytest.approx(20 + 5 * len(sku) + units.sum() + metres / 2.0, abs=1e-5)
        checked += 1
    assert checked > 100
    assert world.scenario.stores.layout.slots == 60


def test_where_goods_lie_and_how_pickers_walk_shows_in_the_pick_time(play: Any) -> None:
    """Popularity beats chance by a fifth of the walk at least; no rule beats the shortest tour."""
    settings = ("horizon_h=2", "stores.burn_in_days=0", "stores.layout={aisles: 8, bench: 0, zones: {}}")
    mean = {}
    for slotting in ("by_popularity", "by_aisle", "by_category", "at_random"):
        for routing in ("s_shape", "largest_gap", "shortest"):
            scenario = load("small", [*settings, f"policies.slotting={slotting}", f"policies.routing={routing}"])
            walks = walks_of(build_world(scenario), policies_of(scenario))
            mean[slotting, routing] = float(np.array(walks.order_s).mean())
    for slotting in ("by_popularity", "by_aisle", "by_category", "at_random"):
        assert mean[slotting, "shortest"] < min(mean[slotting, routing] for routing in ("s_shape", "largest_gap"))
    for routing in ("s_shape", "largest_gap", "shortest"):
        assert mean["by_popularity", routing] < 0.8 * mean["at_random", routing]
        assert mean["by_category", routing] < mean["at_random", routing]
    assert mean["by_aisle", "s_shape"] < mean["by_popularity", "s_shape"], "what walks aisles wholly wants few of them"
    picked = {
        slotting: play(load("small", [*settings, f"policies.slotting={slotting}"])).study.summary["stages_s"]["pick"]
        for slotting in ("by_popularity", "at_random")
    }
    gain = mean["at_random", "s_shape"] - mean["by_popularity", "s_shape"]
    assert picked["at_random"] - picked["by_popularity"] == pytest.approx(gain, rel=0.25)


def test_larger_baskets_walk_less_a_line() -> None:
    """Twice the lines are not twice the walk: what batching lives on."""
    walks = walks_of(build_world(load("small")), policies_of(load("small")))
    means = [walks.expected_s(lines) for lines in range(LINES_MAX + 1)]
    assert means[0] == 0.0
    each = [means[lines] / lines for lines in (2, 4, 8, 16, 24)]
    assert sorted(each, reverse=True) == each
    assert means[8] < 0.8 * 2.0 * means[4]
    assert walks.expected_s(LINES_MAX + 50) == means[-1]


def test_the_platform_believes_the_mean(play: Any) -> None:
    """Promises are made from the expected pick time, which is right on average though no order's own."""
    scenario = load("small", ["stores.burn_in_days=0", "demand.orders_per_day=9000", "horizon_h=4"])
    world = build_world(scenario)
    walks = walks_of(world, policies_of(scenario))
    believed = expected_pick_s(world, walks)
    lines = np.diff(world.trace.first_line)
    walked = np.array(walks.order_s)
    handling = world.scenario.pickers.base_s + world.scenario.pickers.per_line_s * lines
    expected = np.array([believed(int(n), 0) for n in lines]) - handling
    assert expected.mean() == pytest.approx(walked.mean(), rel=0.03)


def test_goods_lie_where_they_lie_in_every_replication() -> None:
    scenario = load("small", ["policies.slotting=at_random"])
    one, other = (walks_of(build_world(scenario, Streams(1, r)), policies_of(scenario)) for r in (0, 1))
    assert [one.expected_s(n) for n in range(10)] == [other.expected_s(n) for n in range(10)]
    assert list(one.order_s[:20]) != list(other.order_s[:20])


def test_slots_are_places_in_aisles() -> None:
    layout = load("small").stores.layout
    assert layout is not None
    block, aisle, along = slots(layout)
    assert len(aisle) == len(along) == layout.slots >= 4000
    assert set(aisle.tolist()) == set(range(block.aisles))
    assert 0 < along.min() < along.max() < block.length_m
    place, count = np.unique(np.column_stack([aisle, along]), axis=0, return_counts=True)
    assert set(count.tolist()) == {2 * layout.levels}
    assert len(place) == block.aisles * 32


def test_without_a_layout_nobody_asks(two_stores: Any, play: Any) -> None:
    scenario = two_stores()
    silent: Any = None
    mute = replace(policies_of(scenario), slotting=silent, routing=silent)
    assert play(scenario, policies=mute).outcome.digest == play(scenario).outcome.digest


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("stores.layout={aisles: 1, length_m: 1}", r"stores.layout with slots for catalogue.skus .60., got 32 slots"),
        ("stores.layout={aisles: 2, bench: 2}", "bench: an aisle below 2, got 2"),
        ("stores.layout={facing_m: 20}", r"facing_m: at most length_m .16., got 20"),
        ("pickers.walk_m_s=0", "pickers.walk_m_s"),
    ],
)
def test_layouts_that_will_not_do(two_stores: Any, setting: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        two_stores(setting)


def test_policies_that_will_not_do(two_stores: Any, play: Any) -> None:
    scenario = two_stores(LAYOUT)
    ours = policies_of(scenario)
    few: Any = lambda view: np.arange(3)  # noqa: E731
    high: Any = lambda view: np.arange(60) + 1  # noqa: E731
    short: Any = lambda block, seen: np.zeros(seen.tours - 1)  # noqa: E731
    for broken, said in (
        (replace(ours, slotting=few), "a slot below 60 for each of 60 SKUs"),
        (replace(ours, slotting=high), "a slot below 60 for each of 60 SKUs"),
        (replace(ours, routing=short), "metres of .* tours, got an array of shape"),
    ):
        with pytest.raises(InputError, match=said):
            play(scenario, policies=broken)
