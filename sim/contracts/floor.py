"""What policies see and decide of the shop floor: what is picked next, what is ordered anew, what is counted."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from numpy.typing import NDArray

from sim.vocabulary import OrderId, SkuId, StoreId


class PickTask(Protocol):
    """An order waiting to be picked."""

    @property
    def order(self) -> OrderId: ...
    @property
    def lines(self) -> int: ...
    @property
    def confirmed_s(self) -> float: ...
    @property
    def promised_s(self) -> float: ...


class PickingView(Protocol):
    """One store's queue, oldest first."""

    @property
    def now_s(self) -> float: ...
    @property
    def waiting(self) -> Sequence[PickTask]: ...
    def walk_s(self, tasks: Sequence[PickTask]) -> float:
        """Seconds of one tour past the lines of these orders; 0 where the store has no layout."""

    def pick_s(self, task: PickTask) -> float:
        """Expected seconds to pick and pack an order."""

    def driver_s(self, task: PickTask) -> float | None:
        """When the driver who accepted an order should be at the store, seconds since the start; None: nobody has."""


class Picking(Protocol):
    """The place in the queue of the order a free picker takes next; None leaves the picker idle.

    May have an attribute `every_s`: it is asked again so often while it lets orders wait and somebody is idle. May have an
    attribute `calls_driver_ahead`: when true, an order's driver is called as it joins the queue, not when it is begun. May
    have an attribute `sections` (and `consolidate_s`, seconds): then the aisles are split into so many, each picker stays in
    one, an order is picked in parts, one for each section it has lines in, and the view is of one section's queue. May have a
    method `along(first: PickTask, view: PickingView)`: the places of the orders that go along on the same tour, each
    once; the first is in the queue no more.
    """

    def __call__(self, view: PickingView) -> int | None: ...


@runtime_checkable
class BatchPicking(Picking, Protocol):
    """A `Picking` whose tours may be of several orders."""

    def along(self, first: PickTask, view: PickingView) -> Sequence[int]: ...


class ReplenishmentView(Protocol):
    """One store's records, as columns over SKUs (int64, shape (skus,))."""

    @property
    def now_s(self) -> float: ...
    @property
    def store(self) -> StoreId: ...
    @property
    def on_hand(self) -> NDArray[Any]:
        """Units available plus reserved, by the record."""

    @property
    def on_order(self) -> NDArray[Any]:
        """Units ordered and not yet received."""

    @property
    def daily_demand(self) -> NDArray[Any]:
        """Units expected to be sold a day until the next review's order is there, by `policies.forecast` (float64)."""

    @property
    def lead_time_s(self) -> float:
        """From ordering to receiving."""


class Replenishment(Protocol):
    """Units of each SKU to order now (non-negative integers, shape (skus,)). `every_s`: seconds between reviews."""

    @property
    def every_s(self) -> float: ...
    def __call__(self, view: ReplenishmentView) -> NDArray[Any]: ...


class ShortPick(NamedTuple):
    """A picker found fewer units than the record promised."""

    store: StoreId
    sku: SkuId
    wanted: int
    found: int


class CountView(NamedTuple):
    """A store about to be counted by plan."""

    store: StoreId
    day: int
    """Days since the run's first, by the calendar."""
    daily_demand: NDArray[Any]
    """Units expected to be sold a day, over the week to come, by `policies.forecast`, float64 (skus,)."""
    recorded: NDArray[Any]
    """Units available plus reserved, by the record, int64 (skus,)."""
    idle_days: NDArray[Any]
    """Days since the record was written or the shelf counted last, float64 (skus,)."""


class LedgerView(NamedTuple):
    """What the platform's books say of a store: what people scanned there, and what it sells from; int64 (skus,) each.

    The shelf itself is not to be seen in them.
    """

    store: StoreId
    now_s: float
    scanned: NDArray[Any]
    """Units on the shelves by the scan log."""
    recorded: NDArray[Any]
    """Units available plus reserved, by the record."""


class Corrections(NamedTuple):
    """SKUs whose record is set to the scan log at once, and SKUs that somebody shall look at first: integers, each once."""

    adjust: NDArray[Any]
    review: NDArray[Any]


class Reconciliation(Protocol):
    """True sends somebody to count the shelf of a short pick and correct its record.

    May have a method `plan(view: CountView)` and an attribute `count_at` ("HH:MM"): then every day at that time it
    names the SKUs (integers, each once) that are to be counted in each store, by whom `stores.counting` says, one after the
    other; what is not counted by the next day is left. May have a method
    `compare(view: LedgerView)` and an attribute `compare_every_s`: then a job holds scan log and record of every store
    against each other so often, and `Corrections` says what becomes of their differences.
    """

    def __call__(self, view: ShortPick) -> bool: ...


@runtime_checkable
class PlannedReconciliation(Reconciliation, Protocol):
    """A `Reconciliation` that also counts by plan."""

    @property
    def count_at(self) -> str: ...
    def plan(self, view: CountView) -> NDArray[Any]: ...


@runtime_checkable
class ComparedReconciliation(Reconciliation, Protocol):
    """A `Reconciliation` that also compares ledgers."""

    @property
    def compare_every_s(self) -> float: ...
    def compare(self, view: LedgerView) -> Corrections: ...
