"""What if things are worse than we think: each assumption made worse step by step, and the step at which a level breaks."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sim.experiments.trials import Trials, asked_of, held, mean_of
from sim.scenario import Scenario
from sim.vocabulary import InputError


class Axis(NamedTuple):
    """An assumption that is made worse.

    Attributes
    ----------
    name, what
        What it is called; what is made worse, in words.
    steps
        Labels of the steps, the mildest first, and what each changes of the scenario.
    """

    name: str
    what: str
    steps: tuple[tuple[str, Callable[[Scenario], Scenario]], ...]


def _changed(scenario: Scenario, branch: str, **values: Any) -> Scenario:
    part = getattr(scenario, branch).model_copy(update=values)
    return scenario.model_copy(update={branch: part})


def _weather(scenario: Scenario, **factors: float) -> Scenario:
    weather = scenario.demand.weather
    worse = {name: getattr(weather, name) * factor for name, factor in factors.items()}
    return _changed(scenario, "demand", weather=weather.model_copy(update=worse))


def _slower(factor: float) -> Callable[[Scenario], Scenario]:
    return lambda scenario: _weather(scenario, ride_factor=factor)


def _busier(factor: float) -> Callable[[Scenario], Scenario]:
    return lambda scenario: _weather(scenario, demand_factor=factor)


def _no_show(share: float) -> Callable[[Scenario], Scenario]:
    return lambda s: _changed(s, "drivers", absent_share=1.0 - (1.0 - s.drivers.absent_share) * (1.0 - share))


def _offline(per_day: float) -> Callable[[Scenario], Scenario]:
    def worse(scenario: Scenario) -> Scenario:
        from sim.scenario.faults import Fault

        fault = Fault(kind="app_connection_loss", rate_per_day=per_day, minutes=10.0, share=0.2)
        return scenario.model_copy(update={"faults": (*scenario.faults, fault)})

    return worse


def _inaccurate(share: float) -> Callable[[Scenario], Scenario]:
    # What months of drift would leave is said outright, or counting would have mended it before the day begins.
    return lambda s: _changed(s, "stores", inaccurate_share=share, burn_in_days=0)


def _impatient(factor: float) -> Callable[[Scenario], Scenario]:
    def worse(scenario: Scenario) -> Scenario:
        patience_s = scenario.customers.patience_s
        return _changed(scenario, "customers", patience_s=(3600.0 if patience_s is None else patience_s) * factor)

    return worse


AXES = (
    Axis(
        "no_show", "drivers who do not come to their shifts",
        tuple((f"{100 * share:.0f} %", _no_show(share)) for share in (0.05, 0.1, 0.2, 0.3, 0.4)),
    ),
    Axis(
        "connectivity", "times a day at which a fifth of the drivers' apps have no connection for ten minutes",
        tuple((f"{per_day}", _offline(per_day)) for per_day in (12, 24, 48, 96, 192)),
    ),
    Axis(
        "records", "share of the stock records that are wrong at the opening",
        tuple((f"{100 * share:.0f} %", _inaccurate(share)) for share in (0.2, 0.3, 0.5, 0.65, 0.8)),
    ),
    Axis(
        "patience", "how long customers wait before they cancel, of what is assumed",
        tuple((f"{100 * factor:.0f} %", _impatient(factor)) for factor in (0.75, 0.5, 0.375, 0.25, 0.2)),
    ),
    Axis(
        "travel", "how much longer every ride takes, unknown to the platform",
        tuple((f"+{100 * (factor - 1):.0f} %", _slower(factor)) for factor in (1.1, 1.25, 1.5, 1.75, 2.0)),
    ),
    Axis(
        "forecast", "how many more orders come than were staffed and stocked for",
        tuple((f"+{100 * (factor - 1):.0f} %", _busier(factor)) for factor in (1.1, 1.2, 1.35, 1.5, 2.0)),
    ),
)  # fmt: skip
"""Steps are judgement: from what every operation sees once a month to what few survive."""


def axes_of(names: Sequence[str]) -> list[Axis]:
    """The axes of these names, or all.

    Raises
    ------
    InputError
        There is no such axis.
    """
    known = {axis.name: axis for axis in AXES}
    for name in names:
        if name not in known:
            raise InputError(f"--axis {name}: expected one of: {', '.join(known)}.")
    return [known[name] for name in names] if names else list(AXES)


def stress(scenario: Scenario, trials: Trials, axes: Sequence[Axis]) -> dict[str, Any]:
    """Make each assumption worse until a service level that holds today breaks.

    The worst step comes first: where it breaks nothing, milder ones are not run.

    Returns
    -------
    dict
        ``now``: the levels as they are; ``axes``: of each, the steps from the first to the one that breaks a level, or the last
        one where none does, with every level, and which broke; ``first``: the axis that broke at the earliest step.
    """
    levels = asked_of(scenario, platform=False)
    if not levels:
        raise InputError("plan stress: expected service levels in the scenario (slo), got none.")
    if scenario.demand.trace is not None and any(axis.name == "forecast" for axis in axes):
        raise InputError(
            "plan stress: expected --axis without forecast: a trace (demand.trace) says how many orders come."
        )
    days = trials.days(scenario)[0]
    today = held(levels, days)
    now = [each.told() for each in today]
    # What is missed already cannot break; where nothing counts as an error all levels do.
    severity = "error" if any(slo.severity == "error" for slo in levels) else "warn"
    count = {each.slo.metric for each in today if each.met and each.slo.severity == severity}
    rows = []

    def run(axis: Axis, number: int) -> dict[str, Any]:
        label, change = axis.steps[number - 1]
        seen = trials.days(change(scenario))[0]
        found = held(levels, seen)
        return {
            "step": number, "label": label, "levels": [each.told() for each in found],
            "broken": [each.slo.metric for each in found if not each.met and each.slo.metric in count],
            "click_to_door_s": mean_of(seen, "click_to_door_s.mean"), "delivered": mean_of(seen, "orders.delivered"),
        }  # fmt: skip

    for axis in axes:
        steps = [run(axis, len(axis.steps))]
        if steps[0]["broken"]:
            worst, steps = steps[0], []
            for number in range(1, len(axis.steps)):
                steps.append(run(axis, number))
                if steps[-1]["broken"]:
                    break
            else:
                steps.append(worst)
        last = steps[-1]
        rows.append({
            "axis": axis.name, "what": axis.what, "labels": [label for label, _ in axis.steps], "steps": steps,
            "breaks_at": last["step"] if last["broken"] else None, "broken": last["broken"],
        })  # fmt: skip
    broke = [row for row in rows if row["breaks_at"] is not None]
    first = min((row["breaks_at"] for row in broke), default=None)
    return {
        "now": now,
        "axes": rows,
        "first": [row["axis"] for row in broke if row["breaks_at"] == first],
        "first_step": first,
    }
