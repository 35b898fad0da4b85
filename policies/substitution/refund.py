"""Substitution: none; what is missing is not charged, or refunded."""

from dataclasses import dataclass

from policies.substitution import check_shares, enough
from sim.contracts import SubstitutionView


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Deliver what there is and charge only that, if at least `share_min` of the units wanted remain.

    `share_min`: share in [0, 1]; an order is always given up when nothing at all is left. The default of a half is a
    judgement: below it customers call the order useless.
    """

    share_min: float = 0.5

    def __post_init__(self) -> None:
        check_shares(self.share_min, 0.0)

    def __call__(self, view: SubstitutionView) -> bool:
        return enough(view, self.share_min)
