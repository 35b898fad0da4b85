"""Many buyers of one record: what each way of reserving costs, against its formula."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from policies.reservation.lock import Lock
from policies.reservation.none import NoReservation
from policies.reservation.optimistic import Optimistic
from policies.reservation.slots import Slots
from sim.clock import Clock, Timer
from sim.contracts import OrderRequest
from sim.facts import Facts
from sim.platform.inventory import Inventory
from sim.platform.orders import Order
from sim.platform.reserving import Reserving
from sim.story import tell
from sim.streams import Die
from sim.vocabulary import StockCause

WINDOW_S = 2.0**-6
"""From reading to writing: about 16 ms, and a binary fraction, so that sums of windows are exact."""

ERRORS = 4.0
"""Half-width of an interval in standard errors: a right program fails one time in 16,000, had the seed been drawn afresh."""


class Sale(Facts):
    """One SKU in one store, and buyers of one unit each (or of `units`).

    Parameters
    ----------
    arrivals_s
        When each buyer comes, seconds, ascending.
    latency_s
        Two-phase commit: from the vote of the records to that of the payment provider, seconds; None: no second phase.
    """

    def __init__(
        self,
        policy: Any,
        arrivals_s: Any,
        stock: int = 1_000_000,
        *,
        units: NDArray[Any] | None = None,
        window_s: float = WINDOW_S,
        latency_s: float | None = None,
    ) -> None:
        buyers = len(arrivals_s)
        self.env = Clock()
        self.first_conflicts = self.conflicts = self.denied = self.timed_out = self.fenced = 0
        self.inventory = Inventory(self, 1, 1, env=self.env)
        self.inventory.adjust(0, 0, stock, StockCause.OPENING)  # type: ignore[arg-type]
        self.reserving = Reserving(self.env, self, self.inventory, policy, [window_s] * buyers, Die(11))
        self.done_s: list[float] = []
        self.given_up = self.held = 0
        self._latency_s = latency_s
        wanted = [1] * buyers if units is None else units.tolist()
        tell(self._come([float(at_s) for at_s in arrivals_s], wanted))
        self.env.advance(float(arrivals_s[-1]) + 1e5)
        assert len(self.done_s) + self.given_up == buyers

    def _come(self, arrivals_s: list[float], units: list[int]) -> Iterator[Any]:
        for number, at_s in enumerate(arrivals_s):
            if at_s > self.env.now:
                yield Timer(self.env, at_s - self.env.now)
            tell(self._buy(Order(OrderRequest(number, 0, 0, 0, (0,), (units[number],), 1, 1.0), 0, ())))  # type: ignore[arg-type]

    def _buy(self, order: Order) -> Iterator[Any]:
        verb = self.reserving.run if self._latency_s is None else self.reserving.prepare
        if not (yield from verb(order)):
            self.given_up += 1
            return
        if self._latency_s is not None:
            yield Timer(self.env, self._latency_s)
            assert self.reserving.commit_prepared(order)
        self.done_s.append(self.env.now)
        self.held += sum(units for _, units in order.held)

    def version_conflict(self, *, attempt: int, **_: Any) -> None:
        self.conflicts += 1
        self.first_conflicts += attempt == 1

    def line_missing(self, *, units: int, **_: Any) -> None:
        self.denied += units

    def lock_timed_out(self, **_: Any) -> None:
        self.timed_out += 1

    def write_fenced(self, **_: Any) -> None:
        self.fenced += 1


def poisson(rate: float, buyers: int, seed: int) -> NDArray[Any]:
    """Arrivals of a Poisson process, seconds."""
    return np.cumsum(np.random.default_rng(seed).exponential(1.0 / rate, buyers))


PATIENT = {"attempts_max": 10_000, "base_s": 0.02, "cap_s": 1.0}
BUYERS = 12_000


def check_share(sale: Sale, buyers: int, truth: float) -> None:
    share = sale.first_conflicts / buyers
    # Neighbours may meet the same write, so the draws are not quite independent: pairs at most, hence the factor.
    half = ERRORS * np.sqrt(2 * truth * (1 - truth) / buyers)
    assert abs(share - truth) <= half, f"expected {truth:.4f} within {share:.4f} +- {half:.4f}"
    assert half < 0.3 * truth, "an interval as wide as the figure proves nothing"


def test_optimistic_retries_rise_with_contention_as_they_should() -> None:
    """A first try conflicts with probability rate x window.

    Two successful writes are never nearer than a window (the later one would have conflicted), so a window holds one or
    none, and the chance that it holds one is the mean number: rate x window. Hence also at most 1 / window orders a second.
    """
    retries = []
    for load in (0.03, 0.1, 0.25, 0.5):
        sale = Sale(Optimistic(**PATIENT), poisson(load / WINDOW_S, BUYERS, seed=1))  # type: ignore[arg-type]
        assert sale.given_up == 0
        check_share(sale, BUYERS, load)
        assert np.diff(sale.done_s).min() >= WINDOW_S
        retries.append(sale.conflicts / BUYERS)
    assert all(more > 1.5 * less for less, more in pairwise(retries))
    assert retries[0] == pytest.approx(0.03, rel=0.35), "few conflicts: hardly anybody conflicts twice"


@pytest.mark.parametrize("slots", [1, 2, 4, 8])
def test_slots_divide_conflicts_by_their_number(slots: int) -> None:
    """With k slots chosen evenly each has a k-th of the writes: a first try conflicts with rate x window / k."""
    load = 0.5
    policy = Slots(slots=slots, hot_after=0, **PATIENT)  # type: ignore[arg-type]
    sale = Sale(policy, poisson(load / WINDOW_S, BUYERS, seed=2))
    check_share(sale, BUYERS, load / slots)


def test_without_jitter_those_who_collide_collide_again() -> None:
    """A sale opens, and N buyers press at once.

    Without jitter they read and write in step: each of m rounds has one winner and everybody else conflicts, so there are
    N + (N-1) + ... - m conflicts in all, m N - m (m+1) / 2. With full jitter they spread out (Brooker 2015).
    """
    buyers, rounds = 60, 8
    opening = np.zeros(buyers)
    stiff = Sale(Optimistic(attempts_max=rounds, jitter=False), opening)
    assert stiff.conflicts == rounds * buyers - rounds * (rounds + 1) // 2
    assert len(stiff.done_s) == rounds
    loose = Sale(Optimistic(attempts_max=rounds), opening)
    assert len(loose.done_s) > 3 * len(stiff.done_s)
    assert loose.conflicts < 0.8 * stiff.conflicts
    # With all the patience in the world: everybody gets served in either case, but sooner and with less work.
    stiff = Sale(Optimistic(**{**PATIENT, "jitter": False}), opening)  # type: ignore[arg-type]
    loose = Sale(Optimistic(**PATIENT), opening)  # type: ignore[arg-type]
    assert len(stiff.done_s) == len(loose.done_s) == buyers
    assert stiff.conflicts == buyers * (buyers - 1) // 2
    assert loose.conflicts < stiff.conflicts / 3
    assert loose.done_s[-1] < stiff.done_s[-1] / 3


def flash(buyers: int, seed: int = 3) -> NDArray[Any]:
    """Buyers of a sale of half a minute, most of them in its first seconds."""
    draws = np.random.default_rng(seed).exponential(5.0, buyers)
    return np.sort(draws[draws < 30.0])


def test_slots_beat_a_single_record_in_a_flash_sale() -> None:
    arrivals_s = flash(1500)
    single = Sale(Optimistic(), arrivals_s)
    split = Sale(Slots(slots=16, hot_after=3), arrivals_s)
    assert split.conflicts < single.conflicts / 8
    assert single.given_up > 50 > 10 > split.given_up
    assert len(split.done_s) > len(single.done_s)


def test_a_lock_serves_one_buyer_a_window() -> None:
    """N buyers at once: the i-th is served after i windows, so the throughput of a record is 1 / window."""
    buyers = 300
    sale = Sale(Lock(timeout_s=1e4, lease_s=60.0), np.zeros(buyers))
    np.testing.assert_allclose(sale.done_s, np.arange(1, buyers + 1) * WINDOW_S, rtol=1e-12)
    assert sale.conflicts == 0


def test_a_lock_turns_away_those_whose_wait_would_be_too_long() -> None:
    """The i-th buyer waits (i - 1) windows; whoever's wait would be longer than the timeout gives up."""
    buyers, patience = 300, 40.5
    sale = Sale(Lock(timeout_s=patience * WINDOW_S, lease_s=60.0), np.zeros(buyers))
    assert len(sale.done_s) == int(patience) + 1
    assert sale.timed_out == sale.given_up == buyers - len(sale.done_s)


