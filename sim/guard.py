"""A user's own policy at the platform's boundary: what it returns is held to the contract, and its errors are its own.

Our own policies are tested and run bare. One that comes from a file or another package is wrapped: an exception, or an
answer that is not of the family's kind, ends the run with one line that names the policy, not with a bug of ours.
"""

import math
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from inspect import isroutine
from operator import index
from typing import Any

import numpy as np

from sim.contracts import HISTORY_DAYS_MAX, Corrections, Move, Offer, Reposition, Ruling
from sim.vocabulary import DriverId, InputError, OrderId, SkuId, Step, StoreId


def guarded_policy(family: str, policy: Any, name: str) -> Any:
    """Wrap a policy of a family; `name` says in messages where it comes from."""
    every_s = getattr(policy, "every_s", 0.0 if family in ("dispatch", "picking") else None)
    if family in ("dispatch", "picking", "replenishment", "transfer"):
        # A time that the clock rounds to nothing would keep a run at the same moment for ever.
        asked_at_once = family in ("dispatch", "picking")
        least = "0, or 0.001 or more" if asked_at_once else "1 or more"
        fits = (
            isinstance(every_s, int | float) and math.isfinite(every_s) and every_s >= (0.001 if asked_at_once else 1)
        )
        if not (fits or (asked_at_once and every_s == 0)):
            raise InputError(f"{name}: expected every_s to be seconds, {least}, got {every_s!r}.")
    if family == "eta" and not getattr(policy, "nothing", False):
        learns_s = getattr(policy, "every_s", None)
        if not (isinstance(learns_s, int | float) and math.isfinite(learns_s) and learns_s >= 1):
            raise InputError(f"{name}: expected every_s to be seconds, 1 or more, got {learns_s!r}.")
    if family == "picking":
        extra_s = getattr(policy, "consolidate_s", 0.0)
        if not (isinstance(extra_s, int | float) and math.isfinite(extra_s) and extra_s >= 0):
            raise InputError(f"{name}: expected consolidate_s to be seconds >= 0, got {extra_s!r}.")
    if family == "forecast":
        days = getattr(policy, "history_days", None)
        if not isinstance(days, int) or not 0 <= days <= HISTORY_DAYS_MAX:
            raise InputError(
                f"{name}: expected history_days to be a whole number from 0 to {HISTORY_DAYS_MAX}, got {days!r}."
            )
        return _Forecast(policy, name, _ANSWERS[family])
    return _Offers(policy, name) if family == "dispatch" else _Answer(policy, name, _ANSWERS[family])


def failure(policy: Any, name: str, error: BaseException) -> InputError:
    """Say in one line what went wrong in somebody's policy, and where in it."""
    home = getattr(sys.modules.get(type(policy).__module__), "__file__", None)
    written = getattr(
        getattr(policy if isroutine(policy) else type(policy).__call__, "__code__", None), "co_filename", home
    )
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in (home, written)]
    where = f" (line {frames[-1].lineno})" if frames else ""
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    return InputError(f"{name}{where}: the policy failed with {what}")


class _Guarded:
    """What both kinds share: everything but the call is the policy's own."""

    def __init__(self, policy: Any, name: str) -> None:
        self._policy, self._name = policy, name
        # From Python 3.12 on a protocol asks for what an object has, not for what it answers to when asked.
        for attribute in _FURTHER:
            if hasattr(policy, attribute):
                self.__dict__[attribute] = getattr(self, attribute)

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self.__dict__["_policy"], attribute)
        if attribute not in _METHODS:
            return found

        def guarded(*arguments: Any) -> Any:
            accept, expected = _METHODS[attribute]
            return _held_to(self._policy, f"{self._name}.{attribute}", found, accept, expected, arguments)

        return guarded


def _held_to(
    policy: Any,
    name: str,
    call: Callable[..., Any],
    accept: Callable[[Any], Any],
    expected: str,
    arguments: Sequence[Any],
) -> Any:
    """Ask a policy, and hold its answer to what its family may say."""
    try:
        answer = call(*arguments)
    except (Exception, SystemExit) as error:
        raise failure(policy, name, error) from error
    try:
        return accept(answer)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        said = repr(answer)
        said = f"{said[:100]}..." if len(said) > 100 else said
        raise InputError(f"{name}: expected {expected}, got {' '.join(said.split())}.") from error
    except Exception as error:  # an answer that is worked out as it is read
        raise failure(policy, name, error) from error


