"""How much demand a network can take: where each service level breaks, which first, and what is full there."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sim.experiments.trials import Days, Trials, asked_of, held, mean_of
from sim.scenario import Scenario
from sim.scenario.levels import Slo
from sim.vocabulary import InputError

LADDER = (1.0, 1.25, 1.75, 3.0)
"""Multiples of the scenario's demand that are tried first; below one where a level does not hold as it is."""

DOWN = (1.0, 0.75, 0.5, 0.25)

PRECISION = 0.05
"""How closely the demand at which a level breaks is told, as a share of it (judgement: no forecast is better)."""

AROUND = (1.0 / 1.015, 1.03)
"""Where is looked around the demand at which a level breaks by a straight line, as multiples of it: closer together than
`PRECISION`, and farther above, since queues make a level fall faster and faster (judgement)."""

WATCHED = (
    "orders.entered", "click_to_door_s.mean", "on_time", "stages_s.wait_pick", "stages_s.pick", "stages_s.wait_driver",
    "stages_s.ride", "utilisation.pickers", "utilisation.drivers", "fill_rate", "cost.per_order_cents",
)  # fmt: skip
"""What is shown at each demand."""


def scaled(scenario: Scenario, factor: float) -> Scenario:
    """The scenario with so many times its orders: stores are stocked for them, people and vehicles stay as they are."""
    demand = scenario.demand.model_copy(update={"orders_per_day": scenario.demand.orders_per_day * factor})
    return scenario.model_copy(update={"demand": demand})


def capacity(
    scenario: Scenario, trials: Trials, told: Callable[[float, float], None] | None = None, most: float = 3.0
) -> dict[str, Any]:
    """Find where each service level breaks.

    Every level is bracketed on a ladder of demands. Where a straight line between the bracket's ends crosses the target, two
    demands are tried that have the crossing between them; a bracket that this has not halved is cut in three. All on the same
    days, and each demand is run once whatever level asks for it; two at a time, since what stands in the stores before the day
    is played anew for each.

    Parameters
    ----------
    told
        Called with the interval of factors that is still open for the level that breaks first.
    most
        The largest factor that is tried.

    Returns
    -------
    dict
        ``levels``: for each, the last factor at which it holds and the first at which it does not (None: none was found);
        ``tried``: by factor, the figures; ``first``: the levels that break first; ``full``: what is scarce there.
    """
    if scenario.demand.trace is not None:
        raise InputError(
            "plan capacity: expected a scenario whose demand can be raised, got one with a trace (demand.trace)."
        )
    levels = asked_of(scenario)
    if not levels:
        raise InputError("plan capacity: expected service levels in the scenario (slo), got none.")
    # Where nothing counts as an error all levels are what is looked for.
    count = [slo for slo in levels if slo.severity == "error"] or levels
    days: dict[float, Days] = {}

    def run(*factors: float) -> None:
        new = [factor for factor in factors if factor not in days]
        days.update(zip(new, trials.days(*(scaled(scenario, factor) for factor in new)), strict=True))

    ladder = [factor for factor in LADDER if factor < most] or [1.0]
    while ladder[-1] * 1.75 < most:
        ladder.append(_round(ladder[-1] * 1.75))
    ladder.append(most)
    run(*dict.fromkeys(ladder[:2]))
    if not all(_met(slo, days[1.0]) for slo in levels):
        run(*DOWN[1:])
    for place in range(2, len(ladder), 2):
        if not any(_met(slo, days[max(days)]) for slo in count):
            break
        run(*ladder[place : place + 2])
    before = math.inf
    while True:
        open_ = [(slo, *found) for slo in levels if (found := _bracket(slo, days)) is not None and _wide(*found)]
        if not open_:
            break
        slo, low, high = min(open_, key=lambda each: each[2])
        if told is not None:
            told(low, high)
        width = math.log(high / low)
        tried = _between(slo, days, low, high) if width <= before / 2.0 or width > before else ()
        before = width
        inside = [factor for factor in tried or _thirds(low, high) if low < factor < high and factor not in days]
        if not inside:
            break
        run(*inside)
    return _found(scenario, levels, days)


