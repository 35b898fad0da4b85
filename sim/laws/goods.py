"""Law 1: goods are neither made nor lost, per store and SKU.

A shelf holds what was brought less what was picked, never less than nothing; an order's tote holds what was picked for
it, leaves the store at most once and not empty, is handed over only after it left, and goes back to the shelves only
before; what goes back is what was in it. Where orders may come back from the door, see `sim.laws.totes`. (That the live
shelves agree, unit by unit, is law 6.)
"""

import numpy as np

from sim.laws.base import Law, Rows, Slice
from sim.laws.ledger import ByOrder, Ledger
from sim.laws.totes import NEVER, Totes
from sim.world.build import World


class Goods(Law):
    """Books of every shelf and every tote."""

    name = "goods"

    def __init__(self, world: World) -> None:
        super().__init__()
        self._skus = world.catalogue.skus
        self._shelves = Ledger(world.stores * self._skus)
        self._totes_back = None if world.doors is None else Totes(world.stores, self._skus)
        self._tote, self._left, self._over = ByOrder(0), ByOrder(NEVER), ByOrder(NEVER)

    def slice(self, facts: Slice) -> None:
        """Check a slice of the run."""
        parts = [
            (facts["shelf_changed"], "sku", 1),
            (facts["goods_picked"], "sku", -1),
            (facts["goods_put_back"], "sku", 1),
            (facts["goods_sold"], "taken", -1),
            (_put_away(facts["goods_returned"]), "sku", 1),
        ]
        place = np.concatenate(
            [part.rows["store"].astype(np.int64) * self._skus + part.rows[sku] for part, sku, _ in parts]
        )
        amount = np.concatenate([sign * part.rows["units"].astype(np.int64) for part, _, sign in parts])
        after = self._shelves.post(place, amount, np.concatenate([part.seq for part, _, _ in parts]))
        times = np.concatenate([part.rows["t_s"] for part, _, _ in parts])
        for i in np.flatnonzero(after < 0)[:5]:
            where = f"sku {place[i] % self._skus} in store {place[i] // self._skus}"
            self.breach(times[i], f"shelf of {where} holds {after[i]} units")
        sold = facts["goods_sold"]
        for i in np.flatnonzero(sold.rows["units"] <= 0)[:5]:
            self.breach(sold.rows["t_s"][i], f"{sold.rows['units'][i]} units sold")
        self._totes(facts)
        if self._totes_back is not None:
            for t_s, what in self._totes_back.wrong(facts):
                self.breach(t_s, what)

    def _totes(self, facts: Slice) -> None:
        picked, back, gone, given = (
            facts[kind] for kind in ("goods_picked", "goods_put_back", "goods_left", "goods_delivered")
        )
        for part, what in ((picked, "picked"), (back, "put back")):
            for i in np.flatnonzero(part.rows["units"] <= 0)[:5]:
                self.breach(part.rows["t_s"][i], f"order {part.rows['order'][i]}: {part.rows['units'][i]} units {what}")
        touched = np.concatenate([part.rows["order"] for part in (picked, back, gone, given)])
        tote, left, over = (column.fit(touched) for column in (self._tote, self._left, self._over))
        for i in np.flatnonzero(left[gone.rows["order"]] != NEVER)[:5]:
            self.breach(gone.rows["t_s"][i], f"order {gone.rows['order'][i]} left its store twice")
        left[gone.rows["order"]] = gone.seq
        # Nothing enters or leaves a tote that has left the store.
        for part, what in ((picked, "was picked for"), (back, "was put back from")):
            for i in np.flatnonzero(part.seq > left[part.rows["order"]])[:5]:
                self.breach(part.rows["t_s"][i], f"order {part.rows['order'][i]} {what} after it had left")
        np.add.at(tote, picked.rows["order"], picked.rows["units"])
        np.subtract.at(tote, back.rows["order"], back.rows["units"])
        for part, wrong, what in (
            (back, tote[back.rows["order"]] < 0, "put back more than it held"),
            (gone, tote[gone.rows["order"]] <= 0, "left its store empty"),
            (given, left[given.rows["order"]] > given.seq, "was delivered without having left"),
            (given, over[given.rows["order"]] != NEVER, "was delivered twice"),
        ):
            for i in np.flatnonzero(wrong)[:5]:
                self.breach(part.rows["t_s"][i], f"order {part.rows['order'][i]} {what}")
        over[given.rows["order"]] = given.seq


def _put_away(returned: Rows) -> Rows:
    """What came back and was put on the shelf again."""
    there = ~returned.rows["wasted"]
    return Rows(returned.seq[there], returned.rows[there])
