"""The line of the people at work: whether what pickers and drivers report reaches the platform.

Each report (begun, packed, picked up, handed over) is a call of the gateway and of the order service. While both answer it
takes milliseconds, is part of these services' load, and nobody waits for it. When one of them is down, or the whole region,
an app shows no next order and takes no scan: it tries again for `offline_after_s`. Then it works without the platform: it keeps
what is done, with the time at which it was done, and hands it in. An answer to an offer is worth nothing later and is not kept.
"""

from collections.abc import Callable

from sim.clock import Clock, Timer
from sim.story import Signal
from sim.vocabulary import quantise


class Line:
    """The way from the apps of the people at work to the platform.

    Parameters
    ----------
    offline_after_s
        How long apps try before they work without the platform, seconds.

    Attributes
    ----------
    dead
        Whether nothing reaches the platform now.
    held
        Whether apps still try, so that who wants to report something waits for `free`.
    on_back
        Called when the platform can be reached again.
    """

    def __init__(self, env: Clock, offline_after_s: float) -> None:
        self._env, self._offline_after_s = env, quantise(offline_after_s)
        self._cuts = self._number = 0
        self.held = self.dead = False
        self.free = Signal()
        self.on_back: Callable[[], None] | None = None

    def moved(self, again: bool) -> None:
        """Something on the way to the platform does not answer any more, or does `again`."""
        self._cuts += -1 if again else 1
        self.dead = self._cuts > 0
        if self.dead and self._cuts == 1 and not again:
            self.held = bool(self._offline_after_s)
            self._number += 1
            Timer(self._env, self._offline_after_s, self._let_go, self._number)
        elif not self.dead:
            Timer(self._env, 0.0, self._back, self._number)  # not in the midst of what brought it back

    def _back(self, event: Timer) -> None:
        self._let_go(event)
        if not self.dead and self.on_back is not None:
            self.on_back()

    def _let_go(self, event: Timer) -> None:
        if not self.held or event.value != self._number:
            return
        self.held, free, self.free = False, self.free, Signal()
        free.ring()
