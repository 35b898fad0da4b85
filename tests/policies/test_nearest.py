"""The nearest idle driver, against a slow but plain oracle on random fleets."""

import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from policies.dispatch.nearest import NearestIdle
from sim.contracts import Offer
from sim.vocabulary import DriverId


class View:
    """A fleet and its orders; as in a run, a driver who was offered work is idle no longer."""

    def __init__(self, rides: Any, idle: list[int], orders: list[Any]) -> None:
        self.rides, self.drivers, self.orders = rides, list(idle), orders
        self.looked_at = 0

    now_s = 100.0

    @property
    def idle_count(self) -> int:
        return len(self.drivers)

    def nearest(self, store: int) -> Any:
        for driver in sorted(self.drivers, key=lambda driver: (self.rides[driver, store], driver)):
            self.looked_at += 1
            yield driver, self.rides[driver, store]

    def offers(self, policy: Any) -> list[Offer]:
        made = []
        for offer in policy(self):
            made.append(offer)
            self.drivers.remove(int(offer.driver))
            self.orders = [order for order in self.orders if order.id != offer.order]
        return made

    @property
    def waiting(self) -> Any:
        return iter(list(self.orders))


def an_order(number: int, store: int, declined: set[int]) -> Any:
    return SimpleNamespace(
        id=number, store=store, declined_by=lambda driver: driver in declined, opened_s=float(number)
    )


def oracle(view: View, ride_s_max: float) -> list[Offer]:
    free, offers = list(view.drivers), []
    for order in view.orders:
        able = [d for d in free if not order.declined_by(d) and view.rides[d, order.store] <= ride_s_max]
        if able:
            best = min(able, key=lambda d: (view.rides[d, order.store], d))
            free.remove(best)
            offers.append(Offer(order.id, DriverId(best)))
    return offers


def a_view(chance: random.Random, *, coarse: bool) -> View:
    drivers, stores = chance.randrange(1, 14), chance.randrange(1, 4)
    rides = np.array([[chance.uniform(1, 900) for _ in range(stores)] for _ in range(drivers)])
    if coarse:
        rides = np.ceil(rides / 300) * 300  # ties everywhere
    idle = sorted(chance.sample(range(drivers), chance.randrange(0, drivers + 1)))
    for driver in idle:
        if chance.random() < 0.4:
            rides[driver, chance.randrange(stores)] = 0.0  # stands there
    orders = [
        an_order(number, chance.randrange(stores), {d for d in range(drivers) if chance.random() < 0.3})
        for number in range(chance.randrange(0, 9))
    ]
    return View(rides, idle, orders)


@pytest.mark.parametrize("coarse", [False, True], ids=["distinct", "ties"])
def test_against_the_oracle(coarse: bool) -> None:
    chance = random.Random(7)
    offered = 0
    for case in range(1500):
        view = a_view(chance, coarse=coarse)
        limit = chance.choice([100.0, 420.0, 600.0, 1e9])
        expected = oracle(view, limit)
        offers = view.offers(NearestIdle(ride_s_max=limit))
        assert offers == expected, case
        offered += len(offers)
        # No driver twice, no order twice, nobody who declined, nobody beyond reach.
        assert len({o.driver for o in offers}) == len({o.order for o in offers}) == len(offers)
    assert offered > 1000


def test_only_the_first_few_are_looked_at() -> None:
    """However many wait and whoever is idle: an order looks at those who declined it and one more."""
    orders = [an_order(i, i % 2, {0, 1}) for i in range(40)]
    view = View(np.full((30, 2), 50.0), list(range(30)), orders)
    assert [o.driver for o in view.offers(NearestIdle())] == list(range(2, 30))
    assert view.looked_at <= 3 * 28 + 3 * 12


def test_a_store_whose_drivers_are_all_too_far_is_asked_about_once() -> None:
    view = View(np.full((30, 2), 500.0), list(range(30)), [an_order(i, i % 2, set()) for i in range(40)])
    assert view.offers(NearestIdle()) == []
    assert view.looked_at == 2


def test_rides_that_are_not_numbers_reach_nobody() -> None:
    view = View(np.full((3, 1), np.nan), [0, 1, 2], [an_order(0, 0, set())])
    assert view.offers(NearestIdle()) == []


def test_the_radius_widens_by_steps_while_an_order_waits_and_the_dispatcher_asks_again(two_stores, play):
    """The only driver is at home at one store; orders of the other come into reach a step a minute."""
    alone = (
        "map={width_m: 12000, height_m: 500, points: 60, speed_kmh: 30}", "drivers.count=1", "demand.orders_per_day=120",
        "customers.patience_s=null", "drivers.accept_share=1", "platform.profile=minimal",
    )  # fmt: skip
    narrow, wide = (
        play(two_stores(*alone, f"policies.dispatch=nearest(ride_s_max=60, widen_s={step}, widen_every_s=60)"))
        for step in (0, 60)
    )
    home = narrow.world.drivers[0].home
    assert set(narrow.study.orders["store"][narrow.study.orders["driver"] >= 0].tolist()) == {home}
    offered, opened = wide.rows("offer_made"), wide.rows("task_opened")
    other = opened[opened["store"] != home]
    waits = [
        float(offered["t_s"][offered["order"] == order][0]) - t_s
        for order, t_s in zip(other["order"].tolist(), other["t_s"].tolist(), strict=True)
        if (offered["order"] == order).any()
    ]
    ride_s = wide.world.travel.to_store[0][0][1 - home][wide.world.store_nodes[home]] / 1000.0
    assert ride_s > 120.0
    assert waits
    # From home it takes as many steps as are missing to the ride.
    assert max(waits) >= 60.0 * ((ride_s - 60.0) // 60.0)
