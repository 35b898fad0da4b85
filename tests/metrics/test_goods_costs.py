"""What goods cost and earn: by hand on a log of a few lines, and by plain loops over days that were played."""

from typing import Any

import numpy as np
import pytest

from sim.experiments.slo import lookup
from sim.metrics.drivers import Earnings
from sim.metrics.goods import GoodsMoney
from sim.metrics.money import costs
from sim.metrics.tables import order_table, work_spans
from sim.report.explain import explain
from sim.scenario import load_text
from sim.scenario.levels import METRICS
from sim.vocabulary import StockCause
from sim.world.build import build_world
from tests.metrics.test_floor import Written
from tests.operations.test_goods_only import WEEK

HOUR, DAY = 3600.0, 86_400.0
# Every unit is sold for 119 cents, 100 without tax, and bought for 70.
PLAIN = (
    "catalogue={skus: 2, price_cv: 0, categories: [{name: all, share: 1, price_cents: 119, litres: 1, cost_share: 0.7}]}",
    "horizon_h=48", "drain_h=0", "warmup_h=24", "costs.holding_share_per_year=0.365", "costs.stockout_share=0.5",
)  # fmt: skip


def found_in(log: Written, scenario: Any) -> dict[str, Any]:
    log.closed()
    orders = order_table(log)
    warm = {name: column[orders["entered_s"] >= scenario.warmup_h * HOUR] for name, column in orders.items()}
    work = work_spans(log, scenario.end_s)
    return costs(log, scenario, work, warm, Earnings(log, scenario, work))


def test_prices_without_tax_and_what_goods_are_bought_for(one_store: Any) -> None:
    goods = build_world(one_store(*PLAIN)).catalogue
    assert goods.price_cents.tolist() == [119, 119]
    assert goods.net_cents.tolist() == [100, 100]
    assert goods.cost_cents.tolist() == [70, 70]
    on_top = build_world(one_store(*PLAIN, "platform.pricing.tax_included=false")).catalogue
    assert on_top.net_cents.tolist() == [119, 119], "the tax comes on top of these prices"
    assert on_top.cost_cents.tolist() == [83, 83]


def test_goods_thrown_away_lost_and_held_are_costs(one_store: Any) -> None:
    log = Written()
    log.say(0, "shelf_changed", store=0, sku=0, units=100, cause=StockCause.OPENING)
    log.say(HOUR, "shelf_changed", store=0, sku=0, units=-50, cause=StockCause.SPOILAGE)  # in the warm-up
    log.say(DAY + 6 * HOUR, "shelf_changed", store=0, sku=0, units=-4, cause=StockCause.SPOILAGE)
    log.say(DAY + 12 * HOUR, "shelf_changed", store=0, sku=0, units=-2, cause=StockCause.THEFT)
    log.say(DAY + 12 * HOUR, "shelf_changed", store=0, sku=0, units=-1, cause=StockCause.DAMAGE)
    log.say(DAY + 18 * HOUR, "shelf_changed", store=0, sku=1, units=40, cause=StockCause.DELIVERY)
    found = found_in(log, one_store(*PLAIN))
    kinds = found["cost"]["by_kind"]
    assert kinds["waste"] == 4 * 70
    assert kinds["shrink"] == 3 * 70
    # Of the second day: 50 units for six hours, 46 for six, 43 for twelve, and 40 more for six.
    unit_days = (50 * 6 + 46 * 6 + 43 * 12 + 40 * 6) / 24
    assert kinds["holding"] == round(unit_days * 70 * 0.365 / 365)
    assert found["goods"]["stock_cents"] == round(unit_days * 70)
    assert found["cost"]["total_cents"] == sum(kinds.values())


def test_goods_at_the_dock_and_on_the_road_are_stock_as_well(one_store: Any) -> None:
    """A unit is ours from the truck on, wherever it stands."""
    log = Written()
    log.say(DAY + 6 * HOUR, "goods_docked", store=0, sku=0, units=10)
    log.say(DAY + 12 * HOUR, "shelf_changed", store=0, sku=0, units=10, cause=StockCause.DELIVERY)
    log.say(DAY + 15 * HOUR, "shelf_changed", store=0, sku=0, units=-6, cause=StockCause.TRANSFER)
    log.say(DAY + 15 * HOUR, "goods_sent", store=0, destination=1, sku=0, units=6)
    log.say(DAY + 18 * HOUR, "shelf_changed", store=1, sku=0, units=6, cause=StockCause.TRANSFER)
    found = found_in(log, one_store(*PLAIN, "stores.dock={}"))
    assert found["goods"]["stock_cents"] == round(10 * 18 / 24 * 70)
    assert found["cost"]["by_kind"]["shrink"] == 0
    assert found["cost"]["by_kind"]["transfers"] == 1200


def test_the_margin_of_delivered_orders_and_of_what_was_missing(one_store: Any) -> None:
    log = Written()
    fee, scenario = 119, one_store(*PLAIN, "platform.delivery_fee_cents=119")
    for order, entered, delivered in ((0, HOUR, 2 * HOUR), (1, DAY, DAY + HOUR), (2, DAY + 100, None)):
        times = {"entered": entered, "confirmed": entered, "started": entered, "packed": entered + 60}
        log.order(order, 0, 2, **times, **({"delivered": delivered} if delivered else {}))
        log.say(entered + 1, "charge_made", order=order, cents=3 * 119 + fee)
        log.say(entered + 60, "goods_picked", order=order, store=0, sku=0, units=2)
        log.say(entered + 60, "hold_reduced", order=order, store=0, sku=1, units=1)
        log.say(entered + 61, "charge_returned", order=order, cents=119)
        log.say(entered, "line_missing", order=order, store=0, sku=1, units=3)
    goods = found_in(log, scenario)["goods"]
    # Order 0 came in the warm-up, order 2 is still under way: its goods are not sold, but what it lacked is lost.
    assert goods["sold_cents"] == 2 * 70
    assert goods["gross_margin_cents"] == 2 * 100 - 2 * 70
    assert goods["stockout_cents"] == round(2 * (1 + 3) * 30 * 0.5)


