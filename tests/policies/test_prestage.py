"""Positioning: where free drivers ride to by what is expected."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from policies.positioning.prestage import Prestage


@dataclass
class Free:
    """A driver who came free on a line of stores: positions are seconds of riding.

    Each store has a cell about it, whose customers are its own unless `opened_from` says otherwise.
    """

    stores_at: Sequence[float]
    at: float
    home: int = 0
    now_s: float = 0.0
    off_s: float = 1e6
    drivers: Sequence[int] = ()
    opened: list[int] = field(default_factory=list)
    cells_at: Sequence[float] = ()
    customers: Sequence[int] | None = None
    driver: int = 0
    node: int = 0
    ends: bool = False

    @property
    def stores(self) -> int:
        return len(self.stores_at)

    @property
    def bound(self) -> NDArray[Any]:
        return np.array(self.drivers, dtype=np.int64)

    def ride_s(self, store: int) -> float:
        return abs(self.stores_at[store] - self.at)

    @property
    def _cells(self) -> NDArray[Any]:
        return np.array(self.cells_at or self.stores_at)

    @property
    def cell(self) -> int:
        return int(np.abs(self._cells - self.at).argmin())

    @property
    def opened_from(self) -> Sequence[int]:
        return self.opened if self.customers is None else self.customers

    def from_cells_s(self, store: int) -> NDArray[Any]:
        return np.abs(self._cells - self.stores_at[store])


STORES = (0.0, 100.0, 1000.0)


def sent(policy: Prestage, **columns: Any) -> int | None:
    return policy(Free(STORES, **{"at": 10.0, "drivers": (0, 0, 0), "opened": [0, 0, 0], **columns}))  # type: ignore[arg-type]


def test_a_driver_rides_to_the_store_that_lacks_drivers_for_its_orders() -> None:
    """Sixty orders in the hour bring five within five minutes, and one driver comes free there meanwhile."""
    assert sent(Prestage(every_s=60), opened=[0, 0, 60], drivers=(1, 1, 1)) == 2
    assert sent(Prestage(every_s=60), opened=[0, 60, 0], drivers=(1, 1, 1)) == 1
    assert sent(Prestage(every_s=60), opened=[0, 60, 0], drivers=(1, 9, 1)) == 0, "enough are there or bound for it"
    assert sent(Prestage(every_s=60, lead_s=60), opened=[0, 60, 0], drivers=(1, 1, 1)) == 0, "one is needed, and there"


def test_where_enough_come_free_around_a_store_nobody_rides_there_from_elsewhere() -> None:
    assert sent(Prestage(every_s=300), opened=[0, 0, 60], drivers=(1, 1, 1)) == 0
    assert sent(Prestage(every_s=300), opened=[0, 0, 60], drivers=(1, 1, 1), at=990.0) == 2


def test_drivers_are_expected_where_customers_live() -> None:
    """Two stores lack drivers; whoever comes free between them goes to the one for which the cell beyond has nobody."""
    lacking: dict[str, Any] = {
        "opened": [40, 0, 40],
        "drivers": (0, 9, 0),
        "cells_at": (0.0, 500.0, 1000.0),
        "at": 480.0,
    }
    assert sent(Prestage(every_s=300), customers=[80, 0, 0], **lacking) == 2
    assert sent(Prestage(every_s=300), customers=[0, 0, 80], **lacking) == 0


def test_where_nothing_is_lacking_a_driver_rides_home() -> None:
    assert sent(Prestage(), opened=[12, 12, 12], drivers=(9, 9, 9), home=2) == 2
    assert sent(Prestage(), home=1, drivers=(1, 1, 1)) == 1


def test_a_plan_sends_no_more_than_are_lacking() -> None:
    """Some 36 orders an hour at one store: three within five minutes, of which one driver is there."""
    policy = Prestage(every_s=60)
    found = [sent(policy, opened=[36, 36, 36], drivers=(3, 1, 3), at=90.0, home=2) for _ in range(4)]
    assert found == [1, 1, 2, 2]


@pytest.mark.parametrize("seed", range(5))
def test_no_other_plan_has_drivers_ride_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    roads = rng.uniform(0.0, 1000.0, (4, 4))
    view = Free((0.0,) * 4, 0.0, drivers=(0, 0, 0, 0), opened=rng.integers(10, 40, 4).tolist())
    view.from_cells_s = lambda store: roads[:, store]  # type: ignore[method-assign]
    plan = Prestage(every_s=120)._plan(view)  # type: ignore[arg-type]
    rows, columns = np.nonzero(plan)
    ends = np.repeat(np.column_stack([rows, columns]), plan[rows, columns], axis=0)
    assert len(ends) >= 3
    least = min(roads[ends[:, 0], list(other)].sum() for other in permutations(ends[:, 1]))
    assert (roads * plan).sum() == pytest.approx(least)


def test_the_plan_is_made_anew_after_a_while_and_old_orders_are_forgotten() -> None:
    policy = Prestage(recent_s=600.0, every_s=60.0)
    assert sent(policy, opened=[0, 20, 0], drivers=(0, 0, 0)) == 1
    later: dict[str, Any] = {"opened": [0, 20, 40], "drivers": (0, 9, 0), "at": 900.0}
    assert sent(policy, now_s=59.0, **later) == 0, "the plan knows of nobody out there"
    assert sent(policy, now_s=60.0, **later) == 2
    assert sent(policy, now_s=1000.0, **later | {"drivers": (0, 0, 0), "at": 100.0}) == 0, "no orders since"


def test_who_could_not_be_there_before_the_shift_ends_stays() -> None:
    assert sent(Prestage(every_s=60), opened=[0, 60, 0], drivers=(0, 0, 0), off_s=89.0) is None
    assert sent(Prestage(every_s=60), opened=[0, 60, 0], drivers=(0, 0, 0), off_s=91.0) == 1


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_shares_become_whole_numbers_that_add_up(count: int) -> None:
    from policies.positioning.prestage import _whole

    share = np.array([0.3, 0.3, 0.25, 0.15])
    whole = _whole(share, count)
    assert whole.sum() == count
    assert (np.abs(whole - share * count) < 1.0).all()
