"""Drones: back to their dock after every flight, and charged for what they have flown."""

from collections.abc import Sequence
from itertools import pairwise

from sim.clock import Clock, Timer
from sim.operations.drivers import Driver
from sim.operations.riding import Riding
from sim.ports import OfferMessage
from sim.story import Story
from sim.vocabulary import NO_ORDER, StoreId, Trip, quantise
from sim.world.build import World


class Docks:
    """Where drones are at home: their stores.

    Parameters
    ----------
    noise
        Factor on the way back, by order.
    """

    def __init__(self, env: Clock, riding: Riding, world: World, noise: Sequence[float]) -> None:
        self._env, self._riding, self._world, self._noise = env, riding, world, noise
        full_s = world.scenario.drivers.drone_recharge_s
        self._charge_s_m = [full_s / vehicle.range_m if vehicle.flies else 0.0 for vehicle in world.travel.profiles]
        self._flies = [vehicle.flies for vehicle in world.travel.profiles]

    def flies(self, driver: Driver) -> bool:
        """Whether a driver is a machine that flies."""
        return self._flies[driver.profile]

    def land(self, driver: Driver, job: OfferMessage, *, flew: bool) -> Story:
        """Fly what flies back to its store, and charge it there if it `flew`; False: it does not fly."""
        if not self._flies[driver.profile]:
            return False
        dock = StoreId(driver.home)
        at_dock = self._world.store_nodes[dock]
        if driver.node != at_dock:
            noise = self._noise[job.order]
            leg = self._riding.ride(driver, NO_ORDER, Trip.BACK, driver.node, dock, towards=True, noise=noise)
            if leg.arrive_s > self._env.now:
                yield Timer(self._env, leg.arrive_s - self._env.now)
            driver.leg, driver.node, flew = None, leg.node, True
        if flew:
            stops = [at_dock, job.node, *(node for _, node in job.along), at_dock]
            flown_m = sum(self._world.metres(one, other) for one, other in pairwise(stops))
            charge_s = quantise(flown_m * self._charge_s_m[driver.profile])
            if charge_s:
                yield Timer(self._env, charge_s)
        return True
