"""A run's tables as CSV: what is not known is empty, names of states and reasons are spelt out."""

from pathlib import Path

from pyarrow import csv

from sim.exports import TABLES
from sim.reading.run import FinishedRun


def write(run: FinishedRun, place: Path) -> None:
    """Write one file per table into a folder."""
    options = csv.WriteOptions(quoting_style="needed")
    for name in TABLES:
        csv.write_csv(run.table(name), place / f"{name}.csv", options)
