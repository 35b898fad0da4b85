"""Slotting: by popularity, aisle by aisle."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts import SlottingView


@dataclass(frozen=True, slots=True, kw_only=True)
class ByAisle:
    """What sells most fills the aisle nearest to the bench from end to end, then the next.

    Within-aisle storage (Jarvis, McDowell 1991, IIE Transactions 23(1)): few aisles are visited, each wholly, which is what a
    picker needs who walks every visited aisle to its end.
    """

    def __call__(self, view: SlottingView) -> NDArray[Any]:
        order = np.lexsort((view.along_m, abs(view.aisle - view.block.bench)))
        wanted = np.argsort(-view.demand, kind="stable")
        slot = np.empty(len(wanted), dtype=np.int64)
        slot[wanted] = order[: len(wanted)]
        return slot
