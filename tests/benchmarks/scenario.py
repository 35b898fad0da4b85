"""The benchmark's day: 50,000 orders in Coquimbo on the minimal platform, staffed like the default day."""

import numpy as np
import simpy

from sim.scenario import Scenario, load
from sim.world.build import World, build_world

ORDERS = 50_000
WAITS_S = np.random.default_rng(1).exponential(45.0, (997, 20)).tolist()


def day(orders: int = ORDERS, profile: str = "minimal") -> Scenario:
    """A day of about so many orders; staff grows with the orders, stores do not (so that only the load changes)."""
    share = orders / ORDERS
    return load(
        "default",
        [
            "name=benchmark",
            f"demand.orders_per_day={orders / 1.12}",  # a Friday brings 12 % more
            "stores.count=12",
            f"pickers.per_store={max(2, round(52 * share))}",
            f"drivers.count={max(20, round(2600 * share))}",
            "customers.clients=400000",
            f"platform.profile={profile}",
        ],
    )


def world(orders: int = ORDERS, profile: str = "minimal") -> World:
    return build_world(day(orders, profile))


def floor(built: World) -> None:
    """Bare SimPy at the same arrival times: one process per order with twenty timeouts and nothing else.

    The timeouts are drawn beforehand, exponential with a mean of 45 s: together they last a quarter of an hour, as an
    order does, so that the event queue is as long as it has to be, and they differ, as an order's stages do (equal ones
    would always join the queue at its end, which is some 12 % cheaper than a queue in real use).
    """
    env = simpy.Environment()

    def order(waits):
        for wait in waits:
            yield env.timeout(wait)

    def arrivals(times):
        for number, time in enumerate(times):
            if time > env.now:
                yield env.timeout(time - env.now)
            env.process(order(WAITS_S[number % len(WAITS_S)]))

    env.process(arrivals(built.trace.entered_s.tolist()))
    env.run()
