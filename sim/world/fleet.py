"""Who works when: shifts and the people dealt out to them, and the pickers.

People are dealt out evenly by a low-discrepancy sequence over their number, not by chance: whoever is added changes
nobody else, and any first n people are a fair sample of shifts, vehicles and stores.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario
from sim.scenario.fields import clock_s
from sim.scenario.people import BREAK_FROM_H, Shift
from sim.vocabulary import quantise

# The generalised golden ratio of three dimensions (Roberts 2018, "The unreasonable effectiveness of quasirandom
# sequences"): the real root of x^4 = x + 1 gives three steps that fill the cube evenly.
_ROOT = 1.2207440846057596
STEPS = (1 / _ROOT, 1 / _ROOT**2, 1 / _ROOT**3)

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Picker:
    """A picker: the store, the stretches worked, (on, off) in seconds since the start, and whether new at it."""

    store: int
    shifts: tuple[Interval, ...]
    new: bool = False


def dealt(number: int, step: float, shares: NDArray[np.float64]) -> int:
    """Return the option whose share of the unit interval holds the number's place in the sequence."""
    return int(
        np.searchsorted(np.cumsum(shares), (0.5 + number * step) % 1.0 * shares.sum(), side="right").clip(
            0, len(shares) - 1
        )
    )


def shift_of_each(shifts: tuple[Shift, ...], count: int, step: float) -> list[int]:
    """Deal people out to shifts by their numbers; returns each one's shift.

    Where shifts say how many people they have, exactly so many get each, and `count` is not heard: the order of the
    sequence's values decides who, so that each shift is as fair a sample as by shares.
    """
    if shifts[0].people is None:
        shares = np.array([shift.share for shift in shifts])
        return [dealt(number, step, shares) for number in range(count)]
    which = np.repeat(np.arange(len(shifts)), [shift.people or 0 for shift in shifts])
    turn = np.argsort((0.5 + np.arange(len(which)) * step) % 1.0, kind="stable")
    found = np.empty(len(which), dtype=np.int64)
    found[turn] = which
    return [int(shift) for shift in found]


def shifts_of(scenario: Scenario, shift: Shift) -> tuple[Interval, ...]:
    """A shift's intervals on every day the run touches, clipped to the run."""
    worked: list[Interval] = []
    for day in scenario.days():
        on = scenario.midnight_s + day * 86_400.0 + clock_s(shift.at)
        off = min(on + shift.hours * 3600.0, scenario.end_s)
        if off > 0 and on < scenario.horizon_s:
            worked.append((max(on, 0.0), off))
    return tuple(worked)


def make_pickers(scenario: Scenario, store_shares: NDArray[np.float64]) -> list[Picker]:
    """Give every store its pickers, by its share of the customers or all alike; at least one for each shift."""
    tree = scenario.pickers
    shifts = [shifts_of(scenario, shift) for shift in tree.shifts]
    stores = len(store_shares)
    if tree.shifts[0].people is not None:
        people = _counted_pickers(
            tree.shifts, store_shares if tree.spread == "demand" else np.full(stores, 1.0 / stores)
        )
    else:
        if tree.spread == "even":
            counts = np.full(stores, tree.per_store)
        else:
            least = min(tree.per_store, len(shifts))
            counts = np.maximum(np.rint(store_shares * tree.per_store * stores), least).astype(int)
        of_each = shift_of_each(tree.shifts, int(counts.max()), STEPS[0])
        people = [(store, number, of_each[number]) for store in range(stores) for number in range(counts[store])]
    news = np.array([1.0 - tree.new_share, tree.new_share])
    return [
        Picker(
            store,
            with_breaks(shifts[shift], tree.break_minutes * 60.0, (number * STEPS[1]) % 1.0),
            dealt(one, STEPS[2], news) == 1,
        )
        for one, (store, number, shift) in enumerate(people)
    ]


def _counted_pickers(shifts: tuple[Shift, ...], store_shares: NDArray[np.float64]) -> list[tuple[int, int, int]]:
    """Store, number there and shift of each picker where shifts say how many they have.

    Each goes to the store that is furthest behind its share in that shift, and among equals in all of them.
    """
    found, total = [], np.zeros(len(store_shares))
    for shift, each in enumerate(shifts):
        there = np.zeros(len(store_shares))
        for _ in range(each.people or 0):
            # Everybody gets one before anybody a second; then by the rule of Webster (Sainte-Lague), the fairest of divisors.
            want = store_shares / (there + 0.5)
            want[there == 0] = 1.0 + store_shares[there == 0]
            store = int(np.lexsort((total / np.maximum(store_shares, 1e-9), -want))[0])
            there[store] += 1
            total[store] += 1
            found.append((store, int(total[store]) - 1, shift))
    return sorted(found)


def with_breaks(shifts: tuple[Interval, ...], break_s: float, place: float) -> tuple[Interval, ...]:
    """Cut a break out of every long shift, at a place (0 to 1) within its middle third."""
    if not break_s:
        return shifts
    found: list[Interval] = []
    for on_s, off_s in shifts:
        if off_s - on_s < BREAK_FROM_H * 3600.0:
            found.append((on_s, off_s))
            continue
        begin_s = quantise(on_s + (off_s - on_s - break_s) * (1.0 + place) / 3.0)
        found += [(on_s, begin_s), (begin_s + break_s, off_s)]
    return tuple(found)
