"""The outside payment provider: it moves money, and what it will answer was drawn before the start, by order and attempt.

A charge is executed when it is asked for; its answer takes its time, and may be lost. Then, and now and then for no
reason, the provider tells the platform by a callback, some time later, perhaps twice. What it has taken and given back
is its ledger, and the day's settlement file is read off it.
"""

from array import array
from collections.abc import Callable, Sequence
from math import log
from typing import Any, NamedTuple

import numpy as np

from sim.clock import Clock, Timer
from sim.facts import Facts
from sim.ports import Callbacks, ChargeAnswer
from sim.streams import Die, quick
from sim.vocabulary import Cents, Charge, OrderId, quantise

NEVER = float("inf")

CALL_AGAIN_S = 60.0
"""A callback that nobody takes comes again after so long, seconds (judgement: providers begin with a minute or so)."""

KNOWN_S = 0.25
"""How long it takes at most to be told again what is known under a key, seconds (judgement)."""

_CAPTURED, _AUTHORISED, _DECLINED, _TIMEOUT = Charge.CAPTURED, Charge.AUTHORISED, Charge.DECLINED, Charge.TIMEOUT


class Habits(NamedTuple):
    """How the provider behaves; shares are of charges."""

    decline_share: float
    lost_answer_share: float = 0.0
    """The charge is made, but its answer never comes."""
    duplicate_share: float = 0.0
    """The callback of a charge comes although its answer came as well."""
    callback_s: float = 0.0
    """Mean time from a charge to its callback, seconds (exponential)."""
    lost_callback_share: float = 0.0
    """The callback itself is lost: only the settlement file knows."""


class Provider:
    """Captures, authorises, declines, refunds; or is down.

    Parameters
    ----------
    chance, latency_s
        Per order and attempt (orders, attempts): uniform draw; time of the answer, seconds.
    down
        Whether the provider is out of order now.
    luck
        Keyed draws by (order, attempt) for what happens to answers and callbacks.
    """

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        chance: Any,
        latency_s: Any,
        habits: Habits,
        down: Callable[[], bool],
        luck: Die,
    ) -> None:
        self._env, self._facts, self._habits, self._down, self._luck = env, facts, habits, down, luck
        # One flat view per attempt: reading a two-dimensional array element by element costs three times as much.
        self._chance = [quick(chance[:, k]) for k in range(chance.shape[1])]
        self._latency_s = [quick(latency_s[:, k]) for k in range(latency_s.shape[1])]
        orders = len(chance)
        self._kept = array("q", bytes(8 * orders))  # captured less returned
        self._aside = array("q", bytes(8 * orders))  # authorised, not captured
        self._asked = array("b", bytes(orders))  # how often: each asking has its own luck
        self._key = array("b", bytes(orders))  # the key under which an order was charged; 0: it was not
        self._changed: list[OrderId] = []
        # What happens to the answer of an order's first charge is worked out here for all of them: mostly nothing.
        lost, twice = luck.pairs(np.arange(orders), 2)
        fated = (lost < habits.lost_answer_share) | (twice < habits.duplicate_share)
        self._fated = set(np.flatnonzero(fated).tolist())
        self._decline_share = habits.decline_share
        self.callbacks: Callbacks | None = None

    def charge(self, order: OrderId, attempt: int, cents: Cents, *, key: int, capture: bool) -> ChargeAnswer:
        """Charge a customer; `attempt` counts from 1. A `key` that was charged already is not charged again."""
        if self._down():
            return ChargeAnswer(_TIMEOUT, NEVER)
        column = min(attempt, len(self._chance)) - 1
        latency_s = self._latency_s[column][order]
        self._asked[order] += 1
        if self._key[order] == key:
            latency_s = min(latency_s, KNOWN_S)
        else:
            if self._chance[column][order] < self._decline_share:
                return ChargeAnswer(_DECLINED, latency_s)
            self._key[order] = key
            if capture:
                self._take(order, attempt, cents)
            else:
                self._aside[order] = cents
        done = _CAPTURED if capture else _AUTHORISED
        if self._asked[order] == 1 and order not in self._fated:
            return ChargeAnswer(done, latency_s)
        return self._answered(order, attempt, done, cents, latency_s)

    def hung_up(self, order: OrderId, attempt: int, done: Charge, cents: Cents, *, after_s: float) -> None:
        """Whoever asked has hung up: the answer reaches the platform as a callback instead, `after_s` from now."""
        if after_s < NEVER:
            self._call_back(order, attempt, done, cents, after_s)

    def _take(self, order: OrderId, attempt: int, cents: Cents) -> None:
        self._kept[order] += cents
        self._changed.append(order)
        self._facts.charge_made(order=order, attempt=attempt, cents=cents)

    def _answered(self, order: OrderId, attempt: int, done: Charge, cents: Cents, latency_s: float) -> ChargeAnswer:
        habits, luck = self._habits, self._luck
        lost, twice = luck.pair(order, 2 * self._asked[order])
        if lost < habits.lost_answer_share:
            self._call_back(order, attempt, done, cents, self._delay_s(order))
            return ChargeAnswer(_TIMEOUT, NEVER)
        if twice < habits.duplicate_share:
            self._call_back(order, attempt, done, cents, latency_s + self._delay_s(order))
        return ChargeAnswer(done, latency_s)

    def _delay_s(self, order: OrderId) -> float:
        return -self._habits.callback_s * log(1.0 - self._luck.uniform(order, 2 * self._asked[order] + 1))

    def _call_back(self, order: OrderId, attempt: int, done: Charge, cents: Cents, after_s: float) -> None:
        if self._luck.uniform(order, -self._asked[order]) >= self._habits.lost_callback_share:
            Timer(self._env, quantise(after_s), self._called, (order, attempt, done, cents))

    def _called(self, event: Timer) -> None:
        if self.callbacks is not None and not self.callbacks.callback(*event.value):
            Timer(self._env, CALL_AGAIN_S, self._called, event.value)

    def capture(self, order: OrderId) -> bool:
        """Take the money that was set aside."""
        if self._down():
            return False
        cents = self._aside[order]
        if cents:
            self._aside[order] = 0
            self._take(order, 1, Cents(cents))
        return True

    def refund(self, order: OrderId, cents: Cents, *, by_file: bool = False) -> bool:
        """Give captured money back; what was only set aside is simply let go. A file is taken by a provider that is down."""
        if self._down() and not by_file:
            return False
        if self._aside[order]:
            self._aside[order] = 0
        elif cents:
            self._kept[order] -= cents
            self._changed.append(order)
            self._facts.charge_returned(order=order, cents=cents)
        return True

    def set_aside(self) -> Sequence[OrderId]:
        """Orders whose money is authorised and neither captured nor let go."""
        return [OrderId(order) for order in np.flatnonzero(np.frombuffer(self._aside, dtype=np.int64)).tolist()]

    def settlement(self) -> Sequence[tuple[OrderId, int]]:
        """Each order whose charges changed since the last file, by id, with the cents kept by now."""
        changed = sorted(set(self._changed))
        self._changed.clear()
        return [(order, self._kept[order]) for order in changed]
