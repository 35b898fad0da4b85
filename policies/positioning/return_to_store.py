"""Positioning: ride back and wait at a store."""

from dataclasses import dataclass

from sim.contracts import PositioningView
from sim.vocabulary import StoreId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnToStore:
    """A free driver rides back to the home store and can be offered work on the way."""

    def __call__(self, view: PositioningView) -> StoreId | None:
        return view.home
