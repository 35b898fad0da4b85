"""``darkstore story``: what happened to an order, and what made it late."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sim.shell.options import Json


def story_command(
    folder: Annotated[
        Path | None, typer.Argument(help="A finished run's folder; none: the one written last below results/.")
    ] = None,
    order: Annotated[int | None, typer.Argument(min=0, help="The order's number; none: the latest of all.")] = None,
    every: Annotated[bool, typer.Option("--every", help="Every fact, shelves and books too.")] = False,
    as_json: Json = False,
) -> None:
    """Tell an order's story: where its time went, what made it late, and all that happened to it."""
    import json

    from rich.console import Console

    from sim.reading.files import last_run
    from sim.reading.run import FinishedRun
    from sim.report.story import print_story, told

    found: dict[str, Any] = told(FinishedRun(folder or last_run(Path("results"))), order, every=every)
    if as_json:
        typer.echo(json.dumps(found, indent=1))
    else:
        print_story(found, Console())
