"""One run: the only place that makes a Clock and a log.

The run advances in slices of simulated time; between slices the log is flushed and progress is told. Nothing that
happens between slices adds an event or draws a number, so a run that is watched is the run that is not.
"""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.clock import Clock
from sim.contracts import Policies
from sim.faults import Faults, Provided
from sim.menu import build_policies
from sim.operations.floor import Floor, Phones, expected_pick_s
from sim.operations.provider import Habits, Provider
from sim.platform.office import Office
from sim.ports import Figures, Latencies
from sim.recording import Log, Sink, State
from sim.scenario import Scenario
from sim.streams import Streams, quick
from sim.vocabulary import StoreId, quantise
from sim.world.build import World
from sim.world.travel import LaggingEstimator

SLICE_S = 900.0
"""Simulated seconds between flushes of the log."""


GARBAGE = 1_000_000
"""Objects that may be alive or lost before the collector looks for those that nobody can reach."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come: simulated seconds, of how many, and facts so far."""

    now_s: float
    end_s: float
    facts: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run leaves besides its log."""

    digest: str
    facts: int
    events: int
    cpu_s: float
    wall_s: float
    state: State


def policies_of(scenario: Scenario, *, allow_code: bool = False) -> Policies:
    """Build the scenario's policies afresh.

    Raises
    ------
    InputError
        An unknown name (lists the menu), a bad parameter, or code in a scenario file without `allow_code`.
    """
    specs = scenario.policies.model_dump()
    places = {family: f"{scenario.origin_of(f'policies.{family}')}: policies.{family}" for family in specs}
    bases = {family: scenario.base_of(f"policies.{family}") for family in specs}
    return build_policies(specs, places, bases, allow_code=frozenset(specs) if allow_code else scenario.code_allowed)


def _figures(world: World) -> Figures:
    return Figures(
        skus=world.catalogue.skus,
        stores=world.stores,
        prices_cents=quick(world.catalogue.price_cents),
        store_nodes=world.store_nodes,  # type: ignore[arg-type]
        loads_litres=[vehicle.litres for vehicle in world.travel.profiles],
        driver_profiles=[driver.profile for driver in world.drivers],
        driver_homes=[driver.home for driver in world.drivers],  # type: ignore[misc]
        pick_s=expected_pick_s(world),
        door_s=world.scenario.drivers.door_s,
        open_s=world.open_s,
        serving=world.serving,  # type: ignore[arg-type]
        drivers=len(world.drivers),
        peak_orders_s=world.peak_orders_s,
        traffic=world.traffic,
        store_shares=world.store_shares.tolist(),
        categories=quick(world.catalogue.category),
        category_shares=np.bincount(
            world.catalogue.category, weights=world.catalogue.popularity, minlength=len(world.catalogue.categories)
        ).tolist(),
        metres=world.metres,
    )


def _habits(scenario: Scenario) -> Habits:
    pay = scenario.payments
    if scenario.platform.profile == "minimal":
        return Habits(pay.decline_share)
    return Habits(
        pay.decline_share, pay.lost_answer_share, pay.duplicate_share, pay.callback_s, pay.lost_callback_share
    )


def simulate(
    world: World,
    sink: Sink,
    *,
    streams: Streams | None = None,
    policies: Policies | None = None,
    laws: Sequence[object] = (),
    progress: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Run a world's day to its end.

    Parameters
    ----------
    world
        Built by `sim.world.build.build_world`.
    sink
        Takes the log's rows as the run goes on.
    streams
        The randomness on the way; the same that the world was drawn with.
    policies
        One per family; built from the scenario by default.
    laws
        Checkers that listen to the facts (`sim.laws`).
    progress
        Called between slices.
    """
    scenario = world.scenario
    streams = streams or Streams(scenario.seed)
    policies = policies or policies_of(scenario)
    cpu, wall = time.process_time(), time.perf_counter()
    env = Clock()
    log = Log(env, laws)
    trace, quiet = world.trace, scenario.platform.profile == "minimal"
    down = Provided()
    shares = [share for share in scenario.drivers.vehicles.values() if share > 0]
    phones = Phones()
    provider = Provider(env, log, trace.pay_chance, trace.pay_s, _habits(scenario), down, streams.die("provider"))
    office = Office(
        env,
        log,
        scenario,
        policies,
        _figures(world),
        Latencies(quick(trace.submit_s), quick(trace.window_s), 0.0 if quiet else quantise(scenario.platform.bus_s)),
        LaggingEstimator(
            world.travel, scenario.travel.estimator_lag_s, scenario.travel.estimator_bias, shares.index(max(shares))
        ),
        provider,
        phones,
        streams.die,
    )
    provider.callbacks = office.payments
    floor = Floor(env, log, world, office, policies, streams, phones)
    office.start()
    floor.start()
    if not quiet:
        Faults(env, log, scenario, streams, down, office, floor).start()
    end_s = scenario.end_s
    # Our own code makes no cyclic garbage (a test says so) and the world lives to the end, so the collector would walk
    # through it again and again for nothing; a policy of the user's may be less tidy, and is cleaned up after when it
    # matters.
    collecting = gc.isenabled()
    gc.freeze()
    gc.disable()
    try:
        now = 0.0
        while now < end_s:
            if gc.get_count()[0] > GARBAGE:
                gc.collect()
            now = min(now + SLICE_S, end_s)
            env.advance(now)
            log.flush(sink)
            if progress is not None:
                progress(Progress(now, end_s, log.count))
        office.close()
        log.close(sink)
    finally:
        gc.unfreeze()
        if collecting:
            gc.enable()
    return Outcome(
        digest=log.digest.hexdigest(),
        facts=log.count,
        events=next(env._eid),
        cpu_s=time.process_time() - cpu,
        wall_s=time.perf_counter() - wall,
        state=_final_state(world, floor, office),
    )


def _final_state(world: World, floor: Floor, office: Office) -> State:
    """Read the final state off the live objects, to be held against what the log says."""
    shape, inventory = (world.stores, world.catalogue.skus), office.inventory

    def ledger(column: Any) -> Any:
        return np.array(column, dtype=np.int64).reshape(shape)

    orders = np.frombuffer(office.book.everything(), dtype="<i8").reshape(-1, 4)
    # By order, the last row of each: `unique` returns first places, so look from the end.
    last = len(orders) - 1 - np.unique(orders[::-1, 0], return_index=True)[1]
    totes: dict[tuple[int, int], int] = {}
    for order, tote in floor.shelves.totes.items():
        for sku, units in tote:
            totes[order, sku] = totes.get((order, sku), 0) + units
    return State(
        shelf=ledger(floor.shelves.units),
        scan=np.stack([floor.shelves.scanned(StoreId(store)) for store in range(world.stores)]).astype(np.int64),
        available=ledger(inventory.available),
        reserved=ledger(inventory.reserved),
        version=ledger(inventory.version),
        orders=orders[last],
        tasks=frozenset(int(order.id) for order in office.book.open.values() if order.tasked),
        totes=totes,
        drivers={int(d.id): int(d.leg.node if d.leg else d.node) for d in floor.driving.drivers if d.out},
    )
