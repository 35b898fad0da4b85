"""What phones send is a function of keys: whoever goes through every ping finds what the platform and the study found."""

from bisect import bisect_right
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim.engine import policies_of
from sim.opening import ready_world
from sim.streams import Streams
from sim.vocabulary import Trip
from sim.world.pings import Pings

TICK_S = 2.0**-20
CLOUDED = (
    "platform.tracking.loss_share=0.2", "platform.tracking.delay_s=6", "platform.tracking.dead_zones={share: 0.3, radius_m: 700}",
    "drivers.shifts=[{at: '12:00', hours: 2, share: 0.6}, {at: '13:00', hours: 2, share: 0.4}]", "warmup_h=0.5",
    "faults=[{kind: app_connection_loss, at: '12:50', minutes: 15, share: 0.5}, "
    "{kind: app_connection_loss, at: '13:00', minutes: 20, share: 0.5}, "
    "{kind: expired_certificate, service: tracking, at: '13:30', minutes: 10}]",
)  # fmt: skip


class Nosy:
    """Asks for everybody's last position every 47 seconds, and offers each order to whoever is idle."""

    every_s, holds = 47.0, True

    def __init__(self, drivers: int) -> None:
        self.drivers, self.seen = drivers, []

    def __call__(self, view: Any) -> Any:
        from sim.contracts import Offer

        self.seen += [(view.now_s, driver, *view.seen(driver)) for driver in range(self.drivers)]
        for order, driver in zip(list(view.waiting), view.idle.tolist(), strict=False):
            yield Offer(order.id, driver)


@pytest.fixture(scope="module")
def clouded(two_stores: Any, play: Any) -> Any:
    scenario = two_stores(*CLOUDED)
    nosy = Nosy(14)
    world = ready_world(scenario, Streams(scenario.seed))
    return play(world, policies=replace(policies_of(scenario), dispatch=nosy)), nosy


class Stretch:
    """A ride and what follows it, by the log alone: a straight line for coverage, one of its ends for the position."""

    def __init__(self, begin_s: float, origin: int, node: int, arrive_s: float) -> None:
        self.begin_s, self.origin, self.node, self.arrive_s = begin_s, origin, node, arrive_s

    def silent(self, world: Any, t_s: float) -> bool:
        span_s = self.arrive_s - self.begin_s
        share = min((t_s - self.begin_s) / span_s, 1.0) if span_s > 0 else 1.0
        x, y = world.geography.x_m, world.geography.y_m
        at = [(1 - share) * axis[self.origin] + share * axis[self.node] for axis in (x, y)]
        return any(np.hypot(x[c] - at[0], y[c] - at[1]) <= 700.0 for c in world.coverage.centres)


class Ping:
    """One position, looked at by itself."""

    def __init__(self, sent_s: float, arrives_s: float | None, why: str) -> None:
        self.sent_s, self.arrives_s, self.why = sent_s, arrives_s, why


def enumerated(played: Any) -> dict[int, list[tuple[float, float, list[Stretch], list[Ping]]]]:
    """Every shift of every driver, with every ping of it, from the log and the hashes, one at a time."""
    world, rows = played.world, played.rows
    pings = Pings.of(world.scenario, Streams(world.scenario.seed))
    found: dict[int, list[tuple[float, float, list[Stretch], list[Ping]]]] = {}
    legs = rows("leg_started")
    off, cut = rows("driver_off"), (rows("driver_offline"), rows("driver_online"))
    for shift in rows("driver_on"):
        driver, on_s = int(shift["driver"]), float(shift["t_s"])
        ends = [float(t) for t in off["t_s"][off["driver"] == driver] if t >= on_s]
        off_s = min(ends, default=world.scenario.end_s)
        node = int(shift["node"])
        stretches = [Stretch(on_s, node, node, on_s)]
        rides = legs[(legs["driver"] == driver) & (legs["t_s"] >= on_s) & (legs["t_s"] < off_s)].tolist()
        stretches += [Stretch(t_s, origin, end, arrive_s) for t_s, _, _, _, origin, end, arrive_s in rides]
        gone = [t[t["driver"] == driver]["t_s"].tolist() for t in cut]
        mine, number = [], 0
        while (sent_s := pings.phase_s(driver) + number * pings.every_s) < off_s:
            if sent_s >= on_s:
                place = bisect_right([stretch.begin_s for stretch in stretches], sent_s) - 1
                delay_s = pings.delayed_s(driver, number)
                why = "chance" if delay_s is None else ""
                if stretches[place].silent(world, sent_s):
                    why = "no_signal"
                elif 5400.0 <= sent_s < 6000.0:
                    why = "not_taken"
                if any(since <= sent_s < until for since, until in zip(*gone, strict=True)):
                    why = "no_connection"
                mine.append(Ping(sent_s, None if why else sent_s + (delay_s or 0.0), why))
            number += 1
        found.setdefault(driver, []).append((on_s, off_s, stretches, mine))
    return found


@pytest.fixture(scope="module")
def pings(clouded: Any) -> Any:
    return enumerated(clouded[0])


def test_the_study_counts_what_an_enumeration_of_every_ping_finds(clouded: Any, pings: Any) -> None:
    figures, warm_s = clouded[0].study.summary["tracking"], 1800.0
    every = [ping for shifts in pings.values() for *_, mine in shifts for ping in mine if ping.sent_s >= warm_s]
    assert figures["pings"] == len(every) > 5000
    for why, count in figures["lost_by"].items():
        assert count == sum(ping.why == why for ping in every) > 100, why
    lost = sum(ping.arrives_s is None for ping in every)
    assert figures["lost_share"] == lost / len(every)
    late = sum(ping.arrives_s is not None and ping.arrives_s - ping.sent_s > 8.0 for ping in every)
    assert figures["late_share"] == late / (len(every) - lost) > 0.1


