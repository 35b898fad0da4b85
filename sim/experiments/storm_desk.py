"""What a storm may have of people with rights: a support desk, and reviewers of what pickers count."""

from collections.abc import Mapping
from typing import Any, Final

DESK: Final = 0x4445534B  # "DESK": a stream of its own, so that what is drawn here changes nothing else
STAFFED: Final = 0.5  # of the storms have a support desk
AT_THE_DESK: Final[Mapping[str, tuple[Any, ...]]] = {
    "support.agents": (1, 4),
    "support.hours": ("00:00-24:00", "12:40-14:30"),
    "support.handle_s": (30.0, 300.0, 1200.0),
    "support.contact": ("{late: 1, missing: 1, wrong: 1}", "{late: 0.1, missing: 0.05, wrong: 0.7}"),
    "support.after_minutes": (0.0, 15.0),
    "support.late_minutes": (0.0, 5.0),
    "support.goodwill_cents": (0, 290, 5000),
    "support.refund_max_cents": (0, 300, 2000),
    "support.lead_minutes": (0.0, 3.0),
    "stores.review.picker_units": ("null", 0, 2),
}
"""Settings, each with the values that are equally likely in such a storm."""
