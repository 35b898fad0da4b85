"""A finished run in the formats that other tools read.

One module per format, each a function from a run to bytes on the disk. The same run gives the same bytes (but for DuckDB's,
see there), and the only clock is the simulated one. What is written and where it goes is in `FORMATS`; `sim.exports.place`
sees to it that it appears whole, or not at all.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple

from sim.reading.run import FinishedRun


class Format(NamedTuple):
    """A format: where it is written by default, and by which function.

    Attributes
    ----------
    ending
        What the default place has behind the run's folder.
    files
        Of a format of several files, their names in its folder; empty where it is one file.
    room
        The module of this package that writes it, by ``write(run, place)``.
    opens
        Who reads it.
    """

    ending: str
    files: tuple[str, ...]
    room: str
    opens: str

    @property
    def write(self) -> Callable[[FinishedRun, Path], None]:
        """The function that writes it; its module is loaded when it is asked for."""
        found: Callable[[FinishedRun, Path], None] = import_module(f"sim.exports.{self.room}").write
        return found


TABLES: Final = ("orders", "tasks", "drivers", "stock", "series", "drift", "platform")
"""What a run leaves beside its log; results/README.md tells of the columns."""

FORMATS: Final[dict[str, Format]] = {
    "csv": Format("-csv", tuple(f"{name}.csv" for name in TABLES), "tables", "spreadsheets"),
    "geojson": Format("-geojson.geojson", (), "geojson", "QGIS, geopandas, maps on the web"),
    "perfetto": Format("-perfetto.json", (), "perfetto", "ui.perfetto.dev, chrome://tracing"),
    "openmetrics": Format("-openmetrics", ("metrics.txt", "dashboard.json"), "openmetrics", "Prometheus, Grafana"),
    "ocel": Format("-ocel.json", (), "ocel", "process mining tools"),
    "otlp": Format("-otlp.json", (), "otlp", "Jaeger and other tools for traces"),
    "duckdb": Format("-duckdb.duckdb", (), "database", "DuckDB, for questions in SQL"),
}
"""The formats, by the names that ``darkstore export`` knows them by."""


def format_of(name: str) -> Format:
    """Look a format up.

    Raises
    ------
    InputError
        There is no such format.
    """
    from sim.vocabulary import InputError

    if name not in FORMATS:
        raise InputError(f"--to {name}: expected one of: {', '.join(FORMATS)}.")
    return FORMATS[name]


def default_place(folder: Path, name: str) -> Path:
    """Where a run is exported to when nobody says: beside its folder, as nothing but a run's own files lies in that."""
    here = folder if folder.name not in ("", "..") else folder.resolve()
    return here.with_name(here.name + FORMATS[name].ending)
