"""Rate limits as honest users meet them in a day: each of them refuses, or slows down, somebody when it is tight."""

from typing import Any

import numpy as np
import pytest

from sim.vocabulary import OrderState, Refusal, Rejection

TIGHT = "{per_s: 0.0001, burst: 1}"


def test_who_may_ask_less_often_where_an_order_is_asks_less_often(two_stores: Any, play: Any) -> None:
    plain, tight = (
        play(two_stores(*settings)).study.summary["platform"]["endpoints"]
        for settings in ((), ("platform.limits.order_status={per_s: 0.01, burst: 1}",))
    )
    assert tight["order_status"]["per_s"] == pytest.approx(0.01 * 20.0 * plain["order_status"]["per_s"], rel=0.05)
    assert tight["drivers_nearby"]["per_s"] == pytest.approx(plain["drivers_nearby"]["per_s"], rel=0.05)


def test_who_orders_too_often_is_refused(two_stores: Any, play: Any) -> None:
    """Each of thirty clients may order once, and not again before the end."""
    tight, free = (
        play(two_stores("customers.clients=30", f"platform.limits.place_order={TIGHT}", *settings))
        for settings in ((), ("platform.limits.on=false",))
    )
    rejected, entered = tight.rows("order_rejected"), tight.rows("order_entered")
    first_s = dict(zip(entered["client"].tolist(), entered["t_s"].tolist(), strict=True))
    assert len(entered) == len(first_s) == 30
    assert len(rejected) > 150
    assert (rejected["reject"] == Rejection.RATE_LIMITED).all()
    assert all(first_s[row["client"]] < row["t_s"] for row in rejected)
    assert len(free.rows("order_entered")) == len(entered) + len(rejected)
    assert len(free.rows("order_rejected")) == 0


def test_who_has_to_log_in_too_often_is_refused(two_stores: Any, play: Any) -> None:
    """Tokens last a quarter of an hour and nothing refreshes them: every order begins with a password."""
    often = ("customers.clients=40", "platform.auth={token_s: 900, refresh_s: 60, away_s: 86400}")
    plain, tight = (
        play(two_stores(*often, *settings)).rows("order_rejected")["reject"]
        for settings in ((), (f"platform.limits.login={TIGHT}",))
    )
    assert (plain == Rejection.RATE_LIMITED).sum() == 0
    assert (tight == Rejection.RATE_LIMITED).sum() > 50


def test_who_changes_orders_too_often_is_refused(two_stores: Any, play: Any) -> None:
    """Customers who lose patience call off; of several orders only the first where changes are limited so tightly."""
    hasty = ("customers.clients=30", "customers.patience_s=300", "drivers.count=2")
    plain, tight = (
        play(two_stores(*hasty, *settings)).rows("request_refused")["refusal"]
        for settings in ((), (f"platform.limits.change_order={TIGHT}",))
    )
    assert (plain == Refusal.RATE_LIMITED).sum() == 0
    assert (tight == Refusal.RATE_LIMITED).sum() > 10


def test_whose_account_is_closed_orders_nothing(two_stores: Any, play: Any) -> None:
    played = play(two_stores("platform.auth.closed_share=0.3"))
    rejected, entered = played.rows("order_rejected"), played.rows("order_entered")
    closed = rejected[rejected["reject"] == Rejection.UNAUTHORISED]
    assert 0.15 < len(closed) / (len(closed) + len(entered)) < 0.45
    assert not set(closed["client"].tolist()) & set(entered["client"].tolist())
    assert not (play(two_stores()).rows("order_rejected")["reject"] == Rejection.UNAUTHORISED).any()


def test_who_reads_too_often_is_refused_where_reads_are_one_by_one(two_stores: Any, play: Any) -> None:
    few = ("platform.reads=explicit", "catalogue.skus=200", "customers.clients=20")
    plain, tight = (
        play(two_stores(*few, *settings)).study.summary["platform"]["endpoints"]["catalogue"]["availability"]
        for settings in ((), (f"platform.limits.catalogue={TIGHT}",))
    )
    assert plain > 0.99
    assert tight < 0.1


def test_revoked_sessions_cost_everybody_a_login(two_stores: Any, play: Any) -> None:
    """After a leak nobody's token counts: the app asks for the password, and the gateway has to look at it."""
    leak = 'faults=[{kind: revoked_sessions, at: "12:40", minutes: 1}]'
    calm, leaked = (play(two_stores(*settings, "platform.submit_cv=0")) for settings in ((), (leak,)))

    def way_s(played: Any) -> Any:
        moved, entered = played.rows("order_moved"), played.rows("order_entered")
        confirmed = moved[moved["state"] == OrderState.CONFIRMED]
        since = dict(zip(entered["order"].tolist(), entered["t_s"].tolist(), strict=True))
        late = confirmed[(confirmed["t_s"] > 2400.0) & (confirmed["t_s"] < 3600.0)]
        return np.median([row["t_s"] - since[row["order"]] for row in late])

    assert way_s(leaked) > way_s(calm) + 0.05, "a password, at 50 ms of hashing, and one more round trip"
    moved = leaked.rows("order_moved")
    told = moved[np.isin(moved["state"], [OrderState.PACKED, OrderState.PICKED_UP, OrderState.DELIVERED])]["t_s"]
    assert not ((told > 2400.0) & (told < 2430.0)).any(), "pickers and drivers log in as well"
    assert ((told >= 2430.0) & (told < 2431.0)).any()


def test_a_login_that_is_refused_or_not_answered_is_none(two_stores: Any, play: Any) -> None:
    """Clients who cannot log in while the gateway is down have to do it afterwards; and a limit refuses again and again."""
    leak = '{kind: revoked_sessions, at: "12:40", minutes: 1}'
    down = '{kind: expired_certificate, service: gateway, at: "12:41", minutes: 19}'
    often = (
        "platform.auth={token_s: 1800, away_s: 0}",
        "customers.clients=60",
        "platform.submit_cv=0",
        "platform.submit_s=10",
    )

    def late(faults: str) -> Any:
        """Orders after 13:00 whose way in took two round trips more than the one that every order needs."""
        played = play(two_stores(*often, f"faults=[{faults}]"))
        entered, reserved = played.rows("order_entered"), played.rows("order_moved")
        since = dict(zip(entered["order"].tolist(), entered["t_s"].tolist(), strict=True))
        confirmed = reserved[reserved["state"] == OrderState.PENDING_PAYMENT]
        return sum(row["t_s"] - since[row["order"]] > 25.0 for row in confirmed if since[row["order"]] > 3600.0)

    assert late(f"{leak}, {down}") > late(leak)


def test_without_tokens_there_are_none_to_revoke(two_stores: Any, play: Any) -> None:
    leak = 'faults=[{kind: revoked_sessions, at: "12:40", minutes: 1}]'
    calm, leaked = (
        play(two_stores("platform.auth.on=false", *settings)).rows("order_moved").tolist() for settings in ((), (leak,))
    )
    assert calm == leaked


def test_a_slow_attack_comes_as_often_as_it_says(two_stores: Any, play: Any) -> None:
    slow = 'faults=[{kind: login_attack, at: "12:10", minutes: 100, per_second: 0.03}]'
    met = play(two_stores(slow)).rows("attack_met")
    assert met["asked"].sum() == pytest.approx(180, abs=2)
