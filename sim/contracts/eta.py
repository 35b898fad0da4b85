"""What a policy sees of rides that are over, and what it makes of them for those to come."""

from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray


class Trips(NamedTuple):
    """Rides from a store to a customer that the platform has seen the end of, as columns (n,), in order of their end."""

    vehicle: NDArray[Any]
    """Kind of vehicle, int64: an index below `vehicles`."""
    hour: NDArray[Any]
    """Local hour of the day at which it left the store, int64."""
    believed_s: NDArray[Any]
    """What the map and the traffic of a while ago said of it, seconds, float64."""
    rode_s: NDArray[Any]
    """What it took: from the store to the handover, less what stops take as the platform reckons, seconds, float64."""
    vehicles: int
    """Kinds of vehicle in the fleet."""


class Eta(Protocol):
    """Factors on the platform's estimates of rides, by kind of vehicle and local hour, float64 (vehicles, 24).

    Asked every `every_s` seconds. May have an attribute `nothing`, true where it leaves all estimates as they are: then it is
    not asked, and nothing is kept for it.
    """

    every_s: float

    def __call__(self, trips: Trips) -> NDArray[Any]: ...
