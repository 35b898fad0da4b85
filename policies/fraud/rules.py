"""Fraud: a few rules of the trade, counted."""

from dataclasses import dataclass

from sim.contracts import FraudView, Ruling

CANCELS_KEPT = 16
"""Late cancellations of a client that the platform remembers at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Count the rules that an order breaks: none allows it, one sends it to review, `refuse_from` refuse it.

    `cancels_max`: cancellations after dispatch that are still tolerated. `speed_kmh`, `apart_m`: a client cannot have moved
    faster between two orders, and nearer addresses than `apart_m` are not looked at ("impossible travel"; 130 km/h is the
    fastest road of most countries). `high_cents`, `fresh_s`: an order this valuable within this time after a change of
    address is suspect. Defaults by judgement.
    """

    cancels_max: int = 2
    speed_kmh: float = 130.0
    apart_m: float = 2000.0
    high_cents: int = 6000
    fresh_s: float = 3600.0
    refuse_from: int = 2

    def __post_init__(self) -> None:
        if not 0 <= self.cancels_max < CANCELS_KEPT:
            raise ValueError(f"Expected cancels_max from 0 to {CANCELS_KEPT - 1}, got {self.cancels_max}.")
        if not self.speed_kmh > 0:
            raise ValueError(f"Expected speed_kmh > 0, got {self.speed_kmh}.")
        for name in ("apart_m", "high_cents", "fresh_s"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"Expected {name} >= 0, got {getattr(self, name)}.")
        if self.refuse_from < 1:
            raise ValueError(f"Expected refuse_from >= 1, got {self.refuse_from}.")

    def __call__(self, view: FraudView) -> Ruling:
        broken = 0
        if view.late_cancels > self.cancels_max:
            broken = 1
        if view.moved_m > self.apart_m and view.moved_m * 3.6 > self.speed_kmh * view.since_s:
            broken += 1
        if view.value_cents >= self.high_cents and view.address_age_s <= self.fresh_s:
            broken += 1
        if not broken:
            return Ruling.ALLOW
        return Ruling.REFUSE if broken >= self.refuse_from else Ruling.REVIEW
