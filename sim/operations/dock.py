"""The receiving dock: what a truck brought stands there until somebody has put it away."""

from collections import deque
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.clock import Clock, Timer
from sim.facts import Facts
from sim.operations.freshness import Freshness
from sim.operations.shelves import Shelves
from sim.platform.stock_desk import StockDesk
from sim.scenario.dock import Dock as Terms
from sim.vocabulary import StockCause, StoreId, Units, quantise


class _Cart(NamedTuple):
    """What one round puts away: SKUs, units noted and really there, (n,); since when it has stood at the dock."""

    skus: NDArray[Any]
    noted: NDArray[Any]
    there: NDArray[Any]
    since_s: float


class Dock:
    """The dock of one store, and the people who put away: truck after truck, of each the least covered SKUs first.

    A round is one event: what it holds is on the shelves when it ends. Scanned at the shelf, the record learns of it then.
    Scanned at the dock, the record learns of it when the truck comes and nobody scans it again: until it is put away,
    pickers look for it in vain, and who counts an empty shelf meanwhile takes it off the record, where it is missed later.

    For the shelf life of goods they come when they are on the shelf: there the oldest are taken first.
    """

    def __init__(
        self, env: Clock, facts: Facts, desk: StockDesk, shelves: Shelves, freshness: Freshness, terms: Terms,
        store: StoreId,
    ) -> None:  # fmt: skip
        self._env, self._facts, self._desk, self._shelves, self._freshness = env, facts, desk, shelves, freshness
        self._terms, self._store = terms, store
        self._waiting: deque[_Cart] = deque()
        self._out: list[_Cart] = []

    @property
    def on_record(self) -> bool:
        """Whether what stands at the dock is on record already."""
        return self._terms.scan == "dock"

    def stands(self, noted: NDArray[np.int64], there: NDArray[np.int64]) -> None:
        """A run begins with goods at the dock: units noted and really there, (skus,); a scan at the dock was made before."""
        skus = np.flatnonzero((noted != 0) | (there != 0))
        if not self.on_record:
            self._desk.ordered(self._store, noted)
        self._unload(skus, noted[skus], there[skus])

    def take_in(self, skus: NDArray[Any], noted: NDArray[Any], there: NDArray[Any]) -> None:
        """A truck has come with units of SKUs (each once), noted and really there; all (n,)."""
        self._unload(skus, noted, there)
        if self.on_record:
            self._shelves.scanned_ahead(self._store, skus, noted)
            self._desk.received(self._store, skus, noted, StockCause.DELIVERY)

    def _unload(self, skus: NDArray[Any], noted: NDArray[Any], there: NDArray[Any]) -> None:
        self._shelves.dock(self._store, skus, there)
        expected = self._desk.forecasting.ordinary(self._store)[skus]
        cover = self._desk.on_hand(self._store)[skus] / np.maximum(expected, 1e-9)
        first = np.argsort(cover, kind="stable")
        for begin in range(0, len(skus), self._terms.lines):
            cart = first[begin : begin + self._terms.lines]
            self._waiting.append(_Cart(skus[cart], noted[cart], there[cart], self._env.now))
        self._send_off()

    def _send_off(self) -> None:
        while self._waiting and len(self._out) < self._terms.people:
            cart = self._waiting.popleft()
            self._out.append(cart)
            took_s = len(cart.skus) * self._terms.per_line_s + int(cart.there.sum()) * self._terms.per_unit_s
            Timer(self._env, quantise(took_s), self._back, cart)

    def _back(self, event: Timer) -> None:
        cart: _Cart = event.value
        # By identity: carts hold arrays, which do not compare.
        self._out = [other for other in self._out if other is not cart]
        self._shelves.put_away(
            self._store, cart.skus, cart.there, np.zeros_like(cart.noted) if self.on_record else cart.noted
        )
        if not self.on_record:
            self._desk.received(self._store, cart.skus, cart.noted, StockCause.DELIVERY)
        fresh = np.zeros(self._shelves.skus, dtype=np.int64)
        fresh[cart.skus] = cart.there
        self._freshness.received(self._store, fresh)
        self._facts.round_ended(
            store=self._store, lines=len(cart.skus), units=Units(int(cart.there.sum())),
            waited_s=self._env.now - cart.since_s,
        )  # fmt: skip
        self._send_off()

    def left(self) -> NDArray[np.int64]:
        """What stands there: units noted and units really there, int64 (2, skus); a round that is not over has not begun."""
        stock = np.zeros((2, self._shelves.skus), dtype=np.int64)
        for cart in (*self._out, *self._waiting):
            stock[:, cart.skus] += np.stack([cart.noted, cart.there])
        return stock
