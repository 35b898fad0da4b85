"""GraphML: we read what OSMnx writes, OSMnx reads what we write, and the same map is the same bytes."""

import gzip
import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.vocabulary import InputError
from sim.world.graphml import read_graphml, write_graphml
from sim.world.roadtable import make_table

NAMES = ["", "Avenida Brasil", "Æ & <Ö>", 'the "long" one', "شارع الخليفه", "[not a list", "tab\there"]


@st.composite
def tables(draw):
    ids = draw(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=6, unique=True))
    m = draw(st.integers(1, 10))
    points = [draw(st.integers(0, 3)) for _ in range(m)]

    def some(strategy, count):
        return draw(st.lists(strategy, min_size=count, max_size=count))

    degrees = st.floats(-90.0, 90.0)
    return make_table(
        node_id=ids,
        lon=some(degrees, len(ids)),
        lat=some(degrees, len(ids)),
        tail_id=some(st.sampled_from(ids), m),
        head_id=some(st.sampled_from(ids), m),
        length_m=[1000.0 * e + draw(st.floats(0.0, 900.0)) for e in range(m)],
        highway=some(st.sampled_from(["primary", "residential", "living_street"]), m),
        maxspeed_kmh=some(st.sampled_from([math.nan, 30.0, 48.28, 50.0]), m),
        name=some(st.sampled_from(NAMES), m),
        shape_points=points,
        shape_lon=some(degrees, sum(points)),
        shape_lat=some(degrees, sum(points)),
    )


def words(table):
    """Class and name of every edge."""
    classes = [table.classes[code] for code in table.highway]
    return list(zip(classes, [table.names[code] if code >= 0 else "" for code in table.name], strict=True))


def osmnx_graph(**edge):
    graph = nx.MultiDiGraph(crs="epsg:4326", simplified=True)
    graph.add_node(10, x=1.0, y=2.0, street_count=3)
    graph.add_node(20, x=1.1, y=2.1, highway="traffic_signals")
    graph.add_edge(10, 20, **({"osmid": 5, "length": 150.5, "oneway": True, "highway": "primary"} | edge))
    return graph


def saved(tmp_path, graph, name="graph.graphml"):
    import osmnx

    osmnx.save_graphml(graph, tmp_path / name)
    return tmp_path / name


