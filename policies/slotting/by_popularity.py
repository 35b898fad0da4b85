"""Slotting: by popularity."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts import SlottingView


@dataclass(frozen=True, slots=True, kw_only=True)
class ByPopularity:
    """What sells most lies nearest to the bench.

    Turnover-based storage (Heskett 1963; Petersen 1999, IJOPM 19(10)): a fifth of the SKUs make most of the lines, so most tours
    stay in the front of a few aisles.
    """

    def __call__(self, view: SlottingView) -> NDArray[Any]:
        nearest, wanted = np.argsort(view.reach_m, kind="stable"), np.argsort(-view.demand, kind="stable")
        slot = np.empty(len(wanted), dtype=np.int64)
        slot[wanted] = nearest[: len(wanted)]
        return slot
