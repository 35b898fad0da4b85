"""What a storm may have of dispatch with plans: tours of several orders, drivers who set out late and wait where they are."""

from collections.abc import Mapping
from typing import Any, Final

TOURS: Final = 0x544F555253  # "TOURS": a stream of its own, so that what is drawn here changes nothing else
MATCHED: Final = 0.3  # of the storms plan who takes what
ON_TOURS: Final[Mapping[str, tuple[Any, ...]]] = {
    "policies.dispatch": (
        "matching(every_s=10, early_s=120)", "matching(every_s=30, bundle_weight=20.0, bundle_max=5)",
        "matching(every_s=60, bundle_weight=100.0)", "matching(every_s=5, bundle_max=1)",
        "foodmatch(every_s=20, eta_s=600)", "rolling_horizon(every_s=20, early_s=120, commitment='two_stages')",
    ),
    "policies.positioning": ("stay", 'return_to_store(at_end="home")', 'prestage(every_s=120, at_end="nearest")'),
    "drivers.arrive_s": (0.0, 60.0, 300.0),
    "drivers.leave_s": (0.0, 60.0),
    "drivers.count": (2, 6, 14),
}  # fmt: skip
"""Settings, each with the values that are equally likely."""
