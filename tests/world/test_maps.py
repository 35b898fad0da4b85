"""The registry finds maps by name and file, says what is in them, and spreads people over roads without losing one."""

import gzip
import json
import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from sim import shipped
from sim.vocabulary import InputError
from sim.world.graphml import read_graphml, write_graphml
from sim.world.maps import draw_map, find_map, list_maps, map_facts, shipped_dir, zones_of
from sim.world.roadtable import make_table
from sim.world.zones import Zones, area_km2, centroid, contains, node_weights, read_zones

SHIPPED = {"coquimbo": (15_492, 34_145), "gothenburg": (6_285, 13_777), "cairo": (7_351, 16_032)}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DARKSTORE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def town(points):
    """Two-way streets between consecutive points."""
    n = len(points)
    return make_table(
        node_id=range(n),
        lon=[x for x, _ in points],
        lat=[y for _, y in points],
        tail_id=[*range(n - 1), *range(1, n)],
        head_id=[*range(1, n), *range(n - 1)],
        length_m=[100.0] * (2 * n - 2),
        highway=["primary"] * (n - 1) + ["residential"] * (n - 1),
        maxspeed_kmh=[50.0] * (n - 1) + [math.nan] * (n - 1),
        name=["Main"] * (2 * n - 2),
    )


def square(west, south, side):
    return np.array(
        [(west, south), (west + side, south), (west + side, south + side), (west, south + side), (west, south)]
    )


def geojson(path, *zones):
    features = [
        {"type": "Feature", "properties": {"population": people}, "geometry": {"type": kind, "coordinates": shape}}
        for people, kind, shape in zones
    ]
    path.write_bytes(gzip.compress(json.dumps({"type": "FeatureCollection", "features": features}).encode()))


# -- names and files ------------------------------------------------------------------------------------------


def test_shipped_and_imported_maps_are_found_by_name(home):
    write_graphml(town([(0, 0), (0, 0.001)]), home / "maps" / "mine.graphml.gz")
    listed = {entry.name: entry for entry in list_maps()}
    assert {*SHIPPED, "mine"} <= set(listed)
    assert {name for name, entry in listed.items() if entry.origin == "imported"} == {"mine"}
    for name, entry in listed.items():
        assert find_map(name) == entry.path
        assert entry.path.is_file()


def test_a_file_is_found_beside_the_scenario_that_names_it(tmp_path, monkeypatch):
    write_graphml(town([(0, 0), (0, 0.001)]), tmp_path / "here" / "my.graphml.gz")
    assert find_map("my.graphml.gz", relative_to=tmp_path / "here") == tmp_path / "here" / "my.graphml.gz"
    assert find_map(tmp_path / "here" / "my.graphml.gz", relative_to=tmp_path) == tmp_path / "here" / "my.graphml.gz"
    monkeypatch.chdir(tmp_path / "here")
    assert find_map("my.graphml.gz").is_file()


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ("coqimbo", r"coquimbo.*did you mean coquimbo\?"),
        ("atlantis", r"cairo.*coquimbo.*gothenburg.*an unknown name$"),
        ("missing.graphml", "no such file"),
        ("city.osm.pbf", "darkstore map import city.osm.pbf"),
        ("docs/manual.pdf", r"\.graphml"),
    ],
)
def test_what_is_no_map_is_refused_in_one_line(asked, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        find_map(asked)
    assert "\n" not in str(caught.value)


def test_an_installed_package_finds_what_it_carries(tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "sim"
    (package / "_shipped" / "maps").mkdir(parents=True)
    monkeypatch.setattr(shipped, "__file__", str(package / "shipped.py"))
    assert shipped_dir() == package / "_shipped" / "maps"
    (package / "_shipped" / "maps").rmdir()
    (package / "_shipped").rmdir()
    assert shipped_dir() == tmp_path / "site-packages" / "scenarios" / "maps"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_map_is_the_one_of_the_provenance_table_and_strongly_connected(name):
    table = read_graphml(find_map(name))
    assert (table.nodes, table.edges) == SHIPPED[name]
    assert (table.components() == 0).all()
    assert find_map(name).stat().st_size < 3_000_000
    row = next(
        line
        for line in (shipped_dir() / "README.md").read_text().splitlines()
        if line.startswith(f"| `{name}` | {table.nodes:,}")
    )
    assert f"| {table.edges:,} | {table.km:,.0f} |" in row


# -- zones ----------------------------------------------------------------------------------------------------


def test_the_people_of_coquimbo_all_live_at_a_road():
    path = find_map("coquimbo")
    zones = zones_of(path)
    assert len(zones.population) == 133
    assert round(zones.population.sum()) == 451_899
    weight = node_weights(read_graphml(path), zones)
    assert (weight >= 0).all()
    assert weight.sum() == pytest.approx(zones.population.sum(), rel=1e-12)
    # Zones tile the city, so nearly every node is somebody's.
    assert (weight > 0).mean() > 0.95


def test_each_zone_is_spread_evenly_over_its_nodes_and_an_empty_one_goes_to_the_nearest():
    table = town([(0.1, 0.1), (0.2, 0.2), (1.5, 0.5), (5.0, 5.0)])
    zones = Zones(((square(0, 0, 1),), (square(1, 0, 1),), (square(3, 3, 1),)), np.array([100.0, 7.0, 11.0]))
    assert node_weights(table, zones).tolist() == [50.0, 50.0, 7.0, 11.0]


def test_nearest_means_nearest_on_the_ground():
    # At 60 degrees north a degree of longitude is half a degree of latitude.
    table = town([(0.0, 61.5), (2.0, 60.0)])
    zones = Zones(((square(-0.05, 59.95, 0.1),),), np.array([9.0]))
    assert node_weights(table, zones).tolist() == [0.0, 9.0]


points = st.tuples(st.floats(-5, 5), st.floats(-5, 5))


@settings(deadline=None)
@given(
    st.lists(points, min_size=2, max_size=8),
    st.lists(st.tuples(points, st.floats(0.01, 6), st.floats(0, 1e6)), min_size=1, max_size=6),
)
def test_nobody_is_lost_on_the_way(places, squares):
    zones = Zones(
        tuple((square(x, y, side),) for (x, y), side, _ in squares), np.array([people for *_, people in squares])
    )
    weight = node_weights(town(places), zones)
    assert (weight >= 0.0).all()
    assert weight.sum() == pytest.approx(zones.population.sum())


@settings(deadline=None)
@given(st.lists(points, min_size=3, max_size=8, unique=True), st.integers(0, 2**32))
def test_inside_and_centre_are_those_of_shapely(corners, seed):
    polygon = shapely.Polygon(corners)
    if not polygon.is_valid or polygon.area < 1e-6:
        return
    x0, y0, x1, y1 = polygon.bounds
    hole = shapely.Point(polygon.representative_point()).buffer(0.01 * polygon.area, quad_segs=2)
    if polygon.contains(hole):
        polygon = polygon.difference(hole)
    rings = tuple(np.array(ring.coords) for ring in (polygon.exterior, *polygon.interiors))
    at = np.random.default_rng(seed).uniform((x0 - 1, y0 - 1), (x1 + 1, y1 + 1), (200, 2))
    clear = shapely.distance(shapely.points(at), polygon.boundary) > 1e-9
    expected = shapely.contains_xy(polygon, at)
    assert (contains(rings, at[:, 0], at[:, 1]) == expected)[clear].all()
    assert centroid(rings) == pytest.approx((polygon.centroid.x, polygon.centroid.y), abs=1e-6)


def test_the_area_of_a_square_degree_at_the_equator():
    # (6371.009 km * pi / 180)² = 12,364 km²; the square is centred on the equator.
    assert area_km2((square(-0.5, -0.5, 1.0),)) == pytest.approx(12_364.2, rel=1e-4)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"%PDF", "GeoJSON"),
        (b"{}", "GeoJSON"),
        (b'{"features": []}', "at least one zone"),
        (gzip.compress(b'{"features": []}', mtime=0)[:-9], "GeoJSON"),
        (b'{"features": [{"properties": {}, "geometry": null}]}', "GeoJSON"),
        (b'{"features": [{"properties": {"population": -1}, "geometry": null}]}', "population >= 0, got -1"),
        (b'{"features": [{"properties": {"population": 1}, "geometry": {"type": "Point"}}]}', "got Point"),
        (
            b'{"features": [{"properties": {"population": 1}, '
            b'"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1]]]}}]}',
            "closed rings",
        ),
    ],
)
def test_zones_that_are_none_are_refused_in_one_line(tmp_path, content, complaint):
    path = tmp_path / "town.zones.geojson.gz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=complaint) as caught:
        read_zones(path)
    assert str(caught.value).startswith(str(path))


