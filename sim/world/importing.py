"""Bringing one's own city: an OpenStreetMap extract, an OSMnx graph or a place name becomes a map of the registry."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from sim.shipped import shipped_root, user_cache_dir, user_data_dir
from sim.vocabulary import InputError
from sim.world.graphml import read_graphml, write_graphml
from sim.world.osm import DRIVABLE, read_osm, table_of
from sim.world.roadtable import RoadTable

OSM_SUFFIXES: Final = (".osm", ".osm.gz", ".osm.bz2", ".osm.pbf")
GRAPHML_SUFFIXES: Final = (".graphml", ".graphml.gz")
MAP_SUFFIX: Final = ".graphml.gz"

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ON_WHEELS: Final = DRIVABLE | {"service"}
"""Classes kept from a GraphML: whoever asked OSMnx for "drive_service" meant it; footways are no roads for us."""

_PREFLIGHT_S: Final = 10.0
_QUERY_S: Final = 180
"""How long to wait for an answer to "are you there" and to a query, seconds; the latter is OSMnx's default."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import kept and dropped; edges are directed, so a two-way street counts twice, in km as well.

    `speed_share` is the share of kept edges with a tagged speed, `components` the number of strongly connected
    components before all but the largest were dropped, `bbox` west, south, east, north of what was kept, degrees.
    """

    name: str
    source: str
    path: Path
    nodes: int
    edges: int
    km: float
    nodes_dropped: int
    edges_dropped: int
    km_dropped: float
    speed_share: float
    components: int
    bbox: tuple[float, float, float, float]


def user_maps_dir() -> Path:
    """Folder of the maps the user has imported; it need not exist yet."""
    return user_data_dir() / "maps"


def import_map(
    file: str | Path, name: str | None = None, *, into: Path | None = None, force: bool = False
) -> ImportReport:
    """Make a map of a file and keep it under a name.

    Of an OSM file the public streets are kept (see `sim.world.osm`), of a GraphML the classes that carry motor traffic;
    of these the largest strongly connected component, so that every address can be reached and left.

    Parameters
    ----------
    file
        .osm, .osm.gz, .osm.bz2, .osm.pbf, .graphml or .graphml.gz.
    name
        Name to keep it under; the file's own without its suffix if not given.
    into
        Folder to write to; the user's maps folder if not given.
    force
        Whether to replace a map of that name.

    Raises
    ------
    InputError
        The file is missing, not what its suffix says, cut off, or without roads; the name is taken or no name; the
        folder cannot be written. Nothing is written then.
    """
    path = Path(file)
    lower = path.name.lower()
    suffix = next((s for s in (*OSM_SUFFIXES, *GRAPHML_SUFFIXES) if lower.endswith(s)), None)
    if not path.exists():
        raise InputError(f"{path}: expected a map file, got no such file")
    if path.is_dir():
        raise InputError(f"{path}: expected a map file, got a folder")
    if suffix is None:
        known = ", ".join((*OSM_SUFFIXES, *GRAPHML_SUFFIXES))
        raise InputError(f"{path}: expected a map file ({known}), got {path.suffix or 'a file without a suffix'}")
    target = _target(path.name[: -len(suffix)] if name is None else name, into, force)
    with _naming(str(path), target):
        table = read_osm(path) if suffix in OSM_SUFFIXES else read_graphml(path)
        return _keep(table, str(path), target)


def fetch_map(place: str, name: str | None = None, *, into: Path | None = None, force: bool = False) -> ImportReport:
    """Ask OpenStreetMap for the streets of a place, through OSMnx, Nominatim and Overpass, and keep them under a name.

    Answers are cached in the user's cache folder.

    Parameters
    ----------
    place
        What Nominatim knows as an area, for instance ``"Delft, Netherlands"``.
    name, into, force
        As for `import_map`; the name is the place's up to its first comma if not given.

    Raises
    ------
    InputError
        No network, no such place, no streets there, or what `import_map` says of names and folders. Nothing is written.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", place.split(",")[0].lower()).strip("-")
    target = _target(plain if name is None else name, into, force)
    import requests

    with _osmnx_settings():
        import osmnx
        from osmnx import settings

        try:
            # OSMnx waits minutes for a server it cannot reach; this asks first.
            requests.get(settings.nominatim_url, timeout=_PREFLIGHT_S, headers={"User-Agent": settings.http_user_agent})
            graph = osmnx.graph_from_place(place, network_type="drive", simplify=False, retain_all=True)
        except requests.RequestException as error:
            raise InputError(
                f"map fetch {place!r}: expected to reach OpenStreetMap's servers, got {type(error).__name__} "
                f"(offline? download an extract elsewhere and use: darkstore map import FILE)"
            ) from None
        except (ValueError, TypeError, OSError, KeyError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(f"map fetch {place!r}: expected a place with streets, got: {reason}") from None
        with _naming(place, target):
            return _keep(table_of(graph), place, target)


@contextmanager
def _naming(source: str, target: Path) -> Iterator[None]:
    """Put the source before a complaint that does not yet say whose it is."""
    try:
        yield
    except InputError as error:
        named = str(error).startswith((source, str(target)))
        raise InputError(str(error) if named else f"{source}: {error}") from None


def _target(name: str, into: Path | None, force: bool) -> Path:
    """Where the map of this name goes, checked before any work is done."""
    if not _NAME.fullmatch(name):
        raise InputError(f"--name: expected letters, digits, '.', '-' or '_' (at most 64), got {name!r}")
    folder = user_maps_dir() if into is None else into
    target = folder / f"{name}{MAP_SUFFIX}"
    if into is None and (shipped_root() / "maps" / target.name).exists():
        raise InputError(f"--name: expected a name that is free, got {name!r}, which is a shipped map")
    if target.exists() and not force:
        raise InputError(f"{target}: expected a name that is free, got an existing map (--force replaces it)")
    standing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not standing.is_dir() or not os.access(standing, os.W_OK):
        raise InputError(f"{folder}: expected a folder that can be written, got none")
    return target


def _keep(table: RoadTable, source: str, target: Path) -> ImportReport:
    """Drop what is no road or cannot be reached and left, write the rest."""
    on_wheels = np.array([word in _ON_WHEELS for word in table.classes])[table.highway]
    on_road = np.zeros(table.nodes, dtype=np.bool_)
    on_road[table.tail[on_wheels]] = on_road[table.head[on_wheels]] = True
    roads = table.subset(on_road, on_wheels)
    kept = roads.largest_scc()
    write_graphml(kept, target)
    return ImportReport(
        name=target.name.removesuffix(MAP_SUFFIX),
        source=source,
        path=target,
        nodes=kept.nodes,
        edges=kept.edges,
        km=kept.km,
        nodes_dropped=table.nodes - kept.nodes,
        edges_dropped=table.edges - kept.edges,
        km_dropped=table.km - kept.km,
        speed_share=kept.speed_share,
        components=int(roads.components().max()) + 1,
        bbox=kept.bbox,
    )


@contextmanager
def _osmnx_settings() -> Iterator[None]:
    """Keep OSMnx's cache out of the working folder and its name look-ups away from third parties, for the while."""
    from osmnx import settings

    wanted = {
        "use_cache": True,
        "cache_folder": user_cache_dir() / "osmnx",
        "requests_timeout": _QUERY_S,
        "doh_url_template": None,
    }
    before = {key: getattr(settings, key) for key in wanted}
    try:
        for key, value in wanted.items():
            setattr(settings, key, value)
        yield
    finally:
        for key, value in before.items():
            setattr(settings, key, value)
