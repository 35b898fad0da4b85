"""Calls have time-outs: whoever waits longer gives up, and an order for which nobody answers ends as such."""

from math import exp, inf
from typing import Any

import pytest

from sim.platform.monitoring import BEAT_S
from sim.platform.services import Service
from sim.scenario.services import Health, ServiceSpec
from sim.vocabulary import BreakerName, BreakerState, CancelReason, Endpoint, OrderState
from tests.conftest import lawful_day
from tests.platform.small_services import STILL

TIMEOUT_S = 3.0


def one_server(**spec: Any) -> Service:
    return Service(ServiceSpec(instances=1, workers=1, work_s=0.01, timeout_s=TIMEOUT_S, **spec), STILL, Health())


# -- one service -------------------------------------------------------------------------------------------------------


def test_a_call_longer_than_its_time_out_is_an_error_without_a_latency_and_its_work_is_done() -> None:
    one = one_server()
    assert one.call(0.0, 5.0, 0.5) == inf
    assert one.vain_s == TIMEOUT_S
    assert one.call(4.5, 0.25, 0.5) == 0.75, "the server is at it until second five"
    sample = one.sample(10.0)
    assert (sample.calls, sample.errors, sample.refused) == (2, 1, 0)
    assert sample.p50_s == sample.p99_s == 0.75
    assert sample.utilisation == pytest.approx(5.25 / 10)
    assert one.sample(20.0).utilisation == 0.0


def test_a_call_may_take_exactly_its_time_out() -> None:
    one = one_server()
    assert one.call(0.0, TIMEOUT_S, 0.5) == TIMEOUT_S
    assert one.call(TIMEOUT_S, TIMEOUT_S + 0.001, 0.5) == inf
    two = one_server()
    assert two.call(0.0, 1.0, 0.5) == 1.0
    assert two.call(0.0, TIMEOUT_S - 1.0, 0.5) == TIMEOUT_S, "with its wait"


def test_the_wait_counts_towards_the_time_out_and_a_refusal_takes_no_time() -> None:
    one = one_server(queue_max_s=2.5)
    assert one.call(0.0, 2.0, 0.5) == 2.0
    assert one.call(0.0, 1.5, 0.5) == inf
    assert one.vain_s == TIMEOUT_S
    assert one.call(0.0, 0.1, 0.5) == inf, "the queue is 3.5 s long"
    assert one.vain_s == 0.0
    assert one.call(2.0, 0.1, 0.5) == pytest.approx(1.6)
    sample = one.sample(10.0)
    assert (sample.calls, sample.errors, sample.refused) == (4, 2, 1)
    assert sample.utilisation == pytest.approx(0.36)


def test_a_slow_down_makes_calls_late() -> None:
    one = one_server()
    one.slow(100.0, 0.0)
    assert one.on_time(0.0)
    assert one.call(0.0, 0.02, 0.5) == pytest.approx(2.0)
    assert one.call(10.0, 0.04, 0.5) == inf
    assert one.vain_s == TIMEOUT_S
    one.slow(10.0, 20.0)
    assert not one.on_time(20.0), "its usual work takes ten seconds now"
    one.recover(10.0, 30.0)
    assert one.on_time(30.0)


def test_background_calls_beyond_the_time_out_are_errors() -> None:
    """Exponential works of 2 s in the mean, and no wait: exp(-3/2) of them take longer than 3 s."""
    one = Service(ServiceSpec(instances=4, workers=50, work_s=0.01, timeout_s=TIMEOUT_S), STILL, Health())
    one.load(10.0, 0.0)
    assert one.sample(100.0).errors == 0
    one.slow(200.0, 100.0)
    sample = one.sample(200.0)
    assert sample.errors == pytest.approx(1000 * exp(-1.5))
    assert sample.calls == pytest.approx(1000)
    assert sample.refused == 0
    assert sample.p99_s == TIMEOUT_S
    one.recover(200.0, 200.0)
    assert one.sample(300.0).errors == 0


def test_in_a_queue_longer_than_the_time_out_no_background_call_is_answered() -> None:
    """Twice as many calls come as can be served, until the queue is ten seconds long."""
    one = Service(
        ServiceSpec(instances=1, workers=10, work_s=0.01, queue_max_s=10.0, timeout_s=TIMEOUT_S), STILL, Health()
    )
    one.load(2000.0, 0.0)
    one.sample(20.0)
    sample = one.sample(30.0)
    assert sample.errors == pytest.approx(sample.calls) == pytest.approx(20_000)
    assert sample.refused == pytest.approx(10_000), "the others wait, and give up"


# -- whole runs --------------------------------------------------------------------------------------------------------

BEGAN_S, OVER_S = 2400.0, 3600.0

