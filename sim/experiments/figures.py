"""The figures of a summary one by one: by which name, with which interval, and which way is better."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from sim.scenario.levels import METRICS, SHARES
from sim.statistics import LEVEL, Interval, bootstrap_interval, share_interval, t_interval
from sim.vocabulary import InputError

PLAIN = ("schema", "scenario", "seed", "replications", "fingerprint", "digest", "slo", "engine", "intervals")
"""Keys of a summary that say which run it was, not what came out."""

HEADLINE = (
    "click_to_door_s.mean", "click_to_door_s.p95", "on_time", "within_s.1200", "within_s.1800", "orders.delivered",
    "orders_per_driver_hour", "fill_rate", "cost.per_order_cents",
)  # fmt: skip
"""What a comparison shows when nobody asks for anything else."""

_PERCENTILE = re.compile(r"\.(p\d+|max)(_s)?$")
_BETTER_HIGH = re.compile(
    r"^(within_s\.|on_time$|orders_per_driver_hour$|fill_rate$|revenue_cents$|orders\.(entered|delivered)$|drivers\.accepted_share$"
    r"|drivers\.earned_hour_cents|drivers\.tips_cents$|goods\.(sold|gross_margin)_cents$|floor\.\w*fill_rate$|floor\.perfect_order_rate$"
    r"|floor\.lines_per|floor\.turns|platform\.hit_rate$|platform\..*availability$)"
)
_BETTER_LOW = re.compile(
    r"^(click_to_door_s|stages_s|orders\.(rejected|cancelled|payment_failed|open)|refunds|cost\.|losses\."
    r"|drift\.(?!units_net)|support\.(?!answered|utilisation)|sales\.units_(denied|short)|sales\.backorders"
    r"|forecast\.(wape|total_wape)$|drivers\.(gini|longest_idle)|utilisation\.drivers_riding_empty$|goods\.stockout"
    r"|floor\.(wait_pick|pick_s|pick_stages|dwell|dock|stockout|peak_orders)|packing\.(wait_s|pack_s|overflow_share)"
    r"|returns\.|reviews\.(wait|open)|tracking\.(lost|late|spoofed|age_s|stalls|taken_back)|eta_error_s\..*_abs$"
    r"|notifications\..*(lost|lost_share|late_share)$|platform\..*(p50|p99)(_s)?$|platform\.user\.error_budget_burnt$"
    r"|platform\.(shown_was_gone|version_conflicts|retries|stale|lock_timeouts|writes_fenced|confirmations_revoked|orders_doubled|screens)"
    r"|platform\.(breakers|payments|fraud\.false)|platform\.bus\.(redelivered|duplicated|dead|lost|picked_twice|lag_max)$"
    r"|platform\.fault_totals\.(detected|recovered|orders_lost|units_short))"
)


def figures(summary: Mapping[str, Any]) -> dict[str, float | None]:
    """Every number of a summary by its dotted key; None where there was nothing to observe.

    Lists (faults at their times) and words are left out.
    """
    return dict(_numbers({name: value for name, value in summary.items() if name not in PLAIN}, ""))


def _numbers(tree: Mapping[str, Any], above: str) -> Iterator[tuple[str, float | None]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{above}{name}.")
        elif value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            yield f"{above}{name}", value


def interval(metric: str, values: Sequence[float], level: float = LEVEL) -> Interval:
    """A figure's mean over replications with the interval of its kind; see `sim.statistics.intervals`."""
    return {"share": share_interval, "percentile": bootstrap_interval, "mean": t_interval}[kind(metric)](values, level)


def kind(metric: str) -> str:
    """Whether a figure is a share, a percentile or a mean (or a count or a sum, whose mean over replications is meant)."""
    if SHARES.search(metric):
        return "share"
    return "percentile" if _PERCENTILE.search(metric) else "mean"


def goal(metric: str) -> int:
    """Which way is better: 1 up, -1 down, 0 where neither is (a utilisation, a count that only says how much there was)."""
    return 1 if _BETTER_HIGH.search(metric) else -1 if _BETTER_LOW.search(metric) else 0


def known_metric(metric: str, option: str = "--metric") -> str:
    """Return a metric's name.

    Raises
    ------
    InputError
        There is no such key in summary.json.
    """
    if metric in METRICS:
        return metric
    close = get_close_matches(metric, METRICS, n=3, cutoff=0.4)
    raise InputError(
        f"{option} {metric}: expected a metric of summary.json, such as {', '.join(close or METRICS[:3])} "
        "(a run's summary.json has them all)."
    )


def observed(
    metrics: Sequence[str], days: Sequence[Mapping[str, float | None]], named: bool, option: str = "--metric"
) -> list[str]:
    """The metrics of which some day saw anything; of those that somebody `named` all have to be.

    Raises
    ------
    InputError
        One that was named, or any at all, was seen on no day.
    """
    seen = [metric for metric in metrics if any(day.get(metric) is not None for day in days)]
    unseen = [metric for metric in metrics if metric not in seen]
    if unseen and (named or not seen):
        raise InputError(f"{option} {unseen[0]}: expected one that these runs observe; nobody saw anything of it.")
    return seen
