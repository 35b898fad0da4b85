"""The storm: a seed is a world, every fault and setting is drawn, every law holds, and what breaks one is reproducible."""

from threading import Event

import pytest
from joblib import parallel_config

from sim.engine import simulate
from sim.experiments import storm as module
from sim.experiments.storm import Found, parse_seeds, storm, weather, weathered
from sim.experiments.storm_draws import (
    AT_THE_DOORS,
    BEGINNINGS,
    CHOICES,
    FLOORS,
    FORGOTTEN,
    PRICINGS,
    QUIETS,
    RESTOCKINGS,
    SHARES,
    SHARINGS,
    SHRINKAGES,
    storm_scenario,
)
from sim.experiments.storm_people import HUMANS
from sim.experiments.storm_signals import FURTHER, ON_SIGNALS
from sim.experiments.storm_tours import ON_TOURS
from sim.facts import SIGNATURES
from sim.laws import Breach
from sim.opening import ready_world
from sim.recording import MemoryArchive
from sim.scenario.loading import resolved
from sim.streams import Streams
from sim.vocabulary import FaultKind, InputError

FIXED = range(200)
"""The storms that continuous integration runs."""


@pytest.fixture(scope="module")
def scenarios():
    return [storm_scenario(seed) for seed in FIXED]


def at(scenario, path):
    value = scenario
    for name in path.split("."):
        value = getattr(value, name)
    return value


# -- what is drawn ---------------------------------------------------------------------------------------------------


def test_a_seed_is_a_world():
    assert resolved(storm_scenario(17)) == resolved(storm_scenario(17))
    assert resolved(storm_scenario(17)) != resolved(storm_scenario(18))


def test_a_seed_reproduces_its_run_to_the_last_bit():
    def digest():
        scenario = storm_scenario(3)
        streams = Streams(scenario.seed)
        return simulate(ready_world(scenario, streams, keep=False), MemoryArchive(), streams=streams).digest

    assert digest() == digest()


def test_the_fixed_storms_have_every_kind_of_fault_alone_and_with_others_at_times_and_rates(scenarios):
    faults = [fault for scenario in scenarios for fault in scenario.faults]
    assert {fault.kind.upper() for fault in faults} == set(FaultKind.__members__)
    assert any(fault.at is None for fault in faults)
    assert any(fault.at is not None for fault in faults)
    counts = {len(scenario.faults) for scenario in scenarios}
    assert {0, 1} <= counts
    assert max(counts) >= 8
    assert {fault.on_partition for fault in faults if fault.kind == "store_partition"} == {"accept", "refuse"}
    assert {fault.replica for fault in faults if fault.kind == "database_crash"} == {"synchronous", "asynchronous"}


@pytest.mark.parametrize("path", CHOICES)
def test_every_choice_is_drawn(scenarios, path):
    drawn = {repr(at(scenario, path)) for scenario in scenarios}
    known = {
        *CHOICES[path],
        *(
            v
            for table in (FLOORS, SHARINGS, BEGINNINGS, QUIETS, ON_TOURS, HUMANS, FORGOTTEN)
            for v in table.get(path, ())
        ),
    }
    assert len(set(CHOICES[path])) <= len(drawn) <= len(known)


@pytest.mark.parametrize("path", PRICINGS)
def test_now_and_then_pricing_is_not_plain(scenarios, path):
    drawn = [at(scenario.platform.pricing, path) for scenario in scenarios if not scenario.platform.pricing.plain]
    assert 0.25 < len(drawn) / len(scenarios) < 0.5
    assert {repr(value) for value in drawn} == {"None" if value == "null" else repr(value) for value in PRICINGS[path]}


@pytest.mark.parametrize("path", SHRINKAGES)
def test_now_and_then_goods_go_missing(scenarios, path):
    drawn = {repr(at(scenario, path)) for scenario in scenarios}
    plain = {repr(value) for value in SHRINKAGES[path] if "{" not in str(value) and value != "null"}
    assert plain <= drawn
    assert len(drawn) >= len(SHRINKAGES[path])


@pytest.mark.parametrize("path", FLOORS)
def test_now_and_then_stores_are_built_otherwise(scenarios, path):
    assert len({repr(at(scenario, path)) for scenario in scenarios}) >= len(set(FLOORS[path]))


