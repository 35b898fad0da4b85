"""What a goods-only run does not hear of a scenario: it has no orders, no platform, and nobody who picks or rides."""

from itertools import groupby

from sim.scenario.business import Costs, Customers, Payments, Platform, PolicyNames
from sim.scenario.fields import Branch
from sim.scenario.loading import shipped_scenarios
from sim.scenario.market import Travel
from sim.scenario.people import Drivers, Pickers
from sim.scenario.tree import Scenario

_HEARD: dict[str, tuple[type[Branch], frozenset[str]]] = {
    "pickers": (Pickers, frozenset({"mispick_share", "breakage_share"})),
    # Where zones are a drive, they are one by the fleet's fastest vehicle.
    "drivers": (Drivers, frozenset({"vehicles"})),
    "customers": (Customers, frozenset()),
    "travel": (Travel, frozenset()),
    "payments": (Payments, frozenset()),
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
"""Keys that change nothing about a goods-only run."""


def unheard(scenario: Scenario) -> str | None:
    """One line about the keys that the user gave and a goods-only run does not hear; None where there are none.

    Those of shipped scenarios that the user's own extends do not count: nobody expects anything of them.
    """
    if scenario.mode != "goods_only":
        return None
    shipped = {str(path) for path in shipped_scenarios().values()}
    found: dict[str, str] = {}
    for place, origin in scenario.origins.items():
        key = ".".join("[]" if part.isdigit() else part for part in place.split(".")).replace(".[]", "[]")
        if key in UNHEARD and origin.rpartition(":")[0] not in shipped and _asks(scenario, place):
            found.setdefault(key, origin)
    if not found:
        return None
    where = [
        f"{', '.join(key for key, _ in group)} ({origin})"
        for origin, group in groupby(found.items(), lambda item: item[1])
    ]
    return f"mode: goods_only has no orders, so it does not hear {'; '.join(where)}."


def _asks(scenario: Scenario, place: str) -> bool:
    """Whether a key asks for anything; nothing is missed of what is switched off."""
    value: object = scenario
    for part in place.split("."):
        if isinstance(value, tuple):
            value = value[int(part)]
        else:
            value = value.get(part) if isinstance(value, dict) else getattr(value, part, None)
    return value not in (None, 0, False, (), "")
