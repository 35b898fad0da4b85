"""What pickers' time goes into: stages that add up to it, and what others in the same aisle cost."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from sim.engine import policies_of
from sim.laws import all_laws, verdict
from sim.metrics.picks import STAGES
from sim.opening import ready_world
from sim.operations import pace
from sim.operations.walks import walks_of
from sim.story import Story
from sim.vocabulary import PickStage
from tests.conftest import Played, lawful_day

AISLES = (
    "stores.layout={levels: 1, zones: {frozen: {aisles: 1, enter_s: 8}, chilled: {aisles: 2}}}", "catalogue.skus=300",
    "drivers.count=60", "stores.inaccurate_share=0.8", "stores.inaccurate_units=20", "supply.cover_days=0.1",
    "customers.patience_s=3000",
)  # fmt: skip
CALM = ("pickers.noise=none", "stores.inaccurate_share=0", "stores.layout.blocking=0", "supply.cover_days=5")
HANDS = ("pickers.per_line_s=9", "pickers.per_unit_s=3", "pickers.pack_share=0.25")


def stages_of(day: Played) -> dict[str, float]:
    return dict(day.study.summary["floor"]["pick_stages_s"])


def picked_s(day: Played) -> tuple[float, int]:
    """Seconds that pickers had orders in hand, on tours that are over, and of how many orders; by plain loops."""
    in_hand: dict[int, set[int]] = defaultdict(set)
    begun: dict[int, float] = {}
    total, orders, mine = 0.0, set(), defaultdict(set)
    started, ended = day.rows("pick_started"), day.rows("pick_ended")
    seqs = [*day.archive.seq("pick_started").tolist(), *day.archive.seq("pick_ended").tolist()]
    rows = [(row, True) for row in started] + [(row, False) for row in ended]
    for _, (row, begins) in sorted(zip(seqs, rows, strict=True), key=lambda pair: pair[0]):
        picker, order, t_s = int(row["picker"]), int(row["order"]), float(row["t_s"])
        if begins:
            begun.setdefault(picker, t_s)
            in_hand[picker].add(order)
            mine[picker].add(order)
            continue
        in_hand[picker].discard(order)
        if not in_hand[picker]:
            total += t_s - begun.pop(picker)
            orders |= mine.pop(picker)
    return total, len(orders)


@pytest.mark.parametrize("drain_h", [0, 2])
@pytest.mark.parametrize(
    "policy", ["fifo", "earliest_due", "batch", "wave(every_s=120)", "with_driver", "by_zone(sections=3)"]
)
@pytest.mark.parametrize(
    "more",
    [
        (),
        ("policies.substitution=ask", "stores.packing={stations: 1, room: 2, base_s: 60}", "stores.counter_room=4"),
        ("pickers.new_share=0.5", "faults=[{kind: scanner_failure, at: '12:30', minutes: 10}]", "pickers.per_store=9"),
    ],
)
def test_the_stages_add_up_to_the_pickers_time(
    two_stores: Any, play: Any, policy: str, more: tuple[str, ...], drain_h: float
) -> None:
    day = lawful_day(play, two_stores(*AISLES, f"policies.picking={policy}", f"drain_h={drain_h}", *more))
    found, (total, orders) = stages_of(day), picked_s(day)
    assert tuple(found) == STAGES
    assert orders > 50
    assert sum(found.values()) == pytest.approx(total / orders, rel=1e-9)
    assert min(found.values()) >= -1e-6
    for stage in ("setup", "walking", "zones", "handling", "congestion", "looking", "counting"):
        assert found[stage] > 0, stage


def test_each_stage_is_what_the_scenario_says(two_stores: Any, play: Any) -> None:
    """Without noise and without others in the way, of an order picked by itself."""
    day = play(two_stores(*AISLES, *CALM, "pickers.base_s=40", *HANDS))
    found, ended = stages_of(day), day.rows("pick_ended")
    assert day.rows("line_missing").size == 0
    assert found["setup"] == pytest.approx(30.0)
    assert found["packing"] == pytest.approx(10.0)
    orders, trace = ended["order"], day.world.trace
    walks = walks_of(day.world, policies_of(day.world.scenario))
    assert walks is not None
    walked = np.array(walks.order_s) - walks.zones_s
    np.testing.assert_allclose(ended["walk_s"], walked[orders], atol=1e-5)
    np.testing.assert_allclose(ended["zones_s"], walks.zones_s[orders], atol=1e-5)
    lines = np.diff(trace.first_line)[orders]
    units = np.add.reduceat(trace.units, trace.first_line[:-1])[orders]
    assert found["handling"] + found["looking"] == pytest.approx((9 * lines + 3 * units).mean(), abs=1e-3)
    assert found["congestion"] == found["waiting"] == 0


def test_who_is_slow_is_slow_in_every_stage(two_stores: Any, play: Any) -> None:
    calm = (*AISLES, *CALM, "pickers.per_store=30", "pickers.noise=none")
    usual = stages_of(play(two_stores(*calm)))
    slow = stages_of(play(two_stores(*calm, "pickers.new_share=1", "pickers.new_slower=1", "pickers.learn_days=1e9")))
    for stage in ("setup", "walking", "zones", "handling", "packing"):
        assert slow[stage] == pytest.approx(2 * usual[stage], rel=1e-6)


def test_the_stages_of_benches_are_told_apart(two_stores: Any, play: Any) -> None:
    stations = "stores.packing={stations: 1, room: 1, base_s: 90, per_unit_s: 0}"
    packed = play(two_stores(*AISLES, *CALM, stations, "pickers.per_store=20"))
    found, own = stages_of(packed), packed.rows("order_brought")
    pack_s = packed.world.trace.pack_s[own["order"][~own["room"]]]
    assert len(pack_s) > 10
    assert found["packing"] == pytest.approx(pack_s.sum() / len(packed.rows("pick_ended")), abs=0.5)
    full = stages_of(play(two_stores(*AISLES, *CALM, "stores.counter_room=1", "drivers.count=8")))
    assert full["waiting"] > 10
    asked = stages_of(play(two_stores(*AISLES, "policies.substitution=ask", "pickers.per_store=20")))
    refund = stages_of(play(two_stores(*AISLES, "policies.substitution=refund", "pickers.per_store=20")))
    assert refund["waiting"] == 0 < asked["waiting"]
    assert refund["looking"] < asked["looking"], "who brings something else fetches it"


# -- others in the aisles --------------------------------------------------------------------------------------------


def test_more_pickers_in_a_narrow_store_stand_in_each_others_way(two_stores: Any, play: Any) -> None:
    """With orders enough for all of them, what others cost an order grows with their number; wider stores have it easier."""
    narrow = "stores.layout={aisles: 3, length_m: 60, levels: 1, blocking: 0.1}"
    wide = narrow.replace("aisles: 3", "aisles: 12").replace("length_m: 60", "length_m: 15")

    def lost(layout: str, pickers: int) -> float:
        settings = (layout, "catalogue.skus=300", "demand.orders_per_day=8000", "policies.slotting=at_random")
        return stages_of(play(two_stores(*settings, f"pickers.per_store={pickers}", "drivers.count=200")))["congestion"]

    few, some, many = (lost(narrow, pickers) for pickers in (2, 6, 12))
    assert 0 < few < some < many
    assert some == pytest.approx(5 * few, rel=0.25), "five others are five times one other"
    assert lost(wide, 6) < 0.6 * some


def test_where_most_lines_lie_in_one_aisle_pickers_meet(two_stores: Any, play: Any) -> None:
    settings = ("stores.layout={aisles: 6, levels: 1, length_m: 25}", "catalogue.skus=300", "drivers.count=60")
    world = ready_world(two_stores(*settings, "policies.slotting=by_popularity"))
    met = {}
    for slotting in ("by_popularity", "at_random"):
        scenario = two_stores(*settings, f"policies.slotting={slotting}")
        walks = walks_of(world, policies_of(scenario))
        assert walks is not None
        met[slotting] = float(walks.order_met.mean())
    assert 1 / 6 < met["at_random"] < met["by_popularity"] < 1


def test_each_pick_is_slowed_by_those_at_work_when_it_begins(one_store: Any, play: Any) -> None:
    day = play(
        one_store(
            "stores.layout={levels: 1, blocking: 0.2}",
            "pickers.noise=none",
            "demand.orders_per_day=3000",
            "seed=3",
            "stores.inaccurate_share=0",
            "supply.cover_days=5",
        )
    )
    walks = walks_of(day.world, policies_of(day.world.scenario))
    assert walks is not None
    begun, ended = day.rows("pick_started"), day.rows("pick_ended")
    seq_begun, seq_ended = day.archive.seq("pick_started"), day.archive.seq("pick_ended")
    end_of = {int(row["order"]): row for row in ended}
    pickers, seen = day.world.scenario.pickers, set()
    for row, at in zip(begun, seq_begun.tolist(), strict=True):
        others = int((seq_begun < at).sum() - (seq_ended < at).sum())
        order = int(row["order"])
        done = end_of[order]
        lines = slice(day.world.trace.first_line[order], day.world.trace.first_line[order + 1])
        if (day.rows("line_missing")["order"] == order).any():
            continue
        units = int(day.world.trace.units[lines].sum())
        count = lines.stop - lines.start
        aisles_s = done["walk_s"] + pickers.per_line_s * count + pickers.per_unit_s * units
        expected = 0.2 * others * float(walks.order_met[order]) * float(aisles_s)
        assert done["crowd_s"] == pytest.approx(expected, abs=1e-3)
        assert done["t_s"] - row["t_s"] == pytest.approx(pickers.base_s + aisles_s + done["crowd_s"], abs=1e-5)
        seen.add(others)
    assert seen == {0, 1, 2, 3}


def test_who_stays_in_a_section_meets_those_of_the_section(two_stores: Any, play: Any) -> None:
    """One picker for each section has it alone; the same two pickers without sections meet."""
    settings = (*AISLES, "pickers.per_store=2", "policies.slotting=at_random", "demand.orders_per_day=1200")
    alone = {}
    for policy in ("fifo", "by_zone(sections=2)"):
        ended = play(two_stores(*settings, f"policies.picking={policy}")).rows("pick_ended")
        alone[policy] = float((ended["crowd_s"] == 0).mean())
    assert alone["by_zone(sections=2)"] > 1.2 * alone["fifo"], "but for those who help in the other section"


def test_a_law_says_when_more_is_told_than_was_spent(two_stores: Any, play: Any, monkeypatch: Any) -> None:
    """The mutant logs what a picker spends on counting a hundred times as long as it was."""

    def boasting(env: Any, facts: Any, order: Any, picker: Any, stage: PickStage, spent_s: float) -> Story:
        yield from pace.spend(env, facts, order, picker, stage, spent_s)
        facts.stage_spent(picker=picker, pick_stage=stage, spent_s=100.0 * spent_s, order=order)

    monkeypatch.setattr("sim.operations.picking.spend", boasting)
    world = ready_world(two_stores(*AISLES))
    laws = all_laws(world)
    play(world, laws=laws)
    assert {breach.law for breach in verdict(laws)} == {"people"}
