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

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim import __version__
from sim.contracts import SalesHistory
from sim.engine import Progress, simulate
from sim.history import EVENTS, sales_of
from sim.menu import parse_spec
from sim.own import PREFIX
from sim.recording import NoArchive
from sim.scenario import Scenario
from sim.scenario.loading import resolved
from sim.shipped import user_cache_dir
from sim.streams import Streams
from sim.vocabulary import InputError
from sim.world.build import World, build_world
from sim.world.catalogue import Opening
from sim.world.left_file import LEFT, packed, read_left, unpacked
from sim.world.roads import file_key, load_cache, save_cache

FORMAT = 3
"""Raise when an opening of the same scenario would come out differently."""

BEFORE = 2**31
"""Number of the replication that the days before are drawn as: none of the run's own."""

KNOWN = "known"
"""The forecast that wants no history."""

_NO_MATTER = (
    "name", "description", "horizon_h", "drain_h", "warmup_h", "faults", "drivers", "pickers", "customers", "payments",
    "platform", "policies", "costs", "slo", "travel", "support", "check",
)  # fmt: skip
"""Branches of a scenario that change nothing about the days before, but for where their customers are (see `_cache_path`)."""

_OF_PICKERS = ("mispick_share", "breakage_share")
"""What matters of the pickers: nobody is there in the days before, but goods are taken wrongly and broken."""

_OF_POLICIES = ("replenishment", "forecast", "transfer", "reconciliation")
"""Families that decide anything in the days before."""


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
    world = taught(build_world(scenario, streams))
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


def taught(world: World) -> World:
    """Give a world the sales of the run that its forecast names as `trained_on`, if it names one.

    Raises
    ------
    InputError
        It is no finished run of as many SKUs.
    """
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
        return unpacked(known)
    # Stores, places and goods do not depend on the replication, so the rest is drawn anew for these days only.
    streams = Streams(scenario.seed, BEFORE)
    earlier = replace(build_world(scenario, streams), lesson=world.lesson)
    outcome = simulate(earlier, NoArchive(), streams=streams, progress=progress)
    if path is not None:
        save_cache(path, packed(outcome.left))
    return outcome.left


def _cache_path(scenario: Scenario, world: World) -> Path | None:
    """Where the opening is cached; None where it hangs on code that its name does not say."""
    theirs = [getattr(scenario.policies, family) for family in _OF_POLICIES]
    if any(".py:" in spec or PREFIX in spec for spec in theirs):
        return None
    # How long rides take matters by who is in reach alone, which is in the name as demand.
    weather = scenario.demand.weather.model_copy(update={"ride_factor": 1.0})
    plain = scenario.model_copy(update={"demand": scenario.demand.model_copy(update={"weather": weather})})
    tree = {key: value for key, value in resolved(plain).items() if key not in _NO_MATTER}
    hands = [getattr(scenario.pickers, name) for name in _OF_PICKERS]
    files = {role: key.decode() for role, key in world.files.items()}
    key = json.dumps([__version__, FORMAT, np.__version__, tree, hands, theirs, files], sort_keys=True)
    # Who orders where hangs on the zones, and these on vehicles and roads, which the tree above leaves out.
    name = hashlib.sha256(key.encode() + world.daily_demand.tobytes())
    return user_cache_dir() / "openings" / f"{name.hexdigest()[:24]}.npz"


def _stock_file(scenario: Scenario) -> Path:
    """What holds the goods that another run left: the file of its folder that has most of it, or the file that is named."""
    path = scenario.base_of("stores.opening") / str(scenario.stores.opening)
    if not path.is_dir():
        return path
    return path / LEFT if (path / LEFT).is_file() else path / "stock.parquet"


def _read(scenario: Scenario, path: Path, world: World) -> Opening:
    """The goods as a run left them.

    Its ``left.npz`` has all of it. A ``stock.parquet`` alone knows neither how old goods are nor what stands at docks or is on
    the road: there is nothing of that then, and ages are judged from the shelves.
    """
    where = f"{scenario.origin_of('stores.opening')}: stores.opening"
    shape = (world.stores, world.catalogue.skus)
    if path.name == LEFT:
        opening = read_left(path, world.catalogue.life_days, scenario.stores.dock)
        if opening is None:
            raise InputError(f"{where}: expected a run's folder or its stock.parquet, got {path} that cannot be read.")
        found = opening.shelf.shape
    else:
        opening, found = _ledgers(path, where)
    if opening is None or found != shape:
        raise InputError(
            f"{where}: expected the stock of {shape[0]} stores with {shape[1]} SKUs, got {path} with that"
            f" of {found[0]} with {found[1]}."
        )
    return replace(opening, sold=_sold_before(scenario, path.parent, shape[1]))


def _ledgers(path: Path, where: str) -> tuple[Opening | None, tuple[int, ...]]:
    """Shelf, record and scan log by a ``stock.parquet``, and of how many stores and SKUs they are; None when not of all."""
    try:
        table = pq.read_table(path, columns=["store", "sku", "shelf", "scan", "available", "reserved"])
        columns = {name: table[name].to_numpy().astype(np.int64) for name in table.column_names}
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"{where}: expected a run's folder or its stock.parquet, got {path} ({type(error).__name__})."
        ) from error
    stores, skus = (int(columns[name].max(initial=-1)) + 1 for name in ("store", "sku"))
    if not np.array_equal(columns["store"] * skus + columns["sku"], np.arange(stores * skus)):
        return None, (stores, skus)
    columns["record"] = columns["available"] + columns["reserved"]
    ledgers = {name: columns[name].reshape(stores, skus) for name in ("shelf", "record", "scan")}
    return Opening(**ledgers), (stores, skus)


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
