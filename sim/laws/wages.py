"""Wages: where ways are paid, every person is paid the way of each order handed over, once and by the kilometre."""

import numpy as np

from sim.laws.base import Law, Slice
from sim.world.build import World


class Wages(Law):
    """Books of the ways that drivers are owed; machines earn nothing."""

    name = "wages"

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world, self._km_cents = world, world.scenario.drivers.pay.km_cents
        profiles = world.travel.profiles
        self._people = np.array([not profiles[driver.profile].flies for driver in world.drivers])
        self._way = np.full(
            (len(world.trace.node), 2), -1
        )  # of each order that entered: its store's node, its customer's

    def slice(self, facts: Slice) -> None:
        """Check a slice of the run: a handover and its pay are of one moment, so never in two slices."""
        entered, delivered, paid = (facts[kind].rows for kind in ("order_entered", "goods_delivered", "way_paid"))
        self._way[entered["order"]] = np.column_stack(
            [np.array(self._world.store_nodes)[entered["store"]], entered["node"]]
        )
        delivered = delivered[self._people[delivered["driver"]]]
        owed, got = ([(t, d, o) for t, d, o in rows[["t_s", "driver", "order"]].tolist()] for rows in (delivered, paid))
        if owed != got:
            t_s, driver, order = min(set(owed) ^ set(got), default=min(owed + got))
            self.breach(
                t_s, f"{len(owed)} orders were handed over, {len(got)} ways paid: see driver {driver}, order {order}"
            )
        for t_s, driver, order, cents in paid[["t_s", "driver", "order", "cents"]].tolist():
            due = self._km_cents * self._world.metres(*self._way[order].tolist()) / 1000.0
            if abs(cents - due) > 0.5:
                self.breach(t_s, f"driver {driver} is paid {cents} cents for the way of order {order}, due {due:.1f}")
