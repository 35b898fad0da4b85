"""``darkstore map``: list the maps, show one, bring one's own."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from sim.world.importing import ImportReport

map_app = typer.Typer(help="List the maps of cities, show one, import or fetch your own.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Name = Annotated[str | None, typer.Option("--name", help="Name to keep the map under.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a map of that name.")]


@map_app.command("list")
def list_command(as_json: Json = False) -> None:
    """List the maps that a scenario can name."""
    from sim.world.maps import list_maps

    entries = list_maps()
    if as_json:
        _print_json([asdict(entry) for entry in entries])
        return
    table = Table("map", "origin", "size", "file", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    for entry in entries:
        table.add_row(entry.name, entry.origin, _size(entry.path.stat().st_size), entry.path.name)
    _console().print(table)


@map_app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="A map's name, or a GraphML file.")],
    png: Annotated[Path | None, typer.Option("--png", help="Draw the map into this file.")] = None,
    as_json: Json = False,
) -> None:
    """Show what a map holds, and draw it."""
    from sim.world.maps import draw_map, find_map, map_facts

    path = find_map(name)
    facts = map_facts(path)
    if png is not None:
        draw_map(path, png)
    if as_json:
        _print_json({**asdict(facts), "png": png})
        return
    rows = [
        ("file", f"{path} ({_size(facts.size_bytes)})"),
        ("network", f"{facts.nodes:,} nodes, {facts.edges:,} directed edges, {facts.km:,.0f} km"),
        ("tagged speed", f"{facts.speed_share:.0%} of the edges, the rest by class"),
        ("named", f"{facts.named_share:.0%} of the edges"),
        ("extent", _extent(facts.bbox)),
        ("people", f"{facts.population:,.0f} in {facts.zones} zones" if facts.zones else "no population zones"),
        ("km by class", ", ".join(f"{word} {km:,.0f}" for word, km in facts.km_by_class.items())),
    ]
    if png is not None:
        rows.append(("drawn to", str(png)))
    _print_rows(facts.name, rows)


@map_app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help=".osm, .osm.gz, .osm.bz2, .osm.pbf, .graphml or .graphml.gz")],
    name: Name = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Import a city from an OpenStreetMap extract or an OSMnx graph."""
    from sim.world.importing import import_map

    _print_report(import_map(file, name, force=force), as_json)


@map_app.command("fetch")
def fetch_command(
    place: Annotated[str, typer.Argument(help='A place as OpenStreetMap knows it, for instance "Delft, Netherlands".')],
    name: Name = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Fetch a city from OpenStreetMap's servers; needs the network."""
    from sim.world.importing import fetch_map

    _print_report(fetch_map(place, name, force=force), as_json)


def _print_report(report: "ImportReport", as_json: bool) -> None:
    if as_json:
        _print_json(asdict(report))
        return
    rows = [
        ("from", report.source),
        ("kept", f"{report.nodes:,} nodes, {report.edges:,} directed edges, {report.km:,.1f} km"),
        ("dropped", f"{report.nodes_dropped:,} nodes, {report.edges_dropped:,} edges, {report.km_dropped:,.1f} km"),
        ("components", f"{report.components:,} (the largest is kept, so every node reaches every other)"),
        ("tagged speed", f"{report.speed_share:.0%} of the edges, the rest by class"),
        ("extent", _extent(report.bbox)),
        ("written to", str(report.path)),
        ("use it", f"map: {report.name}"),
    ]
    _print_rows(report.name, rows)


def _print_rows(title: str, rows: list[tuple[str, str]]) -> None:
    table = Table(title=Text(title, style="bold"), title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(Text(label), Text(value))
    _console().print(table)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def _console() -> Console:
    console = Console()
    return Console(width=min(console.width, 100) if console.is_terminal else 100)


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"


def _extent(bbox: tuple[float, float, float, float]) -> str:
    west, south, east, north = bbox
    return f"longitude {west:.4f} to {east:.4f}, latitude {south:.4f} to {north:.4f}"
