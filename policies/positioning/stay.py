"""Positioning: stay."""

from dataclasses import dataclass

from policies.positioning.ends import checked, end_at
from sim.contracts import PositioningView
from sim.vocabulary import StoreId


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Wait where the last delivery ended: no ride is for nothing, and customers of one quarter order again.

    The rule of the meal delivery routing problem (Reyes et al. 2018), whose couriers wait where they last were.
    `at_end`: where a shift ends: "stay", where its driver is; or after a paid ride to the store that is "home" or "nearest",
    for vehicles that belong there.
    """

    at_end: str = "stay"

    def __post_init__(self) -> None:
        checked(self.at_end)

    def __call__(self, view: PositioningView) -> StoreId | None:
        return end_at(view, self.at_end) if view.ends else None
