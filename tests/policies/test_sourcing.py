"""Where an order is sent when the nearest store lacks something of it."""

from types import SimpleNamespace

import pytest

from policies.sourcing.nearest_with_stock import NearestWithStock


class View:
    """Two lines are wanted; each store's records by SKU."""

    def __init__(self, *records):
        self._records = records

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


def test_a_neighbour_fills_what_the_nearest_cannot(play, two_stores):
    """On a scarce day more of what was wanted is delivered when a neighbouring store may send it."""
    scarce = ("supply.units_min=1", "supply.cover_days=0.05", "seed=3")
    near, filled = (
        play(two_stores(*scarce, f"policies.sourcing={name}")).study.summary["fill_rate"]
        for name in ("nearest_store", "nearest_with_stock")
    )
    assert near < 0.97
    assert filled > near + 0.01
