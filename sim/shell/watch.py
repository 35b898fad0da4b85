"""``darkstore watch``: how far a run or an experiment in another terminal is, and what came of it."""

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
        Path,
        typer.Argument(
            metavar="RUN_DIR", help="A result's folder, or one that results go into; the newest is watched."
        ),
    ] = Path("results"),
    every: Annotated[
        float,
        typer.Option("--every", min=0.25, metavar="SECONDS", help="Between lines, where the output is no terminal."),
    ] = 5.0,
    wait: Annotated[
        float,
        typer.Option("--wait", min=0.0, metavar="SECONDS", help="For something to begin, where nothing is under way."),
    ] = 10.0,
) -> None:
    """Follow what is under way in another terminal, a run or an experiment, and say what came of it. Exit 1: nothing did."""
    from rich.console import Console

    console = Console()
    found = _awaited(place, wait)
    if not found:
        raise typer.Exit(_finished(place, console))
    run = found[0]
    if not run.alive:
        raise typer.Exit(_died(run))
    if len(found) > 1:
        typer.echo(f"darkstore: {len(found)} are under way; this is the one into {run.target}.", err=True)
    before = _stamp(run.target)
    _follow(run, console, every)
    if run.work.is_dir():
        raise typer.Exit(_died(run))
    if _stamp(run.target) in (None, before):
        typer.echo(f"darkstore: what went into {run.target} ended without a result.", err=True)
        raise typer.Exit(MISSED)
    raise typer.Exit(_finished(run.target, console))


def _awaited(place: Path, wait_s: float) -> "list[UnderWay]":
    """What is under way; where nothing is, and nothing is finished there either, wait: it may be about to begin."""
    from sim.reading.under_way import under_way

    found = under_way(place)
    if found or wait_s <= 0.0 or _last(place) is not None:
        return found
    typer.echo(f"darkstore: nothing is under way into {place} yet; waiting {wait_s:g} s for it.", err=True)
    until = time.monotonic() + wait_s
    while not found and _last(place) is None and time.monotonic() < until:
        time.sleep(LOOK_S)
        found = under_way(place)
    return found


def _follow(run: "UnderWay", console: "Console", every_s: float) -> None:
    """Show how far it is until its working folder is finished or gone, or its process is."""
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
    """Say what a finished folder says: a run its summary, an experiment where its page is."""
    from sim.reading.files import read_summary
    from sim.recording import SUMMARY
    from sim.report.page import REPORT
    from sim.report.terminal import print_summary

    last = _last(place)
    if last is None:
        raise InputError(
            f"{place}: expected a run's or an experiment's folder, under way or finished, or one that they go into; found none."
        )
    if last.name == SUMMARY:
        print_summary(read_summary(place), console, report=place / REPORT, folder=place)
    else:
        typer.echo(f"The {last.stem} is done. Its page: {place / REPORT}")
    return FINE


def _died(run: "UnderWay") -> int:
    """Say how far it was whose process is gone."""
    from sim.report.watching import word_line

    word = run.word()
    far = f"; it was at: {word_line(word)}" if word is not None else ""
    typer.echo(f"darkstore: what went into {run.target} died: its process {run.process} is gone{far}.", err=True)
    return MISSED


def _last(folder: Path) -> Path | None:
    """The file whose presence means that a folder is finished; None where it is not."""
    from sim.experiments.place import FINISHED

    return next((folder / name for name in FINISHED if (folder / name).is_file()), None)


def _stamp(folder: Path) -> tuple[int, int] | None:
    """Tells one result in a folder from the next; None where there is none."""
    last = _last(folder)
    try:
        found = last.stat() if last is not None else None
    except OSError:  # it is being replaced at this moment
        return None
    return None if found is None else (found.st_ino, found.st_mtime_ns)
