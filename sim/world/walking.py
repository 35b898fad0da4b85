"""Walking through a store: lengths of picking tours in a warehouse of one block.

Parallel aisles of equal length join a front and a back cross-aisle; the packing bench stands at the front end of one
aisle. A picker walks from the bench past every pick and back. Positions are metres along the aisle from the front
cross-aisle's centre line; both shelves of an aisle are reached without a detour, as usual in the literature (Hall 1993).

All three routings take the picks of many tours at once, as columns.

References
----------
Ratliff, Rosenthal (1983), Order-picking in a rectangular warehouse, Operations Research 31(3).
Hall (1993), Distance approximations for routing manual pickers in a warehouse, IIE Transactions 25(4).
Petersen (1997), An evaluation of order picking routeing policies, IJOPM 17(11).
Roodbergen, de Koster (2001), Routing methods for warehouses with multiple cross aisles, IJPR 39(9).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 4096
"""Tours for which the shortest are sought at once: bounds the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of parallel aisles.

    Attributes
    ----------
    aisles
        How many.
    length_m
        Length of an aisle between the centre lines of the cross-aisles, metres.
    pitch_m
        Distance between neighbouring aisles, centre to centre, metres.
    bench
        The aisle at whose front end tours begin and end.
    """

    aisles: int
    length_m: float
    pitch_m: float
    bench: int = 0

    def __post_init__(self) -> None:
        if self.aisles < 1:
            raise ValueError(f"Expected aisles >= 1, got {self.aisles}.")
        if not (self.length_m > 0 and self.pitch_m > 0):
            raise ValueError(f"Expected length_m > 0 and pitch_m > 0, got {self.length_m} and {self.pitch_m}.")
        if not 0 <= self.bench < self.aisles:
            raise ValueError(f"Expected bench to be an aisle from 0 to {self.aisles - 1}, got {self.bench}.")


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """Aisles visited by tours, one row each, by tour and then from left to right.

    Attributes
    ----------
    tours
        Number of tours, those without a pick included.
    tour, aisle
        int64 (visits,).
    near_m, far_m
        Picks nearest to and farthest from the front, float64 (visits,).
    gap_m
        Largest stretch without a pick, the ends of the aisle counting as picks, float64 (visits,).
    """

    tours: int
    tour: NDArray[np.int64]
    aisle: NDArray[np.int64]
    near_m: NDArray[np.float64]
    far_m: NDArray[np.float64]
    gap_m: NDArray[np.float64]


def visits(block: Block, tours: int, tour: NDArray[Any], aisle: NDArray[Any], along_m: NDArray[Any]) -> Visits:
    """Gather picks by tour and aisle.

    Parameters
    ----------
    tours
        Number of tours.
    tour, aisle, along_m
        Of each pick, in any order: its tour (from 0), aisle (from 0) and position along the aisle, metres.
    """
    order = np.lexsort((along_m, aisle, tour))
    key = np.asarray(tour, dtype=np.int64)[order] * block.aisles + np.asarray(aisle, dtype=np.int64)[order]
    along = np.asarray(along_m, dtype=np.float64)[order]
    begins = np.ones(len(key), dtype=bool)
    begins[1:] = key[1:] != key[:-1]
    first = np.flatnonzero(begins)
    if not len(first):
        nothing = np.empty(0)
        return Visits(tours, first, first, nothing, nothing, nothing)
    last = np.append(first[1:], len(key)) - 1
    # Before each pick: the stretch from the pick before it, or from the front.
    before = np.where(begins, along, np.diff(along, prepend=0.0))
    gap = np.maximum(np.maximum.reduceat(before, first), block.length_m - along[last])
    return Visits(tours, key[first] // block.aisles, key[first] % block.aisles, along[first], along[last], gap)


def _ends(seen: Visits) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The tours that have picks, and the rows of their first and last visits."""
    some, first, count = np.unique(seen.tour, return_index=True, return_counts=True)
    return some, first, first + count - 1


def _across_m(block: Block, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    """Walking along the cross-aisles: from the bench to both ends and back, metres."""
    span = np.maximum(right, block.bench) - np.minimum(left, block.bench)
    return np.asarray(2.0 * block.pitch_m * span)


def s_shape_m(block: Block, seen: Visits) -> NDArray[np.float64]:
    """Tours that walk every visited aisle from end to end; the last of an odd number is entered and left at the front.

    Returns
    -------
    float64 (tours,), metres; 0 without a pick.
    """
    metres = np.zeros(seen.tours)
    some, first, last = _ends(seen)
    count = last - first + 1
    odd = count % 2
    metres[some] = _across_m(block, seen.aisle[first], seen.aisle[last])
    metres[some] += (count - odd) * block.length_m + odd * 2.0 * seen.far_m[last]
    return metres


def largest_gap_m(block: Block, seen: Visits) -> NDArray[np.float64]:
    """Tours that walk the first and last visited aisle from end to end, and of the others all but the largest gap, twice.

    Returns
    -------
    float64 (tours,), metres; 0 without a pick.
    """
    metres = np.zeros(seen.tours)
    some, first, last = _ends(seen)
    inner = 2.0 * (block.length_m - seen.gap_m)
    inner[first] = inner[last] = 0.0
    metres[some] = _across_m(block, seen.aisle[first], seen.aisle[last])
    metres[some] += np.where(first == last, 2.0 * seen.far_m[last], 2.0 * block.length_m)
    return np.asarray(metres + np.bincount(seen.tour, weights=inner, minlength=seen.tours))


def shortest_m(block: Block, seen: Visits) -> NDArray[np.float64]:
    """The shortest tours of all (Ratliff, Rosenthal 1983).

    Returns
    -------
    float64 (tours,), metres; 0 without a pick.
    """
    edges = np.searchsorted(seen.tour, np.arange(0, seen.tours + BLOCK, BLOCK))
    parts = []
    for number, (start, stop) in enumerate(pairwise(edges.tolist())):
        tours = min(BLOCK, seen.tours - number * BLOCK)
        parts.append(_shortest_of_few_m(block, seen, slice(start, stop), tours, number * BLOCK))
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
