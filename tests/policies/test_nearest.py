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
    """A fleet and its orders, frozen; `standing` drivers have no ride."""

    def __init__(self, rides: Any, standing: dict[int, int], idle: list[int], orders: list[Any]) -> None:
        self.rides, self.standing, self.drivers, self.orders = rides, standing, idle, orders
        self.asked = 0
        self.taken: set[int] = set()

    now_s = 100.0

    @property
    def idle_count(self) -> int:
        return len(self.idle)

    @property
    def idle(self) -> Any:
        return np.array([d for d in self.drivers if d not in self.taken], dtype=np.int64)

    def idle_at(self, store: int) -> list[int]:
        return [d for d in self.drivers if self.standing.get(d) == store and d not in self.taken]

    def ride_s(self, drivers: Any, store: int) -> Any:
        self.asked += 1
        return self.rides[np.asarray(drivers), store].copy()

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
    standing = {d: chance.randrange(stores) for d in idle if chance.random() < 0.4}
    for driver, store in standing.items():
        rides[driver, store] = 0.0
    orders = [
        an_order(number, chance.randrange(stores), {d for d in range(drivers) if chance.random() < 0.3})
        for number in range(chance.randrange(0, 9))
    ]
    return View(rides, standing, idle, orders)


@pytest.mark.parametrize("coarse", [False, True], ids=["distinct", "ties"])
def test_against_the_oracle(coarse: bool) -> None:
    chance = random.Random(7)
    offered = 0
    for case in range(1500):
        view = a_view(chance, coarse=coarse)
        limit = chance.choice([100.0, 420.0, 600.0, 1e9])
        offers = list(NearestIdle(ride_s_max=limit)(view))  # type: ignore[arg-type]
        assert offers == oracle(view, limit), case
        offered += len(offers)
        # Offers are proposals: no driver twice, no order twice, nobody who declined, nobody beyond reach.
        assert len({o.driver for o in offers}) == len({o.order for o in offers}) == len(offers)
    assert offered > 1000


def test_when_the_office_takes_each_offer_at_once() -> None:
    """In a run the view changes under the policy's hands: a driver who was offered work is idle no longer."""
    chance = random.Random(8)
    for case in range(800):
        view = a_view(chance, coarse=case % 2 == 0)
        expected = oracle(view, 420.0)
        found = []
        for offer in NearestIdle()(view):  # type: ignore[arg-type]
            found.append(offer)
            view.taken.add(int(offer.driver))
            view.orders = [order for order in view.orders if order.id != offer.order]
        assert found == expected, case


def test_the_roads_are_asked_once_per_store_at_most() -> None:
    orders = [an_order(i, i % 2, set()) for i in range(40)]
    view = View(np.full((30, 2), 50.0), {}, list(range(30)), orders)
    assert len(list(NearestIdle()(view))) == 30  # type: ignore[arg-type]
    assert view.asked <= 2
    standing = View(
        np.zeros((30, 2)), dict.fromkeys(range(30), 0), list(range(30)), [an_order(i, 0, set()) for i in range(30)]
    )
    assert [o.driver for o in NearestIdle()(standing)] == list(range(30))  # type: ignore[arg-type]
    assert standing.asked == 0


def test_rides_that_are_not_numbers_reach_nobody() -> None:
    view = View(np.full((3, 1), np.nan), {}, [0, 1, 2], [an_order(0, 0, set())])
    assert list(NearestIdle()(view)) == []  # type: ignore[arg-type]
