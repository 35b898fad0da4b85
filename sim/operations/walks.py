"""How far pickers walk: the layout of the stores, what lies where, and the length of every order's tour."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts import Policies, SlottingView
from sim.scenario.stores import Layout
from sim.streams import Streams, pick, quick
from sim.vocabulary import InputError
from sim.world.build import World
from sim.world.walking import slots, visits

LINES_MAX, SAMPLE = 24, 200
"""Up to how many lines the platform knows the mean walk of a basket, and from how many baskets."""


class Walks:
    """Seconds of walking: of each order (`order_s`), and as expected of a basket with so many lines (`expected_s`).

    A tour is that of the basket as ordered; lines that the records deny are few, and the way past them is not shorter by much.
    Where goods lie is the same in all replications, as everything that stands before anybody orders.
    """

    def __init__(self, world: World, policies: Policies, layout: Layout) -> None:
        scenario, goods, trace = world.scenario, world.catalogue, world.trace
        self._block, aisle, along_m = slots(layout)
        self._speed, self._routing = scenario.pickers.walk_m_s, policies.routing
        fixed = Streams(scenario.seed)
        self._aisle, self._along_m = np.zeros(goods.skus, dtype=np.int64), np.zeros(goods.skus)
        kept = np.array([category.zone for category in scenario.catalogue.categories])[goods.category]
        kept[~np.isin(kept, list(layout.zones))] = "ambient"
        self._zones = [(kept == name, zone.enter_s) for name, zone in layout.zones.items()]
        generator = fixed.generator("stores.slotting")
        for name in ("ambient", *layout.zones):
            skus, free = np.flatnonzero(kept == name), np.flatnonzero(np.isin(aisle, layout.aisles_of(name)))
            if not len(skus):
                continue
            if len(free) < len(skus):
                where = "stores.layout" if name == "ambient" else f"stores.layout.zones.{name}"
                raise InputError(f"{where}: expected slots for its {len(skus)} {name} SKUs, got {len(free)} slots.")
            view = SlottingView(
                goods.popularity[skus], goods.category[skus], self._block, aisle[free], along_m[free], generator
            )
            slot = np.asarray(policies.slotting(view))
            if slot.shape != (len(skus),) or slot.min() < 0 or slot.max() >= len(free):
                raise InputError(
                    f"policies.slotting: expected a slot below {len(free)} for each of {len(skus)} SKUs, got {slot!r:.80}."
                )
            self._aisle[skus], self._along_m[skus] = aisle[free][slot], along_m[free][slot]
        self._demand, self.aisles = goods.popularity, layout.aisles
        self._first_line, self._sku = trace.first_line, trace.sku
        owner = np.repeat(np.arange(trace.orders), np.diff(trace.first_line))
        self.order_s: Any = quick(self._walks_s(trace.orders, owner, trace.sku))
        tours = np.repeat(np.arange(LINES_MAX * SAMPLE), np.repeat(np.arange(1, LINES_MAX + 1), SAMPLE))
        baskets = pick(fixed.generator("stores.baskets").random(len(tours)), goods.popularity)
        means = self._walks_s(LINES_MAX * SAMPLE, tours, baskets).reshape(LINES_MAX, SAMPLE).mean(axis=1)
        self._means: list[float] = [0.0, *means.tolist()]

    def _walks_s(self, tours: int, tour: NDArray[Any], sku: NDArray[Any]) -> NDArray[np.float64]:
        seen = visits(self._block, tours, tour, self._aisle[sku], self._along_m[sku])
        metres = np.asarray(self._routing(self._block, seen))
        if metres.shape != (tours,):
            raise InputError(
                f"policies.routing: expected metres of {tours} tours, got an array of shape {metres.shape}."
            )
        walk_s = metres / self._speed
        for inside, enter_s in self._zones:
            walk_s[np.unique(tour[inside[sku]])] += enter_s
        return np.asarray(walk_s)

    def sections(self, count: int) -> NDArray[np.int64]:
        """Split the store into `count` stretches of neighbouring aisles from which about as many lines come: of each SKU, its."""
        lines = np.bincount(self._aisle, weights=self._demand, minlength=self._block.aisles)
        middle = np.cumsum(lines) - lines / 2.0
        section = np.minimum((middle / lines.sum() * count).astype(np.int64), count - 1)
        return np.asarray(section[self._aisle])

    def tour_s(self, orders: Sequence[int]) -> float:
        """Seconds of one tour past the lines of several orders."""
        first, sku = self._first_line, self._sku
        lines = np.concatenate([sku[first[order] : first[order + 1]] for order in orders])
        return self.past_s(lines)

    def past_s(self, skus: Sequence[int] | NDArray[Any]) -> float:
        """Seconds of one tour past some SKUs."""
        return float(self._walks_s(1, np.zeros(len(skus), dtype=np.int64), np.asarray(skus, dtype=np.int64))[0])

    def expected_s(self, lines: int) -> float:
        """Mean walk of a basket with so many lines."""
        return self._means[min(lines, LINES_MAX)]


def walks_of(world: World, policies: Policies) -> Walks | None:
    """The walks of a run; None where the scenario has no layout."""
    layout = world.scenario.stores.layout
    return None if layout is None else Walks(world, policies, layout)


def expected_pick_s(world: World, walks: Walks | None) -> Callable[[int, int], float]:
    """The expected seconds to pick and pack an order of so many lines and units, as a function of these."""
    picking_s, packing, unit_s = expected_handling_s(world), world.scenario.stores.packing, 0.0
    # Packed at a station or by its picker: it is a part of what an order takes until it stands at the counter.
    base_s = 0.0
    if packing is not None:
        base_s, unit_s = packing.base_s, packing.per_unit_s
    if walks is None and packing is None:
        return picking_s
    if walks is None:
        return lambda lines, units: picking_s(lines, units) + base_s + unit_s * units
    # Asked twice for every order, so it is one call: what does not hang on the units is known for each number of lines.
    known = [picking_s(lines, 0) + base_s + walks.expected_s(lines) for lines in range(LINES_MAX + 1)]
    per_unit_s = world.scenario.pickers.per_unit_s + unit_s
    return lambda lines, units: (
        known[lines] + per_unit_s * units
        if lines <= LINES_MAX
        else picking_s(lines, units) + base_s + unit_s * units + walks.expected_s(lines)
    )


def expected_handling_s(world: World) -> Callable[[int, int], float]:
    """As `expected_pick_s`, without the walk."""
    pickers = world.scenario.pickers
    base_s, per_line_s, per_unit_s = pickers.base_s, pickers.per_line_s, pickers.per_unit_s
    return lambda lines, units: base_s + per_line_s * lines + per_unit_s * units
