"""What an order is charged, and what goes back of it when some of its goods do not arrive.

A bill is made once for each order, of what it holds then, or of the whole basket where nothing is held yet, and never
again, however often a step is done. What goes back later is worked out from the bill and from the listed value of all
that has gone back so far, so the pieces sum exactly whatever their number and order. Fees stay as billed.
"""

from collections.abc import Callable, Sequence

from sim.facts import Facts
from sim.platform.charging import Done
from sim.platform.orders import LATER, Later, Order, OrderBook
from sim.platform.payments import Payments
from sim.platform.pricing import Bill, Pricer, paid_for_goods, refund_for
from sim.story import Signal, Story
from sim.vocabulary import Cents, OrderState, SkuId

_CREATED, _PENDING, _FAILED = OrderState.CREATED, OrderState.PENDING_PAYMENT, OrderState.PAYMENT_FAILED


def left_of(order: Order) -> int:
    """What an order's customer still pays, cents: captured and not given back, or due at the door."""
    return order.paid_cents - order.refunded_cents if order.paid_cents else order.due_cents


class Billing:
    """Makes orders' bills, has them charged, and gives back what was paid for goods that are missing.

    Parameters
    ----------
    prices_cents
        Listed price of each SKU, cents.
    takes_codes
        Whether checkout takes promotion codes now; None: always.
    """

    def __init__(
        self, facts: Facts, book: OrderBook, payments: Payments, pricer: Pricer, prices_cents: Sequence[int],
        takes_codes: Callable[[], bool] | None = None,
    ) -> None:  # fmt: skip
        self._facts, self._book, self._payments = facts, book, payments
        self._pricer, self._prices_cents, self._takes_codes = pricer, prices_cents, takes_codes

    def bill(self, order: Order) -> Bill:
        """The order's bill, made when it is first asked for."""
        if order.bill is not None:
            return order.bill
        pricer = self._pricer
        goods = self._listed_cents(order) if order.held else order.value_cents
        code = pricer.holds_code(order.client) and (self._takes_codes is None or self._takes_codes())
        bill = order.bill = pricer.price(goods, code, order.surcharge_cents)
        if not pricer.plain:  # a plain bill can be told from the goods alone: nobody needs a fact of it
            self._facts.order_billed(
                order=order.id,
                goods_cents=Cents(goods),
                kept_cents=Cents(bill.total_cents - paid_for_goods(bill)),
                tax_cents=Cents(bill.tax_cents),
                discount_cents=Cents(bill.discount_cents),
                total_cents=Cents(bill.total_cents),
            )
        return bill

    def _listed_cents(self, order: Order) -> int:
        """What the goods held are listed at, cents."""
        prices, goods = self._prices_cents, 0
        for sku, units in order.held:
            goods += prices[sku] * units
        if order.swapped is not None:
            goods -= sum(
                (prices[sku] - order.swapped[sku]) * units for sku, units in order.held if sku in order.swapped
            )
        return goods

    def charge(self, order: Order, *, capture: bool, done: Done) -> OrderState | Later | None:
        """Charge an order's bill, as a step of its saga; `capture` false: the money is only set aside.

        `done` is told whether it is paid, where that takes time.
        """
        if order.state is _CREATED:
            self._book.move(order, _PENDING)
        cents = Cents(self.bill(order).total_cents)
        if not cents:
            return None  # a discount may leave nothing to pay, and nobody can be asked for nothing
        paid = self._payments.charge(order, cents, capture=capture, done=done)
        if paid is None:
            return LATER
        return None if paid else _FAILED

    def charging(self, order: Order, *, capture: bool) -> Story:
        """As `charge`, for a step in which that is not all."""
        answered, answers = Signal(), list[bool | None]()

        def done(_: Order, paid: bool | None) -> None:
            answers.append(paid)
            answered.ring()  # a story that has died meanwhile is closed by this

        outcome = self.charge(order, capture=capture, done=done)
        if outcome is not LATER:
            return outcome
        yield answered
        return None if answers[0] else _FAILED

    def missing(self, order: Order, sku: SkuId, units: int) -> None:
        """Give back what was paid for units of a line that will not come."""
        self._give_back(order, self._prices_cents[sku] * units)

    def returned(self, order: Order, sku: SkuId, units: int) -> None:
        """Give back what was paid for units of a line that came as far as the door, as far as anything is left of it.

        Support may have let the customer off some of it.
        """
        cents = self._worth(order, self._each(order, sku) * units)
        self._payments.refund(order, min(cents, left_of(order)))

    def disputed(self, order: Order, lines: Sequence[tuple[SkuId, int]]) -> int:
        """What was paid for units of lines that are said to have been wrong, cents; nothing is done yet."""
        listed = sum(self._each(order, sku) * units for sku, units in lines)
        bill = order.bill
        return 0 if bill is None else refund_for(paid_for_goods(bill), bill.goods_cents, order.gone_cents, listed)

    def gone(self, order: Order, lines: Sequence[tuple[SkuId, int]]) -> None:
        """What was paid for units of lines has been given back."""
        order.gone_cents += sum(self._each(order, sku) * units for sku, units in lines)

    def _each(self, order: Order, sku: SkuId) -> int:
        """What a unit is listed at for this order, cents."""
        swapped = order.swapped
        return self._prices_cents[sku] if swapped is None or sku not in swapped else swapped[sku]

    def keep_fees(self, order: Order) -> None:
        """An order could not be handed over: what was paid beforehand for the fees stays with us."""
        if order.bill is None:
            return
        fees_cents = order.bill.total_cents - paid_for_goods(order.bill)
        order.kept_cents = max(min(fees_cents, order.paid_cents - order.refunded_cents), 0)
        if order.kept_cents:
            self._facts.fees_kept(order=order.id, cents=Cents(order.kept_cents))

    def cheaper(self, order: Order, listed_cents: int) -> None:
        """Give back what goods that came for others are cheaper by, at listed prices."""
        self._give_back(order, listed_cents)

    def trim(self, order: Order) -> None:
        """Give back what was paid for lines that the records denied after the bill was made; safe to do again."""
        if order.bill is not None:
            self._give_back(order, order.bill.goods_cents - order.gone_cents - self._listed_cents(order))

    def _give_back(self, order: Order, listed_cents: int) -> None:
        """Give back what was paid for goods listed at so many cents."""
        self._payments.refund(order, self._worth(order, listed_cents))

    def _worth(self, order: Order, listed_cents: int) -> int:
        """What was paid for goods listed at so many cents, which will not come."""
        bill = order.bill
        if bill is None or listed_cents <= 0:
            return 0  # a bill yet to be made will be of what is left
        before, order.gone_cents = order.gone_cents, order.gone_cents + listed_cents
        return refund_for(paid_for_goods(bill), bill.goods_cents, before, listed_cents)
