"""Substitutes: what is named, what customers say, and what it does to records, shelves and money."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from policies.substitution.ask import Ask
from policies.substitution.nearest import Nearest
from sim.clock import Clock
from sim.contracts import ReplacementView, SubstitutionView
from sim.engine import policies_of
from sim.facts import Facts
from sim.laws import all_laws, verdict
from sim.platform.inventory import Inventory
from sim.platform.stock_events import StockEvents
from sim.vocabulary import InputError, OrderId, SkuId, StockCause, StoreId
from sim.world.build import build_world
from tests.conftest import lawful_day

# Little is on the shelves, much of it is stolen, and the records do not know.
BARE = (
    "supply.cover_days=0.1", "supply.units_min=2", "shrinkage={theft_share: 0.5, theft_units: 3}",
    "stores.inaccurate_share=0.6", "stores.inaccurate_units=6",
)  # fmt: skip


def told(day: Any) -> dict[str, int]:
    return dict(day.study.summary["substitutions"])


@pytest.mark.parametrize(
    "more",
    [
        (),
        ("policies.saga=confirm_first",),
        ("policies.reservation=none",),
        ("policies.reservation=slots",),
        ("policies.reservation=lock",),
        (
            "platform.pricing={tax_share: 0.2, tax_included: false}",
            "payments.methods={card: 0.4, cash: 0.6}",
        ),
        ("stores.packing={stations: 2, room: 3}", "stores.layout={levels: 1}", "policies.picking=batch"),
        ("customers.patience_s=400", "customers.substitutes.reply_s=60"),
    ],
)
@pytest.mark.parametrize("policy", ["nearest", "ask"])
def test_the_laws_hold_when_something_else_comes(
    two_stores: Any, play: Any, policy: str, more: tuple[str, ...]
) -> None:
    day = lawful_day(play, two_stores(*BARE, f"policies.substitution={policy}", *more))
    found = told(day)
    assert found["lines"] > 3
    assert found["refused"] > 3
    assert (found["unanswered"] > 0) == (policy == "ask")


def test_nothing_comes_for_two_lines_of_an_order(two_stores: Any, play: Any) -> None:
    # Few SKUs and big baskets: what is nearest to one missing line is so to another as well.
    kinds = "catalogue.categories=[{name: goods, share: 1, price_cents: 300, litres: 1}]"
    day = lawful_day(
        play,
        two_stores(
            *BARE, kinds, "catalogue.price_cv=0", "demand.basket.lines_mean=10",
            "customers.substitutes.taken_share=1", "policies.substitution=nearest",
        ),
    )  # fmt: skip
    lines = day.rows("line_substituted")[["order", "taken"]].tolist()
    assert len(set(lines)) == len(lines) > 20


def test_a_substitute_is_of_the_category_in_nobodys_way_and_no_dearer(two_stores: Any, play: Any) -> None:
    day = play(two_stores(*BARE, "policies.substitution=nearest(gap_max=0.3)", "catalogue.price_cv=0.3"))
    goods, came = day.world.catalogue, day.rows("line_substituted")
    price = goods.price_cents
    assert len(came) > 10
    assert (goods.category[came["sku"]] == goods.category[came["taken"]]).all()
    ratio = price[came["taken"]] / price[came["sku"]]
    assert ((ratio <= 1.3 + 1e-9) & (ratio >= 1 / 1.3 - 1e-9)).all()
    assert (came["cents"] == np.minimum(price[came["sku"]], price[came["taken"]]) * came["units"]).all()
    # Each is in the tote, and was not in the basket.
    picked = day.rows("goods_picked")
    first, sku = day.world.trace.first_line, day.world.trace.sku
    for row in came:
        mine = (picked["order"] == row["order"]) & (picked["sku"] == row["taken"])
        assert picked["units"][mine].tolist() == [row["units"]]
        assert row["taken"] not in sku[first[row["order"]] : first[row["order"] + 1]]


def test_who_is_asked_says_yes_more_often_and_the_picker_waits(two_stores: Any, play: Any) -> None:
    refund, nearest, ask = (
        play(two_stores(*BARE, f"policies.substitution={name}")) for name in ("refund", "nearest", "ask(asks_s=90)")
    )
    assert told(refund) == {"lines": 0, "units": 0, "cents": 0, "refused": 0, "unanswered": 0}

    def yes(day: Any) -> float:
        found = told(day)
        return found["lines"] / (found["lines"] + found["refused"])

    assert yes(ask) > yes(nearest)
    revenue = [day.study.summary["revenue_cents"] for day in (refund, nearest, ask)]
    assert revenue[0] < revenue[1]
    assert revenue[0] < revenue[2]
    picks = [day.study.summary["stages_s"]["pick"] for day in (refund, nearest, ask)]
    assert picks[0] < picks[1] < picks[2]


def test_nobody_takes_what_nobody_wants(two_stores: Any, play: Any) -> None:
    never = play(two_stores(*BARE, "policies.substitution=nearest", "customers.substitutes.taken_share=0"))
    refund = play(two_stores(*BARE))
    assert told(never)["lines"] == 0
    assert told(never)["refused"] > 10
    assert never.study.summary["revenue_cents"] == refund.study.summary["revenue_cents"]


def view(**more: Any) -> ReplacementView:
    columns = {
        "category": np.array([0, 0, 0, 0, 1]), "price_cents": np.array([100, 110, 95, 200, 100]),
        "available": np.array([0, 5, 1, 9, 9]),
    }  # fmt: skip
    return ReplacementView(OrderId(0), SkuId(0), 1, **{**columns, **more})


def test_the_nearest_in_price() -> None:
    assert Nearest().replace(view()) == 2
    assert Nearest().replace(view()._replace(units=2)) == 1, "one that has all of them"
    assert Ask().replace(view(available=np.array([9, 0, 0, 9, 9]))) is None, "not at twice the price, nor itself"
    assert Nearest(gap_max=1.0).replace(view(available=np.array([9, 0, 0, 9, 9]))) == 3
    assert (
        Nearest().replace(view(price_cents=np.array([100, 110, 110, 200, 100]), available=np.array([0, 5, 5, 5, 5])))
        == 1
    )
    assert not Ask(share_min=0.5)(SubstitutionView(OrderId(0), 10, 6))
    assert Nearest(share_min=0.5)(SubstitutionView(OrderId(0), 10, 5))


@pytest.mark.parametrize(
    ("mine", "message"),
    [
        (SimpleNamespace(replace=lambda view: 10_000), "expected an SKU below 60 that is available"),
        (SimpleNamespace(replace=lambda view: view.sku), "and not in the basket"),
        (
            SimpleNamespace(replace=lambda view: None, asks_s=-1.0),
            r"expected asks_s to be seconds > 0 or None, got -1\.0",
        ),
    ],
)
def test_substitutes_that_are_none_are_refused(two_stores: Any, play: Any, mine: Any, message: str) -> None:
    class Policy:
        def __call__(self, view: Any) -> bool:
            return True

        def __getattr__(self, name: str) -> Any:
            return getattr(mine, name)

    scenario = two_stores(*BARE)
    broken: Any = replace(policies_of(scenario), substitution=Policy())
    with pytest.raises(InputError, match=r"policies\.substitution: .*" + message):
        play(scenario, policies=broken)


def forget_the_price(monkeypatch: pytest.MonkeyPatch) -> None:
    # The customer pays for the cheap one what the dear one would have cost.
    monkeypatch.setattr("sim.platform.billing.Billing.cheaper", lambda self, order, cents: None)


def hold_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    # The substitute leaves the store, and its record never hears of it.
    monkeypatch.setattr(Inventory, "hold", lambda self, order, sku, units: order.held.append((sku, units)))


@pytest.mark.parametrize(("mutant", "law"), [(forget_the_price, "money"), (hold_nothing, "records")])
def test_a_mutant_is_found(two_stores: Any, play: Any, monkeypatch: pytest.MonkeyPatch, mutant: Any, law: str) -> None:
    mutant(monkeypatch)
    world = build_world(two_stores(*BARE, "policies.substitution=ask", "customers.substitutes.asked_share=1"))
    laws = all_laws(world)
    play(world, laws=laws)
    assert law in {breach.law for breach in verdict(laws)}


def test_nothing_is_promised_of_a_record_that_cannot_be_read() -> None:
    """A page of the store turned to zeros: goods are put back on it, and no substitute is held, or its versions began anew."""
    env = Clock()
    inventory = Inventory(Facts(), 1, 3, env=env, events=StockEvents(env, 1, 3, keep_s=3600.0))
    for sku in range(3):
        inventory.adjust(StoreId(0), SkuId(sku), 5, StockCause.DELIVERY)
    inventory.corrupt([1])
    inventory.adjust(StoreId(0), SkuId(1), 2, StockCause.PUT_BACK)
    assert inventory.can_give(StoreId(0)).tolist() == [5, 0, 5]
    inventory.heal()
    assert inventory.can_give(StoreId(0)).tolist() == [5, 7, 5]
