"""Convert La Serena-Coquimbo, Chile, from the AequilibraE wheel: a SpatiaLite database of links, nodes and zones.

SpatiaLite itself is not needed: its geometry blob ``b`` holds well-known binary, ``bytes([b[1]]) + b[39:-1]``.
"""

import gzip
import io
import json
import math
import sqlite3
import sys
import tempfile
import zipfile
from pathlib import Path

import shapely

from scenarios.maps.download import HERE, ship, thinned, wheel_member
from sim.world.roadtable import RoadTable, make_table

PACKAGE, VERSION = "aequilibrae", "1.7.2"
SHA256 = "ff7f9ceb18f13838a6289b78b7ff3d78b252cbcc412b48fe9f69152948445d01"
MEMBER = "aequilibrae/reference_files/coquimbo.zip"
ONE_WHEEL = ("--platform=manylinux_2_28_x86_64", "--implementation=cp", "--python-version=3.11", "--abi=cp311")


def geometry(blob: bytes) -> shapely.Geometry:
    """Geometry in a SpatiaLite blob."""
    return shapely.from_wkb(bytes([blob[1]]) + blob[39:-1])


def roads(database: sqlite3.Connection) -> RoadTable:
    """Links open to cars; the zones' connectors are a planner's device, not roads."""
    nodes = {
        node: (osm_id, geometry(blob))
        for node, osm_id, blob in database.execute("SELECT node_id, osm_id, geometry FROM nodes WHERE is_centroid = 0")
    }
    tail, head, length, highway, speed, name, shapes = [], [], [], [], [], [], []
    links = database.execute(
        "SELECT a_node, b_node, direction, distance, link_type, speed_ab, speed_ba, name, geometry FROM links "
        "WHERE modes LIKE '%c%' AND link_type <> 'centroid_connector' ORDER BY link_id"
    )
    for a, b, direction, distance, link_type, speed_ab, speed_ba, label, blob in links:
        shape = thinned(geometry(blob).coords)
        # Direction 1 leads from a to b, -1 from b to a, 0 both ways.
        ways = ((a, b, speed_ab, shape, direction >= 0), (b, a, speed_ba, shape[::-1], direction <= 0))
        for start, end, limit, points, is_open in ways:
            if is_open:
                tail.append(nodes[start][0])
                head.append(nodes[end][0])
                length.append(distance)
                highway.append(link_type)
                speed.append(math.nan if limit is None else float(limit))
                name.append(label or "")
                shapes.append(points)
    used = {*tail, *head}
    kept = [(osm_id, point) for osm_id, point in nodes.values() if osm_id in used]
    return make_table(
        node_id=[osm_id for osm_id, _ in kept],
        lon=[point.x for _, point in kept],
        lat=[point.y for _, point in kept],
        tail_id=tail,
        head_id=head,
        length_m=length,
        highway=highway,
        maxspeed_kmh=speed,
        name=name,
        shape_points=[len(points) for points in shapes],
        shape_lon=[lon for points in shapes for lon, _ in points],
        shape_lat=[lat for points in shapes for _, lat in points],
    )


def zones(database: sqlite3.Connection) -> str:
    """Zones with their people as GeoJSON; coordinates to a metre."""
    features = []
    for zone, people, blob in database.execute("SELECT zone_id, population, geometry FROM zones ORDER BY zone_id"):
        polygons = [
            [[[round(x, 5), round(y, 5)] for x, y in ring.coords] for ring in (part.exterior, *part.interiors)]
            for part in geometry(blob).geoms
        ]
        features.append(
            {
                "type": "Feature",
                "properties": {"zone": zone, "population": round(people, 2)},
                "geometry": {"type": "MultiPolygon", "coordinates": polygons},
            }
        )
    collection = {
        "type": "FeatureCollection",
        "attribution": f"AequilibraE {VERSION}, example project Coquimbo",
        "features": features,
    }
    return json.dumps(collection, separators=(",", ":"), ensure_ascii=False)


def main() -> None:
    """Write ``coquimbo.graphml.gz`` and ``coquimbo.zones.geojson.gz``."""
    project = wheel_member(PACKAGE, VERSION, SHA256, MEMBER, pip_options=ONE_WHEEL)
    with zipfile.ZipFile(io.BytesIO(project)) as archive, tempfile.TemporaryDirectory() as folder:
        file = archive.extract("project_database.sqlite", folder)
        database = sqlite3.connect(file)
        try:
            ship("coquimbo", roads(database))
            areas = zones(database)
        finally:
            database.close()
    path = Path(HERE / "coquimbo.zones.geojson.gz")
    path.write_bytes(gzip.compress(areas.encode("utf-8"), 9, mtime=0))
    people = sum(feature["properties"]["population"] for feature in json.loads(areas)["features"])
    sys.stdout.write(
        f"{path.name}: {areas.count('MultiPolygon')} zones, {people:,.0f} people; {path.stat().st_size:,} bytes\n"
    )


if __name__ == "__main__":
    main()
