"""Drivers sent to a store without an order, by a dispatch policy that says so."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from policies.dispatch.nearest import NearestIdle
from sim.contracts import Offer, Reposition
from sim.engine import policies_of
from sim.laws import all_laws, verdict
from sim.opening import ready_world
from sim.operations.driving import Driving
from sim.platform.offers import Offers
from sim.scenario import load
from sim.streams import Streams
from sim.vocabulary import InputError, OfferAnswer, Refusal, StoreId, Trip
from tests.conftest import lawful_day

STAGES = "policies.dispatch=rolling_horizon(every_s=15, early_s=60, commitment='two_stages')"
WAIT = ("policies.positioning=stay", "drivers.accept_share=1", "customers.patience_s=null")


class AllTo:
    """Sends every idle driver to one store, and offers what waits as `nearest` does."""

    every_s, holds = 60.0, True

    def __init__(self, store: int) -> None:
        self.store, self.asked, self._nearest = StoreId(store), 0, NearestIdle(ride_s_max=1e6)

    def __call__(self, view: Any) -> Iterator[Offer | Reposition]:
        for driver in view.idle.tolist():
            self.asked += 1
            yield Reposition(driver, self.store)
        yield from self._nearest(view)


def played(play: Any, scenario: Any, policy: Any) -> tuple[Any, set[str]]:
    world = ready_world(scenario, Streams(1))
    laws = all_laws(world)
    day = play(world, policies=replace(policies_of(scenario), dispatch=policy), laws=laws)
    return day, {breach.law for breach in verdict(laws)}


def test_whoever_is_sent_rides_there_if_he_does_not_get_work_before_he_hears_of_it(two_stores: Any, play: Any) -> None:
    day = lawful_day(play, two_stores(STAGES, *WAIT))
    sent, legs, nodes = day.rows("driver_sent"), day.rows("leg_started"), day.world.store_nodes
    assert len(sent) > 10
    bus_s = day.world.scenario.platform.bus_s
    rode = 0
    for row in sent:
        after = legs[(legs["driver"] == row["driver"]) & (legs["t_s"] >= row["t_s"])]
        if len(after) and after["t_s"][0] <= row["t_s"] + bus_s + 0.01 and after["trip"][0] == Trip.BACK:
            assert after["node"][0] == nodes[row["store"]]
            rode += 1
    assert rode > 0.9 * len(sent)


def test_who_was_sent_and_is_there_need_not_ride_to_take_an_order(two_stores: Any, play: Any) -> None:
    day = lawful_day(play, two_stores(STAGES, *WAIT))
    legs, answered, at_store = day.rows("leg_started"), day.rows("offer_answered"), day.rows("driver_at_store")
    accepted = answered[answered["answer"] == OfferAnswer.ACCEPTED]
    arrived = {(row["driver"], row["order"]): row["t_s"] for row in at_store}
    at_once = 0
    for row in accepted:
        mine = legs[(legs["driver"] == row["driver"]) & (legs["t_s"] <= row["t_s"])]
        if len(mine) and mine["trip"][-1] == Trip.BACK and mine["arrive_s"][-1] <= row["t_s"]:
            at_once += arrived.get((row["driver"], row["order"])) == row["t_s"]
    assert at_once > 5


def test_all_who_are_free_gather_where_they_are_sent_once(two_stores: Any, play: Any) -> None:
    """Who is on his way there, or there, is not told again, however often the policy says so."""
    policy = AllTo(1)
    day, broken = played(play, two_stores(*WAIT, "demand.orders_per_day=1500"), policy)
    assert broken == set()
    sent = day.rows("driver_sent")
    assert (sent["store"] == 1).all()
    legs, nodes = day.rows("leg_started"), day.world.store_nodes
    assert (legs["node"][legs["trip"] == Trip.BACK] == nodes[1]).all()
    jobs = len(day.rows("goods_delivered")) + len(day.rows("driver_on"))
    assert 0 < len(sent) <= jobs < policy.asked, "once for each time that somebody became free"
    assert len(day.rows("goods_delivered")) > 50


def test_who_has_work_is_not_sent(two_stores: Any, play: Any) -> None:
    class Busy(AllTo):
        def __call__(self, view: Any) -> Iterator[Offer | Reposition]:
            for offer in self._nearest(view):
                yield offer
                yield Reposition(offer.driver, self.store)

    day, broken = played(play, two_stores(*WAIT), Busy(0))
    refused = day.rows("proposal_refused")
    assert len(refused) > 20
    assert (refused["refusal"] == Refusal.DRIVER_NOT_IDLE).all()
    assert len(day.rows("driver_sent")) == 0
    assert broken == set()


@pytest.fixture
def truth(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """All drivers as they are, once a day is played."""
    truth: list[Any] = []
    begin = Driving.__init__

    def seen(self: Any, *arguments: Any, **named: Any) -> None:
        begin(self, *arguments, **named)
        truth.append(self)

    monkeypatch.setattr(Driving, "__init__", seen)
    return truth


class BackAndForth(AllTo):
    """Sends everybody to one store and then to the other, and holds what is believed of them against the truth."""

    every_s = 25.0

    def __init__(self, truth: list[Any]) -> None:
        super().__init__(0)
        self._truth, self._since_s, self.longest_s = truth, dict[int, float](), 0.0

    def __call__(self, view: Any) -> Iterator[Offer | Reposition]:
        for driver in view.idle.tolist():
            true, at = self._truth[0].drivers[driver], view._tracking._stands_at[driver]
            believed = None if at < 0 else at
            really = true.store if true.order is None and true.leg is None and true.store >= 0 else None
            if believed == really:
                self._since_s.pop(driver, None)
            else:
                since_s = self._since_s.setdefault(driver, view.now_s)
                self.longest_s = max(self.longest_s, view.now_s - since_s)
        self.store = StoreId(int(view.now_s // 600.0) % 2)
        yield from super().__call__(view)


class ToAndFro(AllTo):
    """Sends everybody to the other store while they ride to the one, and holds when they should be there against the truth."""

    every_s = 25.0

    def __init__(self, truth: list[Any]) -> None:
        super().__init__(0)
        self._truth, self.late_s = truth, list[float]()

    def __call__(self, view: Any) -> Iterator[Offer | Reposition]:
        for driver in view.idle.tolist():
            leg = self._truth[0].drivers[driver].leg
            if leg is not None and leg.arrive_s > view.now_s:
                self.late_s.append(float(view._tracking.free_s[driver]) - leg.arrive_s)
        self.store = StoreId(int(view.now_s // self.every_s) % 2)
        yield from super().__call__(view)


def test_who_is_sent_to_and_fro_is_believed_about_as_near_as_he_is(play: Any, truth: list[Any]) -> None:
    """On roads he turns at the next junction: it is no use to reckon with the rest of a ride that he has given up."""
    policy = ToAndFro(truth)
    played(play, load("small", ["start=2026-11-20T11:00 America/Santiago", "horizon_h=2"]), policy)
    assert len(policy.late_s) > 500
    off_s = np.abs(policy.late_s)
    assert np.median(off_s) < 90.0
    assert np.quantile(off_s, 0.95) < 400.0


@pytest.mark.parametrize(
    ("trouble", "wrong_s"),
    [
        ((), 120.0),
        (("platform.bus_s=2",), 120.0),
        (("platform.bus.loss=0.3",), 120.0),
        (("platform.bus.loss=0.3", "platform.bus.deliveries_max=1"), 1200.0),  # three in ten are never heard
        (("drivers.mishaps={breakdowns_per_1000h: 0, accidents_per_1000h: 20}",), 120.0),
        (("platform.bus.duplicates=0.3", "platform.bus.deduplicate=false", "drivers.early_share=0.5"), 120.0),
    ],
    ids=["calm", "slow", "lossy", "dead letters", "accidents", "twice"],
)
@pytest.mark.parametrize("ground", [(), ("map={width_m: 1, height_m: 1, points: 1}",)], ids=["apart", "one node"])
def test_no_belief_of_where_somebody_stands_stays_wrong(
    two_stores: Any, play: Any, truth: list[Any], trouble: Any, ground: Any, wrong_s: float
) -> None:
    """Whoever is told again when he is overdue says where he stands: a message that was lost or late does no lasting harm."""
    policy = BackAndForth(truth)
    scenario = two_stores("policies.positioning=return_to_store", "demand.orders_per_day=1200", *trouble, *ground)
    day, broken = played(play, scenario, policy)
    assert broken <= ({"goods"} if "platform.bus.deduplicate=false" in trouble else set())
    assert len(day.rows("driver_sent")) > 20
    assert policy.longest_s <= wrong_s


def test_a_drone_is_not_sent(two_stores: Any, play: Any) -> None:
    day, broken = played(
        play, two_stores("drivers.vehicles={drone: 0.4, ebike: 0.6}", "customers.patience_s=null"), AllTo(1)
    )
    assert broken == set()
    profiles = [day.world.travel.profiles[driver.profile] for driver in day.world.drivers]
    assert not any(profiles[driver].flies for driver in day.rows("driver_sent")["driver"].tolist())
    refused = day.rows("proposal_refused")
    assert (refused["refusal"] == Refusal.OUT_OF_RANGE).any()


def test_whose_phone_is_offline_hears_nothing(two_stores: Any, play: Any) -> None:
    fault = 'faults=[{kind: app_connection_loss, at: "12:20", minutes: 60, share: 1.0}]'
    day, broken = played(play, two_stores(*WAIT, fault), AllTo(1))
    assert broken == set()
    sent, legs = day.rows("driver_sent"), day.rows("leg_started")
    dark = (sent["t_s"] > 1200.0) & (sent["t_s"] < 4800.0)
    assert dark.any()
    back = legs[(legs["trip"] == Trip.BACK) & (legs["t_s"] > 1210.0) & (legs["t_s"] < 4800.0)]
    assert len(back) == 0


@pytest.mark.parametrize("store", [-1, 2, 10**12])
def test_a_store_that_is_not_there_is_refused(two_stores: Any, play: Any, store: int) -> None:
    with pytest.raises(InputError, match=r"policies\.dispatch: expected a store of this scenario \(below 2\), got"):
        played(play, two_stores(*WAIT), AllTo(store))


def test_a_platform_that_sends_whom_it_has_just_asked_breaks_the_law(
    two_stores: Any, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Busy(AllTo):
        def __call__(self, view: Any) -> Iterator[Offer | Reposition]:
            for offer in self._nearest(view):
                yield offer
                yield Reposition(offer.driver, self.store)

    monkeypatch.setattr(
        Offers, "_send", lambda self, driver, store: self._facts.driver_sent(driver=driver, store=store)
    )
    _, broken = played(play, two_stores(*WAIT), Busy(1))
    assert "people" in broken


def test_what_is_lost_or_comes_twice_on_the_bus_does_no_harm(two_stores: Any, play: Any) -> None:
    day = lawful_day(play, two_stores(STAGES, *WAIT, "platform.bus.loss=0.2", "platform.bus.duplicates=0.2"))
    assert len(day.rows("driver_sent")) > 10
    assert len(day.rows("goods_delivered")) > 100
