"""Reconciliation: scan log against record, every hour."""

from dataclasses import dataclass

import numpy as np

from sim.contracts import Corrections, LedgerView, ShortPick


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareLedgers:
    """Hold the scan log against the record: adjust small differences at once, flag large ones for people to review.

    It costs no walk to a shelf and finds what messages did to the records (lost, late, twice), never what nobody scanned.
    `compare_every_s`: how often, seconds. `auto_units`: largest difference that is adjusted without review, units (judgement).
    `on_short_pick`: whether pickers also count what they do not find.
    """

    compare_every_s: float = 3600.0
    auto_units: int = 5
    on_short_pick: bool = True

    def __post_init__(self) -> None:
        if not self.compare_every_s >= 1:
            raise ValueError(f"Expected compare_every_s >= 1, got {self.compare_every_s}.")
        if not self.auto_units >= 0:
            raise ValueError(f"Expected auto_units >= 0, got {self.auto_units}.")

    def __call__(self, view: ShortPick) -> bool:
        return self.on_short_pick

    def compare(self, view: LedgerView) -> Corrections:
        """Small differences are adjusted, the others reviewed."""
        size = np.abs(view.scanned - view.recorded)
        return Corrections(
            np.flatnonzero((size > 0) & (size <= self.auto_units)), np.flatnonzero(size > self.auto_units)
        )
