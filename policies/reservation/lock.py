"""Reservation: pessimistic, every record of an order locked before it is read."""

from dataclasses import dataclass
from typing import ClassVar

from sim.contracts import ReservationView


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Lock all records of an order, first come first served, then read, write and unlock; give up after waiting too long.

    `timeout_s`: longest wait for all locks of an order, seconds. `lease_s`: a lock ends by itself after so long, seconds.
    `attempts_max`: tries when a lease was lost before the write. `fencing`: False lets a holder write whose lease has passed
    to somebody else, which oversells. `pause_chance`, `pause_s`: how often a holder stands still between read and write (a
    collection of garbage, a lost network), and for how long, seconds.
    Leases with fencing tokens after Kleppmann, "How to do distributed locking" (2016).
    """

    mechanism: ClassVar[str] = "lock"

    timeout_s: float = 1.0
    lease_s: float = 5.0
    attempts_max: int = 3
    fencing: bool = True
    pause_chance: float = 0.0
    pause_s: float = 10.0

    def __post_init__(self) -> None:
        if not self.timeout_s >= 0:
            raise ValueError(f"Expected timeout_s >= 0, got {self.timeout_s}.")
        if not self.lease_s >= 0.001:
            raise ValueError(f"Expected lease_s >= 0.001, got {self.lease_s}.")
        if self.attempts_max < 1:
            raise ValueError(f"Expected attempts_max >= 1, got {self.attempts_max}.")
        if not 0 <= self.pause_chance <= 1:
            raise ValueError(f"Expected 0 <= pause_chance <= 1, got {self.pause_chance}.")
        if not self.pause_s >= 0:
            raise ValueError(f"Expected pause_s >= 0, got {self.pause_s}.")

    def __call__(self, view: ReservationView) -> float | None:
        return None if view.attempt >= self.attempts_max else 0.0
