"""How roads slow down by the hour, and how fast vehicles may go on them.

Congestion has five levels; each hour of the week has one. A level multiplies the free-flow time of every road, more on
arterials than on local streets. The pattern (morning, noon and evening peaks on working days, one long flat hump at the
weekend) and the levels are a judgement in the range that the TomTom Traffic Index reports for mid-sized cities (30-60 %
longer trips in the peaks); the base factor stands for signals and turns, which speed limits know nothing of.
"""

from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Final

ARTERIALS: Final = frozenset(
    name + link for name in ("motorway", "trunk", "primary", "secondary", "tertiary") for link in ("", "_link")
)
"""Highway classes that carry through traffic; every other class is local."""


@dataclass(frozen=True, slots=True)
class Level:
    """A level of congestion: factors on free-flow time."""

    arterial: float
    local: float


LEVELS: Final = (Level(1.20, 1.15), Level(1.30, 1.20), Level(1.50, 1.28), Level(1.75, 1.38), Level(2.05, 1.50))
WEEKDAY: Final = (0, 0, 0, 0, 0, 0, 1, 3, 4, 3, 2, 2, 3, 3, 2, 2, 3, 4, 4, 3, 2, 1, 1, 0)
"""Level by hour of a working day, midnight first."""
WEEKEND: Final = (0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 2, 2, 2, 2, 2, 1, 1, 0)
"""Level by hour of a Saturday or Sunday."""


def level_at(moment: datetime) -> int:
    """Return the congestion level of a local moment, an index into `LEVELS`."""
    return (WEEKEND if moment.weekday() >= 5 else WEEKDAY)[moment.hour]


@dataclass(frozen=True, slots=True)
class Vehicle:
    """What a vehicle can do.

    `top_kmh` caps the speed on every road; `jams` says whether congestion slows it; `litres` is its load. What `flies` goes
    straight, takes `lift_s` seconds for going up and down, and gets as far as `range_m` metres on one charge.
    """

    name: str
    top_kmh: float
    jams: bool
    litres: float
    flies: bool = False
    range_m: float = inf
    lift_s: float = 0.0


VEHICLES: Final = {
    vehicle.name: vehicle
    for vehicle in (
        # Top speeds are door-to-door cruising speeds, not what the maker says: e-bikes 22 km/h (the EU cuts
        # assistance at 25), bicycles 15 km/h, walking 4.8 km/h (the Highway Capacity Manual's 4 ft/s).
        # Loads: a car boot, a scooter's box, a courier bag of 60-80 litres: judgement from products on sale.
        Vehicle("car", 130.0, True, 400.0),
        Vehicle("scooter", 45.0, False, 90.0),
        Vehicle("ebike", 22.0, False, 80.0),
        Vehicle("bicycle", 15.0, False, 60.0),
        Vehicle("foot", 4.8, False, 40.0),
        # Wing's aircraft as published in 2024: 105 km/h, 19 km there and back, 1.1 kg; litres and lift are a judgement.
        Vehicle("drone", 105.0, False, 8.0, flies=True, range_m=19_000.0, lift_s=60.0),
    )
}
