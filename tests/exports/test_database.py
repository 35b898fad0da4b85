"""DuckDB: the run's tables and its log, to be asked in SQL."""

import sys

import pyarrow.parquet as pq
import pytest

from sim.exports import FORMATS, TABLES
from sim.vocabulary import InputError


@pytest.fixture
def ask(exported):
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(exported("duckdb"), read_only=True) as database:
        yield lambda question: database.execute(question).fetchall()


def test_every_table_and_the_log_are_there_row_for_row(ask, folder, run):
    assert {name for (name,) in ask("SELECT table_name FROM duckdb_tables()")} == {"run", "events", *TABLES}
    for name in TABLES:
        assert ask(f"SELECT * FROM {name}") == [tuple(row.values()) for row in run.table(name).to_pylist()]
    ((rows,),) = ask("SELECT count(*) FROM events")
    assert rows == pq.read_metadata(folder / "events.parquet").num_rows
    assert ask("SELECT bool_and(seq = rowid) FROM events") == [(True,)]


def test_the_log_can_be_asked_what_the_tables_say(ask):
    assert ask(
        "SELECT count(*) FROM orders JOIN events USING (\"order\") WHERE kind = 'goods_delivered' AND t_s = delivered_s"
    ) == ask("SELECT count(delivered_s) FROM orders")
    assert ask("SELECT count(*) FROM platform WHERE isnan(p99_s)") == [(0,)]


def test_it_says_which_run_it_is(ask, run):
    ((scenario, seed, fingerprint, digest, start),) = ask("SELECT * FROM run")
    assert (scenario, seed, fingerprint, digest) == (run.name, run.seed, run.fingerprint, run.digest)
    assert start == run.start.replace(tzinfo=None)


def test_without_the_package_one_line_says_what_to_install(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(InputError, match=r"darkstore\[query\]"):
        FORMATS["duckdb"].write(run, tmp_path / "run.duckdb")
