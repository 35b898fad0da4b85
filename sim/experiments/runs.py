"""One run from scenario to files: simulate, study, write; all of it, or nothing that looks whole.

A run works in a folder beside its own and moves there when everything is written, ``summary.json`` last (see
`sim.experiments.place`). A run that is killed leaves the folder it would have replaced as it was.
"""

import ctypes
import gc
import json
import platform
import resource
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim import __version__
from sim.engine import Outcome, Progress, policies_of, simulate
from sim.experiments.beacon import Beacon, Tally
from sim.experiments.place import whole_folder
from sim.experiments.slo import judge
from sim.metrics import Study, study
from sim.metrics.tables import Columns
from sim.opening import ready_world
from sim.own import handed_over, source_of
from sim.reading.files import SCHEMA
from sim.recording import SUMMARY, Archive, MemoryArchive, ParquetArchive, ParquetWriter, replay
from sim.scenario import Scenario, fingerprint
from sim.scenario.loading import resolved
from sim.streams import Streams
from sim.vocabulary import NOBODY, CancelReason, OrderState, Svc
from sim.world.build import World
from sim.world.left_file import write_left


@dataclass(frozen=True, slots=True)
class Result:
    """A finished run: its folder (None when nothing was written), its summary and the tables of its study."""

    folder: Path | None
    summary: dict[str, Any]
    study: Study


def peak_mb() -> float:
    """Largest resident size of this process so far, megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024.0 * 1024.0) if sys.platform == "darwin" else peak / 1024.0


def fingerprint_of(world: World, *, allow_code: bool = False) -> str:
    """Name what a world's run simulates, contents of named files included."""
    return fingerprint(world.scenario, world.files | policy_files(world.scenario))


def policy_files(scenario: Scenario) -> dict[str, bytes]:
    """The user's own policies that a scenario names, by the key that names them."""
    files = {}
    for family, spec in scenario.policies.model_dump().items():
        made = handed_over(family, spec)
        if made is not None:
            files[f"policies.{family}"] = source_of(made)
            continue
        path = scenario.base_of(f"policies.{family}") / (spec.partition(".py:")[0] + ".py")
        if ".py:" in spec and path.is_file():
            files[f"policies.{family}"] = path.read_bytes()
    return files


def summarise(world: World, outcome: Outcome, found: Study, seed: int) -> dict[str, Any]:
    """Put the object of summary.json together."""
    summary: dict[str, Any] = {
        "schema": SCHEMA,
        "scenario": world.scenario.name,
        "seed": seed,
        "replications": 1,
        "fingerprint": fingerprint_of(world),
        "digest": outcome.digest,
        **found.summary,
    }
    summary["slo"] = judge(world.scenario, summary)
    summary["engine"] = {
        "events": outcome.events,
        "facts": outcome.facts,
        "cpu_s": outcome.cpu_s,
        "wall_s": outcome.wall_s,
        "orders_per_cpu_s": found.summary["orders"]["entered"] / outcome.cpu_s if outcome.cpu_s else None,
        "peak_mb": peak_mb(),
    }
    return summary


def manifest(world: World, summary: dict[str, Any], command: Sequence[str]) -> dict[str, Any]:
    """Everything needed to repeat the run and to draw it."""
    scenario, roads = world.scenario, world.geography
    return {
        "schema": SCHEMA,
        "scenario": resolved(scenario),
        "fingerprint": summary["fingerprint"],
        "seed": summary["seed"],
        "digest": summary["digest"],
        "versions": {"darkstore": __version__, "python": platform.python_version(), "numpy": np.__version__},
        "command": list(command),
        "world": {
            "map": roads.name,
            "map_key": roads.key,
            "stores": [
                {"name": name, "node": node, "lat": float(roads.lat[node]), "lon": float(roads.lon[node])}
                for name, node in zip(world.store_names, world.store_nodes, strict=True)
            ],
            "skus": world.catalogue.skus,
            "cells": list(world.cells),
            "cell_weights": np.bincount(world.cell, weights=world.node_weights, minlength=len(world.cells))
            .round(9)
            .tolist(),
            "vehicles": [vehicle.name for vehicle in world.travel.profiles],
        },
    }


def run_in_memory(world: World, streams: Streams, *, laws: Sequence[object] = (), allow_code: bool = False) -> Result:
    """Simulate and study without writing anything."""
    archive = MemoryArchive()
    policies = policies_of(world.scenario, allow_code=allow_code)
    outcome = simulate(world, archive, streams=streams, policies=policies, laws=laws)
    found = study(archive, world.scenario, outcome.state, streams)
    return Result(None, summarise(world, outcome, found, streams.seed), found)