class _Answer(_Guarded):
    """A policy that gives one answer a call."""

    def __init__(self, policy: Any, name: str, answer: tuple[Callable[[Any], Any], str]) -> None:
        super().__init__(policy, name)
        self._accept, self._expected = answer

    def __call__(self, *arguments: Any) -> Any:
        return _held_to(self._policy, self._name, self._policy, self._accept, self._expected, arguments)


class _Forecast(_Answer):
    """A forecast, and what comes of teaching it."""

    def __getattr__(self, attribute: str) -> Any:
        found = super().__getattr__(attribute)
        return self._teach if attribute == "trained" else found

    def _teach(self, history: Any) -> Any:
        try:
            pupil = self._policy.trained(history)
        except (Exception, SystemExit) as error:
            raise failure(self._policy, self._name, error) from error
        return guarded_policy("forecast", pupil, self._name)


class _Offers(_Guarded):
    """A dispatch policy: offers one after the other, each made before the next is asked for."""

    def __call__(self, view: Any) -> Iterator[Offer | Reposition]:
        try:
            offers = self._policy(view)
        except (Exception, SystemExit) as error:
            raise failure(self._policy, self._name, error) from error
        if isinstance(offers, Offer | Reposition) or not isinstance(offers, Iterable):
            raise InputError(
                f"{self._name}: expected any number of Offer and Reposition (a generator that yields them, or a list), got "
                f"{'one alone, ' if isinstance(offers, Offer | Reposition) else ''}{offers!r}."
            )
        each = iter(offers)
        while True:
            try:
                offer = next(each)
            except StopIteration:
                return
            except (Exception, SystemExit) as error:
                raise failure(self._policy, self._name, error) from error
            try:
                if isinstance(offer, Reposition):
                    yield Reposition(DriverId(_id(offer.driver)), StoreId(_id(offer.store)))
                    continue
                along = tuple(OrderId(_id(order)) for order in offer.along)
                checked = Offer(OrderId(_id(offer.order)), DriverId(_id(offer.driver)), along)
            except (TypeError, AttributeError) as error:
                raise InputError(
                    f"{self._name}: expected an Offer(order, driver, along) or a Reposition(driver, store) of ids, got {offer!r}."
                ) from error
            yield checked


def _id(answer: Any) -> int:
    number = index(answer)
    if abs(number) >= 2**31:
        raise TypeError
    return number


def _bool(answer: Any) -> bool:
    if not isinstance(answer, bool | np.bool_):
        raise TypeError
    return bool(answer)


def _store(answer: Any) -> StoreId | None:
    return None if answer is None else StoreId(index(answer))


def _cents(answer: Any) -> int:
    cents = index(answer)
    if not 0 <= cents <= 100_000:
        raise ValueError
    return cents


def _factors(answer: Any) -> Any:
    factors = np.asarray(answer, dtype=np.float64)
    if factors.ndim != 2 or factors.shape[1] != 24 or not ((factors >= 0.01) & (factors <= 100.0)).all():
        raise ValueError
    return factors


def _place(answer: Any) -> int | None:
    return None if answer is None else index(answer)


def _seconds(answer: Any) -> float | None:
    if answer is None:
        return None
    seconds = float(answer)
    if not 0 <= seconds < float("inf"):
        raise ValueError
    return seconds


def _left(answer: Any) -> float:
    seconds = _seconds(answer)
    if seconds is None:
        raise TypeError
    return seconds


def _slots(answer: Any) -> Any:
    slots = np.asarray(answer)
    if slots.ndim != 1 or not np.issubdtype(slots.dtype, np.integer) or len(np.unique(slots)) < len(slots):
        raise ValueError
    return slots.astype(np.int64)


def _metres(answer: Any) -> Any:
    metres = np.asarray(answer, dtype=np.float64)
    if metres.ndim != 1 or not (np.isfinite(metres) & (metres >= 0)).all():
        raise ValueError
    return metres