# -- facts and pictures ---------------------------------------------------------------------------------------


def test_the_facts_of_a_map(tmp_path):
    path = tmp_path / "town.graphml.gz"
    write_graphml(town([(0, 0), (0, 0.001), (0.002, 0.001)]), path)
    facts = map_facts(path)
    assert (facts.name, facts.nodes, facts.edges, facts.zones, facts.population) == ("town", 3, 4, 0, 0.0)
    assert facts.km == pytest.approx(0.4)
    assert facts.km_by_class == pytest.approx({"primary": 0.2, "residential": 0.2})
    assert (facts.speed_share, facts.named_share, facts.bbox) == (0.5, 1.0, (0.0, 0.0, 0.002, 0.001))
    ring = square(-1, -1, 2).tolist()
    geojson(tmp_path / "town.zones.geojson.gz", (30, "Polygon", [ring]), (12.5, "MultiPolygon", [[ring]]))
    facts = map_facts(path)
    assert (facts.zones, facts.population) == (2, 42.5)


@pytest.mark.parametrize("with_zones", [False, True])
def test_a_map_is_drawn_as_a_png(tmp_path, with_zones):
    path = tmp_path / "town.graphml.gz"
    write_graphml(town([(0, 0), (0, 0.001), (0.002, 0.001)]), path)
    if with_zones:
        geojson(tmp_path / "town.zones.geojson.gz", (30, "Polygon", [square(0, 0, 0.001).tolist()]))
    draw_map(path, tmp_path / "new" / "town.png")
    picture = (tmp_path / "new" / "town.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    from matplotlib.image import imread

    pixels = imread(tmp_path / "new" / "town.png")[..., :3]
    assert (pixels.max(axis=2) < 0.5).any(), "roads are dark"
    coloured = bool(((pixels.max(axis=2) - pixels.min(axis=2)) > 0.2).any())
    assert coloured == with_zones, "only population has a colour"


def test_a_picture_that_cannot_be_written_is_one_line(tmp_path):
    path = tmp_path / "town.graphml.gz"
    write_graphml(town([(0, 0), (0, 0.001)]), path)
    (tmp_path / "file").write_text("precious")
    with pytest.raises(InputError, match="write the picture"):
        draw_map(path, tmp_path / "file" / "town.png")
    with pytest.raises(InputError, match="write the picture"):
        draw_map(path, tmp_path)
    assert (tmp_path / "file").read_text() == "precious"
