"""What an experiment found, once for the terminal and once for a page: sentences, tables, figures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table

from sim.report.canvas import Picture
from sim.report.page import REPORT, repeated, templates
from sim.report.terminal import WIDTH, text_of
from sim.vocabulary import InputError

Tone = Literal["", "met", "missed", "warned", "quiet"]
_STYLES: dict[Tone, str] = {"": "", "met": "green", "missed": "bold red", "warned": "yellow", "quiet": "dim"}


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a table's cell; `more` is put below it on the page and after it in the terminal."""

    text: str
    tone: Tone = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column; numbers are set to the right. What is `whole` is never broken, as numbers are not."""

    name: str
    number: bool = True
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Part:
    """A part with its heading: a note, a table, figures, where there are any. `page_only`: not in the terminal."""

    title: str
    note: str = ""
    grid: Grid | None = None
    pictures: Sequence[Picture] = ()
    page_only: bool = False


@dataclass(frozen=True, slots=True)
class Leaf:
    """What an experiment found.

    Attributes
    ----------
    title, lead
        What it is; what was run for it.
    answer
        Sentences that answer what was asked.
    parts
        The tables and figures behind them.
    facts
        What it rests on: name and value.
    command
        The words of the command line that repeats it.
    """

    title: str
    lead: str
    answer: Sequence[str]
    parts: Sequence[Part]
    facts: Sequence[tuple[str, str]] = ()
    command: Sequence[str] = field(default_factory=list)


def cells(*texts: str | Cell) -> list[Cell]:
    """A row of cells, plain ones as text."""
    return [text if isinstance(text, Cell) else Cell(text) for text in texts]


def print_leaf(leaf: Leaf, console: Console, folder: Path | None = None) -> None:
    """Print what was found, within 100 columns; `folder` is pointed to at the end."""
    if not console.is_terminal:
        console.width = WIDTH  # a pipe or a file has no width of its own
    plain, width = console.options.ascii_only, min(console.width, WIDTH)
    console.print()
    console.print(Group(text_of(leaf.title, plain, "bold"), text_of(leaf.lead, plain, "dim")), width=width)
    console.print()
    for sentence in leaf.answer:
        console.print(text_of(sentence, plain), width=width)
    for part in leaf.parts:
        if part.grid is None or part.page_only:
            continue
        table, left_out = _table(part.grid, plain, width)
        console.print()
        console.print(Group(text_of(part.title, plain, "bold"), Padding(table, (0, 0, 0, 1))), width=width)
        more = f"{left_out} more {'column is' if left_out == 1 else 'columns are'} on the page." if left_out else ""
        if part.note or more:
            note = f"{part.note} {more}".strip()
            console.print(Padding(text_of(note, plain, "dim"), (0, 0, 0, 1)), width=width)
    if folder is not None:
        console.print()
        console.print(text_of(f"Report  {folder / REPORT}", plain), soft_wrap=True)
        console.print(text_of(f"Files   {folder}", plain), soft_wrap=True)


def _told(cell: Cell) -> str:
    return f"{cell.text} {cell.more}" if cell.more else cell.text


def _least(grid: Grid, place: int) -> int:
    """How wide a column is at least: what is never broken as it is, words by the longest of them."""
    column = grid.columns[place]
    texts = [column.name, *(_told(row[place]) for row in grid.rows)]
    if not (column.number or column.whole or not place):
        texts = [word for text in texts for word in text.split()]
    return max(map(len, texts), default=0)


def _table(grid: Grid, plain: bool, width: int) -> tuple[Table, int]:
    """A table that fits; returns it, and how many columns of numbers, from the right, it had to leave out for that."""
    shown = list(range(len(grid.columns)))
    while sum(_least(grid, place) + 2 for place in shown) > width:
        numbers = [place for place in shown[1:] if grid.columns[place].number]
        if not numbers:
            break
        shown.remove(numbers[-1])
    table = Table(box=None, show_header=True, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for place in shown:
        column = grid.columns[place]
        # The words at the end may break; what a row is called, and numbers, never do.
        fixed = column.number or column.whole or not place
        table.add_column(column.name, justify="right" if column.number else "left", no_wrap=fixed)
    for row in grid.rows:
        table.add_row(*(text_of(_told(row[place]), plain, _STYLES[row[place].tone]) for place in shown))
    return table, len(grid.columns) - len(shown)


def write_leaf(leaf: Leaf, folder: Path) -> Path:
    """Write the page, ``report.html``, into a folder.

    Raises
    ------
    InputError
        It cannot be written to.
    """
    page = folder / REPORT
    text = templates().get_template("leaf.html.j2").render(leaf=leaf, about="About this experiment", repeated=repeated)
    try:
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{page}: expected a place that can be written to, got: {error.strerror}.") from error
    return page
