"""The run as a DuckDB database: its tables, its event log in the order of the day, and one row about the run itself.

The same run gives the same tables row for row; the file itself differs from export to export, as DuckDB gives every database
an identifier of its own.
"""

from pathlib import Path

from sim.exports import TABLES
from sim.reading.run import FinishedRun
from sim.vocabulary import InputError


def write(run: FinishedRun, place: Path) -> None:
    """Write the database.

    Raises
    ------
    InputError
        The package duckdb is not there.
    """
    try:
        import duckdb
    except ImportError:
        raise InputError(
            "--to duckdb: expected the package duckdb (pip install 'darkstore[query]'), found none."
        ) from None
    with duckdb.connect(place, config={"threads": 1, "preserve_insertion_order": True}) as database:
        database.execute(
            "CREATE TABLE run AS SELECT ? AS scenario, ?::UBIGINT AS seed, ? AS fingerprint, ? AS digest, "
            "?::TIMESTAMP AS start_utc",
            [run.name, run.seed, run.fingerprint, run.digest, run.iso(0.0).removesuffix("Z")],
        )
        for name in TABLES:
            database.register("piece", run.table(name))
            database.execute(f"CREATE TABLE {name} AS SELECT * FROM piece")
        for number, piece in enumerate(run.pieces("events")):
            database.register("piece", piece)
            database.execute(
                "INSERT INTO log SELECT * FROM piece" if number else "CREATE TEMP TABLE log AS SELECT * FROM piece"
            )
        database.execute("CREATE TABLE events AS SELECT * FROM log ORDER BY seq")
