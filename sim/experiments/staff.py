"""The cheapest rosters of pickers and drivers that keep the service levels.

Three steps. A pilot run says how long an order keeps a picker and a driver; Erlang's formulas turn that into people by
half-hour, an integer program into shifts. Then simulation takes over: need is scaled until the levels hold, for drivers and
pickers in turn, and at last people are taken out of one shift after the other until nobody can be spared. "Hold" means with the
confidence asked for: on the days of the search the lower end of the interval is good enough, not only the mean.

Most of what is tried is a little less than something that is known to hold, on the same days. So it is run on two days first: if
they miss, or would if the other days differed from what is known by as much as these two do, the others are not run.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.experiments.roster import (
    SLOT_S,
    Lengths,
    Roster,
    at_work,
    cover,
    hour_cents,
    hours_of,
    need,
    with_rosters,
    without,
)
from sim.experiments.trials import Days, Held, Trials, asked_of, held, mean_of
from sim.opening import ready_world
from sim.scenario import Scenario
from sim.scenario.people import Shift
from sim.streams import Streams
from sim.vocabulary import InputError
from sim.world.demand import rate_per_bin
from sim.world.fleet import shifts_of

Who = Literal["both", "pickers", "drivers"]

FINE = 0.02
"""How closely need is scaled before single people are looked at (judgement)."""

MOST = 4.0
"""Times Erlang's need at which it is given up: no number of people will do."""


ROUNDS = 3
"""How often the search begins again with twice the days, where days that it has not seen say that it was deceived."""


GROWN_MOST = 15
"""Times that a round adds a twentieth of the people, twice as many in all, before it is given up (judgement)."""


EARLY = 2
"""Days on which everything is tried first (judgement: as many as a small machine has cores)."""


class Staffing(NamedTuple):
    """A pair of rosters; None where the scenario's own stays."""

    pickers: Roster | None
    drivers: Roster | None


class _Search:
    """Tries rosters, cheapest days first, and remembers what it has tried."""

    def __init__(self, scenario: Scenario, trials: Trials, reps: int, confidence: float) -> None:
        self._scenario, self._trials, self.reps, self._confidence = scenario, trials, reps, confidence
        self.levels = asked_of(scenario, platform=False)
        self._count = [slo for slo in self.levels if slo.severity == "error"]
        if not self._count:
            raise InputError("plan staff: expected service levels of severity error in the scenario (slo), got none.")

    def days(self, staffing: Staffing, reps: int | None = None) -> Days:
        return self._trials.days(with_rosters(self._scenario, *staffing), reps=reps or self.reps)[0]

    def held(self, days: Days) -> list[Held]:
        return held(self._count, days, self._confidence)

    def worst(self, staffing: Staffing, like: Staffing | None = None) -> Held:
        """The level that holds least; what misses on the first two days is not run on the others.

        Parameters
        ----------
        like
            Rosters a little larger that are known to hold on all days: what will not by what they did is not run on the others.
        """
        if self.reps > EARLY:
            early = self.days(staffing, EARLY)
            least = min(self.held(early), key=lambda each: each.margin)
            if least.margin < 0.0:
                return least._replace(sure=False)
            if like is not None:
                judged = _worst(self.held(self._judged(early, self.days(like))))
                if not judged.sure:
                    return judged
        return _worst(self.held(self.days(staffing)))

    def _judged(self, early: Days, known: Days) -> Days:
        """All days, of which only the first were run: the others differ from the known ones as these did, in the mean."""
        change = {slo.metric: _mean_change(early, known, slo.metric) for slo in self._count}
        late = known[len(early) :]
        return early + [{metric: _moved(day.get(metric), by) for metric, by in change.items()} for day in late]

    def holds(self, staffing: Staffing, like: Staffing | None = None) -> bool:
        """Whether every level holds with confidence."""
        return self.worst(staffing, like).sure


def _worst(found: list[Held]) -> Held:
    return min(found, key=lambda each: (each.sure, each.margin))


