"""What drivers answer to the offers on their phones, and how long it takes them."""

from math import log

from sim.clock import Clock, Timer
from sim.operations.choosing import Choosing
from sim.operations.docks import Docks
from sim.operations.drivers import Driver
from sim.operations.phones import Phones
from sim.operations.riding import Riding
from sim.platform.office import Office
from sim.ports import OfferMessage
from sim.streams import Die
from sim.vocabulary import OfferAnswer, quantise

# Looking a member up on its class costs ten times as much as a name.
_ACCEPTED, _DECLINED, _EXPIRED = OfferAnswer.ACCEPTED, OfferAnswer.DECLINED, OfferAnswer.EXPIRED


class Answering:
    """The phones of all drivers of a run.

    Parameters
    ----------
    accept_share, respond_s
        Chance of accepting an offer, where `choosing` is None and knows no better; mean time to answer it, seconds.
    phones
        Say when an offer shows.
    answers
        Keyed draws by (order, driver).
    docks
        Tells machines from people; None: there are none.
    """

    def __init__(
        self, env: Clock, office: Office, drivers: list[Driver], riding: Riding, *, accept_share: float, respond_s: float,
        phones: Phones, answers: Die, choosing: Choosing | None, docks: Docks | None,
    ) -> None:  # fmt: skip
        self._env, self._office, self._drivers, self._position = env, office, drivers, riding.position
        self._accept_share, self._respond_s, self._answers = accept_share, respond_s, answers
        self._phones, self._choosing, self._docks = phones, choosing, docks

    def offered(self, message: OfferMessage, at_s: float) -> None:
        """An offer appears on a driver's phone at a time; the answer comes after a while, or never."""
        window_s, phones = message.window_s, self._phones
        if phones.offline or not phones.open:
            shows_s = phones.shows_s(message)
            if shows_s is None:
                return  # nobody sees the offer, and its window closes
            window_s -= shows_s
            at_s += shows_s
        will, haste = self._answers.pair(message.order, message.driver)
        share = self._accept_share
        if self._docks is not None and self._docks.flies(self._drivers[message.driver]):
            share = 1.0  # a machine takes what it is given
        elif self._choosing is not None:
            driver, now = self._drivers[message.driver], self._env.now
            share = self._choosing.chance(driver, self._position(driver, now)[0], message, now)
        answer = _ACCEPTED if will < share else _DECLINED
        delay = -self._respond_s * log(1.0 - haste) if self._respond_s else 0.0
        if delay > window_s:
            delay, answer = window_s, _EXPIRED
        delay += at_s - self._env.now
        if delay:
            Timer(self._env, quantise(delay), self._answer, (message, answer))
        else:
            self._decide(message, answer)

    def _answer(self, event: Timer) -> None:
        self._decide(*event.value)

    def _decide(self, message: OfferMessage, answer: OfferAnswer) -> None:
        if self._office.line.dead:
            return  # nobody hears it
        driver = self._drivers[message.driver]
        if not driver.on and answer is _ACCEPTED:
            answer = _DECLINED  # the shift ended while the phone rang
        if self._office.answer(message.order, message.driver, answer):
            driver.order = message
            driver.wake.ring()
