"""What the platform reckons of its fleet before long: who will be free, where and when, and who is still to come to work."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts import Fleet
from sim.platform.tracking import Tracking
from sim.ports import Estimator, Figures
from sim.vocabulary import DriverId, NodeId, StoreId


class FleetAhead:
    """The roster, and an estimate of when each driver with work will be free again.

    An estimate is made when a driver accepts, by the same times that customers are promised by, and is not made anew on the
    way: it is as good as these.
    """

    def __init__(self, figures: Figures, estimator: Estimator, tracking: Tracking) -> None:
        self._figures, self._estimator, self._tracking = figures, estimator, tracking
        rows = [(d, on, off) for d, shifts in enumerate(figures.driver_shifts) for on, off in sorted(shifts)]
        self._who = np.array([row[0] for row in rows], dtype=np.int64)
        called = np.array(figures.on_call, dtype=bool)
        self._comes = ~called[self._who] if len(called) else np.ones(len(rows), dtype=bool)
        self._on_s, self._off_s = (np.array([row[i] for row in rows]) for i in (1, 2))
        profiles = figures.driver_profiles
        self._begins = np.array(
            [estimator.place(node, profiles[d]) for d, node in enumerate(figures.driver_nodes)], dtype=np.int64
        )
        self._profile = np.array(profiles, dtype=np.int64)
        self._litres = np.array([figures.loads_litres[profile] for profile in profiles])
        count = len(profiles)
        self._busy = np.zeros(count, dtype=bool)
        self._free_s, self._place = np.zeros(count), np.zeros(count, dtype=np.int64)
        self._idle_since_s, self._accepted_s = np.full(count, -np.inf), np.full(count, -np.inf)
        self._accepted, self._declined = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)

    def engaged(self, driver: DriverId, store: StoreId, ready_s: float, nodes: Sequence[NodeId], now_s: float) -> None:
        """A driver has accepted a tour: the orders of a store, ready by then, to some customers in turn."""
        stops, estimator = self._figures.stops, self._estimator
        ride_s = float(self._tracking.ride_s(np.array([driver]), store, now_s)[0])
        at_s = max(now_s + ride_s + stops.arrive_s, ready_s) + stops.handoff_s * len(nodes) + stops.leave_s
        last = None
        for node in nodes:
            ride_s = (
                estimator.to_customer_s(store, node, now_s) if last is None else estimator.onward_s(last, node, now_s)
            )
            at_s += ride_s + stops.arrive_s + stops.door_s + stops.leave_s
            last = node
        assert last is not None
        self._busy[driver], self._free_s[driver] = True, at_s
        self._place[driver] = estimator.place(last, self._figures.driver_profiles[driver])
        self._accepted_s[driver] = now_s
        self._accepted[driver] += len(nodes)

    def declined(self, driver: DriverId) -> None:
        """A driver declined an offer, or left it unanswered."""
        self._declined[driver] += 1

    def free(self, driver: DriverId, now_s: float) -> None:
        """A driver has no work any more."""
        self._busy[driver] = False
        self._idle_since_s[driver] = now_s

    def fleet(self, now_s: float, ahead_s: float) -> Fleet:
        """See `sim.contracts.DispatchView.fleet`."""
        tracking, until_s = self._tracking, now_s + ahead_s
        on = np.frombuffer(tracking.on_duty, dtype=np.uint8) != 0
        soon = (self._busy & on & (self._free_s <= until_s)).nonzero()[0]
        coming = (self._comes & (self._on_s > now_s) & (self._on_s <= until_s)).nonzero()[0]
        coming = coming[~on[self._who[coming]]]
        # Whoever begins twice within the time begins first.
        coming = coming[np.unique(self._who[coming], return_index=True)[1]]
        idle = tracking.idle.nonzero()[0]
        driver = np.concatenate([idle, soon, self._who[coming]])
        free_s = np.concatenate([tracking.free_s[idle], self._free_s[soon], self._on_s[coming]])
        place = np.concatenate([tracking.place[idle], self._place[soon], self._begins[self._who[coming]]])
        shift = self._shift(np.concatenate([idle, soon]), now_s)
        ends_s = np.concatenate([self._off_s[shift], self._off_s[coming]])
        began_s = np.concatenate([self._on_s[shift], self._on_s[coming]])
        order = np.argsort(driver, kind="stable")
        is_idle = np.arange(len(driver)) < len(idle)
        driver = driver[order]
        return Fleet(
            driver,
            is_idle[order],
            np.maximum(free_s, now_s)[order],
            ends_s[order],
            place[order],
            self._litres[driver],
            self._profile[driver],
            began_s[order],
            np.maximum(self._idle_since_s[driver], began_s[order]),
            self._accepted_s[driver],
            self._accepted[driver],
            self._declined[driver],
        )

    def _shift(self, drivers: NDArray[Any], now_s: float) -> NDArray[Any]:
        """Row of the shift that each driver is on."""
        far = 1e9
        return np.searchsorted(self._who * far + self._on_s, drivers * far + now_s, side="right") - 1
