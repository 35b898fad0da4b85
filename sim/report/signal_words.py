"""What the figures of positions, arrival times and notifications mean."""

from typing import Final

from sim.report.metric import Metric

_TRACKING: Final[dict[str, Metric]] = {
    "tracking.pings": Metric("positions sent", "count", "Positions that the phones of drivers at work sent."),
    "tracking.lost_share": Metric(
        "positions lost", "share", "Share of them that never arrived: no connection, no signal, or by chance."
    ),
    "tracking.late_share": Metric(
        "positions late", "share", "Share of those that arrived which came after the next one was due."
    ),
    "tracking.spoofed_share": Metric(
        "positions spoofed", "share", "Share of the positions sent by phones that claim to be at the home store."
    ),
    "tracking.age_s.mean": Metric(
        "age of the last position",
        "time",
        "How old the last known position of a driver at work is, mean over the time.",
    ),
    "tracking.age_s.p95": Metric(
        "95 % of the time no older than", "time", "Age of the last position that is exceeded in 5 % of the time."
    ),
    "tracking.stalls": Metric(
        "overdue rides looked at", "count", "Looks at rides that took longer than reckoned and were not over yet."
    ),
    "tracking.taken_back": Metric(
        "orders taken back", "count", "Orders taken from a driver who was silent or stopped, and offered to others."
    ),
}

_BEFORE: Final = {"900": "15 minutes", "600": "10 minutes", "300": "5 minutes", "120": "2 minutes"}


def _errors() -> dict[str, Metric]:
    found = {}
    for horizon, words in _BEFORE.items():
        path, shown = f"eta_error_s.{horizon}", f"the arrival time shown {words} before an order came"
        found[f"{path}.orders"] = Metric(
            f"arrival times judged, {words} before", "count", f"Orders that had a driver {words} before they came."
        )
        found[f"{path}.mean"] = Metric(
            f"shown later than it came, {words} before",
            "signed",
            f"Mean of {shown} less when it did, seconds; below zero: it came later than shown.",
        )
        found[f"{path}.mean_abs"] = Metric(
            f"arrival time off, {words} before", "time", f"Mean of what {shown} was off, either way."
        )
        found[f"{path}.p90_abs"] = Metric(
            f"90 % off by at most, {words} before", "time", f"90th percentile of what {shown} was off, either way."
        )
    return found


def _notices() -> dict[str, Metric]:
    found: dict[str, Metric] = {}
    for who, words in (("customers", "notifications to customers"), ("drivers", "offers to drivers")):
        path = f"notifications.{who}"
        found |= {
            f"{path}.sent": Metric(f"{words}", "count", f"{words[0].upper()}{words[1:]} that were sent."),
            f"{path}.websocket": Metric(
                f"{words}, by WebSocket", "count", f"Of the {words}, those that found the app open."
            ),
            f"{path}.push": Metric(f"{words}, by push", "count", f"Of the {words}, those that went as a push."),
            f"{path}.lost": Metric(f"{words}, lost", "count", f"Of the {words}, those that never showed."),
            f"{path}.lost_share": Metric(f"{words}, lost", "share", f"Share of the {words} that never showed."),
            f"{path}.late_share": Metric(
                f"{words}, late", "share", f"Share of the {words} that showed which took longer than the limit."
            ),
        }
    return found


SIGNALS: Final[dict[str, Metric]] = {**_TRACKING, **_errors(), **_notices()}
"""Every figure of the objects `tracking`, `eta_error_s` and `notifications` of summary.json."""

SIGNAL_OBJECTS: Final = {
    "tracking.lost_by": (
        "positions lost, by what: The app had no connection, the phone no signal (a dead zone), the platform's tracking service "
        "was down and took none, or it was chance; they add up to all that were lost."
    ),
    "tracking.stalls_by": (
        "overdue rides, by what was found: A driver who was silent, had stopped, was no nearer than before (astray), or late; "
        "they add up to tracking.stalls."
    ),
    "notifications.customers.by_notice": (
        "notifications to customers, by what they say: Confirmed, out for delivery, delivered, cancelled, or later than told."
    ),
}
"""What the objects hold whose keys are names of things."""
