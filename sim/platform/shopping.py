"""What browsing does to orders: lines that a customer does not order, and lines ordered in vain."""

from collections.abc import Sequence

from sim.clock import Clock
from sim.contracts import OrderRequest
from sim.facts import Facts
from sim.platform.browsing import Browsed
from sim.platform.inventory import Inventory
from sim.platform.orders import Order
from sim.vocabulary import Cents, Rejection, StoreId, Units


class Shopping:
    """Holds what the catalogue shows against what the records say, for customers at the checkout."""

    def __init__(
        self, env: Clock, facts: Facts, catalogue: Browsed, inventory: Inventory, prices_cents: Sequence[int]
    ) -> None:
        self._env, self._facts, self._catalogue = env, facts, catalogue
        self._inventory, self._prices_cents = inventory, prices_cents

    def ordered(self, request: OrderRequest, store: StoreId) -> OrderRequest | Rejection:
        """What the customer orders of all he wants, by what the catalogue shows; why it comes to nothing, if it does.

        Of a page that nobody answers nothing can be ordered; nor anything at all where no page is answered.
        """
        catalogue = self._catalogue
        if catalogue.filling and not catalogue.changes:
            return request  # everything is shown as it is
        first, now = store * self._inventory.skus, self._env.now
        if not catalogue.filling:
            age_s = catalogue.ordered((first + sku for sku in request.skus), now)
            if age_s is not None:
                self._facts.ordered_from_stale(order=request.order, age_s=age_s)
            blank = [catalogue.open_age_s(first + sku, now) is None for sku in request.skus]
            if all(blank):
                return Rejection.UNAVAILABLE
        else:
            blank = []
        available, hidden = self._inventory.available, []
        for line, sku in enumerate(request.skus):
            unseen = blank and blank[line]
            if unseen or (available[first + sku] > 0 and not catalogue.shown(first + sku, now, True)):
                hidden.append(line)
                catalogue.missed()
                self._facts.line_hidden(order=request.order, store=store, sku=sku, units=Units(request.units[line]))
        if not hidden:
            return request
        if len(hidden) == len(request.skus):
            return Rejection.SOLD_OUT
        kept = [line for line in range(len(request.skus)) if line not in hidden]
        prices = self._prices_cents
        lost = sum(prices[request.skus[line]] * request.units[line] for line in hidden)
        return request._replace(
            skus=[request.skus[line] for line in kept],
            units=[request.units[line] for line in kept],
            value_cents=Cents(request.value_cents - lost),
        )

    def denied(self, order: Order) -> None:
        """The records denied lines of an order: were they shown to the customer as available?"""
        catalogue, first, now = self._catalogue, order.store * self._inventory.skus, self._env.now
        held = {sku for sku, _ in order.held}
        for sku in order.skus:
            if sku not in held and catalogue.shown(first + sku, now, False):
                catalogue.gone()
                self._facts.shown_was_gone(order=order.id, store=order.store, sku=sku)
