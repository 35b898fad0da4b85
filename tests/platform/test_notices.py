"""Notifications: every message counts once, by WebSocket or push, and an offer that never shows burns its window."""

from typing import Any

import numpy as np
import pytest

from sim.laws import all_laws, verdict, whole_log
from sim.opening import ready_world
from sim.streams import Streams
from sim.vocabulary import OfferAnswer, OrderState
from sim.world.notices import Notice, Notices

PUSHED = "platform.notifications={driver_websocket_share: 0.5, push_loss_share: 0.3, push_latency_s: 8}"
OUTAGE = 'faults=[{kind: push_outage, at: "12:40", minutes: 20}]'
STATES = {
    OrderState.CONFIRMED: Notice.CONFIRMED, OrderState.PICKED_UP: Notice.OUT_FOR_DELIVERY,
    OrderState.DELIVERED: Notice.DELIVERED, OrderState.CANCELLED: Notice.CANCELLED,
}  # fmt: skip


@pytest.fixture(scope="module")
def pushed(two_stores: Any, play: Any) -> Any:
    world = ready_world(two_stores(PUSHED, OUTAGE, "platform.bus={loss: 0, duplicates: 0}"), Streams(1))
    laws = all_laws(world)
    played = play(world, laws=laws)
    assert verdict(laws) + whole_log(played.archive, played.outcome.state) == []
    return played


def test_customers_messages_are_counted_one_by_one(pushed: Any) -> None:
    notices = Notices.of(pushed.world.scenario, Streams(1))
    sent = lost = late = by_push = 0
    for row in pushed.rows("order_moved"):
        notice = STATES.get(OrderState(row["state"]))
        if notice is None:
            continue
        fates = notices.told(np.array([int(row["order"])]), notice)
        gone = fates.pushed[0] and (fates.lost[0] or 2400.0 <= row["t_s"] < 3600.0)
        sent, by_push, lost = sent + 1, by_push + int(fates.pushed[0]), lost + int(gone)
        late += int(not gone and fates.delay_s[0] > 10.0)
    later = len(pushed.rows("driver_stalled"))
    figures = pushed.study.summary["notifications"]["customers"]
    assert later == figures["by_notice"]["later"] == 0
    assert (figures["sent"], figures["push"], figures["lost"]) == (sent, by_push, lost)
    assert figures["websocket"] == sent - by_push
    assert figures["late_share"] == late / (sent - lost)
    assert figures["by_notice"]["confirmed"] == (pushed.rows("order_moved")["state"] == OrderState.CONFIRMED).sum()
    assert 0.4 < by_push / sent < 0.6


def test_an_offer_that_never_shows_burns_its_window(pushed: Any) -> None:
    made, answered, pushes = (pushed.rows(kind) for kind in ("offer_made", "offer_answered", "offer_pushed"))
    lost = pushes[~pushes["shown"]]
    window_s = pushed.world.scenario.platform.accept_window_s
    assert len(lost) > 20
    for push in lost:
        mine = (made["order"] == push["order"]) & (made["driver"] == push["driver"])
        ended = answered[(answered["order"] == push["order"]) & (answered["driver"] == push["driver"])]
        assert len(ended) == 1
        assert ended["answer"][0] in (OfferAnswer.EXPIRED, OfferAnswer.VOID)
        if ended["answer"][0] == OfferAnswer.EXPIRED:
            assert ended["t_s"][0] - made["t_s"][mine][0] >= window_s


def test_a_late_push_leaves_less_of_the_window(pushed: Any) -> None:
    made, answered, pushes = (pushed.rows(kind) for kind in ("offer_made", "offer_answered", "offer_pushed"))
    begun = {(int(row["order"]), int(row["driver"])): row["t_s"] for row in made}
    shown = {(int(row["order"]), int(row["driver"])): row["delay_s"] for row in pushes if row["shown"]}
    took = {
        pair: row["t_s"] - begun[pair]
        for row in answered
        if (pair := (int(row["order"]), int(row["driver"]))) in shown and row["answer"] != OfferAnswer.VOID
    }
    assert len(took) > 20
    assert all(took[pair] >= shown[pair] for pair in took)
    assert max(took.values()) <= pushed.world.scenario.platform.accept_window_s + 0.1


def test_while_the_provider_is_down_no_push_shows(pushed: Any) -> None:
    pushes = pushed.rows("offer_pushed")
    down = (pushes["t_s"] >= 2400.0) & (pushes["t_s"] < 3600.0)
    assert down.sum() > 5
    assert not pushes["shown"][down].any()
    assert pushes["shown"][~down].mean() == pytest.approx(0.7, abs=0.1)


def test_offers_are_counted_by_channel(pushed: Any) -> None:
    figures, pushes = pushed.study.summary["notifications"]["drivers"], pushed.rows("offer_pushed")
    assert figures["sent"] == len(pushed.rows("offer_made"))
    assert figures["push"] == len(pushes)
    assert figures["lost"] == (~pushes["shown"]).sum()
    assert figures["websocket"] + figures["push"] == figures["sent"]


def test_by_default_every_offer_shows_at_once_and_the_minimal_profile_has_no_pushes(two_stores: Any, play: Any) -> None:
    assert len(play(two_stores()).rows("offer_pushed")) == 0
    minimal = play(two_stores(PUSHED, "platform.profile=minimal"))
    assert len(minimal.rows("offer_pushed")) == 0
    assert minimal.study.summary["notifications"]["customers"]["push"] == 0


def test_an_app_without_a_connection_is_shown_nothing(two_stores: Any, play: Any) -> None:
    played = play(two_stores('faults=[{kind: app_connection_loss, at: "12:40", minutes: 20}]'))
    pushes = played.rows("offer_pushed")
    assert len(pushes) > 5
    assert not pushes["shown"].any()
    assert ((pushes["t_s"] >= 2400.0) & (pushes["t_s"] <= 3600.0)).all()
