"""Positioning: ride where orders are expected and drivers are lacking."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from policies.positioning.ends import checked, end_at
from sim.contracts import PositioningView
from sim.vocabulary import StoreId


@dataclass(frozen=True, kw_only=True)
class Prestage:
    """Free drivers ride to the stores where more orders are expected than drivers are there or bound for, at least riding in all.

    Every `every_s` seconds a transport problem is solved. At the one end are the drivers who should come free until then, by
    H3 cell: as many as there are orders at the rate of the last `recent_s` seconds, where the customers of that time live. At
    the other are the places that are lacking: the orders that this rate, to which each store is given `prior_orders`, brings
    each store within `lead_s` seconds, less the drivers without work who stand there or ride to it. A place costs the ride from
    the middle of the cell. Whoever comes free in a cell goes to the nearest place that the plan has for drivers from there;
    where it has none, home. Who could not be there before the shift ends stays. `at_end`: where that ends: "stay", where its
    driver is; or after a paid ride to the store that is "home" or "nearest", for vehicles that belong there.

    Drivers come free at customers' doors, so there a cell says where; they are wanted where orders are fetched, which is a
    store. The form is that of moving empty vehicles by a transport problem (Pavone, Smith, Frazzoli and Rus 2012, Robotic load
    balancing for mobility-on-demand systems); the figures are judgement. Where rosters follow demand, riding home is as good.
    """

    every_s: float = 300.0
    recent_s: float = 3600.0
    lead_s: float = 300.0
    prior_orders: float = 1.0
    at_end: str = "stay"
    _memory: ClassVar["_Memory"]

    def __post_init__(self) -> None:
        checked(self.at_end)
        # A policy is built afresh for each run: what it remembers is of this one.
        object.__setattr__(self, "_memory", _Memory())
        for name in ("every_s", "recent_s", "lead_s"):
            if not 1.0 <= getattr(self, name) <= 86_400.0:
                raise ValueError(f"Expected {name} from 1 to 86400, got {getattr(self, name)}.")
        if not 0.01 <= self.prior_orders <= 1e6:
            raise ValueError(f"Expected prior_orders from 0.01 to 1000000, got {self.prior_orders}.")

    def __call__(self, view: PositioningView) -> StoreId | None:
        if view.ends:
            return end_at(view, self.at_end)
        memory = self._memory
        ride_s = np.array([view.ride_s(StoreId(store)) for store in range(view.stores)])
        if memory.plan is None or view.now_s >= memory.until_s:
            memory.plan, memory.until_s = self._plan(view), view.now_s + self.every_s
        there = memory.plan[view.cell]
        store = int(np.where(there > 0, ride_s, np.inf).argmin()) if there.any() else int(view.home)
        if view.now_s + ride_s[store] > view.off_s:
            return None
        there[store] -= there[store] > 0
        return StoreId(store)

    def _plan(self, view: PositioningView) -> NDArray[Any]:
        """How many of those who come free in a cell, this driver among them, should go to each store, int64 (cells, stores)."""
        of_store, of_cell = self._lately(view)
        per_s = (of_store + self.prior_orders) / self.recent_s
        lacking = np.rint(np.maximum(per_s * self.lead_s - view.bound, 0.0)).astype(np.int64)
        origins, targets = np.array([view.cell]), np.repeat(np.arange(len(per_s)), lacking)
        if of_cell.any():
            coming = max(round(float(per_s.sum()) * self.every_s), 1)
            origins = np.append(np.repeat(np.arange(len(of_cell)), _whole(of_cell / of_cell.sum(), coming)), view.cell)
        ride_s = np.column_stack([view.from_cells_s(StoreId(store)) for store in range(view.stores)])
        rows, columns = linear_sum_assignment(ride_s[np.ix_(origins, targets)])
        plan = np.zeros((len(of_cell), len(per_s)), dtype=np.int64)
        np.add.at(plan, (origins[rows], targets[columns]), 1)
        return plan

    def _lately(self, view: PositioningView) -> tuple[NDArray[Any], NDArray[Any]]:
        """Orders of the last `recent_s` seconds by store and by cell, by what had been counted when plans were made."""
        counted, now_s = self._memory.counted, view.now_s
        opened, opened_from = (np.array(column, dtype=np.float64) for column in (view.opened, view.opened_from))
        while len(counted) > 1 and counted[1][0] <= now_s - self.recent_s:
            del counted[0]
        _, before, before_from = counted[0] if counted else (0.0, 0.0 * opened, 0.0 * opened_from)
        counted.append((now_s, opened, opened_from))
        return opened - before, opened_from - before_from


class _Memory:
    """The plan, until when it holds, and how many orders each store, and each cell, had had when plans were made."""

    def __init__(self) -> None:
        self.plan: NDArray[Any] | None = None
        self.until_s = 0.0
        self.counted: list[tuple[float, NDArray[Any], NDArray[Any]]] = []


def _whole(share: NDArray[Any], count: int) -> NDArray[Any]:
    """So many pieces by shares that sum to one: whole numbers, the largest remainders first, ties to the lowest."""
    exact = share * count
    whole = np.floor(exact + 1e-9).astype(np.int64)
    rest = np.argsort(whole - exact, kind="stable")[: max(count - int(whole.sum()), 0)]
    whole[rest] += 1
    return whole
