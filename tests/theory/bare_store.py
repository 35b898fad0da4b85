"""A store stripped down to what inventory theory speaks of: demand for SKUs that are all alike, and a rule of ordering them.

Nothing goes wrong in it. The SKUs are independent shops, so that a mean over them has an interval.
"""

from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sim.scenario import Scenario, load_text

DAY_S = 86_400.0
ERROR = 1e-4
"""Chance that an interval misses the truth."""

STORE = """
name: bare-store
mode: goods_only
start: 2026-11-18T00:00+00:00
drain_h: 0
seed: 11
map: {width_m: 0, height_m: 0, points: 1, speed_kmh: 30}
stores: {count: 1, open: "00:00-24:00", zone: {radius_m: 1000}, inaccurate_share: 0}
pickers: {mispick_share: 0}
catalogue: {zipf: 0, categories: [{name: all, share: 1, price_cents: 100, litres: 1}]}
shrinkage: {theft_share: 0, damage_share: 0}
demand: {basket: {lines_mean: 1, units_mean: 1},
         profile: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1], weekday: [1,1,1,1,1,1,1]}
supply: {miscount_share: 0, late_share: 0, cover_days: 0.0001}
slo: []
"""


def bare_store(skus: int, units_a_day: float, days: int, *settings: str) -> Scenario:
    """So many SKUs of which so many units each are wanted a day, for so many days."""
    return load_text(
        STORE,
        (
            f"catalogue.skus={skus}",
            f"demand.orders_per_day={units_a_day * skus}",
            f"horizon_h={24 * days}",
            *settings,
        ),
    )


def by_day(rows: Any, skus: int, days: int, units: Any = None) -> NDArray[np.float64]:
    """Sum of the units (or of a column given) in the rows, by SKU and day, float64 (skus, days).

    What is at midnight belongs to the day that ends: a step of demand is played at its end.
    """
    day = np.ceil(rows["t_s"] / DAY_S).astype(int) - 1
    inside = day >= 0
    place = rows["sku"][inside].astype(np.int64) * days + day[inside]
    values = (rows["units"] if units is None else units)[inside]
    return np.bincount(place, weights=values, minlength=skus * days).reshape(skus, days)


def interval(each: NDArray[Any]) -> tuple[float, float]:
    """Mean over independent SKUs, (skus,), and half-width of its t interval."""
    return float(each.mean()), float(stats.t.ppf(1 - ERROR / 2, len(each) - 1) * each.std(ddof=1) / sqrt(len(each)))


def check(each: NDArray[Any], truth: float, *, within: float) -> None:
    """The truth lies in the interval, and the interval is narrow enough to prove something: a share of the truth."""
    mean, half = interval(each)
    assert abs(mean - truth) <= half, f"expected {truth:.6g}, got {mean:.6g} +- {half:.2g}"
    assert half < within * abs(truth), f"an interval of {half / abs(truth):.2%} proves little"
