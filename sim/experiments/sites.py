"""Where the next stores go, and whether they pay.

Three ways to say what a good place is, on real rides at the busiest hour with the existing stores held open: the least way for
all customers (p-median), the most customers within reach (maximal covering), and the most money (fixed charge). The best few
choices are then simulated against today's network with the same customers.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.experiments.candidates import DAYS_A_MONTH, RENT_SHARE, Candidate, ride_s
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
    seconds = ride_s(world, [*(candidate.node for candidate in candidates), *stores])
    there = np.flatnonzero(people > 0.0)
    seconds, people = seconds[there], people[there]
    reach_s = _reach_s(world)
    today_s = seconds[:, len(candidates) :].min(axis=1)
    served = today_s <= reach_s
    # Nobody goes further than is served: a customer beyond counts as one who goes without, twice the reach away.
    way = np.minimum(seconds, 2.0 * reach_s)
    competition = np.array([candidate.competition for candidate in candidates] + [0.0] * len(stores))
    lost = ~served[:, None] * competition[None, :]
    way = way * (1.0 - lost) + 2.0 * reach_s * lost
    existing = list(range(len(candidates), len(candidates) + len(stores)))
    total = len(existing) + count
    median = p_median(way, total, weights=people, held=existing, effort=EFFORT)
    radius_s = reach_s if (people * served).sum() < 0.999 else float(np.quantile(today_s, 0.5))
    covering = maximal_covering(seconds, radius_s, total, weights=people, held=existing, effort=EFFORT)
    money = _money(world, candidates, seconds, people, lost, reach_s, existing, total)
    pays = _money(world, candidates, seconds, people, lost, reach_s, existing, None)
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
        barred[:, left_out] = 4.0 * reach_s
        add("runner-up", p_median(barred, total, weights=people, held=existing, effort=EFFORT))
    said = {
        "reach_s": reach_s, "today": _said(seconds, people, existing, reach_s), "pays": int((pays.sites < len(candidates)).sum()),
        "choices": [_said(seconds, people, [*choice.sites, *existing], reach_s) for choice in list(found.values())[:few]],
    }  # fmt: skip
    return list(found.values())[:few], said


def _reach_s(world: World) -> float:
    """How far a store serves, as a ride: its zone's; of a radius, what a ride at 20 km/h takes (judgement)."""
    zone = world.scenario.stores.zone
    return zone.drive_s if zone.drive_s is not None else (zone.radius_m or 0.0) / (20.0 / 3.6)


def _money(
    world: World, candidates: Sequence[Candidate], seconds: NDArray[np.float64], people: NDArray[np.float64],
    lost: NDArray[np.float64], reach_s: float, existing: Sequence[int], total: int | None,
) -> Sites:  # fmt: skip
    """The choice that costs least a day: rides there and back by paid drivers, orders that nobody serves, rent and fit-out."""
    scenario = world.scenario
    hour = scenario.drivers.pay.hour_cents
    cents_a_second = (scenario.costs.driver_hour_cents if hour is None else hour) / 3600.0
    orders = people / people.sum() * scenario.demand.orders_per_day
    per_order = np.where(seconds <= reach_s, 2.0 * seconds * cents_a_second, LOST_CENTS)
    per_order = per_order * (1.0 - lost) + LOST_CENTS * lost
    opening = [
        each.rent_cents / DAYS_A_MONTH + each.fit_out_cents / (FIT_OUT_MONTHS * DAYS_A_MONTH) for each in candidates
    ]
    opening = [cents + scenario.costs.store_day_cents * (1.0 - RENT_SHARE) for cents in opening] + [0.0] * len(existing)
    return fixed_charge(per_order, opening, p=total, weights=orders, held=existing, effort=EFFORT)


