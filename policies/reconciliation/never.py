"""Reconciliation: none."""

from dataclasses import dataclass

from sim.contracts import ShortPick


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """Count nothing: what is wrong in the records stays wrong.

    The yardstick for what counting is worth.
    """

    def __call__(self, view: ShortPick) -> bool:
        return False
