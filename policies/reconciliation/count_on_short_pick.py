"""Reconciliation: count a shelf when a picker finds too little on it."""

from dataclasses import dataclass

from sim.contracts import ShortPick


@dataclass(frozen=True, slots=True, kw_only=True)
class CountOnShortPick:
    """Count a shelf and correct its record whenever a pick falls short by at least `units_min` units."""

    units_min: int = 1

    def __post_init__(self) -> None:
        if self.units_min < 1:
            raise ValueError(f"Expected units_min >= 1, got {self.units_min}.")

    def __call__(self, view: ShortPick) -> bool:
        return view.wanted - view.found >= self.units_min
