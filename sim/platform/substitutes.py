"""The office's desk for substitutes: which one the app names, and what taking it does to hold and bill."""

from collections.abc import Callable, Sequence

import numpy as np

from sim.contracts import Replacement, ReplacementView, Substitution
from sim.facts import Facts
from sim.platform.billing import Billing
from sim.platform.inventory import Inventory
from sim.platform.orders import Order, OrderBook
from sim.platform.sessions import Command
from sim.vocabulary import Cents, InputError, OrderId, PickerId, Refusal, Role, SkuId, Units


class SubstituteDesk:
    """Tells pickers which SKU to take for one they did not find, as the substitution policy says.

    The customer never pays more for a substitute than for what was wanted.

    Parameters
    ----------
    prices_cents, categories
        Of each SKU.
    allows
        Whether somebody may give a command about an order (`sim.platform.desks.Desks._allows`).

    Attributes
    ----------
    names_any
        Whether the policy names substitutes at all.
    asks_s
        How long the picker waits for the customer's answer, seconds; None: nobody is asked.
    """

    def __init__(
        self,
        facts: Facts,
        book: OrderBook,
        inventory: Inventory,
        billing: Billing,
        policy: Substitution,
        prices_cents: Sequence[int],
        categories: Sequence[int],
        allows: Callable[[Command, Role, int, Order], bool],
    ) -> None:
        self._facts, self._book, self._inventory, self._billing = facts, book, inventory, billing
        self._policy = policy if isinstance(policy, Replacement) else None
        self._prices, self._categories, self._allows = prices_cents, categories, allows
        self.names_any = self._policy is not None
        self.asks_s: float | None = getattr(policy, "asks_s", None) if self.names_any else None
        if self.asks_s is not None and not (isinstance(self.asks_s, int | float) and 0 < self.asks_s < float("inf")):
            raise InputError(f"policies.substitution: expected asks_s to be seconds > 0 or None, got {self.asks_s!r}.")

    def named(self, order_id: OrderId, sku: SkuId, units: int) -> SkuId | None:
        """The substitute for units of a line that were not found; None where there is none."""
        policy, order = self._policy, self._book.open[order_id]
        if policy is None or order.committed:
            return None
        skus = self._inventory.skus
        available = self._inventory.can_give(order.store)
        available[[mine for mine, _ in order.held]] = 0
        prices, categories = np.array(self._prices, dtype=np.int64), np.array(self._categories)
        for column in (prices, categories, available):
            column.flags.writeable = False
        view = ReplacementView(order_id, sku, units, categories, prices, available)
        other = policy.replace(view)
        if other is None:
            return None
        if not (0 <= other < skus and available[other] > 0):
            raise InputError(
                f"policies.substitution: expected an SKU below {skus} that is available and not in the basket, got {other}."
            )
        return SkuId(int(other))

    def left(self, order_id: OrderId, other: SkuId, units: int) -> int:
        """How many of so many units the record can give now: none of what has come for another line of the order meanwhile."""
        order = self._book.open[order_id]
        if any(mine == other for mine, _ in order.held):
            return 0
        return min(units, int(self._inventory.can_give(order.store)[other]))

    def taken(
        self, order_id: OrderId, picker: PickerId, sku: SkuId, other: SkuId, units: int, role: Role = Role.PICKER
    ) -> None:
        """A picker has put units of another SKU into the tote for those that were not found."""
        order = self._book.open[order_id]
        if not self._allows(Command.PICK, role, picker, order):
            return
        if order.committed:
            self._facts.request_refused(order=order_id, refusal=Refusal.DUPLICATE)
            return
        wanted_cents, other_cents = self._prices[sku], self._prices[other]
        paid_cents = min(wanted_cents, other_cents)
        self._inventory.reduce(order, sku, units)
        self._inventory.hold(order, other, units)
        if order.swapped is None:
            order.swapped = {}
        order.swapped[other] = paid_cents
        self._facts.line_substituted(
            order=order_id, store=order.store, sku=sku, taken=other, units=Units(units), cents=Cents(paid_cents * units)
        )
        self._billing.cheaper(order, (wanted_cents - paid_cents) * units)