@settings(max_examples=60, deadline=None)
@given(tables())
def test_what_is_written_is_read_back_to_the_precision_promised(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("maps") / "map.graphml.gz"
    write_graphml(table, path)
    back = read_graphml(path)
    for column in ("node_id", "tail", "head", "shape_start"):
        assert getattr(back, column).tolist() == getattr(table, column).tolist()
    for column, tolerance in (
        ("lon", 5e-7),
        ("lat", 5e-7),
        ("shape_lon", 5e-6),
        ("shape_lat", 5e-6),
        ("length_m", 0.05),
    ):
        np.testing.assert_allclose(getattr(back, column), getattr(table, column), rtol=0, atol=tolerance * 1.001)
    np.testing.assert_array_equal(back.maxspeed_kmh, table.maxspeed_kmh)
    assert words(back) == words(table)
    # Bytes 4 to 7 of a gzip file are a clock, which would make the same map another file.
    assert path.read_bytes()[4:8] == bytes(4)
    again = path.with_name("again.graphml.gz")
    write_graphml(back, again)
    assert again.read_bytes() == path.read_bytes()
    assert sorted(file.name for file in path.parent.iterdir()) == ["again.graphml.gz", "map.graphml.gz"]


@settings(max_examples=25, deadline=None)
@given(tables())
def test_osmnx_loads_what_we_write(tmp_path_factory, table):
    import osmnx

    path = tmp_path_factory.mktemp("maps") / "map.graphml.gz"
    write_graphml(table, path)
    graph = osmnx.load_graphml(graphml_str=gzip.decompress(path.read_bytes()).decode("utf-8"))
    assert graph.graph["crs"] == "epsg:4326"
    assert sorted(graph.nodes) == table.node_id.tolist()
    np.testing.assert_allclose([graph.nodes[node]["x"] for node in table.node_id.tolist()], table.lon, atol=1e-6)
    ours = zip(table.node_id[table.tail].tolist(), table.node_id[table.head].tolist(), strict=True)
    theirs = sorted((tail, head, edge["length"], edge["highway"]) for tail, head, edge in graph.edges(data=True))
    expected = sorted(
        (*ends, float(f"{length:.1f}"), word)
        for ends, length, (word, _) in zip(ours, table.length_m, words(table), strict=True)
    )
    assert theirs == expected
    shapes = [
        (tail, head, edge["geometry"].coords) for tail, head, edge in graph.edges(data=True) if "geometry" in edge
    ]
    assert sum(len(points) - 2 for *_, points in shapes) == len(table.shape_lon)
    for tail, head, points in shapes:
        for node, end in ((tail, points[0]), (head, points[-1])):
            assert end == pytest.approx((graph.nodes[node]["x"], graph.nodes[node]["y"]), abs=1e-5)


@pytest.mark.parametrize("zipped", [False, True])
def test_an_osmnx_export_is_read_with_its_lists(tmp_path, zipped):
    import shapely

    shape = shapely.LineString([(1.0, 2.0), (1.05, 2.01), (1.06, 2.02), (1.1, 2.1)])
    graph = osmnx_graph(highway=["trunk", "primary"], name=["A", "B"], maxspeed=["30", "50"], geometry=shape)
    graph.add_edge(20, 10, osmid=[5, 6], length=151.0, oneway=False, highway="residential", maxspeed="50 mph")
    path = saved(tmp_path, graph)
    if zipped:
        # The suffix says nothing here: gzip is seen from the first bytes.
        path.write_bytes(gzip.compress(path.read_bytes()))
    table = read_graphml(path)
    assert table.node_id.tolist() == [10, 20]
    assert table.lon.tolist() == [1.0, 1.1]
    assert words(table) == [("trunk", "A"), ("residential", "")]
    np.testing.assert_allclose(table.maxspeed_kmh, [40.0, 80.467])
    assert table.length_m.tolist() == [150.5, 151.0]
    assert list(zip(table.shape_lon, table.shape_lat, strict=True)) == [(1.05, 2.01), (1.06, 2.02)]
    assert table.shape_start.tolist() == [0, 2, 2]


def test_an_undirected_export_becomes_one_edge_each_way(tmp_path):
    import osmnx
    import shapely

    shape = shapely.LineString([(1.0, 2.0), (1.02, 2.01), (1.06, 2.02), (1.1, 2.1)])
    graph = osmnx.convert.to_undirected(osmnx_graph(geometry=shape, **{"from": 10, "to": 20}))
    table = read_graphml(saved(tmp_path, graph))
    assert table.tail.tolist() == [0, 1]
    assert table.head.tolist() == [1, 0]
    assert table.shape_lon.tolist() == [1.02, 1.06, 1.06, 1.02]
    assert table.shape_lat.tolist() == [2.01, 2.02, 2.02, 2.01]


def test_an_edge_without_a_class_is_a_road_of_unknown_class(tmp_path):
    graph = osmnx_graph()
    del graph.edges[10, 20, 0]["highway"]
    assert words(read_graphml(saved(tmp_path, graph))) == [("road", "")]


def damaged(tmp_path):
    """Name, content and expected complaint of files that are no map."""
    good = saved(tmp_path, osmnx_graph()).read_text(encoding="utf-8")
    whole = gzip.compress(good.encode())
    return {
        "a PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "GraphML"),
        "nothing": (b"", "GraphML"),
        "cut off": (good[: len(good) // 2].encode(), "GraphML"),
        "gzip cut off": (whole[: len(whole) // 2], "gzip"),
        "gzip damaged": (whole[:40] + bytes(20) + whole[60:], "gzip|GraphML"),
        "other XML": (b'<osm version="0.6"><node id="1"/></osm>', "<osm>"),
        "no graph": (b"<graphml></graphml>", "no road"),
        "no length": (good.replace('attr.name="length"', 'attr.name="long"').encode(), "length"),
        "names as ids": (good.replace('"10"', '"ten"').encode(), "ten"),
        "huge ids": (good.replace('"10"', f'"{1 << 70}"').encode(), "whole-number"),
        "words as numbers": (good.replace("150.5", "far").encode(), "far"),
        "an edge to nowhere": (good.replace('target="20"', 'target="30"').encode(), "30"),
        "projected": (good.replace(">1.1<", ">500000.0<").encode(), "projected"),
    }


def test_what_is_no_map_is_refused_in_one_line_that_names_the_file(tmp_path):
    for case, (content, complaint) in damaged(tmp_path).items():
        path = tmp_path / "broken.graphml.gz"
        path.write_bytes(content)
        with pytest.raises(InputError, match=complaint) as caught:
            read_graphml(path)
        assert str(caught.value).startswith(str(path)), case
        assert "\n" not in str(caught.value), case


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "missing.graphml", tmp_path):
        with pytest.raises(InputError, match="readable map file"):
            read_graphml(path)


def test_a_map_that_cannot_be_written_leaves_what_was_there(tmp_path):
    table = read_graphml(saved(tmp_path, osmnx_graph()))
    (tmp_path / "file").write_text("precious")
    with pytest.raises(InputError, match="write"):
        write_graphml(table, tmp_path / "file" / "map.graphml.gz")
    (tmp_path / "map.graphml.gz").mkdir()
    with pytest.raises(InputError, match="write"):
        write_graphml(table, tmp_path / "map.graphml.gz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "graph.graphml", "map.graphml.gz"]
    assert (tmp_path / "file").read_text() == "precious"
