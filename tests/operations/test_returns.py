"""What cannot be handed over at the door comes back to its store, with the driver, and the money goes back to the customer."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.laws import all_laws, verdict, whole_log
from sim.platform.office import Office
from sim.platform.saga import Saga
from sim.vocabulary import CancelReason, OfferAnswer, OrderState, Role, StockCause, TaskEnd, Trip
from sim.world.build import build_world
from tests.conftest import lawful_day

# Bread keeps its place on the shelf, ice does not, wine is for adults; every third SKU or so is one of them.
KINDS = (
    "catalogue.categories=[{name: bread, share: 0.4, price_cents: 200, litres: 1}, "
    "{name: ice, share: 0.3, price_cents: 300, litres: 1, returnable: false}, "
    "{name: wine, share: 0.3, price_cents: 900, litres: 1, restricted: true}]"
)
BREAD, ICE, WINE = range(3)
EXACT = (
    "stores.inaccurate_share=0", "pickers.mispick_share=0", "customers={patience_s: null}", "payments.decline_share=0",
    "drivers.accept_share=1",
)  # fmt: skip
ABSENT, YOUNG = "customers.absent_share=1", "customers.underage_share=1"
FEE = 290


@pytest.fixture
def one_order(one_store: Any, play: Any, tmp_path: Path) -> Any:
    """Play a day of one order, of some units of the first SKU of each category named; returns the day and its SKUs."""

    def run(kinds: dict[int, int], *settings: str, method: str = "card") -> tuple[Any, list[int]]:
        catalogue = build_world(one_store(KINDS)).catalogue
        skus = [int(np.flatnonzero(catalogue.category == kind)[0]) for kind in kinds]
        trace = tmp_path / "one.csv"
        units = ";".join(str(n) for n in kinds.values())
        trace.write_text(f"entered_s,node,skus,units\n600,7,{';'.join(map(str, skus))},{units}\n")
        pays = f"payments.methods={{{method}: 1}}"
        scenario = one_store(KINDS, *EXACT, pays, f"demand.trace={trace}", *settings)
        return lawful_day(play, scenario), skus

    return run


def stock(day: Any) -> tuple[Any, Any]:
    """Units by which shelves and records changed from the opening to the close."""
    state, opening = day.outcome.state, day.world.opening
    return state.shelf - opening.shelf, state.available + state.reserved - opening.record


# -- nobody there ----------------------------------------------------------------------------------------------------


def test_what_nobody_takes_ends_on_its_shelf_and_its_record_again_less_what_does_not_keep(one_order: Any) -> None:
    day, (bread, ice) = one_order({BREAD: 2, ICE: 3}, ABSENT)
    shelf, record = stock(day)
    expected = np.zeros_like(shelf)
    expected[0, ice] = -3
    np.testing.assert_array_equal(shelf, expected)
    np.testing.assert_array_equal(record, expected)
    returned = {int(row["sku"]): (int(row["units"]), bool(row["wasted"])) for row in day.rows("goods_returned")}
    assert returned == {bread: (2, False), ice: (3, True)}
    (row,) = (row for row in day.rows("record_adjusted") if row["cause"] == StockCause.RETURNED)
    assert (row["sku"], row["units"]) == (bread, 2)
    assert day.study.summary["returns"] == {"orders": 1, "units": 5, "put_back_units": 2, "wasted_units": 3}
    assert not day.outcome.state.totes


def test_the_driver_rides_to_the_customer_waits_and_brings_everything_back_to_the_store(one_order: Any) -> None:
    day, _ = one_order({BREAD: 1}, ABSENT, "drivers.wait_at_door_s=300")
    store, home = day.world.store_nodes[0], 7
    legs = {Trip(int(row["trip"])): row for row in day.rows("leg_started")}
    out, back = legs[Trip.TO_CUSTOMER], legs[Trip.RETURN]
    assert [(leg["origin"], leg["node"]) for leg in (out, back)] == [(store, home), (home, store)]
    (failed,), (handed_in,) = day.rows("handover_failed"), day.rows("tote_handed_in")
    doors = day.world.doors
    assert failed["t_s"] == out["arrive_s"] + day.world.trace.door_s[0] + 300.0 == back["t_s"]
    assert handed_in["t_s"] == back["arrive_s"] + doors.hand_in_s[0]
    assert doors.hand_in_s[0] > 0
    # Only then is the driver to be had again.
    (free,) = (row for row in day.rows("leg_started") if row["trip"] == Trip.BACK)
    assert free["t_s"] == handed_in["t_s"]
    accepted = day.rows("offer_answered")
    busy_s = handed_in["t_s"] - accepted["t_s"][accepted["answer"] == OfferAnswer.ACCEPTED][0]
    assert day.study.drivers["busy_s"].sum() == pytest.approx(busy_s)
    (task,) = day.rows("task_closed")
    assert (task["ended"], task["t_s"]) == (TaskEnd.FAILED, failed["t_s"])
    tasks = day.study.tasks
    assert tasks["left_s"][1] == failed["t_s"]
    assert not tasks["handed_over"].any()


def test_the_order_ends_as_undeliverable_and_is_refunded(one_order: Any) -> None:
    day, _ = one_order({BREAD: 2, WINE: 1}, ABSENT)
    orders, summary = day.study.orders, day.study.summary
    assert orders["state"].tolist() == [OrderState.CANCELLED]
    assert orders["cancel_reason"].tolist() == [CancelReason.UNDELIVERABLE]
    assert orders["refunded_cents"].tolist() == orders["charged_cents"].tolist() == [orders["value_cents"][0] + FEE]
    assert summary["orders"]["by_reason"] == {"undeliverable": 1}
    assert summary["revenue_cents"] == 0
    assert summary["on_time"] == 0.0
    assert summary["stages_s"]["ride"] is None


def test_fees_may_be_kept_of_what_was_paid_beforehand_and_cash_is_never_collected(one_order: Any) -> None:
    keep = "payments.keep_fee_on_failed=true"
    card, _ = one_order({BREAD: 2}, ABSENT, keep)
    assert card.rows("fees_kept")["cents"].tolist() == [FEE]
    assert card.study.summary["revenue_cents"] == card.study.summary["fees_cents"] == FEE
    cash, _ = one_order({BREAD: 2}, ABSENT, keep, method="cash")
    assert not len(cash.rows("charge_made"))
    assert not len(cash.rows("fees_kept"))
    assert cash.study.summary["revenue_cents"] == 0


# -- the age check -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["card", "cash"])
def test_who_cannot_show_to_be_of_age_gets_the_rest_and_pays_for_the_rest(one_order: Any, method: str) -> None:
    day, (bread, wine) = one_order({BREAD: 2, WINE: 3}, YOUNG, method=method)
    shelf, record = stock(day)
    expected = np.zeros_like(shelf)
    expected[0, bread] = -2
    np.testing.assert_array_equal(shelf, expected)
    np.testing.assert_array_equal(record, expected)
    orders, prices = day.study.orders, day.world.catalogue.price_cents
    assert orders["state"].tolist() == [OrderState.DELIVERED]
    paid = int(orders["charged_cents"][0] - orders["refunded_cents"][0])
    assert paid == 2 * prices[bread] + FEE
    assert day.rows("line_returned")[["sku", "units"]].tolist() == [(wine, 3)]
    assert day.study.summary["returns"] == {"orders": 1, "units": 3, "put_back_units": 3, "wasted_units": 0}
    assert day.study.summary["floor"]["perfect_order_rate"] == 0.0
    assert day.study.summary["on_time"] == 1.0
    trips = day.rows("leg_started")["trip"].tolist()
    assert trips[-2:] == [Trip.RETURN, Trip.BACK]
    # Busy until what was kept is handed in, not only until the rest was handed over.
    assert day.study.drivers["busy_s"].sum() > day.rows("tote_handed_in")["t_s"][0] - day.rows("goods_left")["t_s"][0]


def test_an_order_of_restricted_goods_only_fails_at_the_age_check(one_order: Any) -> None:
    day, _ = one_order({WINE: 2}, YOUNG)
    assert day.study.summary["orders"]["by_reason"] == {"age_check": 1}
    assert day.study.summary["revenue_cents"] == 0
    assert not stock(day)[0].any()
    assert not len(day.rows("goods_delivered"))


def test_who_is_of_age_is_only_asked_and_who_orders_bread_is_not(one_order: Any) -> None:
    def delivered_s(kinds: dict[int, int], check_s: float) -> float:
        day, _ = one_order(kinds, "customers.underage_share=0", f"drivers.age_check_s={check_s}")
        assert not len(day.rows("goods_returned"))
        return float(day.rows("goods_delivered")["t_s"][0])

    assert delivered_s({WINE: 1}, 20.0) - delivered_s({WINE: 1}, 0.0) == 20.0
    assert delivered_s({BREAD: 1}, 20.0) == delivered_s({BREAD: 1}, 0.0)


# -- many orders -------------------------------------------------------------------------------------------------------

SHUT = (KINDS, "customers.absent_share=0.3", "customers.underage_share=0.5")
PRICED = (
    "platform.pricing={tax_share: 0.19, tax_included: false, small_order_below_cents: 1500, small_order_fee_cents: 99, "
    "promotion: {share: 0.5, percent: 33.3, cap_cents: null, minimum_cents: 0}}"
)
CRASHES = "faults=[{kind: orchestrator_crash, rate_per_day: 500}]"


@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("platform.profile=minimal", "payments.methods={cash: 1}"),
        (PRICED, CRASHES, "payments.keep_fee_on_failed=true", "policies.saga=at_once"),
        (CRASHES, "payments.keep_fee_on_failed=true", "policies.saga=two_phase_commit"),
        (PRICED, "policies.substitution=nearest", "stores.inaccurate_share=0.6", "pickers.mispick_share=0.3"),
        ("faults=[{kind: region_outage, at: '13:00', rto_h: 0.2, rpo_h: 0.3}]", "payments.keep_fee_on_failed=true"),
        ("faults=[{kind: provider_outage, at: '12:30', minutes: 60}]", "platform.bus={duplicates: 0.2, loss: 0.2}"),
        ("faults=[{kind: app_connection_loss, at: '12:30', minutes: 60, share: 1.0}]", "drain_h=0.2"),
    ],
)
def test_the_laws_hold_where_much_comes_back(two_stores: Any, play: Any, settings: tuple[str, ...]) -> None:
    day = lawful_day(play, two_stores(*SHUT, *settings))
    assert len(day.rows("handover_failed")) > 10
    assert len(day.rows("goods_kept")) > 10
    returns, rows = day.study.summary["returns"], day.rows("goods_returned")
    assert returns["units"] == rows["units"].sum() == returns["put_back_units"] + returns["wasted_units"]
    assert returns["orders"] == len(set(rows["order"].tolist())) == len(day.rows("tote_handed_in"))
    drivers = day.study.drivers
    assert (drivers["busy_s"] <= drivers["on_s"] + 1e-9).all()
    # What drivers had in hand is busy time, and no ride with goods is an empty one.
    legs = day.rows("leg_started")
    riding = legs[legs["trip"] == Trip.RETURN]
    assert len(riding) >= len(day.rows("tote_handed_in"))


def test_support_has_let_the_customer_off_before_part_of_it_comes_back(
    two_stores: Any, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    picked_up = Office.picked_up

    def and_let_off(self: Any, order_id: Any, driver: Any) -> bool:
        gone = picked_up(self, order_id, driver)
        order = self.book.open.get(order_id)
        if gone and order_id % 2:
            left = order.paid_cents - order.refunded_cents if order.paid_cents else order.due_cents
            self.refund(order_id, left if order_id % 3 else left // 2, Role.SUPPORT, 0)
        return gone

    monkeypatch.setattr(Office, "picked_up", and_let_off)
    for pricing in ((), (PRICED,)):
        day = lawful_day(play, two_stores(*SHUT, "payments.keep_fee_on_failed=true", *pricing))
        both = set(day.rows("goodwill_given")["order"].tolist()) & set(day.rows("line_returned")["order"].tolist())
        assert len(both) > 5


def test_the_orchestrator_dies_while_a_failed_order_is_undone_and_undoes_it_once(
    two_stores: Any, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, hit = Saga.__init__, []

    def doomed(self: Any, *arguments: Any, **options: Any) -> None:
        begin(self, *arguments, **options)

        def kill(order: int, point: str, step: Any) -> bool:
            failing = self._book.open[order]
            if point != "undone" or failing.state != OrderState.PICKED_UP or (order, step) in hit or len(hit) > 8:
                return False
            hit.append((order, step))
            return True

        self.kill = kill

    monkeypatch.setattr(Saga, "__init__", doomed)
    day = lawful_day(play, two_stores(*SHUT, "payments.keep_fee_on_failed=true"))
    assert len(hit) > 5
    ended = day.rows("saga_ended")["order"].tolist()
    assert all(ended.count(order) == 1 for order, _ in hit)


def test_a_driver_whose_shift_is_over_brings_it_back_all_the_same(two_stores: Any, play: Any) -> None:
    day = lawful_day(play, two_stores(*SHUT, "drivers.shifts=[{at: '12:00', hours: 1}]", "drivers.wait_at_door_s=600"))
    off = {int(row["driver"]): float(row["t_s"]) for row in day.rows("driver_off")}
    late = [row for row in day.rows("tote_handed_in") if row["t_s"] > 3600.0]
    assert late, "expected somebody on the way back at the end of the shift"
    assert all(off[int(row["driver"])] == row["t_s"] for row in late)


def test_who_is_absent_changes_nobodys_order_and_more_are_more(two_stores: Any) -> None:
    few, many, none = (build_world(two_stores(KINDS, f"customers.absent_share={share}")) for share in (0.2, 0.5, 0.0))
    assert few.doors.absent < many.doors.absent
    assert 0.3 < len(many.doors.absent) / many.trace.orders < 0.7
    assert few.doors.underage == many.doors.underage == none.doors.underage
    np.testing.assert_array_equal(few.trace.entered_s, none.trace.entered_s)
    assert not none.doors.absent
    assert build_world(two_stores()).doors is None, "nothing is drawn where everything is handed over"


def test_waiting_at_a_door_costs_drivers_time(two_stores: Any, play: Any) -> None:
    short, long = (play(two_stores(*SHUT, f"drivers.wait_at_door_s={wait_s}")) for wait_s in (0, 900))
    one, other = short.study.summary, long.study.summary
    assert other["orders_per_driver_hour"] < one["orders_per_driver_hour"]


def test_nobody_says_how_it_went_at_the_door_before_being_there(
    two_stores: Any, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, packed = [], Office.packed

    def and_fail(self: Any, order_id: Any, picker: Any) -> bool:
        done = packed(self, order_id, picker)
        order = self.book.open.get(order_id)
        if done and order.driver >= 0:
            assert not self.undelivered(order_id, order.driver, CancelReason.UNDELIVERABLE)
            assert not self.too_young(order_id, order.driver)
            tried.append(order_id)
        return done

    monkeypatch.setattr(Office, "packed", and_fail)
    world = build_world(two_stores(KINDS, "customers.underage_share=0"))
    laws = all_laws(world)
    day = play(world, laws=laws)
    assert verdict(laws) + whole_log(day.archive, day.outcome.state) == []
    assert tried
    assert not len(day.rows("handover_failed"))
    assert not len(day.rows("line_returned"))
