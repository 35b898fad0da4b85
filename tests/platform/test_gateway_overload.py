"""Under overload: who is shed, which features go off first, and what a screen no longer waits for."""

from itertools import pairwise
from math import inf
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats

from sim.platform.gateway import Backpressure, Degradation, Fanout, Feature
from sim.scenario.gateway import BackpressureSpec, DegradationSpec, Part, Screens
from sim.streams import Streams
from sim.vocabulary import OrderState, Rejection

# -- shedding and degradation ------------------------------------------------------------------------------------------

DELAYS = st.floats(0, 30)


@given(DELAYS, DELAYS, st.floats(0, 1, exclude_max=True))
def test_who_is_shed_at_a_delay_is_shed_at_every_longer_one(one: float, other: float, luck: float) -> None:
    valve = Backpressure(BackpressureSpec())
    low, high = sorted((one, other))
    assert valve.probability(low) <= valve.probability(high)
    assert valve.sheds(low, luck) <= valve.sheds(high, luck)


def test_nobody_is_shed_below_the_first_delay_and_everybody_from_the_last() -> None:
    valve = Backpressure(BackpressureSpec(shed_from_s=2.0, shed_all_s=4.0))
    assert [valve.probability(delay) for delay in (0.0, 2.0, 2.5, 3.0, 4.0, 99.0)] == [0.0, 0.0, 0.25, 0.5, 1.0, 1.0]
    die = Streams(1).die("shed")
    draws = [die.uniform(order) for order in range(4000)]
    assert not any(valve.sheds(2.0, luck) for luck in draws)
    assert all(valve.sheds(4.0, luck) for luck in draws)
    shed = sum(valve.sheds(2.5, luck) for luck in draws)
    assert stats.binomtest(shed, 4000, 0.25).pvalue > 1e-6


def test_without_backpressure_nobody_is_shed() -> None:
    assert not Backpressure(BackpressureSpec(on=False)).sheds(1e9, 0.0)


LOADS = st.lists(st.floats(0, 1.5), max_size=60)


@given(LOADS, st.permutations(["recommendations", "loyalty", "live_tracking", "promotions"]), st.floats(0, 0.3))
def test_features_go_in_order_and_come_back_in_the_opposite_order(loads: list[float], order: Any, gap: float) -> None:
    spec = DegradationSpec(order=tuple(order), hysteresis=gap)
    degradation = Degradation(spec)
    for load in loads:
        before = [degradation.enabled(Feature[name.upper()]) for name in order]
        off = degradation.update(load)
        states = [degradation.enabled(Feature[name.upper()]) for name in order]
        assert states == sorted(states)
        assert states.count(False) == off == degradation.off
        for was, on, off_at in zip(before, states, spec.off_at, strict=True):
            if load >= off_at:
                assert not on
            elif load < off_at - gap:
                assert on
            else:
                assert on == was  # between the two thresholds nothing changes


def test_a_load_that_trembles_at_a_threshold_switches_once_and_without_hysteresis_always() -> None:
    degradation = Degradation(DegradationSpec(hysteresis=0.1))
    states = [degradation.update(0.8 + 0.04 * (-1) ** step) for step in range(100)]
    assert set(states) == {1}
    trembling = Degradation(DegradationSpec(hysteresis=0.0))
    states = [trembling.update(0.8 + 0.04 * (-1) ** step) for step in range(100)]
    assert sum(one != other for one, other in pairwise(states)) == 99


def test_a_feature_that_is_not_in_the_list_stays_on() -> None:
    degradation = Degradation(DegradationSpec(order=("loyalty",), off_at=(0.5,)))
    degradation.update(9.0)
    assert [feature for feature in Feature if not degradation.enabled(feature)] == [Feature.LOYALTY]


def test_without_degradation_everything_stays_on() -> None:
    degradation = Degradation(DegradationSpec(on=False))
    assert degradation.update(99.0) == 0
    assert all(degradation.enabled(feature) for feature in Feature)


# -- screens -----------------------------------------------------------------------------------------------------------

SCREEN = [Part(service="catalogue"), Part(service="inventory"), Part(service="loyalty", required=False)]
LATENCIES = st.floats(0, 2) | st.just(inf)


@given(st.lists(st.tuples(st.booleans(), LATENCIES), min_size=1, max_size=8), st.floats(0.01, 1))
def test_a_screen_waits_for_what_it_needs_and_for_the_rest_until_the_deadline(
    parts: list[tuple[bool, float]], deadline: float
) -> None:
    fanout = Fanout([Part(service="catalogue", required=required) for required, _ in parts])
    latency, dropped = fanout.screen_s([latency for _, latency in parts], deadline)
    needed = [latency for required, latency in parts if required]
    late = [not required and latency > deadline for required, latency in parts]
    in_time = [min(latency, deadline) for required, latency in parts if not required]
    assert latency == max(needed + in_time)
    assert dropped == sum(late)
    assert fanout.dropped == [int(part) for part in late]


