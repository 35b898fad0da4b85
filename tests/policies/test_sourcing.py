"""Where an order is sent when the nearest store lacks something of it."""

from types import SimpleNamespace

import pytest

from policies.sourcing.nearest_with_drivers import NearestWithDrivers
from policies.sourcing.nearest_with_stock import NearestWithStock


class View:
    """Two lines are wanted; each store's records by SKU."""

    def __init__(self, *records, drivers_in_s=()):
        self._records, self._drivers_in_s = records, drivers_in_s

    def driver_in_s(self, store):
        return self._drivers_in_s[store]

    def serving(self, node):
        return list(range(len(self._records)))

    def available(self, store, sku):
        return self._records[store].get(sku, 0)


WANTED = SimpleNamespace(node=0, skus=[7, 8], units=[1, 2])


@pytest.mark.parametrize(
    ("records", "store"),
    [
        (({7: 1, 8: 2}, {7: 9, 8: 9}), 0),  # the nearest has everything
        (({7: 1, 8: 1}, {7: 9, 8: 9}), 1),  # it lacks a unit, the neighbour does not
        (({7: 1}, {8: 2}), 0),  # none has all: as many lines in both, the nearest
        (({}, {8: 2}), 1),  # none has all: the one with more lines
        (({}, {}, {}, {7: 1, 8: 2}), 0),  # the fourth is too far to be looked at
        ((), None),
    ],
)
def test_the_nearest_store_that_has_all_or_else_most(records, store):
    assert NearestWithStock()(View(*records), WANTED) == store


@pytest.mark.parametrize(
    ("records", "drivers_in_s", "store"),
    [
        (({7: 1, 8: 2}, {7: 9, 8: 9}), (60, 0), 0),  # the nearest has goods and a driver who is there soon
        (({7: 1, 8: 2}, {7: 9, 8: 9}), (600, 0), 1),  # its drivers are far away, the neighbour's are not
        (({7: 1, 8: 2}, {7: 9}), (600, 0), 0),  # the neighbour has drivers but not the goods
        (({7: 1, 8: 2}, {7: 9, 8: 9}), (float("inf"), float("inf")), 0),  # nobody has drivers: the goods decide
        (({}, {8: 2}), (0, 600), 1),
        ((), (), None),
    ],
)
def test_the_nearest_store_that_has_all_and_somebody_to_bring_it(records, drivers_in_s, store):
    assert NearestWithDrivers()(View(*records, drivers_in_s=drivers_in_s), WANTED) == store


def test_a_store_without_drivers_hands_its_orders_to_its_neighbour(play, two_stores):
    """The only driver is at home at one store: what the other would have to wait for, his own store serves."""
    apart = (
        "map={width_m: 8000, height_m: 1000, points: 60, speed_kmh: 40}", "drivers.count=1", "demand.orders_per_day=120",
        "horizon_h=4", "policies.dispatch=nearest(ride_s_max=100)",
    )  # fmt: skip
    near, shared = (
        play(two_stores(*apart, f"policies.sourcing={name}")) for name in ("nearest_store", "nearest_with_drivers")
    )
    home, other = shared.world.drivers[0].home, 1 - shared.world.drivers[0].home
    delivered = [day.study.summary["orders"]["delivered"] for day in (near, shared)]
    assert (near.study.orders["driver"][near.study.orders["store"] == other] < 0).all()
    assert delivered[1] >= delivered[0]
    assert (shared.study.orders["store"] == home).sum() > (near.study.orders["store"] == home).sum()


def test_a_neighbour_fills_what_the_nearest_cannot(play, two_stores):
    """On a scarce day more of what was wanted is delivered when a neighbouring store may send it."""
    scarce = ("supply.units_min=1", "supply.cover_days=0.05", "seed=3")
    near, filled = (
        play(two_stores(*scarce, f"policies.sourcing={name}")).study.summary["fill_rate"]
        for name in ("nearest_store", "nearest_with_stock")
    )
    assert near < 0.97
    assert filled > near + 0.01
