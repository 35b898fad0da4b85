"""The rules of the place: nobody takes work on after too many hours, without a break, or without a night's rest."""

from math import inf

from sim.laws.base import Law
from sim.vocabulary import TICK_S, OfferAnswer
from sim.world.build import World
from sim.world.drivers import BETWEEN_DAYS_S

_ACCEPTED = OfferAnswer.ACCEPTED


class Hours(Law):
    """Books of every driver's hours.

    What was in hand at the end of a shift or before a break may be finished, and the vehicle ridden to where the shift ends.
    Machines have no hours, and what flew out comes home.
    """

    name = "hours"

    def __init__(self, world: World) -> None:
        super().__init__()
        rules, profiles = world.scenario.drivers.rules, world.travel.profiles
        self._day_s = inf if rules.hours_a_day is None else rules.hours_a_day * 3600.0
        self._stretch_s = inf if rules.hours_at_a_stretch is None else rules.hours_at_a_stretch * 3600.0
        self._pause_s, self._rest_s = rules.pause_minutes * 60.0, rules.rest_hours * 3600.0
        self._people = [not profiles[driver.profile].flies for driver in world.drivers]
        self._on_s = [0.0] * len(world.drivers)
        self._since_s = [0.0] * len(world.drivers)  # since the last break
        self._worked_s = [0.0] * len(world.drivers)  # today, before the stretch under way
        self._left_s = [-inf] * len(world.drivers)

    def driver_on(self, t: float, driver: int, store: int, node: int, profile: int) -> None:
        """Somebody begins, rested."""
        gap_s = t - self._left_s[driver]
        if gap_s >= BETWEEN_DAYS_S:
            if gap_s < self._rest_s - TICK_S and self._people[driver]:
                self.breach(
                    t, f"driver {driver} begins after {gap_s / 3600:.2f} h of rest, expected {self._rest_s / 3600:g}"
                )
            self._worked_s[driver] = 0.0
        if gap_s >= self._pause_s - TICK_S:
            self._since_s[driver] = t
        self._on_s[driver] = t

    def driver_off(self, t: float, driver: int) -> None:
        """Somebody goes home, or into a break."""
        self._worked_s[driver] += t - self._on_s[driver]
        self._left_s[driver] = t

    def offer_answered(self, t: float, order: int, driver: int, answer: int) -> None:
        """Nobody takes anything on beyond the limits."""
        if answer != _ACCEPTED or not self._people[driver]:
            return
        if t - self._since_s[driver] > self._stretch_s + TICK_S:
            self.breach(
                t, f"driver {driver} accepts order {order} {(t - self._since_s[driver]) / 3600:.2f} h after a break"
            )
        worked_s = self._worked_s[driver] + t - self._on_s[driver]
        if worked_s > self._day_s + TICK_S:
            self.breach(t, f"driver {driver} accepts order {order} after {worked_s / 3600:.2f} hours of work today")
