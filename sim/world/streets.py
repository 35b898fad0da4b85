"""What happens between a store's counter and a customer's door: wrong addresses, detours; drawn before the clock starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario
from sim.streams import Streams
from sim.world.geography import Geography, metres_between

CANDIDATES = 8
"""Places tried for each wrong address and each detour, of which the nearest to the customer is taken (judgement)."""


@dataclass(frozen=True, slots=True, eq=False)
class Streets:
    """Orders whose way is not what the platform thinks: order -> node.

    Attributes
    ----------
    moved
        Where the customer really is, of orders with a wrong address.
    detours
        Where the driver goes first.
    """

    moved: dict[int, int]
    detours: dict[int, int]


def draw_streets(
    scenario: Scenario,
    streams: Streams,
    geography: Geography,
    node: NDArray[np.int32],
    weights: NDArray[np.float64],
    taps: Mapping[int, int],
) -> Streets | None:
    """Draw it for the orders of customers at `node`; None where nothing of the kind is asked for.

    Parameters
    ----------
    weights
        Chance of a customer at each node, float64 (nodes,).
    taps
        The order that a second tap makes, by the first's number: the same customer lives at the same place.
    """
    drivers = scenario.drivers
    lon, lat, homes = geography.lon, geography.lat, np.flatnonzero(weights)

    def some(purpose: str, share: float) -> dict[int, int]:
        if not share:
            return {}
        generator: Any = streams.generator(purpose)
        orders = np.flatnonzero(generator.random(len(node)) < share)
        at = node[orders]
        others = homes[generator.integers(0, len(homes), (len(orders), CANDIDATES))]
        metres = metres_between(lon[at][:, None], lat[at][:, None], lon[others], lat[others])
        nearest = np.where(others == at[:, None], np.inf, metres).argmin(axis=1)
        return dict(zip(orders.tolist(), others[np.arange(len(orders)), nearest].tolist(), strict=True))

    mishaps = drivers.mishaps
    if mishaps is None and not drivers.wrong_address_share and not drivers.parking_s:
        return None
    moved = some("drivers.wrong_address", drivers.wrong_address_share)
    moved |= {second: moved[first] for first, second in taps.items() if first in moved}
    return Streets(
        moved=moved,
        detours=some("drivers.detours", mishaps.detour_share if mishaps is not None else 0.0),
    )
