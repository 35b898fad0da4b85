"""The menu of policies as a table."""

import inspect
import re
from typing import Any, Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sim.contracts import FAMILIES
from sim.menu import describe, menu
from sim.report.terminal import text_of
from sim.vocabulary import InputError

_YEAR: Final = re.compile(r"\b(?:18|19|20)\d\d\b|\bed\.")
_BRACKETS: Final = re.compile(r"\(((?:[^()]|\([^()]*\))*)\)")
_SENTENCE: Final = re.compile(r"(?<=[a-z0-9)*:])\.(?=\s+[A-Z`\"*-])|\n\n")


def menu_rows(family: str | None = None) -> list[dict[str, Any]]:
    """One row per policy: family, name, what it does, parameters with defaults, its source, and all that is said of it."""
    rows = []
    for each, entries in menu().items():
        for name, entry in entries.items() if family in (None, each) else ():
            try:
                loaded = entry.load()
                doc, parameters = describe(loaded)
            except Exception as error:
                raise InputError(f"{entry.value}: the plug-in could not be loaded: {error}") from error
            whole = inspect.getdoc(loaded) or ""
            rows.append(
                {
                    "family": each, "name": name, "does": doc, "parameters": {k: _plain(v) for k, v in parameters},
                    "source": source(whole), "about": whole,
                }
            )  # fmt: skip
    return rows


def source(doc: str) -> str:
    """Where a policy comes from, by its docstring: what it cites, else whether its figures are judgement, else none.

    A citation is what stands in brackets, or the sentence, around a year or an edition.
    """
    cited = []
    for sentence in map(_flat, _SENTENCE.split(doc)):
        if not _YEAR.search(sentence):
            continue
        within = [found for found in _BRACKETS.findall(sentence) if _YEAR.search(found)]
        named = [found for found in within if re.search(r"[A-Za-z]{3}", found)]
        if " after " in sentence:
            cited.append(sentence.partition(" after ")[2])
        elif named and len(named) == len(within):
            cited += named
        else:
            cited.append(sentence)
    if cited:
        return "; ".join(dict.fromkeys(each.strip(" .,") for each in cited))
    return "judgement" if re.search(r"\bjudgements?\b", doc) else "a plain rule"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str | bool | list | tuple | type(None)) else "required"


def print_menu(rows: list[dict[str, Any]], console: Console, *, whole: bool = False) -> None:
    """Print the menu, family by family; `whole`: with all that is said of each policy and its parameters."""
    plain = console.options.ascii_only
    for family in dict.fromkeys(row["family"] for row in rows):
        console.print(f"[bold]{family}[/bold]: {FAMILIES[family]}")
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2))
        for row in rows:
            if row["family"] != family:
                continue
            parameters = ", ".join(f"{name}={value!r}" for name, value in row["parameters"].items())
            head, origin = f"{row['name']}({parameters})", text_of(f"Source: {row['source']}.", plain, "dim")
            if whole:
                said = [
                    Text(head, "bold"),
                    *(text_of(_flat(part), plain) for part in row["about"].split("\n\n")),
                    origin,
                ]
                for place, part in enumerate(said):
                    console.print(Padding(part, (1 if not place else 0, 0, 0, 2 if not place else 4)))
            else:
                table.add_row(f"  {head}", row["does"])
                table.add_row("", origin)
        if not whole:
            console.print(table)
