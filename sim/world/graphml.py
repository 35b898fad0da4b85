"""Reading and writing road networks as OSMnx's GraphML, fast and without OSMnx.

The reader streams the XML through expat, so that a city of 34,000 edges is there in about a second; OSMnx with networkx
takes ten times as long. The writer keeps files small and reproducible: 6 decimals of a degree for nodes (0.1 m), 5 for
the points of a road's shape (1 m), lengths to 0.1 m, and a gzip header without a clock.
"""

import gzip
import math
import os
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final
from xml.parsers import expat
from xml.sax.saxutils import escape

from sim.vocabulary import InputError
from sim.world.roadtable import RoadTable, make_table
from sim.world.speeds import parse_maxspeed, split_list

_NODE_FIELDS: Final = frozenset({"x", "y"})
_EDGE_FIELDS: Final = frozenset({"length", "highway", "maxspeed", "name", "geometry"})
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ILLEGAL: Final = {code: None for code in range(32) if code not in (9, 10, 13)}
"""Control characters, which XML 1.0 cannot carry."""

_HEADER: Final = """<?xml version="1.0" encoding="utf-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="c" for="graph" attr.name="crs" attr.type="string"/>
<key id="s" for="graph" attr.name="simplified" attr.type="string"/>
<key id="x" for="node" attr.name="x" attr.type="string"/>
<key id="y" for="node" attr.name="y" attr.type="string"/>
<key id="l" for="edge" attr.name="length" attr.type="string"/>
<key id="h" for="edge" attr.name="highway" attr.type="string"/>
<key id="m" for="edge" attr.name="maxspeed" attr.type="string"/>
<key id="n" for="edge" attr.name="name" attr.type="string"/>
<key id="g" for="edge" attr.name="geometry" attr.type="string"/>
<graph edgedefault="directed">
<data key="c">epsg:4326</data>
<data key="s">True</data>
"""