def ages(pings: Any, t_s: float) -> list[float]:
    """How old the last known position of everybody at work is at a moment."""
    found = []
    for shifts in pings.values():
        for on_s, off_s, _, mine in shifts:
            if on_s <= t_s < off_s:
                told = [ping.sent_s for ping in mine if ping.arrives_s is not None and ping.arrives_s <= t_s]
                found.append(t_s - max([*told, on_s]))
    return found


def test_the_mean_age_is_that_of_looking_all_the_time(clouded: Any, pings: Any) -> None:
    figures = clouded[0].study.summary["tracking"]["age_s"]
    end_s = clouded[0].world.scenario.end_s
    looked = np.concatenate([ages(pings, t_s) for t_s in np.arange(1800.0, end_s, 3.7)])
    assert figures["mean"] == pytest.approx(looked.mean(), rel=0.01)
    assert figures["p95"] == pytest.approx(np.quantile(looked, 0.95), rel=0.02)


def test_the_mean_age_is_exact(clouded: Any, pings: Any) -> None:
    """By the areas under each age's line, one arrival after the other."""
    area = total = 0.0
    for shifts in pings.values():
        for on_s, off_s, _, mine in shifts:
            stamp_s = at_s = on_s
            for ping in sorted((p for p in mine if p.arrives_s is not None), key=lambda p: p.arrives_s):
                if ping.sent_s > stamp_s and ping.arrives_s < off_s:
                    begin_s = max(at_s, 1800.0)
                    if ping.arrives_s > begin_s:
                        area += (ping.arrives_s - begin_s) * ((ping.arrives_s + begin_s) / 2 - stamp_s)
                        total += ping.arrives_s - begin_s
                    stamp_s, at_s = ping.sent_s, ping.arrives_s
            begin_s = max(at_s, 1800.0)
            if off_s > begin_s:
                area += (off_s - begin_s) * ((off_s + begin_s) / 2 - stamp_s)
                total += off_s - begin_s
    assert clouded[0].study.summary["tracking"]["age_s"]["mean"] == pytest.approx(area / total, rel=1e-12)


def test_whoever_looks_on_the_way_sees_the_same_ping(clouded: Any, pings: Any) -> None:
    world, nosy, checked = clouded[0].world, clouded[1], 0
    for now_s, driver, node, age_s in nosy.seen:
        shifts = [shift for shift in pings.get(driver, ()) if shift[0] <= now_s]
        if not shifts:
            assert (node, age_s) == (world.start_node(world.drivers[driver]), now_s)
            continue
        on_s, _, stretches, mine = shifts[-1]
        told = [ping.sent_s for ping in mine if ping.arrives_s is not None and ping.arrives_s <= now_s]
        sent_s = max([*told, on_s])
        assert age_s == now_s - sent_s
        stretch = stretches[bisect_right([s.begin_s for s in stretches], sent_s) - 1]
        # On a plain without streets the next node is the end of the ride.
        assert node in ((stretch.node,) if sent_s >= stretch.arrive_s else (stretch.origin, stretch.node))
        checked += sent_s > on_s
    assert checked > 1000


def test_the_past_can_be_asked_about(two_stores: Any, play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen some time ago is what would have been seen then."""
    from sim.operations.phones import Phones

    said: dict[tuple[int, float], Any] = {}
    asked = 0

    class Twice(Nosy):
        phones: Any = None

        def __call__(self, view: Any) -> Any:
            nonlocal asked
            said.update({(driver, view.now_s): view.seen(driver) for driver in range(self.drivers)})
            for driver, then_s in list(said):
                if then_s == view.now_s - 47.0 * 20:
                    assert self.phones.sighting(driver, then_s) == said[driver, then_s]
                    asked += 1
            yield from super().__call__(view)

    nosy, begin = Twice(14), Phones.__init__

    def kept(self: Any, *arguments: Any) -> None:
        begin(self, *arguments)
        nosy.phones = self

    monkeypatch.setattr(Phones, "__init__", kept)
    scenario = two_stores(*CLOUDED)
    play(scenario, policies=replace(policies_of(scenario), dispatch=nosy))
    assert asked > 1000


def test_a_phone_that_lies_is_always_at_the_home_store(two_stores: Any, play: Any) -> None:
    scenario = two_stores("platform.tracking.spoofed_share=1")
    nosy = Nosy(14)
    played = play(scenario, policies=replace(policies_of(scenario), dispatch=nosy))
    homes = [played.world.store_nodes[driver.home] for driver in played.world.drivers]
    assert all(node == homes[driver] for _, driver, node, _ in nosy.seen)
    assert played.study.summary["tracking"]["spoofed_share"] == 1.0
    assert (played.rows("leg_started")["trip"] == Trip.TO_CUSTOMER).sum() > 100


def test_in_the_minimal_profile_every_position_arrives_at_once(two_stores: Any, play: Any) -> None:
    figures = play(two_stores(*CLOUDED[:-1], "platform.profile=minimal")).study.summary["tracking"]
    assert sum(figures["lost_by"].values()) == 0
    assert figures["age_s"]["mean"] == pytest.approx(4.0, rel=0.01)
    assert figures["age_s"]["p95"] == pytest.approx(7.6, abs=0.07)
