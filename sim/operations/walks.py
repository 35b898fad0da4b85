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

    `order_s` holds both the walk and the time to enter zones (`zones_s`). `order_met` is how likely another picker of
    the store is to be in the aisle where one of an order's lines is picked: others are where the lines are.

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
                raise InputError(
                    f"{where}: expected slots for its {len(skus)} {name} SKUs, got {len(free)} slots"
                    " (see catalogue.skus, catalogue.categories)."
                )
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
        walk_s, zones_s = self._parts_s(trace.orders, owner, trace.sku)
        self.order_s: Any = quick(walk_s + zones_s)
        self.zones_s = zones_s
        lines = np.bincount(self._aisle, weights=self._demand, minlength=self._block.aisles)
        self._met = (lines / lines.sum())[self._aisle]
        met = np.bincount(owner, weights=self._met[trace.sku], minlength=trace.orders)
        self.order_met = met / np.maximum(np.diff(trace.first_line), 1)
        tours = np.repeat(np.arange(LINES_MAX * SAMPLE), np.repeat(np.arange(1, LINES_MAX + 1), SAMPLE))
        baskets = pick(fixed.generator("stores.baskets").random(len(tours)), goods.popularity)
        means = self._walks_s(LINES_MAX * SAMPLE, tours, baskets).reshape(LINES_MAX, SAMPLE).mean(axis=1)
        self._means: list[float] = [0.0, *means.tolist()]

    def _walks_s(self, tours: int, tour: NDArray[Any], sku: NDArray[Any]) -> NDArray[np.float64]:
        walk_s, zones_s = self._parts_s(tours, tour, sku)
        return walk_s + zones_s

    def _parts_s(
        self, tours: int, tour: NDArray[Any], sku: NDArray[Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of each tour: seconds walked, and spent on entering zones."""
        seen = visits(self._block, tours, tour, self._aisle[sku], self._along_m[sku])
        metres = np.asarray(self._routing(self._block, seen))
        if metres.shape != (tours,):
            raise InputError(
                f"policies.routing: expected metres of {tours} tours, got an array of shape {metres.shape}."
            )
        zones_s = np.zeros(tours)
        for inside, enter_s in self._zones:
            zones_s[np.unique(tour[inside[sku]])] += enter_s
        return np.asarray(metres / self._speed), zones_s

    def sections(self, count: int) -> NDArray[np.int64]:
        """Split the store into `count` stretches of neighbouring aisles from which about as many lines come: of each SKU, its."""
        lines = np.bincount(self._aisle, weights=self._demand, minlength=self._block.aisles)
        middle = np.cumsum(lines) - lines / 2.0
        section = np.minimum((middle / lines.sum() * count).astype(np.int64), count - 1)
        return np.asarray(section[self._aisle])

    def tour_s(self, orders: Sequence[int]) -> float:
        """Seconds of one tour past the lines of several orders."""
        return sum(self.past(self.lines(orders))[:2])

    def lines(self, orders: Sequence[int]) -> NDArray[Any]:
        """SKUs of several orders as they were ordered, one after the other."""
        first, sku = self._first_line, self._sku
        return np.concatenate([sku[first[order] : first[order + 1]] for order in orders])

    def past(self, skus: Sequence[int] | NDArray[Any]) -> tuple[float, float, float]:
        """One tour past some SKUs: seconds walked and spent on entering zones, and as `order_met`."""
        lines = np.asarray(skus, dtype=np.int64)
        walk_s, zones_s = self._parts_s(1, np.zeros(len(lines), dtype=np.int64), lines)
        return float(walk_s[0]), float(zones_s[0]), float(self._met[lines].mean())

    def shares(self, section: NDArray[np.int64], count: int) -> NDArray[np.float64]:
        """Share of the lines that come from each of `count` stretches of aisles, given each SKU's, see `sections`."""
        lines = np.bincount(section, weights=self._demand, minlength=count)
        return np.asarray(lines / lines.sum())

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
