"""Money over whole days: slow providers, outages, cash, and the books at midnight."""

from collections import Counter
from typing import Any

import numpy as np

from sim.laws import all_laws, verdict, whole_log
from sim.platform.breaker import Breaker
from sim.vocabulary import OrderState
from sim.world.build import build_world

BUSY = ("horizon_h=1", "demand.orders_per_day=7200", "stores.inaccurate_share=0", "drivers.count=60")


def run(play: Any, scenario: Any) -> tuple[Any, list[Any]]:
    world = build_world(scenario)
    laws = all_laws(world)
    played = play(world, laws=laws)
    return played, verdict(laws) + whole_log(played.archive, played.outcome.state)


def cents(played: Any, kind: str) -> Counter[int]:
    total: Counter[int] = Counter()
    for order, value in zip(played.rows(kind)["order"].tolist(), played.rows(kind)["cents"].tolist(), strict=True):
        total[order] += value
    return total


SLOW = "payments={latency_s: 8, latency_cv: 1, methods: {card: 1}"


def test_with_keys_a_slow_provider_charges_nobody_twice(two_stores: Any, play: Any) -> None:
    played, breaches = run(play, two_stores(*BUSY, SLOW + "}"))
    assert breaches == []
    assert len(played.rows("payment_unknown")) > 50
    assert max(Counter(played.rows("charge_made")["order"].tolist()).values()) == 1


def test_without_keys_it_does_the_law_says_so_and_the_settlement_gives_it_back(two_stores: Any, play: Any) -> None:
    played, breaches = run(play, two_stores(*BUSY, SLOW + ", idempotency: false}"))
    twice = sum(count - 1 for count in Counter(played.rows("charge_made")["order"].tolist()).values())
    assert twice > 20
    assert len(breaches) == twice, "every double charge is found, and nothing else is wrong"
    assert all(breach.law == "money" and "charged twice" in breach.what for breach in breaches)
    kept = cents(played, "charge_made")
    kept.subtract(cents(played, "charge_returned"))
    booked = cents(played, "payment_captured")
    booked.subtract(cents(played, "payment_refunded"))
    assert kept == booked
    settled = played.rows("books_settled")
    assert settled["differing"].sum() > 0


def test_books_are_settled_at_midnight_and_at_the_end(two_stores: Any, play: Any) -> None:
    shift = "[{at: '23:00', hours: 5}]"
    played, breaches = run(
        play,
        two_stores(
            *BUSY, "start=2026-11-20T23:00+00:00", "horizon_h=2", f"pickers.shifts={shift}", f"drivers.shifts={shift}",
            "payments={lost_answer_share: 0.3, lost_callback_share: 0.5, methods: {card: 1}}",
        ),
    )  # fmt: skip
    assert breaches == []
    settled = played.rows("books_settled")
    assert settled["t_s"].tolist() == [3600.0, played.world.scenario.end_s]
    assert (settled["differing"] > 0).all()
    charges = played.rows("charge_made")
    assert settled["orders"][0] >= (charges["t_s"] < 3600 - 30).sum()


def test_a_callback_for_every_charge_changes_nobodys_order(two_stores: Any, play: Any) -> None:
    quiet, loud = (
        run(play, two_stores(*BUSY, f"payments={{duplicate_share: {share}, lost_answer_share: 0, latency_cv: 0.2}}"))
        for share in (0, 1)
    )
    assert quiet[1] == loud[1] == []
    assert len(loud[0].rows("callback_came")) > len(loud[0].rows("payment_captured")) * 0.9
    assert not loud[0].rows("callback_came")["news"].any()
    np.testing.assert_array_equal(quiet[0].outcome.state.orders, loud[0].outcome.state.orders)
    np.testing.assert_array_equal(quiet[0].study.orders["delivered_s"], loud[0].study.orders["delivered_s"])


def test_cash_is_taken_at_the_door_and_a_cancelled_cash_order_owes_nothing(two_stores: Any, play: Any) -> None:
    played, breaches = run(
        play,
        two_stores(
            *BUSY, "payments={methods: {cash: 0.5, card: 0.5}, decline_share: 0.5}", "drivers.count=14",
            "customers={patience_s: 600, patience_cv: 1}",
        ),
    )  # fmt: skip
    assert breaches == []
    asked = set(played.rows("payment_asked")["order"].tolist())
    orders, handed = played.study.orders, played.rows("goods_delivered")
    at_door = dict(zip(handed["order"].tolist(), handed["t_s"].tolist(), strict=True))
    captured = {int(row["order"]): float(row["t_s"]) for row in played.rows("payment_captured")}
    promised = set(played.rows("order_promised")["order"].tolist())
    cash = promised - asked
    delivered = set(orders["order"][orders["state"] == OrderState.DELIVERED].tolist())
    assert len(cash & delivered) > 20
    assert len(cash - delivered) > 20
    for order in cash:
        if order in delivered:
            assert captured[order] == at_door[order]
        else:
            assert order not in captured
    assert not cents(played, "charge_returned").keys() & (cash - delivered)


OUTAGE = "faults=[{kind: provider_outage, at: '12:20', minutes: 20}]"


def test_a_breaker_shortens_the_outage_for_everyone_who_comes(two_stores: Any, play: Any, monkeypatch: Any) -> None:
    """Without one everybody waits for the time-out, 10 s; with one only those who find out, and three trials in 40 s.

    At 40 orders a minute that is about 3 x 10 s for every 27 orders. Nobody tries again of his own accord here.
    """
    settings = (
        OUTAGE, "horizon_h=0.75", "demand.orders_per_day=60000", "customers={patience_s: null}", "drain_h=0.5",
        "payments={methods: {card: 1}, attempts_max: 1}", "supply.cover_days=9",
    )  # fmt: skip
    guarded, breaches = run(play, two_stores(*settings))
    monkeypatch.setattr(Breaker, "fail", lambda self, now_s: None)
    bare, more = run(play, two_stores(*settings))
    assert breaches == more == []

    def seconds(played: Any) -> Any:
        ended = {int(row["order"]): float(row["t_s"]) for row in played.rows("saga_ended") if not row["settled"]}
        entered = played.rows("order_entered")
        during = entered[(entered["t_s"] > 1200 + 60) & (entered["t_s"] < 2400 - 30)]
        return np.array([ended[int(row["order"])] - float(row["t_s"]) for row in during])

    assert len(seconds(bare)) == len(seconds(guarded)) > 60
    assert seconds(bare).min() >= 10
    assert seconds(guarded).mean() < 0.2 * seconds(bare).mean()
    # And it closes: whoever comes a while after the outage pays as if there had been none.
    for played in (guarded, bare):
        entered = played.rows("order_entered")
        late = entered["order"][(entered["t_s"] > 2400 + 60) & (entered["t_s"] < 2700 - 30)]
        assert len(late) > 50
        paid = set(played.rows("payment_captured")["order"].tolist())
        assert np.mean([order in paid for order in late.tolist()]) > 0.9
