"""Checkout: whether a cart can be ordered, what it costs, and what goes back when part of it does not arrive.

Money is integer cents and every division says how it rounds: half to even (ISO 80000-1, Annex B), so that many roundings
have no bias. What goes back is reckoned from all that has gone back so far, so that many refunds sum to what was paid exactly.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from sim.scenario.gateway import CartRules, Pricing
from sim.streams import Die

_MILLION = 1_000_000  # shares of the scenario count in millionths, so that money is never multiplied by a float


def half_even(dividend: int, divisor: int) -> int:
    """Divide a non-negative integer by a positive one, rounding half to even."""
    whole, rest = divmod(dividend, divisor)
    twice = 2 * rest
    return whole + 1 if twice > divisor or (twice == divisor and whole & 1) else whole


# -- validation --------------------------------------------------------------------------------------------------------


class Invalid(IntEnum):
    """Why a cart cannot be ordered."""

    CLOSED = 0
    OUT_OF_ZONE = 1
    ACCOUNT = 2
    EMPTY = 3
    BAD_LINE = 4
    """A line of no units, of an SKU that does not exist, or of one that another line names."""
    TOO_SMALL = 5
    TOO_MANY_LINES = 6
    TOO_MANY_UNITS = 7
    NOTHING_AVAILABLE = 8


class Validation:
    """The order service's checks, from those about the customer to those about the cart; the first that fails counts."""

    def __init__(self, rules: CartRules, skus: int) -> None:
        self._minimum_cents, self._lines_max, self._units_max = rules.minimum_cents, rules.lines_max, rules.units_max
        self._skus = skus

    def invalid(
        self,
        skus: Sequence[int],
        units: Sequence[int],
        goods_cents: int,
        *,
        is_open: bool = True,
        in_zone: bool = True,
        account_ok: bool = True,
    ) -> Invalid | None:
        """Why a cart cannot be ordered, None when it can; lines are parallel sequences of SKUs and units."""
        if not is_open:
            return Invalid.CLOSED
        if not in_zone:
            return Invalid.OUT_OF_ZONE
        if not account_ok:
            return Invalid.ACCOUNT
        if not skus:
            return Invalid.EMPTY
        if min(units) < 1 or min(skus) < 0 or max(skus) >= self._skus or len(set(skus)) < len(skus):
            return Invalid.BAD_LINE
        if goods_cents < self._minimum_cents:
            return Invalid.TOO_SMALL
        if self._lines_max is not None and len(skus) > self._lines_max:
            return Invalid.TOO_MANY_LINES
        if self._units_max is not None and max(units) > self._units_max:
            return Invalid.TOO_MANY_UNITS
        return None

    @staticmethod
    def against_stock(
        skus: Sequence[int], units: Sequence[int], available: Sequence[int], first: int
    ) -> Invalid | None:
        """Whether the records have anything of the cart; `first` is the place of the store's first SKU among them.

        A cart of which only some is gone may be ordered: what happens to the rest is the substitution policy's to say.
        """
        for sku, wanted in zip(skus, units, strict=True):
            if wanted > 0 and available[first + sku] > 0:
                return None
        return Invalid.NOTHING_AVAILABLE


# -- price -------------------------------------------------------------------------------------------------------------


class Bill(NamedTuple):
    """What an order costs, cents: total = goods - discount + fees, plus the tax where it comes on top."""

    goods_cents: int
    discount_cents: int
    delivery_fee_cents: int
    small_order_fee_cents: int
    tax_cents: int
    """Contained in the total, whether prices included it or not."""
    total_cents: int


class Pricer:
    """Prices of orders.

    Parameters
    ----------
    delivery_fee_cents
        Fee of every order, cents.
    codes
        Draws which clients hold the promotion code; None: nobody does.
    surcharged
        Whether there may be surcharges on the delivery fee.

    Attributes
    ----------
    plain
        Whether every order costs its goods and the delivery fee.
    """

    def __init__(
        self, pricing: Pricing, delivery_fee_cents: int, codes: Die | None = None, *, surcharged: bool = False
    ) -> None:
        self._fee_cents, self._free_from_cents = delivery_fee_cents, pricing.free_delivery_from_cents
        self._small_below_cents, self._small_fee_cents = pricing.small_order_below_cents, pricing.small_order_fee_cents
        self._tax, self._included = round(pricing.tax_share * _MILLION), pricing.tax_included
        promotion = pricing.promotion
        self._percent, self._cap_cents = round(promotion.percent / 100 * _MILLION), promotion.cap_cents
        self._minimum_cents, self._share = promotion.minimum_cents, promotion.share
        self._codes = codes
        self.plain = pricing.plain and not surcharged

    def holds_code(self, client: int) -> bool:
        """Whether a client holds the promotion code: the same client always does, or never."""
        # No draw where nobody holds one: every order asks.
        return self._share > 0 and self._codes is not None and self._codes.uniform(client) < self._share

    def price(self, goods_cents: int, code: bool = False, surcharge_cents: int = 0) -> Bill:
        """Make the bill of goods at their listed price; `code`: the client uses the promotion code.

        Fees go by the listed price of the basket, before any discount; a surcharge is a part of the delivery fee, and due where
        the rest of it is waived.
        """
        if self.plain and not code:
            total = goods_cents + self._fee_cents
            tax = half_even(total * self._tax, _MILLION + self._tax) if self._tax else 0
            return Bill(goods_cents, 0, self._fee_cents, 0, tax, total)
        discount = 0
        if code and goods_cents >= self._minimum_cents:
            discount = half_even(goods_cents * self._percent, _MILLION)
            if self._cap_cents is not None and discount > self._cap_cents:
                discount = self._cap_cents
        free_from = self._free_from_cents
        fee = surcharge_cents
        if free_from is None or goods_cents < free_from:
            fee += self._fee_cents
        small = self._small_fee_cents if goods_cents < self._small_below_cents else 0
        total = goods_cents - discount + fee + small
        if self._included:
            tax = half_even(total * self._tax, _MILLION + self._tax)
        else:
            tax = half_even(total * self._tax, _MILLION)
            total += tax
        return Bill(goods_cents, discount, fee, small, tax, total)


# -- refunds -----------------------------------------------------------------------------------------------------------


def paid_for_goods(bill: Bill) -> int:
    """The part of a bill that was paid for its goods, cents: less the discount, with their share of a tax on top.

    The rest of the total was paid for the fees.
    """
    goods, discount, fee, small, _, total = bill
    if total == goods + fee and not discount:
        return goods  # as almost always: every short pick asks
    net = goods - discount
    base = net + fee + small
    on_top = total - base
    return net + half_even(on_top * net, base) if on_top else net


def refund_for(paid_cents: int, goods_cents: int, before: int, more: int) -> int:
    """What goes back, cents, for goods listed at `more` cents, goods listed at `before` cents having gone back already.

    `paid_cents` were paid for goods listed at `goods_cents` in all. After goods listed at R have gone back, the customer has
    got round(paid R/goods) in all; each refund is the step between two such values, so that the goods sum to what was paid
    for them, in whatever pieces. Goods that are told of twice go back twice: who hears a message again and does not know it
    gives too much, and that is for the laws to notice.
    """
    if paid_cents == goods_cents:
        return more
    return half_even(paid_cents * (before + more), goods_cents) - half_even(paid_cents * before, goods_cents)
