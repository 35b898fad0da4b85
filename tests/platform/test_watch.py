"""Overdue rides: who stands still or is silent is noticed in time, nobody else is looked at, and orders go to others."""

from typing import Any

import numpy as np
import pytest

from sim.laws import all_laws, verdict, whole_log
from sim.opening import ready_world
from sim.platform.monitoring import BEAT_S
from sim.platform.watch import Watch
from sim.scenario.loading import load
from sim.streams import Streams
from sim.vocabulary import Alert, OfferAnswer, OrderState, Stall, Trip

DARK = 'faults=[{kind: app_connection_loss, at: "12:40", minutes: 30, share: 0.5}]'
STEADY = ("travel={noise_cv: 0, traffic: false}", "platform.tracking={loss_share: 0, delay_s: 0}")


def lawful(two_stores: Any, play: Any, *settings: str) -> Any:
    world = ready_world(two_stores(*settings), Streams(1))
    laws = all_laws(world)
    played = play(world, laws=laws)
    assert verdict(laws) + whole_log(played.archive, played.outcome.state) == []
    assert played.outcome.state.differences(played.replayed()) == []
    return played


@pytest.fixture(scope="module")
def stopped(two_stores: Any, play: Any) -> Any:
    """Vehicles break down, mostly for long; the platform hears of nothing but positions."""
    return lawful(
        two_stores, play, *STEADY, "drivers.mishaps={breakdowns_per_1000h: 4000, accidents_per_1000h: 0, repair_minutes: 60}",
        "platform.tracking.slip_s=60", "platform.tracking.stall_s=120", "customers.patience_s=null",
    )  # fmt: skip


def test_a_driver_who_has_stopped_for_long_is_noticed(stopped: Any) -> None:
    stops, found = stopped.rows("vehicle_stopped"), stopped.rows("driver_stalled")
    end_s, noticed = stopped.world.scenario.end_s, 0
    moved = stopped.rows("order_moved")
    moved = moved[moved["state"] == OrderState.PICKED_UP]
    left = dict(zip(moved["order"].tolist(), moved["t_s"].tolist(), strict=True))
    for stop in stops:
        if (
            stop["until_s"] - stop["t_s"] < 1500.0
            or stop["t_s"] > end_s - 1800.0
            or left.get(int(stop["order"]), np.inf) > stop["t_s"]
        ):
            continue  # on a plain, who stops on the way to the store stands at it
        mine = found[(found["driver"] == stop["driver"]) & (found["order"] == stop["order"])]
        mine = mine[(mine["t_s"] >= stop["t_s"]) & (mine["t_s"] <= stop["until_s"])]
        noticed += 1
        assert len(mine), f"driver {stop['driver']} stood from {stop['t_s']} to {stop['until_s']}"
    assert noticed > 3
    assert not (found["t_s"] % BEAT_S).any(), "rides are looked at by the rounds of monitoring"
    # Whoever is asked for is overdue by the limit, at most a round late at the first look.
    first = found[np.unique(found["order"], return_index=True)[1]]
    assert (first["late_s"] >= 60.0).all()


def test_who_is_stuck_raises_an_alert(stopped: Any) -> None:
    raised = stopped.rows("alert_raised")
    assert (raised["alert"] == Alert.DRIVERS_STALLED).any()


def test_who_is_not_heard_of_is_silent(two_stores: Any, play: Any) -> None:
    played = lawful(two_stores, play, *STEADY, DARK, "platform.tracking.slip_s=30", "platform.tracking.stall_s=60")
    found = played.rows("driver_stalled")
    silent = found[found["stall"] == Stall.SILENT]
    assert len(silent) > 3
    offline = set(played.rows("driver_offline")["driver"].tolist())
    assert set(silent["driver"].tolist()) <= offline
    assert (silent["t_s"] >= 2400.0 + 60.0).all()
    by_kind = played.study.summary["tracking"]["stalls_by"]
    assert by_kind["silent"] == len(silent)
    assert sum(by_kind.values()) == played.study.summary["tracking"]["stalls"] == len(found)


def test_on_a_calm_day_nobody_is_looked_at(two_stores: Any, play: Any) -> None:
    assert len(lawful(two_stores, play, *STEADY, "drivers.noise=none").rows("driver_stalled")) == 0


@pytest.fixture(scope="module")
def reassigned(two_stores: Any, play: Any) -> Any:
    return lawful(
        two_stores, play, *STEADY, "platform.tracking={on_stall: reassign, slip_s: 120, stall_s: 30, loss_share: 1}",
        "pickers.per_store=2",
    )  # fmt: skip


def test_an_order_taken_back_goes_to_somebody_else(reassigned: Any) -> None:
    back, answered = reassigned.rows("order_taken_back"), reassigned.rows("offer_answered")
    delivered, legs = reassigned.rows("goods_delivered"), reassigned.rows("leg_started")
    assert len(back) > 3
    for row in back:
        order, driver = int(row["order"]), int(row["driver"])
        again = answered[(answered["order"] == order) & (answered["t_s"] > row["t_s"])]
        assert not ((again["driver"] == driver) & (again["answer"] == OfferAnswer.ACCEPTED)).any()
        assert driver not in delivered["driver"][delivered["order"] == order]
        out = legs[(legs["trip"] == Trip.TO_CUSTOMER) & (legs["order"] == order)]
        assert driver not in out["driver"]
    done = np.isin(back["order"], delivered["order"])
    assert done.any()
    assert reassigned.study.summary["tracking"]["taken_back"] == len(back)


