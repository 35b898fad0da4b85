"""Positioning: ride back and wait at a store."""

from dataclasses import dataclass

from policies.positioning.ends import checked, end_at
from sim.contracts import PositioningView
from sim.vocabulary import StoreId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnToStore:
    """A free driver rides back to the home store and can be offered work on the way.

    `at_end`: where a shift ends: "stay", where its driver is; or after a paid ride to the store that is "home" or "nearest",
    for vehicles that belong there.
    """

    at_end: str = "stay"

    def __post_init__(self) -> None:
        checked(self.at_end)

    def __call__(self, view: PositioningView) -> StoreId | None:
        return end_at(view, self.at_end) if view.ends else view.home
