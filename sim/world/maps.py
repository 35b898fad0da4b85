"""The registry of maps: those that are shipped, those the user imported, and what can be said or drawn of one."""

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from sim.shipped import shipped_root
from sim.vocabulary import InputError
from sim.world.graphml import read_graphml
from sim.world.importing import GRAPHML_SUFFIXES, MAP_SUFFIX, OSM_SUFFIXES, user_maps_dir
from sim.world.zones import ZONES_SUFFIX, Zones, area_km2, node_weights, read_zones

__all__ = [
    "MapEntry",
    "MapFacts",
    "Zones",
    "draw_map",
    "find_map",
    "list_maps",
    "map_facts",
    "map_name",
    "node_weights",
    "shipped_dir",
    "zones_of",
]

ATTRIBUTION: Final = "© OpenStreetMap contributors, ODbL"

_WIDTHS: Final = (("motorway", 1.6), ("trunk", 1.4), ("primary", 1.1), ("secondary", 0.9), ("tertiary", 0.7))
_THIN: Final = 0.35
"""Line widths by class, points; everything else is thin."""


@dataclass(frozen=True, slots=True)
class MapEntry:
    """One line of the registry."""

    name: str
    origin: Literal["shipped", "imported"]
    path: Path


@dataclass(frozen=True, slots=True)
class MapFacts:
    """What can be said of a map without simulating on it.

    Edges are directed: a two-way street counts twice, in `km` and `km_by_class` as well. `speed_share` is the share of
    edges with a tagged speed, `named_share` of those with a name, `bbox` west, south, east, north in degrees. `zones`
    and `population` are 0 where the map has no population zones.
    """

    name: str
    path: Path
    size_bytes: int
    nodes: int
    edges: int
    km: float
    speed_share: float
    named_share: float
    bbox: tuple[float, float, float, float]
    km_by_class: dict[str, float]
    zones: int
    population: float


def shipped_dir() -> Path:
    """Folder of the shipped maps, in a checkout or in an installed wheel."""
    return shipped_root() / "maps"


def list_maps() -> list[MapEntry]:
    """All maps that can be called by name: shipped ones first, each group by name."""
    entries: dict[str, MapEntry] = {}
    folders: tuple[tuple[Literal["shipped", "imported"], Path], ...] = (
        ("shipped", shipped_dir()),
        ("imported", user_maps_dir()),
    )
    for origin, folder in folders:
        for path in sorted(folder.glob(f"*{MAP_SUFFIX}")):
            entries.setdefault(map_name(path), MapEntry(map_name(path), origin, path))
    return list(entries.values())


def map_name(path: Path) -> str:
    """Name of a map file: its file name without the suffix."""
    return next((path.name[: -len(s)] for s in reversed(GRAPHML_SUFFIXES) if path.name.endswith(s)), path.name)


