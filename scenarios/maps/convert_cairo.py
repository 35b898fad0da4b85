"""Convert Heliopolis and Nasr City, Cairo, Egypt, from the robin-logistics-env wheel: an OSMnx graph as two CSV files.

The files hold no shapes and no speeds. Where OSMnx had merged ways, the first class and name of its list are taken.
"""

import csv
import io
import math

from scenarios.maps.download import ship, wheel_member
from sim.world.roadtable import make_table
from sim.world.speeds import split_list

PACKAGE, VERSION = "robin-logistics-env", "3.3.0"
SHA256 = "64c1b551555ec857970e20625cef2dad8784dfd5b3602cb4f155bf395a824c93"


def rows(member: str) -> list[dict[str, str]]:
    """Rows of one CSV file inside the wheel."""
    content = wheel_member(PACKAGE, VERSION, SHA256, f"robin_logistics/data/{member}")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"))))


def main() -> None:
    """Write ``cairo.graphml.gz``."""
    nodes, edges = rows("nodes.csv"), rows("edges.csv")
    table = make_table(
        node_id=[int(node["node_id"]) for node in nodes],
        lon=[float(node["longitude"]) for node in nodes],
        lat=[float(node["latitude"]) for node in nodes],
        tail_id=[int(edge["u"]) for edge in edges],
        head_id=[int(edge["v"]) for edge in edges],
        length_m=[float(edge["length"]) for edge in edges],
        highway=[split_list(edge["highway"])[0] for edge in edges],
        maxspeed_kmh=[math.nan] * len(edges),
        name=[split_list(edge["name"])[0] for edge in edges],
    )
    ship("cairo", table)


if __name__ == "__main__":
    main()
