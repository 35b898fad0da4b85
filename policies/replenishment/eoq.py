"""Replenishment: Harris's economic order quantity."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.replenishment import Covering, check_costs
from sim.contracts import ReplenishmentView


@dataclass(frozen=True, slots=True, kw_only=True)
class EOQ(Covering):
    """Order the quantity that balances ordering against holding when a review finds a SKU at its reorder point or below.

    Q = sqrt(2 K D / h), in whole units, with D the daily demand (Harris 1913, *Factory, The Magazine of Management* 10(2));
    the reorder point is mu + z * sqrt(mu), at least `units_min`, with mu the expected demand over review and lead time.
    What has fallen further than Q below it gets as many Q as lift it above. It is there as the rule that everybody knows,
    and because it needs no cost of a unit short, which `s_s_optimal` does. `every_s`: review period, seconds. `z`: safety
    factor. `order_cost`: of ordering, checking and putting away one line. `holding_cost_per_unit_day`: of a unit on the shelf
    for a day, in the same money.
    """

    order_cost: float = 0.25
    holding_cost_per_unit_day: float = 0.01

    def __post_init__(self) -> None:
        Covering.__post_init__(self)
        check_costs(self.order_cost, self.holding_cost_per_unit_day)

    def __call__(self, view: ReplenishmentView) -> NDArray[Any]:
        quantity = economic_quantity(self.order_cost, self.holding_cost_per_unit_day, view.daily_demand)
        below = np.maximum(self.cover(view) + 1 - view.on_hand - view.on_order, 0)
        return np.asarray((below + quantity - 1) // quantity * quantity)


def economic_quantity(order_cost: float, holding_cost: float, demand: NDArray[Any]) -> NDArray[np.int64]:
    """The whole number Q >= 1 of least K D / Q + h Q / 2, int64 like `demand`.

    Going from Q to Q + 1 saves as long as Q (Q + 1) < 2 K D / h: the real sqrt(2 K D / h), rounded to the side that costs less.

    Parameters
    ----------
    order_cost
        K, of one order.
    holding_cost, demand
        h of a unit and D units, per the same span of time.
    """
    square = 2.0 * order_cost * demand / holding_cost
    return np.maximum(np.ceil(np.sqrt(square + 0.25) - 0.5), 1).astype(np.int64)
