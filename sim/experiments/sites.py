"""Where the next stores go, and whether they pay.

Three ways to say what a good place is, on real rides at the busiest hour with the existing stores held open: the least way for
all customers (p-median), the most customers within reach (maximal covering), and the most money (fixed charge). The best few
choices are then simulated against today's network with the same customers.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.experiments.candidates import DAYS_A_MONTH, RENT_SHARE, Candidate, in_zone, ride_s
from sim.experiments.roster import hour_cents
from sim.experiments.trials import Days, Trials, asked_of, held, mean_of
from sim.opening import ready_world
from sim.scenario import Scenario
from sim.scenario.stores import Site
from sim.siting import Effort, Sites, fixed_charge, maximal_covering, p_median
from sim.statistics import Difference, paired
from sim.streams import Streams
from sim.vocabulary import InputError
from sim.world.build import World

EFFORT = Effort(shakes=30, steps=1500, nodes=300)
"""How hard the location problems are worked at: seconds for two hundred candidates."""

FIT_OUT_MONTHS = 36.0
"""Months over which fit-out is spread in the location problem of money (judgement)."""

LOST_CENTS = 900.0
"""What an order that nobody can place is worth, cents (judgement, for choosing places; money is simulated afterwards)."""

WATCHED = (
    "orders.entered", "orders.delivered", "orders.by_reason.out_of_zone", "click_to_door_s.mean", "click_to_door_s.p95",
    "on_time", "utilisation.pickers", "utilisation.drivers", "cost.per_order_cents",
)  # fmt: skip


class Choice(NamedTuple):
    """A set of new sites, and which problem it solves.

    Attributes
    ----------
    ways
        The problems whose answer it is ("median", "covering", "money", or "runner-up").
    sites
        Numbers of candidates.
    proven
        Whether nothing better exists, by the first of them.
    """

    ways: tuple[str, ...]
    sites: tuple[int, ...]
    proven: bool


def chosen(world: World, candidates: Sequence[Candidate], count: int, few: int) -> tuple[list[Choice], dict[str, Any]]:
    """Solve the location problems; returns the best few choices, and what the problems say of today and of each.

    Parameters
    ----------
    count
        How many new stores.
    few
        How many choices are wanted: those of the three problems, and then runners-up of the first.
    """
    stores = list(world.store_nodes)
    people = np.asarray(
        np.bincount(world.cell, weights=world.node_weights, minlength=len(world.cells)), dtype=np.float64
    )
    nodes = [*(candidate.node for candidate in candidates), *stores]
    seconds, inside = ride_s(world, nodes), in_zone(world, nodes)
    cells, there = len(people), np.flatnonzero(people > 0.0)
    seconds, inside, people = seconds[there], inside[there], people[there]
    served = inside[:, len(candidates) :].max(axis=1)
    # Who is in nobody's zone goes without, which counts as twice the longest way that is served.
    far_s = 2.0 * float(seconds[inside > 0.0].max(initial=600.0))
    competition = np.array([candidate.competition for candidate in candidates] + [0.0] * len(stores))
    reached = inside * (1.0 - (1.0 - served)[:, None] * competition[None, :])
    way = seconds * reached + far_s * (1.0 - reached)
    existing = list(range(len(candidates), len(candidates) + len(stores)))
    total = len(existing) + count
    median = p_median(way, total, weights=people, held=existing, effort=EFFORT)
    covering = maximal_covering(1.0 - inside, 0.5, total, weights=people, held=existing, effort=EFFORT)
    money = _money(world, candidates, seconds, people, reached, existing, total)
    pays = _money(world, candidates, seconds, people, reached, existing, None)
    found: dict[tuple[int, ...], Choice] = {}

    def add(way_name: str, answer: Sites) -> None:
        new = tuple(int(site) for site in answer.sites if site < len(candidates))
        known = found.get(new)
        found[new] = known._replace(ways=(*known.ways, way_name)) if known else Choice((way_name,), new, answer.proven)

    for name, answer in (("median", median), ("covering", covering), ("money", money)):
        add(name, answer)
    # Runners-up: the best choice without one of the sites of the best.
    for left_out in tuple(site for site in median.sites if site < len(candidates)):
        if len(found) >= few:
            break
        barred = way.copy()
        barred[:, left_out] = 2.0 * far_s
        add("runner-up", p_median(barred, total, weights=people, held=existing, effort=EFFORT))
    chosen_few = list(found.values())[:few]

    def with_open(new: Sequence[int]) -> dict[str, Any]:
        return _said(seconds, inside, people, [*new, *existing], cells, there)

    said = {
        "far_s": far_s, "today": with_open(()), "pays": int((pays.sites < len(candidates)).sum()),
        "choices": [with_open(choice.sites) for choice in chosen_few],
    }  # fmt: skip
    return chosen_few, said


def _money(
    world: World, candidates: Sequence[Candidate], seconds: NDArray[np.float64], people: NDArray[np.float64],
    reached: NDArray[np.float64], existing: Sequence[int], total: int | None,
) -> Sites:  # fmt: skip
    """The choice that costs least a day: rides there and back, orders that nobody serves, rent, pickers, fit-out."""
    scenario = world.scenario
    cents_a_second = hour_cents(scenario, "drivers") / 3600.0
    orders = people / people.sum() * scenario.demand.orders_per_day
    per_order = 2.0 * seconds * cents_a_second * reached + LOST_CENTS * (1.0 - reached)
    pickers = 0.0
    if scenario.pickers.shifts[0].people is None:
        hours = sum(shift.share * shift.hours for shift in scenario.pickers.shifts)
        pickers = scenario.pickers.per_store * hours * hour_cents(scenario, "pickers")
    running = pickers + scenario.costs.store_day_cents * (1.0 - RENT_SHARE)
    months = FIT_OUT_MONTHS * DAYS_A_MONTH
    opening = [each.rent_cents / DAYS_A_MONTH + each.fit_out_cents / months + running for each in candidates]
    opening += [0.0] * len(existing)
    return fixed_charge(per_order, opening, p=total, weights=orders, held=existing, effort=EFFORT)


def _said(
    seconds: NDArray[np.float64], inside: NDArray[np.float64], people: NDArray[np.float64], open_: Sequence[int],
    cells: int, there: NDArray[np.int64],
) -> dict[str, Any]:  # fmt: skip
    """Share of all customers in a store's zone, their mean ride, and the ride to each cell, seconds; None where nobody lives."""
    some = list(open_)
    weight = people * inside[:, some].max(axis=1)
    ride_s = float((seconds[:, some].min(axis=1) * weight).sum() / max(weight.sum(), 1e-300))
    rides: list[float | None] = [None] * cells
    for cell, nearest_s in zip(there.tolist(), seconds[:, some].min(axis=1).tolist(), strict=True):
        rides[cell] = round(nearest_s, 1)
    return {"covered": float(weight.sum() / people.sum()), "ride_s": ride_s, "rides_s": rides}


