"""Reservation: none, for contrast."""

from dataclasses import dataclass
from typing import ClassVar

from sim.contracts import ReservationView


@dataclass(frozen=True, slots=True, kw_only=True)
class NoReservation:
    """Sell to everybody without looking at the records; who comes too late learns it when the shelf is found empty.

    What it oversells is what reservation is worth.
    """

    mechanism: ClassVar[str] = "none"

    def __call__(self, view: ReservationView) -> float | None:
        return None
