"""What a run, a plan and a check say in a sentence is what their figures say."""

from typing import Any

import pytest

from sim.report.checked import CHANGED, checked_leaf
from sim.report.planned import _capacity_answer, _steps
from sim.report.words import answer, half_text

RUN = {"orders": {"offered": 9, "delivered": 9}, "click_to_door_s": {"p50": 600.0, "p95": 900.0}}


def level(metric: str, met: bool, severity: str = "error") -> dict[str, Any]:
    target = 0.9 if metric == "on_time" else 0.5
    return {"metric": metric, "op": ">=", "target": target, "observed": target + (0.05 if met else -0.05), "met": met,
            "severity": severity}  # fmt: skip


TARGETS = [level("platform.hit_rate", True, "warn"), level("platform.user.availability", True, "warn")]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([], "; both of the platform's targets met."),
        ([level("on_time", True)], "; the service level was met, and both of the platform's targets."),
        ([level("on_time", False)], "; the service level was missed: on time; both of the platform's targets met."),
        (
            [level("on_time", False), level("fill_rate", True)],
            "; one of two service levels met, missed: on time; both of the platform's targets met.",
        ),
    ],
)
def test_targets_that_were_met_are_never_among_what_was_missed(asked: list[Any], said: str) -> None:
    assert answer({**RUN, "slo": [*asked, *TARGETS]}).endswith(said)


def test_the_interval_of_a_share_is_told_from_where_to_where_for_it_ends_at_none_and_all() -> None:
    figure = {"mean": 0.646, "low": 0.02, "high": 0.994}
    assert half_text(figure, "share") == "2.0 to 99.4"
    assert half_text({"mean": 10.0, "low": 8.0, "high": 12.0}, "rate") == "± 2.0"


def capacity(values: dict[str, float]) -> str:
    row = {"metric": "on_time", "op": ">=", "target": 0.9, "severity": "error", "now": values["1"], "holds_to": None,
           "breaks_at": 0.25}  # fmt: skip
    tried = {factor: {"on_time": share, "orders.entered": 10.0 * float(factor)} for factor, share in values.items()}
    return _capacity_answer({"levels": [row], "first": ["on_time"], "first_at": 0.25, "full": [], "tried": tried})


def test_a_level_that_holds_at_more_demand_is_not_said_to_hold_at_none() -> None:
    assert capacity({"0.25": 0.8, "1": 0.85}) == "on time does not hold at any demand that was tried."
    above = "on time does not hold at x0.25 (2) orders, though at more (x1, x2)."
    assert capacity({"0.25": 0.8, "1": 0.91, "2": 0.95}) == above


def test_under_stress_the_nearest_level_is_named_and_none_that_was_missed_before() -> None:
    def row(metric: str, found: float, margin: float) -> dict[str, Any]:
        return {
            "metric": metric,
            "op": ">=",
            "target": 0.9,
            "found": found,
            "margin": margin,
            "met": margin >= 0,
            "severity": "error",
        }

    step = {"label": "20 %", "levels": [row("on_time", 0.887, -0.01), row("fill_rate", 0.951, 0.05)]}
    now = [row("on_time", 0.887, -0.01), row("fill_rate", 0.97, 0.07)]
    axis = {
        "axis": "records",
        "what": "records off",
        "labels": ["20 %"],
        "steps": [step],
        "breaks_at": None,
        "broken": [],
    }
    grid = _steps({"axes": [axis], "now": now}, None).grid
    assert grid is not None
    assert [cell.text for cell in grid.rows[0]] == ["records", "20 %: fill rate 95.1 %"]


def finding(**said: Any) -> dict[str, Any]:
    usual = {"kind": "level", "metric": "on_time", "limit": ">= 0.9", "severity": "error", "state": "pass", "found": None,
             "change": None, "replications_needed": None}  # fmt: skip
    return usual | said


def checked(*findings: dict[str, Any], changed: bool | None = None) -> Any:
    base = (
        None if changed is None else {"darkstore": "0.1.0", "fingerprint": "x", "replications": 2, "changed": changed}
    )
    whole = {
        "scenario": "small",
        "seed": 1,
        "replications": 2,
        "outcome": "pass",
        "baseline": base,
        "findings": list(findings),
    }
    return checked_leaf(whole)


def test_a_check_of_a_changed_scenario_does_not_speak_of_the_same_days() -> None:
    same, other = checked(finding(), changed=False), checked(finding(), changed=True)
    assert "the same days" in same.lead
    assert "the same days" not in other.lead
    assert other.answer[1].lower() == CHANGED
    assert len(same.answer) == 1


def test_what_nobody_observed_is_not_said_to_lie_at_its_limit() -> None:
    unseen = checked(finding(state="inconclusive")).answer[0]
    assert unseen == "Inconclusive: on time. Nothing was observed of on time: no day had anything to judge by."
    at_limit = checked(finding(state="inconclusive", found={"mean": 0.9, "low": 0.8, "high": 1.0})).answer[0]
    assert at_limit.endswith("Where a figure lies at its limit, no number of them will.")


def test_a_gate_of_warnings_alone_says_so() -> None:
    assert checked(finding(severity="warn")).answer[0] == "Passed: all that was asked for only warns."
