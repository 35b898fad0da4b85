"""Harris's economic order quantity, played goods-only: ordering and holding cost sqrt(2 K D h) a day.

K = 0.12 an order, D = 24 units a day, h = 0.01 a unit and day: Q = sqrt(2 K D / h) = 24, a day's demand. Nothing takes time to
come, and it is looked for every hour, so that stock falls to nothing and begins anew.

Goods are whole: with demand at the end of every hour, stock is one of Q, Q - 1, ..., 1 during an hour, each as often, so that
it is (Q + 1) / 2 in the mean and not Q / 2. The half unit more is held whatever Q is, and is taken off here.
"""

from math import sqrt
from typing import Any

import numpy as np
import pytest

from tests.theory.bare_store import DAY_S, bare_store, check

ORDER, HOLDING, A_DAY, BEST = 0.12, 0.01, 24.0, 24
COST = sqrt(2 * ORDER * A_DAY * HOLDING)
SKUS, WARM_DAYS, DAYS = 200, 32, 96
"""Whole cycles of all the quantities tried; all SKUs begin alike, and with random demand that is forgotten in the warm-up."""

EVEN = ("demand.distribution=normal", "demand.daily_cv=0")
RULE = f"eoq(order_cost={ORDER}, holding_cost_per_unit_day={HOLDING}, every_s=3600, z=-10, units_min=0)"


def fixed(quantity: int) -> str:
    return f"r_q(pack={quantity}, every_s=3600, z=-10, units_min=0)"


def season(play: Any, rule: str, *settings: str) -> Any:
    return play(
        bare_store(
            SKUS, A_DAY, DAYS, "unmet=backorder", "supply.review_at='00:00'", "supply.lead_h=0", f"supply.units_min={BEST}",
            f"policies.replenishment={rule}", *settings,
        )
    )  # fmt: skip


def paid(shop: Any) -> Any:
    """What ordering and holding cost each SKU a day in the mean, (skus,), less the half unit; stock is net of what is owed."""
    begin, end = WARM_DAYS * DAY_S, DAYS * DAY_S
    moved = shop.rows("shelf_changed")
    orders = np.bincount(moved["sku"][(moved["t_s"] >= begin) & (moved["t_s"] < end)], minlength=SKUS)
    area = np.zeros(SKUS)
    for kind, sign in (("shelf_changed", 1), ("goods_sold", -1), ("backorder_changed", -1)):
        rows = shop.rows(kind)
        area += sign * np.bincount(rows["sku"], rows["units"] * (end - np.maximum(rows["t_s"], begin)), minlength=SKUS)
    return ORDER * orders / (DAYS - WARM_DAYS) + HOLDING * (area / (end - begin) - 0.5)


def cost(quantity: float) -> float:
    return ORDER * A_DAY / quantity + HOLDING * quantity / 2


def test_the_formula_by_hand() -> None:
    assert min(range(1, 200), key=cost) == BEST
    assert cost(BEST) == pytest.approx(COST) == 0.24
    assert cost(BEST / 2) == cost(2 * BEST) == pytest.approx(1.25 * COST)


def test_with_even_demand_the_cost_is_harris_formula_to_the_last_digit(play: Any) -> None:
    """One unit an hour: no chance, no interval."""
    shop = season(play, RULE, *EVEN)
    bought = shop.rows("shelf_changed")
    assert set(bought["units"][bought["t_s"] > 0].tolist()) == {BEST}
    assert not len(shop.rows("sale_missed"))
    np.testing.assert_allclose(paid(shop), COST)


@pytest.mark.parametrize("quantity", [BEST // 2, 2 * BEST])
def test_half_and_twice_the_quantity_cost_a_quarter_more(play: Any, quantity: int) -> None:
    np.testing.assert_allclose(paid(season(play, fixed(quantity), *EVEN)), 1.25 * COST)


@pytest.mark.parametrize(("rule", "quantity"), [(RULE, 24), (fixed(12), 12), (fixed(48), 48)])
def test_with_poisson_demand_it_is_the_same_in_the_mean(play: Any, rule: str, quantity: int) -> None:
    """Under (R, nQ) the stock after a review is any of R + 1, ..., R + Q, each as likely, whatever the demand.

    G. Hadley, T. M. Whitin (1963), *Analysis of Inventory Systems*, ch. 5. So the means of Harris hold to the last digit.
    """
    check(paid(season(play, rule)), cost(quantity), within=0.01)
