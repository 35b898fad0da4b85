"""Drivers at home who are called: some come, after a while, and stay for some hours."""

from math import log

from sim.clock import Clock, Timer
from sim.operations.driving import Driving
from sim.ports import Summons
from sim.scenario.drivers import OnCall
from sim.streams import Die
from sim.vocabulary import quantise
from sim.world.drivers import Driver


class AtHome:
    """Takes the platform's calls.

    Parameters
    ----------
    luck
        Keyed draws by driver and number of the call.
    rest_s
        Time off that the rules ask for between two days, seconds.
    """

    def __init__(
        self, env: Clock, driving: Driving, people: list[Driver], terms: OnCall, luck: Die, rest_s: float
    ) -> None:
        self._env, self._driving, self._people, self._terms, self._luck = env, driving, people, terms, luck
        self._rest_s, self._heard = rest_s, set[int]()

    def called(self, call: Summons) -> None:
        """A driver is asked to come; a message that comes twice is heard once."""
        comes, haste = self._luck.pair(call.driver, call.call)
        if call.call in self._heard or comes >= self._terms.come_share:
            return
        self._heard.add(call.call)
        notice_s = quantise(-self._terms.notice_minutes * 60.0 * log(1.0 - haste))
        now, begin_s = self._env.now, self._env.now + notice_s
        # A message that was lost on its way may come when nobody is on call any more.
        ends_s = next((off_s for on_s, off_s in self._people[call.driver].shifts if on_s <= now < off_s), now)
        if begin_s < ends_s:
            Timer(
                self._env,
                notice_s,
                self._comes,
                (call.driver, min(begin_s + quantise(self._terms.hours * 3600.0), ends_s)),
            )

    def _comes(self, event: Timer) -> None:
        driver, until_s = event.value
        self._driving.begin(driver, until_s, self._rest_s)
        Timer(self._env, until_s - self._env.now, self._goes, driver)

    def _goes(self, event: Timer) -> None:
        self._driving.end(event.value)
