"""Law 1: goods are neither made nor lost, per store and SKU.

opening + received = shelf + totes + handed over (+ whatever left by a named cause), always; no shelf holds less than
nothing, and nobody receives what was not picked.
"""

from array import array

from sim.laws.base import Law
from sim.world.build import World


class Goods(Law):
    """Books of every shelf and every tote."""

    name = "goods"

    def __init__(self, world: World) -> None:
        super().__init__()
        self._skus = world.catalogue.skus
        size = world.stores * self._skus
        self._shelf = array("q", bytes(8 * size))
        self._brought = array("q", bytes(8 * size))
        self._gone = array("q", bytes(8 * size))
        self._totes: dict[int, list[tuple[int, int]]] = {}
        self._out: set[int] = set()

    def shelf_changed(self, t: float, store: int, sku: int, units: int, cause: int) -> None:
        """Goods came or went outside an order."""
        place = store * self._skus + sku
        self._brought[place] += units
        self._shelf[place] = left = self._shelf[place] + units
        if left < 0:
            self.breach(t, f"shelf of sku {sku} in store {store} holds {left} units")

    def goods_picked(self, t: float, order: int, store: int, sku: int, units: int) -> None:
        """From the shelf into a tote."""
        place = store * self._skus + sku
        self._shelf[place] = left = self._shelf[place] - units
        if left < 0 or units <= 0:
            self.breach(t, f"order {order} took {units} units of sku {sku} in store {store}, leaving {left}")
        tote = self._totes.get(order)
        if tote is None:
            self._totes[order] = [(place, units)]
        else:
            tote.append((place, units))

    def goods_put_back(self, t: float, order: int, store: int, sku: int, units: int) -> None:
        """From the tote back to the shelf."""
        place = store * self._skus + sku
        tote = self._totes.get(order, [])
        if (place, units) in tote and order not in self._out:
            tote.remove((place, units))
        else:
            self.breach(t, f"order {order} put back {units} units of sku {sku} that its tote in the store did not hold")
        self._shelf[place] += units

    def goods_left(self, t: float, order: int, store: int) -> None:
        """A tote left the store."""
        if order in self._out or not self._totes.get(order):
            self.breach(t, f"order {order} left store {store} twice or empty")
        self._out.add(order)

    def goods_delivered(self, t: float, driver: int, order: int, node: int) -> None:
        """A tote was handed over."""
        if order not in self._out:
            self.breach(t, f"order {order} was delivered without having left the store")
            return
        self._out.remove(order)
        for place, units in self._totes.pop(order, []):
            self._gone[place] += units

    def close(self) -> None:
        """Everything that was brought is somewhere."""
        held = array("q", bytes(8 * len(self._shelf)))
        for tote in self._totes.values():
            for place, units in tote:
                held[place] += units
        for place, brought in enumerate(self._brought):
            there = self._shelf[place] + held[place] + self._gone[place]
            if there != brought:
                self.breach(
                    float("inf"),
                    f"sku {place % self._skus} in store {place // self._skus}: {brought} brought, {there} accounted for",
                )
