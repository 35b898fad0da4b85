"""Drivable roads out of an OpenStreetMap extract: pyosmium filters, OSMnx gives topology and one-way rules.

OSMnx reads neither .pbf nor clipped extracts and filters no tags, so pyosmium goes first and hands it a small, complete
XML file of drivable ways only.
"""

import contextlib
import math
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import quoteattr

from sim.vocabulary import InputError
from sim.world.roadtable import RoadTable, make_table
from sim.world.speeds import parse_maxspeed

if TYPE_CHECKING:
    import networkx as nx

_TRUNKS: Final = ("motorway", "trunk", "primary", "secondary", "tertiary")
DRIVABLE: Final = frozenset(
    {*_TRUNKS, *(f"{word}_link" for word in _TRUNKS), "unclassified", "residential", "living_street", "road"}
)
"""Highway classes that are kept, those of OSMnx's ``network_type="drive"``: public streets, no service roads or tracks.
(OSMnx lists what to leave out; an unheard-of class passes there and not here.)"""

_CLOSED: Final = {
    "area": {"yes"},
    "access": {"private"},
    "motor_vehicle": {"no"},
    "motorcar": {"no"},
    "service": {"alley", "driveway", "emergency_access", "parking", "parking_aisle", "private"},
}
"""Tags that take a way out, as in OSMnx's filter for "drive"."""

_USED_TAGS: Final = ("highway", "oneway", "junction", "maxspeed", "name")


def is_drivable(tags: Mapping[str, str]) -> bool:
    """Whether a way with these tags is a public street for motor vehicles, by OSMnx's rules for ``"drive"``."""
    if tags.get("highway") not in DRIVABLE:
        return False
    return not any(tags.get(key) in values for key, values in _CLOSED.items())


