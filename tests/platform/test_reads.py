"""Reads as a rate are held against reads one by one, in whole runs (page by page: tests/theory/test_cache.py)."""

import pytest

from sim.vocabulary import Rejection

QUIET = ("demand.orders_per_day=3000", "catalogue.skus=200")
SALES = ", ".join(f"{{at: '{at}', seconds: 60, buyers: 600, sku: {sku}, stock: 40}}" for at, sku in (
    ("12:20", 3), ("12:40", 5), ("13:00", 7), ("13:20", 9)
))  # fmt: skip
SCARCE = ("catalogue.skus=60", "drivers.count=100", f"demand.flash_sales=[{SALES}]")


@pytest.fixture(scope="module")
def both(play, two_stores):
    def run(*settings):
        found = {}
        for mode in ("rate", "explicit"):
            found[mode] = play(two_stores(f"platform.reads={mode}", *settings))
        return found["rate"], found["explicit"]

    return run


def platform(played):
    return played.study.summary["platform"]


def test_the_rate_says_what_the_reads_one_by_one_say(both):
    rate, explicit = both(*QUIET)
    one, other = platform(rate), platform(explicit)
    assert one["hit_rate"] == pytest.approx(other["hit_rate"], abs=0.01)
    assert one["user"]["per_s"] == pytest.approx(other["user"]["per_s"], rel=0.03)
    mine, theirs = one["endpoints"]["catalogue"], other["endpoints"]["catalogue"]
    assert mine["p50_s"] == pytest.approx(theirs["p50_s"], rel=0.25)
    # A quarter of a minute has some fifty reads in this world: the largest of them stands for their p99, a little high.
    assert theirs["p99_s"] / 2 < mine["p99_s"] < theirs["p99_s"]
    assert explicit.outcome.events > 10 * rate.outcome.events


def test_orders_meet_the_same_platform_either_way(both):
    rate, explicit = both(*QUIET)
    for endpoint in ("place_order", "reserve"):
        mine, theirs = (platform(run)["endpoints"][endpoint] for run in (rate, explicit))
        assert mine["p50_s"] == pytest.approx(theirs["p50_s"], rel=0.05)
    assert rate.study.summary["orders"] == explicit.study.summary["orders"]


def test_stale_pages_mislead_customers_either_way(both):
    """What is sold out stays on the page until it expires: eight pages, each for 0 to 30 s, a quarter of a minute in the mean."""
    rate, explicit = both(*SCARCE, "platform.browsing.cache.invalidate=false")
    for run in (rate, explicit):
        found = platform(run)
        assert 5.0 < found["freshness_s"]["p50"] < 25.0
        assert found["freshness_s"]["p99"] < 31.0
        assert 80 < found["shown_was_gone_per_1000"] < 400


def test_an_invalidation_spares_most_of_them(both):
    with_it = both(*SCARCE)
    without = both(*SCARCE, "platform.browsing.cache.invalidate=false")
    for told, left in zip(with_it, without, strict=True):
        assert platform(told)["freshness_s"]["p99"] < 5.0
        assert 2 * platform(told)["shown_was_gone_per_1000"] < platform(left)["shown_was_gone_per_1000"]


@pytest.mark.parametrize("reads", [20, 60])
def test_where_pages_are_read_seldom_reads_take_as_long_either_way(both, reads):
    """A third to a half of the reads miss the cache, and the median is no longer the gateway's."""
    rate, explicit = both(*QUIET, f"platform.browsing.reads_per_order={reads}")
    mine, theirs = (platform(run)["endpoints"]["catalogue"] for run in (rate, explicit))
    assert mine["p50_s"] == pytest.approx(theirs["p50_s"], rel=0.25)
    assert mine["p99_s"] == pytest.approx(theirs["p99_s"], rel=0.3)


DEAD = "faults=[{kind: expired_certificate, service: catalogue, at: '12:20', minutes: 60}%s]"
FLUSHED = ", {kind: cache_flush, at: '12:25'}"


@pytest.mark.parametrize("fault", [DEAD % "", DEAD % FLUSHED])
@pytest.mark.parametrize("stale", ["true", "false"])
def test_as_many_reads_are_answered_by_what_is_left_in_the_cache_either_way(both, fault, stale):
    rate, explicit = both(*QUIET, fault, f"platform.browsing.cache.stale_on_open_breaker={stale}")
    mine, theirs = (platform(run)["endpoints"]["catalogue"]["availability"] for run in (rate, explicit))
    assert mine == pytest.approx(theirs, abs=0.03)
    assert (mine < 0.8) == (stale == "false" or FLUSHED in fault)


def test_who_sees_no_page_orders_nothing(both):
    """The cache lost even its last answers: until the catalogue is back nobody can say what he wants."""
    for run in both(*QUIET, DEAD % FLUSHED):
        rejected, entered = run.rows("order_rejected"), run.rows("order_entered")
        at_s = rejected["t_s"][rejected["reject"] == Rejection.UNAVAILABLE]
        dark = (1560.0, 4800.0)  # from a minute after the flush, when the breaker is open, to the end of the fault
        assert len(at_s) > 50
        assert not ((entered["t_s"] > dark[0]) & (entered["t_s"] < dark[1])).any()
        assert (entered["t_s"] > dark[1] + 120.0).sum() > 20