def test_whoever_lost_an_order_is_free_again_afterwards(reassigned: Any) -> None:
    """He learns of it at the store at the latest, and takes others."""
    back, answered = reassigned.rows("order_taken_back"), reassigned.rows("offer_answered")
    accepted = answered[answered["answer"] == OfferAnswer.ACCEPTED]
    again = [
        ((accepted["driver"] == row["driver"]) & (accepted["t_s"] > row["t_s"])).any()
        for row in back
        if row["t_s"] < 5400.0
    ]
    assert sum(again) >= len(again) - 1 > 1


def test_stages_of_orders_that_changed_drivers_still_add_up(reassigned: Any) -> None:
    orders = reassigned.study.orders
    done = orders["state"] == OrderState.DELIVERED
    changed = done & np.isin(orders["order"], reassigned.rows("order_taken_back")["order"])
    assert changed.any()
    assert (orders["at_store_s"][changed] <= orders["picked_up_s"][changed]).all()
    assert (orders["accepted_s"][changed] <= orders["picked_up_s"][changed]).all()


def test_after_pickup_an_order_stays_with_its_driver(two_stores: Any, play: Any) -> None:
    played = lawful(
        two_stores, play, "platform.tracking={on_stall: reassign, slip_s: 0, stall_s: 15, loss_share: 1.0}",
        "travel.noise_cv=1.0",
    )  # fmt: skip
    picked = {
        int(row["order"]): row["t_s"] for row in played.rows("order_moved") if row["state"] == OrderState.PICKED_UP
    }
    back = played.rows("order_taken_back")
    assert len(back) > 5
    assert all(row["t_s"] <= picked.get(int(row["order"]), np.inf) for row in back)


def test_who_breaks_down_on_the_way_to_the_store_loses_the_order_to_somebody_else(play: Any) -> None:
    """On real roads, whoever stops does so at some junction."""
    scenario = load(
        "small",
        (
            "drivers.mishaps={breakdowns_per_1000h: 1000, accidents_per_1000h: 0, repair_minutes: 60}",
            "platform.tracking={on_stall: reassign, slip_s: 60, stall_s: 150}", "customers.patience_s=null",
        ),
    )  # fmt: skip
    world = ready_world(scenario, Streams(1))
    laws = all_laws(world)
    played = play(world, laws=laws)
    assert verdict(laws) + whole_log(played.archive, played.outcome.state) == []
    back, found = played.rows("order_taken_back"), played.rows("driver_stalled")
    assert (found["stall"] == Stall.STOPPED).sum() > 3
    assert len(back) > 1
    stops = played.rows("vehicle_stopped")
    broken = [
        ((stops["driver"] == row["driver"]) & (stops["order"] == row["order"]) & (stops["t_s"] <= row["t_s"])).any()
        for row in back
    ]
    # Now and then somebody only took that long from one junction to the next.
    assert np.mean(broken) > 0.8
    assert np.isin(back["order"], played.rows("goods_delivered")["order"]).mean() > 0.5


def test_who_gets_no_nearer_is_astray_and_who_does_is_late() -> None:
    """A driver on a line, whose store is at 0 and whose customer at 100; each position is a node."""
    from types import SimpleNamespace as Some

    from sim.platform.watch import Watch

    def looked_at(now_node: int, then_node: int, *, out: bool, begun_s: float = 0.0) -> list[Stall]:
        found: list[Stall] = []
        order = Some(
            id=1,
            store=0,
            node=100,
            driver=0,
            accepted=True,
            failing=None,
            done_s=np.inf,
            left_s=0.0 if out else np.inf,
            before=None,
        )
        watch = Watch(
            Some(now=begun_s), Some(driver_stalled=lambda **fact: found.append(fact["stall"])), {1: order},  # type: ignore[arg-type, dict-item]
            Some(store_nodes=[0], driver_profiles=[0], stops=Some(arrive_s=0.0, door_s=0.0, leave_s=0.0)),  # type: ignore[arg-type]
            Some(onward_s=lambda node, to, now: float(abs(to - node)), to_store_s=lambda node, kind, store, now: float(node),
                 to_customer_s=lambda *where: 100.0),  # type: ignore[arg-type]
            Some(seen=lambda driver: Some(node=now_node, age_s=1.0), seen_at=lambda driver, at_s: Some(node=then_node, age_s=1.0),
                 one_ride_s=lambda *where: 100.0, on_shift=1),  # type: ignore[arg-type]
            Some(stall_s=180.0, slip_s=300.0, on_stall="alert"), lambda order: None,  # type: ignore[arg-type]
        )  # fmt: skip
        (watch.left if out else watch.accepted)(order)  # type: ignore[arg-type]
        for beat in range(1, 60):
            watch.look(begun_s + beat * BEAT_S)
            if found:
                break
        return found

    assert looked_at(60, 40, out=True) == [Stall.LATE]
    assert looked_at(40, 60, out=True) == [Stall.ASTRAY]
    assert looked_at(40, 60, out=False) == [Stall.LATE]
    assert looked_at(60, 40, out=False) == [Stall.ASTRAY]
    assert looked_at(40, 40, out=True) == [Stall.STOPPED]


def test_no_ride_is_put_off_to_a_round_that_is_over(
    two_stores: Any, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However soon a ride is overdue: whoever was seen to be late is looked at again in a round to come."""
    put_off: list[tuple[float, float]] = []
    look_at = Watch._look_at

    def noted(watch: Watch, at_s: float, ride: Any) -> None:
        if ride[5]:
            put_off.append((watch._env.now, at_s))
        look_at(watch, at_s, ride)

    monkeypatch.setattr(Watch, "_look_at", noted)
    jams = ("platform.tracking.slip_s=0", "platform.tracking.stall_s=15", "travel.noise_cv=0.6")
    lawful(two_stores, play, *STEADY, *jams, "customers.patience_s=null")
    assert len(put_off) > 20
    assert all(at_s >= now_s + BEAT_S for now_s, at_s in put_off)
