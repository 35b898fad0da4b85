"""Substitution: the picker asks the customer, and waits a while."""

from dataclasses import dataclass

from policies.substitution import check_shares, enough, nearest_in_price
from sim.contracts import ReplacementView, SubstitutionView
from sim.vocabulary import SkuId


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """As `nearest`, but the app asks the customer, and the picker waits for the answer for at most `asks_s` seconds.

    More of those who are asked say yes, at the price of pickers who stand and wait: it pays where pickers are idle anyway.
    Without an answer in time the units are refunded. The default of a minute is a judgement. `share_min`, `gap_max`: as of
    `nearest`.
    """

    share_min: float = 0.5
    gap_max: float = 0.5
    asks_s: float = 60.0

    def __post_init__(self) -> None:
        check_shares(self.share_min, self.gap_max)
        if not self.asks_s > 0:
            raise ValueError(f"Expected asks_s > 0, got {self.asks_s}.")

    def __call__(self, view: SubstitutionView) -> bool:
        return enough(view, self.share_min)

    def replace(self, view: ReplacementView) -> SkuId | None:
        """What to ask for."""
        return nearest_in_price(view, self.gap_max)
