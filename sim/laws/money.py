"""Law 3: captured - refunded = price of what was handed over + fees kept, per order, once settled; nobody pays twice."""

from sim.laws.base import Law
from sim.world.build import World


class Money(Law):
    """Books of every order's money."""

    name = "money"

    def __init__(self, world: World) -> None:
        super().__init__()
        self._prices = world.catalogue.price_cents.tolist()
        self._fee = world.scenario.platform.delivery_fee_cents
        self._owed: dict[int, int] = {}
        self._paid: dict[int, int] = {}
        self.double_charges = 0

    def order_entered(
        self,
        t: float,
        order: int,
        client: int,
        store: int,
        cell: int,
        node: int,
        lines: int,
        units: int,
        value_cents: int,
    ) -> None:
        """What the customer would pay for everything wanted."""
        self._owed[order] = value_cents + self._fee

    def line_missing(self, t: float, order: int, store: int, sku: int, units: int) -> None:
        """Units the records deny."""
        self._owed[order] -= self._prices[sku] * units

    def hold_reduced(self, t: float, order: int, store: int, sku: int, units: int) -> None:
        """Units that were not found."""
        self._owed[order] -= self._prices[sku] * units

    def payment_captured(self, t: float, order: int, cents: int) -> None:
        """The customer paid."""
        if order in self._paid or order not in self._owed:
            self.double_charges += 1
            self.breach(t, f"order {order} was charged twice, or after its end")
        self._paid[order] = self._paid.get(order, 0) + cents

    def payment_refunded(self, t: float, order: int, cents: int) -> None:
        """Money went back."""
        self._paid[order] = left = self._paid.get(order, 0) - cents
        if left < 0 or cents <= 0:
            self.breach(t, f"order {order} got {cents} cents back, {left} left of what it paid")

    def saga_ended(self, t: float, order: int, settled: bool) -> None:
        """An order is settled or compensated: its money must be right now."""
        paid, owed = self._paid.pop(order, 0), self._owed.pop(order, 0)
        due = owed if settled else 0
        if paid != due:
            self.breach(
                t, f"order {order} is {'settled' if settled else 'compensated'} with {paid} cents kept, expected {due}"
            )
