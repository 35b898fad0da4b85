"""The README's table: every dispatch policy on the menu, on the same days, with the CPU of its decisions."""

from dataclasses import replace

import pytest

from sim.engine import policies_of, simulate
from sim.experiments.mdrp import Timed
from sim.experiments.runs import summarise
from sim.menu import menu
from sim.metrics import study
from sim.opening import ready_world
from sim.recording import MemoryArchive
from sim.scenario import load
from sim.streams import Streams

pytestmark = pytest.mark.benchmark

AHEAD = ("foodmatch", "rolling_horizon", "vrp", "matching")
"""Those that may let drivers set out before an order is packed, and look again every quarter of a minute."""


def line(name: str, policy: str) -> str:
    scenario = load(name, [f"policies.dispatch={policy}"])
    streams, policies = Streams(scenario.seed), policies_of(scenario)
    world, archive, timed = ready_world(scenario, streams), MemoryArchive(), Timed(policies.dispatch)
    outcome = simulate(world, archive, streams=streams, policies=replace(policies, dispatch=timed))
    found = summarise(world, outcome, study(archive, scenario, outcome.state, streams), scenario.seed)
    p50_s, p95_s = (found["click_to_door_s"][share] for share in ("p50", "p95"))
    ms = 1000.0 * timed.cpu_s / found["orders"]["delivered"]
    return (
        f"| `{name}` | `{policy}` | {p50_s / 60:.1f} / {p95_s / 60:.1f} | {found['on_time']:.1%} | "
        f"{found['orders_per_driver_hour']:.2f} | {found['cost']['per_order_cents']:.0f} | "
        f"{found['drivers']['gini_orders']:.2f} | {ms:.2f} |"
    )


@pytest.mark.parametrize("name", ["default", "surge"])
def test_every_policy_of_the_menu_on_the_same_customers(capsys: pytest.CaptureFixture[str], name: str) -> None:
    for policy in menu()["dispatch"]:
        told = line(name, f"{policy}(early_s=120, every_s=15)" if policy in AHEAD else policy)
        assert "nan" not in told
        with capsys.disabled():
            print(f"\n{told}", end="", flush=True)
