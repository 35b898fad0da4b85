"""The regions of the city: stock records are parted by them, and each part is a database of its own.

What befalls a region's database befalls the stores of that region alone: calls about their records get no answer, and when an
asynchronous standby takes over, only their records lose what it lacked.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from sim.vocabulary import NodeId, StoreId


def part(store_nodes: Sequence[NodeId], regions: int, metres: Callable[[int, int], float]) -> list[int]:
    """Deal stores to regions by where they stand: (stores,) numbers of regions.

    The first store begins a region, and the store farthest from all that have begun one begins the next (farthest-first
    traversal: Gonzalez, Theor. Comput. Sci. 38, 1985); every store is of the region whose first store is nearest. Ties go to the
    smaller number; there are no more regions than places.
    """
    seeds, nearest_m, region = [0], [metres(store_nodes[0], node) for node in store_nodes], [0] * len(store_nodes)
    while len(seeds) < regions:
        seed = max(range(len(store_nodes)), key=lambda store: (nearest_m[store], -store))
        if not nearest_m[seed]:
            break
        for store, node in enumerate(store_nodes):
            if (far_m := metres(store_nodes[seed], node)) < nearest_m[store]:
                nearest_m[store], region[store] = far_m, len(seeds)
        seeds.append(seed)
    return region


class Dark(Counter[StoreId]):
    """Stores whose records cannot be reached, because their region's database is down; outages may overlap."""

    def fall(self, stores: Sequence[StoreId]) -> None:
        """The records of some stores cannot be reached until they `rise`."""
        self.update(stores)

    def rise(self, stores: Sequence[StoreId]) -> None:
        """A cause of a `fall` is gone."""
        self.subtract(stores)
        for store in stores:
            if not self[store]:
                del self[store]