def test_a_slow_optional_part_costs_the_deadline_and_no_more() -> None:
    fanout = Fanout(SCREEN)
    assert fanout.screen_s([0.02, 0.03, 0.1], 0.15) == (0.1, 0)
    assert fanout.screen_s([0.02, 0.03, 5.0], 0.15) == (0.15, 1)
    assert fanout.screen_s([0.02, 0.4, 0.3], 0.15) == (0.4, 1)
    assert fanout.screen_s([0.02, 0.03, -1.0], 0.15) == (0.03, 0)  # not asked: its feature is off
    assert fanout.screen_s([0.02, inf, 0.1], 0.15) == (inf, 0)
    assert fanout.dropped == [0, 0, 2]


def test_latency_is_that_of_the_slowest_of_n() -> None:
    """The maximum of n independent exponential latencies has mean H(n)/rate (H: harmonic number)."""
    fanout, n = Fanout([Part(service="catalogue")] * 5), 5
    draws = np.random.default_rng(2).exponential(0.01, (20_000, n))
    screens = [fanout.screen_s(row, 1.0)[0] for row in draws.tolist()]
    harmonic = sum(1 / k for k in range(1, n + 1))
    deviation = 0.01 * sum(1 / k**2 for k in range(1, n + 1)) ** 0.5
    assert abs(np.mean(screens) - 0.01 * harmonic) < 5 * deviation / 20_000**0.5


def test_a_screen_lists_its_services_and_their_work() -> None:
    screens = Screens()
    home = Fanout(screens.home)
    assert list(zip(home.services, home.work, strict=True)) == [(part.service, part.work) for part in screens.home]


# -- in a day ----------------------------------------------------------------------------------------------------------

SLOW = (
    'faults=[{kind: service_slowdown, service: orders, at: "12:40", minutes: 20, factor: 5000}]',
    "platform.services.orders={queue_max_s: 60, timeout_s: 600}", "platform.autoscale.enabled=false",
)  # fmt: skip


def test_who_comes_to_a_long_queue_is_shed_and_who_is_let_in_waits_little(two_stores: Any, play: Any) -> None:
    valve, none = (play(two_stores(*SLOW, f"platform.backpressure.on={on}")) for on in ("true", "false"))
    rejected = valve.rows("order_rejected")
    shed_s = rejected["t_s"][rejected["reject"] == Rejection.SHED]
    assert len(shed_s) > 15
    assert shed_s.min() > 2400.0, "before the fault there is no queue"
    assert not (none.rows("order_rejected")["reject"] == Rejection.SHED).any()
    short_s, long_s = (day.study.summary["platform"]["endpoints"]["place_order"]["p99_s"] for day in (valve, none))
    assert short_s < 1.0 < 60.0 < long_s


PATIENT = ("platform.services.inventory.timeout_s=100", "platform.services.orders.timeout_s=100")


def test_an_order_waits_for_the_slower_part_of_its_checkout_screen(two_stores: Any, play: Any) -> None:
    """Both parts take seconds; each order's draws are the same whether the other part has work or not."""

    def way_s(inventory: int, pricing: int) -> Any:
        parts = f"{{service: inventory, work: {inventory}}}, {{service: pricing, work: {pricing}}}"
        played = play(
            two_stores(f"platform.screens={{deadline_s: 100, checkout: [{parts}]}}", "platform.submit_cv=0", *PATIENT)
        )
        entered, moved = played.rows("order_entered"), played.rows("order_moved")
        reserved = moved[moved["state"] == OrderState.PENDING_PAYMENT]
        until = dict(zip(reserved["order"].tolist(), reserved["t_s"].tolist(), strict=True))
        return np.array([until[row["order"]] - row["t_s"] for row in entered])

    one, other, both = way_s(300, 0), way_s(0, 300), way_s(300, 300)
    assert len(both) > 200
    assert (one > other).sum() > 20 < (one < other).sum()
    assert np.array_equal(both, np.maximum(one, other))


# -- the scenario ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("branch", "keys", "says"),
    [
        (BackpressureSpec, {"shed_from_s": 5.0, "shed_all_s": 5.0}, "shed_from_s below shed_all_s"),
        (DegradationSpec, {"off_at": (0.9, 0.8, 0.95, 1.0)}, "ascending"),
        (DegradationSpec, {"off_at": (0.9,)}, "one load for each of 4 features"),
        (DegradationSpec, {"order": ("loyalty", "loyalty"), "off_at": (0.8, 0.9)}, "each feature once"),
        (DegradationSpec, {"order": ("checkout",), "off_at": (0.8,)}, "order"),
        (Screens, {"home": ()}, "home"),
    ],
)
def test_a_scenario_that_makes_no_sense_is_refused(branch: Any, keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        branch(**keys)
