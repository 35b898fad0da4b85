"""Customers who follow their orders, one by one (`reads: explicit`), held against the rate that stands for them."""

from collections import Counter

import pytest

from sim.platform.office import Office
from sim.vocabulary import Svc
from tests.platform.test_reads import both, platform

__all__ = ["both"]

FOLLOWED = ("order_status", "drivers_nearby")
FEW_PAGES = "platform.browsing.reads_per_order=1"
DOWN = "faults=[{kind: expired_certificate, service: %s, at: '12:40', minutes: 20}]"
LOST = "faults=[{kind: region_outage, at: '12:40', rto_h: 0.25, rpo_h: 0.2, dns_s: 0}]"


def endpoints(run, *names):
    return [platform(run)["endpoints"][name] for name in names or FOLLOWED]


def test_customers_look_as_often_one_by_one_as_the_rate_says_and_wait_as_long(both):
    for mine, theirs in zip(*map(endpoints, both(FEW_PAGES)), strict=True):
        assert mine["per_s"] == pytest.approx(theirs["per_s"], rel=0.01)
        assert mine["p50_s"] == pytest.approx(theirs["p50_s"], rel=0.2)
        assert mine["p99_s"] == pytest.approx(theirs["p99_s"], rel=0.25)
        assert mine["availability"] == theirs["availability"] == 1.0


def test_the_services_behind_are_asked_as_often_either_way(both):
    """The order service and, for where the driver is, tracking; dispatch for drivers nearby."""
    mine, theirs = (run.rows("service_sampled") for run in both(FEW_PAGES))
    for service in (Svc.GATEWAY, Svc.ORDERS, Svc.TRACKING, Svc.DISPATCH):
        asked, asked_too = (rows["rate"][rows["service"] == service].sum() for rows in (mine, theirs))
        assert asked == pytest.approx(asked_too, rel=0.02)


def test_apps_that_may_ask_only_seldom_ask_as_seldom_either_way_and_are_not_refused(both):
    """For an order's state as often as they may, once in 50 s; for drivers nearby as ever, every 30 s."""
    for run in both(FEW_PAGES, "platform.limits.order_status={per_s: 0.02, burst: 1}"):
        seldom, usual = endpoints(run)
        assert seldom["availability"] == 1.0
        assert seldom["per_s"] == pytest.approx(usual["per_s"] * 30.0 / 50.0, rel=0.03)


@pytest.mark.parametrize(("service", "without"), [("dispatch", "drivers_nearby"), ("orders", "order_status")])
def test_the_service_that_is_down_is_asked_in_vain_as_often_either_way(both, service, without):
    rate, explicit = (dict(zip(FOLLOWED, endpoints(run), strict=True)) for run in both(FEW_PAGES, DOWN % service))
    for name in FOLLOWED:
        assert (rate[name]["availability"] < 0.95) == (name == without)
        assert rate[name]["availability"] == pytest.approx(explicit[name]["availability"], abs=0.005)


def test_while_a_region_is_lost_customers_look_in_vain_either_way(both):
    for mine, theirs in zip(*map(endpoints, both(FEW_PAGES, LOST)), strict=True):
        assert mine["availability"] < 0.95
        assert mine["availability"] == pytest.approx(theirs["availability"], abs=0.005)
        assert mine["per_s"] == pytest.approx(theirs["per_s"], rel=0.01)


def test_who_follows_several_orders_at_once_asks_for_more_than_he_may(play, two_stores):
    """A third of a look a second for an app, twice a look for two orders: of three looks in twenty seconds one is refused."""
    tight = ("platform.limits.order_status={per_s: 0.05, burst: 1}", "customers.clients=12")
    found, others = endpoints(play(two_stores("platform.reads=explicit", FEW_PAGES, *tight)))
    assert 0.1 < found["availability"] < 0.8
    assert others["availability"] == 1.0


def test_the_limit_of_everybody_together_refuses_who_follows_an_order_too(play, two_stores):
    tight = "platform.limits.whole={per_s: 1, burst: 1}"
    for found in endpoints(play(two_stores("platform.reads=explicit", FEW_PAGES, tight))):
        assert 0.2 < found["availability"] < 0.8


def test_nobody_follows_an_order_that_is_over(play, two_stores, monkeypatch):
    follow, looks, ends = Office.follow, Counter(), Counter()

    def followed(office, order, number, *, nearby):
        goes_on = follow(office, order, number, nearby=nearby)
        assert goes_on == (order in office.book.open)
        (looks if goes_on else ends)[order, nearby] += 1
        return goes_on

    monkeypatch.setattr(Office, "follow", followed)
    played = play(two_stores("platform.reads=explicit", FEW_PAGES))
    orders = len(played.rows("order_entered"))
    assert looks.total() > 5 * orders
    assert len(ends) == ends.total() == 2 * orders, "each kind of look ends once"