def with_sites(scenario: Scenario, world: World, new: Sequence[Candidate]) -> Scenario:
    """The scenario with today's stores where they are, and new ones.

    A new store has pickers as the others have, where the scenario says how many a store has; drivers stay as many in all.
    """
    geography = world.geography
    places = [
        Site(name=name, lat=float(geography.lat[node]), lon=float(geography.lon[node]))
        for name, node in zip(world.store_names, world.store_nodes, strict=True)
    ]
    places += [Site(name=candidate.name, lat=candidate.lat, lon=candidate.lon) for candidate in new]
    stores = scenario.stores.model_copy(update={"place": tuple(places), "count": len(places)})
    return scenario.model_copy(update={"stores": stores})


def sites(
    scenario: Scenario,
    trials: Trials,
    find: Callable[[World], list[Candidate]],
    count: int,
    few: int = 3,
    told: Callable[[str], None] = lambda what: None,
    first: Callable[[str], None] = lambda what: None,
) -> dict[str, Any]:
    """Choose where new stores go, and simulate the best few choices against today's network.

    Parameters
    ----------
    find
        Finds the candidates.
    count, few
        How many new stores; how many choices are simulated.
    told, first
        Told what is being done; told the first answer, long before the last.

    Raises
    ------
    InputError
        There are fewer candidates than stores to open.
    """
    world = ready_world(scenario, Streams(scenario.seed))
    candidates = find(world)
    if count > len(candidates):
        raise InputError(f"--open {count}: expected at most {len(candidates)}, the candidates there are.")
    told(f"locations among {len(candidates)} candidates")
    choices, said = chosen(world, candidates, count, few)
    first(_first(candidates, choices[0], said))
    told("today's network, and the best few")
    networks = [with_sites(scenario, world, [candidates[site] for site in choice.sites]) for choice in choices]
    today, *after = trials.days(with_sites(scenario, world, []), *networks)
    levels, span = asked_of(scenario, platform=False), _days_run(scenario)
    profit_today = math.fsum(_profit(day) for day in today) / len(today) / span
    return {
        "open": count, "candidates": [candidate._asdict() for candidate in candidates], "stores": [
            {"name": name, "lat": float(world.geography.lat[node]), "lon": float(world.geography.lon[node])}
            for name, node in zip(world.store_names, world.store_nodes, strict=True)
        ],
        "cells": list(world.cells),
        "cell_weights": np.bincount(world.cell, weights=world.node_weights, minlength=len(world.cells)).round(9).tolist(),
        "map": world.geography.name, "map_key": world.geography.key,
        "locations": said, "today": _network(today, levels, profit_today, span, len(world.store_nodes)),
        "choices": [
            _choice(scenario, choice, candidates, today, days, levels, len(world.store_nodes))
            for choice, days in zip(choices, after, strict=True)
        ],
    }  # fmt: skip


