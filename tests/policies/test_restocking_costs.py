"""Restocking by cost: the exact (s, S) against chains and known optima, Harris's quantity, and what both save in a store."""

from math import sqrt
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson

from policies.replenishment.eoq import economic_quantity
from policies.replenishment.s_s_optimal import Levels, SSOptimal, best_levels
from policies.replenishment.s_s_optimal import demand as demand_of
from sim.menu import build_policy
from sim.scenario import load
from sim.vocabulary import InputError


def policy(spec: str) -> Any:
    return build_policy("replenishment", spec, "test", allow_code=False)


def view(daily: Any, on_hand: Any = 0, on_order: Any = 0, lead_time_s: float = 0.0) -> Any:
    daily = np.asarray(daily, dtype=float)
    there, coming = (np.broadcast_to(np.asarray(x, dtype=np.int64), daily.shape) for x in (on_hand, on_order))
    return SimpleNamespace(
        now_s=0.0, store=0, daily_demand=daily, on_hand=there, on_order=coming, lead_time_s=lead_time_s
    )


# -- the search ---------------------------------------------------------------------------------------------------------

PUBLISHED = {
    10: (6, 40, 35.022), 15: (10, 49, 42.698), 20: (14, 62, 49.173), 21: (15, 65, 50.406), 22: (16, 68, 51.632),
    23: (17, 52, 52.757), 24: (18, 54, 53.518), 25: (19, 56, 54.262), 30: (23, 66, 57.819), 35: (28, 77, 61.215),
    40: (33, 87, 64.512), 45: (37, 97, 67.776), 50: (42, 108, 70.975), 51: (43, 110, 71.611), 52: (44, 112, 72.246),
    55: (47, 118, 74.149), 59: (51, 126, 76.679), 60: (52, 129, 77.306), 61: (52, 131, 77.929), 63: (54, 73, 78.287),
    64: (55, 74, 78.402), 65: (56, 75, 78.518), 70: (62, 81, 79.037), 75: (67, 86, 79.554),
}  # fmt: skip
"""Zheng, Federgruen (1991), table 1: K = 64, h = 1, p = 9, Poisson demand by its mean, no lead time."""


@pytest.mark.parametrize("mean", PUBLISHED)
def test_the_published_optima(mean: int) -> None:
    found = best_levels(64.0, 1.0, 9.0, demand_of(mean), demand_of(mean))
    low, high, cost = PUBLISHED[mean]
    assert found[:2] == (low, high)
    assert found.cost == pytest.approx(cost, abs=0.0006)


def test_known_costs_to_six_places() -> None:
    """Poisson(6), K = 5, h = 1, p = 4 (Snyder, Shen, *Fundamentals of Supply Chain Theory*, 2nd ed., example 4.7)."""
    assert best_levels(5.0, 1.0, 4.0, demand_of(6), demand_of(6)) == (4, 10, pytest.approx(8.034112, abs=1e-6))
    assert best_levels(64.0, 1.0, 9.0, demand_of(10), demand_of(10)) == (6, 40, pytest.approx(35.021555, abs=1e-6))


def chain_cost(low: int, high: int, order: float, holding: float, penalty: float, period: Any, exposure: Any) -> float:
    """Cost a period of an (s, S) by the stationary distribution of the position after the review."""
    positions = np.arange(low + 1, high + 1)
    moves, orders = np.zeros((len(positions), len(positions))), np.zeros(len(positions))
    for i, position in enumerate(positions):
        for demand, chance in enumerate(period):
            if position - demand <= low:
                moves[i, -1] += chance
                orders[i] += chance
            else:
                moves[i, position - demand - low - 1] += chance
    equations = np.vstack([moves.T - np.eye(len(positions)), np.ones(len(positions))])
    share = np.linalg.lstsq(equations, np.append(np.zeros(len(positions)), 1.0), rcond=None)[0]
    rest = positions[:, None] - np.arange(len(exposure))
    ends = (holding * np.maximum(rest, 0) + penalty * np.maximum(-rest, 0)) @ exposure
    return float(share @ (order * orders + ends))


@settings(max_examples=40, deadline=None)
@given(
    weights=st.lists(st.integers(0, 9), min_size=2, max_size=4).filter(lambda w: sum(w[1:]) > 0),
    lead=st.integers(0, 2),
    order=st.floats(0, 8),
    holding=st.floats(0.2, 2),
    penalty=st.floats(1, 10),
    floor=st.sampled_from([None, 0, 3]),
)
def test_no_other_s_and_big_s_cost_less(
    weights: list[int], lead: int, order: float, holding: float, penalty: float, floor: int | None
) -> None:
    period = np.array(weights) / sum(weights)
    exposure = np.ones(1)
    for _ in range(lead + 1):
        exposure = np.convolve(exposure, period)
    found = best_levels(order, holding, penalty, period, exposure, low_min=floor)
    lowest, highest = -12 if floor is None else floor, 28
    assert lowest <= found.low < found.high < highest, "the box was chosen to hold every optimum"
    costs = {
        (low, high): chain_cost(low, high, order, holding, penalty, period, exposure)
        for low in range(lowest, highest)
        for high in range(low + 1, highest + 1)
    }
    assert costs[found.low, found.high] == pytest.approx(found.cost, abs=1e-8)
    assert found.cost <= min(costs.values()) + 1e-8


