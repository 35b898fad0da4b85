"""``darkstore check``: a gate for CI. Exit 0: pass; 1: fail; 3: inconclusive."""

import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from sim.shell.errors import FINE, INCONCLUSIVE, MISSED
from sim.shell.options import Cluster, Code, Json, Policy, Quiet, ScenarioName, Seed, Set, Workers, families, settings
from sim.vocabulary import InputError

SUMMARY = "GITHUB_STEP_SUMMARY"
"""Names the file that GitHub shows as a job's summary."""


def check_command(
    scenario: ScenarioName = "default",
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="What the figures were; see --update-baseline.")
    ] = None,
    update: Annotated[bool, typer.Option("--update-baseline", help="Write the baseline instead of checking.")] = False,
    reps: Annotated[
        int | None,
        typer.Option("--reps", min=2, help="Replications (default: the baseline's, or as the scenario says)."),
    ] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML there.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write the tables as Markdown there.")] = None,
    seed: Seed = None,
    setting: Set = None,
    policy: Policy = None,
    workers: Workers = None,
    cluster: Cluster = None,
    allow_code: Code = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check service levels, and what got worse against a baseline of the same days. Exit 1: fail; 3: inconclusive."""
    from sim.experiments.baseline import read_baseline, write_baseline
    from sim.experiments.check import as_json as plain
    from sim.experiments.check import check, checked_metrics, days_of, outcome
    from sim.experiments.pool import Crew
    from sim.report import checked
    from sim.report.counting import count_bar
    from sim.report.leaf import print_leaf
    from sim.scenario import load

    summary = Path(os.environ[SUMMARY]) if os.environ.get(SUMMARY) else None
    for path in (baseline if update else None, junit, markdown):
        if path is not None and path.is_dir():
            raise InputError(f"{path}: expected a file to write to, got a folder.")
    if update and baseline is None:
        raise InputError("--update-baseline: expected --baseline FILE to say where, got none.")
    loaded = load(scenario, settings(setting, seed), families(policy))
    before = read_baseline(baseline) if baseline is not None and not update else None
    asked = reps or (before.replications if before is not None else loaded.check.reps)
    if not update:
        check(loaded, [{}] * asked, before)  # what will not do is said before anything is run
    bar = count_bar(Console(stderr=True), "replications", asked, quiet=quiet or as_json)
    with bar as done, redirect_stdout(sys.stderr):
        days, fingerprint = days_of(loaded, asked, Crew(workers, cluster, allow_code), done)
    if update:
        assert baseline is not None
        kept = {metric: [day.get(metric) for day in days] for metric in checked_metrics(loaded)}
        write_baseline(baseline, loaded.name, loaded.seed, fingerprint, kept)
        typer.echo(f"{baseline}: {len(kept)} figures of {asked} days, by which later checks are judged.")
        raise typer.Exit(FINE)
    findings = check(loaded, days, before)
    found, currency = plain(loaded, days, before, findings, fingerprint), loaded.costs.currency
    if before is not None and before.fingerprint != fingerprint and not quiet:
        typer.echo(f"darkstore: note: {checked.CHANGED}", err=True)
    _write(junit, checked.junit(found, currency))
    _write(markdown, checked.markdown(found, currency))
    if summary is not None:
        try:
            _write(summary, checked.markdown(found, currency), append=True)
        except InputError as error:
            typer.echo(f"darkstore: note: {error}", err=True)  # what the gate says does not hang on a page about it
    if as_json:
        typer.echo(json.dumps(found, indent=1))
    else:
        print_leaf(checked.checked_leaf(found, currency), Console())
    raise typer.Exit({"pass": FINE, "fail": MISSED, "inconclusive": INCONCLUSIVE}[outcome(findings)])


def _write(path: Path | None, text: str, *, append: bool = False) -> None:
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a" if append else "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"{path}: expected a place that can be written to, got: {error.strerror}.") from error