def _units(answer: Any) -> Any:
    units = np.asarray(answer)
    if units.ndim != 1 or not np.issubdtype(units.dtype, np.integer) or (units < 0).any() or (units > 1_000_000).any():
        raise ValueError
    return units.astype(np.int64)


def _expected(answer: Any) -> Any:
    if answer is None:
        return None
    units = np.asarray(answer, dtype=np.float64)
    if units.ndim != 2 or not (np.isfinite(units) & (units >= 0) & (units <= 1_000_000)).all():
        raise ValueError
    return units


def _moves(answer: Any) -> list[Move]:
    moves = [
        Move(StoreId(index(o)), StoreId(index(to)), SkuId(index(sku)), index(units)) for o, to, sku, units in answer
    ]
    if any(abs(number) > 1_000_000 for move in moves for number in move):
        raise ValueError
    return moves


def _steps(answer: Any) -> tuple[Step, ...]:
    steps = tuple(Step(step) for step in answer)
    if frozenset(steps) not in _WHOLE or len(set(steps)) < len(steps):
        raise ValueError
    if min(steps.index(step) for step in steps if step in _HOLDS) > steps.index(Step.CONFIRM):
        raise ValueError  # a store would be told to pick what nobody holds
    if Step.COMMIT in steps and steps.index(Step.COMMIT) < steps.index(Step.PREPARE):
        raise ValueError
    return steps


_HOLDS = frozenset({Step.RESERVE, Step.RESERVE_AND_PAY, Step.PREPARE})
_WHOLE = (
    frozenset({Step.RESERVE, Step.PAY, Step.CONFIRM}),
    frozenset({Step.RESERVE_AND_PAY, Step.CONFIRM}),
    frozenset({Step.PREPARE, Step.COMMIT, Step.CONFIRM}),
)
"""What a plan must consist of, in whatever order."""


def _ruling(answer: Any) -> Ruling:
    return Ruling(answer)


def _places(answer: Any) -> list[int]:
    return [index(place) for place in answer]


def _sku(answer: Any) -> SkuId | None:
    return None if answer is None else SkuId(index(answer))


def _corrections(answer: Any) -> Corrections:
    adjust, review = answer
    return Corrections(np.asarray(adjust), np.asarray(review))


_METHODS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "along": (_places, "places in the queue"),
    "replace": (_sku, "an SKU or None"),
    "plan": (np.asarray, "SKUs to count"),
    "compare": (_corrections, "Corrections(adjust, review)"),
}
"""Further methods that a policy may have, with what they may say."""

_FURTHER = (*_METHODS, "count_at", "compare_every_s", "trained", "trained_on")
"""What a protocol of `sim.contracts` may ask for beside the call."""

_ANSWERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "admission": (_bool, "True or False"),
    "fraud": (_ruling, "a sim.contracts.Ruling"),
    "pricing": (_cents, "whole cents from 0 to 100,000"),
    "sourcing": (_store, "a store id or None"),
    "reservation": (_seconds, "seconds >= 0 or None"),
    "saga": (
        _steps,
        "RESERVE, PAY and CONFIRM each once, or RESERVE_AND_PAY and CONFIRM, or PREPARE, COMMIT and CONFIRM,"
        " with the goods held before CONFIRM",
    ),
    "substitution": (_bool, "True or False"),
    "slotting": (_slots, "a slot for each SKU, integers, no slot for two"),
    "routing": (_metres, "metres >= 0 for each tour"),
    "picking": (_place, "a place in the queue or None"),
    "eta": (_factors, "factors from 0.01 to 100 by vehicle and hour"),
    "locating": (_left, "seconds >= 0"),
    "incentive": (_cents, "whole cents from 0 to 100,000"),
    "positioning": (_store, "a store id or None"),
    "replenishment": (_units, "whole units from 0 to 1,000,000 for each SKU"),
    "forecast": (_expected, "units from 0 to 1,000,000 for each day ahead and SKU, or None"),
    "transfer": (_moves, "sim.contracts.Move of whole numbers, none above 1,000,000"),
    "reconciliation": (_bool, "True or False"),
}
