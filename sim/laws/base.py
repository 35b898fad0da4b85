"""What all laws share: a name, and a list of breaches."""

from typing import NamedTuple

KEPT = 50
"""Breaches that a law writes down; further ones are only counted."""


class Breach(NamedTuple):
    """Something that must not happen did."""

    law: str
    t_s: float
    what: str


class Law:
    """A checker; its methods named after facts are called with the time and the fact's values."""

    name = "law"

    def __init__(self) -> None:
        self.breaches: list[Breach] = []
        self.count = 0

    def breach(self, t_s: float, what: str) -> None:
        """Write a breach down."""
        self.count += 1
        if self.count <= KEPT:
            self.breaches.append(Breach(self.name, t_s, what))

    def close(self) -> None:
        """Close the books at the end of a run."""
