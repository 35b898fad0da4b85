"""Transfers: from stores with more than they need to stores that will run out before their next truck."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from sim.contracts import Move, TransferView
from sim.vocabulary import SkuId, StoreId

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Move what some stores have beyond some days' cover to those that lack cover until their next delivery.

    A store lacks what its stock and what is on its way fall short of mu + z * sqrt(mu), with mu the demand expected until the
    next delivery: the level that covers Poisson demand (Silver, Pyke, Thomas, *Inventory and Production Management*, 4th ed.,
    ch. 6). It can spare what it has on record beyond that level, and beyond `keep_days` of demand. SKU by SKU the store that
    lacks most is served first, from the store that can spare most; ties go to the lowest store. Nothing moves that would come
    later than the truck.

    `every_s`: seconds between reviews. `keep_days`: days of demand that a store keeps. `z`: safety factor. `trip_units`: a
    trip with fewer units is not worth its cost and is not made.
    """

    every_s: float = 86_400.0
    keep_days: float = 1.0
    z: float = 1.0
    trip_units: int = 20

    def __post_init__(self) -> None:
        if not self.every_s >= 60:
            raise ValueError(f"Expected every_s >= 60, got {self.every_s}.")
        for name in ("keep_days", "z", "trip_units"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"Expected {name} >= 0, got {getattr(self, name)}.")

    def __call__(self, view: TransferView) -> Iterable[Move]:
        if view.transfer_s >= view.next_delivery_s:
            return []
        mean = view.daily_demand * (view.next_delivery_s / DAY_S)
        level = mean + self.z * np.sqrt(mean)
        lack = np.maximum(np.ceil(level) - view.on_hand - view.on_order, 0).astype(np.int64)
        spare = view.on_hand - np.maximum(np.ceil(level), np.ceil(view.daily_demand * self.keep_days))
        spare = np.maximum(spare, 0).astype(np.int64)
        moves: list[Move] = []
        for sku in np.flatnonzero(lack.any(axis=0) & spare.any(axis=0)).tolist():
            moves += _shared(SkuId(sku), lack[:, sku].tolist(), spare[:, sku].tolist())
        trips: dict[tuple[StoreId, StoreId], int] = {}
        for move in moves:
            trips[move.origin, move.to] = trips.get((move.origin, move.to), 0) + move.units
        return [move for move in moves if trips[move.origin, move.to] >= self.trip_units]


def _shared(sku: SkuId, lack: list[int], spare: list[int]) -> Iterable[Move]:
    """Share one SKU out: who lacks most first, from who can spare most."""
    givers = sorted(range(len(spare)), key=lambda store: -spare[store])
    for to in sorted(range(len(lack)), key=lambda store: -lack[store]):
        for origin in givers:
            units = min(lack[to], spare[origin])
            if units > 0:
                lack[to] -= units
                spare[origin] -= units
                yield Move(StoreId(origin), StoreId(to), sku, units)
