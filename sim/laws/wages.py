"""Wages: where ways are paid, every person is paid the way of each order handed over, once and by the kilometre."""

from typing import Final

import numpy as np

from sim.laws.base import Law, Slice
from sim.world.build import World
from sim.world.geography import metres_between

ROUNDING: Final = 1e-6
"""By how much two ways to reckon the same distance may differ, cents."""


class Wages(Law):
    """Books of the ways that drivers are owed; machines earn nothing."""

    name = "wages"

    def __init__(self, world: World) -> None:
        super().__init__()
        places, self._km_cents = world.geography, world.scenario.drivers.pay.km_cents
        self._lon, self._lat, self._store_nodes = places.lon, places.lat, np.array(world.store_nodes)
        profiles, orders = world.travel.profiles, len(world.trace.node)
        self._people = np.array([not profiles[driver.profile].flies for driver in world.drivers])
        # Of each order that entered: the nodes of its store and of its customer.
        self._from, self._to = (np.zeros(orders, dtype=np.int64) for _ in range(2))

    def slice(self, facts: Slice) -> None:
        """Check a slice of the run: a handover and its pay are of one moment, so never in two slices."""
        entered, delivered, paid = (facts[kind].rows for kind in ("order_entered", "goods_delivered", "way_paid"))
        self._from[entered["order"]], self._to[entered["order"]] = self._store_nodes[entered["store"]], entered["node"]
        delivered = delivered[self._people[delivered["driver"]]]
        owed, got = (rows[["t_s", "driver", "order"]].tolist() for rows in (delivered, paid))
        if owed != got:
            t_s, driver, order = min(set(owed) ^ set(got), default=min(owed + got))
            self.breach(
                t_s, f"{len(owed)} orders were handed over, {len(got)} ways paid: see driver {driver}, order {order}"
            )
        ends = self._from[paid["order"]], self._to[paid["order"]]
        metres = metres_between(*(column[end] for end in ends for column in (self._lon, self._lat)))
        due = self._km_cents * metres / 1000.0
        for i in np.flatnonzero(np.abs(paid["cents"] - due) > 0.5 + ROUNDING)[:5]:
            row = paid[i]
            self.breach(
                row["t_s"],
                f"driver {row['driver']} is paid {row['cents']} cents for order {row['order']}'s way, due {due[i]:.1f}",
            )
