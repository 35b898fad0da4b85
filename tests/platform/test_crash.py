"""The orchestrator dies at every boundary of every plan, and every order still ends settled or wholly compensated."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sim.laws import all_laws, verdict, whole_log
from sim.platform.saga import Saga
from sim.vocabulary import END_STATES, OrderState, Step
from sim.world.build import build_world

PLANS = {
    "reserve_then_pay": (Step.RESERVE, Step.PAY, Step.CONFIRM),
    "pay_then_reserve": (Step.PAY, Step.RESERVE, Step.CONFIRM),
    "at_once": (Step.RESERVE_AND_PAY, Step.CONFIRM),
    "confirm_first": (Step.RESERVE, Step.CONFIRM, Step.PAY),
    "two_phase_commit": (Step.PREPARE, Step.COMMIT, Step.CONFIRM),
}

POINTS = ("before", "done", "logged", "undone")

BUSY = (
    "horizon_h=0.6",
    "demand.orders_per_day=4800",
    "customers={patience_s: 200, patience_cv: 1}",
    "payments={decline_share: 0.3, lost_answer_share: 0.05, duplicate_share: 0.1}",
    "supply={units_min: 1, cover_days: 0.03}",
    "stores.inaccurate_share=0.5",
    "platform.bus={loss: 0.02, duplicates: 0.02}",
)
"""Declined cards, empty records, customers who think better of it: orders fail at every step."""

OUTCOMES = ("settled", "compensated")


def kill_at(monkeypatch: Any, point: str, step: Step, *, times: int) -> list[int]:
    """Let the orchestrator die at one boundary of the first few orders that reach it; returns these, as they come."""
    hit: list[int] = []

    def kill(order: int, at: str, during: Step) -> bool:
        if (at, during) != (point, step) or order in hit or len(hit) >= times:
            return False
        hit.append(order)
        return True

    begin = Saga.__init__

    def doomed(self: Saga, *arguments: Any, **options: Any) -> None:
        begin(self, *arguments, **options)
        self.kill = kill

    monkeypatch.setattr(Saga, "__init__", doomed)
    return hit


def check(played: Any, laws: Any) -> None:
    """No law is broken, everybody's order has ended, nobody was charged twice."""
    assert verdict(laws) + whole_log(played.archive, played.outcome.state) == []
    orders = played.study.orders
    assert set(orders["state"].tolist()) <= END_STATES
    ended = Counter(played.rows("saga_ended")["order"].tolist())
    assert ended == Counter(dict.fromkeys(orders["order"].tolist(), 1)), "every saga ends, once"
    settled = played.rows("saga_ended")["settled"]
    assert settled.sum() == (orders["state"] == OrderState.DELIVERED).sum()
    charges = Counter(played.rows("charge_made")["order"].tolist())
    assert max(charges.values()) == 1, "nobody is charged twice"
    state = played.outcome.state
    assert state.reserved.sum() == 0
    assert not state.totes
    assert not state.tasks


def run(play: Any, scenario: Any) -> tuple[Any, Any]:
    world = build_world(scenario)
    laws = all_laws(world)
    return play(world, laws=laws), laws


BOUNDARIES = [
    pytest.param(plan, point, step, id=f"{plan}-{point}-{step.name.lower()}")
    for plan, steps in PLANS.items()
    for step in steps
    for point in POINTS
]


@pytest.mark.parametrize(("plan", "point", "step"), BOUNDARIES)
def test_a_saga_killed_at_a_boundary_ends_settled_or_wholly_compensated(
    two_stores: Callable[..., Any], play: Any, monkeypatch: Any, plan: str, point: str, step: Step
) -> None:
    hit = kill_at(monkeypatch, point, step, times=8)
    played, laws = run(play, two_stores(*BUSY, f"policies.saga={plan}"))
    assert len(hit) == 8, "expected the boundary to be met"
    check(played, laws)
    orders = played.study.orders
    struck = np.isin(orders["order"], hit)
    assert struck.sum() == 8
    if point == "undone":
        assert (orders["state"][struck] != OrderState.DELIVERED).all(), "what was being undone is undone"
    else:
        taken_up = set(played.rows("saga_resumed")["order"].tolist())
        failed = set(orders["order"][orders["state"] != OrderState.DELIVERED].tolist())
        assert set(hit) <= taken_up | failed


