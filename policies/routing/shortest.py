"""Routing: the shortest tours of all."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sim.contracts import Block, Visits

MANY = 4096
"""Tours for which the shortest are sought at once: bounds the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortest:
    """Walk the shortest tour there is, as a device on the picker's wrist would show it.

    Ratliff, Rosenthal (1983), Order-picking in a rectangular warehouse, Operations Research 31(3).
    """

    def __call__(self, block: Block, seen: Visits) -> NDArray[np.float64]:
        edges = np.searchsorted(seen.tour, np.arange(0, seen.tours + MANY, MANY))
        parts = []
        for number, (start, stop) in enumerate(pairwise(edges.tolist())):
            tours = min(MANY, seen.tours - number * MANY)
            parts.append(_shortest_of_few_m(block, seen, slice(start, stop), tours, number * MANY))
        return np.concatenate(parts) if parts else np.zeros(0)


def _shortest_of_few_m(block: Block, seen: Visits, rows: slice, tours: int, base: int) -> NDArray[np.float64]:
    """Sweep the aisles from left to right, keeping the cheapest way to each of the states a partial tour may be in.

    The states say how the ends of the current aisle hang on what was walked so far: `none` not begun; `odd` both ends by
    an odd number of walks; `front` and `back` that end alone; `both` both ends, connected; `apart` both, not yet
    connected; `closed` all is walked. The bench is a pick at the front of its aisle.
    """
    length, cross = block.length_m, 2.0 * block.pitch_m
    shape = (block.aisles, tours)
    near, far, gap = np.full(shape, np.inf), np.full(shape, -np.inf), np.zeros(shape)
    at = (seen.aisle[rows], seen.tour[rows] - base)
    near[at], far[at], gap[at] = seen.near_m[rows], seen.far_m[rows], seen.gap_m[rows]
    # The bench is a pick at 0; in an aisle without other picks the gap beyond it is the whole aisle.
    here = block.bench
    gap[here] = np.where(np.isinf(far[here]), length, gap[here])
    near[here], far[here] = 0.0, np.maximum(far[here], 0.0)

    never = np.full(tours, np.inf)
    none, odd, front, back, both, apart, closed = np.zeros(tours), never, never, never, never, never, never
    for aisle in range(block.aisles):
        visited = far[aisle] >= 0
        from_front = np.where(visited, 2.0 * far[aisle], np.inf)
        from_back = np.where(visited, 2.0 * (length - near[aisle]), np.inf)
        around_gap = np.where(visited, 2.0 * (length - gap[aisle]), np.inf)
        skip = np.where(visited, np.inf, 0.0)
        stay = np.minimum.reduce([from_front, from_back, around_gap, skip])
        begun = np.minimum.reduce([none, front, back, both, apart])
        none, odd, front, back, both, apart, closed = (
            none + skip,
            np.minimum(odd + stay, begun + length),
            np.minimum(front + np.minimum(from_front, skip), none + from_front),
            np.minimum(back + np.minimum(from_back, skip), none + from_back),
            np.minimum.reduce([both + stay, odd + length, begun + 2.0 * length]),
            np.minimum.reduce([
                apart + stay, none + around_gap, front + np.minimum(from_back, around_gap),
                back + np.minimum(from_front, around_gap),
            ]),
            closed + skip,
        )  # fmt: skip
        closed = np.minimum.reduce([closed, front, back, both])
        if aisle + 1 < block.aisles:
            odd, apart = odd + cross, apart + 2.0 * cross
            front, back, both = np.minimum(front, both) + cross, np.minimum(back, both) + cross, both + 2.0 * cross
    return np.asarray(closed)
