"""Routing: largest gap."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.routing import across_m, ends
from sim.contracts import Block, Visits


@dataclass(frozen=True, slots=True, kw_only=True)
class LargestGap:
    """Walk the first and last visited aisle from end to end, and of the others all but the largest gap, from both ends.

    Shorter than S-shape where aisles hold few picks each (Hall 1993, IIE Transactions 25(4)).
    """

    def __call__(self, block: Block, seen: Visits) -> NDArray[np.float64]:
        metres = np.zeros(seen.tours)
        some, first, last = ends(seen)
        inner = 2.0 * (block.length_m - seen.gap_m)
        inner[first] = inner[last] = 0.0
        metres[some] = across_m(block, seen.aisle[first], seen.aisle[last])
        metres[some] += np.where(first == last, 2.0 * seen.far_m[last], 2.0 * block.length_m)
        return np.asarray(metres + np.bincount(seen.tour, weights=inner, minlength=seen.tours))
