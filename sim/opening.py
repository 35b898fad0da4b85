"""What stands in the stores when a run begins: goods and records as months of selling, stealing and counting left them.

Drift takes weeks to come about. So a scenario may ask for some days before its start to be played goods-only, with its own
stores, demand and policies; shelves, docks, scan log, records, lots and goods under way at their end are its opening. Computed
once for a scenario and seed, then cached; the same for all replications, as everything that stands before anybody orders.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sim import __version__
from sim.contracts import SalesHistory
from sim.engine import Progress, simulate
from sim.history import EVENTS, sales_of
from sim.menu import parse_spec
from sim.recording import NoArchive
from sim.scenario import Scenario
from sim.scenario.loading import resolved
from sim.shipped import user_cache_dir
from sim.streams import Streams
from sim.vocabulary import InputError
from sim.world.build import World, build_world
from sim.world.catalogue import Haul, Load, Opening
from sim.world.roads import file_key, load_cache, save_cache

FORMAT = 3
"""Raise when an opening of the same scenario would come out differently."""

BEFORE = 2**31
"""Number of the replication that the days before are drawn as: none of the run's own."""

KNOWN = "known"
"""The forecast that wants no history."""

_NO_MATTER = (
    "name", "description", "horizon_h", "drain_h", "warmup_h", "faults", "drivers", "customers", "payments", "platform", "costs",
    "slo", "travel",
)  # fmt: skip
"""Branches of a scenario that change nothing about the days before, but for where their customers are (see `_cache_path`)."""


def ready_world(
    scenario: Scenario,
    streams: Streams | None = None,
    *,
    progress: Callable[[Progress], None] | None = None,
    keep: bool = True,
) -> World:
    """Build a scenario's world, opened as the scenario says.

    Parameters
    ----------
    progress
        Told how far the days before have come, when they have to be played.
    keep
        Whether the days before may be looked up, and are put down once they are played.

    Raises
    ------
    InputError
        As `sim.world.build.build_world`; or the state to open with, or the run to learn from, does not fit.
    """
    world = _taught(build_world(scenario, streams))
    if scenario.stores.opening is not None:
        path = _stock_file(scenario)
        return replace(
            world,
            opening=_read(scenario, path, world),
            files={**world.files, "stores.opening": file_key(path).encode()},
        )
    if scenario.stores.burn_in_days and scenario.mode == "full":
        return replace(world, opening=_burnt_in(world, progress, keep))
    return world


def _taught(world: World) -> World:
    """Give a world the sales of the run that its forecast names as `trained_on`, if it names one."""
    scenario = world.scenario
    place = f"{scenario.origin_of('policies.forecast')}: policies.forecast"
    folder = parse_spec(scenario.policies.forecast, place)[1].get("trained_on")
    if not isinstance(folder, str) or not folder:
        return world
    path = scenario.base_of("policies.forecast") / folder
    lesson = sales_of(path, world.catalogue.skus, f"{place}: trained_on")
    key = file_key(path / EVENTS).encode()
    return replace(world, lesson=lesson, files={**world.files, "policies.forecast.trained_on": key})


def before(scenario: Scenario) -> Scenario:
    """The goods-only scenario of the days before another's start."""
    days = scenario.stores.burn_in_days
    demand = scenario.demand.model_copy(update={"trace": None, "flash_sales": (), "surges": ()})
    start = (scenario.start_at - timedelta(days=days)).isoformat()
    return scenario.model_copy(
        update={
            "mode": "goods_only", "unmet": "lost", "start": start, "horizon_h": 24.0 * days, "drain_h": 0.0, "warmup_h": 0.0,
            "faults": (), "demand": demand,
        }
    )  # fmt: skip


def _burnt_in(world: World, progress: Callable[[Progress], None] | None, keep: bool) -> Opening:
    scenario = before(world.scenario)
    path = _cache_path(scenario, world) if keep else None
    known = load_cache(path) if path is not None else None
    if known is not None:
        return _unpacked(known)
    # Stores, places and goods do not depend on the replication, so the rest is drawn anew for these days only.
    streams = Streams(scenario.seed, BEFORE)
    earlier = replace(build_world(scenario, streams), lesson=world.lesson)
    outcome = simulate(earlier, NoArchive(), streams=streams, progress=progress)
    if path is not None:
        save_cache(path, _packed(outcome.left))
    return outcome.left


def _cache_path(scenario: Scenario, world: World) -> Path | None:
    """Where the opening is cached; None where it hangs on code that its name does not say."""
    policies = scenario.policies
    if ".py:" in policies.replenishment + policies.forecast + policies.transfer + policies.reconciliation:
        return None
    tree = {key: value for key, value in resolved(scenario).items() if key not in _NO_MATTER}
    files = {role: key.decode() for role, key in world.files.items()}
    key = json.dumps([__version__, FORMAT, np.__version__, tree, files], sort_keys=True)
    # Who orders where hangs on the zones, and these on vehicles and roads, which the tree above leaves out.
    name = hashlib.sha256(key.encode() + world.daily_demand.tobytes())
    return user_cache_dir() / "openings" / f"{name.hexdigest()[:24]}.npz"