@pytest.mark.parametrize("path", HUMANS)
def test_now_and_then_drivers_are_human_and_roads_troubled(scenarios, path):
    drawn = {repr(at(scenario, path)) for scenario in scenarios}
    assert len(drawn) >= len(set(HUMANS[path]))


@pytest.mark.parametrize("path", AT_THE_DOORS)
def test_now_and_then_not_everything_is_handed_over(scenarios, path):
    drawn = {repr(at(scenario, path)) for scenario in scenarios}
    assert len(drawn) >= len(AT_THE_DOORS[path])


@pytest.mark.parametrize("path", [path for path in ON_SIGNALS if path != FURTHER])
def test_now_and_then_positions_and_pushes_are_lost_and_drivers_get_stuck(scenarios, path):
    drawn = {repr(at(scenario, path)) for scenario in scenarios}
    assert len(drawn) >= len(set(ON_SIGNALS[path]))


@pytest.mark.parametrize("path", RESTOCKINGS)
def test_now_and_then_stores_order_and_count_otherwise(scenarios, path):
    drawn = {repr(at(scenario, path)) for scenario in scenarios}
    assert len(drawn) >= len(RESTOCKINGS[path])


@pytest.mark.parametrize("path", FORGOTTEN)
def test_now_and_then_requests_are_forgotten(scenarios, path):
    kept = [scenario.platform.idempotency for scenario in scenarios]
    mine = [each for each in kept if not each.on or each.ttl_s < 600.0]
    assert 0.05 < len(mine) / len(scenarios) < 0.25
    assert {repr(value) for value in FORGOTTEN[path]} <= {repr(at(scenario, path)) for scenario in scenarios}


@pytest.mark.parametrize("path", SHARINGS)
def test_now_and_then_stores_help_each_other_out(scenarios, path):
    mine = [scenario for scenario in scenarios if scenario.policies.transfer in SHARINGS["policies.transfer"]]
    assert 0.08 < len(mine) / len(scenarios) < 0.3
    assert len({repr(at(scenario, path)) for scenario in mine}) >= len(SHARINGS[path])


@pytest.mark.parametrize("path", BEGINNINGS)
def test_now_and_then_a_storm_begins_with_what_days_before_it_left(scenarios, path):
    mine = [scenario for scenario in scenarios if scenario.stores.burn_in_days and scenario.mode == "full"]
    assert 0.05 < len(mine) / len(scenarios) < 0.25
    assert len({repr(at(scenario, path)) for scenario in mine}) == len(BEGINNINGS[path])


@pytest.mark.parametrize("path", QUIETS)
def test_now_and_then_there_are_only_goods(scenarios, path):
    mine = [scenario for scenario in scenarios if scenario.mode == "goods_only"]
    assert 0.1 < len(mine) / len(scenarios) < 0.3
    assert len({repr(at(scenario, path)) for scenario in mine}) == len(QUIETS[path])


@pytest.mark.parametrize("path", SHARES)
def test_shares_are_often_none_and_reach_up_to_their_bound(scenarios, path):
    drawn = [at(scenario, path) for scenario in scenarios]
    assert max(drawn) > 0.9 * SHARES[path]
    assert 0.2 < drawn.count(0.0) / len(drawn) < 0.5


def test_nothing_is_drawn_that_breaks_a_law_by_design(scenarios):
    assert all(scenario.platform.bus.deduplicate for scenario in scenarios)
    assert all(scenario.payments.idempotency for scenario in scenarios)
    assert not any("fencing" in scenario.policies.reservation for scenario in scenarios)


# -- what happens ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def happened():
    """Facts of the first storms, by kind: in how many storms each came up."""
    found = dict.fromkeys(SIGNATURES, 0)
    for seed in range(40):
        scenario, archive = storm_scenario(seed), MemoryArchive()
        streams = Streams(scenario.seed)
        simulate(ready_world(scenario, streams, keep=False), archive, streams=streams)
        for kind in SIGNATURES:
            found[kind] += len(archive.rows(kind)) > 0
    return found