def _first(candidates: Sequence[Candidate], choice: Choice, said: dict[str, Any]) -> str:
    new = [candidates[site] for site in choice.sites]
    names = ", ".join(f"{each.name} ({each.lat:.4f}, {each.lon:.4f})" for each in new)
    today, then = said["today"], said["choices"][0]
    return (
        f"a first answer: {names}; {100 * then['covered']:.1f} % of the customers within reach instead of "
        f"{100 * today['covered']:.1f} %, mean ride {then['ride_s'] / 60:.1f} instead of {today['ride_s'] / 60:.1f} min. "
        "Now it is simulated."
    )


def _kept(day: Mapping[str, float | None]) -> float:
    """What a day's sales leave before any cost of running: revenue without tax, less what the goods were bought for, cents."""
    revenue, tax, sold = (day.get(metric) or 0.0 for metric in ("revenue_cents", "tax_cents", "goods.sold_cents"))
    return float(revenue - tax - sold)


def _profit(day: Mapping[str, float | None]) -> float:
    """The same less every cost, cents."""
    return _kept(day) - float(day.get("cost.total_cents") or 0.0)


def _network(days: Days, levels: Sequence[Any], profit_cents: float, span: float, stores: int) -> dict[str, Any]:
    """What a network did: its figures, levels, profit and each store's orders a day."""
    return {
        "figures": {metric: mean_of(days, metric) for metric in WATCHED},
        "levels": [each.told() for each in held(levels, days)],
        "profit_cents": profit_cents,
        "by_store": [(mean_of(days, f"by_store.{store}.delivered") or 0.0) / span for store in range(stores)],
    }


def _days_run(scenario: Scenario) -> float:
    """Days that a run stands for; one that is shorter than a day stands for one."""
    return max(1.0, scenario.horizon_h / 24.0)


def _choice(
    scenario: Scenario, choice: Choice, candidates: Sequence[Candidate], today: Days, days: Days, levels: Sequence[Any],
    stores: int,
) -> dict[str, Any]:  # fmt: skip
    new, span = [candidates[site] for site in choice.sites], _days_run(scenario)
    network = _network(days, levels, 0.0, span, stores + len(new))
    served = network["by_store"][stores:]
    before = sum((mean_of(today, f"by_store.{store}.delivered") or 0.0) / span for store in range(stores))
    taken = max(before - sum(network["by_store"][:stores]), 0.0)
    won = sum(served) - taken
    # Of those whom nobody served before, so many would not come: what they would have left is not earned.
    lost_share = sum(each.competition * orders for each, orders in zip(new, served, strict=True)) / max(
        sum(served), 1e-9
    )
    lost = max(won, 0.0) * lost_share
    # The run charges a new store what a store costs, by the hour; a candidate's own rent takes the place of that part.
    rents = sum(each.rent_cents / DAYS_A_MONTH for each in new) - len(new) * scenario.costs.store_day_cents * RENT_SHARE
    rents *= min(scenario.horizon_h / 24.0, 1.0)

    def profit(day: Mapping[str, float | None]) -> float:
        per_order = _kept(day) / max(float(day.get("orders.delivered") or 0.0), 1.0)
        return float(_profit(day) / span - rents - lost * per_order)

    after = [profit(day) for day in days]
    gains = paired([_profit(day) / span for day in today], after)
    fit_out = sum(each.fit_out_cents for each in new)
    monthly = gains.change.mean * DAYS_A_MONTH
    return {
        "ways": list(choice.ways), "proven": choice.proven, "sites": list(choice.sites), **network,
        "profit_cents": math.fsum(after) / len(after), "gain_cents": gains.change._asdict(), "fit_out_cents": fit_out,
        "payback_months": fit_out / monthly if monthly > 0.0 else None,
        "new_orders": won - lost, "lost_to_others": lost, "cannibalised": taken / sum(served) if sum(served) else None,
        "per_site": [{"site": site, "delivered": orders} for site, orders in zip(choice.sites, served, strict=True)],
        "changes": {
            metric: asdict_of(paired(*pairs)) for metric in WATCHED if (pairs := _pairs(today, days, metric)) is not None
        },
    }  # fmt: skip


def _pairs(one: Days, other: Days, metric: str) -> tuple[list[float], list[float]] | None:
    both = [(x.get(metric), y.get(metric)) for x, y in zip(one, other, strict=True)]
    pairs = [(a, b) for a, b in both if a is not None and b is not None]
    return ([a for a, _ in pairs], [b for _, b in pairs]) if pairs else None


def asdict_of(found: Difference) -> dict[str, Any]:
    """A difference as JSON has it."""
    return {"base": found.base, "variant": found.variant, "change": found.change._asdict()}
