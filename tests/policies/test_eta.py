"""Learned travel times: what the trees make of rides, and what it is good for where the map is too fast."""

from typing import Any

import numpy as np
import pytest

from policies.eta.learned import Learned
from policies.eta.told import Told
from sim.contracts import Trips

CALM = ("customers.patience_s=null", "payments.decline_share=0", "drivers.accept_share=1")
RAIN = ("demand.weather.ride_factor=1.6", "demand.orders_per_day=3600", "drivers.count=40", "drivers.noise=none")


def trips(rides: int, slow: Any, vehicles: int = 2) -> Trips:
    """Rides at all hours by all vehicles, each so much longer than believed as `slow` says of it, with noise."""
    rng = np.random.default_rng(1)
    vehicle, hour = rng.integers(0, vehicles, rides), rng.integers(0, 24, rides)
    believed_s = rng.exponential(300.0, rides)
    return Trips(
        vehicle, hour, believed_s, believed_s * slow(vehicle, hour) * rng.lognormal(-0.02, 0.2, rides), vehicles
    )


def test_it_learns_what_is_slow_by_vehicle_and_hour() -> None:
    found = Learned()(trips(8000, lambda vehicle, hour: np.where((vehicle == 1) & (hour >= 16), 1.8, 1.1)))
    assert found.shape == (2, 24)
    assert found[1, 18:] == pytest.approx(1.8, rel=0.1)
    assert found[0, 18:] == pytest.approx(1.1, rel=0.1)
    assert found[1, :14] == pytest.approx(1.1, rel=0.1)


def test_few_rides_are_trusted_little_and_none_not_at_all() -> None:
    slow = trips(60, lambda vehicle, hour: np.full(len(hour), 2.0))
    wary, bold = (Learned(rides=rides)(slow).mean() for rides in (540, 0))
    assert bold == pytest.approx(2.0, rel=0.15)
    assert wary - 1.0 == pytest.approx((bold - 1.0) * 0.1, rel=0.01)
    nothing = trips(0, lambda vehicle, hour: np.ones(0))
    assert (Learned()(nothing) == 1.0).all()
    assert (Told()(nothing) == 1.0).all()


def test_whoever_is_told_learns_nothing_and_changes_nothing(two_stores: Any, play: Any) -> None:
    day = play(two_stores(*CALM, "policies.eta=told"))
    assert day.outcome.digest == play(two_stores(*CALM)).outcome.digest


def test_in_the_rain_promises_and_arrival_times_come_true_sooner(two_stores: Any, play: Any) -> None:
    """Rides take 60 % longer than the map says, which nobody has told the platform."""
    told, learned = (
        play(two_stores(*CALM, *RAIN, "platform.promise={floor_s: 0, slack: 1}", f"policies.eta={name}"))
        for name in ("told", "learned(every_s=600)")
    )

    def late_s(day: Any) -> float:
        orders = day.study.orders
        half = orders["entered_s"] > 3600.0
        return float(np.nanmean((orders["delivered_s"] - orders["promised_s"])[half]))

    assert late_s(learned) < late_s(told) - 20.0


@pytest.mark.parametrize("dispatch", ["nearest", "matching", "scored"])
def test_any_dispatch_policy_may_use_it(two_stores: Any, play: Any, dispatch: str) -> None:
    from sim.laws import all_laws, verdict
    from sim.opening import ready_world

    world = ready_world(two_stores(*CALM, *RAIN, f"policies.dispatch={dispatch}", "policies.eta=learned(every_s=300)"))
    laws = all_laws(world)
    play(world, laws=laws)
    assert verdict(laws) == []
