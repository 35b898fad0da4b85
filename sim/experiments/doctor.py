"""Is the installation sound? Versions, shipped files, folders that can be written, the menu, a tiny run."""

import importlib.metadata
import sys
import tempfile
from collections.abc import Iterator

from sim import __version__
from sim.compiled import in_use
from sim.contracts import FAMILIES
from sim.experiments.runs import run_in_memory
from sim.laws import all_laws, verdict
from sim.menu import menu
from sim.opening import ready_world
from sim.scenario import load_text
from sim.scenario.loading import load, shipped_scenarios
from sim.shipped import shipped_root, user_cache_dir
from sim.streams import Streams
from sim.vocabulary import InputError

TINY = """
name: tiny
start: 2026-01-05T00:00+00:00
horizon_h: 4
drain_h: 1
map: {width_m: 2000, height_m: 2000, points: 50, speed_kmh: 20}
stores: {count: 1, open: "00:00-24:00", zone: {radius_m: 5000}}
pickers: {per_store: 4, shifts: [{at: "00:00", hours: 8}]}
drivers: {count: 8, shifts: [{at: "00:00", hours: 8}]}
catalogue: {skus: 50}
demand: {orders_per_day: 600, profile: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}
"""
"""A scenario of a moment: one store on a plain, a hundred orders."""


def examine() -> Iterator[tuple[bool, str]]:
    """Yield (whether it is good, what was looked at) for each check."""
    yield sys.version_info >= (3, 11), f"Python {sys.version.split()[0]} (3.11 or newer)"
    yield True, f"darkstore {__version__}"
    for name in ("simpy", "numpy", "scipy", "pyarrow", "pydantic", "osmnx"):
        try:
            yield True, f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            yield False, f"{name} is not installed"
    yield True, _engine()
    yield from _scenarios()
    policies = {family: len(names) for family, names in menu().items()}
    yield (
        all(policies[family] for family in FAMILIES),
        f"policies on the menu: {sum(policies.values())} in {len(policies)} families",
    )
    yield _cache()
    yield _tiny()


def _scenarios() -> Iterator[tuple[bool, str]]:
    found = shipped_scenarios()
    yield bool(found), f"shipped scenarios in {shipped_root()}: {', '.join(found) or 'none'}"
    for name in found:
        try:
            load(name)
        except InputError as error:
            yield False, str(error)


def _engine() -> str:
    if in_use():
        return "engine: compiled to machine code"
    return "engine: read from source (darkstore compile, once: runs take half the time)"


def _cache() -> tuple[bool, str]:
    folder = user_cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True, f"cache in {folder}"
    except OSError as error:
        return True, f"no cache ({folder}: {error.strerror}); maps are compiled anew at each start"


def _tiny() -> tuple[bool, str]:
    scenario = load_text(TINY)
    streams = Streams(scenario.seed)
    world = ready_world(scenario, streams)
    laws = all_laws(world)
    summary = run_in_memory(world, streams, laws=laws).summary
    breaches = verdict(laws)
    return not breaches, f"a tiny run: {summary['orders']['delivered']} orders delivered, {len(breaches)} laws broken"
