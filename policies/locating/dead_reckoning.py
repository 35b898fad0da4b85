"""Locating: further along by now."""

from dataclasses import dataclass

from sim.contracts import RideView


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadReckoning:
    """A driver has ridden on along the planned route since the last position, as fast as the platform believes roads to be.

    Dead reckoning, as at sea: a known position, a course, a speed and the time since (Bowditch, The American Practical
    Navigator). Nobody rides past the end.
    """

    def __call__(self, view: RideView) -> float:
        return max(view.left_s - view.age_s, 0.0)
