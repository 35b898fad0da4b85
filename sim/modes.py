"""The two modes of a run: who takes part in it, from the first moment to the final state.

A full run has the office, the floor and everything that can break; a goods-only run has the goods, their records and those
who move them, and customers who only ask for units: months of it take seconds.
"""

from functools import partial
from typing import Any, Protocol

import numpy as np

from sim.clock import Clock
from sim.contracts import Policies, Stops
from sim.facts import Facts
from sim.faults import Faults, Provided
from sim.operations.floor import Floor
from sim.operations.goods import Goods
from sim.operations.phones import Phones
from sim.operations.provider import Habits, Provider
from sim.operations.sales import Sales
from sim.operations.shelves import Shelves
from sim.operations.walks import Walks, expected_pick_s, walks_of
from sim.platform.forecasting import Forecasting, Outlook
from sim.platform.inventory import Inventory
from sim.platform.office import Office
from sim.platform.stock_desk import StockDesk
from sim.ports import Figures, Latencies
from sim.recording import State
from sim.scenario import Scenario
from sim.scenario.calendar import Calendar
from sim.story import tell
from sim.streams import Streams, quick
from sim.vocabulary import StoreId, quantise
from sim.world.build import World
from sim.world.notices import Notices
from sim.world.pings import Pings
from sim.world.places import middles_of
from sim.world.travel import LaggingEstimator
from sim.world.wants import Wants


class Mode(Protocol):
    """What the engine asks of whoever takes part."""

    goods: Goods

    def start(self) -> None:
        """Begin everybody's story."""

    def close(self) -> None:
        """The run is over."""

    def state(self) -> State:
        """Read the final state off the live objects, to be held against what the log says."""


def mode_of(env: Clock, facts: Facts, world: World, policies: Policies, streams: Streams) -> Mode:
    """Whoever takes part in a world's run."""
    kind = Full if world.scenario.mode == "full" else GoodsOnly
    return kind(env, facts, world, policies, streams)


class Full:
    """Goods, people, roads and platform."""

    def __init__(self, env: Clock, facts: Facts, world: World, policies: Policies, streams: Streams) -> None:
        scenario, trace = world.scenario, world.trace
        self._world, quiet = world, scenario.platform.profile == "minimal"
        down, walks = Provided(), walks_of(world, policies)
        shares = [share for share in scenario.drivers.vehicles.values() if share > 0]
        phones = Phones(env, facts, world, Pings.of(scenario, streams), Notices.of(scenario, streams))
        provider = Provider(env, facts, trace.pay_chance, trace.pay_s, _habits(scenario), down, streams.die("provider"))
        self._office = office = Office(
            env,
            facts,
            scenario,
            policies,
            _figures(world, walks),
            _outlook(world),
            Latencies(
                quick(trace.submit_s), quick(trace.window_s), 0.0 if quiet else quantise(scenario.platform.bus_s)
            ),
            LaggingEstimator(
                world.travel, scenario.travel.estimator_lag_s, scenario.travel.estimator_bias, shares.index(max(shares))
            ),
            provider,
            phones,
            streams.die,
        )
        provider.callbacks = office.payments
        self._floor = Floor(env, facts, world, office, policies, streams, phones, walks)
        self.goods = self._floor.goods
        self._faults = None if quiet else Faults(env, facts, scenario, streams, down, office, self._floor)

    def start(self) -> None:
        """Begin everybody's story."""
        self._office.start()
        self._floor.start()
        if self._faults is not None:
            self._faults.start()

    def close(self) -> None:
        """The platform settles its last accounts."""
        self._office.close()

    def state(self) -> State:
        """Read the final state off the live objects."""
        floor, office = self._floor, self._office
        orders = np.frombuffer(office.book.everything(), dtype="<i8").reshape(-1, 4)
        # By order, the last row of each: `unique` returns first places, so look from the end.
        last = len(orders) - 1 - np.unique(orders[::-1, 0], return_index=True)[1]
        totes: dict[tuple[int, int], int] = {}
        for order, tote in floor.shelves.totes.items():
            for sku, units in tote:
                totes[order, sku] = totes.get((order, sku), 0) + units
        return State(
            **_ledgers(self._world, floor.shelves, office.inventory),
            orders=orders[last],
            tasks=frozenset(int(order.id) for order in office.book.open.values() if order.tasked),
            totes=totes,
            drivers={int(d.id): int(d.leg.node if d.leg else d.node) for d in floor.driving.drivers if d.out},
        )


