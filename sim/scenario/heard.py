"""What a run does not hear of a scenario: a goods-only one has no orders, no platform, and nobody who picks or rides."""

from itertools import groupby

from sim.scenario.business import Costs, Customers, Payments, Platform, PolicyNames
from sim.scenario.drivers import Drivers
from sim.scenario.faults import OWN_LENGTH, Fault
from sim.scenario.fields import Branch, clock_s
from sim.scenario.loading import shipped_scenarios
from sim.scenario.market import Travel
from sim.scenario.people import Pickers
from sim.scenario.stores import Counting
from sim.scenario.support import Support
from sim.scenario.tree import Scenario

_HEARD: dict[str, tuple[type[Branch], frozenset[str]]] = {
    "pickers": (Pickers, frozenset({"mispick_share", "breakage_share"})),
    # Where zones are a drive, they are one by the fleet's fastest vehicle.
    "drivers": (Drivers, frozenset({"vehicles"})),
    "customers": (Customers, frozenset()),
    "travel": (Travel, frozenset()),
    "payments": (Payments, frozenset()),
    "support": (Support, frozenset()),
    # What is planned is counted at one moment, and pickers have nothing else to do.
    "stores.counting": (Counting, frozenset()),
    # Prices without tax are what goods cost; a minimal platform costs something else.
    "platform": (Platform, frozenset({"pricing", "profile"})),
    "policies": (PolicyNames, frozenset({"replenishment", "forecast", "transfer", "reconciliation"})),
    "costs": (
        Costs,
        frozenset(
            {
                "currency",
                "picker_hour_cents",
                "store_day_cents",
                "transfer_cents",
                "holding_share_per_year",
                "stockout_share",
            }
        ),
    ),
}
"""Branches of which such a run hears only some keys."""

UNHEARD = frozenset(
    f"{branch}.{key}" for branch, (model, heard) in _HEARD.items() for key in model.model_fields if key not in heard
) | {
    "stores.burn_in_days", "stores.counter_room", "stores.layout", "stores.packing", "stores.totes", "demand.weather.ride_factor",
    "catalogue.categories[].restricted", "catalogue.categories[].returnable", "catalogue.categories[].zone",
}  # fmt: skip
"""Keys that change nothing about a goods-only run, nor does what is below them."""


def unheard(scenario: Scenario) -> str | None:
    """One line about the keys that the user gave and the run does not hear; None where there are none.

    Those of shipped scenarios that the user's own extends do not count: nobody expects anything of them.
    """
    said = []
    found = _unheard_without_orders(scenario) if scenario.mode == "goods_only" else {}
    if found:
        where = [
            f"{', '.join(key for key, _ in group)} ({origin})"
            for origin, group in groupby(found.items(), lambda item: item[1])
        ]
        said.append(f"mode: goods_only has no orders, so it does not hear {'; '.join(where)}.")
    spread = _given(scenario).get("demand.daily_cv")
    if spread is not None and scenario.demand.distribution != "normal":
        said.append(f"demand.daily_cv ({spread}) is heard with demand.distribution: normal alone.")
    said += _never(scenario)
    for number, fault in enumerate(scenario.faults):
        if fault.kind in OWN_LENGTH and fault.minutes != Fault.model_fields["minutes"].get_default():
            said.append(f"faults.{number}.minutes is not heard: {fault.kind} lasts as {OWN_LENGTH[fault.kind]} says.")
    bonus = _given(scenario).get("policies.incentive")
    if bonus is not None and scenario.policies.incentive != "flat" and scenario.drivers.choice is None:
        said.append(f"policies.incentive ({bonus}) costs and wins nobody over: drivers.choice is null.")
    return " ".join(said) or None


def _never(scenario: Scenario) -> list[str]:
    """Faults, surges and sales whose time is not within the run: nothing comes of them."""
    late, early = list[str](), list[str]()

    def look(place: str, what: str, at: str, lasts_s: float, end_s: float) -> None:
        begins_s, named = clock_s(at) + scenario.midnight_s, f"{place} ({what} at {at})"
        if begins_s >= end_s:
            late.append(named)
        elif begins_s + lasts_s <= 0.0:
            early.append(named)

    for number, fault in enumerate(scenario.faults):
        if fault.at is not None:
            lasts_s = fault.lasts_s(scenario.platform.restart_s)
            look(f"faults.{number}", fault.kind, fault.at, lasts_s, scenario.end_s)
    for number, surge in enumerate(scenario.demand.surges):
        look(f"demand.surges.{number}", "surge", surge.at, 60.0 * surge.minutes, scenario.horizon_s)
    for number, sale in enumerate(scenario.demand.flash_sales):
        look(f"demand.flash_sales.{number}", "sale", sale.at, sale.seconds, scenario.horizon_s)
    places = ("after the run ends", late), ("over before the run begins", early)
    return [f"nothing comes of what is {where}: {', '.join(named)}." for where, named in places if named]


def _given(scenario: Scenario) -> dict[str, str]:
    """What the user gave, by place, and where; without the branches that a setting made on the way to its key."""
    shipped = {str(path) for path in shipped_scenarios().values()}
    return {
        place: origin
        for place, origin in scenario.origins.items()
        if origin.rpartition(":")[0] not in shipped and not origin.startswith(f"--set {place}.")
    }


def _unheard_without_orders(scenario: Scenario) -> dict[str, str]:
    """What the user gave of `UNHEARD`, or below it, and where; of a branch given whole, the branch alone."""
    found: dict[str, str] = {}
    for place, origin in _given(scenario).items():
        key = ".".join("[]" if part.isdigit() else part for part in place.split(".")).replace(".[]", "[]")
        parts = key.split(".")
        to_it = [".".join(parts[: depth + 1]) for depth in range(len(parts))]
        if not UNHEARD.isdisjoint(to_it) and not any(above in found for above in to_it) and _asks(scenario, place):
            found[key] = origin
    return found


def _asks(scenario: Scenario, place: str) -> bool:
    """Whether a key asks for anything; nothing is missed of what is switched off."""
    value: object = scenario
    for part in place.split("."):
        if isinstance(value, tuple):
            value = value[int(part)]
        else:
            value = value.get(part) if isinstance(value, dict) else getattr(value, part, None)
    return value not in (None, 0, False, (), "")
