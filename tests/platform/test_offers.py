"""Offers to drivers: one at a time, to the next when declined, never beyond the window, the load or the shift."""

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim.contracts import DispatchView, Offer
from sim.engine import policies_of
from sim.vocabulary import CancelReason, OfferAnswer, OrderState, Refusal

SURE = (
    "payments={decline_share: 0}",
    "customers={patience_s: null}",
    "stores.inaccurate_share=0",
    "pickers.mispick_share=0",
)


def day(rows_of: Any, *kinds: str) -> list[tuple[int, str, Any]]:
    """Facts of several kinds in the order in which they happened."""
    facts = [
        (int(seq), kind, row)
        for kind in kinds
        for seq, row in zip(rows_of.archive.seq(kind), rows_of.rows(kind), strict=True)
    ]
    return sorted(facts, key=lambda fact: fact[0])


def test_nobody_accepts_so_every_order_is_given_up_in_time(one_store: Any, play: Any) -> None:
    # Openings on either side of 4096 and 8192 s: a deadline must not hang on how a sum was rounded.
    for give_up_s in (2400.0, 1000.1, 0.7):
        played = play(one_store(*SURE, "drivers.accept_share=0", f"platform.give_up_s={give_up_s}", "drain_h=2"))
        cancelled = played.rows("order_cancelled")
        assert len(cancelled) == played.world.trace.orders
        assert set(cancelled["reason"].tolist()) == {CancelReason.NO_DRIVER}
        opened = dict(
            zip(played.rows("task_opened")["order"].tolist(), played.rows("task_opened")["t_s"].tolist(), strict=True)
        )
        window_s = played.world.scenario.platform.accept_window_s + 0.1
        for order, t_s in zip(cancelled["order"].tolist(), cancelled["t_s"].tolist(), strict=True):
            # Exactly then, or when the answer to an offer that was out has come.
            assert -1e-4 <= t_s - opened[order] - give_up_s <= window_s
        captured, refunded = (
            played.rows("payment_captured")["cents"].sum(),
            played.rows("payment_refunded")["cents"].sum(),
        )
        assert captured == refunded > 0
        assert played.outcome.state.reserved.sum() == 0
        assert not played.outcome.state.totes


def test_declined_goes_to_the_next_and_nobody_is_asked_twice(two_stores: Any, play: Any) -> None:
    played = play(two_stores(*SURE, "drivers={count: 14, accept_share: 0.4, shifts: [{at: '12:00', hours: 5}]}"))
    offered: dict[int, list[int]] = defaultdict(list)
    out: dict[int, int] = {}
    asked: dict[int, int] = {}
    for _, kind, row in day(played, "offer_made", "offer_answered"):
        order, driver = int(row["order"]), int(row["driver"])
        if kind == "offer_made":
            assert driver not in offered[order], "asked again after declining"
            assert driver not in out, "a driver has one offer at a time"
            assert order not in asked, "an order is offered to one driver at a time"
            offered[order].append(driver)
            out[driver], asked[order] = order, driver
        else:
            assert out.pop(driver) == order
            assert asked.pop(order) == driver
            if row["answer"] == OfferAnswer.ACCEPTED:
                asked[order] = driver
    assert max(map(len, offered.values())) >= 3
    accepted = Counter(played.rows("offer_answered")["answer"].tolist())
    share = accepted[OfferAnswer.ACCEPTED] / len(played.rows("offer_answered"))
    assert abs(share - 0.4) < 5 * np.sqrt(0.24 / len(played.rows("offer_answered")))


def test_an_offer_closes_at_its_window(one_store: Any, play: Any) -> None:
    played = play(one_store(*SURE, "drivers.respond_s=60", "platform.accept_window_s=20", "platform.bus_s=0.5"))
    made = {(int(r["order"]), int(r["driver"])): float(r["t_s"]) for r in played.rows("offer_made")}
    taken = []
    for row in played.rows("offer_answered"):
        after = float(row["t_s"]) - made[int(row["order"]), int(row["driver"])] - 0.5
        if row["answer"] == OfferAnswer.EXPIRED:
            assert after == pytest.approx(20, abs=1e-5)
        else:
            assert after <= 20 + 1e-5
        taken.append(row["answer"] == OfferAnswer.EXPIRED)
    # An exponential answer of mean 60 s misses a window of 20 s with chance exp(-1/3).
    assert abs(np.mean(taken) - np.exp(-1 / 3)) < 5 * np.sqrt(0.2 / len(taken))


