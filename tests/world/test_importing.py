"""An import keeps the public streets that can be reached and left, and refuses everything else without a trace."""

import bz2
import gzip
import itertools
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sim.vocabulary import InputError
from sim.world.graphml import read_graphml, write_graphml
from sim.world.importing import fetch_map, import_map, user_maps_dir
from sim.world.osm import DRIVABLE, is_drivable, read_osm
from sim.world.roadtable import make_table

# A street 1-2-3-4 (2 is a bend), a one-way ring 3-5-6-3, a dead end that nobody can leave (4-7), a footpath, an island.
NODES = {n: (7.42 + 0.001 * (n % 4), 43.73 + 0.001 * (n // 4)) for n in range(1, 13)}
WAYS = [
    ((1, 2, 3), {"highway": "residential", "name": "Rue & <1>", "maxspeed": "30"}),
    ((3, 4), {"highway": "primary", "maxspeed": "50 mph"}),
    ((3, 5, 6, 3), {"highway": "tertiary", "oneway": "yes"}),
    ((4, 7), {"highway": "residential", "oneway": "yes"}),
    ((1, 8), {"highway": "footway"}),
    ((8, 9), {"highway": "service"}),
    ((10, 11), {"highway": "residential"}),
]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """The user's folders and the working folder, both empty."""
    monkeypatch.setenv("DARKSTORE_HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "home"


def osm_xml(ways=WAYS, nodes=NODES):
    from xml.sax.saxutils import quoteattr

    text = '<?xml version="1.0"?>\n<osm version="0.6">\n'
    text += "".join(f'<node id="{n}" version="1" lat="{lat}" lon="{lon}"/>\n' for n, (lon, lat) in nodes.items())
    for number, (refs, tags) in enumerate(ways, start=1):
        inside = "".join(f'<nd ref="{ref}"/>' for ref in refs)  # codespell:ignore nd
        inside += "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items())
        text += f'<way id="{number}" version="1">{inside}</way>\n'
    return (text + "</osm>\n").encode()


def write_osm(path, ways=WAYS, nodes=NODES):
    """Write an extract in the format that the suffix names."""
    if path.name.endswith(".pbf"):
        import osmium

        with osmium.SimpleWriter(str(path)) as writer:
            for n, position in nodes.items():
                writer.add_node(osmium.osm.mutable.Node(id=n, version=1, location=position))
            for number, (refs, tags) in enumerate(ways, start=1):
                writer.add_way(osmium.osm.mutable.Way(id=number, version=1, nodes=refs, tags=tags))
        return path
    pack = {".gz": gzip.compress, ".bz2": bz2.compress}.get(path.suffix, bytes)
    path.write_bytes(pack(osm_xml(ways, nodes)))
    return path


def edges(table):
    ends = zip(table.node_id[table.tail].tolist(), table.node_id[table.head].tolist(), strict=True)
    return [(*pair, table.classes[code]) for pair, code in zip(ends, table.highway, strict=True)]


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def metres(*chain):
    """Length of a chain of nodes on OSMnx's sphere."""
    total = 0.0
    for a, b in itertools.pairwise(chain):
        (x0, y0), (x1, y1) = np.radians(NODES[a]), np.radians(NODES[b])
        h = np.sin((y1 - y0) / 2) ** 2 + np.cos(y0) * np.cos(y1) * np.sin((x1 - x0) / 2) ** 2
        total += 2 * 6_371_009.0 * np.arcsin(np.sqrt(h))
    return total


@pytest.mark.parametrize("suffix", [".osm", ".osm.gz", ".osm.bz2", ".osm.pbf"])
def test_every_format_of_an_extract_gives_the_same_map(tmp_path, suffix):
    report = import_map(write_osm(tmp_path / f"town{suffix}"))
    table = read_graphml(report.path)
    assert report.path == user_maps_dir() / "town.graphml.gz"
    assert edges(table) == [
        (1, 3, "residential"),
        (3, 1, "residential"),
        (3, 3, "tertiary"),
        (3, 4, "primary"),
        (4, 3, "primary"),
    ]
    assert table.length_m[0] == pytest.approx(metres(1, 2, 3), abs=0.06)
    assert table.length_m[2] == pytest.approx(metres(3, 5, 6, 3), abs=0.06)
    assert table.names == ("Rue & <1>",)
    np.testing.assert_allclose(table.maxspeed_kmh, [30.0, 30.0, np.nan, 80.47, 80.47])
    # The bend 2 and the ring's corners are shape, not nodes.
    assert np.diff(table.shape_start).tolist() == [1, 1, 2, 0, 0]


def test_the_report_adds_up(tmp_path):
    report = import_map(write_osm(tmp_path / "town.osm"))
    everything = read_osm(tmp_path / "town.osm")
    assert (report.nodes, report.edges) == (3, 5)
    assert (report.nodes + report.nodes_dropped, report.edges + report.edges_dropped) == (
        everything.nodes,
        everything.edges,
    )
    assert report.km + report.km_dropped == pytest.approx(everything.km)
    # The main part, the end of the dead end, the island.
    assert report.components == 3
    assert report.speed_share == pytest.approx(4 / 5)
    table = read_graphml(report.path)
    assert report.bbox == pytest.approx(table.bbox, abs=1e-6)


def test_a_clipped_extract_keeps_the_roads_as_far_as_they_are_known(tmp_path):
    nodes = {n: place for n, place in NODES.items() if n != 2}
    ways = [((8, 1, 2, 3, 4), {"highway": "residential"}), ((3, 5), {"highway": "residential"})]
    table = read_osm(write_osm(tmp_path / "clipped.osm.pbf", ways, nodes))
    # 8-1 and 5-3-4 are left; the piece through the missing node is not invented.
    assert {frozenset(edge[:2]) for edge in edges(table)} == {frozenset({1, 8}), frozenset({4, 5})}


@pytest.mark.parametrize("suffix", [".osm", ".osm.pbf"])
def test_negative_ids_of_an_editor_are_ids(tmp_path, suffix):
    nodes = {-n: place for n, place in NODES.items()}
    ways = [(tuple(-ref for ref in refs), tags) for refs, tags in WAYS]
    table = read_osm(write_osm(tmp_path / f"edited{suffix}", ways, nodes))
    plain = read_osm(write_osm(tmp_path / f"plain{suffix}"))
    assert sorted(table.node_id) == sorted(-plain.node_id)
    assert table.km == pytest.approx(plain.km)


def test_what_is_drivable_is_what_osmnx_asks_overpass_for():
    from osmnx import _overpass

    rules = re.findall(r'\["(\w+)"!~"([^"]+)"\]', _overpass._get_network_filter("drive"))
    assert {key for key, _ in rules} == {"highway", "area", "access", "motor_vehicle", "motorcar", "service"}

    def osmnx_takes(tags):
        return not any(key in tags and re.search(pattern, tags[key]) for key, pattern in rules)

    others = {"footway", "service", "track", "cycleway", "steps", "construction", "pedestrian", "bridleway", "path"}
    values = {
        "highway": sorted(DRIVABLE | others),
        "area": ["yes"],
        "access": ["yes", "no", "private", "destination"],
        "motor_vehicle": ["no", "yes", "destination"],
        "motorcar": ["no", "yes"],
        "service": ["alley", "driveway", "parking_aisle", "parking", "emergency_access", "bus"],
    }
    plain = [{"highway": word} for word in values["highway"]]
    marked = [{"highway": "residential", key: value} for key in values for value in values[key]]
    for tags in [*plain, *marked]:
        assert is_drivable(tags) == osmnx_takes(tags), tags


def test_merged_ways_take_the_class_of_most_segments_in_every_process(tmp_path):
    ways = [
        ((1, 2), {"highway": "tertiary", "name": "A", "maxspeed": "30"}),
        ((2, 3, 4, 5), {"highway": "secondary", "name": "B", "maxspeed": "50"}),
        ((5, 6), {"highway": "primary", "name": "C"}),
    ]
    source = write_osm(tmp_path / "street.osm", ways)
    code = "import sys; from sim.world.importing import import_map; import_map(sys.argv[1], sys.argv[2])"
    outcomes = []
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", code, str(source), f"seed{seed}"],
            check=True,
            cwd=Path(__file__).parents[2],
            env={"PYTHONHASHSEED": seed, "DARKSTORE_HOME": str(tmp_path / "home"), "PATH": ""},
        )
        outcomes.append((user_maps_dir() / f"seed{seed}.graphml.gz").read_bytes())
    assert outcomes[0] == outcomes[1]
    table = read_graphml(user_maps_dir() / "seed1.graphml.gz")
    assert (table.classes, table.names, set(table.maxspeed_kmh)) == (("secondary",), ("B",), {40.0})


def test_a_graphml_goes_the_same_way_and_loses_its_footways(tmp_path):
    first = import_map(write_osm(tmp_path / "town.osm"))
    second = import_map(first.path, "copy")
    assert second.path.read_bytes() == first.path.read_bytes()
    mixed = make_table(
        node_id=[1, 2, 3],
        lon=[7.42, 7.43, 7.44],
        lat=[43.73, 43.73, 43.73],
        tail_id=[1, 2, 2],
        head_id=[2, 1, 3],
        length_m=[800.0, 800.0, 900.0],
        highway=["service", "residential", "steps"],
        maxspeed_kmh=[np.nan, np.nan, np.nan],
        name=["", "", ""],
    )
    write_graphml(mixed, tmp_path / "mixed.graphml.gz")
    third = import_map(tmp_path / "mixed.graphml.gz")
    assert (third.nodes, third.edges, third.nodes_dropped, third.edges_dropped) == (2, 2, 1, 1)
    # Node 3 is on no road, so it is no component of the road network either.
    assert third.components == 1


BAD = {
    "a PDF called a map": ("map.osm", b"%PDF-1.7\n1 0 obj", "OpenStreetMap data"),
    "a PDF": ("map.pdf", b"%PDF-1.7\n1 0 obj", r"\.pdf"),
    "a PDF as pbf": ("map.osm.pbf", b"%PDF-1.7\n1 0 obj", "OpenStreetMap data"),
    "nothing": ("map.osm", b"", "OpenStreetMap data"),
    "no ways": ("map.osm", osm_xml(ways=[]), "drivable roads"),
    "only footpaths": ("map.osm", osm_xml(ways=[((1, 2), {"highway": "footway"})]), "drivable roads"),
    "ways without nodes": ("map.osm", osm_xml(nodes={}), "drivable roads"),
    "one way and no return": ("map.osm", osm_xml([((1, 2), {"highway": "road", "oneway": "yes"})]), "lead back"),
    "XML cut off": ("map.osm", osm_xml()[:400], "OpenStreetMap data"),
    "gzip cut off": ("map.osm.gz", gzip.compress(osm_xml())[:-80], "OpenStreetMap data"),
    "no gzip": ("map.osm.gz", b"plain", "OpenStreetMap data"),
    "graph without roads": ("map.graphml", b"<graphml><graph/></graphml>", "no road"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_that_names_the_file_and_nothing_is_written(tmp_path, home, case):
    name, content, complaint = BAD[case]
    (tmp_path / name).write_bytes(content)
    before = files(tmp_path)
    with pytest.raises(InputError, match=complaint) as caught:
        import_map(tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path / name))
    assert "\n" not in str(caught.value)
    assert files(tmp_path) == before
    assert not home.exists()


def test_a_pbf_that_is_cut_off_is_refused(tmp_path, home):
    whole = write_osm(tmp_path / "town.osm.pbf").read_bytes()
    (tmp_path / "town.osm.pbf").write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(InputError, match="OpenStreetMap data"):
        import_map(tmp_path / "town.osm.pbf")
    assert not home.exists()


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        import_map(tmp_path / "missing.osm")
    with pytest.raises(InputError, match="folder"):
        import_map(tmp_path)


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "", " ", "x" * 65])
def test_a_name_that_is_no_name_is_refused(tmp_path, home, name):
    with pytest.raises(InputError, match="--name"):
        import_map(write_osm(tmp_path / "town.osm"), name)
    assert not home.exists()


def test_an_existing_map_stays_unless_forced(tmp_path):
    source = write_osm(tmp_path / "town.osm")
    path = import_map(source).path
    path.write_bytes(b"precious")
    with pytest.raises(InputError, match="--force"):
        import_map(source)
    assert path.read_bytes() == b"precious"
    (tmp_path / "bad.osm").write_bytes(b"bad")
    with pytest.raises(InputError):
        import_map(tmp_path / "bad.osm", "town", force=True)
    assert path.read_bytes() == b"precious"
    import_map(source, force=True)
    assert read_graphml(path).edges == 5


def test_a_shipped_map_cannot_be_shadowed(tmp_path):
    with pytest.raises(InputError, match="shipped"):
        import_map(write_osm(tmp_path / "town.osm"), "coquimbo", force=True)


def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path, monkeypatch):
    source = write_osm(tmp_path / "town.osm")
    (tmp_path / "file").write_text("precious")
    monkeypatch.setattr("sim.world.importing.read_osm", lambda path: pytest.fail("read before the check"))
    with pytest.raises(InputError, match="folder that can be written"):
        import_map(source, into=tmp_path / "file" / "maps")
    assert (tmp_path / "file").read_text() == "precious"


def test_without_a_network_fetching_says_so_at_once_and_leaves_nothing(tmp_path, home, monkeypatch):
    def closed(*_args, **_kwargs):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", closed)
    monkeypatch.setattr(socket.socket, "connect", closed)
    started = time.monotonic()
    with pytest.raises(InputError, match=r"Delft.*offline") as caught:
        fetch_map("Delft, Netherlands")
    assert time.monotonic() - started < 10.0
    assert "\n" not in str(caught.value)
    assert files(tmp_path) == []
    assert not home.exists()


def test_a_fetched_place_is_kept_like_an_import(tmp_path, home, monkeypatch):
    import osmnx
    import requests

    source = write_osm(tmp_path / "town.osm", [way for way in WAYS if is_drivable(way[1])])

    def answer(place, **options):
        assert options == {"network_type": "drive", "simplify": False, "retain_all": True}
        assert Path(osmnx.settings.cache_folder).is_relative_to(home)
        return osmnx.graph_from_xml(source, simplify=False, retain_all=True)

    monkeypatch.setattr(requests, "get", lambda *_args, **_kwargs: None)
    monkeypatch.setattr(osmnx, "graph_from_place", answer)
    cache = osmnx.settings.cache_folder
    report = fetch_map("La Ville, Monaco")
    assert osmnx.settings.cache_folder == cache
    assert report.path == home / "maps" / "la-ville.graphml.gz"
    assert report.path.read_bytes() == import_map(source).path.read_bytes()


def test_a_place_that_nobody_knows_is_one_line(monkeypatch, home):
    import osmnx
    import requests

    def unknown(*_args, **_kwargs):
        raise osmnx._errors.InsufficientResponseError("Nominatim could not geocode query 'Nowhere'.\nSorry.")

    monkeypatch.setattr(requests, "get", lambda *_args, **_kwargs: None)
    monkeypatch.setattr(osmnx, "graph_from_place", unknown)
    with pytest.raises(InputError, match="Nowhere") as caught:
        fetch_map("Nowhere")
    assert "\n" not in str(caught.value)
    assert not home.exists()
