"""What a storm may have of drivers as they are, of the road's troubles, and of prices and pay that follow the load."""

from collections.abc import Mapping
from typing import Any, Final

PEOPLE: Final = 0x50454F504C45  # "PEOPLE": a stream of its own, so that what is drawn here changes nothing else
HUMAN: Final = 0.35  # of the storms have such drivers
HUMANS: Final[Mapping[str, tuple[Any, ...]]] = {
    "drivers.vehicles": (
        "{scooter: 0.5, ebike: 0.5}", "{car: 0.4, drone: 0.6}", "{foot: 0.5, drone: 0.5}",
    ),
    "drivers.choice": ("null", "{}", "{per_ride_minute: 2, per_tired_hour: 3, fresh_hours: 0.5, away: 2, pay_cents: 600}"),
    "drivers.mishaps": (
        "null", "{breakdowns_per_1000h: 3000, repair_minutes: 5, accidents_per_1000h: 0, detour_share: 0.2}",
        "{breakdowns_per_1000h: 1000, accidents_per_1000h: 3000, rescue_minutes: 15, detour_share: 0.5}",
    ),
    "drivers.buildings": ("{}", "{house: {share: 0.5, door_s: 20}, tower: {share: 0.5, door_s: 400}}"),
    "drivers.parking_s": ("{}", "{car: 120, scooter: 10}"),
    "drivers.wrong_address_share": (0.0, 0.2),
    "drivers.break_minutes": (0.0, 15.0),
    "drivers.absent_share": (0.0, 0.3),
    "drivers.early_share": (0.0, 0.5),
    "drivers.on_call": (
        "null", "{count: 5, shifts: [{at: '12:00', hours: 4}], notice_minutes: 2, hours: 0.5, waiting_per_driver: 0.2}",
    ),
    "drivers.rules": ("{}", "{rest_hours: 11, hours_a_day: 13}"),
    "drivers.pay": ("{}", "{hour_cents: 0, order_cents: 400, km_cents: 50, guaranteed_hour_cents: 900, tip_share: 0.5}"),
    "demand.weather.grounded": ("[]", "['12:30-12:50']"),
    "policies.sourcing": ("nearest_store", "nearest_with_stock", "nearest_with_drivers"),
    "policies.dispatch": ("nearest", "nearest(ride_s_max=60, widen_s=120, widen_every_s=30)", "scored", "fifo"),
    "policies.eta": ("told", "told", "learned(every_s=600)"),
    "policies.pricing": ("flat", "flat(cents=150)", "by_load(orders_per_driver=0.5)", "by_forecast"),
    "policies.incentive": ("flat", "flat(cents=100)", "by_declines", "by_load", "by_forecast"),
}  # fmt: skip
"""Settings, each with the values that are equally likely in such a storm."""
