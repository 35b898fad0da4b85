"""What policies see and decide of a store's layout: where goods lie, and how pickers walk past them."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


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


class Routing(Protocol):
    """How far pickers walk on many tours through a block of aisles, from the bench past every pick and back."""

    def __call__(self, block: Block, seen: Visits) -> NDArray[Any]:
        """Metres of each tour, float64 (tours,); 0 without a pick."""


class SlottingView(NamedTuple):
    """An empty store, and what will lie in it."""

    demand: NDArray[Any]
    """Share of the basket lines that each SKU has, float64 (skus,)."""
    category: NDArray[Any]
    """Number of each SKU's category, int (skus,)."""
    block: Block
    aisle: NDArray[Any]
    """Of each slot, int (slots,); there are at least as many slots as SKUs."""
    along_m: NDArray[Any]
    """Of each slot: metres from the front of its aisle, float64 (slots,)."""
    generator: np.random.Generator
    """The policy's own chance."""

    @property
    def reach_m(self) -> NDArray[Any]:
        """Walking distance from the bench to each slot by the front, float64 (slots,)."""
        return np.asarray(abs(self.aisle - self.block.bench) * self.block.pitch_m + self.along_m)


class Slotting(Protocol):
    """The slot of each SKU, integers (skus,), no slot for two."""

    def __call__(self, view: SlottingView) -> NDArray[Any]: ...
