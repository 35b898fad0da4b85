"""What policies see and decide of goods that go from one store to another."""

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from sim.vocabulary import SkuId, StoreId


class TransferView(Protocol):
    """The records of all stores, as columns (int64, shape (stores, skus))."""

    @property
    def now_s(self) -> float: ...
    @property
    def on_hand(self) -> NDArray[Any]:
        """Units available plus reserved, by the records."""

    @property
    def on_order(self) -> NDArray[Any]:
        """Units ordered or sent on their way, and not yet received."""

    @property
    def daily_demand(self) -> NDArray[Any]:
        """Expected units sold a day, by the platform's forecast (float64)."""

    @property
    def transfer_s(self) -> float:
        """From taking goods off one store's shelves until they stand on the other's."""

    @property
    def next_delivery_s(self) -> float:
        """Until a truck can come with what is not ordered yet: the next review of stocks, and its lead time."""


class Move(NamedTuple):
    """Units of an SKU that one store shall send another; each triple of stores and SKU once."""

    origin: StoreId
    to: StoreId
    sku: SkuId
    units: int


class Transfer(Protocol):
    """What goes from which store to which. `every_s`: seconds between reviews.

    A store sends no more than its record has available, and no more than is really there. What two stores send each other
    at one review goes by one trip.
    """

    @property
    def every_s(self) -> float: ...
    def __call__(self, view: TransferView) -> Iterable[Move]: ...
