"""Policies of the family `routing`; see `sim.contracts` for what they see and decide."""

import numpy as np
from numpy.typing import NDArray

from sim.contracts import Block, Visits


def ends(seen: Visits) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The tours that have picks, and the rows of their first and last visits."""
    some, first, count = np.unique(seen.tour, return_index=True, return_counts=True)
    return some, first, first + count - 1


def across_m(block: Block, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    """Walking along the cross-aisles: from the bench to both ends and back, metres."""
    span = np.maximum(right, block.bench) - np.minimum(left, block.bench)
    return np.asarray(2.0 * block.pitch_m * span)
