"""A user's own policy, from a file: whatever it does wrong ends the run with one line that names it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sim.contracts import BatchPicking
from sim.engine import policies_of
from sim.guard import guarded_policy
from sim.menu import build_policy
from sim.vocabulary import InputError, Step

# Little is on the shelves and nothing in the records is right, so that every method is asked.
SCARCE = (
    "supply={cover_days: 0.05, units_min: 1, transfer_at: '12:10'}", "stores.inaccurate_share=1", "stores.inaccurate_units=4",
    "stores.layout={levels: 1}", "catalogue.skus=400", "demand.orders_per_day=3600", "pickers.per_store=2",
)  # fmt: skip

POLICY = """
import numpy as np
from sim.contracts import Move

class Mine:
    every_s = 600.0
    count_at = "12:20"
    compare_every_s = 300.0
    {attribute} = {value}

    def __call__(self, view):
        return {answer}

    def {method}(self, *arguments):
        return {said}
"""


def spec(folder: Path, **parts: Any) -> str:
    whole = {"attribute": "spare", "value": None, "answer": "None", "method": "idle", "said": "None", **parts}
    (folder / "mine.py").write_text(POLICY.format(**whole))
    return f"{folder / 'mine.py'}:Mine"


@pytest.mark.parametrize(
    ("family", "answer", "method", "said", "told"),
    [
        ("picking", "0 if view.waiting else None", "along", "1 / 0", "the policy failed with ZeroDivisionError"),
        ("picking", "0 if view.waiting else None", "along", "7", "expected places in the queue, got 7"),
        ("picking", "0 if view.waiting else None", "along", "None", "expected places in the queue, got None"),
        ("picking", "0 if view.waiting else None", "along", "'ab'", "expected places in the queue, got 'ab'"),
        ("substitution", "True", "replace", "1 / 0", "the policy failed with ZeroDivisionError"),
        ("substitution", "True", "replace", "1.5", r"expected an SKU or None, got 1\.5"),
        ("reconciliation", "False", "plan", "1 / 0", "the policy failed with ZeroDivisionError"),
        ("reconciliation", "False", "compare", "1 / 0", "the policy failed with ZeroDivisionError"),
        ("reconciliation", "False", "compare", "None", r"expected Corrections\(adjust, review\), got None"),
        ("transfer", "(1 / 0 for _ in range(2))", "idle", "None", "the policy failed with ZeroDivisionError"),
        ("transfer", "[Move(0, 1, 0, 10 ** 30)]", "idle", "None", "policies.transfer"),
    ],
)
def test_what_a_policy_says_wrongly_is_told_of_in_one_line(
    two_stores: Any, play: Any, tmp_path: Path, family: str, answer: str, method: str, said: str, told: str
) -> None:
    scenario = two_stores(*SCARCE)
    attribute = "plan_not" if method != "plan" else "spare"
    mine = build_policy(
        family, spec(tmp_path, answer=answer, method=method, said=said, attribute=attribute), "policies." + family,
        allow_code=True,
    )  # fmt: skip
    with pytest.raises(InputError, match=told) as refused:
        play(scenario, policies=replace(policies_of(scenario), **{family: mine}))
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("family", "attribute", "value", "told"),
    [
        ("picking", "every_s", "-3", "expected every_s to be seconds, 0, or 0.001 or more, got -3"),
        ("picking", "every_s", "'x'", "expected every_s to be seconds, 0, or 0.001 or more, got 'x'"),
        ("dispatch", "every_s", "1e-9", "expected every_s to be seconds, 0, or 0.001 or more, got 1e-09"),
        ("replenishment", "every_s", "1e-9", "expected every_s to be seconds, 1 or more, got 1e-09"),
        ("picking", "consolidate_s", "float('nan')", "expected consolidate_s to be seconds >= 0, got nan"),
        ("transfer", "every_s", "0", "expected every_s to be seconds, 1 or more, got 0"),
    ],
)
def test_attributes_that_make_no_sense_are_refused(
    tmp_path: Path, family: str, attribute: str, value: str, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        build_policy(family, spec(tmp_path, attribute=attribute, value=value), "policies." + family, allow_code=True)


def test_what_a_protocol_asks_for_is_the_guards_own(tmp_path: Path) -> None:
    """Python 3.12 looks at the object, not at what it answers: without this a user's `along` would go unheard there."""
    mine = build_policy("picking", spec(tmp_path, answer="0", method="along"), "policies.picking", allow_code=True)
    assert "along" in vars(mine)
    assert isinstance(mine, BatchPicking)
    bare = build_policy("picking", spec(tmp_path, answer="0"), "policies.picking", allow_code=True)
    assert not isinstance(bare, BatchPicking)


