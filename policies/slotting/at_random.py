"""Slotting: at random."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from sim.contracts import SlottingView


@dataclass(frozen=True, slots=True, kw_only=True)
class AtRandom:
    """Goods lie wherever there was room when they came: the yardstick for what slotting is worth."""

    def __call__(self, view: SlottingView) -> NDArray[Any]:
        return view.generator.permutation(len(view.aisle))[: len(view.demand)]