def run_to_folder(
    scenario: Scenario,
    out: Path | None = None,
    *,
    force: bool = False,
    command: Sequence[str] = (),
    allow_code: bool = False,
    progress: Callable[[Progress], None] | None = None,
    finish: Callable[[Path, dict[str, Any]], Any] | None = None,
    suffix: str = "",
    replications: int | None = 1,
) -> Result:
    """Run a scenario once and write its folder.

    Parameters
    ----------
    out
        The run's own folder; by default ``results/<scenario>/<fingerprint>-s<seed>``.
    force
        Replace a finished run.
    finish
        Called with the unfinished folder and the summary before ``summary.json`` is written: writes the report. A
        summary that it returns takes the place of the run's own.
    suffix
        Added to the default folder's name.
    replications
        How many there will be, for whoever watches; None: as many as it takes.

    Raises
    ------
    InputError
        Anything the user gave will not do; nothing is written then.
    """
    policies = policies_of(scenario, allow_code=allow_code)
    streams = Streams(scenario.seed)
    world = ready_world(scenario, streams, progress=progress)
    folder = out or Path("results") / scenario.name / f"{fingerprint_of(world)}-s{scenario.seed}{suffix}"
    with whole_folder(folder, force=force) as work:
        writer = ParquetWriter(work / "events.parquet")
        tally, beacon = Tally(writer), Beacon(work, scenario, replications)

        def told(reached: Progress) -> None:
            counted = beacon.simulated(reached, tally)
            if progress is not None:
                progress(counted)

        try:
            outcome = simulate(world, tally, streams=streams, policies=policies, progress=told)
        finally:
            writer.close()
        beacon.phase("studying")
        _release()
        archive: Archive = ParquetArchive(work / "events.parquet")
        state = replay(archive, (world.stores, world.catalogue.skus))
        _release()
        found = study(archive, scenario, state)
        _release()
        summary = summarise(world, outcome, found, scenario.seed)
        _write_tables(work, world, found, outcome)
        write_left(work, outcome.left, world.catalogue.life_days, scenario.stores.dock)
        _write_json(work / "manifest.json", manifest(world, summary, command))
        if finish is not None:
            beacon.phase("writing its pages")
            other = finish(work, summary)
            summary = other if isinstance(other, dict) else summary
        beacon.put_out()
        _write_json(work / SUMMARY, summary)
    return Result(folder, summary, found)


_trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
"""Where the C library has it: hands what lies free between blocks in use back as well."""


def _release() -> None:
    """Give memory that is no longer used back: the steps of a run would else each need theirs on top of the last one's."""
    gc.collect()
    for pool in (pa.default_memory_pool(), pa.system_memory_pool()):
        pool.release_unused()
    if _trim is not None:
        _trim(0)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", encoding="utf-8")


_NAMES = {
    "state": [state.name.lower() for state in OrderState],
    "cancel_reason": [reason.name.lower() for reason in CancelReason],
    "service": [service.name.lower() for service in Svc],
}


def to_arrow(columns: Columns) -> pa.Table:
    """Turn a table of columns into Arrow: nan and "nobody" become null, codes become words."""
    arrays = {}
    for name, column in columns.items():
        if name in _NAMES:
            codes = pa.array(column.astype(np.int8), mask=column == NOBODY)
            arrays[name] = pa.DictionaryArray.from_arrays(codes, pa.array(_NAMES[name]))
        elif name == "driver":
            arrays[name] = pa.array(column.astype(np.int32), mask=column == NOBODY)
        else:
            arrays[name] = pa.array(column, from_pandas=True)
    return pa.table(arrays)


def _write_tables(folder: Path, world: World, found: Study, outcome: Outcome) -> None:
    nodes = found.orders["node"]
    orders = found.orders | {"lat": world.geography.lat[nodes], "lon": world.geography.lon[nodes]}
    vehicles = [vehicle.name for vehicle in world.travel.profiles]
    drivers = to_arrow({name: column for name, column in found.drivers.items() if name != "vehicle"})
    words = pa.DictionaryArray.from_arrays(pa.array(found.drivers["vehicle"].astype(np.int8)), pa.array(vehicles))
    # Where each driver ended, from the live run: what `darkstore replay` holds the log against.
    last = np.array(
        [outcome.state.drivers.get(int(driver), NOBODY) for driver in found.drivers["driver"]], dtype=np.int64
    )
    drivers = drivers.append_column("vehicle", words).append_column("last_node", pa.array(last, mask=last == NOBODY))
    live = outcome.state
    stock = found.stock | {
        name: getattr(live, name).ravel() for name in ("shelf", "available", "reserved", "version")
    }  # fmt: skip
    _write_parquet(drivers, folder / "drivers.parquet")
    columns = {
        "orders": orders, "tasks": found.tasks, "stock": stock, "series": found.series, "platform": found.platform,
        "drift": found.drift,
    }  # fmt: skip
    for name, table in columns.items():  # one after the other: all at once would be the peak of the run's memory
        _write_parquet(to_arrow(table), folder / f"{name}.parquet")


def _write_parquet(table: pa.Table, path: Path) -> None:
    # Words are few, so a dictionary of them pays; one of times and ids would only be built to be thrown away.
    words = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    pq.write_table(table, path, compression="zstd", use_dictionary=words)
