"""What goods cost: those that were sold, thrown away and lost, those that lay on the shelves, and those that were missing.

Everything is at purchase prices (`catalogue.categories[].cost_share`) and from the warm-up on. What is thrown away, lost or
held is a cost like wages; what was sold was bought for less than it earned, so that it belongs to the margin; and what
customers did not get is nobody's bill: an opportunity, told apart and in no total.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.metrics.floor import YEAR_DAYS, held, moves
from sim.metrics.tables import Columns
from sim.recording import Archive
from sim.scenario import Scenario
from sim.scenario.fields import DAY_S
from sim.streams import Streams
from sim.vocabulary import OrderState, StockCause
from sim.world.catalogue import make_catalogue


class GoodsMoney:
    """What the goods of a run cost and earned, cents."""

    def __init__(self, archive: Archive, scenario: Scenario) -> None:
        self._archive, self._scenario, self._start_s = archive, scenario, scenario.warmup_h * 3600.0
        # What is sold hangs on the scenario alone, and no fact tells of it.
        self._catalogue = make_catalogue(scenario, Streams(scenario.seed))
        self._stock_cents = self._held() / (scenario.horizon_s - self._start_s)

    def costs(self) -> dict[str, float]:
        """Cents for goods thrown away (`waste`), stolen, damaged or broken (`shrink`), and for holding stock (`holding`)."""
        lost = self._archive.rows("shelf_changed")
        lost = lost[(lost["t_s"] >= self._start_s) & (lost["units"] < 0)]
        came_back = self._archive.rows("goods_returned")
        came_back = came_back[came_back["t_s"] >= self._start_s]

        def bought(*causes: StockCause) -> float:
            return _worth(lost[np.isin(lost["cause"], causes)], -self._catalogue.cost_cents)

        years = (self._scenario.horizon_s - self._start_s) / (YEAR_DAYS * DAY_S)
        return {
            "waste": bought(StockCause.SPOILAGE) + _worth(came_back[came_back["wasted"]], self._catalogue.cost_cents),
            "shrink": bought(StockCause.THEFT, StockCause.DAMAGE, StockCause.BREAKAGE),
            "holding": self._stock_cents * years * self._scenario.costs.holding_share_per_year,
        }

    def margin(self, orders: Columns, kept_cents: float) -> dict[str, int]:
        """The object `goods` of the summary.

        `sold_cents`: what the goods that customers got were bought for. `gross_margin_cents`: what was kept of their price,
        less that. `stockout_cents`: margin lost on units that the records denied or nobody found and for which nothing else
        came (`costs.stockout_share` of it; none where customers wait), of orders that entered; of baskets given up because of
        it, only these units. `stock_cents`: the mean over time, until the horizon, of what the stock was bought for.

        Parameters
        ----------
        orders
            Those that count.
        kept_cents
            What was kept for the goods of delivered orders, without tax and fees.
        """
        archive, goods, terms = self._archive, self._catalogue, self._scenario
        sold, missed = (rows[rows["t_s"] >= self._start_s] for rows in map(archive.rows, ("goods_sold", "sale_missed")))
        delivered, picked = orders["order"][orders["state"] == OrderState.DELIVERED], archive.rows("goods_picked")
        cost = _worth(picked[np.isin(picked["order"], delivered)], goods.cost_cents)
        cost += _worth(sold, goods.cost_cents, "taken")
        returned, came = archive.rows("goods_returned"), archive.rows("line_substituted")
        cost -= _worth(returned[np.isin(returned["order"], delivered)], goods.cost_cents)
        lacking = [archive.rows(kind) for kind in ("line_missing", "hold_reduced")]
        lacking = [*(rows[np.isin(rows["order"], orders["order"])] for rows in lacking), missed]
        margin_cents = goods.net_cents - goods.cost_cents
        lost = sum(_worth(rows, margin_cents) for rows in lacking)
        lost -= _worth(came[np.isin(came["order"], orders["order"])], margin_cents)  # something else came instead
        lost *= terms.costs.stockout_share
        return {
            "sold_cents": round(cost),
            "gross_margin_cents": round(kept_cents + _worth(sold, goods.net_cents) - cost),
            "stockout_cents": round(lost) if terms.unmet == "lost" else 0,
            "stock_cents": round(self._stock_cents),
        }

    def _held(self) -> float:
        """Cents times seconds of the stock, warm-up to horizon, at purchase prices: on shelves, at docks, on roads."""
        archive, scenario = self._archive, self._scenario
        changed = archive.rows("shelf_changed")
        came = changed[(changed["cause"] == StockCause.TRANSFER) & (changed["units"] > 0)]
        moved = moves(archive, archive.rows("goods_picked"))
        moved += [(archive.rows("goods_docked"), 1), (archive.rows("goods_sent"), 1), (came, -1)]
        if scenario.stores.dock is not None:
            moved.append((changed[changed["cause"] == StockCause.DELIVERY], -1))
        return held(moved, self._start_s, scenario.horizon_s, self._catalogue.cost_cents)


def _worth(rows: Any, cents: NDArray[Any], sku: str = "sku") -> float:
    return float((rows["units"] * cents[rows[sku]]).sum())
