"""How far pickers walk in a run, against the mean tour lengths of the literature for picks that are spread evenly.

A pick takes no time but the walk, at a metre a second, so that the log's pick times are metres. The bench is at a corner, and
there are so many slots that it does not matter that an order names none of them twice.
"""

from collections.abc import Callable
from functools import cache
from math import comb
from typing import Any

import numpy as np
import pytest

from sim.scenario import load_text
from tests.theory.bare_store import check, interval
from tests.theory.test_tours import MANY, across_m, aisles_visited

AISLES, LENGTH_M = MANY.aisles, MANY.length_m

SHOP = f"""
name: walks
start: 2026-11-18T00:00+00:00
horizon_h: 24
drain_h: 2
seed: 5
map: {{width_m: 0, height_m: 0, points: 1, speed_kmh: 30}}
stores: {{count: 1, open: "00:00-24:00", zone: {{radius_m: 1000}}, inaccurate_share: 0,
         layout: {{aisles: {AISLES}, length_m: {LENGTH_M}, pitch_m: {MANY.pitch_m}, facing_m: 0.01, levels: 1, blocking: 0}}}}
pickers: {{per_store: 100, shifts: [{{at: "00:00", hours: 12, share: 0.5}}, {{at: "12:00", hours: 12, share: 0.5}}],
           walk_m_s: 1, base_s: 0, per_line_s: 0, per_unit_s: 0, noise: none, mispick_share: 0}}
drivers: {{count: 60, vehicles: {{car: 1}}, accept_share: 1, respond_s: 0, handoff_s: 0, door_s: 0, noise: none,
           shifts: [{{at: "00:00", hours: 12, share: 0.5}}, {{at: "12:00", hours: 12, share: 0.5}}]}}
catalogue: {{skus: 40000, zipf: 0, categories: [{{name: all, share: 1, price_cents: 100, litres: 0.01}}]}}
shrinkage: {{theft_share: 0, damage_share: 0}}
demand: {{orders_per_day: 8000, basket: {{lines_mean: 10, units_mean: 1}},
          profile: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1], weekday: [1,1,1,1,1,1,1]}}
customers: {{patience_s: null}}
payments: {{decline_share: 0}}
platform: {{profile: minimal, give_up_s: 1.0e+7}}
supply: {{cover_days: 10}}
travel: {{noise_cv: 0, traffic: false}}
policies: {{slotting: at_random}}
slo: []
"""


def onto(picks: int, aisles: int) -> int:
    """In how many ways so many picks fall on so many aisles so that none is empty."""
    return sum((-1) ** empty * comb(aisles, empty) * (aisles - empty) ** picks for empty in range(aisles + 1))


def chance(picks: int, visited: int, here: int) -> float:
    """That so many aisles are visited, and that a given one of these (say the last) has so many of the picks."""
    return comb(AISLES, visited) * comb(picks, here) * onto(picks - here, visited - 1) / AISLES**picks


def walked_of_gap(picks: int) -> float:
    """Share of an aisle that is walked, both ways: all but the largest of the stretches that uniform picks leave.

    The largest of k + 1 spacings has the mean H(k + 1) / (k + 1), H the harmonic numbers (H. A. David, H. N. Nagaraja, Order
    Statistics, 3rd ed., ch. 6).
    """
    return 2.0 * (1.0 - sum(1.0 / n for n in range(1, picks + 2)) / (picks + 1))


def s_shape_m(picks: int) -> float:
    """Exact mean: aisles end to end; the last of an odd number to its farthest pick and back, j / (j + 1) of it in the mean."""
    mean = across_m(picks)
    for visited in range(1, min(AISLES, picks) + 1):
        for here in range(1, picks - visited + 2):
            last = 2.0 * here / (here + 1) if visited % 2 else 1.0
            mean += LENGTH_M * chance(picks, visited, here) * (visited - 1 + last)
    return mean


def largest_gap_m(picks: int) -> float:
    """Exact mean: two aisles end to end, of those between all but the largest gap; a single one to its farthest pick and back."""
    mean = across_m(picks) + LENGTH_M * chance(picks, 1, picks) * 2.0 * picks / (picks + 1)
    for visited in range(2, min(AISLES, picks) + 1):
        for here in range(1, picks - visited + 2):
            mean += LENGTH_M * chance(picks, visited, here) * (2.0 + (visited - 2) * walked_of_gap(here))
    return mean


