"""Drones: straight through the air, back to their dock after every flight, charged for what they flew, grounded by weather."""

from typing import Any

import numpy as np
import pytest

from sim.vocabulary import InputError, OfferAnswer, Refusal, Trip
from sim.world.build import build_world
from sim.world.geography import metres_between
from sim.world.traffic import VEHICLES
from tests.conftest import lawful_day

CALM = ("customers.patience_s=null", "payments.decline_share=0", "drivers.accept_share=1", "travel.noise_cv=0")
SMALL = "catalogue={skus: 60, categories: [{name: bread, share: 1, price_cents: 200, litres: 0.5}]}"
DRONES = "drivers={count: 20, accept_share: 1, vehicles: {drone: 1}, shifts: [{at: '12:00', hours: 5}], drone_recharge_s: 1200}"
DRONE = VEHICLES["drone"]


@pytest.fixture(scope="module")
def flown(two_stores: Any, play: Any) -> Any:
    return lawful_day(play, two_stores(*CALM, DRONES, SMALL))


def test_a_flight_takes_the_straight_line_and_the_time_up_and_down(flown: Any) -> None:
    legs, world = flown.rows("leg_started"), flown.world
    some = legs[(legs["trip"] == Trip.TO_CUSTOMER)]
    assert len(some) > 50
    lon, lat = world.geography.lon, world.geography.lat
    metres = metres_between(lon[some["origin"]], lat[some["origin"]], lon[some["node"]], lat[some["node"]])
    expected = metres / DRONE.top_kmh * 3.6 + np.where(metres > 0, DRONE.lift_s, 0.0)
    assert np.abs(some["arrive_s"] - some["t_s"] - expected).max() < 0.002


def test_after_each_flight_a_drone_is_charged_at_its_dock_before_it_is_offered_anything(flown: Any) -> None:
    world, legs, offers = flown.world, flown.rows("leg_started"), flown.rows("offer_made")
    back = legs[legs["trip"] == Trip.BACK]
    assert len(back) > 50
    for row in back:
        driver = int(row["driver"])
        dock = world.store_nodes[world.drivers[driver].home]
        assert row["node"] == dock
        out = legs[(legs["driver"] == driver) & (legs["trip"] == Trip.TO_CUSTOMER) & (legs["t_s"] < row["t_s"])][-1]
        flown_m = 2.0 * world.metres(dock, int(out["node"]))
        ready_s = row["arrive_s"] + 1200.0 * flown_m / DRONE.range_m
        following = offers["t_s"][(offers["driver"] == driver) & (offers["t_s"] > row["t_s"])]
        assert (following >= ready_s - 1e-5).all()


def test_drones_serve_their_own_store_alone(flown: Any) -> None:
    accepted = flown.rows("offer_answered")
    accepted = accepted[accepted["answer"] == OfferAnswer.ACCEPTED]
    store = dict(zip(flown.study.orders["order"].tolist(), flown.study.orders["store"].tolist(), strict=True))
    for order, driver in zip(accepted["order"].tolist(), accepted["driver"].tolist(), strict=True):
        assert flown.world.drivers[driver].home == store[order]
    refused = flown.rows("proposal_refused")
    assert set(refused["refusal"].tolist()) <= {Refusal.OUT_OF_RANGE, Refusal.TOO_HEAVY}


def test_what_is_beyond_the_range_goes_by_road(two_stores: Any, play: Any) -> None:
    wide = "map={width_m: 40000, height_m: 2000, points: 60, speed_kmh: 60}"
    mixed = "drivers={count: 30, accept_share: 1, vehicles: {car: 0.5, drone: 0.5}, shifts: [{at: '12:00', hours: 5}]}"
    day = lawful_day(
        play, two_stores(*CALM, mixed, SMALL, wide, "policies.dispatch=nearest(ride_s_max=9000)", "drain_h=4")
    )
    orders, world, far = day.study.orders, day.world, 0
    for store, node, driver in zip(*(orders[name].tolist() for name in ("store", "node", "driver")), strict=True):
        if driver < 0:
            continue
        there_and_back = 2.0 * world.metres(world.store_nodes[store], node)
        flies = world.travel.profiles[world.drivers[driver].profile].flies
        far += there_and_back > DRONE.range_m
        assert not flies or there_and_back <= DRONE.range_m
    assert far > 5
    assert (day.rows("proposal_refused")["refusal"] == Refusal.OUT_OF_RANGE).any()


