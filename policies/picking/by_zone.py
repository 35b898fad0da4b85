"""Picking: by sections of the store, brought together at the end."""

from dataclasses import dataclass

from sim.contracts import PickingView


@dataclass(frozen=True, slots=True, kw_only=True)
class ByZone:
    """Each picker stays in one section of the store, and the parts of an order are picked side by side, first in first out.

    Progressive or parallel zone picking (de Koster, Le-Duc, Roodbergen 2007, EJOR 182(2)), here the latter: a large order
    is ready sooner, for every section has somebody at it, at the price of a tote and a walk in and out for each part and of
    bringing them together. It is for large baskets and pickers enough. `sections`: how many, of neighbouring aisles from
    which about as many lines come. `consolidate_s`: time to bring an order's parts together, seconds (judgement).
    """

    sections: int = 2
    consolidate_s: float = 15.0

    def __post_init__(self) -> None:
        if not self.sections >= 1:
            raise ValueError(f"Expected sections >= 1, got {self.sections}.")
        if not self.consolidate_s >= 0:
            raise ValueError(f"Expected consolidate_s >= 0, got {self.consolidate_s}.")

    def __call__(self, view: PickingView) -> int | None:
        return 0 if view.waiting else None
