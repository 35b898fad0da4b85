"""Drivers and orders on a line, as a dispatch policy sees them: positions are seconds of riding."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts import Fleet, Sighting, Stops


@dataclass
class Waiting:
    """An order without a driver; its customer lives at a place of the line."""

    id: int
    store: int
    node: float
    ready_s: float = 0.0
    opened_s: float = 0.0
    litres: float = 1.0
    promised_s: float = 0.0
    declined: set[int] | None = None

    def declined_by(self, driver: int) -> bool:
        return self.declined is not None and driver in self.declined


class Line:
    """A `DispatchView` whose stores and drivers stand on a line.

    Parameters
    ----------
    stores
        Where each store is.
    at, free_s
        Where each driver is or will be free, and when.
    idle
        Which of them are free now; by default those whose time has come.
    """

    stops = Stops(0.0, 0.0, 0.0, 0.0)

    def __init__(
        self, stores: Sequence[float], at: Sequence[float], waiting: Sequence[Waiting], *, now_s: float = 0.0,
        free_s: Sequence[float] | None = None, until_s: float = 1e6, litres: float = 100.0,
        idle_since_s: Sequence[float] | None = None, accepted_s: Sequence[float] | None = None,
        accepted: Sequence[int] | None = None, declined: Sequence[int] | None = None,
    ) -> None:  # fmt: skip
        self._stores, self._at, self.waiting, self.now_s = np.array(stores), np.array(at, dtype=float), waiting, now_s
        n = len(at)
        free = np.maximum(np.zeros(n) if free_s is None else np.array(free_s), now_s)
        self._fleet = Fleet(
            np.arange(n),
            free <= now_s,
            free,
            np.full(n, until_s),
            np.arange(n),
            np.full(n, litres),
            np.zeros(n, dtype=np.int64),
            np.zeros(n),
            np.zeros(n) if idle_since_s is None else np.array(idle_since_s, dtype=float),
            np.full(n, -np.inf) if accepted_s is None else np.array(accepted_s, dtype=float),
            np.zeros(n, dtype=np.int64) if accepted is None else np.array(accepted),
            np.zeros(n, dtype=np.int64) if declined is None else np.array(declined),
        )

    @property
    def stores(self) -> int:
        return len(self._stores)

    @property
    def idle_count(self) -> int:
        return int(self._fleet.idle.sum())

    @property
    def idle(self) -> NDArray[Any]:
        return self._fleet.driver[self._fleet.idle]

    def idle_at(self, store: int) -> Sequence[Any]:
        return [d for d in self.idle.tolist() if self._at[d] == self._stores[store]]

    def nearest(self, store: int) -> Iterator[tuple[Any, float]]:
        ride = np.abs(self._at - self._stores[store])
        return iter([(d, float(ride[d])) for d in sorted(self.idle.tolist(), key=lambda d: (ride[d], d))])

    def ride_s(self, drivers: NDArray[Any], store: int) -> NDArray[Any]:
        return np.abs(self._at[drivers] - self._stores[store])

    def seen(self, driver: int) -> Sighting:
        raise NotImplementedError

    def fleet(self, ahead_s: float) -> Fleet:
        soon = self._fleet.free_s <= self.now_s + ahead_s
        return Fleet(*(column[soon] for column in self._fleet))

    def from_places_s(self, places: NDArray[Any], store: int) -> NDArray[Any]:
        return np.abs(self._at[places] - self._stores[store])

    def to_customer_s(self, store: int, node: float, vehicle: int | None = None) -> float:
        return float(abs(self._stores[store] - node))

    def onward_s(self, node: float, target: float) -> float:
        return abs(node - target)
