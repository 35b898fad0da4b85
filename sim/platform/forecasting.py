"""What the office expects to sell: its books of sales by day, the forecast made of them, and how good it was.

Units count as sold when the record says so: when a hold is committed, or goods are scanned over the counter. The books hold
nothing of what customers wanted and did not get.
"""

from collections import deque
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.clock import Clock, Timer
from sim.contracts import Forecast, ForecastView, SalesHistory, TrainedForecast
from sim.facts import Facts
from sim.platform.inventory import Inventory
from sim.scenario.calendar import Calendar
from sim.story import Story
from sim.vocabulary import InputError, StoreId, Units

_MOST = np.iinfo(np.uint16).max
"""Units of a SKU a day beyond which the books no longer count."""

_WEEK = 7


class Outlook(NamedTuple):
    """What the office is told of demand when it is set up."""

    calendar: Calendar
    told: NDArray[np.float64]
    """The true mean of an ordinary day, units, float64 (stores, skus): for `forecast=known` alone."""
    horizon_s: float
    """When customers stop coming, seconds since the start."""
    believed: NDArray[np.float64]
    """What it believes that mean to be before it has sold anything."""
    before: SalesHistory | None = None
    """Sales before the start; the last day is that of the start, as far as it has come."""
    lesson: SalesHistory | None = None
    """Sales of another run, for a forecast that learns from one."""


class _Day(NamedTuple):
    weekday: int
    open_share: float
    sold: NDArray[np.uint16]


