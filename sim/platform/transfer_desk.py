"""The office's desk for transfers: what the policy proposes, held to the records and put together into trips."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.clock import Clock
from sim.contracts import Transfer
from sim.platform.stock_desk import StockDesk
from sim.vocabulary import InputError, StoreId


class LiveTransferView:
    """See `sim.contracts.TransferView`."""

    def __init__(
        self, now_s: float, stock: StockDesk, daily_demand: NDArray[Any], transfer_s: float, next_delivery_s: float
    ) -> None:
        self.now_s, self._stock, self.daily_demand = now_s, stock, daily_demand
        self.transfer_s, self.next_delivery_s = transfer_s, next_delivery_s

    @property
    def on_hand(self) -> NDArray[Any]:
        """Net stock by the records, int64 (stores, skus)."""
        return np.stack([self._stock.on_hand(StoreId(store)) for store in range(self._stock.inventory.stores)])

    @property
    def on_order(self) -> NDArray[Any]:
        """Units whose receipt the office has not heard of, int64 (stores, skus)."""
        return self._stock.on_order.copy()


class Trip(NamedTuple):
    """What one store is asked to send another: SKUs, each once, and units, both (n,)."""

    origin: StoreId
    to: StoreId
    skus: NDArray[Any]
    units: NDArray[Any]


class TransferDesk:
    """Asks the policy, and lets stores send what is not promised to orders."""

    def __init__(self, env: Clock, stock: StockDesk, policy: Transfer) -> None:
        self._env, self._stock, self._policy = env, stock, policy

    def review(self, transfer_s: float, next_delivery_s: float) -> list[Trip]:
        """What shall move now, by giving and then by receiving store; demand is what is forecast until the next delivery.

        Raises
        ------
        InputError
            The policy names a store or SKU that is none, or something twice.
        """
        stores, skus = self._stock.inventory.stores, self._stock.inventory.skus
        until_s = self._env.now + max(transfer_s, next_delivery_s)
        daily_demand = np.stack([self._stock.forecasting.until(StoreId(store), until_s) for store in range(stores)])
        view = LiveTransferView(self._env.now, self._stock, daily_demand, transfer_s, next_delivery_s)
        moves = np.array([tuple(move) for move in self._policy(view)], dtype=np.int64).reshape(-1, 4)
        if not len(moves):
            return []
        moves = moves[np.lexsort((moves[:, 2], moves[:, 1], moves[:, 0]))]
        wrong = (moves < 0).any(axis=1) | (moves[:, :3] >= (stores, stores, skus)).any(axis=1)
        wrong |= moves[:, 0] == moves[:, 1]
        wrong[1:] |= (moves[1:, :3] == moves[:-1, :3]).all(axis=1)
        for move in moves[wrong]:
            raise InputError(
                f"policies.transfer: expected moves (origin, to, sku, units) between two of {stores} stores, with an sku below"
                f" {skus}, units >= 0 and each once, got {tuple(move.tolist())}."
            )
        return list(self._free(moves))

    def _free(self, moves: NDArray[np.int64]) -> list[Trip]:
        left: dict[int, NDArray[Any]] = {}
        trips = []
        for origin, to in np.unique(moves[:, :2], axis=0).tolist():
            mine = moves[(moves[:, 0] == origin) & (moves[:, 1] == to)]
            if origin not in left:
                left[origin] = np.maximum(
                    self._stock.inventory.free(StoreId(origin), np.arange(self._stock.inventory.skus)), 0
                )
            units = np.minimum(mine[:, 3], left[origin][mine[:, 2]])
            left[origin][mine[:, 2]] -= units
            if units.any():
                trips.append(Trip(StoreId(origin), StoreId(to), mine[:, 2][units > 0], units[units > 0]))
        return trips
