"""Pickers and drivers: in their shifts, one thing at a time, no faster than the road."""

from collections import defaultdict
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from sim.laws import People, verdict
from sim.scenario import load_text
from sim.streams import Streams
from sim.vocabulary import Trip
from sim.world.build import build_world

TICK_S = 2.0**-20
SURE = ("payments={decline_share: 0}", "customers={patience_s: null}", "stores.inaccurate_share=0")
ROADS = """
name: roads
map: gothenburg
start: 2026-11-20T16:30+01:00
horizon_h: 0.6
drain_h: 1
stores: {count: 3, open: "00:00-24:00", zone: {drive_s: 900}}
pickers: {per_store: 20, shifts: [{at: "16:00", hours: 4}]}
drivers: {count: 24, accept_share: 0.8, shifts: [{at: "16:00", hours: 4}]}
catalogue: {skus: 100}
demand: {orders_per_day: 4500}
policies: {dispatch: nearest(ride_s_max=3000)}
"""


@pytest.fixture(scope="module")
def rush(play: Any) -> Any:
    return play(load_text(ROADS))


@pytest.mark.parametrize("who", ["picker", "driver"])
def test_shifts_begin_and_end_on_time_or_with_the_work_in_hand(two_stores: Any, play: Any, who: str) -> None:
    shifts = "[{at: '11:30', hours: 1, share: 0.4}, {at: '12:20', hours: 1.25, share: 0.6}]"
    played = play(
        two_stores(
            *SURE,
            f"pickers={{per_store: 10, shifts: {shifts}}}",
            f"drivers={{count: 30, shifts: {shifts}}}",
            "drain_h=1",
        )
    )
    people = played.world.pickers if who == "picker" else played.world.drivers
    on = {int(r[who]): float(r["t_s"]) for r in played.rows(f"{who}_on")}
    off = {int(r[who]): float(r["t_s"]) for r in played.rows(f"{who}_off")}
    kinds = ("pick_started", "pick_ended") if who == "picker" else ("offer_answered", "goods_delivered")
    ends: dict[int, list[float]] = defaultdict(list)
    for row in played.rows(kinds[1]):
        ends[int(row[who])].append(float(row["t_s"]))
    late = 0
    for number, person in enumerate(people):
        ((begin_s, end_s),) = person.shifts
        assert on[number] == max(begin_s, 0.0)
        if off[number] != end_s:
            late += 1
            assert off[number] > end_s
            # Whoever went home late had work in hand: the end of it is when he went.
            assert off[number] == max(ends[number])
            assert sum(t_s > end_s for t_s in ends[number]) == 1
    assert late, "expected somebody with work in hand at the end of the shift"
    for row in played.rows(kinds[0]):
        number, t_s = int(row[who]), float(row["t_s"])
        if who == "picker" or row["answer"] == 0:
            assert on[number] <= t_s < people[number].shifts[0][1]


def test_the_second_day_is_worked_like_the_first(one_store: Any, play: Any) -> None:
    flat = "[{at: '12:00', hours: 3}]"
    played = play(
        one_store(
            *SURE, "horizon_h=27", f"pickers={{per_store: 4, shifts: {flat}}}", f"drivers={{count: 8, shifts: {flat}}}"
        )
    )
    assert len(played.rows("picker_on")) == 8
    assert len(played.rows("driver_on")) == 16
    assert sorted(set(played.rows("picker_on")["t_s"].tolist())) == [0.0, 86_400.0]
    started = played.rows("pick_started")["t_s"]
    assert ((started < 3 * 3600) | (started >= 86_400)).all()
    assert (started > 86_400).any()


