"""Locating: where the phone said."""

from dataclasses import dataclass

from sim.contracts import RideView


@dataclass(frozen=True, slots=True, kw_only=True)
class LastPing:
    """A driver is where the last position that arrived says, however old it is."""

    def __call__(self, view: RideView) -> float:
        return view.left_s
