"""Reserving: how an order gets its goods held while others want the same, in simulated time.

Reading records and writing them are a window apart, and what happens in the window is the mechanism's business, which the
reservation policy names: versions compared at the write (`optimistic`), the same with hot records split into slots
(`slots`), leases taken beforehand (`lock`), or nothing at all (`none`). Each can be run again for the same order after a
crash: an order that has its answer keeps it.
"""

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from sim.clock import Clock, Timer
from sim.contracts import Reservation, ReservationView
from sim.facts import Facts
from sim.platform.inventory import Inventory
from sim.platform.leases import Leases
from sim.platform.orders import Order
from sim.platform.slots import SplitRecords, Take, slot_key
from sim.story import Story
from sim.streams import Die
from sim.vocabulary import InputError, OrderId, OrderState, SkuId, quantise

Tokens = list[tuple[int, int]]
"""Places of records and the tokens of the leases on them."""

_CONFIRMED = OrderState.CONFIRMED

LOOK_AGAIN_S = 15.0
"""While the inventory service does not answer nobody ends a hold: its clock looks again after so long, seconds (judgement)."""


class Reserving:
    """Carries out reservations by the mechanism that the policy names.

    Parameters
    ----------
    policy
        Says how long to wait after a failed try. Its attribute `mechanism` (default `optimistic`) and that mechanism's
        parameters are read once.
    window_s
        Per order: from reading stock records to writing them, seconds.
    jitter
        Draws for pauses (order, attempt), and with keys below zero for slots and for holders that stand still.
    hold_s
        A hold whose order is not confirmed by then expires, seconds; None: never.
    on_expired
        Called with the order after its hold expired: its saga must not confirm it.

    Attributes
    ----------
    answers
        Whether the inventory service does.
    """

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        inventory: Inventory,
        policy: Reservation,
        window_s: Sequence[float],
        jitter: Die,
        *,
        hold_s: float | None = None,
        on_expired: Callable[[Order], Any] | None = None,
    ) -> None:
        self._env, self._facts, self._inventory, self._policy = env, facts, inventory, policy
        self._window_s, self._jitter = window_s, jitter
        mechanisms: dict[str, Callable[[Order], Story]] = {
            "optimistic": self._optimistic,
            "slots": self._from_slots,
            "lock": self._locked,
            "none": self._unheld,
        }
        self.mechanism = getattr(policy, "mechanism", "optimistic")
        if self.mechanism not in mechanisms:
            raise InputError(
                f"policies.reservation: expected a mechanism, one of {', '.join(mechanisms)}; got {self.mechanism!r}."
            )
        self._run = mechanisms[self.mechanism]
        # Reading is an event to nobody but the reader, who can tell afterwards what it was like: the records say when each
        # was last written. So the wait for the window may be one with whatever is waited for before.
        self.window_ahead = self.mechanism == "optimistic"
        self._timeout_s = quantise(getattr(policy, "timeout_s", 1.0))
        self._fencing: bool = getattr(policy, "fencing", True)
        self._pause_chance: float = getattr(policy, "pause_chance", 0.0)
        self._pause_s = quantise(getattr(policy, "pause_s", 0.0))
        self.leases = Leases(env, quantise(getattr(policy, "lease_s", 5.0)))
        self._split = SplitRecords(getattr(policy, "slots", 8), getattr(policy, "hot_after", 3))
        self._prepared: dict[OrderId, Tokens] = {}
        self._hold_s, self._on_expired = None if hold_s is None else quantise(hold_s), on_expired
        self._deadlines: deque[tuple[float, Order]] = deque()
        self._watching = False
        self.answers: Callable[[], bool] = lambda: True
        if self.mechanism == "slots":
            inventory.split = self._split
        if self.mechanism == "lock":
            inventory.locks = self.leases

    def run(self, order: Order) -> Story:
        """Reserve an order's lines: True when it holds what the records had of them, False when it gave up.

        Lines that the records denied are missing in `order.held`. An order whose hold expired gets no other.
        """
        return self._run(order)

    def at_once(self, order: Order, *, waited: bool) -> bool | None:
        """The first try where it costs no time of its own: whether it succeeded, None when only a story can tell.

        `waited`: whoever asks has let the order's window pass already (only where `window_ahead` says that one may).
        """
        window, inventory = self._window_s[order.id], self._inventory
        if not self.window_ahead or (window and not waited):
            return None
        if order.held or order.id in inventory.denied or order.id in inventory.expired:
            return None
        return self._write(order, self._env.now - window if window else None, 1)

    def run_again(self, order: Order) -> Story:
        """As `run`, after `at_once` met a conflict."""
        return self._optimistic(order, 1)

    def run_blind(self, order: Order) -> Story:
        """Sell without looking: the records of the order's store cannot be reached. Always True."""
        return self._unheld(order)

    def _pause(self, order: Order, attempt: int) -> float | None:
        chance = self._jitter.uniform(order.id, attempt)
        pause = self._policy(ReservationView(order.id, attempt, chance))
        return None if pause is None else quantise(pause)

    # -- the mechanisms ----------------------------------------------------------------------------------------------

    def _optimistic(self, order: Order, tried: int = 0) -> Story:
        """Read, write a window later if nobody wrote meanwhile, else pause and read again; `tried`: tries made before."""
        env, inventory, window = self._env, self._inventory, self._window_s[order.id]
        # The answer may come from elsewhere: a saga taken up again after a crash tells the same story a second time.
        while not (order.held or order.id in inventory.denied):
            pause: float | None = 0.0
            if order.id in inventory.expired or (tried and (pause := self._pause(order, tried)) is None):
                return False
            assert pause is not None
            read_s = env.now + pause
            if pause or window:
                yield Timer(env, pause + window)
                if inventory.answered(order):
                    break
                if order.id in inventory.expired:
                    return False
            tried += 1
            if self._write(order, read_s if window else None, tried):
                break
        return True

    def _write(self, order: Order, read_s: float | None, attempt: int) -> bool:
        if self._inventory.reserve(order, read_s, attempt):
            if self._hold_s is not None:
                self._set_deadline(order)
            return True
        return False

    def _from_slots(self, order: Order) -> Story:
        inventory, split, window = self._inventory, self._split, self._window_s[order.id]
        first = order.store * inventory.skus
        places = [first + sku for sku in order.skus]
        attempt = 1
        while not inventory.answered(order):
            if order.id in inventory.expired:
                return False
            versions, there = inventory.versions(order)
            takes: list[list[Take] | None] = []
            for line, (place, wanted) in enumerate(zip(places, order.units, strict=True)):
                chance = self._jitter.uniform(order.id, slot_key(order, line, attempt))
                takes.append(split.read(place, wanted, there[line], chance))
            if window:
                yield Timer(self._env, window)
                if inventory.answered(order):
                    break
            for line, (place, chosen) in enumerate(zip(places, takes, strict=True)):
                if chosen is not None:
                    there[line] = sum(units for _, units, _ in chosen)
                    stale = split.stale(place, chosen)
                else:
                    stale = inventory.version[place] != versions[line]
                if stale:
                    inventory.conflict(order, order.skus[line], attempt)
                    split.conflict(place, inventory.available[place])
                    break
            else:
                inventory.write(order, there, slots=True)
                held = dict(order.held)
                for place, sku, chosen in zip(places, order.skus, takes, strict=True):
                    if chosen is not None:
                        split.take(place, chosen)
                    else:
                        split.taken(place, held.get(sku, 0))  # split while this order was in its window
                self._set_deadline(order)
                break
            pause = self._pause(order, attempt)
            if pause is None:
                return False
            yield Timer(self._env, pause)
            attempt += 1
        return True

    def _locked(self, order: Order) -> Story:
        tokens = yield from self._hold_under_locks(order)
        if tokens is None:
            return False
        self._unlock(tokens)
        return True

    def _unheld(self, order: Order) -> Story:
        # Everybody gets what he wants, and nobody is asked; the empty shelf will tell.
        if not order.held:
            order.unheld = True
            order.held.extend(zip(order.skus, order.units, strict=True))
        yield from ()  # a story, though it never waits
        return True

    # -- locks -------------------------------------------------------------------------------------------------------

    def _hold_under_locks(self, order: Order) -> Story:
        """Lock all records, read, write; returns the tokens of the locks, None when given up.

        There is no clean-up for a story that is never told on: the locks of a crashed orchestrator lapse.
        """
        inventory = self._inventory
        attempt = 1
        while not inventory.answered(order):
            if order.id in inventory.expired:
                return None
            tokens = yield from self._acquire(order)
            if tokens is None:
                return None
            if (yield from self._write_under(order, tokens, attempt)):
                return tokens
            self._unlock(tokens)
            pause = self._pause(order, attempt)
            if pause is None:
                return None
            yield Timer(self._env, pause)
            attempt += 1
        return []

    def _acquire(self, order: Order) -> Story:
        """Lock the order's records in ascending order of place: nobody waits for somebody who waits for him."""
        leases, first = self.leases, order.store * self._inventory.skus
        began = self._env.now
        tokens: Tokens = []
        for place in sorted(first + sku for sku in order.skus):
            token = leases.take(place, order.id)
            if not token:
                left = began + self._timeout_s - self._env.now
                token = (yield leases.queue(place, order.id, left)) if left > 0 else 0
            if not token:
                self._unlock(tokens)
                sku, waited_s = SkuId(place - first), self._env.now - began
                self._facts.lock_timed_out(order=order.id, store=order.store, sku=sku, waited_s=waited_s)
                return None
            tokens.append((place, token))
        for place, token in tokens:
            leases.renew(place, token, leases.lease_s)
        return tokens

    def _write_under(self, order: Order, tokens: Tokens, attempt: int) -> Story:
        inventory = self._inventory
        if not self._admitted(order, tokens):
            return False
        there = inventory.versions(order)[1]
        wait_s = self._window_s[order.id] + self.leases.pause_s(order.id)
        if self._pause_chance and self._jitter.uniform(order.id, -attempt) < self._pause_chance:
            wait_s += self._pause_s
        if wait_s:
            yield Timer(self._env, wait_s)
        if inventory.answered(order):
            return True
        if not self._admitted(order, tokens):
            return False
        # A lock's holder writes what it decided. Where not everybody locks, the lock alone does not keep that true.
        inventory.write(order, there if self.mechanism == "lock" else None)
        self._set_deadline(order)
        return True

    def _admitted(self, order: Order, tokens: Tokens) -> bool:
        if self._fencing:
            for place, token in tokens:
                if not self.leases.admit(place, token):
                    sku = SkuId(place - order.store * self._inventory.skus)
                    self._facts.write_fenced(order=order.id, store=order.store, sku=sku, token=token)
                    return False
        return True

    def _unlock(self, tokens: Tokens) -> None:
        for place, token in tokens:
            self.leases.release(place, token)

    # -- two-phase commit --------------------------------------------------------------------------------------------

    def prepare(self, order: Order) -> Story:
        """Hold the order's lines and keep their records locked for everybody until the vote is known.

        True: prepared, or answered before; False: given up. The locks do not lapse: who waits for a coordinator that has
        crashed waits until it resumes, or until the hold expires.
        """
        if self.mechanism == "none":
            return (yield from self._unheld(order))
        tokens = yield from self._hold_under_locks(order)
        if tokens is None:
            return False
        if order.held and tokens:
            for place, token in tokens:
                self.leases.renew(place, token, math.inf)
            self._prepared[order.id] = tokens
        else:
            self._unlock(tokens)
        return True

    def commit_prepared(self, order: Order) -> bool:
        """Everybody voted yes: let the locks go. False when the hold is gone (it expired)."""
        self._unlock(self._prepared.pop(order.id, []))
        return bool(order.held)

    def abort_prepared(self, order: Order) -> None:
        """Somebody voted no: give the goods back and let the locks go."""
        self._inventory.release(order)
        self._unlock(self._prepared.pop(order.id, []))

    # -- holds of abandoned carts ------------------------------------------------------------------------------------

    def _set_deadline(self, order: Order) -> None:
        if self._hold_s is not None and order.held:
            self._deadlines.append((self._env.now + self._hold_s, order))
            if not self._watching:
                self._watch()

    def _watch(self) -> None:
        # Holds begin in order of time and last equally long, so one timer for the oldest serves them all.
        deadlines = self._deadlines
        while deadlines and not _undecided(deadlines[0][1]):
            deadlines.popleft()
        if deadlines:
            self._watching = True
            Timer(self._env, max(deadlines[0][0] - self._env.now, 0.0), self._due)

    def _due(self, _: Timer) -> None:
        self._watching = False
        if not self.answers():
            self._watching = True
            Timer(self._env, LOOK_AGAIN_S, self._due)
            return
        deadlines = self._deadlines
        while deadlines and deadlines[0][0] <= self._env.now:
            self.expire(deadlines.popleft()[1])
        self._watch()

    def expire(self, order: Order) -> bool:
        """End the hold of an order that is not confirmed; False when there is nothing to end."""
        if not (_undecided(order) and self._inventory.expire(order)):
            return False
        self._unlock(self._prepared.pop(order.id, []))
        if self._on_expired is not None:
            self._on_expired(order)
        return True


def _undecided(order: Order) -> bool:
    return order.state < _CONFIRMED and bool(order.held)
