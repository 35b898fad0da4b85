"""Faults that befall a share: the rest goes on, and the greater the share the worse it is."""

import numpy as np
import pytest

from sim.vocabulary import OfferAnswer
from tests.platform.test_faults import BEGAN_S, OVER_S, PAYMENT_FAILED, broken, within

__all__ = ["broken"]


def test_the_fewer_places_are_left_in_a_pool_the_more_charges_fail(broken):
    """Four places, and charges that keep one for half a minute."""
    asked, failed, earlier = [], [], []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        played = broken(
            "exhausted_pool", f"share: {share}", "payments={pool: 4, latency_s: 30, timeout_s: 300, methods: {card: 1}}",
            "demand.orders_per_day=3600",
        )  # fmt: skip
        moved = played.rows("order_moved")
        moved = moved[moved["state"] == PAYMENT_FAILED]
        failed.append(len(within(moved)))
        earlier.append(len(within(moved, 0.0, BEGAN_S)))
        asked.append(len(within(played.rows("payment_asked"))))
    assert failed[0] == 0
    assert failed == sorted(set(failed))
    assert asked == sorted(set(asked), reverse=True)
    assert asked[-1] == 0
    assert len(set(earlier)) == 1


@pytest.fixture
def lost(broken):
    """Run a loss of connection for a share of the drivers: who is gone, and the answers when it has lasted a minute."""

    def run(share):
        played = broken("app_connection_loss", f"share: {share}")
        answers = within(played.rows("offer_answered"), BEGAN_S + 60.0, OVER_S)
        return set(played.rows("driver_offline")["driver"].tolist()), answers

    return run


def test_the_more_phones_are_lost_the_more_offers_expire(lost):
    days = [lost(share) for share in (0.0, 0.3, 0.6, 1.0)]
    gone = [len(drivers) for drivers, _ in days]
    expired = [(answers["answer"] == OfferAnswer.EXPIRED).sum() for _, answers in days]
    assert (gone[0], gone[-1]) == (0, 14)
    assert gone == sorted(set(gone))
    assert expired[0] == 0
    assert min(np.diff(expired)) > 20


def test_only_lost_phones_leave_offers_unanswered_and_a_greater_loss_takes_the_same_and_more(lost):
    (few, answers), (many, _) = lost(0.3), lost(0.6)
    expired, accepted = (
        set(answers["driver"][answers["answer"] == answer].tolist())
        for answer in (OfferAnswer.EXPIRED, OfferAnswer.ACCEPTED)
    )
    assert expired <= few < many
    assert len(expired) > 3 < len(accepted)
    assert not accepted & few
