"""Law 2: stock records add up.

available is never negative; reserved is the sum of open holds; so no two holds share a unit; a hold ends in exactly one
of committed or released; versions count every write.
"""

from array import array

from sim.laws.base import Law
from sim.world.build import World


class Records(Law):
    """Books of every record and every hold."""

    name = "records"

    def __init__(self, world: World) -> None:
        super().__init__()
        self._skus = world.catalogue.skus
        size = world.stores * self._skus
        self._available = array("q", bytes(8 * size))
        self._version = array("q", bytes(8 * size))
        self._holds: dict[int, dict[int, int]] = {}
        self._ended: set[int] = set()

    def record_adjusted(self, t: float, store: int, sku: int, units: int, cause: int) -> None:
        """A record changed outside an order."""
        place = store * self._skus + sku
        self._version[place] += 1
        self._available[place] = left = self._available[place] + units
        if left < 0:
            self.breach(t, f"record of sku {sku} in store {store} says {left} available")

    def stock_reserved(self, t: float, order: int, store: int, sku: int, units: int, version: int) -> None:
        """A line was held."""
        place = store * self._skus + sku
        self._version[place] = expected = self._version[place] + 1
        self._available[place] = left = self._available[place] - units
        if left < 0 or units <= 0:
            self.breach(t, f"order {order} holds {units} of sku {sku} in store {store}, leaving {left} available")
        if version != expected:
            self.breach(t, f"order {order} wrote version {version} of sku {sku} in store {store}, expected {expected}")
        hold = self._holds.get(order)
        if hold is None:
            if order in self._ended:
                self.breach(t, f"order {order} holds again after its hold ended")
            self._holds[order] = {place: units}
        else:
            if place in hold:
                self.breach(t, f"order {order} holds sku {sku} twice")
            hold[place] = units

    def hold_reduced(self, t: float, order: int, store: int, sku: int, units: int) -> None:
        """Units left a hold."""
        place = store * self._skus + sku
        hold = self._holds.get(order, {})
        if hold.get(place, 0) < units:
            self.breach(t, f"order {order} gave up {units} units of sku {sku} that it did not hold")
        hold[place] = hold.get(place, 0) - units
        self._available[place] += units
        self._version[place] += 1

    def _end(self, t: float, order: int) -> dict[int, int]:
        hold = self._holds.pop(order, None)
        if hold is None:
            self.breach(t, f"order {order} ended a hold that it did not have")
            return {}
        self._ended.add(order)
        return hold

    def hold_committed(self, t: float, order: int, store: int) -> None:
        """A hold became a sale."""
        for place in self._end(t, order):
            self._version[place] += 1

    def hold_released(self, t: float, order: int, store: int) -> None:
        """A hold came to nothing."""
        for place, units in self._end(t, order).items():
            self._available[place] += units
            self._version[place] += 1

    def saga_ended(self, t: float, order: int, settled: bool) -> None:
        """An order that is settled or compensated holds nothing."""
        if order in self._holds:
            self.breach(t, f"order {order} ended and still holds stock")