def read_graphml(path: Path) -> RoadTable:
    """Read an OSMnx GraphML file, plain or gzipped.

    Where OSMnx merged ways, an edge takes the first of its classes and names and the mean of its speeds, as OSMnx's own
    ``add_edge_speeds`` does. An undirected graph becomes one edge each way.

    Parameters
    ----------
    path
        The file; whether it is gzipped is seen from its first bytes.

    Returns
    -------
    RoadTable
        All nodes and edges of the file.

    Raises
    ------
    InputError
        The file cannot be read, is no GraphML, is cut off, or holds no usable road network.
    """
    reader = _Reader()
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            if zipped:
                with gzip.open(raw) as unzipped:
                    reader.parse(unzipped)
            else:
                reader.parse(raw)
        return reader.table()
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"{path}: expected a whole gzip file, got one that is cut off or damaged") from None
    except expat.ExpatError as error:
        raise InputError(f"{path}:{error.lineno}:{error.offset + 1}: expected GraphML, got {_plain(error)}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except OSError as error:
        raise InputError(f"{path}: expected a readable map file, got {error.strerror or error}") from None


def write_graphml(table: RoadTable, path: Path) -> None:
    """Write a map as gzipped GraphML that ``osmnx.load_graphml`` reads once unzipped; same table, same bytes.

    The file appears whole or not at all: it is written beside its place and then moved there.

    Parameters
    ----------
    table
        The road network.
    path
        Where to; its folder is made if it is missing.

    Raises
    ------
    InputError
        The place cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with beside.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as zipped:
                for text in _lines(table):
                    zipped.write(text.encode("utf-8"))
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: expected a place to write the map to, got {error.strerror or error}") from None


class _Reader:
    """Collects columns while expat calls: the values of one node or edge at a time, appended when it closes."""

    def __init__(self) -> None:
        self.node_id, self.lon, self.lat = array("q"), array("d"), array("d")
        self.tail, self.head, self.length, self.speed = array("q"), array("q"), array("d"), array("d")
        self.highway: list[str] = []
        self.name: list[str] = []
        self.points, self.shape_lon, self.shape_lat = array("q"), array("d"), array("d")
        self.undirected = False

    def parse(self, file: IO[bytes] | gzip.GzipFile) -> None:
        """Stream a file through expat."""
        fields: dict[str, str] = {}
        values: dict[str, str] = {}
        seen_root = False
        field = ""
        text: list[str] = []
        node = edge = ("", "")

        def start(tag: str, attrs: dict[str, str]) -> None:
            nonlocal field, node, edge, seen_root
            if tag == "data":
                field = fields.get(attrs.get("key", ""), "")
                if field:
                    parser.CharacterDataHandler = text.append
            elif tag == "edge":
                edge = attrs.get("source", ""), attrs.get("target", "")
                values.clear()
            elif tag == "node":
                node = attrs.get("id", ""), ""
                values.clear()
            elif tag == "key":
                wanted = {"node": _NODE_FIELDS, "edge": _EDGE_FIELDS}.get(attrs.get("for", ""), frozenset())
                if attrs.get("attr.name") in wanted:
                    fields[attrs["id"]] = attrs["attr.name"]
            elif tag == "graph":
                self.undirected = attrs.get("edgedefault") == "undirected"
            elif not seen_root and tag != "graphml":
                raise InputError(f"expected GraphML, got XML that begins with <{tag}>")
            seen_root = True

        def end(tag: str) -> None:
            nonlocal field
            if tag == "data":
                if field:
                    parser.CharacterDataHandler = None
                    values[field] = "".join(text)
                    text.clear()
                    field = ""
            elif tag == "edge":
                self.add_edge(edge[0], edge[1], values)
            elif tag == "node":
                self.add_node(node[0], values)

        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.buffer_size = 1 << 16
        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.ParseFile(file)

    def add_node(self, node: str, values: dict[str, str]) -> None:
        """Append one node."""
        self.node_id.append(_integer(node, "a node"))
        self.lon.append(_number(values, "x", f"node {node}"))
        self.lat.append(_number(values, "y", f"node {node}"))

    def add_edge(self, tail: str, head: str, values: dict[str, str]) -> None:
        """Append one edge."""
        self.tail.append(_integer(tail, "the end of a road"))
        self.head.append(_integer(head, "the end of a road"))
        self.length.append(_number(values, "length", f"road {tail} -> {head}"))
        speed = values.get("maxspeed")
        self.speed.append(parse_maxspeed(speed) if speed else math.nan)
        self.highway.append(split_list(values.get("highway", ""))[0])
        self.name.append(split_list(values.get("name", ""))[0])
        shape = values.get("geometry")
        flat = _inner_points(shape) if shape else []
        self.points.append(len(flat) // 2)
        self.shape_lon.extend(flat[::2])
        self.shape_lat.extend(flat[1::2])

    def table(self) -> RoadTable:
        """Assemble the table."""
        if self.undirected:
            self._add_reverse()
        return make_table(
            node_id=self.node_id,
            lon=self.lon,
            lat=self.lat,
            tail_id=self.tail,
            head_id=self.head,
            length_m=self.length,
            highway=self.highway,
            maxspeed_kmh=self.speed,
            name=self.name,
            shape_points=self.points,
            shape_lon=self.shape_lon,
            shape_lat=self.shape_lat,
        )

    def _add_reverse(self) -> None:
        tail, head = self.tail, self.head
        self.tail, self.head = tail + head, head + tail
        for column in (self.length, self.speed, self.highway, self.name):
            column.extend(column[:])  # type: ignore[arg-type]
        at = 0
        lon, lat = self.shape_lon[:], self.shape_lat[:]
        for points in self.points:
            self.shape_lon.extend(lon[at : at + points][::-1])
            self.shape_lat.extend(lat[at : at + points][::-1])
            at += points
        self.points.extend(self.points[:])


def _integer(text: str, what: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 1 << 63
    if not -(1 << 63) <= value < 1 << 63:
        raise InputError(f"expected OSMnx's whole-number ids, got {text!r} as {what}")
    return value


def _number(values: dict[str, str], field: str, place: str) -> float:
    text = values.get(field)
    if text is None:
        raise InputError(f"{place}: expected {field!r}, as OSMnx writes it, got none")
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{place}: expected a number as {field!r}, got {text!r}") from None


def _inner_points(wkt: str) -> list[float]:
    """Points between the ends of ``LINESTRING (x y, x y, ...)``, flat; none where the text is anything else."""
    if not wkt.startswith("LINESTRING (") or not wkt.endswith(")"):
        return []
    try:
        flat = list(map(float, wkt[12:-1].replace(",", " ").split()))
    except ValueError:
        return []
    return flat[2:-2] if len(flat) == 2 * wkt.count(",") + 2 else []


def _plain(error: expat.ExpatError) -> str:
    return expat.errors.messages.get(error.code, "something else") if error.code else "something else"


def _lines(table: RoadTable) -> Iterator[str]:
    yield _HEADER
    ids = table.node_id.tolist()
    lon = [round(x, 6) for x in table.lon.tolist()]
    lat = [round(y, 6) for y in table.lat.tolist()]
    for node, x, y in zip(ids, lon, lat, strict=True):
        yield f'<node id="{node}"><data key="x">{x:.6f}</data><data key="y">{y:.6f}</data></node>\n'
    classes = [_text(word) for word in table.classes]
    names = [_text(word) for word in table.names]
    start, sx, sy = table.shape_start.tolist(), table.shape_lon.tolist(), table.shape_lat.tolist()
    edges = zip(table.tail, table.head, table.length_m, table.highway, table.maxspeed_kmh, table.name, strict=True)
    for e, (tail, head, length, highway, speed, name) in enumerate(edges):
        line = f'<edge source="{ids[tail]}" target="{ids[head]}"><data key="l">{length:.1f}</data>'
        line += f'<data key="h">{classes[highway]}</data>'
        if math.isfinite(speed):
            line += f'<data key="m">{round(float(speed), 2):g}</data>'
        if name >= 0:
            line += f'<data key="n">{names[name]}</data>'
        if start[e + 1] > start[e]:
            inner = range(start[e], start[e + 1])
            xs = [lon[tail], *(sx[i] for i in inner), lon[head]]
            ys = [lat[tail], *(sy[i] for i in inner), lat[head]]
            points = ", ".join(f"{x:.5f} {y:.5f}" for x, y in zip(xs, ys, strict=True))
            line += f'<data key="g">LINESTRING ({points})</data>'
        yield line + "</edge>\n"
    yield "</graph>\n</graphml>\n"


def _text(word: str) -> str:
    return escape(word.translate(_ILLEGAL))
