"""What a goods-only run does not hear changes nothing about it, and the user is told so."""

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from cli import app
from sim.scenario import Scenario, load, load_text
from sim.scenario.heard import UNHEARD, unheard
from sim.shell.errors import guarded

DAYS = """
name: days
mode: goods_only
start: 2026-11-16T00:00+00:00
horizon_h: 72
drain_h: 0
map: {width_m: 3000, height_m: 3000, points: 40, speed_kmh: 30}
stores: {count: 2, inaccurate_share: 0.2, dock: {people: 1}}
pickers: {mispick_share: 0.02, breakage_share: 0.02}
catalogue: {skus: 80, categories: [{name: keeps, share: 0.6, price_cents: 300, litres: 1},
                                   {name: fresh, share: 0.4, price_cents: 200, litres: 1, life_days: 3}]}
demand: {orders_per_day: 600}
policies: {reconciliation: full_count, transfer: "balance(trip_units=1)"}
slo: []
"""


def other(scenario: Scenario, key: str) -> Any:
    """Another value of a key, as YAML."""
    place = key.replace("[]", ".0").split(".")
    value: Any = scenario
    for part in place[:-1]:
        value = value[int(part)] if isinstance(value, tuple) else getattr(value, part)
    field, value = type(value).model_fields[place[-1]], getattr(value, place[-1])
    if get_origin(field.annotation) is Literal:
        return next(choice for choice in get_args(field.annotation) if choice != value)
    if isinstance(value, bool):
        return str(not value).lower()
    if isinstance(value, int):
        return value - 1 if value > 1 else value + 1
    return value * 0.6 + 0.01 if isinstance(value, float) else None


WRITTEN = {
    "stores.counter_room": 2, "stores.packing": "{stations: 1}", "stores.totes": "{count: 3}",
    "policies.picking": "earliest_due", "policies.dispatch": "nearest(ride_s_max=60)", "policies.substitution": "ask",
    "platform.services": "{orders: {workers: 1}}", "pickers.shifts": "[{at: '12:00', hours: 2}]", "payments.methods": "{card: 1}",
    "travel.traffic": "false", "stores.layout": "{levels: 1, blocking: 0.9}", "support.contact": "{wrong: 1.0}",
    "support.hours": "'10:00-11:00'", "support.agents": 3,
}  # fmt: skip
"""Values of keys that have no number to change."""


def test_what_is_not_heard_changes_nothing(play: Any) -> None:
    """All of it at once: not a fact, not a figure."""
    plain = load_text(DAYS)
    new = {key: WRITTEN.get(key, other(plain, key)) for key in sorted(UNHEARD)}
    settings = [f"{key.replace('[]', '.0')}={value}" for key, value in new.items() if value is not None]
    assert len(settings) > 60
    before, after = play(plain), play(load_text(DAYS, settings))
    assert before.outcome.digest == after.outcome.digest
    assert before.study.summary == after.study.summary
    assert before.outcome.facts > 1000


def test_every_key_that_is_not_heard_is_a_key(play: Any) -> None:
    for key in UNHEARD:
        other(load_text(DAYS), key)


