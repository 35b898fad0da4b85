"""What a run says in the terminal: progress while it goes on, then a summary that a manager can read."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sim.report.platform import trouble_lines
from sim.report.sections import Row, Section, sections
from sim.report.sparks import Sparks, line, peak, sparks_of
from sim.report.words import Level, answer, at, figure_text, interval_text, levels, local_time
from sim.scenario.tree import parse_start

if TYPE_CHECKING:
    from sim.engine import Progress

NOTHING_KNOWN: Final[Mapping[str, Any]] = {}
"""In place of a manifest where there is none."""

WIDTH: Final = 100
_BAR: Final = 8
_COLUMN: Final = 48
_ASCII: Final = str.maketrans({"–": "-", "✓": "+", "✗": "x", "█": "#", "·": "-", "≥": ">=", "≤": "<=", "…": "."})


def print_summary(
    summary: Mapping[str, Any],
    console: Console,
    *,
    report: Path | None = None,
    folder: Path | None = None,
    currency: str | None = None,
) -> None:
    """Print a run's summary.

    Parameters
    ----------
    summary
        The object of summary.json, of one run or of replications.
    console
        Of the standard output; at most 100 columns are used.
    report, folder
        The page and the run's folder, to be pointed to at the end.
    currency
        Put before money; read from the folder's manifest where it is not given.
    """
    manifest = _manifest(folder)
    told = at(manifest, "scenario.costs.currency")
    currency = currency or (told if isinstance(told, str) else None)
    if summary.get("replications", 1) > 1:
        print_replications(summary, console, currency=currency, manifest=manifest)
    else:
        _print_one(summary, console, currency, folder, manifest)
    plain = console.options.ascii_only
    for name, path in (("Report", report), ("Files", folder)):
        if path is not None:
            # A path is never broken: it is there to be copied.
            console.print(text_of(f"{name:<7} {path}", plain), soft_wrap=True)


def print_replications(
    summary: Mapping[str, Any],
    console: Console,
    *,
    currency: str | None = None,
    manifest: Mapping[str, Any] = NOTHING_KNOWN,
) -> None:
    """Print the summary of several replications: each figure's mean with its 95 % interval."""
    plain = console.options.ascii_only
    _head(summary, console, plain, f"{summary['replications']} replications from seed {summary.get('seed', '–')}")
    table = Table(box=None, show_header=True, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("")
    for name in ("mean", "95 % interval"):
        table.add_column(name, justify="right")
    for section in sections(summary):
        table.add_row(text_of(section.title, plain, "bold"), "", "")
        for row in section.rows:
            style = "dim" if row.depth else ""
            value, interval = figure_text(row.value, row.kind, currency), interval_text(row.value, row.kind, currency)
            cells = (f"{'  ' * (row.depth + 1)}{row.label}", value, interval)
            table.add_row(*(text_of(cell, plain, style) for cell in cells))
    _print(console, table, Text())
    _print(console, _level_table(levels(summary, currency), plain, intervals=True), Text())
    _print_troubles(summary, console, manifest)


def _print(console: Console, *parts: RenderableType) -> None:
    console.print(Group(*parts), width=min(console.width, WIDTH))


def _manifest(folder: Path | None) -> Mapping[str, Any]:
    if folder is None:
        return NOTHING_KNOWN
    try:
        known = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return NOTHING_KNOWN
    return known if isinstance(known, dict) else NOTHING_KNOWN


def _print_troubles(summary: Mapping[str, Any], console: Console, manifest: Mapping[str, Any]) -> None:
    begins, plain = at(manifest, "scenario.start"), console.options.ascii_only
    start = parse_start(begins) if isinstance(begins, str) else None
    wrong = trouble_lines(summary, start, [store["name"] for store in at(manifest, "world.stores") or ()])
    if wrong:
        lines = Table.grid(padding=(0, 1))
        for line in wrong:
            lines.add_row("", text_of("·", plain, "dim"), text_of(line, plain))
        _print(console, text_of("What went wrong on the platform", plain, "bold"), lines, Text())


def text_of(text: str, plain: bool, style: str = "") -> Text:
    """Text as it is (no markup in it), in characters that the terminal has."""
    return Text(text.translate(_ASCII) if plain else text, style)


def _head(summary: Mapping[str, Any], console: Console, plain: bool, which: str) -> None:
    title = Text.assemble((str(summary.get("scenario", "")), "bold"), text_of(f" · {which}", plain, "dim"))
    _print(console, Text(), title, text_of(answer(summary), plain), Text())


def _print_one(
    summary: Mapping[str, Any],
    console: Console,
    currency: str | None,
    folder: Path | None,
    manifest: Mapping[str, Any],
) -> None:
    plain = console.options.ascii_only
    _head(summary, console, plain, f"seed {summary.get('seed', '–')}")
    parts = {section.title: _section_table(section, plain, currency) for section in sections(summary)}
    names = list(parts)
    places = ([0, 1, 5], [2, 3, 4]) if len(names) > 2 else ([0], [1])
    left, right = ([names[place] for place in column] for column in places)
    if console.width >= WIDTH:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(width=_COLUMN)
        grid.add_column(width=_COLUMN)
        grid.add_row(Group(*(parts[name] for name in left)), Group(*(parts[name] for name in right)))
        _print(console, grid)
    else:
        _print(console, *(parts[name] for name in names))
    sparks = sparks_of(folder, summary) if folder is not None else None
    if sparks is not None:
        _print(console, _spark_table(sparks, plain, currency), Text())
    _print(console, _level_table(levels(summary, currency), plain), Text())
    _print_troubles(summary, console, manifest)


def _section_table(section: Section, plain: bool, currency: str | None) -> RenderableType:
    bars = any(row.share is not None for row in section.rows)
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False, width=_COLUMN - 1)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    if bars:
        table.add_column(width=_BAR, no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
    for row in section.rows:
        style = "dim" if row.depth else ""
        cells = [
            text_of("  " * row.depth + row.label, plain, style),
            text_of(figure_text(row.value, row.kind, currency), plain, style),
        ]
        if bars:
            # A figure that is itself the share need not be said twice.
            share = "" if row.share is None or row.kind == "share" else figure_text(row.share, "share", digits=0)
            cells += [_bar(row, plain), text_of(share, plain, style)]
        table.add_row(*cells)
    return Group(text_of(section.title, plain, "bold"), Padding(table, (0, 0, 1, 1)))


def _bar(row: Row, plain: bool) -> Text:
    if row.share is None:
        return Text()
    full = round(max(0.0, min(1.0, row.share)) * _BAR)
    return text_of("█" * full + "·" * (_BAR - full), plain, "dim" if row.depth else "cyan")


def _spark_table(sparks: Sparks, plain: bool, currency: str | None) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for _ in range(3):
        table.add_column("", no_wrap=True)
    for row in sparks.rows:
        drawn, most = (
            text_of(line(row.values, plain), plain, "cyan"),
            text_of(peak(row, sparks, currency), plain, "dim"),
        )
        table.add_row(text_of(row.label, plain), drawn, most)
    begin = f"{sparks.begins[0]:{'%-d %b' if 'day' in sparks.step else '%H:%M'}}"
    title = f"By {'the ' if sparks.step[0].isalpha() else ''}{sparks.step}, from {begin}"
    return Group(text_of(title, plain, "bold"), Padding(table, (0, 0, 0, 1)))


def _level_table(found: list[Level], plain: bool, *, intervals: bool = False) -> RenderableType:
    if not found:
        return text_of("The scenario asks for no service levels.", plain, "dim")
    table = Table(box=None, show_header=True, header_style="dim", padding=(0, 3, 0, 0), pad_edge=False)
    table.add_column("")
    for name in ("target", "observed", "95 % interval") if intervals else ("target", "observed"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for level in found:
        style = "green" if level.met else "yellow" if level.warn else "bold red"
        cells = [level.label, level.target, level.observed, *([level.interval] if intervals else [])]
        verdict = text_of(f"{'✓' if level.met else '✗'} {level.verdict}", plain, style)
        table.add_row(*(text_of(cell, plain) for cell in cells), verdict)
    return Group(text_of("Service levels", plain, "bold"), Padding(table, (0, 0, 0, 1)))


class Watch:
    """Is told how far a run has come (call it), and how many replications are done; shows nothing by itself."""

    def __call__(self, progress: "Progress") -> None:
        """The run has come so far."""

    def done(self, count: int) -> None:
        """So many of the other replications have finished."""


class _Bar(Watch):
    def __init__(self, bar: Any, start: datetime | None, replications: int) -> None:
        self._bar, self._start, self._replications = bar, start, replications
        self._first: tuple[float, int] | None = None  # when orders were first told of, and how many
        self._task = bar.add_task("", total=None)

    def __call__(self, progress: "Progress") -> None:
        hours, rest = divmod(int(progress.now_s), 3600)
        clock = f"{hours:02d}:{rest // 60:02d}"
        if self._start is not None:
            clock = f"{local_time(self._start, progress.now_s):%a %H:%M}"
        which = f", replication 1 of {self._replications}" if self._replications > 1 else ""
        told = f"{clock}, {self._amount(progress)}{which}"
        self._bar.update(self._task, total=progress.end_s, completed=progress.now_s, description=told)

    def _amount(self, progress: "Progress") -> str:
        """Orders so far and how many a second; facts while there are no orders."""
        if not progress.orders:
            return f"{progress.facts:,} facts"
        now = time.monotonic()
        began, before = self._first = self._first or (now, progress.orders)
        gone = now - began
        speed = f", {(progress.orders - before) / gone:,.0f} a second" if gone > 0.5 else ""
        return f"{progress.orders:,} orders{speed}"

    def done(self, count: int) -> None:
        told = f"{count + 1} of {self._replications} replications"
        self._bar.update(self._task, total=self._replications, completed=count + 1, description=told)


@contextmanager
def progress_bar(
    console: Console, *, start: datetime | None = None, quiet: bool = False, replications: int = 1
) -> Iterator[Watch]:
    """Show how far a run has come, in simulated time; silent where nobody looks on.

    Parameters
    ----------
    console
        Of the standard error, so that the result on the standard output stays clean.
    start
        The scenario's local start: the clock is shown instead of hours gone.
    quiet
        Show nothing.
    replications
        How many there are; the first one is shown in simulated time, the others are counted.
    """
    if quiet or not console.is_terminal:
        yield Watch()
        return
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Display

    columns = (
        TextColumn("simulating"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.description}"),
    )
    with Display(*columns, console=console, transient=True) as display:
        yield _Bar(display, start, replications)
