"""What a plan of sites says: where, what it does to customers and money, what is taken from today's stores, and a map."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from sim.report.canvas import Picture
from sim.report.citymap import city_map
from sim.report.comparison import change_text, half_of
from sim.report.explain import metric_of
from sim.report.leaf import Cell, Column, Grid, Leaf, Part, cells
from sim.report.planned import asked, facts_of, lead_of
from sim.report.words import DASH, figure_text, number

_WAYS: Final = {
    "median": "least ride for all", "covering": "most customers in reach", "money": "least cost", "runner-up": "next best ride",
}  # fmt: skip
_NONE: Final = {name: np.zeros(0) for name in ("entered_s", "delivered_s", "promised_s", "lon", "lat", "cell")}

Choices = Sequence[tuple[str, Mapping[str, Any]]]
"""Choices by their letters."""


def sites_leaf(found: Mapping[str, Any]) -> Leaf:
    """Put the object of a plan of sites in words, tables and figures."""
    plan, currency = found["sites"], found.get("currency")
    choices = [(chr(ord("A") + place), choice) for place, choice in enumerate(plan["choices"])]
    maps = _maps(plan, choices)
    parts = [
        _where(plan, choices), _network(plan, choices, currency), _changes(choices, currency),
        _per_site(plan, choices, currency),
        Part("On the map", pictures=maps, page_only=True),
    ]  # fmt: skip
    which = "store goes" if plan["open"] == 1 else f"{plan['open']} stores go"
    title = f"{found['scenario']}: where the next {which}"
    lead, answer = lead_of(found, found["runs"]), _answer(plan, choices, currency)
    return Leaf(title, lead, answer, parts, facts_of(found), found.get("command") or ())


def _of(plan: Mapping[str, Any], choice: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [plan["candidates"][site] for site in choice["sites"]]


def _names(plan: Mapping[str, Any], choice: Mapping[str, Any]) -> str:
    return ", ".join(site["name"] for site in _of(plan, choice))


def _answer(plan: Mapping[str, Any], choices: Choices, currency: str | None) -> list[str]:
    name, choice = max(choices, key=lambda each: each[1]["profit_cents"])
    gain, today = choice["gain_cents"], plan["today"]
    where = ", ".join(f"{site['name']} ({site['lat']:.4f}, {site['lon']:.4f})" for site in _of(plan, choice))
    before, after = (each["figures"]["click_to_door_s.mean"] for each in (today, choice))
    best = "Best is" if gain["mean"] > 0.0 else "No choice earns more than today; nearest to it is"
    said = [
        f"{best} {name}: {where}. It brings {number(choice['new_orders'])} orders a day more, click to door "
        f"{figure_text(after, 'time')} instead of {figure_text(before, 'time')}, "
        f"and {change_text(gain['mean'], half_of(gain), 'money', currency)} a day."
    ]
    if choice["payback_months"] is None:
        said.append("It does not pay: it costs more a day than it brings, before any fit-out.")
    else:
        said.append(
            f"Its fit-out of {figure_text(choice['fit_out_cents'], 'money', currency, 0)} is paid back in "
            f"{number(choice['payback_months'], 1)} months, if every day were like these."
        )
    return said


def _where(plan: Mapping[str, Any], choices: Choices) -> Part:
    locations = plan["locations"]

    def reach(location: Mapping[str, float]) -> tuple[str, str]:
        return f"{100 * location['covered']:.1f} %", figure_text(location["ride_s"], "time")

    rows = [cells("today", *reach(locations["today"]), "", "")]
    for (name, choice), location in zip(choices, locations["choices"], strict=True):
        state = Cell("proven", "met") if choice["proven"] else Cell("best found", "quiet")
        ways = ", ".join(_WAYS[way] for way in choice["ways"])
        rows.append(cells(f"{name}: {_names(plan, choice)}", *reach(location), state, ways))
    columns = [Column("", False), Column("in reach"), Column("ride"), Column("", False), Column("best by", False)]
    note = (
        f"In reach: customers in a store's zone, and the mean ride to them at the busiest hour. Candidates: "
        f"{len(plan['candidates'])}; by the estimate of money alone {locations['pays']} would pay."
    )
    return Part("Where", note, Grid(columns, rows))


def _network(plan: Mapping[str, Any], choices: Choices, currency: str | None) -> Part:
    networks = [plan["today"], *(choice for _, choice in choices)]
    columns = [Column("", False), Column("today"), *(Column(name) for name, _ in choices)]
    rows = []
    for metric in plan["today"]["figures"]:
        known = metric_of(metric)
        label = "out of reach" if metric.endswith("out_of_zone") else known.label
        kind = "count" if metric.startswith("orders.") else known.kind
        rows.append(cells(label, *(figure_text(each["figures"][metric], kind, currency) for each in networks)))
    rows.append(cells("profit a day", *(figure_text(each["profit_cents"], "money", currency, 0) for each in networks)))
    for place, level in enumerate(plan["today"]["levels"]):
        known = metric_of(level["metric"])
        row = [Cell(f"{known.label} {asked(level, currency)}")]
        for each in networks:
            seen = each["levels"][place]
            row.append(Cell(figure_text(seen["found"], known.kind, currency), "met" if seen["met"] else "missed"))
        rows.append(row)
    return Part("The network, simulated with the same customers", "", Grid(columns, rows))


def _changes(choices: Choices, currency: str | None) -> Part:
    metrics = dict.fromkeys(metric for _, choice in choices for metric in choice["changes"])
    rows = []
    for metric in metrics:
        known, texts = metric_of(metric), []
        for _, choice in choices:
            found = choice["changes"].get(metric)
            change = None if found is None else found["change"]
            kind = "count" if metric.startswith("orders.") else known.kind
            texts.append(DASH if change is None else change_text(change["mean"], half_of(change), kind, currency))
        rows.append(cells("out of reach" if metric.endswith("out_of_zone") else known.label, *texts))
    note = "Differences on the same days, with 95 % intervals (t)."
    columns = [Column("", False), *(Column(name) for name, _ in choices)]
    return Part("What each changes from today", note, Grid(columns, rows), page_only=True)


def _per_site(plan: Mapping[str, Any], choices: Choices, currency: str | None) -> Part:
    rows = []
    for name, choice in choices:
        taken, payback = choice["cannibalised"], choice["payback_months"]
        for each in choice["per_site"]:
            site = plan["candidates"][each["site"]]
            money = (figure_text(site[key], "money", currency, 0) for key in ("rent_cents", "fit_out_cents"))
            share, back = DASH if taken is None else f"{100 * taken:.0f} %", "never"
            if payback is not None:
                back = f"{number(payback, 1)} months"
            rows.append(cells(f"{name}: {site['name']}", number(each["delivered"]), share, *money, back))
    columns = [
        Column("", False), Column("orders a day"), Column("cannibalised"), Column("rent a month"), Column("fit-out"),
        Column("pays back in"),
    ]  # fmt: skip
    note = (
        "Cannibalised: of the new stores' orders, those that today's stores would have had. Payback is of the whole choice, "
        "after what competitors keep of the customers whom nobody served before."
    )
    return Part("Each new store", note, Grid(columns, rows))


def _maps(plan: Mapping[str, Any], choices: Choices) -> list[Picture]:
    """Rides from the nearest store, before and after each choice; of a plan of an older version, the demand."""
    locations = plan["locations"]
    rings = [locations["today"].get("rides_s"), *(each.get("rides_s") for each in locations["choices"])]
    if rings[0] is None:
        return [_map(plan, choice, name, None, "") for name, choice in choices]
    before = _map(plan, {"sites": []}, "before", rings[0], "Before: rides from the nearest store at the busiest hour")
    after = [
        _map(plan, choice, name, ring, f"After {name}: {_names(plan, choice)}")
        for (name, choice), ring in zip(choices, rings[1:], strict=True)
    ]
    return [before, *after]


def _map(
    plan: Mapping[str, Any], choice: Mapping[str, Any], name: str, rides_s: Sequence[float | None] | None, title: str
) -> Picture:
    keys = ("map", "map_key", "stores", "cells", "cell_weights")
    manifest = {"scenario": {"map": plan["map"], "demand": {}}, "world": {key: plan[key] for key in keys}}
    new = [{**site, "name": f"{name}{place + 1}"} for place, site in enumerate(_of(plan, choice))]
    title = title or f"{name}: {_names(plan, choice)}"
    return city_map(manifest, _NONE, 0.0, new=new, rides_s=rides_s, name=f"map-{name}", title=title)
