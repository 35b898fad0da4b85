"""Holding a finished run's log against what it wrote."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim import __version__
from sim.metrics import study
from sim.reading.files import read_json, read_summary, read_table
from sim.recording import ParquetArchive, digest_of, replay
from sim.recording.state import LEDGERS
from sim.scenario import Scenario
from sim.vocabulary import InputError, OrderState


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


def worth_verifying(folders: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Of several folders, as a shell's ``results/small/*`` gives them, those that may be runs; and what is none.

    Comparisons, sweeps, plans and exports have no manifest. One that is named alone is taken for a run, and refused for what it
    lacks; and so are all where none may be a run.
    """
    runs = [folder for folder in folders if (folder / "manifest.json").exists()]
    if not runs:
        return list(folders), []
    return runs, [folder for folder in folders if folder not in runs]


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
