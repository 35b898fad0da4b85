"""Reading a finished run's folder, and holding its log against what it wrote."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim import __version__
from sim.experiments.runs import SCHEMA
from sim.metrics import study
from sim.recording import SUMMARY, ParquetArchive, digest_of, replay
from sim.recording.state import LEDGERS
from sim.scenario import Scenario
from sim.vocabulary import InputError, OrderState


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


def read_summary(folder: Path) -> dict[str, Any]:
    """Read a finished run's summary.

    Raises
    ------
    InputError
        When the folder holds no finished run.
    """
    if not (folder / SUMMARY).is_file():
        raise InputError(f"{folder}: expected a finished run's folder (with {SUMMARY}), found none.")
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


def _columns(path: Path, names: tuple[str, ...]) -> dict[str, list[Any]]:
    table = read_table(path)
    lacking = [name for name in names if name not in table.column_names]
    if lacking:
        raise InputError(f"{path}: expected the columns {', '.join(names)}, got a table without {', '.join(lacking)}.")
    columns: dict[str, list[Any]] = table.select(list(names)).to_pydict()
    return columns


@dataclass(frozen=True, slots=True)
class Verified:
    """What a replay found."""

    whole: bool
    lines: list[str]


def verify(folder: Path) -> Verified:
    """Rebuild orders, stock and drivers from ``events.parquet`` alone and compare them with the run's other files.

    Raises
    ------
    InputError
        When the folder holds no finished run, or a file of it cannot be read.
    """
    summary, manifest = read_summary(folder), read_json(folder / "manifest.json")
    lacking = [key for key in ("scenario", "digest", "world", "versions") if key not in manifest]
    if lacking:
        raise InputError(
            f"{folder / 'manifest.json'}: expected the manifest of a run, got one without {', '.join(lacking)}."
        )
    archive = ParquetArchive(folder / "events.parquet")
    world = manifest["world"]
    digest = digest_of(archive)
    state = replay(archive, (len(world["stores"]), world["skus"]))
    orders = _columns(folder / "orders.parquet", ("order", "state"))
    stock = _columns(folder / "stock.parquet", LEDGERS)
    drivers = _columns(folder / "drivers.parquet", ("driver", "last_node"))
    written_by = manifest["versions"].get("darkstore")
    checks = [(f"written by darkstore {written_by}", written_by == __version__, f"this is {__version__}")]
    checks += [("digest of the log", digest == manifest["digest"], digest)]
    names = [OrderState(code).name.lower() for code in state.orders[:, 1].tolist()]
    same_orders = sorted(zip(orders["order"], orders["state"], strict=True)) == list(
        zip(state.orders[:, 0].tolist(), names, strict=True)
    )
    checks.append(("order states", same_orders, f"{len(names):,} orders"))
    for ledger in LEDGERS:
        same = np.array_equal(getattr(state, ledger).ravel(), np.array(stock[ledger]))
        checks.append((f"stock: {ledger}", same, f"{int(getattr(state, ledger).sum()):,}"))
    where = {
        driver: node for driver, node in zip(drivers["driver"], drivers["last_node"], strict=True) if node is not None
    }
    checks.append(("drivers at work", where == state.drivers, f"{len(where):,} drivers"))
    if summary["replications"] == 1:
        found = study(archive, Scenario.model_validate(manifest["scenario"]), state).summary
        checks.append(
            ("summary", all(summary[name] == json.loads(json.dumps(found[name])) for name in found), "every figure")
        )
    return Verified(
        all(good for _, good, _ in checks),
        [f"{'ok ' if good else 'BAD'}  {what}: {text}" for what, good, text in checks],
    )
