"""Proof of age: nothing that is sold to adults only is handed over without one that somebody has looked at."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.laws.base import Law, Slice
from sim.world.build import World

_NEVER = np.iinfo(np.int64).max


class Ages(Law):
    """Books of what is in the bags for adults only: by what was taken off the shelves, not by what was ordered."""

    name = "ages"

    def __init__(self, world: World, restricted: NDArray[np.bool_], underage: frozenset[int]) -> None:
        super().__init__()
        self._restricted, self._underage = restricted, np.array(sorted(underage), dtype=np.int64)
        profiles, orders = world.travel.profiles, len(world.trace.node)
        self._people = np.array([not profiles[driver.profile].flies for driver in world.drivers])
        self._bag = np.zeros(orders, dtype=np.int64)  # units for adults only
        self._proof = np.full(orders, -1)  # who has seen one

    def slice(self, facts: Slice) -> None:
        """Check a slice of the run."""
        checked, delivered = facts["age_checked"], facts["goods_delivered"]
        ends = np.full(len(self._bag), _NEVER)
        ends[delivered.rows["order"]] = delivered.seq
        for kind, sign in (("goods_picked", 1), ("goods_put_back", -1), ("goods_kept", -1)):
            seq, rows = facts[kind]
            # What is picked a second time, after the handover, is in no bag.
            mine = self._restricted[rows["sku"]] & (seq < ends[rows["order"]])
            np.add.at(self._bag, rows["order"][mine], sign * rows["units"][mine].astype(np.int64))
        looked = checked.rows[checked.seq < ends[checked.rows["order"]]]
        passed = looked[looked["passed"]]
        self._proof[passed["order"]] = passed["driver"]
        for row in passed[np.isin(passed["order"], self._underage)][:5]:
            self.breach(row["t_s"], f"driver {row['driver']} took the customer of order {row['order']} for of age")
        rows = delivered.rows
        for row in rows[(self._bag[rows["order"]] > 0) & ~self._seen(rows)][:5]:
            units = self._bag[row["order"]]
            self.breach(
                row["t_s"],
                f"driver {row['driver']} hands {units} units of order {row['order']} over without a proof of age",
            )

    def _seen(self, rows: Any) -> NDArray[np.bool_]:
        """Whether the driver, a person, of each of some handovers has seen a proof, bool (n,)."""
        return np.asarray((self._proof[rows["order"]] == rows["driver"]) & self._people[rows["driver"]])
