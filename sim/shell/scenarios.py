"""``darkstore scenario``: list, show, validate, describe as JSON Schema, begin a new one."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sim.vocabulary import InputError

scenario_app = typer.Typer(
    help="List scenarios, show each key with its source, validate, begin a new one.", no_args_is_help=True
)

Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Override a key; may be given often.")
]


@scenario_app.command("list")
def list_command(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the shipped scenarios."""
    from sim.scenario import load
    from sim.scenario.loading import shipped_scenarios

    found = {name: load(name) for name in shipped_scenarios()}
    if as_json:
        typer.echo(json.dumps({name: scenario.description for name, scenario in found.items()}, indent=1))
        return
    table = Table("scenario", "map", "orders a day", "what it is", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    for name, scenario in found.items():
        city = scenario.map if isinstance(scenario.map, str) else "plain"
        table.add_row(name, city, f"{scenario.demand.orders_per_day:,.0f}", scenario.description)
    _console().print(table)


@scenario_app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="A shipped scenario's name, or a file.")],
    setting: Set = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the resolved scenario as JSON.")] = False,
) -> None:
    """Show every key of a scenario with its value and where the value comes from."""
    from sim.scenario import load
    from sim.scenario.loading import resolved
    from sim.scenario.sources import rows

    scenario = load(name, setting or ())
    if as_json:
        typer.echo(json.dumps(resolved(scenario), indent=1))
        return
    table = Table("key", "value", "source", box=None, pad_edge=False)
    for row in rows(scenario):
        table.add_row(row.path, row.value, row.source)
    _console().print(table)


@scenario_app.command("validate")
def validate_command(
    file: Annotated[str, typer.Argument(help="A scenario file or name.")],
    setting: Set = None,
    allow_code: Annotated[
        bool, typer.Option("--allow-code", help="Let the file load policies from Python files.")
    ] = False,
) -> None:
    """Check a scenario, the map, files and policies it names included."""
    from sim.engine import policies_of, rehearse
    from sim.opening import ready_world, taught
    from sim.scenario import load
    from sim.shell.errors import note_unheard
    from sim.world.build import build_world

    scenario = load(file, setting or ())
    note_unheard(scenario)
    policies = policies_of(scenario, allow_code=allow_code)
    # The days before the start need not be played to know that they can be.
    world = taught(build_world(scenario)) if scenario.stores.opening is None else ready_world(scenario)
    rehearse(world, policies)
    size = f"{world.stores} stores, {len(world.drivers)} drivers, {world.trace.customers:,} customers"
    if scenario.mode == "goods_only":
        size = f"{world.stores} stores, goods only, {world.daily_demand.sum():,.0f} units wanted on a normal day"
    typer.echo(f"{file}: valid; {size} on {world.geography.name}.")


@scenario_app.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of a scenario, for editors."""
    from sim.scenario.sources import json_schema

    typer.echo(json.dumps(json_schema(), indent=1))


@scenario_app.command("new")
def new_command(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a small commented scenario to start from."""
    from sim.scenario.sources import STARTER

    if file.exists() and not force:
        raise InputError(f"{file}: exists already; --force replaces it.")
    try:
        file.write_text(STARTER.format(name=_name(file.stem)), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file}: expected a place that can be written to, got: {error.strerror}.") from error
    typer.echo(f"Wrote {file}. Run it: darkstore run {file}")


def _name(stem: str) -> str:
    """A scenario's name from a file's: letters, digits, dots, dashes."""
    name = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in stem).lstrip("._-")
    return name or "mine"


def _console() -> Console:
    import sys

    # A pipe has no width: give long tables room instead of cutting them at 80 columns.
    return Console(width=None if sys.stdout.isatty() else 100, soft_wrap=not sys.stdout.isatty())
