"""Orders from a file: what is read, and what is refused with the row that is wrong."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.scenario import Scenario, load
from sim.streams import Streams
from sim.vocabulary import TICK_S, InputError
from sim.world.build import build_world

GOOD = """entered_s,node,skus,units
120.5,3,12;7;12,1;2;3
0,0,5,1
60.0000001,39,0;59,9;1
7200,1,5,1
"""


def scenario(one_store: Any, path: Path, *settings: str) -> Scenario:
    tree: Scenario = one_store(f"demand.trace={path}", *settings)
    return tree


def test_rows_become_orders_by_time(one_store: Any, tmp_path: Path, play: Any) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(GOOD)
    world = build_world(scenario(one_store, path))
    trace = world.trace
    # The row at the horizon is left out; the rest is in order of time, on the grid of ticks.
    assert trace.orders == 3
    np.testing.assert_allclose(trace.entered_s, [0, 60.0000001, 120.5], atol=TICK_S)
    assert (trace.entered_s / TICK_S == np.rint(trace.entered_s / TICK_S)).all()
    assert trace.node.tolist() == [0, 39, 3]
    assert trace.first_line.tolist() == [0, 1, 3, 5]
    assert trace.sku.tolist() == [5, 0, 59, 7, 12]
    assert trace.units.tolist() == [1, 9, 1, 2, 4]
    price = world.catalogue.price_cents
    assert trace.value_cents.tolist() == [price[5], 9 * price[0] + price[59], 2 * price[7] + 4 * price[12]]
    played = play(world)
    assert played.study.orders["units"].tolist() == [1, 10, 6]
    assert played.study.orders["lines"].tolist() == [1, 2, 2]


def test_parquet_lists_places_by_coordinates_and_columns_in_any_order(one_store: Any, tmp_path: Path) -> None:
    plain = build_world(one_store())
    lat, lon = plain.geography.lat, plain.geography.lon
    table = pa.table(
        {
            "skus": [[3, 4], [5]],
            "lon": [lon[7], lon[8]],
            "lat": [lat[7], lat[8]],
            "entered_s": [30.0, 10.0],
            "more": ["a", "b"],
        }
    )
    pq.write_table(table, tmp_path / "orders.parquet")
    trace = build_world(scenario(one_store, tmp_path / "orders.parquet")).trace
    assert trace.entered_s.tolist() == [10.0, 30.0]
    assert trace.node.tolist() == [8, 7]
    assert trace.sku.tolist() == [5, 3, 4]
    assert trace.units.tolist() == [1, 1, 1]


def test_the_path_is_relative_to_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(GOOD)
    (tmp_path / "mine.yaml").write_text(
        "{map: {points: 50}, horizon_h: 2, demand: {trace: orders.csv}, catalogue: {skus: 60}}"
    )
    world = build_world(load(str(tmp_path / "mine.yaml")))
    assert world.trace.orders == 3
    assert world.files["demand.trace"]


def test_a_trace_is_the_same_orders_in_every_replication_on_other_luck(one_store: Any, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(GOOD)
    tree = scenario(one_store, path)
    first, second = (build_world(tree, Streams(1, k)).trace for k in (0, 1))
    np.testing.assert_array_equal(first.entered_s, second.entered_s)
    np.testing.assert_array_equal(first.sku, second.sku)
    assert not np.array_equal(first.pick_noise, second.pick_noise)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("entered_s,node\n1,2\n", "expected the columns"),
        ("entered_s,skus\n1,2\n", "expected the columns"),
        ("entered_s,lat,skus\n1,2,3\n", "expected the columns"),
        ("entered_s,node,skus\n-1,2,3\n", "row 1: entered_s"),
        ("entered_s,node,skus\n1,2,3\nx,2,3\n", "row 2: entered_s"),
        ("entered_s,node,skus\nnan,2,3\n", "row 1: entered_s"),
        ("entered_s,node,skus\ninf,2,3\n", "row 1: entered_s"),
        ("entered_s,node,skus\n,2,3\n", "row 1: entered_s"),
        ("entered_s,node,skus\n1,40,3\n", "row 1: node"),
        ("entered_s,node,skus\n1,-1,3\n", "row 1: node"),
        ("entered_s,node,skus\n1,1.5,3\n", "row 1: node"),
        ("entered_s,node,skus\n1,2,60\n", "row 1: skus"),
        ("entered_s,node,skus\n1,2,a;3\n", "row 1: skus"),
        ("entered_s,node,skus\n1,2,1.5\n", "row 1: skus"),
        ("entered_s,node,skus,units\n1,2,3;4,1\n", "row 1"),
        ("entered_s,node,skus,units\n1,2,3,0\n", "row 1: units"),
        ("entered_s,node,skus,units\n1,2,3,2.5\n", "row 1: units"),
        ("entered_s,node,skus,units\n1,2,;,;\n", "row 1"),
        ("entered_s,node,skus\n1,2,\n", "row 1"),
        ("entered_s,lat,lon,skus\n1,91,0,3\n", "row 1: lat"),
        ("entered_s,lat,lon,skus\n1,50,10,3\n", "row 1"),
        ("", "orders.csv"),
        ("entered_s,node,skus\n1,2\n", "orders.csv"),
        (b"%PDF-1.7\x00\xff\x00", "orders.csv"),
        (None, "orders.csv"),
    ],
)
def test_a_bad_row_is_named(one_store: Any, tmp_path: Path, content: Any, expected: str) -> None:
    path = tmp_path / "orders.csv"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputError) as caught:
        build_world(scenario(one_store, path))
    text = str(caught.value)
    assert expected in text
    assert "expected" in text
    assert "\n" not in text


def test_a_trace_of_nobody_is_a_quiet_day(one_store: Any, tmp_path: Path, play: Any) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("entered_s,node,skus\n7300,2,3\n")
    played = play(scenario(one_store, path))
    assert played.study.summary["orders"]["offered"] == 0
    path.write_text("entered_s,node,skus\n")
    assert play(scenario(one_store, path)).study.summary["orders"]["offered"] == 0


def test_a_parquet_that_is_none(one_store: Any, tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    path.write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match=r"orders\.parquet"):
        build_world(scenario(one_store, path))
