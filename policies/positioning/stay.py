"""Positioning: stay."""

from dataclasses import dataclass

from sim.contracts import PositioningView


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Wait where the last delivery ended: no ride is for nothing, and customers of one quarter order again.

    The rule of the meal delivery routing problem (Reyes et al. 2018), whose couriers wait where they last were.
    """

    def __call__(self, view: PositioningView) -> None:
        return None
