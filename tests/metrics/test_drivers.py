"""What drivers earn and how evenly work comes to them, against the same worked out driver by driver."""

from typing import Any

import numpy as np
import pytest

from sim.metrics.drivers import gini
from tests.conftest import lawful_day

CALM = ("customers.patience_s=null", "payments.decline_share=0")
GIG = "drivers.pay={hour_cents: 200, order_cents: 300, guaranteed_hour_cents: 1100, tip_share: 0.4, tip_cents: 300}"


@pytest.fixture(scope="module")
def day(two_stores: Any, play: Any) -> Any:
    return play(two_stores(*CALM, GIG, "warmup_h=0.5", "drivers.count=18"))


def test_pay_is_what_hours_and_orders_bring_or_the_guarantee(day: Any) -> None:
    table, warm_s = day.study.drivers, 1800.0
    on, off, given = day.rows("driver_on"), day.rows("driver_off"), day.rows("goods_delivered")
    guaranteed, total = 0, 0.0
    for row, driver in enumerate(table["driver"].tolist()):
        ends = off["t_s"][off["driver"] == driver].tolist() or [day.world.scenario.end_s]
        hours = (ends[0] - max(on["t_s"][on["driver"] == driver][0], warm_s)) / 3600.0
        orders = int(((given["driver"] == driver) & (given["t_s"] >= warm_s)).sum())
        earned, least = 200 * hours + 300 * orders, 1100 * hours
        guaranteed += least > earned
        total += max(earned, least)
        assert table["pay_cents"][row] == pytest.approx(max(earned, least))
    assert 0 < guaranteed < len(table["driver"])
    summary = day.study.summary
    assert summary["drivers"]["guaranteed_share"] == guaranteed / len(table["driver"])
    assert summary["cost"]["by_kind"]["drivers"] == round(total)


def test_the_way_is_paid_by_the_kilometre_of_what_is_handed_over(two_stores: Any, play: Any) -> None:
    more = ("warmup_h=0.5", "drivers.count=18", "customers.absent_share=0.1", "drivers.wrong_address_share=0.2")
    by_km = GIG.replace("order_cents: 300", "order_cents: 150, km_cents: 100")
    day, plain = lawful_day(play, two_stores(*CALM, by_km, *more)), play(two_stores(*CALM, GIG, *more))
    world, table, warm_s = day.world, day.study.drivers, 1800.0
    entered, given = day.rows("order_entered"), day.rows("goods_delivered")
    store = dict(zip(entered["order"].tolist(), entered["store"].tolist(), strict=True))
    total, ways = 0.0, 0
    for row, driver in enumerate(table["driver"].tolist()):
        hours = day.study.drivers["on_s"][row] / 3600.0 - 0.5  # nobody comes after the warm-up, or goes before its end
        mine = given["order"][(given["driver"] == driver) & (given["t_s"] >= warm_s)].tolist()
        way = sum(round(world.metres(world.store_nodes[store[n]], world.trace.node[n]) / 10.0) for n in mine)
        earned = max(200 * hours + 150 * len(mine) + way, 1100 * hours)
        assert table["pay_cents"][row] == pytest.approx(earned)
        total, ways = total + earned, ways + way
    summary = day.study.summary
    assert summary["drivers"]["ways_cents"] == ways > 0
    assert summary["cost"]["by_kind"]["drivers"] == round(total)
    # Nobody behaves otherwise for it, where drivers do not choose: the day is the same, and the way's pay is on top.
    assert day.rows("goods_delivered").tolist() == plain.rows("goods_delivered").tolist()
    assert plain.study.summary["drivers"]["ways_cents"] == 0


def test_tips_come_from_customers_not_from_the_business(day: Any, two_stores: Any, play: Any) -> None:
    tips, delivered = day.rows("tip_given"), day.rows("goods_delivered")
    share = len(tips) / len(delivered)
    assert share == pytest.approx(0.4, abs=5 * np.sqrt(0.24 / len(delivered)))
    assert tips["cents"].mean() == pytest.approx(300.0, abs=5 * 300 / np.sqrt(len(tips)))
    counted = tips["cents"][tips["t_s"] >= 1800.0].sum()
    assert day.study.summary["drivers"]["tips_cents"] == counted
    without = play(two_stores(*CALM, GIG.replace("tip_share: 0.4", "tip_share: 0"), "warmup_h=0.5", "drivers.count=18"))
    assert without.study.summary["cost"] == day.study.summary["cost"]


def test_a_customer_tips_whoever_comes(two_stores: Any, play: Any) -> None:
    days = [play(two_stores(*CALM, GIG, f"drivers.count={count}")) for count in (14, 20)]
    one, other = (
        dict(zip(d.rows("tip_given")["order"].tolist(), d.rows("tip_given")["cents"].tolist(), strict=True))
        for d in days
    )
    both = set(days[0].rows("goods_delivered")["order"].tolist()) & set(
        days[1].rows("goods_delivered")["order"].tolist()
    )
    assert {order: one.get(order) for order in both} == {order: other.get(order) for order in both}


def test_the_longest_idle_time_is_the_longest_between_two_jobs(day: Any) -> None:
    found = []
    on, off = day.rows("driver_on"), day.rows("driver_off")
    answered, legs = day.rows("offer_answered"), day.rows("leg_started")
    for row, driver in enumerate(day.study.drivers["driver"].tolist()):
        took = answered["t_s"][(answered["driver"] == driver) & (answered["answer"] == 0)].tolist()
        free = legs["t_s"][(legs["driver"] == driver) & (legs["trip"] == 2)].tolist()
        home = off["t_s"][off["driver"] == driver].tolist() or [day.world.scenario.end_s]
        since = [on["t_s"][on["driver"] == driver][0], *free]
        until = [*took, *home]
        idle_s = max(b - a for a, b in zip(since, until, strict=False))
        assert day.study.drivers["longest_idle_s"][row] == pytest.approx(idle_s)
        found.append(idle_s)
    assert day.study.summary["drivers"]["longest_idle_s"] == pytest.approx(max(found))


def test_gini_is_half_the_mean_difference_over_the_mean() -> None:
    values = np.random.default_rng(1).exponential(3.0, 40)
    differences = np.abs(values[:, None] - values[None, :]).mean()
    assert gini(values) == pytest.approx(differences / (2.0 * values.mean()))
    assert gini(np.full(7, 2.0)) == pytest.approx(0.0)
    assert gini(np.array([0.0] * 9 + [1.0])) == pytest.approx(0.9)
    assert gini(np.zeros(3)) is None


def test_at_one_wage_everybody_earns_the_same_and_a_fair_policy_shares_the_work_out(two_stores: Any, play: Any) -> None:
    near, fair = (
        play(two_stores(*CALM, f"policies.dispatch={name}")).study.summary["drivers"]
        for name in ("nearest", "least_recently_used")
    )
    for figures in (near, fair):
        assert figures["gini_pay"] == pytest.approx(0.0, abs=1e-12)
        assert figures["earned_hour_cents"]["p10"] == pytest.approx(1500.0)
    assert fair["gini_orders"] < near["gini_orders"]
