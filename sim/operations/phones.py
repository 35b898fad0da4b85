"""Drivers' phones: the positions they send, worked out when somebody asks, and whether an offer shows on them.

A phone knows where its driver has ridden lately, ride by ride. When the platform looks, the last ping that has arrived by then
is found by looking back: the newest that was due at or before that moment, was sent with a signal, was not lost and is not
still on its way (`sim.world.pings`). No ping is an event, and a driver whom nobody asks about costs one list entry for
each ride. The position is the next road node the driver reached at or after sending; the start of a shift is told like a
ping, at once. How often pings are lost and how old positions are, a study works out from the same hashes.
"""

from collections.abc import Sequence
from math import inf
from typing import Final

from sim.clock import Clock
from sim.contracts import Sighting
from sim.facts import Facts
from sim.operations.drivers import Driver, Leg
from sim.ports import OfferMessage
from sim.vocabulary import NOBODY, DriverId, NodeId, StoreId, quantise
from sim.world.build import World
from sim.world.coverage import Parts
from sim.world.notices import Notices
from sim.world.pings import Pings

KEPT: Final = 32
"""Each time that a phone remembers so many rides more, it forgets those that nobody can ask about any more."""

LOOK_BACK_S: Final = 1200.0
"""What a phone had sent can be asked about for so long afterwards, seconds."""


