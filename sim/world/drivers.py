"""The drivers of a run: where each is at home, by which vehicle, when by the roster, and when in fact."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario
from sim.scenario.drivers import OnCall
from sim.scenario.fields import DAY_S, window_s
from sim.streams import Die, Streams
from sim.vocabulary import InputError, quantise
from sim.world.fleet import STEPS, Interval, dealt, shift_of_each, shifts_of, with_breaks
from sim.world.traffic import VEHICLES


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver: home store, vehicle profile (index into the fleet's vehicles), and the roster's shifts."""

    home: int
    profile: int
    shifts: tuple[Interval, ...]
    node: int | None = None
    """Where the shift begins; None: at the home store."""
    worked: tuple[Interval, ...] | None = None
    """When the driver is really there, within the shifts; None: as the roster says."""
    on_call: bool = False
    """At home in the hours of the shifts, until the platform calls."""

    @property
    def works(self) -> tuple[Interval, ...]:
        """Stretches for which the driver comes without being called."""
        return () if self.on_call else self.shifts if self.worked is None else self.worked


def make_drivers(scenario: Scenario, store_shares: NDArray[np.float64], streams: Streams | None = None) -> list[Driver]:
    """Deal the drivers to shifts, vehicles and stores (in proportion to the drivers' work there), those on call after them.

    Raises
    ------
    InputError
        People are to be on call, and there are only drones.
    """
    tree = scenario.drivers
    whims = (streams or Streams(scenario.seed)).die("drivers.shifts")
    mix = {name: share for name, share in tree.vehicles.items() if share > 0}
    flies, shares = [VEHICLES[name].flies for name in mix], np.array(list(mix.values()))
    people, rosters = [], [shifts_of(scenario, shift) for shift in tree.shifts]
    break_s = tree.break_minutes * 60.0
    for number, shift in enumerate(shift_of_each(tree.shifts, tree.count, STEPS[2])):
        profile, roster = dealt(number, STEPS[1], shares), rosters[shift]
        home, worked = dealt(number, STEPS[0], store_shares), None
        if flies[profile]:
            roster = grounded(scenario, roster)
        else:
            whole, roster = roster, with_breaks(roster, break_s, (number * STEPS[1]) % 1.0)
            if tree.absent_share or tree.early_share:
                worked = _really(scenario, whole, roster, whims, number)
        people.append(Driver(home, profile, roster, worked=worked))
    return people + _on_call(scenario, tree.on_call, store_shares, flies, shares)


def _on_call(
    scenario: Scenario, terms: OnCall | None, homes: NDArray[np.float64], flies: list[bool], mix: NDArray[np.float64]
) -> list[Driver]:
    if terms is None:
        return []
    mix = np.where(flies, 0.0, mix)  # nobody calls a machine at home
    if not mix.any():
        raise InputError("drivers.on_call: expected a vehicle besides drones for the people on call, got none.")
    shift_shares = np.array([shift.share for shift in terms.shifts])
    rosters = [shifts_of(scenario, shift) for shift in terms.shifts]
    return [
        Driver(
            dealt(number, STEPS[0], homes), dealt(number, STEPS[1], mix),
            rosters[dealt(number, STEPS[2], shift_shares)], on_call=True,
        )
        for number in range(terms.count)
    ]  # fmt: skip


def _really(
    scenario: Scenario, whole: tuple[Interval, ...], roster: tuple[Interval, ...], whims: Die, number: int
) -> tuple[Interval, ...]:
    """The parts of the roster that are worked: some shifts nobody comes to, and some end early."""
    tree = scenario.drivers
    found: list[Interval] = []
    for day, (on_s, off_s) in enumerate(whole):
        if whims.uniform(number, 3 * day) < tree.absent_share:
            continue
        until_s = off_s
        if whims.uniform(number, 3 * day + 1) < tree.early_share:
            early_s = -tree.early_minutes * 60.0 * np.log1p(-whims.uniform(number, 3 * day + 2))
            until_s = max(on_s, quantise(off_s - early_s))
        found += [(begin_s, min(end_s, until_s)) for begin_s, end_s in roster if on_s <= begin_s < min(off_s, until_s)]
    return tuple(found)


def grounded(scenario: Scenario, roster: tuple[Interval, ...]) -> tuple[Interval, ...]:
    """What is left of a roster without the hours in which the weather grounds what flies."""
    for hours in scenario.demand.weather.grounded:
        begin_s, end_s = window_s(hours)
        for day in range(-1, len(scenario.days()) + 1):
            midnight_s = scenario.midnight_s + day * DAY_S
            from_s, to_s = begin_s + midnight_s, end_s + midnight_s
            parts = [part for on_s, off_s in roster for part in ((on_s, min(off_s, from_s)), (max(on_s, to_s), off_s))]
            roster = tuple((on_s, off_s) for on_s, off_s in parts if off_s > on_s)
    return roster


def rests_s(driver: Driver, scenario: Scenario) -> list[float]:
    """Before each stretch that a driver works, the time off that the rules ask for, seconds."""
    rules, found = scenario.drivers.rules, [0.0]
    pause_s = 0.0 if rules.hours_at_a_stretch is None else rules.pause_minutes * 60.0
    for (_, off_s), (on_s, _) in pairwise(driver.works):
        gap_s = on_s - off_s
        found.append(rules.rest_hours * 3600.0 if gap_s >= BETWEEN_DAYS_S else pause_s if gap_s >= pause_s else 0.0)
    return found[: len(driver.works)]


def ends_shift(driver: Driver) -> list[bool]:
    """Of each stretch that a driver works, whether the shift ends with it: what else follows is a break."""
    works = driver.works
    return [*(bool(on_s - off_s >= BETWEEN_DAYS_S) for (_, off_s), (on_s, _) in pairwise(works)), *[True][: len(works)]]


BETWEEN_DAYS_S = 4.0 * 3600.0
"""A longer time off parts two days' work, a shorter one is a break of the same, seconds (judgement)."""
