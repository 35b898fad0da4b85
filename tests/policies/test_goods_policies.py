"""Replenishment, picking and reconciliation on the menu, beyond the defaults: what each decides, and what it is good for."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.contracts import CountView, ShortPick
from sim.menu import build_policy
from sim.scenario import load
from sim.vocabulary import InputError, OrderState, SkuId, StoreId


def policy(family: str, spec: str) -> Any:
    return build_policy(family, spec, "test", allow_code=False)


def count_view(demand: Any, *, day: int = 3, recorded: Any = 1, idle_days: Any = 0.0) -> CountView:
    n = len(demand)
    return CountView(StoreId(0), day, demand, np.broadcast_to(recorded, n), np.broadcast_to(idle_days, n))


def view(on_hand: list[int], on_order: list[int], daily: float = 5.0) -> Any:
    return SimpleNamespace(
        now_s=0.0, store=0, lead_time_s=43_200.0, on_hand=np.array(on_hand), on_order=np.array(on_order),
        daily_demand=np.full(len(on_hand), daily),
    )  # fmt: skip


def test_nothing_orders_nothing() -> None:
    assert policy("replenishment", "nothing")(view([0, 5], [0, 0])).tolist() == [0, 0]


def test_s_s_leaves_alone_what_is_above_s_and_fills_the_rest_up_to_the_same_level() -> None:
    # Review and lead: a day, 5 units; s = ceil(5 + 2 sqrt 5) = 10, S = 10 + 3 x 5.
    wanted = policy("replenishment", "s_s(every_s=43200, z=2, cycle_days=3)")(view([0, 4, 10, 11, 2], [0, 6, 0, 0, 9]))
    assert wanted.tolist() == [25, 15, 15, 0, 0]
    assert policy("replenishment", "s_s(units_min=4, cycle_days=0)")(view([4, 5], [0, 0], 0.0)).tolist() == [1, 0]


def test_r_q_orders_the_fewest_packs_that_lift_the_position_above_the_reorder_point() -> None:
    wanted = policy("replenishment", "r_q(every_s=43200, z=2, pack=6)")(view([10, 11, 5, 4, 0], [0, 0, 0, 0, 11]))
    assert wanted.tolist() == [6, 0, 6, 12, 0]  # the point is 10
    assert policy("replenishment", "r_q(every_s=43200, z=2, pack=1)")(view([3], [0])).tolist() == [8]


def test_newsvendor_orders_up_to_the_critical_fractile() -> None:
    """h = 0.18, p = 0.70, demand N(50, 8): best stock 56.60, cost 1.9976 (hundredths of a unit are units here)."""
    spec = "newsvendor(every_s=43200, holding=0.18, penalty=0.70, cv=0.16)"
    best = int(policy("replenishment", spec)(view([0], [0], 5000.0))[0])
    assert best / 100 == pytest.approx(56.60, abs=0.005)
    demand = np.random.default_rng(5).normal(50.0, 8.0, 1_000_000)

    def cost(stock: float) -> tuple[float, float]:
        each = 0.18 * np.maximum(stock - demand, 0) + 0.70 * np.maximum(demand - stock, 0)
        return float(each.mean()), float(each.std()) / 1000.0

    mean, error = cost(best / 100)
    assert abs(mean - 1.9976) < 4 * error
    assert mean < min(cost(best / 100 - 2)[0], cost(best / 100 + 2)[0])
    # Of slow movers Poisson's own spread decides, and what is there or on its way is not ordered again.
    wanted = policy("replenishment", "newsvendor(every_s=43200, holding=1, penalty=1, cv=0)")(view([0, 3], [0, 1], 5.0))
    assert wanted.tolist() == [5, 1]


SCARCE = (
    "supply={review_at: '12:15', lead_h: 0.25, cover_days: 0.05, units_min: 2}", "stores.inaccurate_share=0",
    "pickers.mispick_share=0",
)  # fmt: skip


def restocked(one_store: Any, play: Any, spec: str) -> Any:
    return play(one_store(*SCARCE, f"policies.replenishment={spec}"))


def test_every_restocking_policy_fills_more_than_none_and_s_s_does_it_with_fewer_lines(
    one_store: Any, play: Any
) -> None:
    runs = {
        name: restocked(one_store, play, spec)
        for name, spec in {
            "nothing": "nothing",
            "default": "order_up_to(every_s=900)",
            "s_s": "s_s(every_s=900, cycle_days=0.1)",
            "r_q": "r_q(every_s=900, pack=4)",
            "newsvendor": "newsvendor(every_s=900)",
        }.items()
    }
    filled = {name: run.study.summary["fill_rate"] for name, run in runs.items()}
    lines = {name: int(run.rows("supply_ordered")["lines"].sum()) for name, run in runs.items()}
    units = {name: int(run.rows("supply_ordered")["units"].sum()) for name, run in runs.items()}
    assert lines["nothing"] == 0
    assert all(filled[name] > filled["nothing"] + 0.02 for name in ("default", "s_s", "r_q", "newsvendor"))
    assert lines["s_s"] < 0.9 * lines["default"], "each line orders for longer"
    assert units["r_q"] % 4 == 0


def test_never_leaves_the_records_as_wrong_as_they_are(one_store: Any, play: Any) -> None:
    settings = ("stores={inaccurate_share: 0.6, inaccurate_units: 4}", "supply={cover_days: 0.03, units_min: 2}")
    runs = [play(one_store(*settings, f"policies.reconciliation={spec}")) for spec in ("never", "count_on_short_pick")]
    never, counted = (run.study.summary["drift"]["units_abs"] for run in runs)
    assert [len(run.rows("shelf_counted")) > 0 for run in runs] == [False, True]
    assert never > counted


def test_earliest_due_takes_the_earliest_promise_and_of_equals_the_one_who_waited_longest() -> None:
    decide = policy("picking", "earliest_due")
    queue = [SimpleNamespace(promised_s=at_s) for at_s in (9.0, 5.0, 7.0, 5.0)]
    assert decide(SimpleNamespace(now_s=0.0, waiting=queue)) == 1
    assert decide(SimpleNamespace(now_s=0.0, waiting=[])) is None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_earliest_due_makes_the_latest_order_less_late_when_pickers_are_few(
    one_store: Any, play: Any, seed: int
) -> None:
    # A queue, and rides of very different lengths, so that promises are not in the order of age.
    def worst_s(spec: str) -> float:
        orders = play(
            one_store(
                f"seed={seed}", "map.width_m=6000", "map.height_m=6000", "map.speed_kmh=12", "pickers.per_store=3",
                "pickers.noise=none", "drivers.count=60", f"policies.picking={spec}", "customers.patience_s=null",
            )
        ).study.orders  # fmt: skip
        packed = orders["state"] == OrderState.DELIVERED
        return float(np.nanmax((orders["packed_s"] - orders["promised_s"])[packed]))

    assert worst_s("earliest_due") < worst_s("fifo")


def test_abc_cycle_counts_each_sku_once_in_its_days() -> None:
    decide = policy("reconciliation", "abc_cycle(a_days=2, b_days=5, c_days=10)")
    demand = np.array([1.0, 50.0, 2.0, 30.0, 8.0, 5.0, 4.0, 0.0])
    times = np.zeros(8, dtype=int)
    for day in range(10):
        for sku in decide.plan(count_view(demand, day=day)):
            times[sku] += 1
    # In order of demand: 50, 30 (below 60 %: A), 8, 5 (below 90 %: B; 4 begins at 93 %), then C.
    assert times.tolist() == [1, 5, 1, 5, 2, 2, 1, 1]
    assert decide(ShortPick(StoreId(0), SkuId(1), 2, 0)) is True
    assert policy("reconciliation", "abc_cycle(on_short_pick=False)")(ShortPick(StoreId(0), SkuId(1), 2, 0)) is False


def test_counting_by_plan_saves_refunds_where_shelves_leak(play: Any) -> None:
    def after(spec: str) -> Any:
        return play(load("shrink", ["horizon_h=48", f"policies.reconciliation={spec}"])).study.summary

    waited, cycle, full = (
        after("count_on_short_pick"),
        after("abc_cycle(a_days=2, b_days=5, c_days=20)"),
        after("full_count"),
    )
    for better, worse in ((cycle, waited), (full, cycle)):
        assert better["drift"]["units_short"] < worse["drift"]["units_short"]
        assert better["drift"]["records_inaccurate_share"] < worse["drift"]["records_inaccurate_share"]
        assert better["cost"]["by_kind"]["counting"] > worse["cost"]["by_kind"]["counting"]


def test_full_count_counts_everything() -> None:
    decide = policy("reconciliation", "full_count(count_at='23:30')")
    assert decide.count_at == "23:30"
    assert decide.plan(count_view(np.ones(5))).tolist() == [0, 1, 2, 3, 4]


def test_what_is_silent_too_long_is_counted() -> None:
    """Half a unit a day in lines of two units: nothing for twenty days has a chance of exp(-5), below a hundredth."""
    decide = policy("reconciliation", "count_idle(chance_max=0.01, units_mean=2)")
    demand, idle = np.array([0.5, 0.5, 0.5, 0.0, 50.0]), np.array([20.0, 18.0, 20.0, 900.0, 0.2])
    assert decide.plan(count_view(demand, recorded=[3, 3, 0, 3, 3], idle_days=idle)).tolist() == [0, 4]


def test_looking_for_phantoms_sells_what_they_hid(play: Any) -> None:
    """Forty days: what nobody finds is on record for ever, unless somebody wonders why it does not sell."""
    two = ("horizon_h=960", "stores.count=2", "demand.orders_per_day=2400")
    found = {
        spec: play(load("months", [*two, f"policies.reconciliation={spec}"])).study.summary
        for spec in ("never", "count_idle(on_short_pick=False)", "count_on_short_pick", "count_idle", "full_count")
    }
    filled = {spec: summary["fill_rate"] for spec, summary in found.items()}
    phantoms = {spec: summary["drift"]["phantom_share"] for spec, summary in found.items()}
    assert filled["count_idle(on_short_pick=False)"] > filled["never"] + 0.005
    assert phantoms["count_idle(on_short_pick=False)"] < 0.8 * phantoms["never"]
    assert filled["count_idle"] > filled["count_on_short_pick"]
    assert phantoms["count_idle"] < phantoms["count_on_short_pick"]
    spent = {spec: summary["cost"]["by_kind"]["counting"] for spec, summary in found.items()}
    assert 0 < spent["count_idle"] < 0.01 * spent["full_count"]


@pytest.mark.parametrize("spec", ["full_count(count_at='24:00')", "abc_cycle(a_days=40)", "abc_cycle(a_share=0.95)"])
def test_a_plan_that_makes_no_sense_is_refused(spec: str) -> None:
    with pytest.raises(InputError, match=r"[Ee]xpected (count_at|1 <= a_days|0 <= a_share)"):
        policy("reconciliation", spec)