def test_locking_loses_throughput_to_slots() -> None:
    opening = np.zeros(300)
    locked = Sale(Lock(timeout_s=1e4, lease_s=60.0), opening)
    split = Sale(Slots(slots=16, hot_after=0, **PATIENT), opening)  # type: ignore[arg-type]
    half = len(opening) // 2
    assert split.done_s[half] < locked.done_s[half] / 4
    assert split.done_s[-1] < locked.done_s[-1]


@pytest.mark.parametrize("latency_s", [0.25, 1.25])
def test_two_phase_commit_holds_its_locks_for_the_providers_latency(latency_s: float) -> None:
    """The lock is kept from the read to the last vote: at most 1 / (window + latency) orders a second and record."""
    buyers = 100
    sale = Sale(Lock(timeout_s=1e4, lease_s=1.0), np.zeros(buyers), latency_s=latency_s)
    np.testing.assert_allclose(sale.done_s, np.arange(1, buyers + 1) * (WINDOW_S + latency_s), rtol=1e-12)


def test_no_reservation_oversells_exactly_what_the_others_refuse() -> None:
    """Wanted - stock: refused at checkout by whoever reserves, sold all the same by who does not."""
    arrivals_s, stock = flash(400), 250
    units = np.random.default_rng(4).integers(1, 4, len(arrivals_s))
    surplus = int(units.sum()) - stock
    assert surplus > 100
    for policy in (
        Optimistic(**PATIENT),  # type: ignore[arg-type]
        Slots(slots=7, hot_after=2, **PATIENT),  # type: ignore[arg-type]
        Lock(timeout_s=1e4, lease_s=60.0),
    ):
        sale = Sale(policy, arrivals_s, stock, units=units)
        assert (sale.denied, sale.held) == (surplus, stock)
        assert (sale.inventory.available[0], sale.inventory.reserved[0]) == (0, stock)
    sale = Sale(NoReservation(), arrivals_s, stock, units=units)
    assert (sale.denied, sale.held - stock) == (0, surplus)
    assert (sale.inventory.available[0], sale.inventory.reserved[0]) == (stock, 0)


def test_fencing_tokens_keep_paused_holders_from_overselling() -> None:
    """One holder in twenty stands still past its lease; what it read has been sold when it comes to."""
    arrivals_s, stock = flash(600), 200
    policy = {"timeout_s": 1e4, "lease_s": 0.5, "pause_chance": 0.05, "pause_s": 3.0, "attempts_max": 1000}
    fenced = Sale(Lock(**policy), arrivals_s, stock)  # type: ignore[arg-type]
    assert fenced.fenced > 10
    assert (fenced.held, fenced.inventory.available[0]) == (stock, 0)
    bare = Sale(Lock(fencing=False, **policy), arrivals_s, stock)  # type: ignore[arg-type]
    assert bare.fenced == 0
    oversold = bare.held - stock
    assert oversold > 0
    assert bare.inventory.available[0] == -oversold
