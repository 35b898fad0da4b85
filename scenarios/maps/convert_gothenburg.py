"""Convert Gothenburg, Sweden, from the test data of geojson-path-finder: OSM ways with all their tags as GeoJSON.

GeoJSON knows no node ids, so points with the same coordinates are one node, numbered in order of appearance. From there
the ways take the road of every imported extract: OSMnx's rules for "drive", its one-way rules, its simplification.
"""

import json
from typing import Any

import numpy as np

from scenarios.maps.download import npm_member, ship, thinned
from sim.world.osm import is_drivable, roads_of
from sim.world.roadtable import RoadTable, make_table

PACKAGE, VERSION = "geojson-path-finder", "2.1.0"
SHA256 = "2170bcaa9faf7becb316ca89431884cb1cc513e5967144f3de8185d2d3ffdda5"
MEMBER = "package/test/large-network.json"


def roads(features: list[dict[str, Any]]) -> RoadTable:
    """Drivable ways; polygons are squares and the like, not roads."""
    number: dict[tuple[float, float], int] = {}
    ways = []
    for feature in features:
        if feature["geometry"]["type"] == "LineString" and is_drivable(feature["properties"]):
            points = [(float(lon), float(lat)) for lon, lat in feature["geometry"]["coordinates"]]
            ways.append(([number.setdefault(point, len(number) + 1) for point in points], feature["properties"]))
    return roads_of(ways, {node: point for point, node in number.items()})


def with_thin_shapes(table: RoadTable) -> RoadTable:
    """The same network with the points that its shapes need."""
    shapes = []
    for tail, head, start, stop in zip(
        table.tail, table.head, table.shape_start[:-1], table.shape_start[1:], strict=True
    ):
        lon = (table.lon[tail], *table.shape_lon[start:stop], table.lon[head])
        lat = (table.lat[tail], *table.shape_lat[start:stop], table.lat[head])
        shapes.append(thinned([(float(x), float(y)) for x, y in zip(lon, lat, strict=True)]))
    names = np.array([*table.names, ""])
    return make_table(
        node_id=table.node_id,
        lon=table.lon,
        lat=table.lat,
        tail_id=table.node_id[table.tail],
        head_id=table.node_id[table.head],
        length_m=table.length_m,
        highway=[table.classes[code] for code in table.highway],
        maxspeed_kmh=table.maxspeed_kmh,
        name=[str(name) for name in names[table.name]],
        shape_points=[len(points) for points in shapes],
        shape_lon=[lon for points in shapes for lon, _ in points],
        shape_lat=[lat for points in shapes for _, lat in points],
    )


def main() -> None:
    """Write ``gothenburg.graphml.gz``."""
    collection = json.loads(npm_member(PACKAGE, VERSION, SHA256, MEMBER))
    ship("gothenburg", with_thin_shapes(roads(collection["features"])))


if __name__ == "__main__":
    main()
