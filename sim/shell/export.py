"""``darkstore export``: a finished run in a format that other tools read."""

from pathlib import Path
from typing import Annotated

import typer

from sim.shell.options import Force


def export_command(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
    to: Annotated[
        str, typer.Option("--to", metavar="FORMAT", help="csv, geojson, perfetto, openmetrics, ocel, otlp or duckdb.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Where to (default: beside the run's folder, named RUN-FORMAT; never inside it)."),
    ] = None,
    force: Force = False,
) -> None:
    """Write a finished run in a format that other tools read."""
    from sim.exports import default_place, format_of
    from sim.exports.place import write_whole
    from sim.reading.run import FinishedRun

    wanted = format_of(to)
    run = FinishedRun(folder)
    place = out or default_place(folder, to)
    write_whole(place, wanted.files, lambda work: wanted.write(run, work), force=force)
    typer.echo(place)
