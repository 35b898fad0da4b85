"""Policies of the family `substitution`; see `sim.contracts` for what they see and decide."""

import numpy as np

from sim.contracts import ReplacementView, SubstitutionView
from sim.vocabulary import SkuId


def enough(view: SubstitutionView, share_min: float) -> bool:
    """Whether so large a share of an order's units is left that it is worth delivering."""
    left = view.units_wanted - view.units_missing
    return left > 0 and left >= share_min * view.units_wanted


def nearest_in_price(view: ReplacementView, gap_max: float) -> SkuId | None:
    """The SKU of the same category whose price is nearest by ratio, with all the units if one has them; ties by number.

    `gap_max`: by how much, as a share of the cheaper price, the dearer one may be dearer.
    """
    fits = (view.category == view.category[view.sku]) & (view.available > 0)
    fits[view.sku] = False
    others = np.flatnonzero(fits)
    gap = np.abs(np.log(view.price_cents[others] / view.price_cents[view.sku]))
    others, gap = others[gap <= np.log1p(gap_max) + 1e-12], gap[gap <= np.log1p(gap_max) + 1e-12]
    if not len(others):
        return None
    lacking = view.available[others] < view.units
    return SkuId(int(others[np.lexsort((others, gap, lacking))[0]]))


def check_shares(share_min: float, gap_max: float) -> None:
    """Hold parameters to what they may be.

    Raises
    ------
    ValueError
        `share_min` is not from 0 to 1, or `gap_max` is below 0.
    """
    if not 0 <= share_min <= 1:
        raise ValueError(f"Expected 0 <= share_min <= 1, got {share_min}.")
    if not gap_max >= 0:
        raise ValueError(f"Expected gap_max >= 0, got {gap_max}.")
