"""A road table forgets the order it came in, knows what hangs together, and fills in speeds as OSMnx does."""

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.vocabulary import InputError
from sim.world.roadtable import RoadTable, impute_speeds, make_table
from sim.world.speeds import ABSURD_KMH, DEFAULT_KMH, parse_maxspeed, split_list

CLASSES = ("motorway", "residential", "living_street", "primary_link")


def table_of(edges, nodes=None, **columns):
    """Table of (tail, head) or (tail, head, length) on nodes strung along the equator."""
    ids = sorted({end for edge in edges for end in edge[:2]}) if nodes is None else nodes
    given = {
        "node_id": ids,
        "lon": [0.001 * i for i in range(len(ids))],
        "lat": [0.0] * len(ids),
        "tail_id": [edge[0] for edge in edges],
        "head_id": [edge[1] for edge in edges],
        "length_m": [edge[2] if len(edge) > 2 else 100.0 for edge in edges],
        "highway": ["residential"] * len(edges),
        "maxspeed_kmh": [math.nan] * len(edges),
        "name": [""] * len(edges),
    }
    return make_table(**(given | columns))


def rows(table: RoadTable):
    """Every edge in words, shape included."""
    return [
        (
            int(table.node_id[table.tail[e]]),
            int(table.node_id[table.head[e]]),
            float(table.length_m[e]),
            table.classes[table.highway[e]],
            table.names[table.name[e]] if table.name[e] >= 0 else "",
            tuple(table.shape_lon[table.shape_start[e] : table.shape_start[e + 1]]),
            tuple(table.shape_lat[table.shape_start[e] : table.shape_start[e + 1]]),
        )
        for e in range(table.edges)
    ]


graphs = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=25)


@settings(deadline=None)
@given(st.data())
def test_the_order_of_the_input_does_not_matter(data):
    count = data.draw(st.integers(1, 12))
    edges = [(data.draw(st.integers(0, 5)), data.draw(st.integers(0, 5)), float(i)) for i in range(count)]
    shapes = [[(float(e), float(p)) for p in range(data.draw(st.integers(0, 3)))] for e in range(count)]
    nodes = list(range(6))

    def build(edge_order, node_order):
        return make_table(
            node_id=[nodes[i] for i in node_order],
            lon=[float(i) for i in node_order],
            lat=[-float(i) for i in node_order],
            tail_id=[edges[i][0] for i in edge_order],
            head_id=[edges[i][1] for i in edge_order],
            length_m=[edges[i][2] for i in edge_order],
            highway=[CLASSES[i % len(CLASSES)] for i in edge_order],
            maxspeed_kmh=[math.nan] * count,
            name=["" if i % 2 else f"street {i}" for i in edge_order],
            shape_points=[len(shapes[i]) for i in edge_order],
            shape_lon=[x for i in edge_order for x, _ in shapes[i]],
            shape_lat=[y for i in edge_order for _, y in shapes[i]],
        )

    straight = build(range(count), range(6))
    shuffled = build(data.draw(st.permutations(range(count))), data.draw(st.permutations(range(6))))
    assert rows(straight) == rows(shuffled)
    assert straight.lon.tolist() == shuffled.lon.tolist() == sorted(straight.lon.tolist())
    by_length = {edge[2]: shape for edge, shape in zip(edges, shapes, strict=True)}
    assert all(list(zip(xs, ys, strict=True)) == by_length[length] for _, _, length, _, _, xs, ys in rows(straight))


@settings(deadline=None)
@given(graphs)
def test_components_are_those_of_networkx_numbered_by_their_lowest_node(edges):
    table = table_of(edges)
    label = table.components()
    ours = [set(np.flatnonzero(label == k)) for k in range(label.max() + 1)]
    graph = nx.DiGraph(list(zip(table.tail.tolist(), table.head.tolist(), strict=True)))
    theirs = sorted(nx.strongly_connected_components(graph), key=min)
    assert ours == theirs


@settings(deadline=None)
@given(graphs)
def test_the_largest_component_is_strongly_connected_and_no_smaller_than_any(edges):
    table = table_of(edges)
    sizes = np.bincount(table.components())
    try:
        kept = table.largest_scc()
    except InputError:
        assert sizes.max() == 1
        return
    assert kept.nodes == sizes.max()
    assert (kept.components() == 0).all()
    inside = set(kept.node_id.tolist())
    assert [row[:2] for row in rows(kept)] == [row[:2] for row in rows(table) if {row[0], row[1]} <= inside]


