"""One store on a bare clock, where orders are reserved by any mechanism and every fact is heard."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sim.clock import Clock, Timer
from sim.contracts import OrderRequest
from sim.facts import SIGNATURES, Facts
from sim.platform.inventory import Inventory
from sim.platform.orders import Order
from sim.platform.reserving import Reserving
from sim.platform.stock_events import StockEvents
from sim.story import tell
from sim.streams import Die
from sim.vocabulary import StockCause

SKUS = 4


class Ear(Facts):
    """Counts every fact and keeps those asked for."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        for kind in SIGNATURES:
            setattr(self, kind, self._hear(kind))

    def _hear(self, kind: str) -> Any:
        return lambda **values: self.heard.append((kind, values))

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [values for name, values in self.heard if name == kind]


class Shop:
    """One store on a bare clock."""

    def __init__(self, policy: Any, stock: list[int], windows: list[float], **options: Any) -> None:
        self.env, self.ear = Clock(), Ear()
        self.inventory = Inventory(self.ear, 1, SKUS, env=self.env, events=StockEvents(self.env, 1, SKUS))
        for sku, units in enumerate(stock):
            self.inventory.adjust(0, sku, units, StockCause.OPENING)  # type: ignore[arg-type]
        self.reserving = Reserving(self.env, self.ear, self.inventory, policy, windows, Die(5), **options)
        self.answers: dict[int, Any] = {}
        self.told: Counter[int] = Counter()
        self.telling: dict[int, Any] = {}

    def order(self, number: int, basket: dict[int, int]) -> Order:
        request = OrderRequest(number, 0, 0, 0, tuple(basket), tuple(basket.values()), 100, 1.0)  # type: ignore[arg-type]
        return Order(request, 0, ())  # type: ignore[arg-type]

    def reserve(self, order: Order, at_s: float = 0.0, verb: str = "run") -> None:
        """Tell an order's story; told again, it is the story of a restarted orchestrator, and the one before is dead."""

        def story() -> Iterator[Any]:
            self.answers[order.id] = yield from getattr(self.reserving, verb)(order)
            self.told[order.id] += 1

        def begin() -> None:
            if order.id in self.telling:
                self.telling[order.id].close()
            self.telling[order.id] = story()
            tell(self.telling[order.id])

        if at_s:
            self.at(at_s, begin)
        else:
            begin()

    def at(self, at_s: float, act: Any) -> None:
        Timer(self.env, at_s, lambda _: act())
