"""Reservation: optimistic, with the units of contended records dealt out to virtual slots."""

from dataclasses import dataclass
from typing import ClassVar

from policies.reservation.optimistic import Optimistic
from sim.contracts import ReservationView


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots(Optimistic):
    """Split a record on which buyers keep conflicting into slots with versions of their own; each buyer takes one by chance.

    `slots`: into how many slots. `hot_after`: conflicts on a record after which it is split; 0 splits each at once.
    `attempts_max`, `base_s`, `cap_s`, `jitter`: as for optimistic, between conflicts on the same slot.
    """

    mechanism: ClassVar[str] = "slots"

    slots: int = 8
    hot_after: int = 3

    def __post_init__(self) -> None:
        Optimistic.__post_init__(self)
        if self.slots < 1:
            raise ValueError(f"Expected slots >= 1, got {self.slots}.")
        if self.hot_after < 0:
            raise ValueError(f"Expected hot_after >= 0, got {self.hot_after}.")

    def __call__(self, view: ReservationView) -> float | None:
        return Optimistic.__call__(self, view)
