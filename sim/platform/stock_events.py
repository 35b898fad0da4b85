"""The inventory service's own history: every write to a stock record as an event, and the records as their fold.

A store's records are one partition. An event is one 64-bit integer (what happened, to which SKU, how many units); writes of
one moment share a time. A snapshot and the events after it (the tail) rebuild the records exactly. This stream is part of
the model, not the archive: a crash may cut it back to a recovery point. Recording is optional, for only faults need it.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.clock import Clock
from sim.vocabulary import SkuId, StoreId


class StockEvent(IntEnum):
    """What a write did to its record; each also counts one version on."""

    RESERVED = 0
    """Units went from available to reserved."""
    RETURNED = 1
    """Units went back from reserved to available: a hold was released, reduced or expired."""
    SOLD = 2
    """Reserved units left the record."""
    ADJUSTED = 3
    """Available units changed outside an order, signed."""


_AVAILABLE: Final = np.array([-1, 1, 0, 1])
_RESERVED: Final = np.array([1, -1, -1, 0])
_KINDS: Final = 4
_SKUS: Final = 1 << 24
# An event is (units * _SKUS + sku) * _KINDS + kind, so floor division takes it apart again, units below zero as well.
_UNIT: Final = _SKUS * _KINDS


class Fold(NamedTuple):
    """A store's records: three int64 columns over SKUs."""

    available: NDArray[np.int64]
    reserved: NDArray[np.int64]
    version: NDArray[np.int64]


class _Snapshot(NamedTuple):
    t_s: float
    events: int
    """How many events of the partition it contains, from the very first."""
    records: Fold


class _Partition:
    """One store's stream; events are numbered from the very first, those before `first` are only in snapshots."""

    __slots__ = ("codes", "ends", "first", "snapshot_at", "snapshots", "times")

    def __init__(self, skus: int, every: int) -> None:
        self.codes = array("q")
        self.times = array("d")
        self.ends = array("q")  # with `times`: when a batch was written, and the number of the event after its last
        self.first = 0
        nothing = Fold(*(np.zeros(skus, dtype=np.int64) for _ in range(3)))
        self.snapshots = [_Snapshot(-np.inf, 0, nothing)]
        self.snapshot_at = every


class StockEvents:
    """The streams of all stores.

    Parameters
    ----------
    every
        Events of a store between two snapshots (judgement).
    keep_s
        How far back a recovery point may lie, seconds; by default the usual hour of a region's recovery point.
    """

    def __init__(self, env: Clock, stores: int, skus: int, *, every: int = 20_000, keep_s: float = 3600.0) -> None:
        if skus > _SKUS:
            raise ValueError(f"Expected at most {_SKUS} SKUs, got {skus}.")
        if every < 1 or not keep_s >= 0:
            raise ValueError(f"Expected every >= 1 and keep_s >= 0, got {every} and {keep_s}.")
        self._env, self._every, self._keep_s = env, every, keep_s
        self._partitions = [_Partition(skus, every) for _ in range(stores)]

    def lines(self, store: StoreId, kind: StockEvent, lines: Iterable[tuple[SkuId, int]]) -> None:
        """Append one event for each of (SKU, units)."""
        # The literal is _UNIT: a name costs a look-up for each line of every order.
        partition, code = self._partitions[store], int(kind)
        partition.codes.fromlist([units * 67108864 + sku * 4 + code for sku, units in lines])
        partition.times.append(self._env.now)
        partition.ends.append(end := partition.first + len(partition.codes))
        if end >= partition.snapshot_at:
            self.snapshot(store)

    def line(self, store: StoreId, kind: StockEvent, sku: SkuId, units: int) -> None:
        """Append one event."""
        self.lines(store, kind, ((sku, units),))

    def columns(self, store: StoreId, kind: StockEvent, skus: NDArray[Any], units: NDArray[Any]) -> None:
        """Append one event for each pair of two parallel arrays, both (n,)."""
        partition = self._partitions[store]
        codes = (units.astype(np.int64) * _SKUS + skus) * _KINDS + int(kind)
        partition.codes.frombytes(codes.astype(np.int64).tobytes())
        self.lines(store, kind, ())

    def count(self, store: StoreId) -> int:
        """Events of a store since its stream began."""
        partition = self._partitions[store]
        return partition.first + len(partition.codes)

    def tail(self, store: StoreId) -> int:
        """Events of a store that are not in its last snapshot."""
        return self.count(store) - self._partitions[store].snapshots[-1].events

    def rebuild(self, store: StoreId) -> Fold:
        """The store's records: the last snapshot with the tail folded over it."""
        partition = self._partitions[store]
        snapshot = partition.snapshots[-1]
        codes = np.array(partition.codes[snapshot.events - partition.first :], dtype=np.int64)
        kind, sku, units = codes % _KINDS, codes // _KINDS % _SKUS, codes // _UNIT
        records = Fold(*(column.copy() for column in snapshot.records))
        np.add.at(records.available, sku, _AVAILABLE[kind] * units)
        np.add.at(records.reserved, sku, _RESERVED[kind] * units)
        np.add.at(records.version, sku, 1)
        return records

    def snapshot(self, store: StoreId) -> None:
        """Fold the tail into a new snapshot, and forget what no recovery point within `keep_s` can need any more."""
        partition, now = self._partitions[store], self._env.now
        partition.snapshots.append(_Snapshot(now, self.count(store), self.rebuild(store)))
        partition.snapshot_at = self.count(store) + self._every
        snapshots = partition.snapshots
        while len(snapshots) > 1 and snapshots[1].t_s < now - self._keep_s:
            del snapshots[0]
        old = snapshots[0].events
        del partition.codes[: old - partition.first]
        batches = bisect_right(partition.ends, old)
        del partition.times[:batches], partition.ends[:batches]
        partition.first = old

    def oldest_s(self, store: StoreId) -> float:
        """The oldest recovery point of a store that is kept, seconds since the start."""
        return self._partitions[store].snapshots[0].t_s

    def cut(self, store: StoreId, t_s: float) -> int:
        """Lose every event written after a recovery point (seconds since the start): a replica lags behind its primary.

        Returns how many were lost.

        Raises
        ------
        ValueError
            The recovery point is older than the oldest snapshot that is kept.
        """
        partition = self._partitions[store]
        if t_s < self.oldest_s(store):
            raise ValueError(f"Expected a recovery point from {self.oldest_s(store)} s on, got {t_s}.")
        lost, kept = self.since(store, t_s), bisect_right(partition.times, t_s)
        end = partition.ends[kept - 1] if kept else partition.first
        del partition.times[kept:], partition.ends[kept:], partition.codes[end - partition.first :]
        while partition.snapshots[-1].events > end:
            partition.snapshots.pop()
        partition.snapshot_at = partition.snapshots[-1].events + self._every
        return lost

    def since(self, store: StoreId, t_s: float) -> int:
        """Events of a store that were written after a time."""
        partition = self._partitions[store]
        kept = bisect_right(partition.times, t_s)
        return self.count(store) - (partition.ends[kept - 1] if kept else partition.first)

    def restart(self, store: StoreId, records: Fold) -> None:
        """Begin the stream anew from these records: nothing that came before can be recovered any more."""
        partition = self._partitions[store]
        end = self.count(store)
        del partition.codes[:], partition.times[:], partition.ends[:]
        partition.first = end
        partition.snapshots = [_Snapshot(self._env.now, end, records)]
        partition.snapshot_at = end + self._every