def find_map(name_or_file: str | Path, relative_to: Path | None = None) -> Path:
    """Find a map by name or by file.

    What ends in .graphml or .graphml.gz or contains a slash is a file; anything else a name.

    Parameters
    ----------
    name_or_file
        A shipped map's name, an imported map's name, or a GraphML file.
    relative_to
        Folder that a relative file is looked up in, such as the scenario's; the working folder if not given.

    Returns
    -------
    Path
        An existing GraphML file.

    Raises
    ------
    InputError
        No map of that name (known ones are listed), no such file, or a file that has to be imported first.
    """
    text = os.fspath(name_or_file)
    known = {entry.name: entry.path for entry in list_maps()}
    if text in known:
        return known[text]
    path = Path(text).expanduser()
    if relative_to is not None:
        path = relative_to / path
    if text.lower().endswith(OSM_SUFFIXES):
        raise InputError(f"map {text}: expected a map, got raw OpenStreetMap data; first: darkstore map import {text}")
    if text.lower().endswith(GRAPHML_SUFFIXES):
        if not path.is_file():
            raise InputError(f"map {path}: expected a GraphML file, got no such file")
        return path
    if os.sep in text or "/" in text or path.is_file():
        raise InputError(f"map {text}: expected a file ending in .graphml or .graphml.gz, or the name of a map")
    close = difflib.get_close_matches(text, known, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    raise InputError(f"map {text!r}: expected one of {', '.join(known) or 'no maps at all'}, got an unknown name{hint}")


def zones_of(path: Path) -> Zones | None:
    """Population zones beside a map file, ``<name>.zones.geojson.gz``; None where there are none.

    Raises
    ------
    InputError
        The file is there but holds no zones.
    """
    beside = path.with_name(map_name(path) + ZONES_SUFFIX)
    return read_zones(beside) if beside.is_file() else None


def map_facts(path: Path) -> MapFacts:
    """Read a map and describe it.

    Raises
    ------
    InputError
        The map or its zones cannot be read.
    """
    table, zones = read_graphml(path), zones_of(path)
    km = np.bincount(table.highway, weights=table.length_m, minlength=len(table.classes)) / 1000.0
    longest_first = sorted(zip(table.classes, km.tolist(), strict=True), key=lambda item: (-item[1], item[0]))
    return MapFacts(
        name=map_name(path),
        path=path,
        size_bytes=path.stat().st_size,
        nodes=table.nodes,
        edges=table.edges,
        km=table.km,
        speed_share=table.speed_share,
        named_share=float((table.name >= 0).mean()),
        bbox=table.bbox,
        km_by_class=dict(longest_first),
        zones=0 if zones is None else len(zones.population),
        population=0.0 if zones is None else float(zones.population.sum()),
    )


def draw_map(path: Path, png: Path) -> None:
    """Draw a map's roads by class, over its population density where known, as a PNG.

    Raises
    ------
    InputError
        The map cannot be read or the picture not written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import LineCollection, PathCollection
    from matplotlib.figure import Figure
    from matplotlib.path import Path as Path2D

    table, zones = read_graphml(path), zones_of(path)
    west, south, east, north = table.bbox
    stretch = 1.0 / np.cos(np.radians((south + north) / 2.0))
    tall = stretch * (north - south) / max(east - west, 1e-9)
    figure = Figure(figsize=(9.0, float(np.clip(9.0 * tall, 4.0, 16.0))), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    if zones is not None:
        areas = [Path2D.make_compound_path(*map(Path2D, rings)) for rings in zones.rings]
        size_km2 = np.array([area_km2(rings) for rings in zones.rings])
        density = zones.population / np.maximum(size_km2, 1e-6)
        shades = PathCollection(areas, array=density, cmap="Blues", alpha=0.6, linewidths=0.0)
        axes.add_collection(shades)
        figure.colorbar(shades, ax=axes, shrink=0.5, label="people per km²")
    x, y = table.lon, table.lat
    lines = []
    for e in range(table.edges):
        a, b = table.tail[e], table.head[e]
        inner = slice(table.shape_start[e], table.shape_start[e + 1])
        xs = np.concatenate(([x[a]], table.shape_lon[inner], [x[b]]))
        ys = np.concatenate(([y[a]], table.shape_lat[inner], [y[b]]))
        lines.append(np.column_stack((xs, ys)))
    width = {word: next((w for stem, w in _WIDTHS if word.startswith(stem)), _THIN) for word in table.classes}
    widths = np.array([width[word] for word in table.classes])[table.highway]
    axes.add_collection(LineCollection(lines, linewidths=widths, colors="#333333", capstyle="round"))
    pad = 0.01 * max(east - west, north - south)
    axes.set(xlim=(west - pad, east + pad), ylim=(south - pad, north + pad), aspect=stretch, xticks=[], yticks=[])
    axes.set_title(f"{map_name(path)}: {table.nodes:,} nodes, {table.edges:,} edges, {table.km:,.0f} km")
    axes.text(0.995, 0.005, ATTRIBUTION, transform=axes.transAxes, ha="right", va="bottom", fontsize=7)
    try:
        png.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(png, format="png", bbox_inches="tight")
    except OSError as error:
        raise InputError(f"{png}: expected a place to write the picture to, got {error.strerror or error}") from None
