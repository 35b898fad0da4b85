"""Why customers were turned away and orders cancelled, in words; and what the objects of a summary hold that list such things."""

from typing import Final

from sim.report.signal_words import SIGNAL_OBJECTS

REASONS: Final[dict[str, str]] = {
    "out_of_zone": "outside the area served",
    "closed": "stores closed",
    "overloaded": "too busy to take the order",
    "out_of_stock": "nothing of it in stock",
    "customer": "the customer gave up",
    "no_driver": "no driver found",
    "not_found": "not found on the shelf",
    "contention": "stock went to other buyers",
    "unavailable": "the platform was down",
    "unauthorised": "not let in",
    "rate_limited": "too many requests",
    "shed": "turned away under load",
    "suspect": "taken for fraud",
    "repeated": "asked twice",
    "sold_out": "shown as sold out",
    "too_dear": "too dear with the surcharge",
    "payment": "payment failed after the confirmation",
    "failover": "forgotten when a region was lost",
    "unprocessable": "could not be processed",
    "lost": "the store never heard of it",
    "expired": "its hold ran out",
    "undeliverable": "nobody opened the door",
    "age_check": "the customer could not show to be of age",
    "accident": "lost in an accident",
}
"""Why customers were turned away and orders cancelled."""

CAUSE_WORDS: Final = {
    "opening": "there at the opening",
    "delivery": "delivered otherwise",
    "mispick": "wrong goods picked",
    "theft": "stolen",
    "damage": "damaged, not scanned",
    "breakage": "broken by pickers",
    "count": "miscounted",
    "doubled_message": "told twice",
    "recovery": "rebuilt from an older copy",
    "late_message": "heard late or never",
    "overlooked": "there, and overlooked",
}
"""What puts a record wrong."""

PAGE_WORDS: Final[dict[str, str]] = {
    "noticed after": "Of a fault, platform.faults.detected_after_s: the first alert raised because of it.",
    "well after": "Of a fault, platform.faults.recovered_after_s: when every alert raised because of it was cleared.",
    "pickers waiting": "What utilisation.pickers leaves of pickers' time on shift.",
    "drivers without an order": "What utilisation.drivers leaves of drivers' time on shift, the ride back among it.",
    "late by": "By how much a handover came after the time promised when the order was confirmed.",
    "share late": "Of the orders of a row, those handed over after the time promised at their confirmation.",
    "mostly because of": "The cause that the largest part of an order's lateness is put down to.",
    "on its promise": "How much before or after the time promised an order was handed over.",
    "slo": "Service levels: of each its metric, comparison, target and severity, what was observed, and whether it was met.",
    "met_share": "Over replications, the share of days that met a service level, with its interval.",
    "bad_day": "Over replications, what nine days of ten are no worse than, with its interval by order statistics.",
    "budget spent": (
        "Of what may go wrong before a share is missed, or of a limit, how much did; above 100 % the level is missed."
    ),
}
"""What columns and rows of pages are called that are no figures of their own."""

OBJECTS: Final[dict[str, str]] = {
    **SIGNAL_OBJECTS,
    "long_run": (
        "one long run: Of ten days or more, mean click-to-door and share on time with 95 % intervals by batches of whole days; "
        "correlated: neighbouring batches still look alike, and the interval is too narrow."
    ),
    "by_store": (
        "store by store: Of each store its orders, how many were delivered, the share on time, mean click-to-door and mean "
        "wait for a picker, in the order of the run's stores (manifest.json)."
    ),
    "orders.by_reason": "orders by reason: How many customers were turned away, and orders cancelled, for each reason.",
    "drift.by_cause": (
        "units off by cause: The units that records are off at the close, shared out among what brought it about; they add up to "
        "drift.units_abs."
    ),
    "drift.short_by_cause": (
        "held but not found, by cause: What pickers did not find although it was on record, by what had put the record wrong; it "
        "adds up to drift.units_short."
    ),
    "drift.unseen_by_cause": (
        "denied though there, by cause: What the record denied although it was there, by what had put the record wrong; it adds "
        "up to drift.units_unseen."
    ),
    "platform.rejected": "turned away by reason: How many customers could not place an order, for each reason.",
    "platform.alerts": "alerts: How often each alert was raised.",
    "support.by_cause": (
        "letters by cause: How many customers wrote to support because their order was late, incomplete (missing) or held "
        "something else (wrong)."
    ),
    "cost.by_kind": (
        "cost by kind: The total cost by what it was spent on, cents; cost.by_kind.waste and its like say what each is for."
    ),
}
"""What the objects of summary.json hold whose keys are names of things, not figures."""
