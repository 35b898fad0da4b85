"""Picks by tour and aisle, and the slots of a store: what a walk through it is made of.

Parallel aisles of equal length join a front and a back cross-aisle; the packing bench stands at the front end of one
aisle. Positions are metres along the aisle from the front cross-aisle's centre line; both shelves of an aisle are reached
without a detour, as usual in the literature (Hall 1993, Distance approximations for routing manual pickers in a warehouse,
IIE Transactions 25(4)). How a picker walks is a policy of the family `routing`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts import Block, Visits
from sim.scenario.stores import Layout

GRAIN_M = 2.0**-14
"""Positions are taken to the nearest sixteenth of a millimetre."""


def slots(layout: Layout) -> tuple[Block, NDArray[np.int64], NDArray[np.float64]]:
    """The aisles of a layout, and of each slot its aisle and metres along it; by aisle, from the front, level by level."""
    block = Block(aisles=layout.aisles, length_m=layout.length_m, pitch_m=layout.pitch_m, bench=layout.bench)
    bays = int(layout.length_m / layout.facing_m + 1e-9)
    each = 2 * layout.levels  # slots that are reached from one place
    along = (np.arange(bays) + 0.5) * layout.facing_m
    return (
        block,
        np.repeat(np.arange(layout.aisles), bays * each),
        np.tile(np.repeat(along, each), layout.aisles),
    )


def visits(block: Block, tours: int, tour: NDArray[Any], aisle: NDArray[Any], along_m: NDArray[Any]) -> Visits:
    """Gather picks by tour and aisle.

    Parameters
    ----------
    tours
        Number of tours.
    tour, aisle, along_m
        Of each pick, in any order: its tour (from 0), aisle (from 0) and position along the aisle, metres.
    """
    # One whole number for tour, aisle and place: sorted, it is taken apart again, which is twice as fast as sorting rows.
    places = np.rint(np.asarray(along_m, dtype=np.float64) / GRAIN_M).astype(np.int64)
    bits = int(places.max(initial=0)).bit_length()
    whole = np.asarray(tour, dtype=np.int64) * block.aisles + np.asarray(aisle, dtype=np.int64)
    whole = np.sort((whole << bits) + places)
    key = whole >> bits
    along = np.asarray((whole & ((1 << bits) - 1)) * GRAIN_M, dtype=np.float64)
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
