"""Reading the files of a finished run's folder, with an error that names the file where one will not do."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from sim.recording import SUMMARY
from sim.vocabulary import InputError

SCHEMA: Final = 1
"""Of summary.json."""


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    InputError
        When it is missing or is not one.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: expected a file of a finished run, got: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"{path}: expected JSON, got: {error}.") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected a JSON object, got {type(value).__name__}.")
    return value


def last_run(below: Path) -> Path:
    """The folder of the finished run that was written last below another.

    Raises
    ------
    InputError
        There is none.
    """
    found = [path for path in below.glob(f"*/*/{SUMMARY}") if path.is_file()]
    if not found:
        raise InputError(f"{below}: expected a finished run in it (or the folder of one as an argument), found none.")
    return max(found, key=lambda path: (path.stat().st_mtime_ns, str(path))).parent


def read_summary(folder: Path) -> dict[str, Any]:
    """Read a finished run's summary.

    Raises
    ------
    InputError
        When the folder holds no finished run.
    """
    if not (folder / SUMMARY).is_file():
        other = next((name for name in ("comparison", "sweep", "plan") if (folder / f"{name}.json").is_file()), None)
        found = f"the folder of a {other}, whose page is report.html" if other else "none"
        raise InputError(f"{folder}: expected a finished run's folder (with {SUMMARY}), found {found}.")
    summary = read_json(folder / SUMMARY)
    lacking = [key for key in ("scenario", "seed", "replications", "orders", "slo") if key not in summary]
    if summary.get("schema") != SCHEMA or lacking:
        raise InputError(
            f"{folder / SUMMARY}: expected a summary of schema {SCHEMA}, got one without {', '.join(lacking) or 'it'}."
        )
    return summary


def read_table(path: Path) -> Any:
    """Read a Parquet table of a run.

    Raises
    ------
    InputError
        When it is missing or broken.
    """
    try:
        return pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: expected a Parquet table, got: {str(error).splitlines()[0]}") from error


def read_arrays(path: Path, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Read columns of a table as arrays, null as nan; those named, or all.

    Raises
    ------
    InputError
        The table is missing or broken, or has no such column.
    """
    try:
        table = pq.read_table(path, columns=list(names) if names else None)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{path}: expected a table of the run, got: {str(error).splitlines()[0].rstrip('.')}."
        ) from error
    missing = sorted(set(names or ()) - set(table.column_names))
    if missing:
        raise InputError(f"{path}: expected a column {missing[0]}, got none.")
    return {name: table[name].to_numpy() for name in table.column_names}