def test_between_components_of_equal_size_the_one_with_the_lowest_node_stays():
    kept = table_of([(7, 8), (8, 7), (2, 9), (9, 2), (8, 2)]).largest_scc()
    assert kept.node_id.tolist() == [2, 9]


def test_a_subset_carries_shapes_names_and_classes_along():
    table = table_of(
        [(1, 2), (2, 1), (2, 3)],
        highway=["primary", "residential", "motorway"],
        name=["A", "", "B"],
        shape_points=[1, 0, 2],
        shape_lon=[0.5, 1.5, 1.6],
        shape_lat=[0.0, 0.1, 0.2],
    )
    kept = table.subset(np.array([False, True, True]))
    assert rows(kept) == [(2, 3, 100.0, "motorway", "B", (1.5, 1.6), (0.1, 0.2))]
    assert kept.classes == ("motorway",)
    assert kept.names == ("B",)


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"lon": [500_000.0, 500_100.0]}, "projected"),
        ({"lat": [math.nan, 0.0]}, "degrees"),
        ({"length_m": [-1.0]}, "length"),
        ({"length_m": [math.inf]}, "length"),
        ({"head_id": [99]}, "99"),
        ({"node_id": [1, 1], "head_id": [1]}, "twice"),
        ({key: [] for key in ("tail_id", "head_id", "length_m", "highway", "maxspeed_kmh", "name")}, "no road"),
    ],
)
def test_what_is_no_road_network_is_refused_in_one_line(columns, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        table_of([(1, 2)], nodes=[1, 2], **columns)
    assert "\n" not in str(caught.value)


TAGS = [
    "50",
    "30 mph",
    "50|80",
    "SE:urban",
    "['30', '50']",
    "none",
    "signals",
    "20,5",
    "70 km/h",
    "",
    "walk",
    "UK:nsl_dual",
]


@pytest.mark.parametrize(
    "tag", [*TAGS, "5 knots", "[50", "[no list]", "[]", "['none', '40']", "1.2.3", "50;70", "50 mph|70 mph"]
)
def test_a_speed_tag_means_what_osmnx_says(tag):
    from osmnx import routing

    value = routing._collapse_multiple_maxspeed_values(split_list(tag), np.mean)
    theirs = routing._clean_maxspeed(str(value))
    assert parse_maxspeed(tag) == pytest.approx(math.nan if theirs is None else theirs, nan_ok=True)


@settings(max_examples=25, deadline=None)
@example(
    [("motorway", "100"), ("motorway", "100"), ("residential", "30"), ("residential", None), ("primary_link", None)]
)
@given(
    st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from([None, "50", "30 mph", "80|100", "none"])), min_size=1)
)
def test_missing_speeds_are_filled_as_osmnx_fills_them(roads):
    import osmnx

    speeds = [parse_maxspeed(tag or "") for _, tag in roads]
    table = table_of([(i, i + 1) for i in range(len(roads))], highway=[word for word, _ in roads], maxspeed_kmh=speeds)
    ours = impute_speeds(table)
    if all(math.isnan(speed) for speed in speeds):
        assert ours.tolist() == [DEFAULT_KMH[word] for word, _ in roads]
        return
    graph = nx.MultiDiGraph(crs="epsg:4326")
    graph.add_nodes_from((i, {"x": 0.001 * i, "y": 0.0}) for i in range(len(roads) + 1))
    for i, (word, tag) in enumerate(roads):
        graph.add_edge(i, i + 1, highway=word, length=100.0, **({} if tag is None else {"maxspeed": tag}))
    osmnx.add_edge_speeds(graph)
    assert ours.tolist() == pytest.approx([graph.edges[i, i + 1, 0]["speed_kph"] for i in range(len(roads))])


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=20))
def test_no_tag_however_absurd_gives_an_impossible_speed(speeds):
    table = table_of([(i, i + 1) for i in range(len(speeds))], maxspeed_kmh=speeds)
    imputed = impute_speeds(table)
    assert (imputed > 0.0).all()
    assert (imputed <= ABSURD_KMH).all()
    for speed, given_speed in zip(imputed, speeds, strict=True):
        assert speed == given_speed or not 0.0 < given_speed <= ABSURD_KMH