class Phones:
    """All drivers' phones; see `sim.ports.Phones`.

    Attributes
    ----------
    offline
        Drivers whose apps have lost their connection, with how many losses are under way.
    open
        Whether every other app is open: offers to them show at once.
    pushes_down
        Above zero while the provider of pushes is out of order.
    """

    def __init__(self, env: Clock, facts: Facts, world: World, pings: Pings, notices: Notices) -> None:
        self._env, self._facts, self._travel, self._pings = env, facts, world.travel, pings
        self._coverage = world.coverage
        drivers = world.drivers
        self._profiles = [driver.profile for driver in drivers]
        self._starts = [NodeId(world.start_node(driver)) for driver in drivers]
        self._homes = [NodeId(world.store_nodes[driver.home]) for driver in drivers]
        self._phases_s = [pings.phase_s(driver) for driver in range(len(drivers))]
        self._trails: list[list[Leg]] = [[] for _ in drivers]
        self._notices = notices
        self.open, self.pushes_down = notices.driver_websocket_share >= 1.0, 0
        self.offline: dict[DriverId, int] = {}
        self._losses: dict[DriverId, list[tuple[float, float]]] = {}
        self._unheard: list[tuple[float, float]] = []  # when the platform took nobody's positions

    # -- what drivers do ---------------------------------------------------------------------------------------------

    def on(self, driver: Driver) -> None:
        """A driver begins to work."""
        self.stands(driver)

    def stands(self, driver: Driver) -> None:
        """A driver stands at a node from now on, where no ride was to end."""
        now = self._env.now
        self.rides(driver, Leg(driver.node, driver.node, now, now, StoreId(NOBODY), False, 0, 1.0, now))

    def off(self, driver: Driver) -> None:
        """A driver goes home."""
        now = self._env.now
        leg = Leg(driver.node, driver.node, now, now, StoreId(NOBODY), False, 0, 1.0, now)
        leg.gone = True
        self._trails[driver.id].append(leg)

    def rides(self, driver: Driver, leg: Leg) -> None:
        """A driver sets out on a ride."""
        if self._coverage is not None:
            leg.silent = self._silence(driver.id, leg.began_s, leg)
        trail = self._trails[driver.id]
        trail.append(leg)
        if not len(trail) % KEPT:
            self._forget(driver.id, trail)

    def _silence(self, driver: DriverId, now: float, leg: Leg) -> Parts:
        assert self._coverage is not None
        span_s = leg.arrive_s - now
        found = []
        for begin, end in self._coverage.gaps(leg.origin, leg.node):
            # Where the ride ends without a signal, there is none until the next one begins.
            times = now + quantise(begin * span_s), inf if end == 1.0 else now + quantise(end * span_s)
            found.append(times)
            self._facts.signal_lost(driver=driver, since_s=times[0], until_s=times[1])
        return tuple(found)

    def _forget(self, driver: DriverId, trail: list[Leg]) -> None:
        seen_s = self._last(driver, self._env.now - LOOK_BACK_S)[0]
        kept = len(trail) - 1
        while kept and trail[kept].began_s > seen_s:
            kept -= 1
        del trail[:kept]

    # -- connections -------------------------------------------------------------------------------------------------

    def disconnect(self, drivers: Sequence[DriverId]) -> None:
        """Phones lose their connection: no offer reaches them and no position leaves them until `reconnect`.

        What a driver has in hand goes on: the app keeps what he does and hands it in.
        """
        for driver in drivers:
            self.offline[driver] = self.offline.get(driver, 0) + 1
            if self.offline[driver] == 1:
                self._losses.setdefault(driver, []).append((self._env.now, inf))
                self._facts.driver_offline(driver=driver)

    def reconnect(self, drivers: Sequence[DriverId]) -> None:
        """A loss of connection is over."""
        for driver in drivers:
            self.offline[driver] -= 1
            if not self.offline[driver]:
                del self.offline[driver]
                losses = self._losses[driver]
                losses[-1] = losses[-1][0], self._env.now
                self._facts.driver_online(driver=driver)

    def heard(self, again: bool) -> None:
        """From now on nobody takes the positions that phones send, or somebody does `again`."""
        if again:
            self._unheard[-1] = self._unheard[-1][0], self._env.now
        else:
            self._unheard.append((self._env.now, inf))

    def shows_s(self, message: OfferMessage) -> float | None:
        """The time until an offer shows on its driver's phone, seconds; None: never, or when its window has closed."""
        order, driver = message.order, message.driver
        pushed, delay_s = (True, None) if driver in self.offline else self._notices.offer_s(order, driver)
        if pushed:
            shown = delay_s is not None and delay_s < message.window_s and not self.pushes_down
            self._facts.offer_pushed(order=order, driver=driver, delay_s=delay_s or 0.0, shown=shown)
            return delay_s if shown else None
        return delay_s

    # -- what the platform sees --------------------------------------------------------------------------------------

    def ping(self, driver: DriverId) -> Sighting:
        """The newest position of a driver that has arrived, and how old it is."""
        return self.sighting(driver, self._env.now)

    def sighting(self, driver: DriverId, at_s: float) -> Sighting:
        """What `ping` said at an earlier time, at most `LOOK_BACK_S` ago."""
        driver = DriverId(int(driver))  # a policy may ask with a number of NumPy's, and keys are plain ones
        sent_s, leg = self._last(driver, at_s)
        if leg is None:
            node = self._starts[driver]
        elif self._pings.is_spoofed(driver):
            node = self._homes[driver]
        else:
            node = leg.at(sent_s, self._profiles[driver], self._travel)[0]
        return Sighting(node, at_s - sent_s)

    def _last(self, driver: DriverId, at_s: float) -> tuple[float, Leg | None]:
        """When the newest position that had arrived by a time was sent, and on which ride; none: at the start, on none."""
        trail, losses = self._trails[driver], self._losses.get(driver, ())
        next_s = inf
        for place in range(len(trail) - 1, -1, -1):
            leg = trail[place]
            begin_s = leg.began_s
            if begin_s <= at_s and not leg.gone:
                sent_s = self._newest(driver, begin_s, next_s, at_s, (*losses, *self._unheard, *leg.silent))
                if sent_s is None and (not place or trail[place - 1].gone):
                    sent_s = begin_s  # the shift begins
                if sent_s is not None:
                    return sent_s, leg
            next_s = begin_s
        return 0.0, None

    def _newest(self, driver: DriverId, begin_s: float, next_s: float, at_s: float, silent: Parts) -> float | None:
        """When the newest ping of a stretch was sent that has arrived by `at_s`; None: there is none."""
        pings, phase_s = self._pings, self._phases_s[driver]
        last_s = at_s if at_s < next_s else next_s
        number = pings.number(phase_s, last_s)
        if phase_s + number * pings.every_s >= next_s:
            number -= 1
        while number >= 0 and (sent_s := phase_s + number * pings.every_s) >= begin_s:
            for since_s, until_s in silent:
                if since_s <= sent_s < until_s:
                    number = min(number, pings.number(phase_s, since_s) + 1)
                    break
            else:
                delay_s = pings.delayed_s(driver, number)
                if delay_s is not None and sent_s + delay_s <= at_s:
                    return sent_s
            number -= 1
        return None
