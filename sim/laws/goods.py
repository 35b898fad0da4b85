"""Law 1: goods are neither made nor lost, per store and SKU.

A shelf holds what was brought less what was picked, never less than nothing; a dock, where there is one, what trucks brought
less what was put away. What a store sends another was taken off its shelf, and is on the road until it arrives: at the close
only what is not due yet. An order's tote holds what was picked for it, leaves the store at most once and not empty, is handed
over only after it left, and goes back to the shelves only before; what goes back is what was in it. Where orders
may come back from the door, see `sim.laws.totes`. (That the live shelves,
docks and roads agree, unit by unit, is law 6.)
"""

import numpy as np

from sim.laws.base import Law, Rows, Slice
from sim.laws.ledger import ByOrder, Ledger
from sim.laws.totes import NEVER, Totes
from sim.vocabulary import StockCause
from sim.world.build import World


class Goods(Law):
    """Books of every shelf and every tote."""

    name = "goods"

    def __init__(self, world: World) -> None:
        super().__init__()
        self._skus = world.catalogue.skus
        self._shelves = Ledger(world.stores * self._skus)
        self._totes_back = None if world.doors is None else Totes(world.stores, self._skus)
        # Where there is a dock, what trucks brought comes from it alone.
        self._docks = Ledger(world.stores * self._skus) if world.scenario.stores.dock is not None else None
        # Taken off a shelf and not said to be sent; sent and not arrived.
        self._taken, self._road = (Ledger(world.stores * self._skus) for _ in range(2))
        self._end_s, self._coming = world.scenario.end_s, np.zeros(world.stores * self._skus, dtype=np.int64)
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
        if self._docks is not None:
            self._put_away(self._docks, facts)
        self._between(facts)
        self._totes(facts)
        if self._totes_back is not None:
            for t_s, what in self._totes_back.wrong(facts):
                self.breach(t_s, what)

    def _put_away(self, docks: Ledger, facts: Slice) -> None:
        docked, changed = facts["goods_docked"], facts["shelf_changed"]
        brought = changed.rows["cause"] == StockCause.DELIVERY
        parts = ((docked.rows, docked.seq, 1), (changed.rows[brought], changed.seq[brought], -1))
        place = np.concatenate([rows["store"].astype(np.int64) * self._skus + rows["sku"] for rows, _, _ in parts])
        amount = np.concatenate([sign * rows["units"].astype(np.int64) for rows, _, sign in parts])
        after = docks.post(place, amount, np.concatenate([seq for _, seq, _ in parts]))
        times = np.concatenate([rows["t_s"] for rows, _, _ in parts])
        for i in np.flatnonzero(after < 0)[:5]:
            where = f"sku {place[i] % self._skus} in store {place[i] // self._skus}"
            self.breach(times[i], f"dock of {where} holds {after[i]} units")
        for i in np.flatnonzero(docked.rows["units"] <= 0)[:5]:
            self.breach(docked.rows["t_s"][i], f"{docked.rows['units'][i]} units came to a dock")

    def _between(self, facts: Slice) -> None:
        """What left for another store was taken off a shelf, and arrives there as it left."""
        sent, changed = facts["goods_sent"], facts["shelf_changed"]
        moved = changed.rows["cause"] == StockCause.TRANSFER
        if not (len(sent.rows) or moved.any()):
            return
        rows, seq = changed.rows[moved], changed.seq[moved]
        place, units = rows["store"].astype(np.int64) * self._skus + rows["sku"], rows["units"].astype(np.int64)
        goes, out = sent.rows["units"].astype(np.int64), units < 0
        here = sent.rows["store"] >= 0  # what was on the road at the start was taken before
        origin = (sent.rows["store"].astype(np.int64) * self._skus + sent.rows["sku"])[here]
        to = sent.rows["destination"].astype(np.int64) * self._skus + sent.rows["sku"]
        for ledger, parts, what in (
            (
                self._taken,
                ((place[out], -units[out], seq[out]), (origin, -goes[here], sent.seq[here])),
                "was not taken off",
            ),
            (self._road, ((to, goes, sent.seq), (place[~out], -units[~out], seq[~out])), "was not sent to"),
        ):
            where, amount, when = (np.concatenate(columns) for columns in zip(*parts, strict=True))
            for i in np.flatnonzero(ledger.post(where, amount, when) < 0)[:5]:
                t_s = sent.rows["t_s"][0] if len(sent.rows) else rows["t_s"][0]
                self.breach(t_s, f"sku {where[i] % self._skus} {what} store {where[i] // self._skus}, and it moved")
        # Who is due after the close is still on the road then.
        late = sent.rows["due_s"] >= self._end_s
        np.add.at(self._coming, to[late], goes[late])

    def close(self) -> None:
        """What was taken has left, and what is not due yet is all that is on the road."""
        for balance, what in (
            (self._taken.balance, "taken off the shelf for another store and not sent"),
            (self._road.balance - self._coming, "sent and lost on the road (or found there)"),
        ):
            for place in np.flatnonzero(balance)[:5]:
                where = f"sku {place % self._skus} of store {place // self._skus}"
                self.breach(self._end_s, f"{where}: {balance[place]} units {what}")

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
