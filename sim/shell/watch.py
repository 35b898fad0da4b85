"""``darkstore watch``: how far a run in another terminal is, and what came of it."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.shell.errors import FINE, MISSED
from sim.vocabulary import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from sim.reading.under_way import UnderWay

LOOK_S = 0.25
"""How often is looked, seconds."""


def watch_command(
    place: Annotated[
        Path, typer.Argument(metavar="RUN_DIR", help="A run's folder, or one that runs go into; the newest is watched.")
    ] = Path("results"),
    every: Annotated[
        float,
        typer.Option("--every", min=0.25, metavar="SECONDS", help="Between lines, where the output is no terminal."),
    ] = 5.0,
) -> None:
    """Follow a run that is under way in another terminal, and print its summary when it is done. Exit 1: it ended without one."""
    from rich.console import Console

    from sim.reading.under_way import under_way

    console = Console()
    found = under_way(place)
    if not found:
        raise typer.Exit(_finished(place, console))
    run = found[0]
    if not run.alive:
        raise typer.Exit(_died(run))
    if len(found) > 1:
        typer.echo(f"darkstore: {len(found)} runs are under way; this is the one into {run.target}.", err=True)
    before = _inode(run.target)
    _follow(run, console, every)
    if run.work.is_dir():
        raise typer.Exit(_died(run))
    if _inode(run.target) in (None, before):
        typer.echo(f"darkstore: the run into {run.target} ended without a result.", err=True)
        raise typer.Exit(MISSED)
    raise typer.Exit(_finished(run.target, console))


def _follow(run: "UnderWay", console: "Console", every_s: float) -> None:
    """Show how far a run is until its folder is finished or gone, or its process is."""
    from sim.report.watching import word_line, word_panel

    def going_on() -> bool:
        return run.work.is_dir() and run.alive

    if console.is_terminal and not os.environ.get("CI"):
        from rich.live import Live

        with Live(console=console, transient=True, refresh_per_second=4) as live:
            while going_on():
                word = run.word()
                if word is not None:
                    live.update(word_panel(word, console.options.ascii_only, console.width))
                time.sleep(LOOK_S)
        return
    said, next_s = "", 0.0
    while going_on():
        word = run.word()
        if word is not None and time.monotonic() >= next_s and (line := word_line(word)) != said:
            typer.echo(line)
            said, next_s = line, time.monotonic() + every_s
        time.sleep(LOOK_S)


def _finished(place: Path, console: "Console") -> int:
    """Print what a finished folder says."""
    from sim.reading.files import read_summary
    from sim.recording import SUMMARY
    from sim.report.page import REPORT
    from sim.report.terminal import print_summary

    if not (place / SUMMARY).is_file():
        raise InputError(
            f"{place}: expected a run's folder, under way or finished, or one that runs go into; found none "
            "(a run is there once its world is built)."
        )
    print_summary(read_summary(place), console, report=place / REPORT, folder=place)
    return FINE


def _died(run: "UnderWay") -> int:
    """Say how far a run was whose process is gone."""
    from sim.report.watching import word_line

    word = run.word()
    far = f"; it was at: {word_line(word)}" if word is not None else ""
    typer.echo(f"darkstore: the run into {run.target} died: its process {run.process} is gone{far}.", err=True)
    return MISSED


def _inode(folder: Path) -> int | None:
    try:
        return folder.stat().st_ino
    except OSError:
        return None
