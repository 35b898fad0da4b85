"""Carts, bills and refunds: what is charged is what the parts say, and what goes back never exceeds what was paid."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sim.platform.pricing import (
    Invalid,
    Pricer,
    Validation,
    half_even,
    paid_for_goods,
    refund_for,
)
from sim.scenario.gateway import CartRules, Pricing, Promotion
from sim.streams import Streams

GOODS = st.integers(0, 50_000)
LINES = st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 6)), min_size=1, max_size=8)

PRICINGS = st.builds(
    Pricing,
    tax_share=st.integers(0, 400).map(lambda thousandths: thousandths / 1000),
    tax_included=st.booleans(),
    small_order_below_cents=st.integers(0, 3000),
    small_order_fee_cents=st.integers(0, 300),
    free_delivery_from_cents=st.none() | st.integers(0, 9000),
    promotion=st.builds(
        Promotion,
        percent=st.integers(1, 200).map(lambda halves: halves / 2),
        cap_cents=st.none() | st.integers(0, 2000),
        minimum_cents=st.integers(0, 4000),
    ),
)


@given(st.integers(0, 10**9), st.integers(1, 10**6))
def test_division_rounds_half_to_even(dividend: int, divisor: int) -> None:
    exact = Decimal(dividend) / Decimal(divisor)
    if (dividend * 2) % divisor:
        assert half_even(dividend, divisor) == int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))
    assert [half_even(halves, 2) for halves in range(8)] == [0, 0, 1, 2, 2, 2, 3, 4]


# -- bills -------------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), max_size=9),
    st.lists(st.integers(0, 9999), min_size=10, max_size=10),
)
def test_by_default_an_order_costs_its_goods_and_the_delivery_fee(held: Any, prices: list[int]) -> None:
    goods = sum(prices[sku] * units for sku, units in held)
    bill = Pricer(Pricing(), 290).price(goods)
    assert bill.total_cents == sum((prices[sku] * units for sku, units in held), start=290)
    assert (bill.discount_cents, bill.delivery_fee_cents, bill.small_order_fee_cents) == (0, 290, 0)


@given(GOODS, PRICINGS, st.integers(0, 500), st.booleans())
def test_a_bill_adds_up(goods: int, pricing: Pricing, fee: int, code: bool) -> None:
    bill = Pricer(pricing, fee).price(goods, code)
    assert min(bill) >= 0
    assert bill.discount_cents <= goods
    assert bill.goods_cents == goods
    base = goods - bill.discount_cents + bill.delivery_fee_cents + bill.small_order_fee_cents
    tax = Decimal(str(pricing.tax_share))
    if pricing.tax_included:
        assert bill.total_cents == base
        assert abs(bill.tax_cents - base * tax / (1 + tax)) <= Decimal("0.5")
    else:
        assert bill.total_cents == base + bill.tax_cents
        assert abs(bill.tax_cents - base * tax) <= Decimal("0.5")


def test_the_tax_inside_a_price_and_on_top_of_it_is_the_same() -> None:
    """A net price of 10,000 with 19 % on top is a gross price of 11,900 of which 1,900 is tax."""
    on_top = Pricer(Pricing(tax_share=0.19, tax_included=False), 0).price(10_000)
    inside = Pricer(Pricing(tax_share=0.19, tax_included=True), 0).price(11_900)
    assert (on_top.tax_cents, on_top.total_cents) == (inside.tax_cents, inside.total_cents) == (1900, 11_900)


def test_half_a_cent_of_tax_goes_to_the_even_cent() -> None:
    pricer = Pricer(Pricing(tax_share=0.05, tax_included=False), 0)
    assert [pricer.price(goods).tax_cents for goods in (10, 30, 50, 70)] == [0, 2, 2, 4]


def test_fees_depend_on_the_basket_before_the_discount() -> None:
    pricing = Pricing(
        small_order_below_cents=1000, small_order_fee_cents=150, free_delivery_from_cents=3000,
        promotion=Promotion(percent=50.0, cap_cents=None, minimum_cents=0),
    )  # fmt: skip
    pricer = Pricer(pricing, 290)
    fees = [(b.delivery_fee_cents, b.small_order_fee_cents) for b in map(pricer.price, (999, 1000, 2999, 3000))]
    assert fees == [(290, 150), (290, 0), (290, 0), (0, 0)]
    assert [pricer.price(goods, code=True)[2:4] for goods in (999, 1000, 2999, 3000)] == fees


def test_a_code_works_from_its_minimum_and_up_to_its_cap() -> None:
    pricer = Pricer(Pricing(promotion=Promotion(percent=10.0, cap_cents=400, minimum_cents=1500)), 0)
    assert [pricer.price(goods, code=True).discount_cents for goods in (1499, 1500, 4000, 9000)] == [0, 150, 400, 400]
    assert pricer.price(4000, code=False).discount_cents == 0


def test_a_code_is_held_by_its_share_of_clients_and_always_by_the_same() -> None:
    die = Streams(3).die("promotion")
    pricer = Pricer(Pricing(promotion=Promotion(share=0.2)), 290, die)
    holders = [pricer.holds_code(client) for client in range(5000)]
    assert stats.binomtest(sum(holders), 5000, 0.2).pvalue > 1e-6
    assert [pricer.holds_code(client) for client in reversed(range(5000))] == holders[::-1]
    more = Pricer(Pricing(promotion=Promotion(share=0.4)), 290, die)
    assert all(more.holds_code(client) for client in range(5000) if holders[client])
    assert not any(Pricer(Pricing(), 290, die).holds_code(client) for client in range(5000))
    assert not any(Pricer(Pricing(promotion=Promotion(share=1.0)), 290).holds_code(client) for client in range(10))


# -- refunds -----------------------------------------------------------------------------------------------------------


@given(LINES, PRICINGS, st.integers(0, 500), st.booleans(), st.randoms(use_true_random=False))
def test_refunds_in_any_pieces_never_exceed_and_at_last_equal_what_was_paid(
    lines: Any, pricing: Pricing, fee: int, code: bool, shuffle: Any
) -> None:
    goods = sum(price * units for price, units in lines)
    bill = Pricer(pricing, fee).price(goods, code)
    paid = paid_for_goods(bill)
    assert 0 <= paid <= bill.total_cents
    left = [list(line) for line in lines]
    before = refunded = 0
    while left:
        line = shuffle.choice(left)
        units = shuffle.randint(1, line[1])
        line[1] -= units
        left = [line for line in left if line[1]]
        cents = refund_for(paid, goods, before, line[0] * units)
        assert cents >= 0
        before += line[0] * units
        refunded += cents
        assert abs(refunded - Decimal(paid) * before / max(goods, 1)) <= Decimal("0.5")
    assert refunded == paid


@given(LINES)
def test_with_default_pricing_a_missing_unit_refunds_its_price(lines: Any) -> None:
    goods = sum(price * units for price, units in lines)
    paid, before = paid_for_goods(Pricer(Pricing(), 290).price(goods)), 0
    for price, units in lines:
        for _ in range(units):
            assert refund_for(paid, goods, before, price) == price
            before += price


@given(GOODS, st.integers(0, 500))
def test_the_quick_way_to_a_plain_bill_is_the_long_one(goods: int, fee: int) -> None:
    # A promotion that some hold, though not this client, takes the long way.
    assert Pricer(Pricing(), fee).price(goods) == Pricer(Pricing(promotion=Promotion(share=0.5)), fee).price(goods)


def test_a_discount_as_large_as_the_small_order_fee_is_still_a_discount() -> None:
    pricing = Pricing(
        small_order_below_cents=2000, small_order_fee_cents=100,
        promotion=Promotion(percent=10.0, minimum_cents=0),
    )  # fmt: skip
    bill = Pricer(pricing, 290).price(1000, code=True)
    assert bill.total_cents == 1290
    assert paid_for_goods(bill) == 900


def test_the_tax_on_the_fee_is_not_refunded_with_the_goods() -> None:
    bill = Pricer(Pricing(tax_share=0.2, tax_included=False), 500).price(1000)
    assert bill.total_cents == 1800
    assert paid_for_goods(bill) == 1200


def test_goods_that_are_told_of_twice_go_back_twice() -> None:
    assert refund_for(250, 300, 0, 300) == refund_for(250, 300, 300, 300) == 250


# -- validation --------------------------------------------------------------------------------------------------------

RULES = CartRules(minimum_cents=500, lines_max=3, units_max=4)


@pytest.mark.parametrize(
    ("skus", "units", "cents", "where", "expected"),
    [
        ((0, 9), (4, 1), 500, {}, None),
        ((0,), (1,), 500, {"is_open": False, "in_zone": False}, Invalid.CLOSED),
        ((0,), (1,), 500, {"in_zone": False, "account_ok": False}, Invalid.OUT_OF_ZONE),
        ((), (), 500, {"account_ok": False}, Invalid.ACCOUNT),
        ((), (), 0, {}, Invalid.EMPTY),
        ((0, 10), (1, 1), 0, {}, Invalid.BAD_LINE),
        ((0, -1), (1, 1), 500, {}, Invalid.BAD_LINE),
        ((3, 3), (1, 1), 500, {}, Invalid.BAD_LINE),
        ((3, 4), (1, 0), 500, {}, Invalid.BAD_LINE),
        ((0,), (1,), 499, {}, Invalid.TOO_SMALL),
        ((0, 1, 2, 3), (1, 1, 1, 5), 500, {}, Invalid.TOO_MANY_LINES),
        ((0, 1, 2), (1, 1, 5), 500, {}, Invalid.TOO_MANY_UNITS),
    ],
)
def test_a_cart_is_refused_for_the_first_thing_wrong_with_it(
    skus: Any, units: Any, cents: int, where: dict[str, bool], expected: Invalid | None
) -> None:
    assert Validation(RULES, skus=10).invalid(skus, units, cents, **where) is expected


@given(st.dictionaries(st.integers(0, 99), st.integers(1, 500), min_size=1))
def test_by_default_every_sound_cart_can_be_ordered(cart: dict[int, int]) -> None:
    assert Validation(CartRules(), 100).invalid(tuple(cart), tuple(cart.values()), 0) is None


def test_a_cart_of_which_the_records_have_nothing_is_refused() -> None:
    records = [5, 5, 5, 0, 1, 0]  # two stores of three SKUs
    against = Validation.against_stock
    assert against((0, 2), (1, 1), records, 3) is Invalid.NOTHING_AVAILABLE
    assert against((0, 1), (1, 9), records, 3) is None
    assert against((0, 2), (1, 1), records, 0) is None
