"""Dispatch: the driver with the best score."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.dispatch import by_turn
from sim.contracts import DispatchView, Fleet, Offer, WaitingOrder

_BEFORE, _DECLINES = 8.0, 0.131
"""Offers that everybody is taken to have had before, and the share of these declined: the published 86.9 % were accepted."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """Give each waiting order, oldest first, to the driver near enough whose weighted sum is least.

    It sums, in seconds: `pickup_weight` times the delay that the ride to the store means for the order, packed by then or
    not; `ride_weight` times that ride; `drop_weight` times the ride to the customer by the driver's vehicle; `load_s` for
    each order that the driver has accepted for each hour on shift so far; `doubt_s` times the chance that the driver declines, by
    what he has said so far (beside eight offers of which 13 % were declined, as is usual); less `idle_weight` times the time
    without work.
    The form is that of delivery apps' own accounts of their dispatch; the weights are judgement. `ride_s_max`: longest
    believed time until the driver is at the store, seconds. `ahead_s`: who will be free within this time counts too, and what is
    best kept for him waits.
    """

    pickup_weight: float = 1.0
    ride_weight: float = 0.2
    drop_weight: float = 1.0
    load_s: float = 10.0
    doubt_s: float = 60.0
    idle_weight: float = 0.02
    ride_s_max: float = 420.0
    ahead_s: float = 0.0

    def __post_init__(self) -> None:
        if not self.ride_s_max > 0:
            raise ValueError(f"Expected ride_s_max > 0, got {self.ride_s_max}.")
        for name in ("pickup_weight", "ride_weight", "drop_weight", "idle_weight", "load_s", "doubt_s", "ahead_s"):
            if not 0.0 <= getattr(self, name) <= 10_000.0:
                raise ValueError(f"Expected {name} from 0 to 10000, got {getattr(self, name)}.")

    def __call__(self, view: DispatchView) -> Iterator[Offer]:
        def score(fleet: Fleet, order: WaitingOrder, ride_s: NDArray[Any]) -> NDArray[Any]:
            kinds, which = np.unique(fleet.vehicle, return_inverse=True)
            drop_s = np.array([view.to_customer_s(order.store, order.node, kind) for kind in kinds.tolist()])[which]
            delay_s = np.maximum(view.now_s + ride_s - order.ready_s, 0.0)
            total = self.pickup_weight * delay_s + self.ride_weight * ride_s + self.drop_weight * drop_s
            total += self.load_s * fleet.accepted / np.maximum((view.now_s - fleet.began_s) / 3600.0, 1.0)
            doubt = (fleet.declined + _BEFORE * _DECLINES) / (fleet.declined + fleet.accepted + _BEFORE)
            total += self.doubt_s * doubt
            return np.asarray(total - self.idle_weight * (view.now_s - fleet.idle_since_s))

        return by_turn(view, self.ride_s_max, score, self.ahead_s)
