"""Picking: single orders, first in first out."""

from dataclasses import dataclass

from sim.contracts import PickingView


@dataclass(frozen=True, slots=True, kw_only=True)
class Fifo:
    """A free picker takes the order that has waited longest."""

    def __call__(self, view: PickingView) -> int | None:
        return 0 if view.waiting else None
