"""``darkstore story``: what happened to an order, and what made it late."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sim.shell.options import Json
from sim.vocabulary import InputError


def story_command(
    folder: Annotated[
        Path | None, typer.Argument(help="A finished run's folder; none: the one written last below results/.")
    ] = None,
    order: Annotated[
        str | None, typer.Argument(metavar="ORDER", help="The order's number; none: the latest of all.")
    ] = None,
    every: Annotated[bool, typer.Option("--every", help="Every fact, shelves and books too.")] = False,
    as_json: Json = False,
) -> None:
    """Tell an order's story: where its time went, what made it late, and all that happened to it."""
    import json

    from rich.console import Console

    from sim.reading.files import last_run
    from sim.reading.run import FinishedRun
    from sim.report.story import print_story, told

    if folder is not None and order is None and str(folder).isdecimal() and not folder.exists():
        folder, order = None, str(folder)  # a number alone is an order of the last run
    if order is not None and not order.isdecimal():
        raise InputError(f"{folder}: expected the number of an order, such as 172; got {order!r}.")
    run = folder or last_run(Path("results"))
    found: dict[str, Any] = told(FinishedRun(run), None if order is None else int(order), every=every)
    if as_json:
        typer.echo(json.dumps(found, indent=1))
    else:
        print_story(found, Console(), "" if folder else str(run))
