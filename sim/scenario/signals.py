"""The scenario's keys for what the platform hears of its drivers and tells people: positions, arrival times, notifications."""

from typing import Annotated, Literal

from pydantic import Field

from sim.scenario.fields import JUDGEMENT, AboveZero, Branch, NonNegative, Positive, Share, given


class DeadZones(Branch):
    """Areas of the city where phones have no signal: circles about road nodes, drawn with the world."""

    share: Share = given(0.0, "-", "share of the road nodes that lie in such areas")
    radius_m: AboveZero = given(250.0, JUDGEMENT, "radius of each, metres")


class TrackingSpec(Branch):
    """What becomes of the positions that drivers' phones send (every `platform.ping_s`), and what is made of them."""

    loss_share: Share = given(0.02, JUDGEMENT, "share of the positions that are lost although there is a signal")
    delay_s: NonNegative = given(
        0.4, JUDGEMENT, "mean time from sending a position to its arrival, seconds (exponential)"
    )
    spoofed_share: Share = given(
        0.0, "-", "share of the drivers whose phones always claim to be at the home store, wherever they are"
    )
    dead_zones: DeadZones = given(DeadZones, "-", "areas where every position is lost")
    push_s: Annotated[NonNegative, Field(le=60)] = given(
        1.5, "1-2 s are usual", "time until a customer is shown a new arrival time, seconds: each order's within a third of it"
    )  # fmt: skip
    stall_s: Annotated[AboveZero, Field(le=600)] = given(
        180.0, JUDGEMENT, "a driver whose ride is overdue and of whom nothing was heard, or who has not moved, for so long "
        "is taken for stuck, seconds",
    )  # fmt: skip
    slip_s: NonNegative = given(
        300.0, JUDGEMENT, "a ride is overdue when it takes longer than reckoned by this much, seconds"
    )
    on_stall: Literal["alert", "reassign"] = given(
        "alert", "-", "alert: somebody is told; reassign: an order that a stuck driver has not taken away yet goes to another"
    )  # fmt: skip
    judge_every: Positive | None = given(
        None, "judgement: some 500 orders of the default day; judging all of them takes the engine a fifth longer",
        "the arrival times shown to every n-th order, by its number, are held against when it came; none: every 16th, or as "
        "many as make 450 of `demand.orders_per_day` where these are fewer",
    )  # fmt: skip


class NotificationSpec(Branch):
    """How people are told of what happens: by the app's WebSocket where it is open, else by a push through a provider."""

    websocket_share: Share = given(
        0.5, JUDGEMENT, "share of the messages to customers that find the app open and its WebSocket connected"
    )
    driver_websocket_share: Share = given(
        1.0, "judgement: the app of a driver on shift is open", "share of the offers that find the driver's connected"
    )
    push_latency_s: NonNegative = given(
        3.0, JUDGEMENT, "mean time from the provider of pushes to the phone, seconds (exponential)"
    )
    push_loss_share: Share = given(0.03, JUDGEMENT, "share of the pushes that never show")
    late_s: AboveZero = given(10.0, JUDGEMENT, "a message that takes longer counts as late, seconds")
