"""Records parted by regions: which store is of which, and that one region's database is no other's."""

from collections import Counter
from itertools import combinations
from math import hypot

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.platform.regions import Dark, part
from sim.vocabulary import StockCause, StoreId
from tests.platform.test_faults import BEGAN_S, OVER_S, broken, within

__all__ = ["broken"]

PLACES = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=9)


def parted(places, regions):
    def metres(one, other):
        return hypot(places[one][0] - places[other][0], places[one][1] - places[other][1])

    return part(range(len(places)), regions, metres), metres


@given(PLACES, st.integers(1, 4))
def test_no_parting_into_as_many_regions_is_half_as_wide(places, regions):
    """What the farthest-first traversal is known for: its radius is at most twice the least possible one (Gonzalez 1985)."""
    found, metres = parted(places, regions)
    stores, count = range(len(places)), min(regions, len(set(places)))
    assert found[0] == 0
    assert set(found) == set(range(count)), "numbered without gaps"
    assert all(found[one] == found[other] for one in stores for other in stores if places[one] == places[other])
    least_m = min(
        max(min(metres(store, middle) for middle in middles) for store in stores)
        for middles in combinations(stores, min(regions, len(places)))
    )
    for region in set(found):
        mine = [store for store in stores if found[store] == region]
        assert min(max(metres(store, middle) for store in mine) for middle in mine) <= 2.0 * least_m + 1e-9


def test_two_towns_are_two_regions():
    assert parted([(0, 0), (100, 0), (1, 1), (99, 2), (3, 0)], 2)[0] == [0, 1, 0, 1, 0]


def test_overlapping_outages_end_one_by_one():
    dark, stores = Dark(), [StoreId(0), StoreId(2)]
    dark.fall(stores)
    dark.fall(stores)
    dark.rise(stores)
    assert dark
    assert StoreId(2) in dark
    assert StoreId(1) not in dark
    dark.rise(stores)
    assert not dark


@pytest.mark.parametrize("region", [0, 1])
def test_one_regions_database_is_no_others(broken, region):
    played = broken("database_crash", f"region: {region}, failover_s: 1200", "platform.regions=2")
    held = within(played.rows("stock_reserved"), BEGAN_S + 5.0, OVER_S)
    counts = Counter(held["store"].tolist())
    assert counts[region] == 0
    assert counts[1 - region] > 20
    after = within(played.rows("stock_reserved"), OVER_S, 7200.0)
    assert (after["store"] == region).sum() > 30
    assert len(played.rows("service_answers")) == 0, "the service itself is up"


def test_only_its_own_stores_lose_what_a_regions_standby_lacked(broken):
    played = broken(
        "database_crash", "region: 1, failover_s: 30, replica: asynchronous, lag_s: 900", "platform.regions=2"
    )
    mended = played.rows("record_adjusted")
    mended = mended[mended["cause"] == StockCause.RECOVERY]
    assert set(mended["t_s"].tolist()) == {BEGAN_S + 30.0}
    assert set(mended["store"].tolist()) == {1}