def test_nobody_carries_more_than_the_vehicle_takes_and_light_orders_do_not_wait_behind_heavy_ones(
    one_store: Any, play: Any
) -> None:
    played = play(
        one_store(
            *SURE,
            "drivers={count: 1, vehicles: {foot: 1}, accept_share: 1, shifts: [{at: '12:00', hours: 5}]}",
            "demand={orders_per_day: 120, basket: {lines_mean: 12, units_mean: 3}}",
            "map={width_m: 200, height_m: 200, points: 20, speed_kmh: 30}",
            "platform={profile: minimal, give_up_s: 2048.0}",
        )
    )
    litres = played.world.trace.litres
    heavy = litres > 40
    assert heavy.any()
    orders = played.study.orders
    assert (orders["state"][heavy[orders["order"]]] == OrderState.CANCELLED).all()
    assert (played.rows("proposal_refused")["refusal"] == Refusal.TOO_HEAVY).all()
    assert (orders["state"][~heavy[orders["order"]]] == OrderState.DELIVERED).all()
    # One driver, and short rides: whoever can be carried is carried within minutes.
    light = ~heavy[orders["order"]]
    assert (orders["accepted_s"][light] - orders["pick_start_s"][light]).max() < 1500


def test_a_driver_who_comes_back_from_afar_is_asked_when_he_is_there(one_store: Any, play: Any) -> None:
    """Beyond the dispatcher's reach he is not offered the order that waits; when he stands at the store he must be."""
    played = play(
        one_store(
            *SURE,
            "drivers={count: 1, accept_share: 1, respond_s: 0, shifts: [{at: '12:00', hours: 12}]}",
            "map={width_m: 9000, height_m: 0, points: 2, speed_kmh: 30}",
            "demand.orders_per_day=72",
            "demand.arrivals=even",
            "platform={profile: minimal, give_up_s: 1.0e+6}",
            "drain_h=9",
        )
    )
    orders, legs = played.study.orders, played.rows("leg_started")
    assert (orders["state"] == OrderState.DELIVERED).all()
    # Whenever he arrives back and an order waits, he is asked at that very moment.
    waited = 0
    for leg in legs[(legs["trip"] == 2) & (legs["node"] != legs["origin"])]:
        there_s = float(leg["arrive_s"])
        open_then = (orders["pick_start_s"] < there_s) & (orders["accepted_s"] >= there_s)
        if open_then.any():
            waited += 1
            assert orders["accepted_s"][open_then].min() == there_s
    assert waited >= 2