def published_s_shape_m(picks: int) -> float:
    """As `s_shape_m`, but with as many picks in the last aisle as in the mean, n / g of them.

    After Hall (1993) by K. J. Roodbergen, I. F. A. Vis (2006), A model for warehouse layout, IIE Transactions 38(10), 799-811.
    """
    mean = across_m(picks) + LENGTH_M * aisles_visited(picks)
    for visited in range(1, min(AISLES, picks) + 1, 2):
        share = comb(AISLES, visited) * onto(picks, visited) / AISLES**picks
        each = picks / visited
        mean += LENGTH_M * share * (2.0 * each / (each + 1) - 1.0)
    return mean


def published_largest_gap_m(picks: int) -> float:
    """As `largest_gap_m`, but as if the outermost aisles always held picks and were the two that are walked end to end.

    In the manner of R. W. Hall (1993), Distance approximations for routing manual pickers in a warehouse, IIE Transactions 25(4).
    """
    some = 1.0 / AISLES
    inner = sum(
        comb(picks, here) * some**here * (1.0 - some) ** (picks - here) * walked_of_gap(here)
        for here in range(1, picks + 1)
    )
    return across_m(picks) + LENGTH_M * (2.0 + (AISLES - 2) * inner)


def share_of(walks: Any, mean_m: Callable[[int], float]) -> Any:
    """Metres of each order's tour, as a share of the mean for so many lines."""
    lines, metres = walks
    some = np.unique(lines)
    means = np.zeros(some.max() + 1)
    means[some] = [mean_m(picks) for picks in some.tolist()]
    return metres / means[lines]


@pytest.fixture(scope="module")
def walked(play: Any) -> Any:
    """Of every order of a day, its lines and the metres of its tour, by the routing policy and the mean lines of a basket."""

    @cache
    def day(routing: str, lines: int) -> Any:
        orders = play(
            load_text(SHOP, (f"policies.routing={routing}", f"demand.basket.lines_mean={lines}"))
        ).study.orders
        return orders["lines"], orders["packed_s"] - orders["pick_start_s"]

    return day


def test_the_formulas_by_hand() -> None:
    """One pick: half an aisle there and back, and four and a half aisles across. Very many: all aisles, an even number."""
    for mean_m in (s_shape_m, largest_gap_m):
        assert mean_m(1) == pytest.approx(LENGTH_M + 2 * MANY.pitch_m * 4.5)
    assert s_shape_m(400) == pytest.approx(AISLES * LENGTH_M + 2 * MANY.pitch_m * 9)
    # Two picks lie in one aisle with a chance of a tenth, where the farther is at two thirds; else both aisles are walked.
    for mean_m in (s_shape_m, largest_gap_m):
        assert mean_m(2) == pytest.approx(across_m(2) + LENGTH_M * (0.1 * 4 / 3 + 0.9 * 2))


@pytest.mark.parametrize("lines", [4, 12, 30])
@pytest.mark.parametrize(("routing", "mean_m"), [("s_shape", s_shape_m), ("largest_gap", largest_gap_m)])
def test_tours_are_as_long_as_the_exact_means_say(walked: Any, routing: str, mean_m: Any, lines: int) -> None:
    check(share_of(walked(routing, lines), mean_m), 1.0, within=0.01)


@pytest.mark.parametrize(("routing", "lines", "published_m", "tolerance"), [
    # One number of picks for that of the last aisle: off by a third of a percent at most.
    ("s_shape", 4, published_s_shape_m, 0.015), ("s_shape", 12, published_s_shape_m, 0.012),
    ("s_shape", 30, published_s_shape_m, 0.006),
    # Few picks leave outer aisles empty, which the approximation walks: 5 % at 12 lines, 1 % at 30, nothing in the limit.
    ("largest_gap", 12, published_largest_gap_m, 0.06), ("largest_gap", 30, published_largest_gap_m, 0.015),
])  # fmt: skip
def test_tours_are_about_as_long_as_published(
    walked: Any, routing: str, lines: int, published_m: Any, tolerance: float
) -> None:
    mean, half = interval(share_of(walked(routing, lines), published_m))
    assert abs(mean - 1.0) + half < tolerance, f"{mean:.4f} +- {half:.4f} of the published mean"


def test_largest_gap_is_shorter_with_few_picks_and_s_shape_with_many(walked: Any) -> None:
    """As their means cross (Hall 1993): here between 30 and 45 picks."""
    assert walked("largest_gap", 12)[1].mean() < walked("s_shape", 12)[1].mean()
    assert largest_gap_m(30) < s_shape_m(30)
    assert s_shape_m(45) < largest_gap_m(45)
