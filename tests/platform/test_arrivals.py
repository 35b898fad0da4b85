"""Arrival times: reckoned from the last known position, held against the truth, and never from what was not known yet."""

from typing import Any

import numpy as np
import pytest

from policies.locating.dead_reckoning import DeadReckoning
from policies.locating.last_ping import LastPing
from sim.contracts import RideView
from sim.vocabulary import Trip

KNOWN = (
    "travel={noise_cv: 0, traffic: false}", "drivers.noise=none", "pickers.noise=none", "drivers.respond_s=0",
    "pickers.per_store=12", "platform.tracking={loss_share: 0, delay_s: 0, judge_every: 1}", "drivers.accept_share=1",
    "stores.inaccurate_share=0", "pickers.mispick_share=0", "customers.patience_s=null",
)  # fmt: skip


def by_horizon(played: Any, horizon_s: float) -> Any:
    rows = played.rows("eta_judged")
    return rows[rows["horizon_s"] == horizon_s]


def test_where_everything_goes_as_reckoned_the_time_shown_is_right(two_stores: Any, play: Any) -> None:
    """Without noise the platform's times are the roads'; on a plain a position is the end of the ride, so few are told."""
    played = play(two_stores(*KNOWN, "platform.ping_s=100000", "drivers.handoff_s=0"))
    rows, legs = by_horizon(played, 300.0), played.rows("leg_started")
    out = legs[legs["trip"] == Trip.TO_CUSTOMER]
    left = dict(zip(out["order"].tolist(), out["t_s"].tolist(), strict=True))
    # Those on their way to the customer by then: nothing but the ride and the door is still to come.
    on_the_way = [row for row in rows if left[int(row["order"])] <= row["t_s"] - 302.0]
    assert len(on_the_way) > 10
    assert max(abs(float(row["error_s"])) for row in on_the_way) < 1e-5


def test_a_time_of_arrival_is_judged_for_every_order_that_had_a_driver_by_then(two_stores: Any, play: Any) -> None:
    played = play(two_stores(*KNOWN, "platform.tracking.push_s=0"))
    orders, figures = played.study.orders, played.study.summary["eta_error_s"]
    for horizon_s in (900.0, 600.0, 300.0, 120.0):
        had = orders["accepted_s"] <= orders["delivered_s"] - horizon_s
        rows = by_horizon(played, horizon_s)
        assert sorted(rows["order"].tolist()) == sorted(orders["order"][had].tolist())
        mine = figures[f"{horizon_s:.0f}"]
        assert mine["orders"] == len(rows)
        if len(rows):
            assert mine["mean_abs"] == pytest.approx(np.abs(rows["error_s"]).mean())
    assert figures["300"]["orders"] > 100


def test_every_nth_order_is_judged_and_none_in_the_minimal_profile(two_stores: Any, play: Any) -> None:
    rows = play(two_stores("platform.tracking.judge_every=5")).rows("eta_judged")
    assert len(rows) > 20
    assert not (rows["order"] % 5).any()
    assert len(play(two_stores("platform.profile=minimal")).rows("eta_judged")) == 0


def test_what_was_shown_is_what_was_known(two_stores: Any, play: Any) -> None:
    """An outage of all apps leaves positions old: what is shown of orders that come in it is reckoned from those."""
    fault = 'faults=[{kind: app_connection_loss, at: "12:40", minutes: 20}]'
    played = play(two_stores(*KNOWN, "platform.tracking.push_s=0", fault))
    rows = by_horizon(played, 120.0)
    known_s = rows["t_s"] - 120.0
    dark = (known_s > 2400.0 + 60.0) & (known_s < 3600.0)
    assert dark.sum() > 5
    assert (rows["age_s"][dark] >= known_s[dark] - 2400.0).all()
    assert (rows["age_s"][~dark & ((known_s < 2400.0) | (known_s > 3608.0))] <= 8.0).all()


def test_a_lying_phone_makes_arrival_times_late(two_stores: Any, play: Any) -> None:
    """Its driver never seems to leave the store."""
    honest, lying = (
        play(two_stores("platform.tracking.judge_every=1", f"platform.tracking.spoofed_share={share}"))
        for share in (0.0, 1.0)
    )
    assert by_horizon(lying, 120.0)["error_s"].mean() > by_horizon(honest, 120.0)["error_s"].mean() + 60.0


def test_a_fixed_position_or_one_that_goes_on() -> None:
    view = RideView(now_s=1000.0, age_s=30.0, left_s=200.0)
    assert LastPing()(view) == 200.0
    assert DeadReckoning()(view) == 170.0
    assert DeadReckoning()(view._replace(age_s=300.0)) == 0.0


def test_with_old_positions_dead_reckoning_is_closer(two_stores: Any, play: Any) -> None:
    """Where phones tell where they are every ten minutes, standing still in between is off by minutes."""
    off = [
        play(two_stores("platform.tracking.judge_every=1", "platform.ping_s=600", f"policies.locating={name}"))
        .study.summary["eta_error_s"]["120"]["mean_abs"]
        for name in ("dead_reckoning", "last_ping")
    ]  # fmt: skip
    assert off[0] < off[1] - 20.0


def test_tours_are_told_stop_by_stop(two_stores: Any, play: Any) -> None:
    """The last customer of a tour is not promised the ride of the first."""
    tours = ("policies.dispatch=matching(every_s=30, bundle_weight=20.0)", "drivers.count=6")
    played = play(two_stores(*KNOWN, *tours, "platform.ping_s=100000"))
    along = played.rows("order_bundled")["order"]
    assert len(along) > 10
    rows = by_horizon(played, 120.0)
    later = rows[np.isin(rows["order"], along)]
    assert len(later) > 10
    assert abs(later["error_s"].mean()) < 20.0
