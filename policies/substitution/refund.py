"""Substitution: none; what is missing is not charged, or refunded."""

from dataclasses import dataclass

from sim.contracts import SubstitutionView


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Deliver what there is and charge only that, if at least `share_min` of the units wanted remain.

    `share_min`: share in [0, 1]; an order is always given up when nothing at all is left. The default of a half is a
    judgement: below it customers call the order useless.
    """

    share_min: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.share_min <= 1:
            raise ValueError(f"Expected 0 <= share_min <= 1, got {self.share_min}.")

    def __call__(self, view: SubstitutionView) -> bool:
        left = view.units_wanted - view.units_missing
        return left > 0 and left >= self.share_min * view.units_wanted