def _between(slo: Slo, days: Mapping[float, Days], low: float, high: float) -> tuple[float, ...]:
    """Demands on both sides of where a straight line says that a level breaks."""
    over, under = (max(held([slo], days[factor])[0].margin, -2.0) for factor in (low, high))
    if over <= under:
        return ()
    crossing = low + (high - low) * over / (over - under)
    return tuple(_round(crossing * beside) for beside in AROUND)


def _thirds(low: float, high: float) -> tuple[float, ...]:
    return tuple(_round(low * (high / low) ** share) for share in (1.0 / 3.0, 2.0 / 3.0))


def _met(slo: Slo, days: Days) -> bool:
    return held([slo], days)[0].met


def _round(factor: float) -> float:
    return float(f"{factor:.3g}")


def _wide(low: float, high: float) -> bool:
    return high / low > 1.0 + PRECISION


def _of(slo: Slo, days: Mapping[float, Days]) -> list[float]:
    """Demands that say where a level breaks: from today's on where it holds today, else all of them, ascending.

    A level that holds today and not with half the orders (a cost per order, say) does not break for want of capacity.
    """
    return [factor for factor in sorted(days) if factor >= 1.0 or not _met(slo, days[1.0])]


def _bracket(slo: Slo, days: Mapping[float, Days]) -> tuple[float, float] | None:
    """The last demand up to which a level holds throughout, and the next one; None where there is no such pair."""
    low = None
    for factor in _of(slo, days):
        if not _met(slo, days[factor]):
            return None if low is None else (low, factor)
        low = factor
    return None


def _found(scenario: Scenario, levels: Sequence[Slo], days: Mapping[float, Days]) -> dict[str, Any]:
    severity = "error" if any(slo.severity == "error" for slo in levels) else "warn"
    rows: list[dict[str, Any]] = []
    first_at: float | None = None
    before: float | None = 1.0
    for slo in levels:
        bracket = _bracket(slo, days)
        broken = [factor for factor in _of(slo, days) if not _met(slo, days[factor])]
        holds = bracket[0] if bracket else None if broken else max(days)
        at = held([slo], days[1.0])[0]
        rows.append({
            "metric": slo.metric, "op": slo.op, "target": slo.target, "severity": slo.severity, "holds_to": holds,
            "breaks_at": broken[0] if broken else None, "now": None if at.found is None else at.found._asdict(),
        })  # fmt: skip
        if broken and slo.severity == severity and (first_at is None or broken[0] < first_at):
            first_at, before = broken[0], 1.0 if broken[0] > 1.0 else holds
    breaks = [row["metric"] for row in rows if row["breaks_at"] == first_at is not None and row["severity"] == severity]
    return {
        "orders_per_day": scenario.demand.orders_per_day,
        "levels": rows,
        "tried": {f"{factor:g}": _watched(days[factor]) for factor in sorted(days)},
        "first": breaks,
        "first_at": first_at,
        "full": [] if first_at is None or before is None else _scarce(days[before], days[first_at]),
    }


def _watched(days: Days) -> dict[str, float | None]:
    return {metric: mean_of(days, metric) for metric in WATCHED}


_STAGES = {
    "stages_s.checkout": "the checkout", "stages_s.wait_pick": "pickers", "stages_s.pick": "picking",
    "stages_s.wait_driver": "drivers", "stages_s.ride": "rides",
}  # fmt: skip


def _scarce(before: Days, after: Days) -> list[dict[str, Any]]:
    """Which stage of an order's way grew most, and by how much: what is full."""
    grown = []
    for metric, what in _STAGES.items():
        one, two = mean_of(before, metric), mean_of(after, metric)
        if one is not None and two is not None:
            grown.append({"what": what, "metric": metric, "from_s": one, "to_s": two})
    fills = [mean_of(days, "fill_rate") for days in (before, after)]
    if fills[0] is not None and fills[1] is not None and fills[1] < fills[0] - 0.005:
        grown.append({"what": "goods", "metric": "fill_rate", "from": fills[0], "to": fills[1]})
    return sorted(grown, key=lambda each: -float(each.get("to_s", 0.0)) + float(each.get("from_s", 0.0)))