@pytest.mark.parametrize("lead", [0, 1, 3])
def test_the_cost_is_what_a_warehouse_pays_that_owes_what_is_short(lead: int) -> None:
    """Each period: review, the arrival of what was ordered `lead` periods ago, demand, costs. No formula in sight."""
    mean, order, holding, penalty = 3.0, 6.0, 0.5, 5.0
    found = best_levels(order, holding, penalty, demand_of(mean), demand_of(mean * (lead + 1)))
    rng, rows = np.random.default_rng(4), 2000
    stock, pipeline = np.full(rows, found.high), [np.zeros(rows, dtype=np.int64) for _ in range(lead)]
    paid = np.zeros(rows)
    for step in range(400):
        position = stock + sum(pipeline)
        pipeline.append(np.where(position <= found.low, found.high - position, 0))
        bill = order * (pipeline[-1] > 0)
        stock = stock + pipeline.pop(0) - rng.poisson(mean, rows)
        bill = bill + holding * np.maximum(stock, 0) + penalty * np.maximum(-stock, 0)
        paid += bill if step >= 100 else 0.0
    paid /= 300
    assert abs(paid.mean() - found.cost) < 4 * paid.std() / sqrt(rows)


@pytest.mark.parametrize("cost", [0.5, 3.0, 40.0])
def test_nothing_to_pay_for_an_order_makes_a_base_stock_and_more_to_pay_makes_rarer_orders(cost: float) -> None:
    period, exposure = demand_of(4), demand_of(10)
    base = best_levels(0.0, 1.0, 9.0, period, exposure)
    assert base.high == base.low + 1 == np.searchsorted(np.cumsum(exposure), 0.9)
    dearer = [best_levels(k, 1.0, 9.0, period, exposure) for k in (cost, 2 * cost)]
    assert dearer[0].high - dearer[0].low <= dearer[1].high - dearer[1].low
    assert base.cost < dearer[0].cost < dearer[1].cost < dearer[0].cost + cost


@pytest.mark.parametrize(("mean", "ratio"), [(0.01, 1.0), (6.0, 1.0), (2.5, 1.8), (40.0, 5.0), (2000.0, 1.5)])
def test_demand_has_its_mean_its_variance_and_sums_of_its_own_kind(mean: float, ratio: float) -> None:
    one = demand_of(mean, ratio)
    units = np.arange(len(one))
    assert units @ one == pytest.approx(mean)
    assert (units - mean) ** 2 @ one == pytest.approx(ratio * mean)
    two, sums = np.convolve(one, one), demand_of(2 * mean, ratio)
    np.testing.assert_allclose(two[: len(sums)], sums[: len(two)], atol=1e-12)
    law = poisson(mean) if ratio == 1 else nbinom(mean / (ratio - 1), 1 / ratio)
    np.testing.assert_allclose(one, law.pmf(units), atol=1e-12)


def test_a_demand_that_never_comes_has_no_best_policy() -> None:
    with pytest.raises(ValueError, match="Expected demand in some periods, got none with probability 1"):
        best_levels(1.0, 1.0, 1.0, np.ones(1), np.ones(1))


# -- the policies on the menu -------------------------------------------------------------------------------------------


def test_s_s_optimal_orders_at_s_and_below_up_to_the_best_levels() -> None:
    """Two periods of half a day in the lead time of a day: of 6 units a period the exposure is 18."""
    spec = "s_s_optimal(every_s=43200, order_cost=5, holding_cost_per_unit_day=2, stockout_cost_per_unit=4)"
    daily = 1.01 ** np.rint(np.log(12.0) / np.log(1.01))
    best = best_levels(5.0, 1.0, 4.0, demand_of(daily / 2), demand_of(1.5 * daily))
    at = np.array([best.low + 1, best.low, best.low - 4, best.low - 4, 0])
    wanted = policy(spec)(view(np.full(5, 12.0), at, [0, 0, 0, 5, 0], lead_time_s=86_400.0))
    assert wanted.tolist() == [0, best.high - best.low, best.high - best.low + 4, 0, best.high]
    assert wanted.dtype == np.int64


