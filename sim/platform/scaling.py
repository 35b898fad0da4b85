"""The instances of a service: how many a load needs, and how they start, serve, die, are noticed and replaced.

The autoscaler orders and retires them by the rule of Kubernetes' HorizontalPodAutoscaler.
"""

from collections import deque
from math import ceil, inf
from typing import Final

from sim.scenario.services import Autoscale, Health
from sim.vocabulary import NOBODY

ZONES: Final = 3
"""Availability zones over which a service's instances are spread."""


Flight = tuple[int, int, float]
"""A call under way: the service's epoch as it was made, the instance that has it, since when, seconds."""

NO_FLIGHT: Flight = (0, NOBODY, 0.0)


def planned_instances(peak_load: float, workers: int, autoscale: Autoscale) -> int:
    """Instances that carry a peak load (erlangs) at the planned utilisation, within the limits and one in each zone."""
    needed = ceil(peak_load / (workers * autoscale.planned) - 1e-9)
    return max(min(max(needed, autoscale.least), autoscale.most), ZONES)


class Bill:
    """Instance-seconds to be paid for: of each instance from its order until it is taken out of rotation."""

    __slots__ = ("_paid_s", "_running", "_until_s")

    def __init__(self) -> None:
        self._paid_s = self._until_s = 0.0
        self._running = 0

    def runs(self, more: int, now_s: float) -> None:
        """So many more instances (below zero: fewer) are paid for from a time on; these may come in any order."""
        self._paid_s, self._until_s = self.paid_s(now_s), now_s
        self._running += more

    def paid_s(self, now_s: float) -> float:
        """Paid for until a time no earlier than the last change, seconds."""
        return self._paid_s + self._running * (now_s - self._until_s)


