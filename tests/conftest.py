"""Named tiny worlds and the few verbs that every room's tests share."""

# ruff: noqa: E402 (what is tested is the source: machine code is left aside before any of it could be loaded)

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sim.compiled import home, leave_aside

MACHINE_CODE = home()
leave_aside()

from sim.contracts import Policies
from sim.engine import Outcome, simulate
from sim.laws import all_laws, verdict, whole_log
from sim.metrics import Study, study
from sim.opening import ready_world
from sim.recording import MemoryArchive, State, replay
from sim.scenario import Scenario, load_text
from sim.shipped import HOME_VARIABLE
from sim.streams import Streams
from sim.world.build import World

# Two hours at noon: everybody is at work from the first second, so a test need not wait for a shift.
ONE_STORE = """
name: one-store
start: 2026-11-20T12:00+00:00
horizon_h: 2
drain_h: 2
map: {width_m: 2000, height_m: 2000, points: 40, speed_kmh: 30}
stores: {count: 1, open: "00:00-24:00", zone: {radius_m: 100000}}
pickers: {per_store: 4, shifts: [{at: "12:00", hours: 5}]}
drivers: {count: 8, shifts: [{at: "12:00", hours: 5}]}
catalogue: {skus: 60}
shrinkage: {theft_share: 0, damage_share: 0}
demand: {orders_per_day: 1440, profile: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1], weekday: [1,1,1,1,1,1,1]}
"""

TWO_STORES = (
    ONE_STORE.replace("one-store", "two-stores")
    .replace("{count: 1,", "{count: 2,")
    .replace("width_m: 2000", "width_m: 5000")
    .replace("count: 8", "count: 14")
    .replace("orders_per_day: 1440", "orders_per_day: 2400")
)


@dataclass(frozen=True, slots=True)
class Played:
    """A run in memory: its world, what the engine said of it, its log and its study."""

    world: World
    outcome: Outcome
    archive: MemoryArchive
    study: Study

    def rows(self, kind: str) -> Any:
        """All facts of a kind."""
        return self.archive.rows(kind)

    def replayed(self) -> State:
        """The final state by the log alone."""
        return replay(self.archive, (self.world.stores, self.world.catalogue.skus))


Builder = Callable[..., Scenario]
Play = Callable[..., Played]


def lawful_day(play: Play, scenario: Scenario) -> Played:
    """Play a day on which no law is broken."""
    world = ready_world(scenario)
    laws = all_laws(world)
    played = play(world, laws=laws)
    assert verdict(laws) + whole_log(played.archive, played.outcome.state) == []
    return played


@pytest.fixture(scope="session")
def compiled_home(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """A home of the tests' own with the machine code of whoever runs them; None: there is none of this source."""
    if not MACHINE_CODE.is_dir():
        return None
    home = tmp_path_factory.mktemp("compiled")
    making = home / "cache" / "compiled"
    making.mkdir(parents=True)
    (making / MACHINE_CODE.name).symlink_to(MACHINE_CODE)
    return home


@pytest.fixture(scope="session", autouse=True)
def darkstore_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test touches the user's own folders."""
    before = os.environ.get(HOME_VARIABLE)
    home = tmp_path_factory.mktemp("home")
    os.environ[HOME_VARIABLE] = str(home)
    yield home
    if before is None:
        del os.environ[HOME_VARIABLE]
    else:
        os.environ[HOME_VARIABLE] = before


def _builder(text: str) -> Builder:
    def build(*settings: str) -> Scenario:
        return load_text(text, settings)

    return build


@pytest.fixture(scope="session")
def one_store() -> Builder:
    """One store on a plain of 2 km, 120 orders in two hours; takes ``path=value`` settings."""
    return _builder(ONE_STORE)


@pytest.fixture(scope="session")
def two_stores() -> Builder:
    """Two stores on a plain of 5 km, 200 orders in two hours; takes ``path=value`` settings."""
    return _builder(TWO_STORES)


@pytest.fixture(scope="session")
def play() -> Play:
    """Run a scenario (or a world) in memory."""

    def run(
        scenario: Scenario | World,
        *,
        replication: int = 0,
        policies: Policies | None = None,
        laws: Sequence[object] = (),
    ) -> Played:
        tree = scenario.scenario if isinstance(scenario, World) else scenario
        streams = Streams(tree.seed, replication)
        world = scenario if isinstance(scenario, World) else ready_world(scenario, streams)
        archive = MemoryArchive()
        outcome = simulate(world, archive, streams=streams, policies=policies, laws=laws)
        return Played(world, outcome, archive, study(archive, tree, outcome.state, streams))

    return run


BUSY = (
    "horizon_h=0.6",
    "drain_h=0.7",
    "customers.absent_share=0.05",
    "drivers.count=9",
    "drivers.mishaps.breakdowns_per_1000h=2000",
    "policies.picking=batch",
    "policies.positioning=return_to_store",
    'faults=[{kind: provider_outage, at: "12:20", minutes: 4}]',
)


@pytest.fixture(scope="session")
def noon_folder(tmp_path_factory):
    """The folder of a small noon with a bit of everything."""
    from sim.experiments.runs import run_to_folder
    from sim.scenario import load_text

    out = tmp_path_factory.mktemp("noon") / "noon"
    run_to_folder(load_text(TWO_STORES, BUSY), out)
    return out


@pytest.fixture(scope="session")
def noon(noon_folder):
    """The same, as its readers see it."""
    from sim.reading.run import FinishedRun

    return FinishedRun(noon_folder)