def test_nothing_starts_while_the_weather_grounds_what_flies(two_stores: Any, play: Any) -> None:
    windy = "demand.weather.grounded=['12:30-13:15']"
    day = lawful_day(play, two_stores(*CALM, DRONES, SMALL, windy))
    accepted = day.rows("offer_answered")
    at_s = accepted["t_s"][accepted["answer"] == OfferAnswer.ACCEPTED]
    assert not ((at_s > 1800.0) & (at_s < 4500.0)).any()
    assert (at_s < 1800.0).any()
    assert (at_s > 4500.0).any()


def test_zones_are_measured_by_what_drives(two_stores: Any) -> None:
    zone = "stores={count: 2, open: '00:00-24:00', zone: {drive_s: 300}}"
    ground, both = (
        build_world(two_stores(zone, f"drivers.vehicles={mix}"))
        for mix in ("{scooter: 1}", "{scooter: 0.5, drone: 0.5}")
    )
    assert ground.serving == both.serving


def test_nobody_calls_a_machine_at_home(two_stores: Any) -> None:
    with pytest.raises(InputError, match=r"drivers\.on_call: expected a vehicle besides drones"):
        build_world(two_stores(DRONES, "drivers.on_call={count: 2}"))


def test_what_is_for_adults_is_brought_by_people(two_stores: Any, play: Any) -> None:
    wine = (
        "catalogue={skus: 60, categories: [{name: bread, share: 0.7, price_cents: 200, litres: 0.5}, "
        "{name: wine, share: 0.3, price_cents: 900, litres: 0.5, restricted: true}]}"
    )
    mixed = "drivers={count: 30, accept_share: 1, vehicles: {car: 0.5, drone: 0.5}, shifts: [{at: '12:00', hours: 5}]}"
    day = lawful_day(play, two_stores(*CALM, mixed, wine))
    world, trace, orders = day.world, day.world.trace, day.study.orders
    restricted = np.array([kind.restricted for kind in world.scenario.catalogue.categories])[world.catalogue.category]
    by = {True: 0, False: 0}
    for order, driver in zip(orders["order"].tolist(), orders["driver"].tolist(), strict=True):
        if driver >= 0 and world.travel.profiles[world.drivers[driver].profile].flies:
            lines = slice(trace.first_line[order], trace.first_line[order + 1])
            by[bool(restricted[trace.sku[lines]].any())] += 1
    assert by[False] > 5
    assert by[True] == 0
    assert (day.rows("proposal_refused")["refusal"] == Refusal.NOT_ALLOWED).any()


def test_a_machine_takes_what_it_is_given_and_is_tipped_or_paid_by_nobody(two_stores: Any, play: Any) -> None:
    paid = "drivers={count: 20, accept_share: 0.3, vehicles: {drone: 1}, shifts: [{at: '12:00', hours: 5}]}"
    day = lawful_day(
        play,
        two_stores(
            *CALM[:2], SMALL, paid, "drivers.pay={tip_share: 1, km_cents: 50}", "policies.incentive=flat(cents=100)"
        ),
    )
    figures = day.study.summary["drivers"]
    assert figures["accepted_share"] > 0.95  # but for answers that came too late
    assert figures["tips_cents"] == figures["ways_cents"] == figures["bonuses_cents"] == 0
    assert len(day.rows("bonus_offered"))
    assert figures["gini_pay"] is None


def test_a_flight_for_nothing_is_charged_as_well(two_stores: Any, play: Any) -> None:
    day = lawful_day(play, two_stores(*CALM, DRONES, SMALL, "customers.absent_share=1"))
    world, handed_in, offers = day.world, day.rows("tote_handed_in"), day.rows("offer_made")
    assert len(handed_in) > 20
    again = 0
    for row in handed_in:
        driver = int(row["driver"])
        dock = world.store_nodes[world.drivers[driver].home]
        flown_m = 2.0 * world.metres(dock, int(world.trace.node[row["order"]]))
        following = offers["t_s"][(offers["driver"] == driver) & (offers["t_s"] > row["t_s"])]
        assert (following >= row["t_s"] + 1200.0 * flown_m / DRONE.range_m - 1e-5).all()
        again += len(following) > 0
    assert again