def test_s_is_never_below_nothing_and_what_never_sells_is_kept_at_one() -> None:
    dear = SSOptimal(order_cost=50.0, holding_cost_per_unit_day=1.0, stockout_cost_per_unit=0.1)
    low, high = dear.levels(np.array([0.0, 1e-9, 0.01, 1.0]), 0.0)
    assert low.tolist() == [0, 0, 0, 0]
    assert high[:2].tolist() == [1, 1]
    assert (high > low).all()


def test_rounding_the_demand_to_steps_of_one_percent_costs_next_to_nothing() -> None:
    shop = SSOptimal()
    for daily in (0.05, 0.7, 3.3, 27.0, 180.0):
        period, exposure = demand_of(daily), demand_of(daily * 7 / 6)
        exact = best_levels(0.25, 0.01, 1.0, period, exposure, low_min=0)
        low, high = (int(x[0]) for x in shop.levels(np.array([daily]), 4 * 3600.0))
        assert chain_cost(low, high, 0.25, 0.01, 1.0, period, exposure) < 1.001 * exact.cost


def test_thousands_of_skus_take_some_hundred_searches_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import policies.replenishment.s_s_optimal as module

    searches: list[Levels] = []

    def counted(*args: Any, **named: Any) -> Levels:
        searches.append(best_levels(*args, **named))
        return searches[-1]

    monkeypatch.setattr(module, "best_levels", counted)
    shop = SSOptimal(order_cost=0.2500001)  # costs that nobody else asked about
    daily = 60.0 / np.arange(1, 4001) ** 0.9
    for _store in range(6):
        shop(view(daily, lead_time_s=14_400.3))
    assert 0 < len(searches) < 800


@pytest.mark.parametrize("order", [0.0, 0.01, 1.0, 7.3, 400.0])
def test_the_economic_quantity_is_the_whole_number_of_least_cost(order: float) -> None:
    demand, holding, quantity = np.array([0.0, 0.3, 2.0, 13.0, 90.0]), 0.05, np.arange(1, 5000)
    costs = order * demand[:, None] / quantity + holding * quantity / 2
    assert economic_quantity(order, holding, demand).tolist() == quantity[costs.argmin(axis=1)].tolist()


def test_the_economic_quantity_is_harris_square_root_and_the_cost_is_flat_about_it() -> None:
    """K = 8, D = 1300, h = 0.225: Q = 304.05, cost 68.41 (Snyder, Shen, 2nd ed., example 3.1); at sqrt 2 times Q, 6.1 % more."""
    order, holding, demand = 8.0, 0.225, 1300.0
    best = sqrt(2 * order * demand / holding)
    assert best == pytest.approx(304.05, abs=0.005)
    assert economic_quantity(order, holding, np.array([demand])).tolist() == [304]

    def cost(quantity: float) -> float:
        return order * demand / quantity + holding * quantity / 2

    assert cost(best) == pytest.approx(68.41, abs=0.005)
    assert cost(best) == pytest.approx(sqrt(2 * order * holding * demand))
    for factor in (0.5, 1 / 1.41, 1.0, 1.41, 2.0):
        assert cost(factor * best) / cost(best) == pytest.approx((factor + 1 / factor) / 2)
    assert cost(1.41 * best) < 1.061 * cost(best)


def test_eoq_orders_the_quantity_at_the_reorder_point_and_more_of_them_below_it() -> None:
    # Review and lead: a day, 5 units; the point is ceil(5 + 2 sqrt 5) = 10, Q = sqrt(2 x 3.6 x 5) = 6.
    spec = "eoq(every_s=43200, z=2, order_cost=3.6, holding_cost_per_unit_day=1)"
    wanted = policy(spec)(view(np.full(5, 5.0), [11, 10, 5, 4, 0], [0, 0, 0, 0, 11], lead_time_s=43_200.0))
    assert wanted.tolist() == [0, 6, 6, 12, 0]
    assert wanted.dtype == np.int64


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ("eoq(order_cost=-1)", "order_cost"),
        ("eoq(order_cost=1e300)", "order_cost"),
        ("s_s_optimal(order_cost=101, holding_cost_per_unit_day=0.01)", "order_cost"),
        ("s_s_optimal(stockout_cost_per_unit=10001, holding_cost_per_unit_day=0.01)", "stockout_cost_per_unit"),
        ("s_s_optimal(variance_to_mean=0.9)", "1 <= variance_to_mean"),
    ],
)
def test_costs_that_make_no_sense_are_refused(spec: str, field: str) -> None:
    with pytest.raises(InputError, match=f"Expected {field}"):
        policy(spec)


# -- what they save -----------------------------------------------------------------------------------------------------

ORDER, HOLDING, SHORT = 0.25, 0.01, 1.0