@pytest.mark.parametrize(
    "kind",
    [
        "goods_delivered", "goods_put_back", "hold_reduced", "hold_expired", "version_conflict", "lock_timed_out", "write_fenced",
        "payment_unknown", "callback_came", "books_lost", "confirmation_revoked", "saga_resumed", "message_redelivered",
        "message_duplicated", "message_dead", "message_lost", "breaker_moved", "order_rejected", "request_refused",
        "shown_was_gone", "alert_raised", "order_billed", "packing_ended", "line_substituted", "substitute_refused",
        "handover_failed", "goods_kept", "goods_returned", "fees_kept", "goods_docked", "round_ended", "goods_sent",
        "difference_flagged", "difference_reviewed", "stock_corrected", "crew_counted", "goods_sold", "sale_missed",
        "order_bundled", "backorder_changed", "forecast_judged",
    ],
)  # fmt: skip
def test_a_few_storms_reach_every_corner_of_the_platform(happened, kind):
    assert happened[kind] > 0


@pytest.mark.parametrize("seed", range(24))
def test_the_laws_hold_in_a_storm(seed):
    assert weather(seed) == []


@pytest.mark.slow
def test_the_laws_hold_in_five_thousand_storms():
    assert list(storm(range(5000), workers=2, keep_going=True)) == []


# -- what is told --------------------------------------------------------------------------------------------------------


def breaking(monkeypatch, seeds):
    """Make the storms of these seeds break two laws."""
    breaches = [Breach("money", 30.5, "later"), Breach("goods", 12.25, "a shelf holds -1 units")]
    monkeypatch.setattr(module, "weather", lambda seed: breaches if seed in seeds else [])


def test_a_broken_law_is_told_by_the_line_that_reproduces_it_and_what_came_first(monkeypatch):
    breaking(monkeypatch, {17})
    found = weathered(17)
    assert found == Found(17, "goods", 12.25, "a shelf holds -1 units")
    assert found.line == "darkstore storm --seeds 17:18  # goods at 12.250 s: a shelf holds -1 units"
    assert weathered(16) is None


def test_a_run_that_breaks_off_is_told_like_a_broken_law(monkeypatch):
    def breaks_off(seed):
        raise KeyError("order\n7")

    monkeypatch.setattr(module, "weather", breaks_off)
    found = weathered(5)
    assert (found.seed, found.law) == (5, "KeyError")
    assert "\n" not in found.line


def test_it_stops_at_the_first_storm_that_breaks_a_law_unless_it_is_to_keep_going(monkeypatch):
    breaking(monkeypatch, {3, 5})
    told = []
    assert [found.seed for found in storm(range(1, 9), done=lambda *so_far: told.append(so_far))] == [3]
    assert told == [(1, 0), (2, 0), (3, 1)]
    assert [found.seed for found in storm(range(1, 9), keep_going=True)] == [3, 5]


def test_workers_change_nothing():
    told = []
    assert list(storm(range(6), workers=2, done=lambda *so_far: told.append(so_far))) == []
    assert told == [(count, 0) for count in range(1, 7)]


def test_a_storm_is_told_of_before_the_last_one_has_begun(monkeypatch):
    told, waited = Event(), []

    def slow(seed):
        if seed == 7:
            waited.append(told.wait(3.0))

    monkeypatch.setattr(module, "weathered", slow)
    with parallel_config(backend="threading"):
        assert list(storm(range(8), workers=2, done=lambda *_: told.set())) == []
    assert waited == [True]


@pytest.mark.filterwarnings("ignore:.*tasks.*:UserWarning")
def test_who_has_heard_enough_lets_no_more_storms_begin(monkeypatch):
    begun, heard = [], Event()

    def breaks(seed):
        begun.append(seed)
        if seed > 8:
            heard.wait(3.0)
        return Found(seed, "money", 0.0, "")

    monkeypatch.setattr(module, "weathered", breaks)
    with parallel_config(backend="threading"):
        assert [found.seed for found in storm(range(60), workers=2)] == [0]
    heard.set()
    assert len(begun) < 30


def test_seeds_are_a_half_open_range():
    assert list(parse_seeds("17:20")) == [17, 18, 19]


@pytest.mark.parametrize("text", ["", "5", "5:", ":5", "5:5", "6:5", "-1:5", "a:b", "1:2:3", "1.5:3", " 1:3"])
def test_other_seeds_are_refused(text):
    with pytest.raises(InputError, match="--seeds: expected A:B"):
        parse_seeds(text)
