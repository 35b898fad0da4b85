"""Who orders what, when, where; and everything about an order that is up to the world: drawn before the clock starts.

Each column has its own keyed stream, so two policies under one seed face the same day, order by order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario
from sim.scenario.drivers import Drivers
from sim.scenario.fields import clock_s
from sim.streams import Die, Streams, lognormal, pick, quantised
from sim.vocabulary import PayMethod, quantise
from sim.world.catalogue import Catalogue

BIN_S = 60.0

FRAUD_PATIENCE_S = 420.0
"""Mean time after which a fraudster calls an order off: when a driver has usually set out, seconds (judgement)."""

FRAUD_UNITS = 3
"""A fraudster's order has so many times as much of each article (judgement)."""

ELSEWHERE = 0.05
"""Share of an honest client's orders that go to another address than usual, where fraudsters are about (judgement)."""


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Every order that customers will try to place, by time; an order's id is its row.

    Second taps that the platform will take for new requests have the rows behind those.

    Attributes
    ----------
    entered_s
        float64 (n,), ascending.
    client, node, cell
        int32 (n,).
    first_line
        int64 (n + 1,): order ``o`` has the lines ``first_line[o]:first_line[o + 1]`` of `sku`, `units` (int32).
    value_cents, litres
        int64 and float64 (n,): goods without fees; volume.
    patience_s
        float64 (n,): the customer cancels this long after ordering (infinite: never).
    submit_s, window_s
        float64 (n,): the platform's latencies for this order.
    method
        int8 (n,): how the customer pays, see `sim.vocabulary.PayMethod`.
    pay_chance, pay_s
        float64 (n, attempts): uniform draw that decides each charge, and how long the provider takes.
    pick_noise
        float64 (n,): factor on the pick time.
    mispicks
        order -> SKUs of its lines for which the SKU beside the right one will be taken.
    breakages, overlooked
        order -> SKUs of its lines of which a unit breaks, or which the picker takes for missing though they are there.
    pack_s
        float64 (n,): time at a packing station; empty without any.
    taps
        Orders whose request is sent twice; and the number that the second has if the platform takes it for a new one: that of the
        first, unless it forgets requests so soon (`takes_twice`).
    ride_noise
        float64 (n, 3): factor on the leg to the store, to the customer, and back.
    counter_s, door_s
        float64 (n,): time at the store's counter and at the customer's door.
    """

    entered_s: NDArray[np.float64]
    client: NDArray[np.int32]
    node: NDArray[np.int32]
    cell: NDArray[np.int32]
    first_line: NDArray[np.int64]
    sku: NDArray[np.int32]
    units: NDArray[np.int32]
    value_cents: NDArray[np.int64]
    litres: NDArray[np.float64]
    patience_s: NDArray[np.float64]
    submit_s: NDArray[np.float64]
    window_s: NDArray[np.float64]
    method: NDArray[np.int8]
    pay_chance: NDArray[np.float64]
    pay_s: NDArray[np.float64]
    pick_noise: NDArray[np.float64]
    mispicks: dict[int, frozenset[int]]
    breakages: dict[int, frozenset[int]]
    overlooked: dict[int, frozenset[int]]
    pack_s: NDArray[np.float64]
    taps: dict[int, int]
    ride_noise: NDArray[np.float64]
    counter_s: NDArray[np.float64]
    door_s: NDArray[np.float64]

    @property
    def orders(self) -> int:
        """Number of orders, those of second taps included."""
        return len(self.entered_s)

    @property
    def customers(self) -> int:
        """Number of orders that somebody means to place."""
        return self.orders - sum(first != second for first, second in self.taps.items())


@dataclass(frozen=True, slots=True, eq=False)
class Wishes:
    """What customers want, before anything is drawn about how it goes: a part of `Trace`."""

    entered_s: NDArray[np.float64]
    node: NDArray[np.int32]
    first_line: NDArray[np.int64]
    sku: NDArray[np.int32]
    units: NDArray[np.int32]


def rate_per_bin(scenario: Scenario) -> NDArray[np.float64]:
    """Expected orders in each minute from the start to the horizon, float64 (minutes,), flash sales left out."""
    demand = scenario.demand
    bins = int(np.ceil(scenario.horizon_s / BIN_S))
    local_s = np.arange(bins) * BIN_S - scenario.midnight_s
    day, hour = (local_s // 86_400).astype(int), (local_s % 86_400 // 3600).astype(int)
    profile = np.array(demand.profile) / sum(demand.profile)
    dates = [scenario.date(d) for d in range(int(day.max()) + 1)]
    factor = np.array([
        demand.weekday[date.weekday()] * demand.calendar.get(date.date().isoformat(), 1.0) for date in dates
    ])  # fmt: skip
    rate = demand.orders_per_day * profile[hour] / 60.0 * factor[day] * demand.weather.demand_factor
    for surge in demand.surges:
        start = clock_s(surge.at)
        inside = np.clip(np.minimum(local_s + BIN_S, start + surge.minutes * 60) - np.maximum(local_s, start), 0, BIN_S)
        rate *= 1.0 + (surge.factor - 1.0) * inside / BIN_S
    last = scenario.horizon_s - (bins - 1) * BIN_S
    rate[-1] *= last / BIN_S
    return np.asarray(rate)


def _arrivals(scenario: Scenario, streams: Streams) -> NDArray[np.float64]:
    """A Poisson process whose rate is constant within each minute: a Poisson count, placed by the inverse of its mean."""
    rate = rate_per_bin(scenario)
    mean = np.concatenate([[0.0], np.cumsum(rate)])
    edges = np.minimum(np.arange(len(mean)) * BIN_S, scenario.horizon_s)
    generator = streams.generator("demand.arrivals")
    if scenario.demand.arrivals == "even":
        count = int(np.floor(mean[-1] + 0.5))
        places = (np.arange(count) + 0.5) / max(count, 1)
    else:
        count = int(generator.poisson(mean[-1]))
        places = np.sort(generator.random(count))
    if not count:
        return np.empty(0)
    # The minute that holds each place, then the place within it: nobody arrives in a minute whose rate is zero.
    reached = places * mean[-1]
    last = int(np.flatnonzero(rate)[-1])
    minute = np.minimum(np.searchsorted(mean, reached, side="right") - 1, last)
    within = np.minimum((reached - mean[minute]) / rate[minute], 1.0)
    return np.asarray(edges[minute] + within * (edges[minute + 1] - edges[minute]))


def draw_wishes(scenario: Scenario, streams: Streams, weights: NDArray[np.float64], catalogue: Catalogue) -> Wishes:
    """Draw arrivals, places and baskets from the scenario's demand.

    Parameters
    ----------
    weights
        Chance of a customer at each node, float64 (nodes,), summing to 1.
    """
    regular = _arrivals(scenario, streams)
    sales = scenario.demand.flash_sales
    extra = [
        np.sort(streams.generator(f"demand.flash.{i}").random(sale.buyers)) * sale.seconds
        + clock_s(sale.at)
        + scenario.midnight_s
        for i, sale in enumerate(sales)
    ]
    # Row of each order's flash sale, -1 for the day's ordinary demand.
    entered = np.concatenate([regular, *extra])
    sale_of = np.concatenate(
        [np.full(len(regular), -1), *(np.full(len(times), i) for i, times in enumerate(extra))]
    ).astype(int)
    inside = (entered >= 0) & (entered < scenario.horizon_s)
    entered, sale_of = entered[inside], sale_of[inside]
    order = np.argsort(entered, kind="stable")
    entered, sale_of = quantised(entered[order]), sale_of[order]
    count = len(entered)

    basket = scenario.demand.basket
    lines = 1 + streams.generator("demand.lines").poisson(basket.lines_mean - 1, count)
    lines[sale_of >= 0] = 1
    owner = np.repeat(np.arange(count), lines)
    sku = pick(streams.generator("demand.skus").random(len(owner)), catalogue.popularity)
    units = streams.generator("demand.units").geometric(1.0 / basket.units_mean, len(owner)).astype(np.int64)
    sale_line = sale_of[owner]
    for i, sale in enumerate(sales):
        sku[sale_line == i], units[sale_line == i] = sale.sku, sale.units
    # The same SKU twice in a basket is one line.
    key, inverse = np.unique(owner * np.int64(catalogue.skus) + sku, return_inverse=True)
    merged = np.bincount(inverse, weights=units, minlength=len(key)).astype(np.int32)
    owner = key // catalogue.skus
    return Wishes(
        entered_s=entered,
        node=pick(streams.generator("demand.places").random(count), weights).astype(np.int32),
        first_line=np.searchsorted(owner, np.arange(count + 1)).astype(np.int64),
        sku=(key % catalogue.skus).astype(np.int32),
        units=merged,
    )


def no_wishes() -> Wishes:
    """Of a run in which nobody orders anything."""
    nothing = np.empty(0, dtype=np.int32)
    return Wishes(np.empty(0), nothing, np.zeros(1, dtype=np.int64), nothing, nothing)


def handling(generator: np.random.Generator, noise: str, mean: float, cv: float, size: int) -> NDArray[np.float64]:
    if noise == "exponential":
        return np.asarray(mean * generator.exponential(1.0, size))
    return lognormal(generator, mean, cv if noise == "lognormal" else 0.0, size)


def _of_fraudsters(
    wishes: Wishes, client: NDArray[np.int32], crooked: NDArray[np.bool_], owner: NDArray[Any], luck: Die
) -> Wishes:
    """What fraudsters and honest clients want, where there are any of the first: `crooked` tells whose order each is, (n,).

    An honest client orders to one address, and now and then to another. A fraudster gives another each time, for goods that
    sell again, much of each; and calls off when the driver is on the way. The platform does not know who they are.
    """
    _, first, which = np.unique(client, return_index=True, return_inverse=True)
    elsewhere = crooked | (luck.uniforms(np.arange(len(client))) < ELSEWHERE)
    node = np.where(elsewhere, wishes.node, wishes.node[first][which]).astype(np.int32)
    units = np.where(crooked[owner], FRAUD_UNITS * wishes.units, wishes.units).astype(np.int32)
    return replace(wishes, node=node, units=units)


def _owners(wishes: Wishes) -> NDArray[np.int64]:
    """Whose order each line is of, (lines,)."""
    return np.repeat(np.arange(len(wishes.entered_s)), np.diff(wishes.first_line))


def takes_twice(scenario: Scenario) -> bool:
    """Whether the gateway has forgotten a request, or never kept it, when its second tap comes."""
    kept, gap_s = scenario.platform.idempotency, quantise(scenario.customers.double_tap_s)
    return not kept.on or kept.ttl_s <= gap_s


def _with_again(wishes: Wishes, again: NDArray[np.int64], after_s: float) -> Wishes:
    """Wishes, and behind them once more those of the orders `again`, so long after."""
    lines = [np.arange(wishes.first_line[order], wishes.first_line[order + 1]) for order in again]
    chosen = np.concatenate([np.empty(0, dtype=np.int64), *lines])
    ends = wishes.first_line[-1] + np.cumsum([len(mine) for mine in lines], dtype=np.int64)
    return Wishes(
        entered_s=np.concatenate([wishes.entered_s, wishes.entered_s[again] + after_s]),
        node=np.concatenate([wishes.node, wishes.node[again]]),
        first_line=np.concatenate([wishes.first_line, ends]),
        sku=np.concatenate([wishes.sku, wishes.sku[chosen]]),
        units=np.concatenate([wishes.units, wishes.units[chosen]]),
    )


def complete(
    scenario: Scenario, streams: Streams, wishes: Wishes, catalogue: Catalogue, cell: NDArray[np.int32]
) -> Trace:
    """Draw everything else about the orders that is up to the world."""
    pickers, drivers, platform, pay = scenario.pickers, scenario.drivers, scenario.platform, scenario.payments
    quiet = 0.0 if platform.profile == "minimal" else 1.0
    meant = len(wishes.entered_s)
    client = streams.generator("demand.clients").integers(0, scenario.customers.clients, meant).astype(np.int32)
    method = pick(streams.generator("payments.method").random(meant), _shares(pay.methods)).astype(np.int8)
    share = platform.fraud.planted_share
    crooked = np.zeros(meant, dtype=bool)
    if share:
        crooked = streams.die("fraud.planted").uniforms(client.astype(np.int64)) < share
        wishes = _of_fraudsters(wishes, client, crooked, _owners(wishes), streams.die("fraud.elsewhere"))
    twice = streams.generator("customers.taps").random(meant) < scenario.customers.double_tap_share * quiet
    tapped = seconds = np.flatnonzero(twice)
    if len(tapped) and takes_twice(scenario):
        seconds = meant + np.arange(len(tapped))
        rows = np.concatenate([np.arange(meant), tapped])
        wishes = _with_again(wishes, tapped, quantise(scenario.customers.double_tap_s))
        client, method, crooked = client[rows], method[rows], crooked[rows]
    n, owner = len(client), _owners(wishes)

    def per_order(purpose: str, mean: float, cv: float) -> NDArray[np.float64]:
        return quantised(lognormal(streams.generator(purpose), mean, cv, n))

    def per_attempt(columns: int) -> tuple[int, int]:
        return n, columns

    shape = per_attempt(pay.attempts_max)
    pay_generator = streams.generator("payments.latency")
    pay_s = lognormal(pay_generator, pay.latency_s * quiet, pay.latency_cv, n * pay.attempts_max).reshape(shape)
    patience = scenario.customers.patience_s
    ride = streams.generator("travel.noise")

    def lines(purpose: str, share: float) -> dict[int, frozenset[int]]:
        """SKUs of the lines that something happens to, by order."""
        found: dict[int, frozenset[int]] = {}
        for line in np.flatnonzero(streams.generator(purpose).random(len(owner)) < share).tolist() if share else ():
            order = int(owner[line])
            found[order] = found.get(order, frozenset()) | {int(wishes.sku[line])}
        return found

    packing = scenario.stores.packing
    return Trace(
        entered_s=wishes.entered_s,
        client=client,
        node=wishes.node,
        cell=cell[wishes.node],
        first_line=wishes.first_line,
        sku=wishes.sku,
        units=wishes.units,
        value_cents=_sum(owner, wishes.units * catalogue.price_cents[wishes.sku], n).astype(np.int64),
        litres=_sum(owner, wishes.units * catalogue.litres[wishes.sku], n),
        patience_s=np.where(
            crooked,
            per_order("fraud.patience", FRAUD_PATIENCE_S, 0.4) if share else np.inf,
            np.full(n, np.inf)
            if patience is None
            else quantised(
                handling(
                    streams.generator("customers.patience"),
                    scenario.customers.patience_noise,
                    patience,
                    scenario.customers.patience_cv,
                    n,
                )
            ),
        ),
        submit_s=per_order("platform.submit", platform.submit_s * quiet, platform.submit_cv),
        window_s=per_order("platform.window", platform.window_s * quiet, platform.window_cv),
        method=method,
        pay_chance=streams.generator("payments.chance").random(shape),
        pay_s=quantised(pay_s),
        pick_noise=quantised(handling(streams.generator("pickers.noise"), pickers.noise, 1.0, pickers.noise_cv, n)),
        mispicks=lines("pickers.mispick", pickers.mispick_share),
        breakages=lines("pickers.breakage", pickers.breakage_share),
        overlooked=lines("pickers.overlook", pickers.overlook_share),
        pack_s=quantised(
            handling(streams.generator("packing.noise"), pickers.noise, 1.0, pickers.noise_cv, n)
            * (packing.base_s + packing.per_unit_s * _sum(owner, wishes.units, n))
        )
        if packing is not None
        else np.empty(0),
        taps=dict(zip(tapped.tolist(), seconds.tolist(), strict=True)),
        ride_noise=lognormal(ride, 1.0, scenario.travel.noise_cv, 3 * n).reshape(n, 3)
        * scenario.demand.weather.ride_factor,
        counter_s=quantised(
            handling(streams.generator("drivers.counter"), drivers.noise, drivers.handoff_s, drivers.noise_cv, n)
        ),
        door_s=quantised(
            handling(streams.generator("drivers.door"), drivers.noise, 1.0, drivers.noise_cv, n)
            * _door_s(drivers, streams, wishes.node)
        ),
    )


def _door_s(drivers: Drivers, streams: Streams, node: NDArray[np.int32]) -> NDArray[np.float64] | float:
    """Mean time at each customer's door by the building: the same at every order from there, seconds, (n,)."""
    if not drivers.buildings:
        return drivers.door_s
    kinds = list(drivers.buildings.values())
    chances = streams.die("customers.buildings").uniforms(node.astype(np.int64))
    return np.array([kind.door_s for kind in kinds])[pick(chances, np.array([kind.share for kind in kinds]))]


def _shares(methods: Mapping[Any, float]) -> NDArray[np.float64]:
    """Share of each `PayMethod`, in their order."""
    return np.array([methods.get(method.name.lower(), 0.0) for method in PayMethod])


def _sum(owner: NDArray[Any], values: NDArray[Any], n: int) -> NDArray[np.float64]:
    return np.asarray(np.bincount(owner, weights=values, minlength=n), dtype=np.float64)


def daily_demand(scenario: Scenario, catalogue: Catalogue, store_shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Expected units of each SKU a normal day brings each store, float64 (stores, skus)."""
    basket = scenario.demand.basket
    units = scenario.demand.orders_per_day * basket.lines_mean * basket.units_mean
    return np.asarray(store_shares[:, None] * catalogue.popularity[None, :] * units)


def believed_demand(scenario: Scenario, streams: Streams, daily: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the office believes of `daily_demand` before any sale: each SKU is off by a factor, the same in all stores."""
    return np.asarray(daily * lognormal(streams.generator("belief"), 1.0, scenario.supply.belief_cv, daily.shape[1]))
