"""``darkstore storm``: random storms, every law looking on; what breaks one is printed as the line that reproduces it."""

import os
from typing import Annotated

import typer
from rich.console import Console

from sim.shell.errors import FINE, MISSED
from sim.shell.options import Quiet, Workers

Seeds = Annotated[str, typer.Option("--seeds", metavar="A:B", help="Which storms: A included, B not.")]
KeepGoing = Annotated[bool, typer.Option("--keep-going", help="Go on after the first storm in which a law broke.")]


def storm_command(seeds: Seeds, workers: Workers = None, keep_going: KeepGoing = False, quiet: Quiet = False) -> None:
    """Run random small worlds with random faults and hold every law against them. Exit 1: a law broke."""
    from sim.experiments.storm import parse_seeds, storm
    from sim.report.counting import count_bar

    chosen = parse_seeds(seeds)
    broken = passed = 0
    with count_bar(Console(stderr=True), "storms", len(chosen), quiet=quiet) as done:

        def told(count: int, failed: int) -> None:
            nonlocal passed
            passed = count
            done(count, f"{failed:,} broke a law")

        for found in storm(chosen, workers=workers or os.cpu_count() or 1, keep_going=keep_going, done=told):
            broken += 1
            typer.echo(found.line)
    storms = f"{passed:,} storm{'s' if passed != 1 else ''}"
    typer.echo(f"{storms}: every law held." if not broken else f"{storms}: a law broke in {broken:,}.")
    raise typer.Exit(MISSED if broken else FINE)
