"""One scorecard each for customers, pickers, drivers and the business, and what is left of the error budgets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sim.report.explain import metric_of
from sim.report.words import at, centre, figure_text

CARDS: Final[Mapping[str, Sequence[str]]] = {
    "Customers": (
        "click_to_door_s.p50", "click_to_door_s.p95", "on_time", "floor.perfect_order_rate", "floor.order_fill_rate",
        "eta_error_s.300.mean_abs", "support.per_1000",
    ),
    "Pickers": (
        "utilisation.pickers", "floor.lines_per_busy_hour", "floor.lines_per_paid_hour", "floor.pick_s.mean",
        "floor.wait_pick_s.p95", "floor.peak_orders.waiting_pick_one_store", "floor.counting_share",
    ),
    "Drivers": (
        "utilisation.drivers", "utilisation.drivers_riding_empty", "orders_per_driver_hour", "drivers.accepted_share",
        "drivers.earned_hour_cents.mean", "drivers.gini_orders", "drivers.longest_idle_s",
    ),
    "Business": (
        "orders.delivered", "revenue_cents", "cost.per_order_cents", "goods.gross_margin_cents", "goods.stockout_cents",
        "refunds.cents", "losses.shrink_share",
    ),
}  # fmt: skip
"""What each of them looks at first, by paths of the summary."""


@dataclass(frozen=True, slots=True)
class Card:
    """A scorecard: figures with their names and their paths in the summary."""

    title: str
    rows: Sequence[tuple[str, str, str]]


def scorecards(summary: Mapping[str, Any], currency: str | None) -> list[Card]:
    """The scorecards of a run; what nobody could observe is left out."""
    cards = []
    for title, paths in CARDS.items():
        rows = [
            (metric_of(path).label, figure_text(at(summary, path), metric_of(path).kind, currency), path)
            for path in paths
            if centre(at(summary, path)) is not None
        ]
        if rows:
            cards.append(Card(title, rows))
    return cards


def budget_spent(slo: Mapping[str, Any]) -> float | None:
    """What part of its error budget a service level has used up; above one it is missed. None where nothing was observed.

    The budget of "at least 95 % within half an hour" is the other 5 % (Beyer et al. 2016, Site Reliability Engineering, chapter
    3); that of a limit is the limit itself, and that of a least amount is what it may fall by, so that a target's part of what
    was observed is spent.
    """
    observed, target = centre(slo["observed"]), float(slo["target"])
    if observed is None:
        return None
    share = metric_of(slo["metric"]).kind == "share"
    if slo["op"] in (">=", ">"):
        if share and target <= 1.0:
            return (1.0 - observed) / (1.0 - target) if target < 1.0 else (0.0 if observed >= 1.0 else float("inf"))
        return target / observed if observed > 0.0 else float("inf")
    return observed / target if target > 0.0 else (0.0 if observed <= 0.0 else float("inf"))


def budget_text(spent: float | None) -> str:
    """How much of a budget is spent, in words."""
    if spent is None:
        return "–"
    return f"{100.0 * spent:,.0f} %" if spent < 10.0 else f"{spent:,.0f} times"
