"""The laws hold: on busy days, on bad days, in storms of random scenarios."""

import gc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.engine import simulate
from sim.laws import all_laws, verdict, whole_log
from sim.opening import ready_world
from sim.recording import MemoryArchive
from sim.scenario import Scenario, load
from sim.streams import Streams
from sim.world.build import build_world


def breaches(scenario: Scenario):
    """What breaks when a scenario is played as a user's run is: with the days before its start, if it has any."""
    streams = Streams(scenario.seed)
    world = ready_world(scenario, streams)
    laws, archive = all_laws(world), MemoryArchive()
    outcome = simulate(world, archive, streams=streams, laws=laws)
    return verdict(laws) + whole_log(archive, outcome.state)


SHORT = ("stores.burn_in_days=10",)
"""Ten days before the start leave records wrong, lots of every age and trucks under way as sixty do."""


@pytest.mark.parametrize(
    "name",
    [
        "small", "default", "surge", "flash-sale", "payment-outage", "attack", "zone-outage", "region-outage", "bad-day",
        "shrink", "short-shelf-life", "big-baskets", "months", "small-trucks", "full-floor", "gig",
    ],
)  # fmt: skip
def test_laws_hold_on_shipped_scenarios(name):
    scenario = load(name)
    if scenario.stores.burn_in_days:
        scenario = load(name, SHORT)
        world = ready_world(scenario)
        # Goods under way and at the docks from before are part of what must add up.
        assert (world.opening.shelf != world.opening.record).mean() > 0.02
    assert breaches(scenario) == []


def test_a_flash_sale_conflicts_and_a_quiet_day_hardly_ever():
    def conflicts(name):
        world, archive = ready_world(load(name, SHORT)), MemoryArchive()
        simulate(world, archive)
        return len(archive.rows("version_conflict"))

    assert conflicts("flash-sale") > 100 * max(conflicts("default"), 1)


STORM = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**31),
        "demand.orders_per_day": st.integers(0, 9000),
        "drivers.count": st.integers(1, 40),
        "pickers.per_store": st.integers(1, 8),
        "pickers.mispick_share": st.sampled_from([0.0, 0.05, 0.5]),
        "stores.inaccurate_share": st.sampled_from([0.0, 0.3, 1.0]),
        "supply.units_min": st.integers(0, 3),
        "supply.cover_days": st.sampled_from([0.01, 0.2, 2.0]),
        "supply.review_at": st.sampled_from(["12:10", "02:00"]),
        "supply.lead_h": st.sampled_from([0.0, 0.3]),
        "drivers.accept_share": st.sampled_from([0.0, 0.3, 0.87, 1.0]),
        "drivers.respond_s": st.sampled_from([0.0, 6.0, 60.0]),
        "drivers.handoff_s": st.sampled_from([0.0, 40.0]),
        "customers.patience_s": st.sampled_from(["null", 60, 400, 1500, 3600]),
        "payments.decline_share": st.sampled_from([0.0, 0.1, 0.9]),
        "payments.latency_s": st.sampled_from([0.0, 1.2, 200.0]),
        "platform.profile": st.sampled_from(["full", "minimal"]),
        "platform.window_s": st.sampled_from([0.0, 0.015, 5.0]),
        "platform.bus_s": st.sampled_from([0.0, 0.05, 20.0]),
        "platform.give_up_s": st.sampled_from([30.0, 600.0, 2400.0]),
        "travel.noise_cv": st.sampled_from([0.0, 0.15, 1.0]),
        "drain_h": st.sampled_from([0.0, 0.5, 2.0]),
        "faults": st.sampled_from(
            [
                "[]",
                "[{kind: provider_outage, at: '12:30', minutes: 20}]",
                "[{kind: bus_slowdown, at: '11:50', minutes: 30, factor: 40}, {kind: bus_slowdown, at: '12:10', minutes: 5}]",
            ]
        ),
        "demand.flash_sales": st.sampled_from(["[]", "[{at: '12:20', seconds: 20, buyers: 200, sku: 3, stock: 20}]"]),
    }
)


@settings(max_examples=60, deadline=None, print_blob=True)
@given(STORM)
def test_laws_hold_in_a_storm(two_stores, storm):
    assert breaches(two_stores(*(f"{path}={value}" for path, value in storm.items()))) == []


@pytest.mark.slow
@settings(max_examples=2000, deadline=None, print_blob=True)
@given(STORM)
def test_laws_hold_in_a_long_storm(two_stores, storm):
    assert breaches(two_stores(*(f"{path}={value}" for path, value in storm.items()))) == []


def test_a_run_makes_no_cyclic_garbage(two_stores):
    """The engine switches the collector off while it runs; that is only right as long as this holds."""
    world = build_world(two_stores("demand.orders_per_day=9000"))
    assert world.trace.orders > 600
    found = []
    # Between slices the rooms of the run are all in use: whatever the collector finds then is garbage of the run's making.
    simulate(world, MemoryArchive(), progress=lambda _: found.append(gc.collect()))
    assert sum(found[1:]) < world.trace.orders / 10
