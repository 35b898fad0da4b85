"""A finished run as its readers see it: its tables, its log, and when its clock began."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from sim.reading.files import read_json, read_summary, read_table
from sim.recording import ParquetArchive
from sim.scenario.tree import parse_start
from sim.vocabulary import InputError


class Store(NamedTuple):
    """A store: its name, node, and where it is, degrees."""

    name: str
    node: int
    lon: float
    lat: float


_NEEDED: Final = ("scenario", "seed", "fingerprint", "digest", "world", "versions")


class FinishedRun:
    """Read access to the folder of a finished run; with replications, to the first of them.

    Parameters
    ----------
    folder
        The run's folder.
    whole
        Whether it must be whole; a run that writes its own pages is not yet.

    Raises
    ------
    InputError
        It holds no finished run, or a file of it will not do.
    """

    def __init__(self, folder: Path, *, whole: bool = True) -> None:
        self.folder = folder
        if whole:
            read_summary(folder)
        self._path = folder / "manifest.json"
        self.manifest = read_json(self._path)
        lacking = [key for key in _NEEDED if key not in self.manifest]
        if lacking:
            raise InputError(f"{self._path}: expected the manifest of a run, got one without {', '.join(lacking)}.")
        for key in ("scenario", "world"):
            if not isinstance(self.manifest[key], dict):
                raise InputError(f"{self._path}: expected {key} to be an object, got {self.manifest[key]!r:.40}.")

    @property
    def name(self) -> str:
        """The scenario's name."""
        return str(self.manifest["scenario"].get("name", "unnamed"))

    @property
    def seed(self) -> int:
        """The seed."""
        return int(self.manifest["seed"])

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the scenario."""
        return str(self.manifest["fingerprint"])

    @property
    def digest(self) -> str:
        """The digest of the log."""
        return str(self.manifest["digest"])

    @cached_property
    def start(self) -> datetime:
        """When the simulated clock began, UTC."""
        try:
            return parse_start(str(self.manifest["scenario"].get("start"))).astimezone(UTC)
        except ValueError as error:
            raise InputError(f"{self._path}: expected scenario.start to be {error}.") from error

    @cached_property
    def close_s(self) -> float:
        """When the run closed, seconds since its start."""
        scenario = self.manifest["scenario"]
        try:
            return 3600.0 * (float(scenario["horizon_h"]) + float(scenario["drain_h"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{self._path}: expected scenario.horizon_h and scenario.drain_h in hours.") from error

    @cached_property
    def stores(self) -> list[Store]:
        """The stores, by their numbers."""
        try:
            return [
                Store(str(told["name"]), int(told["node"]), round(float(told["lon"]), 6), round(float(told["lat"]), 6))
                for told in self.manifest["world"]["stores"]
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{self._path}: expected world.stores with name, node, lon and lat of each.") from error

    @cached_property
    def archive(self) -> ParquetArchive:
        """The event log."""
        return ParquetArchive(self.folder / "events.parquet")

    def table(self, name: str) -> pa.Table:
        """A table of the run, such as ``orders``; names of enums are plain strings, what is no number is null."""
        return _plainly(read_table(self.folder / f"{name}.parquet"))

    def pieces(self, name: str) -> Iterator[pa.Table]:
        """The same, a row group after the other: the log of a day is too wide to be had at once."""
        path = self.folder / f"{name}.parquet"
        try:
            file = pq.ParquetFile(path)
            for group in range(file.num_row_groups):
                yield _plainly(file.read_row_group(group))
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{path}: expected a Parquet table, got: {str(error).splitlines()[0]}") from error

    def columns(self, name: str, *wanted: str) -> dict[str, list[Any]]:
        """Columns of a table as lists; where nothing is known, None.

        Raises
        ------
        InputError
            The table has no such columns.
        """
        table = self.table(name)
        lacking = [column for column in wanted if column not in table.column_names]
        if lacking:
            path = self.folder / f"{name}.parquet"
            raise InputError(f"{path}: expected the columns {', '.join(wanted)}, got none named {', '.join(lacking)}.")
        found: dict[str, list[Any]] = table.select(list(wanted)).to_pydict()
        return found

    def unix_ns(self, t_s: float) -> int:
        """A moment of the simulated clock in nanoseconds since 1970."""
        return round(self.start.timestamp()) * 1_000_000_000 + round(t_s * 1e9)

    def iso(self, t_s: float, timespec: str = "microseconds") -> str:
        """A moment of the simulated clock in ISO 8601, UTC; `timespec` as for `datetime.isoformat`."""
        at = self.start + timedelta(microseconds=round(t_s * 1e6))
        return at.isoformat(timespec=timespec).replace("+00:00", "Z")


def _plainly(table: pa.Table) -> pa.Table:
    return pa.table({field.name: _plain(table.column(field.name)) for field in table.schema})


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return column