CALM = (
    "horizon_h=1", "customers.patience_s=null", "payments={decline_share: 0, methods: {card: 1}}", "supply.cover_days=9",
    "platform.screens.checkout=[{service: catalogue}]",
)  # fmt: skip
"""The screen asks nobody who is slow, so orders enter."""


def slow(service: str) -> str:
    return f"faults=[{{kind: service_slowdown, service: {service}, at: '12:40', minutes: 20, factor: 20000}}]"


def ends(played: Any) -> tuple[dict[int, float], dict[int, float]]:
    """Of orders that nobody answered for, and of all that entered during the fault: seconds from entering to the end."""
    entered, out = played.rows("order_entered"), played.rows("order_cancelled")
    late = entered[entered["t_s"] >= BEGAN_S]
    since = dict(zip(late["order"].tolist(), late["t_s"].tolist(), strict=True))
    out = out[out["reason"] == CancelReason.UNPROCESSABLE]
    return {int(row["order"]): row["t_s"] - since[int(row["order"])] for row in out}, since


def test_orders_that_a_slow_inventory_service_answers_too_late_end_unprocessable_and_soon(
    two_stores: Any, play: Any
) -> None:
    """Up to five times three seconds, with 0.5, 1, 2 and 4 s between."""
    played = lawful_day(play, two_stores(*CALM, slow("inventory")))
    ended_s, since = ends(played)
    assert len(ended_s) > 0.8 * len(since) > 30, "a few ask for next to no work"
    assert min(ended_s.values()) > TIMEOUT_S, "everybody waits in vain"
    assert max(ended_s.values()) > 5 * TIMEOUT_S, "and some of them five times"
    assert max(ended_s.values()) < 40.0
    states = dict(zip(played.study.orders["order"].tolist(), played.study.orders["state"].tolist(), strict=True))
    assert {states[order] for order in ended_s} == {OrderState.CANCELLED}
    assert {states[order] for order in since.keys() - ended_s.keys()} == {OrderState.DELIVERED}


def test_what_the_inventory_service_never_answers_for_is_dead_lettered_and_its_money_given_back(
    two_stores: Any, play: Any
) -> None:
    played = lawful_day(play, two_stores(*CALM, slow("inventory"), "policies.saga=pay_then_reserve"))
    ended_s, since = ends(played)
    assert len(ended_s) > 0.8 * len(since) > 30

    def cents(kind: str) -> dict[int, int]:
        rows = played.rows(kind)
        return dict(zip(rows["order"].tolist(), rows["cents"].tolist(), strict=True))

    captured, refunded = cents("payment_captured"), cents("payment_refunded")
    assert {order: captured[order] for order in ended_s} == refunded
    assert not ended_s.keys() & set(played.rows("order_promised")["order"].tolist())


def test_a_catalogue_that_answers_too_late_opens_its_breaker(two_stores: Any, play: Any) -> None:
    moves = play(two_stores("horizon_h=1.2", slow("catalogue"))).rows("breaker_moved")
    moves = moves[moves["breaker"] == BreakerName.CATALOGUE]
    opened = moves[moves["breaker_state"] == BreakerState.OPEN]["t_s"]
    assert len(opened) > 5
    assert BEGAN_S < opened[0] < BEGAN_S + 60.0
    assert OVER_S - 60.0 < opened[-1] < OVER_S
    assert moves["breaker_state"][-1] == BreakerState.CLOSED


def calls(played: Any) -> int:
    """That reserve goods, during the fault and afterwards."""
    asked = played.rows("endpoint_sampled")
    asked = asked[(asked["endpoint"] == Endpoint.RESERVE) & (asked["t_s"] > BEGAN_S)]
    return round(asked["rate"].sum() * BEAT_S)


def test_the_retries_of_sagas_have_a_budget(two_stores: Any, play: Any) -> None:
    """With one token and none earned there is one retry more than orders that ask; without a budget each has four."""
    once, free = (
        play(two_stores(*CALM, slow("inventory"), "policies.saga=pay_then_reserve", f"platform.retries={{{rule}}}"))
        for rule in ("budget_ratio: 0, budget_most: 1", "budget: false")
    )
    orders = len(ends(once)[1])
    assert orders == len(ends(free)[1]) > 30
    assert calls(once) == orders + 1
    assert calls(free) > 4 * orders


@pytest.mark.parametrize("plan", ["reserve_then_pay", "pay_then_reserve", "at_once", "two_phase_commit"])
def test_each_saga_that_asks_for_goods_earns_retries(two_stores: Any, play: Any, plan: str) -> None:
    """With one retry for each there are about as many more as there are orders."""
    none, one = (
        play(
            two_stores(
                *CALM, slow("inventory"), f"policies.saga={plan}", f"platform.retries={{budget_ratio: {ratio}, budget_most: 1}}"
            )
        )
        for ratio in (0, 1)
    )  # fmt: skip
    orders = len(ends(none)[1])
    assert 0.6 * orders < calls(one) - calls(none) <= orders
