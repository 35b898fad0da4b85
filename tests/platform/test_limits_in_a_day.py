"""Rate limits as honest users meet them in a day: each of them refuses, or slows down, somebody when it is tight."""

from typing import Any

import pytest

from sim.vocabulary import Refusal, Rejection

TIGHT = "{per_s: 0.0001, burst: 1}"


def test_who_may_ask_less_often_where_an_order_is_asks_less_often(two_stores: Any, play: Any) -> None:
    plain, tight = (
        play(two_stores(*settings)).study.summary["platform"]["endpoints"]
        for settings in ((), ("platform.limits.order_status={per_s: 0.01, burst: 1}",))
    )
    assert tight["order_status"]["per_s"] == pytest.approx(0.01 * 20.0 * plain["order_status"]["per_s"], rel=0.05)
    assert tight["drivers_nearby"]["per_s"] == pytest.approx(plain["drivers_nearby"]["per_s"], rel=0.05)


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
