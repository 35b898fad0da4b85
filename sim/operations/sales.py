"""Sales of a goods-only run: what customers ask for in a step is promised from the records and taken off the shelves."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.clock import Clock, Timer
from sim.facts import Facts
from sim.operations.hands import beside
from sim.operations.losses import lose
from sim.operations.reconciliation import Counting
from sim.operations.shelves import Shelves
from sim.platform.stock_desk import StockDesk
from sim.story import Story
from sim.vocabulary import SkuId, StockCause, StoreId
from sim.world.wants import Wants


class Sales:
    """Plays the demand of all stores, step by step.

    As in a full run, the record decides what is promised and the shelf what is found: units that are not found go back to
    the record, which goes on offering them until somebody counts.

    Parameters
    ----------
    wait
        Whether customers wait for what they did not get, and are served first when it is there; else they go.
    """

    def __init__(
        self, env: Clock, facts: Facts, wants: Wants, desk: StockDesk, shelves: Shelves, counting: Counting, *, wait: bool
    ) -> None:  # fmt: skip
        self._env, self._facts, self._wants, self._desk = env, facts, wants, desk
        self._shelves, self._counting = shelves, counting
        self._owed: NDArray[np.int64] | None = None
        if wait:
            desk.owed = np.zeros((shelves.stores, shelves.skus), dtype=np.int64)
            self._owed = desk.owed.ravel()  # a view: the desk sees what changes here

    def run(self) -> Story:
        """Play every step at its end."""
        env, wants, skus = self._env, self._wants, self._shelves.skus
        for step, end_s in enumerate(wants.ends_s.tolist()):
            yield Timer(env, end_s - env.now)
            if self._owed is not None:
                waiting = np.flatnonzero(self._owed)
                self._owe(waiting, -self._sell(waiting, waiting, self._owed[waiting]))
            place, units, slips, broken, seen = wants.of(step)
            for scanned in (False, True):
                self._break(broken[seen == scanned], scanned=scanned)
            for slipped in (False, True):
                mine = slips == slipped
                asked, line = np.unique(place[mine], return_inverse=True)
                wanted = np.bincount(line, weights=units[mine], minlength=len(asked)).astype(np.int64)
                sold = self._sell(asked, beside(asked, skus) if slipped else asked, wanted, log=True)
                self._owe(asked, wanted - sold)

    def _break(self, places: NDArray[np.int64], *, scanned: bool) -> None:
        """Units break as they are taken, as far as there are any."""
        for store in np.unique(places // self._shelves.skus).tolist():
            mine = places[places // self._shelves.skus == store] % self._shelves.skus
            skus, units = np.unique(mine, return_counts=True)
            lose(self._desk, self._shelves, StoreId(store), skus, units, StockCause.BREAKAGE, scanned=scanned)

    def _sell(
        self, places: NDArray[Any], taken: NDArray[Any], wanted: NDArray[np.int64], *, log: bool = False
    ) -> NDArray[np.int64]:
        """Sell what there is of `wanted` units at each place, taken off the shelf at `taken`; returns the units sold, (n,).

        `log`: that the others were missed.
        """
        inventory = self._desk.inventory
        promised = np.minimum(wanted, np.maximum(np.frombuffer(inventory.available, dtype=np.int32)[places], 0))
        sold = np.minimum(promised, np.frombuffer(self._shelves.units, dtype=np.int32)[taken])
        some = sold > 0
        if some.any():
            self._shelves.sell(places[some], taken[some], sold[some])
            inventory.sell(places[some], sold[some])
        short = np.flatnonzero(promised > sold)
        if log:
            self._miss(places, wanted - promised, denied=True)
            self._miss(places, promised - sold, denied=False)
        for i in short.tolist():
            store, sku = divmod(int(taken[i]), self._shelves.skus)
            self._counting.short_pick(StoreId(store), SkuId(sku), int(promised[i]), int(sold[i]))
        return np.asarray(sold)

    def _miss(self, places: NDArray[Any], units: NDArray[np.int64], *, denied: bool) -> None:
        self._note("sale_missed", places, units, denied=np.full(len(places), denied))

    def _owe(self, places: NDArray[Any], units: NDArray[np.int64]) -> None:
        if self._owed is not None:
            self._owed[places] += units
            self._note("backorder_changed", places, units)

    def _note(self, kind: str, places: NDArray[Any], units: NDArray[np.int64], **more: NDArray[Any]) -> None:
        some = units != 0
        if some.any():
            store, sku = np.divmod(places[some], self._shelves.skus)
            rest = {name: column[some] for name, column in more.items()}
            self._facts.many(kind, {"store": store, "sku": sku, "units": units[some], **rest})
