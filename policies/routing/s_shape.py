"""Routing: S-shape."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.routing import across_m, ends
from sim.contracts import Block, Visits


@dataclass(frozen=True, slots=True, kw_only=True)
class SShape:
    """Walk every visited aisle from end to end; the last of an odd number is entered and left at the front.

    The rule that needs no map: pickers do it by themselves (Hall 1993, IIE Transactions 25(4)).
    """

    def __call__(self, block: Block, seen: Visits) -> NDArray[np.float64]:
        metres = np.zeros(seen.tours)
        some, first, last = ends(seen)
        count = last - first + 1
        odd = count % 2
        metres[some] = across_m(block, seen.aisle[first], seen.aisle[last])
        metres[some] += (count - odd) * block.length_m + odd * 2.0 * seen.far_m[last]
        return metres
