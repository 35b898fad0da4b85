"""``darkstore sweep``: many values of some keys, resumable."""

import json
import sys
from contextlib import redirect_stdout
from typing import Annotated, Literal

import typer
from rich.console import Console

from sim.shell.errors import FINE
from sim.shell.options import (
    Cluster,
    Code,
    Force,
    Json,
    Out,
    Policy,
    Quiet,
    ScenarioName,
    Seed,
    Set,
    Workers,
    families,
    settings,
)
from sim.vocabulary import InputError


def sweep_command(
    scenario: ScenarioName = "default",
    vary: Annotated[
        list[str] | None,
        typer.Option("--vary", metavar="PATH=LIST|A:B:STEP", help="A key and its values; A:B is a range to draw from."),
    ] = None,
    design: Annotated[
        Literal["grid", "lhs", "sobol"], typer.Option("--design", help="All combinations, or points drawn.")
    ] = "grid",
    count: Annotated[int, typer.Option("--points", min=2, max=20_000, help="How many to draw.")] = 32,
    reps: Annotated[int, typer.Option("--reps", min=1, help="Days at each point, the same for all.")] = 1,
    metric: Annotated[
        list[str] | None, typer.Option("--metric", help="A key of summary.json to look at; may be given often.")
    ] = None,
    pareto: Annotated[
        str | None, typer.Option("--pareto", metavar="METRIC,METRIC", help="What is weighed against each other.")
    ] = None,
    seed: Seed = None,
    setting: Set = None,
    policy: Policy = None,
    workers: Workers = None,
    cluster: Cluster = None,
    out: Out = None,
    force: Force = False,
    allow_code: Code = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Sweep over values of keys; the same command takes a sweep that was stopped up again, losing no finished run."""
    from sim.experiments.beacon import tried
    from sim.experiments.comparison import write_json
    from sim.experiments.factors import combinations, parse_factor, points
    from sim.experiments.figures import known_metric
    from sim.experiments.place import beside, named
    from sim.experiments.pool import Crew
    from sim.experiments.sweep import LAST, Plan, sweep, write_sweep
    from sim.experiments.swept import TRADED, swept, weighed
    from sim.report.counting import count_bar
    from sim.report.leaf import print_leaf, write_leaf
    from sim.report.swept import swept_leaf
    from sim.scenario import load

    if not vary:
        raise InputError(
            "sweep: expected --vary PATH=LIST or PATH=A:B:STEP, such as --vary drivers.count=20:60:5; got none."
        )
    traded = weighed([known_metric(each.strip(), "--pareto") for each in pareto.split(",")] if pareto else TRADED)
    metrics = [known_metric(each) for each in dict.fromkeys(metric or ("click_to_door_s.mean", *TRADED))]
    base = load(scenario, settings(setting, seed), families(policy))
    factors = [parse_factor(text) for text in vary]
    rows = combinations(factors, design, count, base.seed)
    plan = Plan(factors, points(scenario, factors, rows, settings(setting, seed), families(policy)), reps)
    folder = out or named(
        "sweep", base.name, vary, design, count if design != "grid" else 0, reps, base.seed, setting, policy
    )
    total = reps * len(plan.points)
    with beside(folder) as aside:
        bar = count_bar(Console(stderr=True), "runs", total, quiet=quiet or as_json)
        with bar as done, tried(aside, base, "sweep", total) as said, redirect_stdout(sys.stderr):

            def told(finished: int, before: int) -> None:
                done(finished, f"{before:,} from before" if before else "")
                said.ran(finished, before)

            runs = sweep(plan, folder, Crew(workers, cluster, allow_code), force=force, done=told)
        result = swept(plan, runs, metrics, traded, design, base.name, base.seed, (bool(metric), bool(pareto)))
        result |= {"currency": base.costs.currency, "command": sys.argv}
        leaf = swept_leaf(result)
        write_sweep(plan, runs, folder / "sweep.parquet")
        write_leaf(leaf, folder)
        write_json(result, folder / LAST)
    if as_json:
        typer.echo(json.dumps(result, indent=1))
    else:
        print_leaf(leaf, Console(), folder)
    raise typer.Exit(FINE)
