"""Goods that will be stolen or damaged: when, where and how many, drawn before the clock starts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario
from sim.scenario.fields import DAY_S
from sim.streams import Streams, pick
from sim.vocabulary import StockCause

SLOT_S = 3600.0
"""Mishaps happen on the hour, many shelves at once: the moment within the hour matters to nobody, and
an event for each would cost more than it tells (judgement)."""

_KINDS = ((StockCause.THEFT, False), (StockCause.DAMAGE, False), (StockCause.DAMAGE, True))


@dataclass(frozen=True, slots=True, eq=False)
class Mishaps:
    """What happens to goods on the shelves outside any order: one row for a time, a store and a kind of mishap.

    Attributes
    ----------
    at_s
        float64 (n,), seconds since the start, ascending.
    store
        int64 (n,).
    cause
        int64 (n,): `StockCause.THEFT` or `StockCause.DAMAGE`.
    scanned
        bool (n,): whether somebody scans that the goods are gone.
    first_line
        int64 (n + 1,): row ``i`` has the lines ``first_line[i]:first_line[i + 1]`` of `sku`, `units` (int64): units that
        go, if so many are there. No row names an SKU twice.
    """

    at_s: NDArray[np.float64]
    store: NDArray[np.int64]
    cause: NDArray[np.int64]
    scanned: NDArray[np.bool_]
    first_line: NDArray[np.int64]
    sku: NDArray[np.int64]
    units: NDArray[np.int64]


def draw_mishaps(scenario: Scenario, streams: Streams, daily_demand: NDArray[np.float64]) -> Mishaps:
    """Draw thefts and damage: Poisson events in proportion to expected demand, geometric sizes, even over the run.

    Parameters
    ----------
    daily_demand
        Expected units a day, float64 (stores, skus).
    """
    tree, (stores, skus) = scenario.shrinkage, daily_demand.shape
    demand = float(daily_demand.sum()) * scenario.end_s / DAY_S
    keys, sizes = [], []
    for cause, share, mean in (
        (StockCause.THEFT, tree.theft_share, tree.theft_units),
        (StockCause.DAMAGE, tree.damage_share, tree.damage_units),
    ):
        generator = streams.generator(f"goods.{cause.name.lower()}")
        n = int(generator.poisson(demand * share / mean))
        slot = np.floor(generator.random(n) * scenario.end_s / SLOT_S).astype(np.int64)
        place = pick(generator.random(n), daily_demand.ravel())
        sizes.append(generator.geometric(1.0 / mean, n))
        scanned = (generator.random(n) < tree.scanned_share) & (cause is StockCause.DAMAGE)
        kind = np.where(scanned, _KINDS.index((StockCause.DAMAGE, True)), _KINDS.index((cause, False)))
        keys.append(((slot * stores + place // skus) * len(_KINDS) + kind) * skus + place % skus)
    # The same SKU twice in a row is one line of it.
    key, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    units = np.bincount(inverse, weights=np.concatenate(sizes), minlength=len(key)).astype(np.int64)
    row, first = np.unique(key // skus, return_index=True)
    slot_store, kind = np.divmod(row, len(_KINDS))
    return Mishaps(
        at_s=slot_store // stores * SLOT_S,
        store=slot_store % stores,
        cause=np.array([int(cause) for cause, _ in _KINDS])[kind],
        scanned=np.array([scanned for _, scanned in _KINDS])[kind],
        first_line=np.append(first, len(key)).astype(np.int64),
        sku=key % skus,
        units=units,
    )
