"""What is sold: popularity, prices, volumes, and how much of it the stores hold at the start."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts import SalesHistory
from sim.scenario import Scenario
from sim.streams import Streams, lognormal


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """Columns over SKUs; a SKU's id is its popularity rank, 0 the most popular.

    Attributes
    ----------
    popularity
        Chance that a basket line is this SKU, float64 (skus,), summing to 1: Zipf, rank^-exponent.
    category
        Index into `categories`, int16 (skus,).
    price_cents, litres
        int64 and float64 (skus,).
    net_cents, cost_cents
        The price without the tax in it, and what a unit is bought for, int64 (skus,).
    life_days
        int64 (skus,): days after which what came is thrown away, 0 for what keeps.
    """

    popularity: NDArray[np.float64]
    category: NDArray[np.int16]
    categories: tuple[str, ...]
    price_cents: NDArray[np.int64]
    net_cents: NDArray[np.int64]
    cost_cents: NDArray[np.int64]
    litres: NDArray[np.float64]
    life_days: NDArray[np.int64]

    @property
    def skus(self) -> int:
        """Number of SKUs."""
        return len(self.popularity)


def make_catalogue(scenario: Scenario, streams: Streams) -> Catalogue:
    """Draw the catalogue: categories shuffled over the ranks, prices lognormal about their category's mean."""
    tree = scenario.catalogue
    generator = streams.generator("catalogue")
    popularity = np.arange(1, tree.skus + 1, dtype=np.float64) ** -tree.zipf
    shares = np.array([category.share for category in tree.categories])
    counts = np.floor(np.cumsum(shares) * tree.skus + 0.5).astype(int)
    category = np.repeat(np.arange(len(shares)), np.diff(np.concatenate([[0], counts])))
    category = generator.permutation(category)
    noise = lognormal(generator, 1.0, tree.price_cv, tree.skus)
    price = np.maximum(np.rint(np.array([c.price_cents for c in tree.categories])[category] * noise), 1)
    pricing = scenario.platform.pricing
    net = price / (1.0 + pricing.tax_share) if pricing.tax_included else price
    bought = net * np.array([c.cost_share for c in tree.categories])[category]
    return Catalogue(
        popularity=popularity / popularity.sum(),
        category=category.astype(np.int16),
        categories=tuple(c.name for c in tree.categories),
        price_cents=price.astype(np.int64),
        net_cents=np.rint(net).astype(np.int64),
        cost_cents=np.rint(bought).astype(np.int64),
        litres=np.array([c.litres for c in tree.categories])[category],
        life_days=np.array([c.life_days or 0 for c in tree.categories])[category],
    )


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """A truck on its way: its store, when it arrives (seconds since the start), its number, units noted (skus,)."""

    store: int
    at_s: float
    number: int
    units: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Haul:
    """Goods on their way from another store: to which, when they arrive (seconds since the start), units (skus,).

    `lots`: how old those are that do not keep, see `sim.operations.freshness`, int64 (days, those SKUs).
    """

    to: int
    at_s: float
    units: NDArray[np.int64]
    lots: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """Goods at the start.

    Attributes
    ----------
    shelf, record, scan
        int64 (stores, skus): what is on the shelves, and what the records and the scan log say.
    lots
        What came on each day before, today's first, of the SKUs that do not keep: int64 (days, stores, those SKUs). None:
        judged from the shelves, see `sim.operations.freshness`.
    under_way
        Trucks that have not arrived.
    sold
        What the records say was sold before; the last day is that of the start, as far as it has come. None: nobody knows.
    dock
        What stands at the docks, units noted and units really there, int64 (2, stores, skus); None: nothing.
    hauls
        What is on the road between stores.
    """

    shelf: NDArray[np.int64]
    record: NDArray[np.int64]
    scan: NDArray[np.int64]
    lots: NDArray[np.int64] | None = None
    under_way: tuple["Load", ...] = ()
    sold: SalesHistory | None = None
    dock: NDArray[np.int64] | None = None
    hauls: tuple["Haul", ...] = ()


def opening_stock(scenario: Scenario, streams: Streams, daily_demand: NDArray[Any]) -> Opening:
    """Fill the stores: cover for some days plus two standard deviations; and make some records wrong.

    Parameters
    ----------
    daily_demand
        Expected units a day, float64 (stores, skus).
    """
    supply, stores = scenario.supply, scenario.stores
    mean = daily_demand * supply.cover_days
    shelf = np.maximum(np.ceil(mean + 2.0 * np.sqrt(mean)), supply.units_min).astype(np.int64)
    for sale in scenario.demand.flash_sales:
        if sale.stock is not None:
            shelf[:, sale.sku] = sale.stock
    generator = streams.generator("opening")
    wrong = generator.random(shelf.shape) < stores.inaccurate_share
    size = generator.geometric(1.0 / max(stores.inaccurate_units, 1.0), shelf.shape)
    sign = np.where(generator.random(shelf.shape) < 0.5, -1, 1)
    record = np.maximum(shelf + np.where(wrong, size * sign, 0), 0).astype(np.int64)
    return Opening(shelf=shelf, record=record, scan=record)
