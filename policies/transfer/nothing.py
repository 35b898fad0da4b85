"""Transfers: none."""

from collections.abc import Iterable
from dataclasses import dataclass

from sim.contracts import Move, TransferView


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """Move nothing: each store sells what its own trucks bring.

    The yardstick for what moving goods between stores is worth. `every_s`: seconds between the reviews at which nothing moves.
    """

    every_s: float = 86_400.0

    def __post_init__(self) -> None:
        if not self.every_s >= 60:
            raise ValueError(f"Expected every_s >= 60, got {self.every_s}.")

    def __call__(self, view: TransferView) -> Iterable[Move]:
        return ()
