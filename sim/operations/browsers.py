"""Customers who look, one by one: only where the scenario says ``reads: explicit``, in small worlds."""

from collections.abc import Sequence

import numpy as np

from sim.clock import Clock, Timer
from sim.platform.office import Office
from sim.story import Story
from sim.streams import Die, Streams, quantised
from sim.vocabulary import OrderId, StoreId, quantise

MINUTE_S = 60.0


class Followers:
    """Customers with an open order, who look at its state and for the drivers nearby until it is over.

    Parameters
    ----------
    every_s
        Time between two looks of either kind, seconds.
    luck
        Keyed draws by order: when the first ones are.
    """

    def __init__(self, env: Clock, office: Office, every_s: tuple[float, float], luck: Die) -> None:
        self._env, self._office, self._every_s, self._luck = env, office, every_s, luck

    def begin(self, order: OrderId) -> None:
        """An order has been placed."""
        for every_s, share, nearby in zip(self._every_s, self._luck.pair(order), (False, True), strict=True):
            Timer(self._env, quantise(share * every_s), self._look, (order, 2 * nearby, nearby))

    def _look(self, event: Timer) -> None:
        order, number, nearby = event.value
        if self._office.follow(order, number, nearby=nearby):
            Timer(self._env, quantise(self._every_s[nearby]), self._look, (order, number + 4, nearby))


class Browsers:
    """Looks at pages of the catalogue: a Poisson process, as the orders are, only many times as many.

    Parameters
    ----------
    minutes
        Orders expected in each minute.
    reads_per_order
        Looks for every order, mean.
    store_shares, category_shares
        Where they look.
    """

    def __init__(
        self,
        env: Clock,
        office: Office,
        streams: Streams,
        minutes: Sequence[float],
        reads_per_order: float,
        store_shares: Sequence[float],
        category_shares: Sequence[float],
    ) -> None:
        self._env, self._office, self._streams = env, office, streams
        self._reads = np.asarray(minutes) * reads_per_order
        self._store_shares, self._category_shares = np.asarray(store_shares), np.asarray(category_shares)

    def run(self) -> Story:
        """Look, minute after minute."""
        env, office = self._env, self._office
        generator, number = self._streams.generator("browsers"), 0
        for minute, mean in enumerate(self._reads):
            count = int(generator.poisson(mean))
            times = quantised(np.sort(generator.random(count)) * MINUTE_S + minute * MINUTE_S).tolist()
            stores = generator.choice(len(self._store_shares), count, p=self._store_shares).tolist()
            pages = generator.choice(len(self._category_shares), count, p=self._category_shares).tolist()
            for at_s, store, page in zip(times, stores, pages, strict=True):
                if at_s > env.now:
                    yield Timer(env, at_s - env.now)
                office.browse(StoreId(store), page, number)
                number += 1
