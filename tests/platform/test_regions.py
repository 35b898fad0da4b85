"""Records parted by regions: which store is of which, and that one region's database is no other's."""

from collections import Counter
from itertools import combinations
from math import hypot

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.platform.regions import Dark, part
from sim.vocabulary import Endpoint, StockCause, StoreId, Svc
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


def test_a_database_that_is_down_is_seen_by_the_samples_of_the_service_that_asks_it(broken):
    played = broken("database_crash", "region: 1, failover_s: 1200", "platform.regions=2")
    rows = played.rows("service_sampled")
    rows = rows[rows["service"] == Svc.INVENTORY]
    assert within(rows, BEGAN_S, OVER_S)["errors"].sum() > 0.0 == within(rows, 600.0, BEGAN_S)["errors"].sum()
    pages = played.rows("endpoint_sampled")
    pages = pages[pages["endpoint"] == Endpoint.CATALOGUE]
    assert within(pages, BEGAN_S + 15.0, OVER_S)["errors"].sum() > 0.0, "misses of that region's pages fail"
    (found,) = played.study.summary["platform"]["faults"]
    assert found["detected_after_s"] <= 120.0


@pytest.mark.parametrize("details", ["failover_s: 30", "failover_s: 1200", "region: 1, failover_s: 1200"])
def test_a_standby_that_is_not_behind_loses_nothing_however_long_it_takes(broken, details):
    played = broken("database_crash", f"{details}, replica: asynchronous, lag_s: 0", "platform.regions=2")
    assert StockCause.RECOVERY not in played.rows("record_adjusted")["cause"]


def test_a_standby_loses_what_it_was_behind_and_not_what_came_while_nobody_wrote(broken):
    def lost(lag_s, failover_s):
        details = f"failover_s: {failover_s}, replica: asynchronous, lag_s: {lag_s}"
        rows = broken("database_crash", details).rows("record_adjusted")
        return int(np.abs(rows[rows["cause"] == StockCause.RECOVERY]["units"]).sum())

    assert 0 < lost(60, 30) == lost(60, 1200) < lost(900, 30)