def test_goods_over_the_counter_and_customers_who_wait(one_store: Any) -> None:
    log = Written()
    log.say(HOUR, "goods_sold", store=0, sku=0, taken=0, units=9)
    log.say(DAY, "goods_sold", store=0, sku=0, taken=1, units=5)
    log.say(DAY, "sale_missed", store=0, sku=0, units=2, denied=True)
    for unmet, lost in (("lost", 30), ("backorder", 0)):
        scenario = one_store(*PLAIN, "mode=goods_only", f"unmet={unmet}")
        goods = found_in(log, scenario)["goods"]
        assert goods["sold_cents"] == 5 * 70
        assert goods["gross_margin_cents"] == 5 * 30
        assert goods["stockout_cents"] == lost


def test_a_run_without_anything_costs_no_goods(one_store: Any) -> None:
    log, scenario = Written().closed(), one_store(*PLAIN)
    goods = GoodsMoney(log, scenario)  # type: ignore[arg-type]
    assert set(goods.costs().values()) == {0.0}
    assert set(goods.margin(order_table(log), 0.0).values()) == {0}


def mean_stock(week: Any, cost: list[int]) -> float:
    """The mean value of what is on shelves, at docks and on roads, from the first midnight to the end, change by change."""
    changes = []
    for kind, sku, sign in (
        ("shelf_changed", "sku", 1), ("goods_docked", "sku", 1), ("goods_sent", "sku", 1), ("goods_sold", "taken", -1),
    ):  # fmt: skip
        changes += [(float(r["t_s"]), sign * int(r["units"]) * cost[r[sku]]) for r in week.rows(kind)]
    for row in week.rows("shelf_changed"):
        cause, units = StockCause(int(row["cause"])), int(row["units"])
        comes = cause is StockCause.TRANSFER and units > 0
        if comes or (cause is StockCause.DELIVERY and week.world.scenario.stores.dock is not None):
            changes.append((float(row["t_s"]), -units * cost[row["sku"]]))  # it was ours before it was on the shelf
    area, level, since = 0.0, 0, DAY
    for t_s, worth in sorted(changes):
        area += level * (max(t_s, DAY) - since)
        level, since = level + worth, max(t_s, DAY)
    end_s = week.world.scenario.horizon_s
    return (area + level * (end_s - since)) / (end_s - DAY)


@pytest.mark.parametrize("extra", [(), ("stores.dock={}", "policies.transfer=balance(trip_units=1)")])
def test_a_week_of_goods_by_plain_loops(play: Any, extra: tuple[str, ...]) -> None:
    week = play(load_text(WEEK, ["warmup_h=24", *extra]))
    summary, goods = week.study.summary, week.world.catalogue
    cost, net = goods.cost_cents.tolist(), goods.net_cents.tolist()
    sold = [row for row in week.rows("goods_sold") if row["t_s"] >= DAY]
    bought = sum(int(row["units"]) * cost[row["taken"]] for row in sold)
    assert summary["goods"]["sold_cents"] == bought
    assert summary["goods"]["gross_margin_cents"] == sum(int(r["units"]) * net[r["sku"]] for r in sold) - bought
    missed = [row for row in week.rows("sale_missed") if row["t_s"] >= DAY]
    assert summary["goods"]["stockout_cents"] == sum(int(r["units"]) * (net[r["sku"]] - cost[r["sku"]]) for r in missed)
    lost = [row for row in week.rows("shelf_changed") if row["t_s"] >= DAY and row["units"] < 0]
    for kind, causes in (("waste", ("SPOILAGE",)), ("shrink", ("THEFT", "DAMAGE"))):
        mine = [row for row in lost if StockCause(int(row["cause"])).name in causes]
        assert summary["cost"]["by_kind"][kind] == -sum(int(r["units"]) * cost[r["sku"]] for r in mine) > 0
    assert summary["goods"]["stock_cents"] == pytest.approx(mean_stock(week, cost), abs=1)
    kept = summary["goods"]["gross_margin_cents"] / summary["goods"]["sold_cents"]
    assert kept == pytest.approx(0.28 / 0.72, abs=0.02)


def test_the_margin_of_a_day_of_orders_is_that_of_grocers(two_stores: Any, play: Any) -> None:
    day = play(two_stores("stores.inaccurate_share=0", "pickers.mispick_share=0"))
    goods, orders = day.study.summary["goods"], day.study.orders
    delivered = orders["order"][~np.isnan(orders["delivered_s"])]
    picked = day.rows("goods_picked")
    picked = picked[np.isin(picked["order"], delivered)]
    assert goods["sold_cents"] == (picked["units"] * day.world.catalogue.cost_cents[picked["sku"]]).sum()
    share = goods["gross_margin_cents"] / (goods["gross_margin_cents"] + goods["sold_cents"])
    assert share == pytest.approx(0.28, abs=0.005)


def test_every_figure_of_goods_is_explained_and_may_be_a_service_level(one_store: Any, play: Any) -> None:
    summary = play(one_store()).study.summary
    names = {name for name in METRICS if name.startswith("goods.")}
    assert names == {f"goods.{key}" for key in summary["goods"]}
    for name in names:
        assert explain(name)
        assert lookup(summary, name) is not None
