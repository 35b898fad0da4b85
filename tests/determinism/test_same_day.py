"""Same seed, same log; and what the world does to us does not hang on what we decide."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sim
from sim.engine import SLICES_S, Progress, policies_of, simulate
from sim.experiments.runs import run_to_folder
from sim.metrics.tables import order_table
from sim.recording import MemoryArchive
from sim.scenario import load
from sim.scenario.loading import load_text, resolved
from sim.streams import Streams
from sim.world.build import build_world

ROOT = Path(sim.__file__).parents[1]
DEMAND_COLUMNS = ("order", "client", "cell", "node", "lines", "units", "value_cents", "entered_s")
BUSY = (
    "customers.patience_s=900",
    "payments.decline_share=0.2",
    "drivers.count=6",
    "demand.flash_sales=[{at: '12:30', seconds: 3, buyers: 40, stock: 25}]",
    "faults=[{kind: provider_outage, at: '13:00', minutes: 4}]",
)
"""Settings under which nearly everything that can happen does."""

LAST_IDLE = '''
"""A dispatcher unlike ours."""

from dataclasses import dataclass

from sim.contracts import Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class LastIdle:
    """Offer every waiting order to the idle driver with the highest number, wherever he is."""

    def __call__(self, view):
        idle = [int(driver) for driver in view.idle]
        for order in view.waiting:
            able = [driver for driver in idle if not order.declined_by(driver)]
            if able:
                idle.remove(able[-1])
                yield Offer(order.id, able[-1])
'''


def test_twice_in_one_process(two_stores: Any, play: Any) -> None:
    first, second = play(two_stores(*BUSY)), play(two_stores(*BUSY))
    assert first.outcome.digest == second.outcome.digest
    assert first.outcome.facts == second.outcome.facts
    assert first.outcome.events == second.outcome.events
    assert first.study.summary == second.study.summary
    # A run leaves nothing in its world: the same world can be used again.
    assert play(first.world).outcome.digest == first.outcome.digest


def digest_elsewhere(scenario: Path, hash_seed: str) -> str:
    program = (
        "import sys\n"
        "from sim.engine import simulate\n"
        "from sim.recording import MemoryArchive\n"
        "from sim.scenario import load\n"
        "from sim.opening import ready_world\n"
        "print(simulate(ready_world(load(sys.argv[1])), MemoryArchive()).digest)\n"
    )
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program, str(scenario)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        cwd=scenario.parent,
    )
    return done.stdout.strip()


def test_in_other_processes_with_other_hash_seeds(two_stores: Any, play: Any, tmp_path: Path) -> None:
    scenario = two_stores(*BUSY)
    file = tmp_path / "busy.yaml"
    file.write_text(json.dumps(resolved(scenario)), encoding="utf-8")
    assert load(str(file)).model_dump() == scenario.model_dump()
    here = play(load(str(file))).outcome.digest
    assert here == play(scenario).outcome.digest
    assert {digest_elsewhere(file, seed) for seed in ("0", "4242")} == {here}


@pytest.mark.parametrize("name", ["naive_seasonal", "exponential_smoothing", "gradient_boosting"])
def test_forecasts_are_the_same_in_other_processes(two_stores: Any, play: Any, tmp_path: Path, name: str) -> None:
    """What is learned of another run, too."""
    weeks = ("mode=goods_only", "horizon_h=576", "drain_h=0", "pickers.mispick_share=0.01")
    spec = name
    if name == "gradient_boosting":
        pytest.importorskip("sklearn", reason="the extra darkstore[forecast] is not installed")
        run_to_folder(two_stores(*weeks, "seed=5"), tmp_path / "lesson")
        spec = f"\"gradient_boosting(trained_on='{tmp_path / 'lesson'}')\""
    scenario = two_stores(*weeks, f"policies.forecast={spec}")
    file = tmp_path / "weeks.yaml"
    file.write_text(json.dumps(resolved(scenario)), encoding="utf-8")
    here = play(scenario).outcome.digest
    assert {digest_elsewhere(file, seed) for seed in ("0", "4242")} == {here}
    assert here != play(two_stores(*weeks)).outcome.digest


@pytest.mark.parametrize("name", ["matching", "foodmatch", "rolling_horizon", "vrp"])
def test_plans_are_the_same_in_other_processes(two_stores: Any, play: Any, tmp_path: Path, name: str) -> None:
    """What a solver searches, too."""
    if name == "vrp":
        pytest.importorskip("pyvrp", reason="the extra darkstore[vrp] is not installed")
    scenario = two_stores(f"policies.dispatch={name}", "policies.positioning=prestage", "drivers.count=8")
    file = tmp_path / "plans.yaml"
    file.write_text(json.dumps(resolved(scenario)), encoding="utf-8")
    played = play(scenario)
    assert len(played.rows("order_bundled")), "tours of several, or there is little to plan"
    assert digest_elsewhere(file, "4242") == played.outcome.digest


def test_on_a_road_map_cold_and_warm(play: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKSTORE_HOME", str(tmp_path))
    text = (
        "{map: gothenburg, start: '2026-11-20T17:00+01:00', horizon_h: 0.5, drain_h: 1, demand: {orders_per_day: 3000}}"
    )
    cold = play(load_text(text))
    assert list(tmp_path.rglob("*.npz")), "expected the road map in the cache"
    warm = play(load_text(text))
    assert cold.outcome.digest == warm.outcome.digest
    assert cold.study.summary["orders"]["delivered"] > 20


def test_watching_changes_nothing(two_stores: Any, play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world = build_world(two_stores(*BUSY))
    alone = play(world).outcome
    seen: list[Progress] = []
    watched = simulate(world, MemoryArchive(), progress=seen.append)
    assert (watched.digest, watched.events, watched.facts) == (alone.digest, alone.events, alone.facts)
    assert [step.now_s for step in seen] == sorted(step.now_s for step in seen)
    assert seen[-1].now_s == seen[-1].end_s == world.scenario.end_s
    # Nor does it matter how often the log is flushed.
    for slice_s in (37.0, 1e9):
        monkeypatch.setitem(SLICES_S, "full", slice_s)
        again = simulate(world, MemoryArchive())
        assert (again.digest, again.events, again.facts) == (alone.digest, alone.events, alone.facts)


def test_another_dispatcher_faces_the_same_customers(two_stores: Any, play: Any, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(LAST_IDLE, encoding="utf-8")
    scenario_file = tmp_path / "day.yaml"
    scenario_file.write_text(json.dumps(resolved(two_stores("customers.patience_s=900"))), encoding="utf-8")
    ours = play(load(str(scenario_file)))
    theirs = play(load(str(scenario_file), policies={"dispatch": f"{file}:LastIdle"}))
    assert ours.outcome.digest != theirs.outcome.digest
    for name in DEMAND_COLUMNS:
        np.testing.assert_array_equal(ours.study.orders[name], theirs.study.orders[name], err_msg=name)
    assert not np.array_equal(ours.study.orders["driver"], theirs.study.orders["driver"])


def test_a_driver_more_changes_no_customer(two_stores: Any, play: Any) -> None:
    few, more = (build_world(two_stores(f"drivers.count={count}")) for count in (14, 15))
    for name in few.trace.__slots__:
        mine, theirs = getattr(few.trace, name), getattr(more.trace, name)
        if isinstance(mine, dict):
            assert mine == theirs
        else:
            np.testing.assert_array_equal(mine, theirs, err_msg=name)
    # Nor any of the drivers who were there before.
    assert few.drivers == more.drivers[:-1]
    assert few.pickers == more.pickers
    np.testing.assert_array_equal(few.opening.shelf, more.opening.shelf)
    np.testing.assert_array_equal(few.opening.record, more.opening.record)
    first, second = play(few), play(more)
    for name in DEMAND_COLUMNS:
        np.testing.assert_array_equal(first.study.orders[name], second.study.orders[name], err_msg=name)


def test_a_driver_answers_an_order_alike_whoever_else_works(two_stores: Any, play: Any) -> None:
    """Answers are keyed by order and driver, so the same pair answers the same in every run in which it meets."""
    answers: dict[tuple[int, int], set[int]] = {}
    for count in (9, 14, 20):
        for row in play(two_stores(f"drivers.count={count}", "drivers.accept_share=0.6")).rows("offer_answered"):
            if row["answer"] < 2:  # accepted or declined; the rest hangs on the clock
                answers.setdefault((int(row["order"]), int(row["driver"])), set()).add(int(row["answer"]))
    # A driver whose shift is over declines whatever the draw says; no shift ends while orders come in here.
    assert len(answers) > 300
    assert all(len(given) == 1 for given in answers.values())


def test_each_seed_and_each_replication_is_another_day(two_stores: Any, play: Any) -> None:
    digests = {play(two_stores(f"seed={seed}")).outcome.digest for seed in (1, 2, 2**32 + 1)}
    digests |= {play(two_stores(), replication=replication).outcome.digest for replication in (1, 2)}
    assert len(digests) == 5
    assert play(two_stores(), replication=0).outcome.digest == play(two_stores()).outcome.digest


def test_replications_share_the_place_and_redraw_the_day(two_stores: Any) -> None:
    scenario = two_stores()
    first, second = (build_world(scenario, Streams(scenario.seed, replication)) for replication in (0, 1))
    np.testing.assert_array_equal(first.geography.lon, second.geography.lon)
    assert first.store_nodes == second.store_nodes
    np.testing.assert_array_equal(first.catalogue.price_cents, second.catalogue.price_cents)
    assert first.drivers == second.drivers
    np.testing.assert_array_equal(first.daily_demand, second.daily_demand)
    assert first.trace.orders != second.trace.orders or not np.array_equal(
        first.trace.entered_s, second.trace.entered_s
    )
    assert not np.array_equal(first.opening.record, second.opening.record)


def test_the_order_of_settings_in_a_file_does_not_matter(two_stores: Any, play: Any) -> None:
    tree = two_stores().model_dump(mode="json")
    backwards = {key: tree[key] for key in reversed(tree)}
    assert play(load_text(json.dumps(backwards))).outcome.digest == play(two_stores()).outcome.digest


def test_no_one_touches_the_global_generators(two_stores: Any, play: Any) -> None:
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    before = random.getstate(), repr(np.random.get_state())  # noqa: NPY002
    play(two_stores(*BUSY))
    assert random.getstate() == before[0]
    assert repr(np.random.get_state()) == before[1]  # noqa: NPY002


def test_policies_are_built_afresh(two_stores: Any) -> None:
    scenario = two_stores()
    assert policies_of(scenario).dispatch is not policies_of(scenario).dispatch


@pytest.mark.parametrize("minimal", [False, True])
def test_arrivals_in_the_log_are_the_traces(two_stores: Any, play: Any, minimal: bool) -> None:
    played = play(two_stores(f"platform.profile={'minimal' if minimal else 'full'}"))
    trace, orders = played.world.trace, order_table(played.archive)
    np.testing.assert_array_equal(orders["entered_s"], trace.entered_s[orders["order"]])
    np.testing.assert_array_equal(orders["value_cents"], trace.value_cents[orders["order"]])