class GoodsOnly:
    """Goods and their records."""

    def __init__(self, env: Clock, facts: Facts, world: World, policies: Policies, streams: Streams) -> None:
        scenario, self._world = world.scenario, world
        self._inventory = Inventory(facts, world.stores, world.catalogue.skus, env=env)
        forecasting = Forecasting(env, facts, self._inventory, policies.forecast, _outlook(world))
        limit = scenario.stores.review.picker_units
        desk = StockDesk(env, facts, self._inventory, policies.replenishment, forecasting, None, limit)
        self.goods = Goods(env, facts, world, desk, policies, streams)
        self._sales = Sales(
            env, facts, Wants(scenario, streams, world.open_s, world.daily_demand), desk, self.goods.shelves,
            self.goods.counting, wait=scenario.unmet == "backorder",
        )  # fmt: skip

    def start(self) -> None:
        """Begin everybody's story: at the same moment, goods are sold before stocks are reviewed."""
        tell(self._sales.run())
        self.goods.start()

    def close(self) -> None:
        """Nobody has anything to settle."""

    def state(self) -> State:
        """Read the final state off the live objects."""
        return State(
            **_ledgers(self._world, self.goods.shelves, self._inventory),
            orders=np.empty((0, 4), dtype=np.int64),
            tasks=frozenset(),
            totes={},
            drivers={},
        )


def _ledgers(world: World, shelves: Shelves, inventory: Inventory) -> dict[str, Any]:
    shape = (world.stores, world.catalogue.skus)
    ledgers = {
        "shelf": shelves.units, "available": inventory.available, "reserved": inventory.reserved, "version": inventory.version
    }  # fmt: skip
    return {
        **{name: np.array(column, dtype=np.int64).reshape(shape) for name, column in ledgers.items()},
        "dock": shelves.docked.copy(),
        "road": shelves.road.copy(),
        "scan": np.stack([shelves.scanned(StoreId(store)) for store in range(world.stores)]).astype(np.int64),
    }


def _outlook(world: World) -> Outlook:
    return Outlook(
        calendar=Calendar.of(world.scenario),
        told=world.daily_demand,
        horizon_s=world.scenario.horizon_s,
        believed=world.believed,
        before=world.opening.sold,
        lesson=world.lesson,
    )


def _figures(world: World, walks: Walks | None) -> Figures:
    drivers = world.scenario.drivers
    return Figures(
        skus=world.catalogue.skus,
        stores=world.stores,
        prices_cents=quick(world.catalogue.price_cents),
        store_nodes=world.store_nodes,  # type: ignore[arg-type]
        loads_litres=[vehicle.litres for vehicle in world.travel.profiles],
        driver_profiles=[driver.profile for driver in world.drivers],
        driver_homes=[driver.home for driver in world.drivers],  # type: ignore[misc]
        driver_nodes=[world.start_node(driver) for driver in world.drivers],  # type: ignore[misc]
        driver_shifts=[driver.shifts for driver in world.drivers],
        on_call=[driver.on_call for driver in world.drivers] if drivers.on_call is not None else (),
        ranges_m=[vehicle.range_m for vehicle in world.travel.profiles],
        stops=Stops(drivers.arrive_s, drivers.handoff_s, drivers.expected_door_s, drivers.leave_s),
        pick_s=expected_pick_s(world, walks),
        door_s=drivers.expected_door_s,
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
        cell=quick(world.cell),
        middles=partial(middles_of, world.geography, world.cell),
        metres=world.metres,
        restricted=() if world.doors is None else quick(world.doors.restricted),
    )


def _habits(scenario: Scenario) -> Habits:
    pay = scenario.payments
    if scenario.platform.profile == "minimal":
        return Habits(pay.decline_share)
    return Habits(
        pay.decline_share, pay.lost_answer_share, pay.duplicate_share, pay.callback_s, pay.lost_callback_share
    )
