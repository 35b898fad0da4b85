"""(s, S) under daily review, played goods-only with customers who wait: the textbook's levels, and what they cost.

An order costs K = 5, a unit left at the end of a day h = 1, a unit owed then p = 4; 6 units a day are wanted (Poisson), and what
is ordered at the review is there at once (Snyder, Shen, *Fundamentals of Supply Chain Theory*, 2nd ed., example 4.7).
"""

from typing import Any

import numpy as np
import pytest
from scipy.stats import poisson

from tests.theory.bare_store import bare_store, by_day, check, interval

ORDER, HOLDING, PENALTY, A_DAY = 5.0, 1.0, 4.0, 6.0
SKUS, DAYS, WARM_DAYS = 1000, 120, 20
COST = 8.034112


def chain_cost(low: int, high: int) -> float:
    """Cost a day, by the stationary distribution of the stock after the review: the chain moves by a day's demand."""
    stocks, demand = np.arange(low + 1, high + 1), np.arange(60)
    chance = poisson.pmf(demand, A_DAY)
    after = stocks[:, None] - demand
    ordered = after <= low
    moves = np.zeros((len(stocks), len(stocks)))
    for row, (ends, orders) in enumerate(zip(after, ordered, strict=True)):
        np.add.at(moves[row], np.where(orders, high, ends) - low - 1, chance)
    share = np.linalg.matrix_power(moves, 1000)[0]
    day = ORDER * ordered + HOLDING * np.maximum(after, 0) + PENALTY * np.maximum(-after, 0)
    return float(share @ day @ chance)


def season(play: Any, rule: str) -> Any:
    """Customers come until midnight, the review is an hour later."""
    return play(
        bare_store(
            SKUS, A_DAY, DAYS, "unmet=backorder", "demand.step_minutes=1440", "supply.review_at='01:00'", "supply.lead_h=0",
            f"policies.replenishment={rule}",
        )
    )  # fmt: skip


def fixed(low: int, high: int) -> str:
    """A rule of so low and so high: without any safety, s is what is always shown."""
    return f"s_s(z=-10, units_min={low}, cycle_days={(high - low - 0.5) / A_DAY})"


def net(shop: Any) -> Any:
    """Stock less what customers wait for, at the end of each day, (skus, days): received less demanded."""
    came, sold, owed = (
        by_day(shop.rows(kind), SKUS, DAYS) for kind in ("shelf_changed", "goods_sold", "backorder_changed")
    )
    opening = shop.world.opening.shelf[0]
    return opening[:, None] + np.cumsum(came - sold - owed, axis=1)


def orders(shop: Any) -> Any:
    """Units ordered of each SKU on each day, at the review after it, (skus, days)."""
    moved = shop.rows("shelf_changed")
    came = by_day(moved[moved["t_s"] > 0], SKUS, DAYS)
    return np.concatenate([came[:, 1:], np.zeros((SKUS, 1))], axis=1)


def paid(shop: Any) -> Any:
    """What a day cost each SKU in the mean, (skus,)."""
    end = net(shop)
    day = ORDER * (orders(shop) > 0) + HOLDING * np.maximum(end, 0) + PENALTY * np.maximum(-end, 0)
    return day[:, WARM_DAYS:-1].mean(axis=1)


@pytest.fixture(scope="module")
def best(play: Any) -> Any:
    return season(
        play,
        f"s_s_optimal(order_cost={ORDER}, holding_cost_per_unit_day={HOLDING}, stockout_cost_per_unit={PENALTY})",
    )


def test_the_chain_by_hand() -> None:
    costs = {(low, high): chain_cost(low, high) for low in range(9) for high in range(low + 1, 20)}
    assert min(costs, key=lambda levels: costs[levels]) == (4, 10)
    assert costs[4, 10] == pytest.approx(COST, abs=1e-6)


def test_the_search_finds_4_and_10(best: Any) -> None:
    """What the store does is the rule (4, 10), day by day: at 4 or less it orders up to 10, else nothing."""
    end, ordered = net(best)[:, :-1], orders(best)[:, :-1]
    np.testing.assert_array_equal(ordered, np.where(end <= 4, 10 - end, 0))


def test_its_cost_is_that_of_the_chain(best: Any) -> None:
    check(paid(best), COST, within=0.01)
    assert best.rows("supply_ordered")["lines"].sum() == (best.rows("shelf_changed")["t_s"] > 0).sum()


@pytest.mark.parametrize(("low", "high"), [(2, 10), (3, 10), (5, 10), (4, 8), (4, 9), (4, 11), (4, 14)])
def test_its_neighbours_cost_what_their_chains_say_and_none_is_better(
    play: Any, best: Any, low: int, high: int
) -> None:
    other = season(play, fixed(low, high))
    np.testing.assert_array_equal(orders(other)[:, :-1], np.where((end := net(other)[:, :-1]) <= low, high - end, 0))
    check(paid(other), chain_cost(low, high), within=0.01)
    more = paid(other) - paid(best)
    mean, half = interval(more)
    assert abs(mean - (chain_cost(low, high) - COST)) <= half
    assert mean + half > 0
