"""Little's law and the accounts of a run: areas under curves are sums over orders, exactly."""

from typing import Any

import numpy as np
import pytest

from sim.vocabulary import OrderState


def ends_of(played: Any) -> Any:
    """When each order ended, seconds; the close of the run for those that did not."""
    orders = played.study.orders
    moved = played.rows("order_moved")
    over = np.isin(moved["state"], [OrderState.DELIVERED, OrderState.CANCELLED, OrderState.PAYMENT_FAILED])
    ended = dict(zip(moved["order"][over].tolist(), moved["t_s"][over].tolist(), strict=True))
    return np.array([ended.get(order, played.world.scenario.end_s) for order in orders["order"].tolist()])


@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("customers.patience_s=400", "payments.decline_share=0.3"),
        ("drain_h=0", "drivers.count=3"),
        ("drain_h=0.01", "warmup_h=0.5"),
    ],
    ids=["calm", "cancelled", "cut in the rush", "warm-up"],
)
def test_littles_law(two_stores: Any, play: Any, settings: tuple[str, ...]) -> None:
    played = play(two_stores(*settings))
    series, end_s = played.study.series, played.world.scenario.end_s
    orders = played.study.orders
    widths = np.diff(np.append(series["t_s"], end_s))
    area = float((series["open_orders"] * widths).sum())
    stays = ends_of(played) - orders["entered_s"]
    assert area == pytest.approx(stays.sum(), rel=1e-9)
    # L = lambda W: the same in the law's own words.
    rate = len(stays) / end_s
    assert area / end_s == pytest.approx(rate * stays.mean(), rel=1e-9)


def test_each_stage_is_an_area_too(two_stores: Any, play: Any) -> None:
    played = play(two_stores("customers.patience_s=700", "drivers.count=8"))
    series, orders, end_s = played.study.series, played.study.orders, played.world.scenario.end_s
    widths, ended = np.diff(np.append(series["t_s"], end_s)), ends_of(played)
    assert (orders["state"] == OrderState.CANCELLED).any()
    for name, begin, end in (
        ("waiting_pick", "confirmed_s", "pick_start_s"),
        ("being_picked", "pick_start_s", "packed_s"),
        ("waiting_driver", "packed_s", "picked_up_s"),
        ("riding", "picked_up_s", "delivered_s"),
    ):
        begins, ends = orders[begin], np.fmin(orders[end], ended)
        known = ~np.isnan(begins)
        expected = (ends[known] - begins[known]).sum()
        assert float((series[name] * widths).sum()) == pytest.approx(expected, rel=1e-9), name
    assert series["entered"].sum() == len(orders["order"])
    assert series["delivered"].sum() == (orders["state"] == OrderState.DELIVERED).sum()