def _said(
    seconds: NDArray[np.float64], people: NDArray[np.float64], open_: Sequence[int], reach_s: float
) -> dict[str, float]:
    """Mean ride to those who are reached, and their share of all customers."""
    nearest = seconds[:, list(open_)].min(axis=1)
    reached = nearest <= reach_s
    weight = people * reached
    return {
        "covered": float(weight.sum() / people.sum()), "ride_s": float((nearest * weight).sum() / max(weight.sum(), 1e-300)),
    }  # fmt: skip


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
    levels = asked_of(scenario, platform=False)
    return {
        "open": count, "candidates": [candidate._asdict() for candidate in candidates], "stores": [
            {"name": name, "lat": float(world.geography.lat[node]), "lon": float(world.geography.lon[node])}
            for name, node in zip(world.store_names, world.store_nodes, strict=True)
        ],
        "cells": list(world.cells),
        "cell_weights": np.bincount(world.cell, weights=world.node_weights, minlength=len(world.cells)).round(9).tolist(),
        "map": world.geography.name, "map_key": world.geography.key,
        "locations": said, "today": _network(scenario, today, levels, 0.0, len(world.store_nodes)),
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


def _profit(day: dict[str, float | None]) -> float:
    """What a day leaves: margin of what was sold and fees, less every cost, cents."""
    return sum(
        sign * (day.get(metric) or 0.0)
        for sign, metric in (
            (1, "goods.gross_margin_cents"),
            (1, "fees_cents"),
            (-1, "discount_cents"),
            (-1, "cost.total_cents"),
        )
    )


def _network(scenario: Scenario, days: Days, levels: Sequence[Any], extra: float, stores: int) -> dict[str, Any]:
    """What a network did: its figures, levels, profit a day (less `extra`, cents), and orders of each store."""
    return {
        "figures": {metric: mean_of(days, metric) for metric in WATCHED},
        "levels": [each.told() for each in held(levels, days)],
        "profit_cents": math.fsum(_profit(day) for day in days) / len(days) / _days_run(scenario) - extra,
        "by_store": [mean_of(days, f"by_store.{store}.delivered") for store in range(stores)],
    }


def _days_run(scenario: Scenario) -> float:
    """Days that a run stands for: a day's opening hours are a day."""
    return max(1.0, float(round(scenario.horizon_h / 24.0)))


def _choice(
    scenario: Scenario, choice: Choice, candidates: Sequence[Candidate], today: Days, days: Days, levels: Sequence[Any],
    stores: int,
) -> dict[str, Any]:  # fmt: skip
    new = [candidates[site] for site in choice.sites]
    # The run charges each new store what a store costs; a candidate's own rent takes the place of that part.
    rents = sum(each.rent_cents / DAYS_A_MONTH for each in new)
    extra = rents - len(new) * scenario.costs.store_day_cents * RENT_SHARE
    span = _days_run(scenario)
    gains = paired([_profit(day) / span for day in today], [_profit(day) / span - extra for day in days])
    served = [mean_of(days, f"by_store.{stores + place}.delivered") or 0.0 for place in range(len(new))]
    before, after = (
        [mean_of(each, f"by_store.{store}.delivered") or 0.0 for store in range(stores)] for each in (today, days)
    )
    taken = max(sum(before) - sum(after), 0.0)
    fit_out = sum(each.fit_out_cents for each in new)
    monthly = gains.change.mean * DAYS_A_MONTH
    network = _network(scenario, days, levels, extra, stores + len(new))
    return {
        "ways": list(choice.ways), "proven": choice.proven, "sites": list(choice.sites), **network,
        "gain_cents": gains.change._asdict(), "fit_out_cents": fit_out,
        "payback_months": fit_out / monthly if monthly > 0.0 else None,
        "new_orders": sum(served) - taken, "cannibalised": taken / sum(served) if sum(served) else None,
        "per_site": [
            {"site": site, "delivered": orders, "share_of_new": orders / sum(served) if sum(served) else None}
            for site, orders in zip(choice.sites, served, strict=True)
        ],
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