def read_osm(path: Path) -> RoadTable:
    """Read the drivable roads of an OSM file: .osm, .osm.gz, .osm.bz2 or .osm.pbf.

    Ways that an extract's border has cut are kept as far as their nodes are in the file. Chains of nodes without a
    junction become one edge with a shape. Where these join ways with different tags, the edge takes the class and name
    of most of its segments and, as OSMnx does, the mean of its distinct speeds.

    Raises
    ------
    InputError
        The file cannot be read as OSM, is cut off, or holds no drivable road.
    """
    import osmium

    try:
        ways = list(_ways(path))
        position = _positions(path, {ref for refs, _ in ways for ref in refs})
    except (RuntimeError, OSError, UnicodeDecodeError, osmium.InvalidLocationError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(f"{path}: expected OpenStreetMap data, got a file that cannot be read ({reason})") from None
    runs = [(run, tags) for refs, tags in ways for run in _complete_runs(refs, position)]
    if not runs:
        raise InputError(f"{path}: expected drivable roads (ways tagged highway=residential and the like), got none")
    return roads_of(runs, position)


def roads_of(
    ways: Iterable[tuple[list[int], Mapping[str, str]]], position: Mapping[int, tuple[float, float]]
) -> RoadTable:
    """Turn ways into a simplified road network through OSMnx.

    Parameters
    ----------
    ways
        Node ids and tags of each way.
    position
        Longitude and latitude, degrees, of at least every node on a way.
    """
    import osmnx

    with tempfile.TemporaryDirectory(prefix="darkstore-") as folder:
        file = Path(folder) / "roads.osm"
        with file.open("w", encoding="utf-8") as out:
            out.writelines(_xml(list(ways), position))
        graph = osmnx.graph_from_xml(file, simplify=False, retain_all=True)
    return table_of(graph)


def table_of(graph: "nx.MultiDiGraph") -> RoadTable:
    """Simplify an unsimplified OSMnx graph and take its columns."""
    import osmnx

    for _, _, edge in graph.edges(data=True):
        tags = {key: edge[key] for key in ("length", "highway", "name", "maxspeed") if key in edge}
        edge.clear()
        edge.update(tags)
    # OSMnx would collect differing values in a set, whose order changes from process to process.
    graph = osmnx.simplify_graph(
        graph, edge_attr_aggs={"length": sum, "highway": _most_common, "name": _most_common, "maxspeed": _mean_speed}
    )
    if not len(graph.edges):
        raise InputError("expected at least one road, got none")
    nodes = list(graph.nodes(data=True))
    tails, heads, edges = zip(*graph.edges(data=True), strict=True)
    inner = [list(edge["geometry"].coords)[1:-1] if "geometry" in edge else [] for edge in edges]
    return make_table(
        node_id=[node for node, _ in nodes],
        lon=[data["x"] for _, data in nodes],
        lat=[data["y"] for _, data in nodes],
        tail_id=tails,
        head_id=heads,
        length_m=[edge["length"] for edge in edges],
        highway=[str(edge.get("highway", "")) for edge in edges],
        maxspeed_kmh=[_mean_speed([edge["maxspeed"]]) if "maxspeed" in edge else math.nan for edge in edges],
        name=[str(edge.get("name", "")) for edge in edges],
        shape_points=[len(points) for points in inner],
        shape_lon=[x for points in inner for x, _ in points],
        shape_lat=[y for points in inner for _, y in points],
    )


def _ways(path: Path) -> Iterator[tuple[list[int], dict[str, str]]]:
    import osmium

    processor = osmium.FileProcessor(str(path), osmium.osm.WAY)
    for way in processor.with_filter(osmium.filter.KeyFilter("highway")):
        tags = {tag.k: tag.v for tag in way.tags}
        if isinstance(way, osmium.osm.Way) and is_drivable(tags):
            yield [node.ref for node in way.nodes], {key: tags[key] for key in _USED_TAGS if key in tags}


def _positions(path: Path, wanted: set[int]) -> dict[int, tuple[float, float]]:
    import osmium

    nodes = osmium.FileProcessor(str(path), osmium.osm.NODE)
    # Editors and some clippers give new nodes negative ids, which pyosmium's fast filter does not take.
    if wanted and min(wanted) >= 0:
        nodes = nodes.with_filter(osmium.filter.IdFilter(wanted))
    position = {}
    for node in nodes:
        # A location off the globe counts as missing: `valid` itself may refuse to be asked about it.
        if isinstance(node, osmium.osm.Node) and node.id in wanted:
            with contextlib.suppress(osmium.InvalidLocationError):
                if node.location.valid():
                    position[node.id] = (node.location.lon, node.location.lat)
    return position


def _complete_runs(refs: list[int], position: Mapping[int, tuple[float, float]]) -> Iterator[list[int]]:
    """Stretches of a way, of two nodes or more, whose nodes are all in the file."""
    run: list[int] = []
    for ref in refs:
        if ref in position:
            run.append(ref)
            continue
        if len(run) > 1:
            yield run
        run = []
    if len(run) > 1:
        yield run


def _xml(ways: list[tuple[list[int], Mapping[str, str]]], position: Mapping[int, tuple[float, float]]) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>\n<osm version="0.6">\n'
    for node in sorted({ref for refs, _ in ways for ref in refs}):
        lon, lat = position[node]
        yield f'<node id="{node}" lat="{lat:.7f}" lon="{lon:.7f}"/>\n'
    for number, (refs, tags) in enumerate(ways, start=1):
        inside = "".join(f'<nd ref="{ref}"/>' for ref in refs)  # codespell:ignore nd
        inside += "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items())
        yield f'<way id="{number}">{inside}</way>\n'
    yield "</osm>\n"


def _most_common(values: list[str]) -> str:
    count = Counter(values)
    return min(count, key=lambda word: (-count[word], word))


def _mean_speed(values: list[Any]) -> float:
    known = sorted(s for s in {parse_maxspeed(str(value)) for value in values} if not math.isnan(s))
    return sum(known) / len(known) if known else math.nan