TOURS = """
from sim.contracts import Offer

class Everything:
    holds = True
    {every}

    def __call__(self, view):
        by_store = {{}}
        for order in view.waiting:
            by_store.setdefault(order.store, []).append(order.id)
        for (first, *along), driver in zip(by_store.values(), view.idle.tolist()):
            yield Offer(first, driver, {along})
"""


@pytest.mark.parametrize("every", ["every_s = 300.0", "pass"])
def test_tours_of_a_users_policy_are_driven_as_ours(two_stores: Any, play: Any, tmp_path: Path, every: str) -> None:
    """Also where it holds orders back without a grid to be asked on again: then it is asked when something happens."""
    scenario = two_stores("drivers.count=3", "stores.open='00:00-24:00'")
    file = tmp_path / "tours.py"
    file.write_text(TOURS.format(every=every, along="tuple(along[:2])"))
    mine = build_policy("dispatch", f"{file}:Everything", "policies.dispatch", allow_code=True)
    day = play(scenario, policies=replace(policies_of(scenario), dispatch=mine))
    assert len(day.rows("order_bundled")) > 5
    assert len(day.rows("goods_delivered")) > 20


AHEAD = """
from sim.contracts import Offer, Reposition

class Ahead:
    every_s, holds = 60.0, True

    def __call__(self, view):
        for order, driver in zip(list(view.waiting), view.idle.tolist()):
            yield Offer(order.id, driver)
        for driver in view.idle.tolist():
            yield Reposition({driver}, 0)
"""


def test_drivers_of_a_users_policy_are_sent_as_ours(two_stores: Any, play: Any, tmp_path: Path) -> None:
    file = tmp_path / "ahead.py"
    scenario = two_stores("policies.positioning=stay")

    def day(driver: str) -> Any:
        file.write_text(AHEAD.format(driver=driver))
        mine = build_policy("dispatch", f"{file}:Ahead", "policies.dispatch", allow_code=True)
        return play(scenario, policies=replace(policies_of(scenario), dispatch=mine))

    assert len(day("driver").rows("driver_sent")) > 3
    for wrong in ("None", "10**12"):
        with pytest.raises(
            InputError, match=r"Ahead: expected an Offer\(order, driver, along\) or a Reposition\(driver, store\)"
        ):
            day(wrong)


@pytest.mark.parametrize("along", ["None", "7", "['x']"])
def test_what_is_no_tour_is_refused_in_one_line(two_stores: Any, play: Any, tmp_path: Path, along: str) -> None:
    scenario = two_stores()
    file = tmp_path / "tours.py"
    file.write_text(TOURS.format(every="pass", along=along))
    mine = build_policy("dispatch", f"{file}:Everything", "policies.dispatch", allow_code=True)
    with pytest.raises(
        InputError, match=r"expected an Offer\(order, driver, along\) or a Reposition\(driver, store\) of ids"
    ):
        play(scenario, policies=replace(policies_of(scenario), dispatch=mine))


@pytest.mark.parametrize(
    ("steps", "holds_first"),
    [
        ((Step.PAY, Step.RESERVE, Step.CONFIRM), True),
        ((Step.RESERVE, Step.CONFIRM, Step.PAY), True),
        ((Step.CONFIRM, Step.RESERVE, Step.PAY), False),
        ((Step.PAY, Step.CONFIRM, Step.RESERVE), False),
        ((Step.CONFIRM, Step.RESERVE_AND_PAY), False),
        ((Step.CONFIRM, Step.PREPARE, Step.COMMIT), False),
    ],
)
def test_a_plan_holds_the_goods_before_the_store_is_told_to_pick_them(steps: Any, holds_first: bool) -> None:
    plan = guarded_policy("saga", lambda view: steps, "mine.py")
    if holds_first:
        assert plan(None) == steps
    else:
        with pytest.raises(InputError, match="held before CONFIRM"):
            plan(None)
