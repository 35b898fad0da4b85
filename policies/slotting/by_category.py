"""Slotting: by category."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts import SlottingView


@dataclass(frozen=True, slots=True, kw_only=True)
class ByCategory:
    """Categories lie together, the one with most lines nearest to the bench; within each, what sells most comes first.

    How shops are laid out: easy to restock and to find, and it keeps what needs cold together; not made for short tours.
    """

    def __call__(self, view: SlottingView) -> NDArray[Any]:
        lines = np.bincount(view.category, weights=view.demand)
        order = np.lexsort((-view.demand, -lines[view.category]))
        slot = np.empty(len(order), dtype=np.int64)
        slot[order] = np.lexsort((view.along_m, abs(view.aisle - view.block.bench)))[: len(order)]
        return slot
