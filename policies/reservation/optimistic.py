"""Reservation: optimistic concurrency with bounded exponential backoff and full jitter."""

from dataclasses import dataclass

from sim.contracts import ReservationView


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimistic:
    """Read versions, write if unchanged, else wait a random part of an exponentially growing ceiling and read again.

    `attempts_max`: tries before giving the order up. `base_s`, `cap_s`: first and largest ceiling, seconds.
    `jitter`: False waits for the whole ceiling, so that those who collided collide again.
    Full jitter after Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
    """

    attempts_max: int = 8
    base_s: float = 0.02
    cap_s: float = 1.0
    jitter: bool = True

    def __post_init__(self) -> None:
        if self.attempts_max < 1:
            raise ValueError(f"Expected attempts_max >= 1, got {self.attempts_max}.")
        if not 0 <= self.base_s <= self.cap_s:
            raise ValueError(f"Expected 0 <= base_s <= cap_s, got {self.base_s} and {self.cap_s}.")

    def __call__(self, view: ReservationView) -> float | None:
        if view.attempt >= self.attempts_max:
            return None
        ceiling = min(self.cap_s, self.base_s * 2.0 ** (view.attempt - 1))
        return view.chance * ceiling if self.jitter else ceiling