class Forecasting:
    """Closes the books of sales at every midnight, and asks the forecast policy about the days ahead.

    Raises
    ------
    InputError
        The policy learns from another run, and there is none or it will not do.
    """

    def __init__(self, env: Clock, facts: Facts, inventory: Inventory, policy: Forecast, outlook: Outlook) -> None:
        self._env, self._facts, self._inventory, self._outlook = env, facts, inventory, outlook
        if isinstance(policy, TrainedForecast):
            if outlook.lesson is None:
                raise InputError(
                    "policies.forecast: expected trained_on=FOLDER, the folder of a finished run to learn from, got none."
                )
            policy = policy.trained(outlook.lesson)
        self._policy = policy
        self._closed: deque[_Day] = deque(maxlen=policy.history_days)
        self._day, self._share_before = 0, 0.0  # the day under way, and how much of it had gone before the start
        self._rows: dict[int, NDArray[Any]] = {}  # store -> what is expected of today and the days after it
        self._stated: dict[int, NDArray[Any]] = {}  # store -> what a review was told of today
        if outlook.before is not None:
            self._open(outlook.before)

    def _open(self, before: SalesHistory) -> None:
        *closed, (_, share, today) = zip(before.weekdays.tolist(), before.open_share.tolist(), before.sold, strict=True)
        self._closed.extend(_Day(weekday, part, sold.astype(np.uint16)) for weekday, part, sold in closed)
        self._sold()[:] = today
        self._share_before = share

    def run(self) -> Story:
        """Close the books at every midnight."""
        env, calendar = self._env, self._outlook.calendar
        while True:
            yield Timer(env, calendar.begins_s(calendar.day(env.now) + 1) - env.now)
            yield Timer(env, 0.0)  # after what is sold in the step that ends now
            self._turn()

    def _turn(self, *, judge: bool = True) -> None:
        """Close the books of every day that has ended."""
        today = self._outlook.calendar.day(self._env.now)
        while self._day < today:
            day, sold = self._under_way(), self._sold()
            if judge and day.open_share > 1.0 - 1e-9:
                self._judge(sold)
            if self._closed.maxlen:
                self._closed.append(day)
            sold[:] = 0
            self._day, self._share_before = self._day + 1, 0.0
            self._rows.clear()
            self._stated.clear()

    def _sold(self) -> NDArray[Any]:
        """Units sold on the day under way, int32 (stores, skus): the inventory's own column."""
        return np.frombuffer(self._inventory.sold, dtype=np.int32).reshape(self._outlook.told.shape)

    def _under_way(self) -> _Day:
        """The books of the day under way, as far as it has come."""
        calendar, until_s = self._outlook.calendar, min(self._env.now, self._outlook.horizon_s)
        share = self._share_before + calendar.open_share(self._day, 0.0, until_s)
        return _Day(calendar.weekday(self._day), share, np.minimum(self._sold(), _MOST).astype(np.uint16))

    def _judge(self, sold: NDArray[Any]) -> None:
        """Log how a whole day's sales compare with what reviews were told of it."""
        for store, expected in sorted(self._stated.items()):
            found = sold[store]
            self._facts.forecast_judged(
                store=StoreId(store),
                units=Units(int(found.sum())),
                expected=round(float(expected.sum()), 3),
                off=round(float(np.abs(found - expected).sum()), 3),
            )

    # -- what is expected --------------------------------------------------------------------------------------------

    def until(self, store: StoreId, until_s: float) -> NDArray[Any]:
        """Units of each SKU a day that a store is expected to sell from now on until a time, float64 (skus,).

        The mean of the days that the span touches, each by how much of its opening hours lies in it; so an order that has to
        last for a Saturday is an order for a Saturday.
        """
        calendar, now = self._outlook.calendar, self._env.now
        first, last = calendar.day(now), max(calendar.day(until_s), calendar.day(now))
        rows = self._expected(store, last - first + 1)
        self._stated[store] = rows[0]
        if rows.strides[0] == 0:  # all days alike
            return np.asarray(rows[0])
        weights = np.array([calendar.open_share(day, now, until_s) for day in range(first, last + 1)])
        if not weights.any():  # nothing opens in it: whatever the next day brings
            return np.asarray(rows[last - first])
        return np.asarray(weights / weights.sum() @ rows[: len(weights)])

    def ordinary(self, store: StoreId) -> NDArray[Any]:
        """Units of each SKU expected on an ordinary day, the mean over the week to come, float64 (skus,)."""
        rows = self._expected(store, _WEEK)
        return np.asarray(rows[0] if rows.strides[0] == 0 else rows[:_WEEK].mean(axis=0))

    def _expected(self, store: StoreId, days: int) -> NDArray[Any]:
        self._turn()
        rows = self._rows.get(store)
        if rows is None or len(rows) < days:
            rows = self._rows[store] = self._asked(store, days)
        return rows

    def _asked(self, store: StoreId, days: int) -> NDArray[Any]:
        outlook, skus = self._outlook, self._inventory.skus
        calendar, closed = outlook.calendar, self._closed
        view = ForecastView(
            store=store,
            now_s=self._env.now,
            weekdays=np.array([day.weekday for day in closed], dtype=np.int64),
            sold=np.array([day.sold[store] for day in closed], dtype=np.int64).reshape(len(closed), skus),
            open_share=np.array([day.open_share for day in closed], dtype=np.float64),
            believed=outlook.believed[store],
            ahead=np.array([calendar.weekday(self._day + ahead) for ahead in range(days)], dtype=np.int64),
        )
        answer = self._policy(view)
        if answer is None:
            return np.broadcast_to(outlook.told[store], (days, skus))
        found = np.asarray(answer, dtype=np.float64)
        if found.shape != (days, skus) or not (np.isfinite(found) & (found >= 0)).all():
            raise InputError(
                f"policies.forecast: expected units >= 0 for {days} days and {skus} SKUs, got an array of shape {found.shape}"
                f"{'' if found.shape != (days, skus) else ' with others'}."
            )
        return found

    # -- what is handed on -------------------------------------------------------------------------------------------

    def left(self) -> SalesHistory | None:
        """The books as they stand, for a run that goes on from here; None where the policy wants none."""
        if not self._closed.maxlen:
            return None
        self._turn(judge=False)
        days = [*self._closed, self._under_way()]
        return SalesHistory(
            weekdays=np.array([day.weekday for day in days], dtype=np.int64),
            sold=np.stack([day.sold for day in days]),
            open_share=np.array([day.open_share for day in days], dtype=np.float64),
        )
