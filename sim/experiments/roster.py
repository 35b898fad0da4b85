"""Rosters: how many people an hour needs by Erlang's formulas, and the shifts that cover it for the least pay.

Need and cover are counted by half-hours. A roster is of shifts that a plan may use: starts on the hour or the half, and a few
lengths. The cheapest cover is an integer program (Dantzig 1954, A comment on Edie's "Traffic delays at toll booths").
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from sim.platform.background import erlang_c
from sim.scenario import Scenario
from sim.scenario.fields import clock_s
from sim.scenario.loading import resolved
from sim.scenario.people import Shift
from sim.vocabulary import InputError

SLOT_S = 1800.0
"""Need is counted by half-hours, seconds."""

WAIT_S = 20.0
"""Mean wait for a free picker or driver that the first roster aims at, seconds (judgement: a tenth of a short order's way)."""

USED = 0.01
"""What it costs to use one more shift, of all hours that the cheapest cover pays for (judgement: few shifts are easier to run,
and quicker to look at one by one)."""

Roster = tuple[Shift, ...]


class Lengths(NamedTuple):
    """Shifts that a plan may use: their lengths and how far apart they may start, hours."""

    hours: tuple[float, ...] = (4.0, 6.0, 8.0)
    every_h: float = 1.0


def servers_needed(rate: float, work_s: float, wait_s: float = WAIT_S) -> int:
    """Least number of people so that the mean wait for one is at most `wait_s` (M/M/c, Erlang 1917).

    Parameters
    ----------
    rate
        Orders a second.
    work_s
        Mean work of an order, seconds.
    """
    load = rate * work_s
    if load <= 0.0:
        return 0
    servers = int(load) + 1
    while erlang_c(servers, load) * work_s / (servers - load) > wait_s:
        servers += 1
    return servers


def need(rates: NDArray[np.float64], work_s: float, shares: Sequence[float]) -> NDArray[np.float64]:
    """People needed in each half-hour, float64 (slots,): of each place by its share of the orders, all of them together."""
    return np.array(
        [sum(servers_needed(float(rate) * share, work_s) for share in shares) for rate in rates], dtype=np.float64
    )


def cover(scenario: Scenario, needed: NDArray[np.float64], lengths: Lengths) -> Roster:
    """The cheapest shifts that have as many people at work in each half-hour as are needed, and few of them.

    Each shift that is used costs `USED` of all hours on top: on the default day a third fewer shifts,
    for one or two per cent more hours than the linear program's bound, which paring looks through afterwards.

    Parameters
    ----------
    needed
        People by half-hour from the scenario's first midnight on, float64 (slots,); those of one time of day on several days
        are covered by the same shifts, so that the most of them counts.

    Returns
    -------
    tuple of Shift
        With `people` each; empty where nobody is needed.

    Raises
    ------
    InputError
        No shift that may be used covers some half-hour.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    per_day = int(86_400 / SLOT_S)
    most = np.zeros(2 * per_day)
    days = -(-len(needed) // per_day)
    for day in range(days):
        part = needed[day * per_day : (day + 1) * per_day]
        most[: len(part)] = np.maximum(most[: len(part)], part)
    if not most.any():
        return ()
    # A day's shifts may end after midnight: their people are there for the next day's first hours as well.
    step = int(lengths.every_h * 3600.0 / SLOT_S)
    options = [(start, round(hours * 3600.0 / SLOT_S)) for start in range(0, per_day, step) for hours in lengths.hours]
    # A roster that stands for one day only has nobody in from the day before.
    round_the_clock = days > 1
    covers = np.zeros((per_day, len(options)))
    for column, (start, slots) in enumerate(options):
        for slot in range(start, start + slots):
            if slot < per_day:
                covers[slot, column] = 1.0
            elif round_the_clock:
                covers[slot - per_day, column] = 1.0
    rows = most[:per_day] > 0.0
    if (covers[rows].sum(axis=1) == 0.0).any():
        raise InputError("--shift-hours: expected shifts that cover every half-hour in which somebody is needed.")
    cost = np.array([slots for _, slots in options], dtype=np.float64)
    # Of rosters that cost the same the one with the later starts is wanted least: ties are broken, the answer is one.
    tie = 1e-4 * np.arange(len(options)) / len(options)
    wanted = most[:per_day][rows]
    many = (covers[rows] * wanted[:, None]).max(axis=0)  # none where a shift covers nothing that is needed
    at_work = LinearConstraint(covers[rows], wanted, np.inf)
    least = milp(cost + tie, constraints=at_work, bounds=Bounds(0, many))
    if least.x is None:
        raise InputError(f"--shift-hours: expected shifts that cover what is needed; {least.message}")
    # A second set of variables says which shifts are used at all: people <= many * used.
    none, each = np.zeros_like(covers[rows]), np.eye(len(options))
    solved = milp(
        np.concatenate([cost + tie, np.full(len(options), USED * least.fun)]),
        constraints=[
            LinearConstraint(np.hstack([covers[rows], none]), wanted, np.inf),
            LinearConstraint(np.hstack([each, -np.diag(many)]), -np.inf, 0.0),
        ],
        integrality=np.ones(2 * len(options), dtype=np.int64),
        bounds=Bounds(0, np.concatenate([many, np.ones(len(options))])),
        # A proof takes a minute and saves a per cent or two of the hours; paring goes on from here anyway. Fewer nodes save
        # seconds and leave more people to pare, which costs minutes.
        options={"mip_rel_gap": 1e-2, "node_limit": 30},
    )
    if solved.x is None:
        raise InputError(f"--shift-hours: expected shifts that cover what is needed; {solved.message}")
    counts = np.rint(solved.x[: len(options)]).astype(int)
    return tuple(
        _shift(start * SLOT_S, slots * SLOT_S / 3600.0, int(count))
        for (start, slots), count in zip(options, counts, strict=True)
        if count
    )


def _shift(at_s: float, hours: float, people: int) -> Shift:
    minutes = round(at_s / 60.0)
    return Shift(at=f"{minutes // 60:02d}:{minutes % 60:02d}", hours=hours, people=people)


def hour_cents(scenario: Scenario, name: str) -> float:
    """What an hour of somebody's costs, cents."""
    if name == "pickers":
        return float(scenario.costs.picker_hour_cents)
    paid = scenario.drivers.pay.hour_cents
    return float(scenario.costs.driver_hour_cents if paid is None else paid)


def hours_of(roster: Roster) -> float:
    """Hours a day that a roster is paid for."""
    return float(sum((shift.people or 0) * shift.hours for shift in roster))


def without(roster: Roster, place: int, people: int) -> Roster:
    """The roster with so many people fewer in one shift; the shift is gone with the last of them."""
    left = (roster[place].people or 0) - people
    changed = () if left <= 0 else (roster[place].model_copy(update={"people": left}),)
    return (*roster[:place], *changed, *roster[place + 1 :])


def at_work(roster: Roster, slots: int) -> list[int]:
    """People at work in each half-hour from midnight on, over so many of them."""
    found = [0] * slots
    for shift in roster:
        begin = clock_s(shift.at) / SLOT_S
        for slot in range(slots):
            if begin <= slot < begin + shift.hours * 3600.0 / SLOT_S:
                found[slot] += shift.people or 0
    return found


def with_rosters(scenario: Scenario, pickers: Roster | None, drivers: Roster | None) -> Scenario:
    """The scenario with other rosters; None leaves one as it is.

    Raises
    ------
    InputError
        What the law of the place allows (`drivers.rules`) does not allow the drivers' shifts.
    """
    found = scenario
    if pickers is not None:
        found = found.model_copy(update={"pickers": found.pickers.model_copy(update={"shifts": pickers})})
    if drivers is not None:
        changed = found.drivers.model_copy(update={"shifts": drivers})
        try:
            type(changed).model_validate(changed.model_dump())
        except ValidationError as error:
            said = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise InputError(f"--shift-hours: expected shifts that the rules of the place allow: {said}.") from error
        found = found.model_copy(update={"drivers": changed})
    return found


def as_scenario(scenario: Scenario, rosters: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """A scenario file with the rosters, and everything else as it was planned for: settings, policies and seed included."""
    from io import StringIO

    from ruamel.yaml import YAML

    found = with_rosters(scenario, *(_read(rosters.get(who)) for who in ("pickers", "drivers")))
    tree = resolved(found) | {"name": f"{scenario.name}-roster"}
    for path in ("map", "demand.cells", "demand.trace", "stores.opening"):
        # A file is named from the scenario's folder on; this one lies elsewhere.
        *above, key = path.split(".")
        branch = tree[above[0]] if above else tree
        if isinstance(branch[key], str) and (scenario.base_of(path) / branch[key]).exists():
            branch[key] = str((scenario.base_of(path) / branch[key]).resolve())
    text = StringIO()
    YAML().dump(tree, text)
    return f"# Rosters planned for {scenario.name}; everything else is as it was planned for.\n{text.getvalue()}"


def _read(shifts: Sequence[Mapping[str, Any]] | None) -> Roster | None:
    return None if shifts is None else tuple(Shift(**shift) for shift in shifts)