class Rotation:
    """The instances of one service: starting, up, dead but not yet noticed, gone.

    Ids count up and are never used again. A change that only time brings (an instance is ready, a dead one is noticed) is
    due at `due_s`; whoever serves calls asks `step` for it then, so it costs no event.

    Attributes
    ----------
    up
        Instances that serve, ascending.
    dead
        (when the health check will have noticed, instance), in that order.
    died_s
        When each instance died, seconds; infinity while it has not.
    desired
        Instances that there should be.
    known
        Instances that the platform counts on and pays for: starting, up, dead without its knowing.
    bill
        Where their time is counted; the service's own unless it is told another.
    resting
        Whether these are as few as may be, all of them up: there is nothing to decide up to the `target` of utilisation and
        with no more than `waiting_most` calls in the queue.
    """

    def __init__(self, instances: int, autoscale: Autoscale, health: Health, bill: Bill | None = None) -> None:
        self._autoscale = autoscale
        self._notice_s = health.interval_s * health.failures
        self._replace = health.replace
        self.up = list(range(instances))
        self.dead: deque[tuple[float, int]] = deque()
        self._starting: deque[tuple[float, int]] = deque()
        self.zone = [instance % ZONES for instance in self.up]
        self.died_s = [inf] * instances
        self.desired = self.known = instances
        self.due_s = inf
        self.resting = False
        self.target, self.waiting_most = autoscale.target, autoscale.least * autoscale.queue_per_instance
        self._zones_down = [0] * ZONES
        self._low_since_s = inf
        self._low_most = 0
        self.bill = bill or Bill()
        self.bill.runs(instances, 0.0)

    def _plan(self, now_s: float) -> None:
        starting, dead = self._starting, self.dead
        self.resting = False
        known = len(self.up) + len(starting) + len(dead)
        if known != self.known:
            self.bill.runs(known - self.known, now_s)
            self.known = known
        self.due_s = min(starting[0][0] if starting else inf, dead[0][0] if dead else inf)

    def step(self) -> int:
        """Let the change happen that is due first; returns the instance that now serves, or nobody."""
        now_s, came = self.due_s, NOBODY
        if self._starting and self._starting[0][0] <= now_s:
            came = self._starting.popleft()[1]
            self.up.append(came)
            self.up.sort()
        else:
            self.dead.popleft()
            if self._replace:
                self._launch(now_s, 1)
            else:
                self.desired -= 1
        self._plan(now_s)
        return came

    def _launch(self, now_s: float, count: int) -> None:
        # Each goes to the zone with the fewest, the first of equals; when all zones are down the next tick tries again.
        zones = [zone for zone in range(ZONES) if not self._zones_down[zone]]
        if not zones:
            return
        where = [self.zone[instance] for instance in self.up] + [self.zone[instance] for _, instance in self._starting]
        for _ in range(count):
            zone = min(zones, key=where.count)
            where.append(zone)
            self._starting.append((now_s + self._autoscale.provisioning_s, len(self.zone)))
            self.zone.append(zone)
            self.died_s.append(inf)
        self._plan(now_s)

    def kill(self, instance: int, now_s: float) -> bool:
        """An instance dies; returns whether it served. One that is starting is simply gone."""
        if instance in self.up:
            self.up.remove(instance)
            self.died_s[instance] = now_s
            self.dead.append((now_s + self._notice_s, instance))
            self._plan(now_s)
            return True
        for entry in self._starting:
            if entry[1] == instance:
                self._starting.remove(entry)
                self.died_s[instance] = now_s
                self._plan(now_s)
                break
        return False

    def zone_down(self, zone: int, now_s: float) -> list[int]:
        """A zone goes: nothing starts in it until it is back; returns those that served there, now dead."""
        self._zones_down[zone] += 1
        for instance in [instance for _, instance in self._starting if self.zone[instance] == zone]:
            self.kill(instance, now_s)
        return [instance for instance in self.up.copy() if self.zone[instance] == zone and self.kill(instance, now_s)]

    def zone_up(self, zone: int) -> None:
        """An outage of a zone is over (several may overlap)."""
        self._zones_down[zone] -= 1

    def scale(self, now_s: float, utilisation: float, waiting: float) -> list[int]:
        """Order or retire instances by load; returns those that stop serving.

        ``desired = ceil(up x utilisation / target)`` and ``ceil(waiting / queue_per_instance)``, the larger, within the
        limits; fewer only when fewer were wanted throughout the cooldown (Kubernetes HorizontalPodAutoscaler).

        Parameters
        ----------
        utilisation
            Share of the servers' time that was busy since the last call.
        waiting
            Calls in the queue.
        """
        rule, up = self._autoscale, len(self.up)
        if (
            up == self.desired == rule.least
            and utilisation <= rule.target
            and waiting <= up * rule.queue_per_instance
            and not (self._starting or self.dead)
        ):
            self._low_since_s = inf  # as small as may be, and at ease: nearly always
            self.resting = True
            return []
        self.resting = False
        if rule.enabled and up:
            ratio = utilisation / rule.target
            wanted = up if abs(ratio - 1.0) <= rule.tolerance else ceil(up * ratio - 1e-9)
            if waiting > wanted * rule.queue_per_instance:
                wanted = ceil(waiting / rule.queue_per_instance)
            wanted = max(min(wanted, ceil(up * rule.growth_max), rule.most), rule.least)
            if wanted >= self.desired:
                self.desired, self._low_since_s = wanted, inf
            elif self._low_since_s == inf:
                self._low_since_s, self._low_most = now_s, wanted
            else:
                self._low_most = max(self._low_most, wanted)
                if now_s - self._low_since_s >= rule.cooldown_s:
                    self.desired, self._low_since_s = self._low_most, inf
        missing = self.desired - self.known
        if missing > 0 and (self._replace or rule.enabled):
            self._launch(now_s, missing)
        return self._retire(now_s, -missing) if missing < 0 else []

    def _retire(self, now_s: float, count: int) -> list[int]:
        # Those that have not started go first, then the newest of the zone that has most; what they work on they finish.
        leaving: list[int] = []
        while count > 0 and self._starting:
            self._starting.pop()
            count -= 1
        for _ in range(min(count, len(self.up) - 1)):
            where = [self.zone[instance] for instance in self.up]
            zone = max(range(ZONES), key=where.count)
            leaving.append(max(instance for instance in self.up if self.zone[instance] == zone))
            self.up.remove(leaving[-1])
        self._plan(now_s)
        return leaving
