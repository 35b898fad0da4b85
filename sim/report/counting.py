"""Progress of what is counted: so many of so many done."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console


class Done(Protocol):
    """Is told how many are done, and, where there is more to say, what."""

    def __call__(self, count: int, note: str = "") -> None:
        """So many are done."""


@contextmanager
def count_bar(console: Console, what: str, total: int, *, quiet: bool) -> Iterator[Done]:
    """Show how many of a total are done; silent where nobody looks on.

    Parameters
    ----------
    console
        Of the standard error, so that the result on the standard output stays clean.
    what
        What is counted: "runs".
    """
    if quiet or not console.is_terminal:
        yield lambda count, note="": None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(bar_width=None), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as display:
        task = display.add_task(f"0 of {total:,}", total=total)

        def done(count: int, note: str = "") -> None:
            told = f"{count:,} of {total:,}{', ' if note else ''}{note}"
            display.update(task, completed=count, description=told)

        yield done