def test_a_picker_has_one_order_at_a_time_and_no_order_two_pickers(two_stores: Any, play: Any) -> None:
    played = play(two_stores(*SURE, "demand.orders_per_day=6000", "pickers.per_store=3"))
    events = [
        (int(seq), kind, int(row["order"]), int(row["picker"]))
        for kind in ("pick_started", "pick_ended")
        for seq, row in zip(played.archive.seq(kind), played.rows(kind), strict=True)
    ]
    busy: dict[int, int] = {}
    seen = set()
    for _, kind, order, picker in sorted(events):
        if kind == "pick_started":
            assert picker not in busy
            assert order not in seen
            busy[picker] = order
            seen.add(order)
        else:
            assert busy.pop(picker) == order
    # Nobody rests while orders wait: whenever one waited, all pickers of its store were busy.
    orders = played.study.orders
    waited = orders["pick_start_s"] - orders["confirmed_s"] > 1
    assert waited.sum() > 50
    for store in (0, 1):
        mine = orders["store"] == store
        begins, ends = orders["pick_start_s"][mine], orders["packed_s"][mine]
        for t_s in (orders["confirmed_s"][mine & waited] + 0.5).tolist():
            assert ((begins <= t_s) & (ends > t_s)).sum() == sum(
                picker.store == store for picker in played.world.pickers
            )


def test_orders_are_picked_first_in_first_out(two_stores: Any, play: Any) -> None:
    orders = play(two_stores(*SURE, "demand.orders_per_day=6000", "pickers.per_store=3")).study.orders
    for store in (0, 1):
        mine = orders["store"] == store
        by_confirmation = np.argsort(orders["confirmed_s"][mine], kind="stable")
        assert (np.diff(orders["pick_start_s"][mine][by_confirmation]) >= 0).all()


def test_the_pick_time_is_the_formula_times_the_orders_own_noise(one_store: Any, play: Any) -> None:
    played = play(one_store(*SURE, "pickers={per_store: 50, shifts: [{at: '12:00', hours: 5}], mispick_share: 0}"))
    orders, trace = played.study.orders, played.world.trace
    took = orders["packed_s"] - orders["pick_start_s"]
    expected = (45 + 18 * orders["lines"] + 2 * orders["units"]) * trace.pick_noise[orders["order"]]
    np.testing.assert_allclose(took, expected, atol=2 * TICK_S)


def test_people_law_on_real_roads(rush: Any, play: Any) -> None:
    laws = [People(rush.world)]
    played = play(rush.world, laws=laws)
    assert verdict(laws) == []
    assert played.outcome.digest == rush.outcome.digest


def legs_of(played: Any) -> dict[int, list[Any]]:
    legs: dict[int, list[Any]] = defaultdict(list)
    for row in played.rows("leg_started"):
        legs[int(row["driver"])].append(row)
    return legs


def test_every_leg_takes_its_tables_time_with_its_own_noise(rush: Any) -> None:
    """Undisturbed rides: map time at the hour of setting out x the draw of (order, leg)."""
    travel, trace = rush.world.travel, rush.world.trace
    profiles = {int(r["driver"]): int(r["profile"]) for r in rush.rows("driver_on")}
    store_of = {node: store for store, node in enumerate(rush.world.store_nodes)}
    checked = 0
    for driver, legs in legs_of(rush).items():
        for leg in legs:
            if leg["trip"] != Trip.TO_CUSTOMER:
                continue
            period = travel.period_at(float(leg["t_s"]))
            ms = travel.from_store[period][profiles[driver]][store_of[int(leg["origin"])]][int(leg["node"])]
            noise = trace.ride_noise[int(leg["order"]), 1]
            assert float(leg["arrive_s"] - leg["t_s"]) == pytest.approx(ms / 1000 * noise, abs=3 * TICK_S)
            checked += 1
    assert checked > 50