def _mean_change(days: Days, known: Days, metric: str) -> float | None:
    """By how much a figure differs on the same days, in the mean; None where it was not observed on one of them."""
    changes = []
    for day, same in zip(days, known, strict=False):
        new, old = day.get(metric), same.get(metric)
        if new is None or old is None:
            return None
        changes.append(new - old)
    return sum(changes) / len(changes)


def _moved(value: float | None, by: float | None) -> float | None:
    return None if value is None or by is None else value + by


def staff(
    scenario: Scenario,
    trials: Trials,
    *,
    reps: int,
    who: Who = "both",
    lengths: Lengths = Lengths(),
    confidence: float = 0.95,
    fresh: int = 10,
    told: Callable[[str], None] = lambda what: None,
    first: Callable[[str], None] = lambda what: None,
) -> dict[str, Any]:
    """Find the cheapest rosters that meet the service levels of severity error.

    Parameters
    ----------
    reps
        Days that everything is tried on.
    who
        Whose roster is planned; the other's stays.
    lengths
        Shifts that may be used.
    confidence
        Chance, one-sided, with which each level is to hold.
    fresh
        Days of their own on which the answer is tried at last.
    told, first
        Told what is being tried; told the first answer, long before the last.

    Returns
    -------
    dict
        ``rosters``, ``cost``, ``before``: what they are, cost a day, and cost today; ``steps``: what was tried on the way;
        ``spared``: what happens without one person of each shift; ``fresh``: the levels on days the search has not seen.

    Raises
    ------
    InputError
        No number of people meets the levels.
    """
    search = _Search(scenario, trials, reps, confidence)
    told("a pilot day")
    pilot = trials.days(scenario, reps=min(2, reps))[0]
    needs = _needs(scenario, pilot, who)
    steps: list[dict[str, Any]] = []

    @cache
    def covered(name: str, scale: float) -> Roster:
        return cover(scenario, np.ceil(needs[name] * scale - 1e-9), lengths)

    def built(scales: dict[str, float]) -> Staffing:
        rosters = {name: covered(name, scales[name]) for name in needs}
        return Staffing(rosters.get("pickers"), rosters.get("drivers"))

    def tried(staffing: Staffing, what: str, like: Staffing | None = None) -> bool:
        told(what)
        good = search.holds(staffing, like)
        steps.append({"what": what, "cost_cents": cost_of(scenario, staffing), "holds": good})
        return good

    scales = dict.fromkeys(needs, 1.0)
    while not tried(built(scales), _said(scales)):
        scales = {name: round(scale * 1.15, 3) for name, scale in scales.items()}
        if max(scales.values()) > MOST:
            raise InputError(_never(search, built(scales)))
    first(_first(built(scales), cost_of(scenario, built(scales)), scenario.costs.currency))
    # The dearer people first: what they can spare weighs most.
    for name in sorted(scales, key=lambda each: -hours_of(getattr(built(scales), each)) * hour_cents(scenario, each)):
        low, high = scales[name] * 0.4, scales[name]
        while high / low > 1.0 + FINE:
            middle = round((low + high) / 2.0, 3)
            if tried(built(scales | {name: middle}), _said(scales | {name: middle}), built(scales | {name: high})):
                high = middle
            else:
                low = middle
        scales[name] = high
    best, spared = _pared(scenario, search, built(scales), tried)
    for again in range(ROUNDS):
        told(f"{fresh} fresh days")
        unseen = search.held(_fresh(scenario, trials, best, fresh))
        if all(each.met for each in unseen) or again == ROUNDS - 1:
            break
        # The few days of the search were kinder than others: as many more, some more people, and once more down.
        search.reps *= 2
        best, grown = _more(best), 1
        while not tried(best, f"some more people, on {search.reps} days"):
            if grown == GROWN_MOST:
                raise InputError(
                    f"plan staff: expected service levels that hold with confidence on {search.reps} days as on the first few; "
                    "more people do not make them. Try more --reps or less --confidence."
                )
            best, grown = _more(best), grown + 1
        best, spared = _pared(scenario, search, best, tried)
    return {
        "who": who, "confidence": confidence, "lengths_h": list(lengths.hours),
        "rosters": {name: [shift.model_dump(exclude={"share"}) for shift in getattr(best, name)] for name in needs},
        "hours": {name: hours_of(getattr(best, name)) for name in needs},
        "cost_cents": cost_of(scenario, best), "before_cents": cost_today(scenario, list(needs)),
        "need": {name: needs[name].tolist() for name in needs},
        "at_work": {name: at_work(getattr(best, name), len(needs[name])) for name in needs},
        "steps": steps, "spared": spared, "searched": [each.told() for each in search.held(search.days(best))],
        "fresh": [each.told() for each in unseen], "fresh_days": fresh, "searched_days": search.reps,
        "judged": search.reps > EARLY,
    }  # fmt: skip


