"""``darkstore compare``: two or more ways to do a thing, on the same days."""

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from sim.shell.errors import FINE, INCONCLUSIVE
from sim.shell.options import (
    Cluster,
    Code,
    Force,
    How,
    Json,
    Out,
    Policy,
    Quiet,
    Seed,
    Set,
    Workers,
    families,
    settings,
    share,
)
from sim.vocabulary import InputError

if TYPE_CHECKING:
    from sim.experiments.variants import Variant

LAST = "comparison.json"
"""Written last: its presence means that the folder is whole."""
DAYS = 10
"""Replications of each variant, where nobody says (judgement)."""
MOST_DAYS = 200
"""Days after which --select gives up, where nobody says (judgement)."""


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
    reps: Annotated[
        int | None, typer.Option("--reps", min=1, help="Days: replications of each variant (default: 10).")
    ] = None,
    select: Annotated[
        str | None,
        typer.Option("--select", metavar="METRIC", help="Find the best by this metric, day by day, instead."),
    ] = None,
    zone: Annotated[
        float | None, typer.Option("--zone", help="With --select: the difference worth telling, in the metric's unit.")
    ] = None,
    confidence: Annotated[
        str | None, typer.Option("--confidence", help="With --select: chance that it is the best (default: 95%).")
    ] = None,
    reps_max: Annotated[
        int | None, typer.Option("--max-reps", min=10, help="With --select: give up after so many days (default: 200).")
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
    """Compare variants on the same days: paired differences, intervals, a verdict. The first variant is the base."""
    from sim.experiments.beacon import both, tried
    from sim.experiments.comparison import as_json as plain
    from sim.experiments.comparison import compare, write_json, write_tidy
    from sim.experiments.figures import HEADLINE, known_metric
    from sim.experiments.place import named, whole_folder
    from sim.experiments.pool import Crew
    from sim.experiments.variants import alike, variants_of
    from sim.report.comparison import comparison_leaf
    from sim.report.counting import count_bar
    from sim.report.leaf import print_leaf, write_leaf

    chosen = variants_of(scenarios or ["default"], variant or [], settings(setting, seed), families(policy))
    first = chosen[0].scenario
    metrics = [known_metric(each) for each in dict.fromkeys(metric or HEADLINE)]
    if select is None:
        for option, given in (("--zone", zone), ("--confidence", confidence), ("--max-reps", reps_max)):
            if given is not None:
                raise InputError(f"{option}: expected --select METRIC with it, got none.")
    if select is not None:
        if zone is None:
            raise InputError(
                "--select: expected --zone, the smallest difference worth telling, in the metric's unit; got none."
            )
        if reps is not None or metric:
            raise InputError(
                "--select: expected neither --reps nor --metric with it: it takes as many days as it needs, up to --max-reps."
            )
        asked = (
            known_metric(select, "--select"),
            zone,
            share(confidence or "95%", "--confidence"),
            reps_max or MOST_DAYS,
        )
        _select(chosen, asked, How(workers, cluster, allow_code, out, force, as_json, quiet))
    reps = reps or DAYS
    folder = out or named(
        "compare", first.name, [each.asked for each in chosen], reps, first.seed, setting, policy, metrics
    )
    crew = Crew(workers, cluster, allow_code)
    bar = count_bar(Console(stderr=True), "runs", reps * len(chosen), quiet=quiet or as_json)
    with whole_folder(folder, force=force, last=LAST) as work, bar as done:
        word = tried(work, first, "comparison", reps * len(chosen))
        with word as said, redirect_stdout(sys.stderr):
            found = compare(chosen, metrics, reps, crew, both(done, said), named=bool(metric))
        result = plain(found) | {"currency": chosen[0].scenario.costs.currency, "command": sys.argv}
        leaf = comparison_leaf(result, found.table)
        write_tidy(found.table, work / "replications.parquet")
        write_leaf(leaf, work)
        write_json(result, work / LAST)
    for one, other in alike(chosen) if not quiet else ():
        typer.echo(f"darkstore: note: {one} and {other} come to the same scenario.", err=True)
    if as_json:
        typer.echo(json.dumps(result, indent=1))
    else:
        print_leaf(leaf, Console(), Path(folder))
    raise typer.Exit(FINE)


def _select(
    variants: "list[Variant]",
    asked: tuple[str, float, float, int],
    how: How,
) -> NoReturn:
    """Find the best of the variants, day by day."""
    from sim import __version__
    from sim.experiments.beacon import both, tried
    from sim.experiments.comparison import write_json
    from sim.experiments.place import named, whole_folder
    from sim.experiments.pool import Crew
    from sim.experiments.selecting import select
    from sim.report.counting import count_bar
    from sim.report.leaf import print_leaf, write_leaf
    from sim.report.selected import selected_leaf

    first = variants[0].scenario
    folder = how.out or named("select", first.name, [each.asked for each in variants], asked, first.seed, sys.argv[1:])
    bar = count_bar(Console(stderr=True), "days", asked[3], quiet=how.silent)
    with whole_folder(folder, force=how.force, last=LAST) as work, bar as done:
        with tried(work, first, "comparison", asked[3], "days") as said, redirect_stdout(sys.stderr):
            told = both(done, said)
            found = select(
                variants,
                *asked,
                Crew(how.workers, how.cluster, how.allow_code),
                lambda days, left: told(days, f"{len(left)} in play"),
            )
        result = {
            "schema": 1, "darkstore": __version__, "scenario": first.name, "seed": first.seed, "currency": first.costs.currency,
            "variants": {each.name: each.asked for each in variants}, "command": sys.argv, "selection": found,
        }  # fmt: skip
        leaf = selected_leaf(result)
        write_leaf(leaf, work)
        write_json(result, work / LAST)
    if how.as_json:
        typer.echo(json.dumps(result, indent=1))
    else:
        print_leaf(leaf, Console(), folder)
    raise typer.Exit(FINE if found["sure"] else INCONCLUSIVE)
