"""What happens at the customers' doors: who is not there, and who could not show to be of age; drawn before the clock starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario
from sim.streams import Streams, quantised
from sim.world.catalogue import Catalogue
from sim.world.demand import handling


@dataclass(frozen=True, slots=True, eq=False)
class Doors:
    """Why goods may come back, for each order or SKU.

    Attributes
    ----------
    absent, underage
        Orders for which nobody opens; orders whose customer cannot show to be of age, should the driver ask.
    hand_in_s
        float64 (n,): time at the store's counter to hand in what is brought back.
    restricted, returnable
        bool (skus,): sold to adults only, where anybody must ask; put on the shelf again when it comes back.
    """

    absent: frozenset[int]
    underage: frozenset[int]
    hand_in_s: NDArray[np.float64]
    restricted: NDArray[np.bool_]
    returnable: NDArray[np.bool_]


def draw_doors(
    scenario: Scenario, streams: Streams, catalogue: Catalogue, orders: int, taps: Mapping[int, int]
) -> Doors | None:
    """Draw what happens at the doors of so many orders; None where every order is handed over, whatever happens.

    `taps`: the order that a second tap makes, by the first's number: the same customer is of the same age.
    """
    customers, drivers, kinds = scenario.customers, scenario.drivers, scenario.catalogue.categories
    restricted = np.array([kind.restricted and drivers.rules.age_check for kind in kinds])[catalogue.category]
    crashes = drivers.mishaps is not None and drivers.mishaps.accidents_per_1000h
    if not customers.absent_share and not restricted.any() and not crashes:
        return None

    def some(purpose: str, share: float) -> frozenset[int]:
        chances: NDArray[Any] = streams.generator(purpose).random(orders)
        return frozenset(np.flatnonzero(chances < share).tolist())

    underage = some("customers.underage", customers.underage_share)
    return Doors(
        absent=some("customers.absent", customers.absent_share),
        underage=underage.difference(taps.values()).union(
            *({first, second} for first, second in taps.items() if first in underage)
        ),
        hand_in_s=quantised(
            handling(streams.generator("drivers.hand_in"), drivers.noise, drivers.handoff_s, drivers.noise_cv, orders)
        ),
        restricted=restricted,
        returnable=np.array([kind.returnable for kind in kinds])[catalogue.category],
    )
