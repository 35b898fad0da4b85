"""``darkstore storm``: random storms, every law looking on; what breaks one is printed as the line that reproduces it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console

from sim.shell.errors import FINE, MISSED

Seeds = Annotated[str, typer.Option("--seeds", metavar="A:B", help="Which storms: A included, B not.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes (default: one per core).")]
KeepGoing = Annotated[bool, typer.Option("--keep-going", help="Go on after the first storm in which a law broke.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]


def storm_command(seeds: Seeds, workers: Workers = None, keep_going: KeepGoing = False, quiet: Quiet = False) -> None:
    """Run random small worlds with random faults and hold every law against them. Exit 1: a law broke."""
    from sim.experiments.storm import parse_seeds, storm

    chosen = parse_seeds(seeds)
    broken = passed = 0
    with _progress_bar(Console(stderr=True), len(chosen), quiet=quiet) as done:

        def told(count: int, failed: int) -> None:
            nonlocal passed
            passed = count
            done(count, failed)

        for found in storm(chosen, workers=workers or os.cpu_count() or 1, keep_going=keep_going, done=told):
            broken += 1
            typer.echo(found.line)
    storms = f"{passed:,} storm{'s' if passed != 1 else ''}"
    typer.echo(f"{storms}: every law held." if not broken else f"{storms}: a law broke in {broken:,}.")
    raise typer.Exit(MISSED if broken else FINE)


@contextmanager
def _progress_bar(console: Console, total: int, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Show how many storms have passed; silent where nobody looks on."""
    if quiet or not console.is_terminal:
        yield lambda count, failed: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (TextColumn("storms"), BarColumn(bar_width=None), TaskProgressColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as display:
        task = display.add_task("", total=total)

        def done(count: int, failed: int) -> None:
            told = f"{count:,} of {total:,}, {failed:,} broke a law"
            display.update(task, completed=count, description=told)

        yield done