@pytest.mark.parametrize("plan", PLANS)
def test_a_plan_without_crashes_breaks_no_law_on_the_same_day(two_stores: Any, play: Any, plan: str) -> None:
    """What the test above sees is the crash's doing, not the plan's."""
    played, laws = run(play, two_stores(*BUSY, f"policies.saga={plan}"))
    assert len(played.rows("saga_resumed")) == 0
    check(played, laws)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("plan", PLANS)
def test_an_orchestrator_that_dies_again_and_again_leaves_nothing_behind(
    two_stores: Any, play: Any, monkeypatch: Any, plan: str, seed: int
) -> None:
    """Every order's first few boundaries kill with a chance of its own, also right after a restart."""
    begin, seen = Saga.__init__, Counter[int]()

    def kill(order: int, point: str, step: Step) -> bool:
        seen[order] += 1
        return seen[order] < 12 and hash((order, seen[order], seed)) % 9 == 0

    def doomed(self: Saga, *arguments: Any, **options: Any) -> None:
        begin(self, *arguments, **options)
        self.kill = kill

    monkeypatch.setattr(Saga, "__init__", doomed)
    played, laws = run(play, two_stores(*BUSY, f"policies.saga={plan}", "platform.restart_s=4", f"seed={seed}"))
    assert len(played.rows("saga_resumed")) > 20
    check(played, laws)


# -- the fault ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", PLANS)
def test_sagas_under_way_resume_when_the_orchestrator_is_up_again(two_stores: Any, play: Any, plan: str) -> None:
    """Orders placed while it is down begin when it is up; none of them is lost."""
    scenario = two_stores(
        "payments.latency_s=6", "customers={patience_s: null}", "demand.orders_per_day=9000",
        f"policies.saga={plan}", "platform.restart_s=60", "horizon_h=0.7",
        "faults=[{kind: orchestrator_crash, at: '12:30'}]",
    )  # fmt: skip
    played, laws = run(play, scenario)
    check(played, laws)
    entered = played.rows("order_entered")
    t_s, number = entered["t_s"], entered["order"]
    while_down = set(number[(t_s > 1800) & (t_s < 1860)].tolist())
    assert len(while_down) > 3
    for kind in ("stock_reserved", "payment_asked", "saga_step_done", "order_promised"):
        times = played.rows(kind)["t_s"]
        assert not ((times > 1800) & (times < 1860)).any(), f"nothing is orchestrated while it is down: {kind}"
    resumed = played.rows("saga_resumed")
    assert (resumed["t_s"] == 1860).all()
    taken_up = set(resumed["order"].tolist())
    assert while_down <= taken_up
    assert taken_up - while_down, "expected sagas that were under way"
    steps = dict(zip(resumed["order"].tolist(), resumed["step"].tolist(), strict=True))
    assert {steps[order] for order in while_down} == {PLANS[plan][0]}


def test_two_crashes_that_overlap_are_over_when_both_are(two_stores: Any, play: Any) -> None:
    scenario = two_stores(
        "demand.orders_per_day=9000", "platform.restart_s=60", "horizon_h=0.7",
        "faults=[{kind: orchestrator_crash, at: '12:30'}, {kind: orchestrator_crash, at: '12:30'}]",
    )  # fmt: skip
    played, laws = run(play, scenario)
    check(played, laws)
    once = Counter(played.rows("saga_resumed")["order"].tolist())
    assert set(once.values()) == {1}


def test_nobody_waits_longer_for_a_crash_than_for_its_repair(two_stores: Any, play: Any) -> None:
    """Checkout of orders placed just before and during the crash takes the repair longer, and of no others."""
    settings = (
        "customers={patience_s: null}",
        "horizon_h=0.8",
        "demand.orders_per_day=6000",
        "payments.decline_share=0",
    )
    with_crash = "faults=[{kind: orchestrator_crash, at: '12:30'}]"
    played, calm = (play(two_stores(*settings, "platform.restart_s=120", *more)) for more in ((with_crash,), ()))

    def checkout_s(run: Any) -> Any:
        orders = run.study.orders
        return dict(zip(orders["order"].tolist(), (orders["confirmed_s"] - orders["entered_s"]).tolist(), strict=True))

    broken, whole = checkout_s(played), checkout_s(calm)
    t_s = dict(zip(*(played.study.orders[name].tolist() for name in ("order", "entered_s")), strict=True))
    longer = {order: broken[order] - whole[order] for order in broken if broken[order] - whole[order] > 1}
    assert longer
    for order, seconds in longer.items():
        assert 1800 - 30 < t_s[order] < 1920
        assert seconds < 120 + 30
