"""Service levels as tests: a plugin of pytest, there as soon as darkstore is installed.

def test_friday_evening(assert_slo):
assert_slo("friday.yaml", "within_s.1800 >= 0.95", reps=10)
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sim.experiments.check import Finding
    from sim.scenario import Scenario

_Days = dict[str, tuple[list[dict[str, float | None]], str]]


def assert_slo(
    scenario: str,
    *levels: str,
    reps: int | None = None,
    set: Sequence[str] = (),
    policies: Mapping[str, str] | None = None,
    baseline: str | Path | None = None,
    workers: int | None = 1,
    allow_code: bool = False,
    known: _Days | None = None,
) -> "list[Finding]":
    """Assert that a scenario meets service levels, by their confidence intervals.

    Parameters
    ----------
    scenario
        A file or a shipped name.
    levels
        Such as ``within_s.1800 >= 0.95``; none: those of the scenario.
    reps
        Replications; by default those of the baseline, or the scenario's ``check.reps``.
    set, policies
        Overrides ``path=value``, and policies by family.
    baseline
        A file of ``darkstore check --update-baseline``: what got worse than the scenario's ``check.worsens`` allows fails.
    workers
        Processes; None: one a core.
    allow_code
        Let the scenario file load policies from Python files.
    known
        Days that have been run already, by what was run; they are added to.

    Returns
    -------
    list of Finding
        What was found.

    Raises
    ------
    AssertionError
        A level is not met, or there are too few replications to tell.
    InputError
        Something given will not do.
    """
    from sim.experiments.baseline import read_baseline
    from sim.experiments.check import as_json, check, days_of, outcome
    from sim.experiments.pool import Crew
    from sim.report.checked import checked_leaf, said
    from sim.scenario import load

    loaded = load(scenario, list(set), dict(policies or {}))
    if levels:
        loaded = _asking(loaded, levels)
    before = read_baseline(Path(baseline)) if baseline is not None else None
    count = reps or (before.replications if before is not None else loaded.check.reps)
    key = f"{loaded.model_dump(exclude={'slo', 'check', 'description'})!r}"
    days, simulated = (known or {}).get(key, ([], ""))
    if len(days) < count:
        days, simulated = days_of(loaded, count, Crew(workers, allow_code=allow_code))
        if known is not None:
            known[key] = days, simulated
    findings = check(loaded, days[:count], before)
    if outcome(findings) != "pass":
        found = as_json(loaded, days[:count], before, findings, simulated)
        currency = loaded.costs.currency
        rows = [row for part in checked_leaf(found, currency).parts if part.grid for row in part.grid.rows]
        raise AssertionError("\n".join([said(found), *("  ".join(cell.text for cell in row) for row in rows)]))
    return findings


def _asking(scenario: "Scenario", levels: Sequence[str]) -> "Scenario":
    from pydantic import ValidationError

    from sim.scenario.levels import Slo, parse_slo
    from sim.vocabulary import InputError

    try:
        asked = tuple(Slo(**parse_slo(level)) for level in levels)
    except (ValidationError, ValueError) as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise InputError(f"assert_slo: expected {said.removeprefix('Value error, ')}.") from error
    return scenario.model_copy(update={"slo": asked})


@pytest.fixture(name="assert_slo", scope="session")
def _assert_slo() -> Callable[..., Any]:
    """`sim.testing.assert_slo`, which runs the same replications once for all tests of a session."""
    from functools import partial

    return partial(assert_slo, known={})
