"""The goods side of the shop floor put together: shelves, losses, shelf life, counting, trucks, docks and transfers."""

import numpy as np

from sim.clock import Clock
from sim.contracts import Policies
from sim.facts import Facts
from sim.operations.comparing import Comparing
from sim.operations.dock import Dock
from sim.operations.freshness import Freshness
from sim.operations.losses import Losses
from sim.operations.planned import PlannedCounts
from sim.operations.reconciliation import Counting
from sim.operations.replenishment import Supply, Trucks
from sim.operations.reviewing import Reviewing
from sim.operations.shelves import Shelves
from sim.operations.transfers import Transfers
from sim.platform.stock_desk import StockDesk
from sim.platform.transfer_desk import TransferDesk
from sim.story import tell
from sim.streams import Streams
from sim.vocabulary import StoreId
from sim.world.build import World
from sim.world.catalogue import Load, Opening


class Goods:
    """The goods of all stores, and everybody who moves them outside orders; `start` puts these in motion."""

    def __init__(
        self, env: Clock, facts: Facts, world: World, desk: StockDesk, policies: Policies, streams: Streams
    ) -> None:
        scenario, opening = world.scenario, world.opening
        self._env, self._world, self._desk = env, world, desk
        self.shelves = Shelves(facts, opening.shelf, opening.scan)
        for store, record in enumerate(opening.record):
            skus = np.flatnonzero(record)
            desk.opened(StoreId(store), skus, record[skus])
        self.counting = Counting(
            env, facts, desk, self.shelves, policies.reconciliation,
            scenario.stores.count_error_share, streams.die("goods.count"),
        )  # fmt: skip
        self.planned = PlannedCounts(env, facts, desk, self.counting, policies.reconciliation, scenario)
        self._reviewing = Reviewing(env, facts, desk, self.shelves, scenario)
        desk.too_large = self._reviewing.flag
        self._comparing = Comparing(env, desk, self.shelves, policies.reconciliation, self._reviewing)
        self._losses = Losses(env, desk, self.shelves, world.mishaps)
        self._freshness = Freshness(
            env, desk, self.shelves, world.catalogue.life_days,
            first_s=scenario.first_s(scenario.supply.look_at), opening_days=scenario.supply.cover_days,
            lots=opening.lots,
        )  # fmt: skip
        terms = scenario.stores.dock
        self._docks = [
            Dock(env, facts, desk, self.shelves, self._freshness, terms, StoreId(store))
            for store in range(world.stores if terms is not None else 0)
            if terms is not None
        ]
        every = policies.replenishment.every_s
        trucks = Trucks(scenario.supply, scenario.midnight_s, world.catalogue.litres, streams)
        self._supplies = [
            Supply(
                env, facts, desk, self.shelves, self._freshness, trucks, StoreId(store),
                first_s=scenario.first_s(scenario.supply.review_at, every), every_s=every,
                under_way=[load for load in opening.under_way if load.store == store],
                dock=self._docks[store] if self._docks else None,
            )
            for store in range(world.stores)
        ]  # fmt: skip
        moving = policies.transfer.every_s
        self._transfers = Transfers(
            env, TransferDesk(env, desk, policies.transfer), desk, self.shelves, self._freshness, self.counting, trucks,
            first_s=scenario.first_s(scenario.supply.transfer_at, moving), every_s=moving,
            road_s=scenario.supply.transfer_minutes * 60.0,
            review_first_s=scenario.first_s(scenario.supply.review_at, every), review_every_s=every,
            under_way=opening.hauls,
        )  # fmt: skip

    def start(self) -> None:
        """Begin everybody's story."""
        tell(self._desk.forecasting.run())
        if self._world.opening.dock is not None:
            for dock, noted, there in zip(self._docks, *self._world.opening.dock, strict=False):
                dock.stands(noted, there)
        for supply in self._supplies:
            tell(supply.run())
        tell(self._transfers.run())
        tell(self._losses.run())
        tell(self._freshness.run())
        tell(self.planned.run())
        self._comparing.start()
        self._reviewing.start()

    def left(self) -> Opening:
        """How things stand now, as the opening of a run that begins now; times are of that run."""
        shape, inventory = (self.shelves.stores, self.shelves.skus), self._desk.inventory
        stores = range(self.shelves.stores)
        return Opening(
            shelf=np.array(self.shelves.units, dtype=np.int64).reshape(shape),
            record=np.stack([inventory.on_hand(StoreId(store)) for store in stores]),
            scan=np.stack([self.shelves.scanned(StoreId(store)) for store in stores]).astype(np.int64),
            lots=self._freshness.lots,
            under_way=tuple(
                Load(load.store, load.at_s - self._env.now, load.number, load.units)
                for supply in self._supplies
                for load in supply.under_way()
            ),
            sold=self._desk.forecasting.left(),
            dock=np.stack([dock.left() for dock in self._docks], axis=1) if self._docks else None,
            hauls=self._transfers.left(),
        )
