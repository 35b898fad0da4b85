"""``darkstore compare``: two or more ways to do a thing, on the same days."""

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from sim.shell.errors import FINE
from sim.shell.options import Cluster, Code, Force, Json, Out, Policy, Quiet, Seed, Set, Workers, families, settings

LAST = "comparison.json"
"""Written last: its presence means that the folder is whole."""


def compare_command(
    scenarios: Annotated[
        list[str] | None, typer.Argument(metavar="SCENARIO...", help="One scenario with --variant, or several.")
    ] = None,
    variant: Annotated[
        list[str] | None,
        typer.Option(
            "--variant",
            metavar="NAME:family=SPEC,path=value",
            help="A way to run it; twice or more, the first is the base.",
        ),
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option("--metric", help="A key of summary.json to look at; may be given often.")
    ] = None,
    reps: Annotated[int, typer.Option("--reps", min=1, help="Days: replications of each variant.")] = 10,
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
    """Compare variants on the same days: paired differences, intervals, a verdict. The first variant is the base."""
    from sim.experiments.comparison import as_json as plain
    from sim.experiments.comparison import compare, write_json, write_tidy
    from sim.experiments.figures import HEADLINE, known_metric
    from sim.experiments.place import named, whole_folder
    from sim.experiments.pool import Crew
    from sim.experiments.variants import variants_of
    from sim.report.comparison import comparison_leaf
    from sim.report.counting import count_bar
    from sim.report.leaf import print_leaf, write_leaf

    chosen = variants_of(scenarios or ["default"], variant or [], settings(setting, seed), families(policy))
    metrics = [known_metric(each) for each in dict.fromkeys(metric or HEADLINE)]
    folder = out or named(
        "compare", chosen[0].scenario.name, [each.asked for each in chosen], reps, chosen[0].scenario.seed
    )
    crew = Crew(workers, cluster, allow_code)
    bar = count_bar(Console(stderr=True), "runs", reps * len(chosen), quiet=quiet or as_json)
    with whole_folder(folder, force=force, last=LAST) as work, bar as done:
        with redirect_stdout(sys.stderr):
            found = compare(chosen, metrics, reps, crew, done)
        result = plain(found) | {"currency": chosen[0].scenario.costs.currency, "command": sys.argv}
        leaf = comparison_leaf(result, found.table)
        write_tidy(found.table, work / "replications.parquet")
        write_leaf(leaf, work)
        write_json(result, work / LAST)
    if as_json:
        typer.echo(json.dumps(result, indent=1))
    else:
        print_leaf(leaf, Console(), Path(folder))
    raise typer.Exit(FINE)
