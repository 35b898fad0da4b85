"""A base stock with Poisson demand, played goods-only: customers who wait, and customers who go."""

from math import sqrt
from typing import Any

import numpy as np
import pytest
from scipy.stats import poisson

from tests.theory.bare_store import bare_store

LEVEL, A_DAY, LEAD_DAYS, SKUS = 20, 5.0, 3.0, 1500
DAYS, WARM_DAYS = 40, 20

SETTINGS = (
    f"warmup_h={24 * WARM_DAYS}", "demand.step_minutes=10", f"supply.units_min={LEVEL}", "supply.review_at='00:00'",
    f"supply.lead_h={24 * LEAD_DAYS}", f"policies.replenishment=r_q(every_s=600, z=0, pack=1, units_min={LEVEL - 1})",
)  # fmt: skip


def by_sku(rows: Any) -> Any:
    """Units of each SKU in the rows after the warm-up."""
    rows = rows[rows["t_s"] >= WARM_DAYS * 86_400.0]
    return np.bincount(rows["sku"], weights=rows["units"], minlength=SKUS)


@pytest.fixture(scope="module")
def shops(play: Any) -> Any:
    return {unmet: play(bare_store(SKUS, A_DAY, DAYS, f"unmet={unmet}", *SETTINGS)) for unmet in ("backorder", "lost")}


def missed_share(shop: Any) -> tuple[float, float]:
    """Share of the units wanted that were not there, and its standard error: the SKUs are independent shops."""
    missed, settled = by_sku(shop.rows("sale_missed")), shop.rows("backorder_changed")
    wanted = by_sku(shop.rows("goods_sold")) + missed + by_sku(settled[settled["units"] < 0])
    share = missed.sum() / wanted.sum()
    return share, float(np.std(missed - share * wanted) * sqrt(SKUS) / wanted.sum())


def test_customers_who_wait(shops: Any) -> None:
    """Demand 5 a day, 3 days of lead time, S = 20: 87.5219 % is there at once, and 0.2123 units are waited for.

    What is on order is the demand of a lead time (Palm's theorem), so a customer is served at once when that was below S.
    """
    mean = A_DAY * LEAD_DAYS
    filled = float(poisson.cdf(LEVEL - 1, mean))
    waiting = float(poisson.expect(lambda n: np.maximum(n - LEVEL, 0), (mean,)))
    assert (round(filled, 6), round(waiting, 4)) == (0.875219, 0.2123)
    share, error = missed_share(shops["backorder"])
    assert abs(share - (1.0 - filled)) < 3.0 * error
    assert error < 0.004
    summary = shops["backorder"].study.summary
    assert summary["fill_rate"] == pytest.approx(1.0 - share)
    # As many standard errors of units that wait, by SKU: the same integral for each of them.
    rows, begin, end = shops["backorder"].rows("backorder_changed"), WARM_DAYS * 86_400.0, DAYS * 86_400.0
    area = rows["units"] * (end - np.clip(rows["t_s"], begin, end)) / (end - begin)
    each = np.bincount(rows["sku"], weights=area, minlength=SKUS)
    assert abs(each.mean() - waiting) < 3.0 * each.std() / sqrt(SKUS)
    assert summary["sales"]["backorders_mean"] == pytest.approx(each.sum())


def test_customers_who_go(shops: Any) -> None:
    """The same shop without waiting is Erlang's loss system: 4.5593 % of the demand is lost."""
    share, error = missed_share(shops["lost"])
    assert abs(share - 0.045593) < 3.0 * error
    assert shops["lost"].study.summary["sales"]["backorders_mean"] is None
    assert not len(shops["lost"].rows("backorder_changed"))


def test_customers_who_wait_are_served_first(shops: Any) -> None:
    """Nobody is owed less than nothing, everything on the shelf is free for newcomers only when nobody waits."""
    rows = shops["backorder"].rows("backorder_changed")
    owed = np.bincount(rows["sku"], weights=rows["units"], minlength=SKUS)
    order = np.lexsort((np.arange(len(rows)), rows["sku"]))
    running = np.cumsum(rows["units"][order])
    first = np.searchsorted(rows["sku"][order], np.arange(SKUS))
    running -= np.concatenate([[0], running])[first][rows["sku"][order]]
    assert running.min() == 0
    # Served at the next step after it came: at the close somebody waits only where the shelf was empty before the last truck.
    assert ((owed > 0) & (shops["backorder"].outcome.state.shelf[0] > A_DAY)).sum() == 0
