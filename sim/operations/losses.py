"""Losses: goods that are stolen or break. What nobody scans, neither the scan log nor the record learns."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.clock import Clock, Timer
from sim.operations.shelves import Shelves
from sim.platform.stock_desk import StockDesk
from sim.story import Story
from sim.vocabulary import NO_ORDER, OrderId, StockCause, StoreId
from sim.world.mishaps import Mishaps


class Losses:
    """Plays the mishaps of a run."""

    def __init__(self, env: Clock, desk: StockDesk, shelves: Shelves, mishaps: Mishaps) -> None:
        self._env, self._desk, self._shelves, self._mishaps = env, desk, shelves, mishaps

    def run(self) -> Story:
        """Let every mishap happen at its time, to what is still there."""
        env, mishaps = self._env, self._mishaps
        for row, at_s in enumerate(mishaps.at_s.tolist()):
            if at_s > env.now:
                yield Timer(env, at_s - env.now)
            self._lose(row)

    def _lose(self, row: int) -> None:
        mishaps = self._mishaps
        lines = slice(int(mishaps.first_line[row]), int(mishaps.first_line[row + 1]))
        store, cause = StoreId(int(mishaps.store[row])), StockCause(int(mishaps.cause[row]))
        scanned = bool(mishaps.scanned[row])
        lose(self._desk, self._shelves, store, mishaps.sku[lines], mishaps.units[lines], cause, scanned=scanned)


def lose(
    desk: StockDesk, shelves: Shelves, store: StoreId, skus: NDArray[Any], units: NDArray[Any], cause: StockCause, *,
    scanned: bool, order: OrderId = NO_ORDER,
) -> None:  # fmt: skip
    """Units of SKUs (each once) leave a store's shelves, (n,), as far as they are there; if it is `scanned`, the office hears.

    `order`: for which somebody reached for them.
    """
    gone = np.minimum(units, shelves.column(store)[skus])
    skus, gone = skus[gone > 0], gone[gone > 0]
    if not len(skus):
        return
    if scanned:
        shelves.change_many(store, skus, -gone, cause, order=order)
        desk.written_off(store, skus, gone, cause, order)
    else:
        shelves.change_many(store, skus, -gone, cause, np.zeros_like(gone), order)