def test_the_note_names_each_key_and_where_it_stands(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(
        "extends: months\npickers: {mispick_share: 0.1, overlook_share: 0.1, per_store: 3}\n"
        "stores:\n  packing: {stations: 2}\n  totes: null\npolicies: {picking: batch, transfer: balance}\n"
    )
    said = unheard(load("mine.yaml", ["drivers.count=9"]))
    assert said == (
        "mode: goods_only has no orders, so it does not hear pickers.overlook_share, pickers.per_store (mine.yaml:2);"
        " stores.packing (mine.yaml:4); policies.picking (mine.yaml:6); drivers.count (--set drivers.count=9)."
    )
    assert unheard(load("mine.yaml", ["mode=full", "unmet=lost"])) is None


def test_the_note_names_keys_below_a_branch_that_is_not_heard() -> None:
    """One that another scenario gave the branch to, and one that nobody had."""
    for setting in (
        "stores.layout.blocking=0.5", "stores.layout.zones.chilled.enter_s=9.0", "support.agents=2", "support.contact.late=0.5",
        "stores.counting.by=pickers", "stores.counting.within_h=2.0",
    ):  # fmt: skip
        key = setting.partition("=")[0]
        said = unheard(load("months", [setting]))
        assert said == f"mode: goods_only has no orders, so it does not hear {key} (--set {setting})."
        assert unheard(load("default", [setting])) is None


def test_a_spread_of_demand_that_no_distribution_has_is_noted_in_both_modes() -> None:
    said = "demand.daily_cv (--set demand.daily_cv=0.5) is heard with demand.distribution: normal alone."
    assert unheard(load("small", ["demand.daily_cv=0.5"])) == said
    assert unheard(load("months", ["demand.daily_cv=0.5"])) == said
    assert unheard(load("months", ["demand.daily_cv=0.5", "demand.distribution=normal"])) is None


def test_a_bonus_that_nobody_weighs_is_named() -> None:
    said = "policies.incentive (--set policies.incentive=by_load) costs and wins nobody over: drivers.choice is null."
    assert unheard(load("small", ["policies.incentive=by_load"])) == said
    assert unheard(load("small", ["policies.incentive=by_load", "drivers.choice={}"])) is None
    assert unheard(load("gig", [])) is None


@pytest.mark.parametrize("name", ["months", "small-trucks", "default"])
def test_shipped_scenarios_need_no_note(name: str) -> None:
    assert unheard(load(name)) is None


def test_validate_and_run_tell_it_in_one_line_on_stderr(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(DAYS + "customers: {absent_share: 0.5}\n")
    for command in (
        ["scenario", "validate", "mine.yaml"],
        ["run", "mine.yaml", "--no-pages", "--json", "--out", "days"],
    ):
        guarded(app, command)
        said = capsys.readouterr().err.splitlines()
        assert [line for line in said if "note" in line] == [
            "darkstore: note: mode: goods_only has no orders, so it does not hear customers.absent_share (mine.yaml:15)."
        ]
        assert not any("Traceback" in line for line in said)
    guarded(app, ["run", "mine.yaml", "--no-pages", "--quiet", "--force", "--out", "days"])
    assert capsys.readouterr().err == ""


def test_faults_that_no_run_of_such_a_length_meets_are_named() -> None:
    over, after, within = (f"{{kind: cache_flush, at: '{at}', minutes: 30}}" for at in ("11:00", "18:00", "13:00"))
    never = f"faults=[{over}, {after}, {within}]"
    said = unheard(load("default", ["start=2026-11-20T12:00 America/Santiago", "horizon_h=2", never]))
    assert said == (
        "nothing comes of what is after the run ends: faults.1 (cache_flush at 18:00)."
        " nothing comes of what is over before the run begins: faults.0 (cache_flush at 11:00)."
    )
    assert unheard(load("default", [never])) is None


def test_surges_and_sales_that_no_run_of_such_a_length_meets_are_named() -> None:
    noon = ("start=2026-11-20T12:00 America/Santiago", "horizon_h=2")
    surges = "demand.surges=[{at: '11:00', minutes: 60, factor: 3}, {at: '11:00', minutes: 61, factor: 3}]"
    sales = "demand.flash_sales=[{at: '14:00', seconds: 30, buyers: 9}, {at: '13:59', seconds: 30, buyers: 9}]"
    assert unheard(load("default", [*noon, surges, sales])) == (
        "nothing comes of what is after the run ends: demand.flash_sales.0 (sale at 14:00)."
        " nothing comes of what is over before the run begins: demand.surges.0 (surge at 11:00)."
    )


def test_minutes_of_a_fault_that_lasts_until_somebody_has_taken_over_are_named() -> None:
    crash = "faults=[{kind: database_crash, at: '12:00', minutes: 20}]"
    assert (
        unheard(load("default", [crash])) == "faults.0.minutes is not heard: database_crash lasts as failover_s says."
    )
    assert unheard(load("default", [crash.replace(", minutes: 20", "")])) is None
