"""The menu of policies as a table."""

from typing import Any

from rich.console import Console
from rich.table import Table

from sim.contracts import FAMILIES
from sim.menu import describe, menu
from sim.vocabulary import InputError


def menu_rows(family: str | None = None) -> list[dict[str, Any]]:
    """One row per policy: family, name, what it does, parameters with defaults."""
    rows = []
    for each, entries in menu().items():
        for name, entry in entries.items() if family in (None, each) else ():
            try:
                doc, parameters = describe(entry.load())
            except Exception as error:
                raise InputError(f"{entry.value}: the plug-in could not be loaded: {error}") from error
            rows.append(
                {"family": each, "name": name, "does": doc, "parameters": {k: _plain(v) for k, v in parameters}}
            )
    return rows


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str | bool | list | tuple | type(None)) else "required"


def print_menu(rows: list[dict[str, Any]], console: Console) -> None:
    """Print the menu, family by family."""
    for family in dict.fromkeys(row["family"] for row in rows):
        console.print(f"[bold]{family}[/bold]: {FAMILIES[family]}")
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2))
        for row in rows:
            if row["family"] == family:
                parameters = ", ".join(f"{name}={value!r}" for name, value in row["parameters"].items())
                table.add_row(f"  {row['name']}({parameters})", row["does"])
        console.print(table)