def test_a_driver_who_is_turned_on_the_way_rides_by_the_roads(rush: Any) -> None:
    """A ride back that is cut short goes on from the next junction of its path, not before the driver can be there."""
    travel, roads, trace = rush.world.travel, rush.world.geography, rush.world.trace
    profiles = {int(r["driver"]): int(r["profile"]) for r in rush.rows("driver_on")}
    store_of = {node: store for store, node in enumerate(rush.world.store_nodes)}
    turned = elsewhere = 0
    for driver, legs in legs_of(rush).items():
        for old, new in pairwise(legs):
            if old["trip"] != Trip.BACK or new["t_s"] >= old["arrive_s"]:
                continue
            turned += 1
            profile, period = profiles[driver], travel.period_at(float(old["t_s"]))
            tree = travel.to_store[period][profile][store_of[int(old["node"])]]
            whole = tree[int(old["origin"])]
            noise = float(old["arrive_s"] - old["t_s"]) / (whole / 1000)
            reached_s = float(old["t_s"]) + (whole - tree[int(new["origin"])]) / 1000 * noise
            assert reached_s >= new["t_s"] - 1e-3, "turned at a junction that lies behind"
            # The junction lies on the path, and the one before it was passed already.
            nodes, times = roads.path(int(old["origin"]), int(new["origin"]), travel.profiles[profile], period)
            assert times[-1] == whole - tree[int(new["origin"])]
            if len(nodes) > 1:
                assert float(old["t_s"]) + times[-2] / 1000 * noise <= new["t_s"] + 1e-3
            now = travel.period_at(float(new["t_s"]))
            ms = travel.to_store[now][profile][store_of[int(new["node"])]][int(new["origin"])]
            ride_s = ms / 1000 * trace.ride_noise[int(new["order"]), 0]
            assert float(new["arrive_s"]) == pytest.approx(reached_s + ride_s, abs=2e-3)
            assert float(new["arrive_s"]) >= float(new["t_s"])
            elsewhere += new["node"] != old["node"]
    assert turned > 3
    assert elsewhere


def test_a_driver_is_where_the_last_leg_ended(rush: Any) -> None:
    homes = {int(r["driver"]): int(r["node"]) for r in rush.rows("driver_on")}
    for driver, legs in legs_of(rush).items():
        node = homes[driver]
        for place, leg in enumerate(legs):
            cut = place > 0 and legs[place - 1]["arrive_s"] > leg["t_s"]
            if not cut:
                assert int(leg["origin"]) == node
            node = int(leg["node"])


def test_counter_and_door_times_are_the_traces(one_store: Any, play: Any) -> None:
    played = play(one_store(*SURE, "drivers.count=60"))
    orders, trace = played.study.orders, played.world.trace
    number = orders["order"]
    ready_s = np.maximum(orders["packed_s"], orders["at_store_s"])
    np.testing.assert_allclose(orders["picked_up_s"] - ready_s, trace.counter_s[number], atol=2 * TICK_S)
    legs = played.rows("leg_started")
    out = legs[legs["trip"] == Trip.TO_CUSTOMER]
    arrive = dict(zip(out["order"].tolist(), out["arrive_s"].tolist(), strict=True))
    at_door = np.array([arrive[order] for order in number.tolist()])
    np.testing.assert_allclose(orders["delivered_s"] - at_door, trace.door_s[number], atol=2 * TICK_S)


def test_noise_is_unbiased(one_store: Any) -> None:
    scenario = one_store("demand.orders_per_day=200000", "demand.weather.ride_factor=1.2")
    trace = build_world(scenario, Streams(scenario.seed)).trace
    n = trace.orders
    for column, mean, cv in (
        (trace.ride_noise[:, 0], 1.2, 0.15), (trace.ride_noise[:, 2], 1.2, 0.15), (trace.pick_noise, 1.0, 0.3),
        (trace.counter_s, 40.0, 0.5), (trace.door_s, 120.0, 0.5), (trace.pay_s[:, 0], 1.2, 0.8), (trace.submit_s, 0.05, 0.5),
        (trace.patience_s, 3600.0, 0.5),
    ):  # fmt: skip
        assert abs(column.mean() / mean - 1) < 5 * cv / np.sqrt(n)
        assert column.std() / column.mean() == pytest.approx(cv, rel=0.08)
        assert (column > 0).all()