def _packed(opening: Opening) -> dict[str, NDArray[Any]]:
    loads, hauls, sold = opening.under_way, opening.hauls, opening.sold
    assert opening.lots is not None
    return {
        **({} if sold is None else {f"sold_{name}": column for name, column in sold._asdict().items()}),
        "shelf": opening.shelf, "record": opening.record, "scan": opening.scan, "lots": opening.lots,
        **({} if opening.dock is None else {"dock": opening.dock}),
        "haul_to": np.array([haul.to for haul in hauls], dtype=np.int64),
        "haul_at_s": np.array([haul.at_s for haul in hauls], dtype=np.float64),
        "haul_units": np.array([haul.units for haul in hauls], dtype=np.int64).reshape(len(hauls), opening.shelf.shape[1]),
        "haul_lots": np.array([haul.lots for haul in hauls], dtype=np.int64).reshape(
            len(hauls), opening.lots.shape[0], opening.lots.shape[2]
        ),
        "load_store": np.array([load.store for load in loads], dtype=np.int64),
        "load_at_s": np.array([load.at_s for load in loads], dtype=np.float64),
        "load_number": np.array([load.number for load in loads], dtype=np.int64),
        "load_units": np.array([load.units for load in loads], dtype=np.int64).reshape(len(loads), opening.shelf.shape[1]),
    }  # fmt: skip


def _unpacked(arrays: dict[str, NDArray[Any]]) -> Opening:
    hauls = (arrays[f"haul_{name}"] for name in ("to", "at_s", "units", "lots"))
    columns = (arrays[f"load_{name}"] for name in ("store", "at_s", "number", "units"))
    sold = SalesHistory(*(arrays[f"sold_{name}"] for name in SalesHistory._fields)) if "sold_sold" in arrays else None
    return Opening(
        shelf=arrays["shelf"], record=arrays["record"], scan=arrays["scan"], lots=arrays["lots"],
        under_way=tuple(
            Load(int(store), float(at_s), int(number), units) for store, at_s, number, units in zip(*columns, strict=True)
        ),
        sold=sold,
        dock=arrays.get("dock"),
        hauls=tuple(
            Haul(int(to), float(at_s), units, lots) for to, at_s, units, lots in zip(*hauls, strict=True)
        ),
    )  # fmt: skip


def _stock_file(scenario: Scenario) -> Path:
    path = scenario.base_of("stores.opening") / str(scenario.stores.opening)
    return path / "stock.parquet" if path.is_dir() else path


def _read(scenario: Scenario, path: Path, world: World) -> Opening:
    """The goods as a run left them, by its ``stock.parquet``; what was on the road or at docks is not in it, nor lots' ages."""
    where = scenario.origin_of("stores.opening")
    shape = (world.stores, world.catalogue.skus)
    try:
        table = pq.read_table(path, columns=["store", "sku", "shelf", "scan", "available", "reserved"])
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise InputError(
            f"{where}: stores.opening: expected a run's folder or its stock.parquet, got {path} ({type(error).__name__})."
        ) from error
    columns = {name: table[name].to_numpy().astype(np.int64) for name in table.column_names}
    place = columns["store"] * shape[1] + columns["sku"]
    if not np.array_equal(place, np.arange(shape[0] * shape[1])):
        stores, skus = (int(columns[name].max(initial=-1)) + 1 for name in ("store", "sku"))
        raise InputError(
            f"{where}: stores.opening: expected the stock of {shape[0]} stores with {shape[1]} SKUs, got {path} with that"
            f" of {stores} with {skus}."
        )
    record = columns["available"] + columns["reserved"]
    shelf, record, scan = (column.reshape(shape) for column in (columns["shelf"], record, columns["scan"]))
    return Opening(shelf=shelf, record=record, scan=scan, sold=_sold_before(scenario, path.parent, shape[1]))


def _sold_before(scenario: Scenario, folder: Path, skus: int) -> SalesHistory | None:
    """What the run sold whose folder it is, and nothing yet today; None where nobody asks, or only its stock is there."""
    place = scenario.origin_of("stores.opening")
    if parse_spec(scenario.policies.forecast, place)[0] == KNOWN or not (folder / EVENTS).is_file():
        return None
    sold = sales_of(folder, skus, f"{place}: stores.opening")
    return SalesHistory(
        np.append(sold.weekdays, 0),
        np.append(sold.sold, np.zeros_like(sold.sold[:1]), axis=0),
        np.append(sold.open_share, 0.0),
    )
