"""What a storm may have of signals: positions and pushes that are lost or late, phones that lie, drivers who get stuck."""

from collections.abc import Mapping
from typing import Any, Final

SIGNALS: Final = 0x5349474E414C  # "SIGNAL": a stream of its own, so that what is drawn here changes nothing else
CLOUDED: Final = 0.5  # of the storms
FURTHER: Final = "faults, further"
ON_SIGNALS: Final[Mapping[str, tuple[Any, ...]]] = {
    "platform.ping_s": (5.0, 8.0, 30.0),
    "platform.offline_after_s": (0.0, 60.0, 900.0),
    "platform.regions": (1, 2),
    "platform.tracking.loss_share": (0.0, 0.02, 0.5, 1.0),
    "platform.tracking.delay_s": (0.0, 0.4, 20.0),
    "platform.tracking.spoofed_share": (0.0, 0.1, 1.0),
    "platform.tracking.dead_zones": ("{share: 0.0}", "{share: 0.3, radius_m: 600}", "{share: 1.0}"),
    "platform.tracking.judge_every": (1, 8),
    "platform.tracking.stall_s": (15.0, 180.0),
    "platform.tracking.slip_s": (0.0, 60.0, 300.0),
    "platform.tracking.on_stall": ("alert", "reassign", "reassign"),
    "platform.notifications.driver_websocket_share": (0.0, 0.5, 1.0),
    "platform.notifications.push_loss_share": (0.0, 0.03, 0.5),
    "platform.notifications.push_latency_s": (0.0, 3.0, 60.0),
    "policies.locating": ("dead_reckoning", "last_ping"),
    FURTHER: (
        "",
        "{kind: push_outage, at: '12:30', minutes: 20}, {kind: app_connection_loss, at: '12:45', minutes: 15, share: 0.5}",
        "{kind: push_outage, rate_per_day: 60, minutes: 5}",
        "{kind: revoked_sessions, rate_per_day: 24}, "
        "{kind: database_crash, at: '12:40', region: 0, replica: asynchronous, lag_s: 60}",
    ),
}  # fmt: skip
"""Settings, each with the values that are equally likely in such a storm; and further faults."""