def _more(staffing: Staffing) -> Staffing:
    """A twentieth more people in every shift, one at least."""

    def grown(roster: Roster | None) -> Roster | None:
        if roster is None:
            return None
        return tuple(shift.model_copy(update={"people": -(-21 * (shift.people or 0) // 20)}) for shift in roster)

    return Staffing(grown(staffing.pickers), grown(staffing.drivers))


def _said(scales: dict[str, float]) -> str:
    return ", ".join(f"{name} at {100 * scale:.0f} % of Erlang's need" for name, scale in scales.items())


def _first(staffing: Staffing, cents: float, currency: str) -> str:
    rosters = zip(Staffing._fields, staffing, strict=True)
    people = " and ".join(f"{sum(shift.people or 0 for shift in roster)} {name}" for name, roster in rosters if roster)
    return f"a first answer: {people} keep the levels, for {currency} {cents / 100.0:,.0f} a day; now for fewer."


def _never(search: _Search, staffing: Staffing) -> str:
    told = []
    for each in search.held(search.days(staffing, 2)):
        if not each.met:
            got = "nothing" if each.found is None else f"{each.found.mean:.4g}"
            told.append(f"{each.slo.metric} {each.slo.op} {each.slo.target:g} (got {got})")
    return f"plan staff: expected service levels that people can meet; with {MOST:g} times Erlang's need " + (
        f"these are missed: {', '.join(told)}." if told else "there is too little confidence still (try more --reps)."
    )


def _needs(scenario: Scenario, pilot: Days, who: Who) -> dict[str, NDArray[np.float64]]:
    """People by half-hour from the first midnight on, of each kind that is planned."""
    world = ready_world(scenario, Streams(scenario.seed))
    shares = [float(share) for share in world.store_shares]
    per_minute = rate_per_bin(scenario)
    offset = round(-scenario.midnight_s / 60.0)  # minutes from midnight to the start
    minutes = np.concatenate([np.zeros(offset), per_minute])
    slot = int(SLOT_S / 60.0)
    minutes = np.concatenate([minutes, np.zeros(-len(minutes) % slot + slot)])
    rates = minutes.reshape(-1, slot).mean(axis=1) / 60.0
    entered, offered = mean_of(pilot, "orders.entered") or 0.0, mean_of(pilot, "orders.offered") or 1.0
    rates = rates * entered / max(offered, 1.0)
    # Orders of a half-hour are worked on in it and, the later ones, in the next.
    rates = np.maximum(rates, np.concatenate([[0.0], rates[:-1]]) * 0.5)
    found = {}
    for name, work_s, places in (
        ("pickers", mean_of(pilot, "floor.pick_s.mean"), shares),
        ("drivers", _driver_s(pilot), [1.0]),
    ):
        if who in ("both", name):
            if not work_s:
                raise InputError(f"plan staff: expected a pilot day on which {name} work, got none.")
            found[name] = need(rates, work_s, places)
    return found


def _driver_s(pilot: Days) -> float | None:
    """Seconds that an order keeps a driver: busy time over orders."""
    busy, per_hour = mean_of(pilot, "utilisation.drivers"), mean_of(pilot, "orders_per_driver_hour")
    return 3600.0 * busy / per_hour if busy and per_hour else None


def cost_of(scenario: Scenario, staffing: Staffing) -> float:
    """What rosters cost a day, cents."""
    rosters = zip(Staffing._fields, staffing, strict=True)
    return sum(
        (shift.people or 0) * _worked_h(scenario, shift) * hour_cents(scenario, name)
        for name, roster in rosters
        for shift in roster or ()
    )


def _worked_h(scenario: Scenario, shift: Shift) -> float:
    """Hours of a shift that lie in the run, a day: what a run of a part of a day pays for."""
    worked = shifts_of(scenario, shift)
    return sum(off_s - on_s for on_s, off_s in worked) / 3600.0 / max(scenario.horizon_h / 24.0, 1.0)


def cost_today(scenario: Scenario, names: list[str]) -> float:
    """What the scenario's own rosters cost a day, cents."""
    world = ready_world(scenario, Streams(scenario.seed))
    heads = {"pickers": len(world.pickers), "drivers": sum(not driver.on_call for driver in world.drivers)}
    total = 0.0
    for name in names:
        for shift in getattr(scenario, name).shifts:
            people = heads[name] * shift.share if shift.people is None else shift.people
            total += people * _worked_h(scenario, shift) * hour_cents(scenario, name)
    return total


def _pared(
    scenario: Scenario, search: _Search, best: Staffing, tried: Callable[..., bool]
) -> tuple[Staffing, list[dict[str, Any]]]:
    """Take people out of one shift after the other until nobody can be spared.

    Who could not be spared cannot be once others have gone, so that one round does; on single days luck may say otherwise, which
    the last look at everyone finds out. Returns the rosters, and of each shift what happens without one of its people.
    """
    for name in Staffing._fields:
        place = 0
        while (roster := getattr(best, name)) is not None and place < len(roster):
            best = _thinned(best, name, place, tried)
            # A shift that is gone leaves its place to the next one.
            place += len(getattr(best, name)) == len(roster)
    while True:
        spared = []
        for name, place, shift in _everyone(best):
            fewer = best._replace(**{name: without(getattr(best, name), place, 1)})
            worst = search.worst(fewer, best)
            if worst.sure:
                tried(fewer, f"1 fewer {name} at {shift.at} for {shift.hours:g} h after all")
                best = fewer
                break
            spared.append({"who": name, "at": shift.at, "hours": shift.hours, "breaks": worst.told()})
        else:
            return best, spared


def _thinned(best: Staffing, name: str, place: int, tried: Callable[..., bool]) -> Staffing:
    """Take people out of one shift: one, after each success twice as many more, and after a failure half of those in question.

    Scaling has left few to spare, so that most shifts are through with one trial.
    """
    roster: Roster = getattr(best, name)
    shift = roster[place]
    most = shift.people or 0
    where = f"{name} at {shift.at} for {shift.hours:g} h"
    gone, step, too_many = 0, 1, most + 1
    while gone + 1 < too_many:
        some = min(gone + step, most) if too_many > most else (gone + too_many) // 2
        fewer = best._replace(**{name: without(roster, place, some)})
        if tried(fewer, f"{some} fewer of {most} {where}", best):
            best, gone, step = fewer, some, 2 * step
        else:
            too_many = some
    return best


def _everyone(staffing: Staffing) -> list[tuple[str, int, Shift]]:
    """Every shift of both rosters: whose, its place, and itself."""
    rosters = zip(Staffing._fields, staffing, strict=True)
    return [(name, place, shift) for name, roster in rosters for place, shift in enumerate(roster or ())]


def _fresh(scenario: Scenario, trials: Trials, staffing: Staffing, days: int) -> Days:
    """Days that the search has not seen: those of another seed, drawn from this one's."""
    other = with_rosters(scenario, *staffing).model_copy(update={"seed": (scenario.seed + 0x5EED) % 2**63})
    return trials.days(other, reps=days)[0]
