"""Substitution: the nearest in price of the same category, for customers who allowed it."""

from dataclasses import dataclass

from policies.substitution import check_shares, enough, nearest_in_price
from sim.contracts import ReplacementView, SubstitutionView
from sim.vocabulary import SkuId


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """What a picker does not find is replaced by the SKU of its category that is nearest in price, if the customer allowed it.

    Nobody is asked while the picker stands there, so it costs a few seconds and brings what `refund` gives back, from those
    who left substitutes switched on. `gap_max`: by how much, as a share of the cheaper price, the dearer one may be dearer
    (judgement). `share_min`: as of `refund`, for what the records deny.
    """

    share_min: float = 0.5
    gap_max: float = 0.5

    def __post_init__(self) -> None:
        check_shares(self.share_min, self.gap_max)

    def __call__(self, view: SubstitutionView) -> bool:
        return enough(view, self.share_min)

    def replace(self, view: ReplacementView) -> SkuId | None:
        """What to take instead."""
        return nearest_in_price(view, self.gap_max)
