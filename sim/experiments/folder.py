"""Reading a finished run's folder, and holding its log against what it wrote."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim.experiments.place import SUMMARY
from sim.metrics import study
from sim.recording import ParquetArchive, digest_of, replay
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
    return read_json(folder / SUMMARY)


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
    archive = ParquetArchive(folder / "events.parquet")
    world = manifest["world"]
    digest = digest_of(archive)
    state = replay(archive, (len(world["stores"]), world["skus"]))
    orders, stock, drivers = (
        read_table(folder / f"{name}.parquet").to_pydict() for name in ("orders", "stock", "drivers")
    )
    checks = [("digest of the log", digest == manifest["digest"], digest)]
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
