"""Law 3: captured - refunded = price of what was handed over + fees kept, per order, once settled; nobody pays twice.

Where a bill was logged, its discount and tax are shared by what was handed over and what was not: of what was paid for the
goods, the part that their listed value is of all the goods billed, half to even, is owed back.

Money is held twice: in our books, which must be right when an order's saga ends, and at the provider, whose ledger is
the truth and must be right once everything has settled (late callbacks, refunds that were owed, settlement files).
"""

from fractions import Fraction

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
        self._bills: dict[int, tuple[int, int, int]] = {}  # goods as listed, what stays with us, total
        self._gone: dict[int, int] = {}  # listed value of the goods billed that did not come
        self._paid: dict[int, int] = {}  # by our books
        self._kept: dict[int, int] = {}  # by the provider's
        self._due: dict[int, int] = {}  # of orders that ended while the two differed
        self._let_off: dict[int, int] = {}  # by support
        self._swapped: dict[tuple[int, int], int] = {}  # what a unit of a substitute costs
        self._kept_back: set[int] = set()  # of which a driver kept goods, and nobody has given anything back for them
        self._fees: dict[int, int] = {}  # kept of orders that could not be handed over
        # With a support desk: what was kept of settled orders, by our books, and what has been granted and not given back.
        self._settled: dict[int, int] | None = {} if world.scenario.support.agents else None
        self._granted: dict[int, int] = {}
        self.end_s = world.scenario.end_s
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
        self._lacks(order, self._prices[sku] * units)

    def hold_reduced(self, t: float, order: int, store: int, sku: int, units: int) -> None:
        """Units that were not found."""
        self._lacks(order, self._prices[sku] * units)

    def line_substituted(self, t: float, order: int, store: int, sku: int, taken: int, units: int, cents: int) -> None:
        """Something else came for units that were not found: it costs no more than it lists at, nor than they did."""
        if cents != min(self._prices[sku], self._prices[taken]) * units:
            self.breach(t, f"order {order}: {units} units of sku {taken} for sku {sku} cost {cents} cents")
        self._lacks(order, -cents)
        self._swapped[order, taken] = min(self._prices[sku], self._prices[taken])

    def goods_kept(self, t: float, order: int, store: int, sku: int, units: int) -> None:
        """A driver did not hand these over."""
        self._kept_back.add(order)

    def line_returned(self, t: float, order: int, sku: int, units: int) -> None:
        """So the customer does not pay for them."""
        self._kept_back.discard(order)
        self._lacks(order, self._swapped.get((order, sku), self._prices[sku]) * units)

    def fees_kept(self, t: float, order: int, cents: int) -> None:
        """Of an order that could not be handed over; the bill, or the delivery fee, says how much at most."""
        fees = self._bills[order][1] if order in self._bills else self._fee
        if not 0 < cents <= fees or order in self._fees:
            self.breach(t, f"order {order}: {cents} cents kept of {fees} cents of fees")
        self._fees[order] = cents

    def _lacks(self, order: int, listed_cents: int) -> None:
        if order in self._bills:
            self._gone[order] += listed_cents
        else:
            self._owed[order] -= listed_cents

    def order_billed(
        self,
        t: float,
        order: int,
        goods_cents: int,
        kept_cents: int,
        tax_cents: int,
        discount_cents: int,
        total_cents: int,
    ) -> None:
        """From now on what is owed goes by the bill; what was missing before is not on it."""
        if order in self._bills:
            self.breach(t, f"order {order} was billed twice")
            return
        wanted = self._owed[order] - self._fee
        if goods_cents != wanted or not 0 <= kept_cents <= total_cents:
            self.breach(t, f"order {order} was billed {goods_cents} cents of goods, {kept_cents} of {total_cents} kept")
        self._bills[order] = goods_cents, kept_cents, total_cents
        self._gone[order] = 0

    def _due_by_bill(self, order: int) -> int:
        goods, kept, total = self._bills.pop(order)
        gone = self._gone.pop(order)
        return total - round(Fraction((total - kept) * gone, goods)) if gone and goods else total

    def goodwill_given(self, t: float, order: int, cents: int, role: int, actor: int) -> None:
        """What support let the customer off; of an order that has ended, never more than was kept of it."""
        if self._settled is None or order not in self._settled:
            self._let_off[order] = self._let_off.get(order, 0) + cents
            return
        before = self._settled[order]
        self._settled[order] = left = before - cents
        if left < 0:
            self.breach(t, f"order {order} was let off {cents} cents, {before} left of what it paid")
        self._granted[order] = self._granted.get(order, 0) + cents
        if order not in self._due:
            self._kept[order] = self._due[order] = before
        self._due[order] -= cents

    def payment_captured(self, t: float, order: int, cents: int) -> None:
        """Our books say that the customer paid."""
        self._paid[order] = self._paid.get(order, 0) + cents

    def payment_refunded(self, t: float, order: int, cents: int) -> None:
        """Our books say that money went back; of an order that is settled, just what was granted."""
        if self._settled is not None and order in self._settled:
            self._granted[order] = granted = self._granted.get(order, 0) - cents
            if granted < 0 or cents <= 0:
                self.breach(t, f"order {order} was settled and got {cents} cents back that nobody granted")
            return
        self._paid[order] = left = self._paid.get(order, 0) - cents
        if left < 0 or cents <= 0:
            self.breach(t, f"order {order} got {cents} cents back, {left} left of what it paid")

    def books_lost(self, t: float, order: int, cents: int) -> None:
        """Our books forgot what the customer paid."""
        self._paid[order] = self._paid.get(order, 0) - cents

    def charge_made(self, t: float, order: int, attempt: int, cents: int) -> None:
        """Money really moved."""
        kept = self._kept.get(order, 0)
        if kept:
            self.double_charges += 1
            self.breach(t, f"order {order} was charged twice")
        self._kept[order] = kept + cents

    def charge_returned(self, t: float, order: int, cents: int) -> None:
        """Money really went back."""
        self._kept[order] = left = self._kept.get(order, 0) - cents
        if left < 0 or cents <= 0:
            self.breach(t, f"order {order} was given {cents} cents back, {left} left of what was taken")

    def saga_ended(self, t: float, order: int, settled: bool) -> None:
        """An order is settled or compensated: its money must be right in our books now, and in truth at the close."""
        paid, owed = self._paid.pop(order, 0), self._owed.pop(order, 0)
        if order in self._bills:
            owed = self._due_by_bill(order)
        if self._let_off and order in self._let_off:  # together with what comes back it may be more than everything
            owed = max(owed - self._let_off.pop(order), 0)
        fees = self._fees.pop(order, 0) if self._fees else 0
        due = owed if settled else fees
        if settled and (fees or (self._kept_back and order in self._kept_back)):
            self.breach(
                t, f"order {order} is settled, though goods were kept and not given back for, or its fees alone kept"
            )
        if self._settled is not None and settled:
            self._settled[order] = due
        if paid != due:
            self.breach(
                t, f"order {order} is {'settled' if settled else 'compensated'} with {paid} cents kept, expected {due}"
            )
        if self._kept.get(order, 0) == due:
            self._kept.pop(order, None)
        else:
            self._due[order] = due

    def close(self) -> None:
        """Everything has settled: what the provider kept is what was due, and late captures went back."""
        for order, cents in self._granted.items():
            if cents:
                self.breach(self.end_s, f"order {order} was granted {cents} cents that our books have not given back")
        for order, due in self._due.items():
            kept = self._kept.pop(order, 0)
            if kept != due:
                self.breach(self.end_s, f"the provider kept {kept} cents of order {order}, which owed {due}")
        for order, cents in self._paid.items():
            if order not in self._owed and cents:
                self.breach(self.end_s, f"order {order} ended and our books still show {cents} cents of it")
        for order, kept in self._kept.items():
            if order not in self._owed and kept:
                self.breach(self.end_s, f"order {order} ended and the provider took {kept} cents of it afterwards")
