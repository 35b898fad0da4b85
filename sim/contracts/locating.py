"""What policies see and decide of drivers on a ride, between two of the positions that their phones send."""

from typing import NamedTuple, Protocol


class RideView(NamedTuple):
    """A ride under way, along its planned route."""

    now_s: float
    age_s: float
    """Since the last position that arrived was sent, or since the ride began where that was later, seconds."""
    left_s: float
    """Believed seconds of the ride from that position to its end."""


class Locating(Protocol):
    """Believed seconds that are left of the ride now."""

    def __call__(self, view: RideView) -> float: ...
