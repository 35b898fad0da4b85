"""What all laws share: a name, a list of breaches, and two ways to listen."""

from collections.abc import Mapping
from typing import NamedTuple

from sim.recording.log import Rows

KEPT = 50
"""Breaches that a law writes down; further ones are only counted."""


class Breach(NamedTuple):
    """Something that must not happen did."""

    law: str
    t_s: float
    what: str


Slice = Mapping[str, Rows]
"""Fact name -> its rows since the last slice (empty where there are none)."""

__all__ = ["Breach", "Law", "Rows", "Slice"]


class Law:
    """A checker.

    Its methods named after facts are called with the time and the fact's values, as they happen. A law about every
    basket line does its books by slices instead, in its method `slice`: a call for each line would cost too much.
    """

    name = "law"

    def __init__(self) -> None:
        self.breaches: list[Breach] = []
        self.count = 0

    def breach(self, t_s: float, what: str) -> None:
        """Write a breach down."""
        self.count += 1
        if self.count <= KEPT:
            self.breaches.append(Breach(self.name, float(t_s), what))

    def close(self) -> None:
        """Close the books at the end of a run."""
