"""The outside payment provider: what it answers was drawn before the start, by order and attempt."""

from collections.abc import Callable
from typing import Any

from sim.ports import ChargeAnswer
from sim.streams import quick
from sim.vocabulary import Cents, OrderId

OUTAGE_ANSWER_S = 10.0
"""How long a charge takes to fail while the provider is down, seconds: a usual client time-out."""


class Provider:
    """Captures or declines.

    Parameters
    ----------
    chance, latency_s
        Per order and attempt (orders, attempts): uniform draw; time of the answer, seconds.
    decline_share
        A charge whose draw falls below it is declined.
    down
        Whether the provider is out of order now.
    """

    def __init__(self, chance: Any, latency_s: Any, decline_share: float, down: Callable[[], bool]) -> None:
        # One flat view per attempt: reading a two-dimensional array element by element costs three times as much.
        self._chance = [quick(chance[:, k]) for k in range(chance.shape[1])]
        self._latency_s = [quick(latency_s[:, k]) for k in range(latency_s.shape[1])]
        self._decline_share = decline_share
        self._down = down

    def charge(self, order: OrderId, attempt: int, cents: Cents) -> ChargeAnswer:
        """Charge a customer; `attempt` counts from 1."""
        if self._down():
            return ChargeAnswer(False, OUTAGE_ANSWER_S)
        captured = self._chance[attempt - 1][order] >= self._decline_share
        return ChargeAnswer(captured, self._latency_s[attempt - 1][order])
