"""Dispatch: first in, first out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from policies.dispatch import by_turn
from sim.contracts import DispatchView, Offer


@dataclass(frozen=True, kw_only=True)
class FirstInFirstOut:
    """Give each waiting order, oldest first, to the driver who has been idle longest among those near enough.

    The queue of a taxi rank: nobody is passed over, and nobody asks who is nearest. It is on the menu as what fairness alone
    costs in minutes. `ride_s_max`: longest believed ride to the store, seconds.
    """

    ride_s_max: float = 420.0
    ahead_s: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        if not self.ride_s_max > 0:
            raise ValueError(f"Expected ride_s_max > 0, got {self.ride_s_max}.")

    def __call__(self, view: DispatchView) -> Iterator[Offer]:
        return by_turn(view, self.ride_s_max, lambda fleet, _order, _ride_s: fleet.idle_since_s)
