"""What the kinds of cost mean, in the order in which the summary lists them."""

from typing import Final

from sim.report.metric import Metric

_KINDS: Final = {
    "drivers": ("drivers", "Drivers' hours on shift, at costs.driver_hour_cents."),
    "pickers": ("pickers", "Pickers' hours on shift, at costs.picker_hour_cents, whether they pick, count or wait."),
    "stores": ("stores", "Rent, energy and management of the stores, at costs.store_day_cents a day."),
    "packaging": ("packaging", "Bags, at costs.packaging_cents for each order that was packed."),
    "payments": (
        "payments",
        "What the payment provider keeps: costs.payment_share of what is charged and costs.payment_cents a charge.",
    ),
    "packing": (
        "packing",
        "Packers at the packing stations (stores.packing) in opening hours, at costs.picker_hour_cents.",
    ),
    "support": ("support", "Agents at the support desk in its hours, at costs.agent_hour_cents."),
    "counting": (
        "counting",
        "The crews' hours of counting by plan, at costs.picker_hour_cents; pickers count on shifts that are paid anyway.",
    ),
    "reviewing": (
        "reviewing",
        "Hours of looking into large differences between scan log, or a picker's count, and record, at costs.picker_hour_cents.",
    ),
    "receiving": ("receiving", "Hours of putting goods away at the dock (stores.dock), at costs.picker_hour_cents."),
    "waste": (
        "thrown away",
        "Purchase price of the goods that were thrown away: too old on the shelf, or brought back from a door and not to be sold "
        "again.",
    ),
    "shrink": ("goods lost", "Purchase price of the goods that were stolen, damaged or broken."),
    "holding": (
        "holding stock",
        "Capital, room and insurance of the stock: costs.holding_share_per_year of its mean purchase price.",
    ),
    "transfers": ("transfers", "Trips with goods from one store to another, at costs.transfer_cents each."),
    "platform": (
        "platform",
        "Cloud and software of the minimal profile, at costs.platform_order_cents for each order that entered.",
    ),
    "platform_instances": ("servers", "Hours of the services' instances, at costs.instance_hour_cents."),
    "platform_writes": ("database writes", "Writes to the databases, at costs.writes_million_cents a million."),
    "platform_messages": ("bus messages", "Messages on the bus, at costs.messages_million_cents a million."),
    "platform_storage": (
        "storage",
        "What is kept of the orders (costs.order_kb each, for costs.kept_months), at costs.storage_gb_month_cents.",
    ),
}

COSTS: Final[dict[str, Metric]] = {
    f"cost.by_kind.{kind}": Metric(label, "money", meaning) for kind, (label, meaning) in _KINDS.items()
}
"""Every key of the object `cost.by_kind` of summary.json."""