def cost_a_day(spec: str, daily: Any, days: int = 900) -> float:
    """What a store pays a day and SKU that is reviewed at night, has the truck before it opens, and loses what is short."""
    decide, rng = policy(spec), np.random.default_rng(12)
    stock, paid = np.ceil(daily * 2 + 3).astype(np.int64), 0.0
    for day in range(days + 100):
        wanted = decide(view(daily, stock, 0, lead_time_s=4 * 3600.0))
        stock = stock + wanted
        demand = rng.poisson(daily)
        left = np.maximum(stock - demand, 0)
        bill = ORDER * np.count_nonzero(wanted) + HOLDING * left.sum() + SHORT * np.maximum(demand - stock, 0).sum()
        paid += float(bill) if day >= 100 else 0.0
        stock = left
    return paid / days / len(daily)


def test_the_best_s_and_big_s_cost_less_than_the_default_the_quantity_and_any_cycle() -> None:
    daily = 8.0 / np.arange(1, 201) ** 0.6
    own = cost_a_day("s_s_optimal", daily)
    default, quantity = cost_a_day("order_up_to", daily), cost_a_day("eoq", daily)
    assert own < quantity < default
    assert own < 0.7 * default
    for days in (2.0, 5.0, 10.0):
        assert own < cost_a_day(f"s_s(cycle_days={days}, z=1.64, units_min=1)", daily)


ALL_DAY = "shifts: [{at: '12:00', hours: 12, share: 0.5}, {at: '00:00', hours: 12, share: 0.5}]"
HALF_DAY_S = 43_200.0


def paid(played: Any, order: float, holding: float, short: float) -> float:
    """What half a day of a played store cost by its log: lines ordered, stock on shelves over time, units not served."""
    units, at_s = [], []
    for kind, sign in (("shelf_changed", 1), ("goods_picked", -1), ("goods_put_back", 1)):
        rows = played.rows(kind)
        units.append(sign * rows["units"].astype(np.int64))
        at_s.append(rows["t_s"])
    change, when = np.concatenate(units), np.concatenate(at_s)
    opening = int(played.outcome.state.shelf.sum()) - int(change.sum())
    in_time = when < HALF_DAY_S
    unit_s = opening * HALF_DAY_S + float(change[in_time] @ (HALF_DAY_S - when[in_time]))
    ordered = played.rows("supply_ordered")
    lines = int(ordered["lines"][ordered["t_s"] < HALF_DAY_S].sum())
    missed = float(played.world.trace.units.sum()) * (1.0 - played.study.summary["fill_rate"])
    return order * lines + holding * unit_s / 86_400.0 + short * missed


@pytest.mark.parametrize("seed", [1, 2])
def test_in_a_played_store_both_cost_less_than_the_default_and_least_who_knows_the_baskets(
    one_store: Any, play: Any, seed: int
) -> None:
    """Reviews each quarter of an hour, so that half a day holds many orders of a line; costs are made to that measure.

    Customers take several units of a SKU at once, so demand is wider than Poisson's, and it pays to know that.
    """

    def bill(spec: str, short: float = 6.0) -> float:
        shop = one_store(
            f"seed={seed}", "horizon_h=12", "stores.inaccurate_share=0", "pickers.mispick_share=0",
            f"policies.replenishment={spec}", f"pickers={{per_store: 8, {ALL_DAY}}}", f"drivers={{count: 16, {ALL_DAY}}}",
            "supply={review_at: '12:00', lead_h: 0.25, cover_days: 0.05, units_min: 2, late_share: 0, miscount_share: 0}",
        )  # fmt: skip
        return paid(play(shop), 1.0, 4.0, short)

    costs = "every_s=900, order_cost=1, holding_cost_per_unit_day=4"
    ratio = 2 * one_store().demand.basket.units_mean - 1
    default, quantity = bill("order_up_to(every_s=900)"), bill(f"eoq({costs})")
    narrow = bill(f"s_s_optimal({costs}, stockout_cost_per_unit=6)")
    wide = bill(f"s_s_optimal({costs}, stockout_cost_per_unit=6, variance_to_mean={ratio})")
    assert max(quantity, narrow, wide) < 0.75 * default
    assert wide < min(narrow, quantity)


def test_the_newsvendor_earns_more_where_goods_spoil(play: Any) -> None:
    """It asks what a unit left over costs; `order_up_to` asks for a service level and throws more away."""
    earned = {}
    for spec in ("order_up_to", "newsvendor"):
        summary = play(load("short-shelf-life", [f"policies.replenishment={spec}"])).study.summary
        kinds = summary["cost"]["by_kind"]
        earned[spec] = summary["goods"]["gross_margin_cents"] - kinds["waste"] - kinds["holding"]
        assert kinds["waste"] > 0
    assert earned["newsvendor"] > earned["order_up_to"]