class Nosy:
    """Looks at everything a view offers, checks that it hangs together, and offers at random what may be stale."""

    def __init__(self, drivers: int) -> None:
        self.drivers, self.calls = drivers, 0
        self.sightings: list[Any] = []

    def __call__(self, view: DispatchView) -> Any:
        self.calls += 1
        idle = [int(driver) for driver in view.idle]
        assert idle == sorted(set(idle))
        assert view.idle_count == len(idle)
        waiting = list(view.waiting)
        assert [(o.opened_s, o.id) for o in waiting] == sorted((o.opened_s, o.id) for o in waiting)
        everybody = np.arange(self.drivers)
        for store in (0, 1):
            standing = [int(driver) for driver in view.idle_at(store)]  # type: ignore[arg-type]
            assert standing == sorted(set(standing))
            assert set(standing) <= set(idle)
            rides = view.ride_s(everybody, store)  # type: ignore[arg-type]
            assert (rides >= 0).all()
            assert (rides[standing] == 0).all()
            np.testing.assert_array_equal(view.ride_s(everybody[::2], store), rides[::2])  # type: ignore[arg-type]
        for driver in range(self.drivers):
            sighting = view.seen(driver)  # type: ignore[arg-type]
            assert 0 <= sighting.age_s <= 8
            self.sightings.append((view.now_s, driver, *sighting))
        for order in waiting:
            for driver in idle:
                if order.declined_by(driver):  # type: ignore[arg-type]
                    yield Offer(order.id, driver)  # type: ignore[arg-type]
        if waiting and idle:
            yield Offer(waiting[0].id, idle[0])  # type: ignore[arg-type]
            yield Offer(waiting[0].id, idle[0])  # type: ignore[arg-type]
            yield Offer(waiting[-1].id, idle[-1])  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def nosy_day(two_stores: Any, play: Any) -> Any:
    scenario = two_stores(
        "drivers.accept_share=0.7", "customers={patience_s: 900}", "drivers.door_s=200",
        "platform.tracking={loss_share: 0, delay_s: 0}",
    )  # fmt: skip
    nosy = Nosy(14)
    played = play(scenario, policies=replace(policies_of(scenario), dispatch=nosy))
    return played, nosy


def test_stale_proposals_are_refused_and_logged(nosy_day: Any) -> None:
    played, nosy = nosy_day
    assert nosy.calls > 100
    refusals = Counter(played.rows("proposal_refused")["refusal"].tolist())
    assert refusals[Refusal.ORDER_NOT_WAITING] > 50
    assert refusals[Refusal.DRIVER_NOT_IDLE] > 50
    assert refusals[Refusal.ALREADY_DECLINED] > 5
    declined = set()
    for _, kind, row in day(played, "offer_made", "offer_answered"):
        pair = int(row["order"]), int(row["driver"])
        if kind == "offer_made":
            assert pair not in declined, "whoever declined an order is not asked again, whatever a policy proposes"
        elif row["answer"] != OfferAnswer.ACCEPTED:
            declined.add(pair)
    assert played.outcome.state.differences(played.replayed()) == []
    assert played.study.summary["orders"]["delivered"] > 50


def test_a_phone_says_where_its_driver_was(nosy_day: Any) -> None:
    """On a plain without streets a driver is at one of the two ends of his ride, or (next node) its end."""
    played, nosy = nosy_day
    legs: dict[int, list[Any]] = defaultdict(list)
    for row in played.rows("leg_started"):
        legs[int(row["driver"])].append(row)
    homes = {int(row["driver"]): int(row["node"]) for row in played.rows("driver_on")}
    checked = 0
    for now_s, driver, node, age_s in nosy.sightings:
        sent_s = now_s - age_s
        begun = [leg for leg in legs[driver] if leg["t_s"] <= sent_s]
        if not begun:
            assert node == homes.get(driver, node)
            continue
        leg = begun[-1]
        if sent_s >= leg["arrive_s"]:
            assert node == leg["node"], f"driver {driver} at {now_s}: arrived at {leg['arrive_s']}"
            checked += leg["trip"] == 1
        else:
            assert node in (leg["origin"], leg["node"])
    assert checked > 10, "expected sightings of drivers at a customer's door"


def test_a_policy_on_a_grid_is_asked_on_the_grid(two_stores: Any, play: Any) -> None:
    times = []

    class Slow:
        every_s = 30.0

        def __call__(self, view: DispatchView) -> Any:
            times.append(view.now_s)
            for order, driver in zip(list(view.waiting), [int(d) for d in view.idle], strict=False):
                yield Offer(order.id, driver)  # type: ignore[arg-type]

    scenario = two_stores()
    played = play(scenario, policies=replace(policies_of(scenario), dispatch=Slow()))
    assert times
    assert all(abs(t / 30 - round(t / 30)) < 1e-9 for t in times)
    assert len(set(times)) == len(times)
    made = played.rows("offer_made")["t_s"]
    assert np.isin(made, times).all()
    assert played.study.summary["orders"]["delivered"] > 100
