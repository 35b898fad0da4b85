"""Folders that will not do are told in one line, whatever they are exported to."""

import json
import re
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.exports import FORMATS
from sim.reading.run import FinishedRun
from sim.vocabulary import InputError


@pytest.fixture
def broken(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "broken")


def told(folder, name, place):
    if FORMATS[name].files:
        place.mkdir()
    with pytest.raises(InputError) as error:
        FORMATS[name].write(FinishedRun(folder), place)
    assert "\n" not in str(error.value)
    return str(error.value)


def told_of(folder):
    run = FinishedRun(folder)
    return run.start, run.close_s, run.stores


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"openmetrics"}))
def test_a_table_that_is_none(broken, tmp_path, name):
    (broken / "orders.parquet").write_text("order,state")
    assert "orders.parquet: expected a Parquet table" in told(broken, name, tmp_path / "out")


@pytest.mark.parametrize("name", ["perfetto", "geojson", "ocel", "otlp", "duckdb"])
def test_a_log_that_is_missing(broken, tmp_path, name):
    (broken / "events.parquet").unlink()
    assert "events.parquet: expected " in told(broken, name, tmp_path / "out")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("scenario", "noon", "expected scenario to be an object"),
        ("scenario", {}, "expected scenario.start to be a local date-time"),
        ("scenario", {"start": "2026-11-20T12:00+00:00"}, "expected scenario.horizon_h"),
        ("world", {"stores": [{"name": "one"}]}, "expected world.stores with name, node, lon and lat"),
        ("digest", None, "expected the manifest of a run, got one without digest"),
    ],
)
def test_a_manifest_that_lacks_something(broken, tmp_path, key, value, said):
    manifest = json.loads((broken / "manifest.json").read_text())
    manifest[key] = value
    if value is None:
        del manifest[key]
    (broken / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=re.escape(said)):
        told_of(broken)


def test_a_table_without_a_column_names_it(broken, tmp_path):
    table = pq.read_table(broken / "orders.parquet")
    pq.write_table(table.drop_columns(["promised_s"]), broken / "orders.parquet")
    assert "got none named promised_s" in told(broken, "perfetto", tmp_path / "out")


def test_what_is_no_number_is_as_unknown_as_null(broken):
    stock = pa.table({"a": pa.array([1.0, float("nan"), None]), "b": pa.array(["x", None, "x"]).dictionary_encode()})
    pq.write_table(stock, broken / "stock.parquet")
    assert FinishedRun(broken).table("stock").to_pydict() == {"a": [1.0, None, None], "b": ["x", None, "x"]}
