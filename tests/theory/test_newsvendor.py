"""The newsvendor, played goods-only: what is left at night is thrown away, and what was short is lost.

A unit costs h = 0.18 left over and p = 0.70 short; demand is normal with mean 50 and standard deviation 8. Goods are counted in
hundredths of a unit, so fine that whole ones do not show; once also in whole units.
"""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.theory.bare_store import bare_store, by_day, check, interval

HOLDING, PENALTY, MEAN, DEVIATION = 0.18, 0.70, 50.0, 8.0
SKUS, DAYS, WARM_DAYS, FINE = 1000, 240, 2, 100
SPOILS = "catalogue.categories=[{name: all, share: 1, price_cents: 100, litres: 1, life_days: 1}]"


def cost(level: float) -> float:
    """Expected cost of a day that begins with a stock: h (S - mu) + (h + p) sigma L(z), L the normal loss function.

    E. A. Silver, D. F. Pyke, D. J. Thomas, Inventory and Production Management in Supply Chains, 4th ed., ch. 9.
    """
    z = (level - MEAN) / DEVIATION
    loss = float(stats.norm.pdf(z) - z * stats.norm.sf(z))
    return HOLDING * (level - MEAN) + (HOLDING + PENALTY) * DEVIATION * loss


def cost_in_whole_units(level: int) -> float:
    """The same of demand that is rounded to whole units, summed up over all of them."""
    units = np.arange(0, 200)
    chance = np.diff(stats.norm.cdf((np.append(units, 200) - 0.5 - MEAN) / DEVIATION))
    return float(chance @ (HOLDING * np.maximum(level - units, 0) + PENALTY * np.maximum(units - level, 0)))


def season(play: Any, fractile: float, fine: int = FINE) -> Any:
    """A store whose goods are worthless at night, and that is told to have enough on this share of the days."""
    costs = f"holding={1 - fractile}, penalty={fractile}, cv={DEVIATION / MEAN}"
    return play(
        bare_store(
            SKUS, MEAN * fine, DAYS, SPOILS, "demand.step_minutes=1440", "demand.distribution=normal",
            f"demand.daily_cv={DEVIATION / MEAN}", "supply.look_at='01:00'", "supply.review_at='02:00'", "supply.lead_h=0",
            f"policies.replenishment=newsvendor({costs})",
        )
    )  # fmt: skip


def stock(shop: Any, fine: int = FINE) -> float:
    """What the store had of each SKU every morning, units."""
    moved = shop.rows("shelf_changed")
    came = moved[(moved["units"] > 0) & (moved["t_s"] > 0)]
    assert len(came) == SKUS * DAYS
    (level,) = np.unique(came["units"])
    return float(level) / fine


def short(shop: Any) -> Any:
    """What was asked for in vain by SKU and day; with what is left, thrown away an hour after the day, it is all of the cost."""
    return by_day(shop.rows("sale_missed"), SKUS, DAYS)[:, WARM_DAYS - 1 : -1]


def paid(shop: Any, fine: int = FINE) -> Any:
    """What a day cost each SKU in the mean, (skus,)."""
    moved = shop.rows("shelf_changed")
    left = -by_day(moved[moved["units"] < 0], SKUS, DAYS)[:, WARM_DAYS:]
    return (HOLDING * left + PENALTY * short(shop)).mean(axis=1) / fine


@pytest.fixture(scope="module")
def best(play: Any) -> Any:
    return season(play, PENALTY / (PENALTY + HOLDING))


def test_the_formula_by_hand() -> None:
    levels = np.arange(4000, 7000) / 100
    costs = [cost(level) for level in levels]
    assert levels[int(np.argmin(costs))] == 56.60
    assert round(min(costs), 4) == 1.9976


def test_the_policy_keeps_the_best_stock_and_pays_what_the_formula_says(best: Any) -> None:
    """56.60 units, 1.9976 a day; and it is short on the share h / (h + p) of the days."""
    assert stock(best) == 56.60
    check(paid(best), 1.9976, within=0.01)
    check((short(best) > 0).mean(axis=1), HOLDING / (HOLDING + PENALTY), within=0.02)


@pytest.mark.parametrize("level", [50.0, 54.0, 59.0, 64.0])
def test_any_other_stock_costs_more(play: Any, best: Any, level: float) -> None:
    """With the same customers: as much more as the formula says."""
    other = season(play, float(stats.norm.cdf((level - MEAN) / DEVIATION)))
    assert stock(other) == level
    check(paid(other), cost(level), within=0.01)
    more = paid(other) - paid(best)
    check(more, cost(level) - cost(56.60), within=0.1)
    mean, half = interval(more)
    assert mean - half > 0


def test_in_whole_units_the_best_stock_is_57(play: Any) -> None:
    costs = [cost_in_whole_units(level) for level in range(100)]
    assert int(np.argmin(costs)) == 57
    shop = season(play, PENALTY / (PENALTY + HOLDING), fine=1)
    assert stock(shop, fine=1) == 57
    check(paid(shop, fine=1), costs[57], within=0.01)
