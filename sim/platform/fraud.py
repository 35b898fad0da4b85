"""Fraud: what the platform remembers of its clients, for rules that judge an order by it; and who the fraudsters are.

The rules are common ones of the trade: how often a client cancels when the driver is already on the way, orders from
places too far apart for the time between them, and a valuable order right after a change of address.
"""

from collections.abc import Callable
from math import inf

import numpy as np

from sim.contracts import FraudView
from sim.scenario.gateway import FraudSpec
from sim.streams import Die
from sim.vocabulary import NOBODY

_SWEEP_FROM = 4096
_CANCELS_KEPT = 16  # no rule asks for more, and a client must not cost memory without end


class _Past:
    __slots__ = ("cancels_s", "changed_s", "node", "ordered_s", "touched_s")

    def __init__(self) -> None:
        self.node = NOBODY
        self.ordered_s = self.changed_s = self.touched_s = -inf
        self.cancels_s: list[float] | None = None


class History:
    """What the platform remembers of the clients who did something within the memory; the others cost nothing.

    An address has changed when an order goes to another node than the one before: what is entered in the app and not ordered
    to, nobody sees.

    Parameters
    ----------
    distance_m
        Straight-line distance between two nodes, metres.
    """

    def __init__(self, spec: FraudSpec, distance_m: Callable[[int, int], float]) -> None:
        self._memory_s, self._window_s, self._distance_m = spec.memory_s, spec.cancel_window_s, distance_m
        self._past: dict[int, _Past] = {}
        self._sweep_at = _SWEEP_FROM

    def __len__(self) -> int:
        return len(self._past)

    def view(self, client: int, node: int, value_cents: int, now: float) -> FraudView:
        """Put together what a fraud policy is shown of an order to `node`; remembers nothing by itself."""
        past = self._past.get(client)
        # What is older than the memory does not count, whether it was swept away yet or not.
        if past is None or past.touched_s <= now - self._memory_s:
            return FraudView(now, client, value_cents, 0, 0.0, inf, inf)
        cancels = 0
        if past.cancels_s:
            oldest_s = now - self._window_s
            for at_s in past.cancels_s:
                cancels += at_s > oldest_s
        moved_m, changed_s = 0.0, past.changed_s
        if past.node not in (NOBODY, node):
            moved_m, changed_s = self._distance_m(past.node, node), now
        return FraudView(now, client, value_cents, cancels, moved_m, now - past.ordered_s, now - changed_s)

    def ordered(self, client: int, node: int, now: float) -> None:
        """A client's order to a node was accepted."""
        past = self._of(client, now)
        if past.node not in (NOBODY, node):
            past.changed_s = now
        past.node, past.ordered_s = node, now

    def cancelled_late(self, client: int, now: float) -> None:
        """A client cancelled an order after a driver had been sent."""
        past = self._of(client, now)
        if past.cancels_s is None:
            past.cancels_s = []
        past.cancels_s.append(now)
        if len(past.cancels_s) > _CANCELS_KEPT:
            del past.cancels_s[0]

    def _of(self, client: int, now: float) -> _Past:
        oldest_s = now - self._memory_s
        past = self._past.get(client)
        if past is None or past.touched_s <= oldest_s:
            if len(self._past) >= self._sweep_at:
                self._past = {c: kept for c, kept in self._past.items() if kept.touched_s > oldest_s}
                self._sweep_at = max(_SWEEP_FROM, 2 * len(self._past))
            self._past[client] = past = _Past()
        past.touched_s = now
        return past


def planted(fraudsters: Die, clients: int, share: float) -> bytearray:
    """Draw which clients are fraudsters: 1 for each who is, (clients,)."""
    if not share:
        return bytearray(clients)
    return bytearray((fraudsters.uniforms(np.arange(clients)) < share).astype(np.uint8).tobytes())
