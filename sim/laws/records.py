"""Law 2: stock records add up.

available is never negative, after any single write; versions count every write; a hold has a line only once and ends in
exactly one of committed, released or expired, before its order's saga ends; so no two holds share a unit.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.laws.base import Law, Rows, Slice
from sim.laws.ledger import ByOrder, Ledger
from sim.world.build import World

LINES = np.dtype([("order", "i8"), ("place", "i8"), ("units", "i8"), ("whole", "?")])
"""A line of an open hold; units taken out again are lines of their own, with negative units and not `whole`."""


class Records(Law):
    """Books of every record and every hold."""

    name = "records"

    def __init__(self, world: World) -> None:
        super().__init__()
        self._skus = world.catalogue.skus
        size = world.stores * self._skus
        self._available, self._versions = Ledger(size), Ledger(size)
        self._open = np.empty(0, dtype=LINES)
        self._ended = ByOrder(0)

    def _lines(self, part: Rows, sign: int) -> NDArray[Any]:
        lines = np.empty(len(part.rows), dtype=LINES)
        lines["order"] = part.rows["order"]
        lines["place"] = part.rows["store"].astype(np.int64) * self._skus + part.rows["sku"]
        lines["units"] = sign * part.rows["units"].astype(np.int64)
        lines["whole"] = sign > 0
        return lines

    def slice(self, facts: Slice) -> None:
        """Check a slice of the run."""
        adjusted, reserved, reduced = facts["record_adjusted"], facts["stock_reserved"], facts["hold_reduced"]
        new, less = self._lines(reserved, 1), self._lines(reduced, -1)
        held = np.concatenate([self._open, new, less])
        ended_seq = self._endings(facts, held)
        over = ended_seq[held["order"]] >= 0
        closing = held[over]
        closing_seq = ended_seq[closing["order"]]
        returned = np.concatenate([facts[kind].rows["order"] for kind in ("hold_released", "hold_expired")])
        back = np.isin(closing["order"], returned)

        # What goes over the counter leaves the record as an adjustment would.
        changes = [(adjusted, 1), (facts["goods_sold"], -1)]
        place_adjusted = np.concatenate(
            [part.rows["store"].astype(np.int64) * self._skus + part.rows["sku"] for part, _ in changes]
        )
        seq_adjusted = np.concatenate([part.seq for part, _ in changes])
        units_adjusted = np.concatenate([sign * part.rows["units"].astype(np.int64) for part, sign in changes])
        after = self._available.post(
            np.concatenate([place_adjusted, new["place"], less["place"], closing["place"][back]]),
            np.concatenate([units_adjusted, -new["units"], -less["units"], closing["units"][back]]),
            np.concatenate([seq_adjusted, reserved.seq, reduced.seq, closing_seq[back]]),
        )
        times = np.concatenate([*(part.rows["t_s"] for part, _ in changes), reserved.rows["t_s"], reduced.rows["t_s"]])
        for i in np.flatnonzero(after[: len(times)] < 0)[:5]:
            self.breach(times[i], f"a record says {after[i]} available")
        self._check_versions(seq_adjusted, reserved, reduced, place_adjusted, new, less, closing, closing_seq)
        self._check_lines(reserved, reduced, new, held)
        self._open = held[~over]
        for order in np.intersect1d(self._open["order"], facts["saga_ended"].rows["order"])[:5]:
            self.breach(facts["saga_ended"].rows["t_s"][-1], f"order {order} ended and still holds stock")

    def _endings(self, facts: Slice, held: NDArray[Any]) -> NDArray[np.int64]:
        """When each order's hold ended in this slice (its seq; -1: it did not), and whether it might."""
        parts = [facts["hold_committed"], facts["hold_released"], facts["hold_expired"]]
        orders = np.concatenate([part.rows["order"] for part in parts]).astype(np.int64)
        seqs, times = np.concatenate([part.seq for part in parts]), np.concatenate([part.rows["t_s"] for part in parts])
        ended = self._ended.fit(np.concatenate([orders, held["order"]]))
        np.add.at(ended, orders, 1)
        for i in np.flatnonzero((ended[orders] > 1) | ~np.isin(orders, held["order"]))[:5]:
            self.breach(times[i], f"order {orders[i]} ended a hold that it did not have, or twice")
        ended_seq = np.full(len(ended), -1, dtype=np.int64)
        ended_seq[orders] = seqs
        return ended_seq

    def _check_versions(
        self,
        seq_adjusted: NDArray[Any],
        reserved: Rows,
        reduced: Rows,
        place: NDArray[Any],
        new: Any,
        less: Any,
        closing: Any,
        seq: Any,
    ) -> None:
        written = closing["whole"]  # ending a hold writes each of its records once
        places = np.concatenate([new["place"], place, less["place"], closing["place"][written]])
        count = self._versions.post(
            places,
            np.ones(len(places), dtype=np.int64),
            np.concatenate([reserved.seq, seq_adjusted, reduced.seq, seq[written]]),
        )
        for i in np.flatnonzero(count[: len(new)] != reserved.rows["version"])[:5]:
            row = reserved.rows[i]
            self.breach(
                row["t_s"], f"order {row['order']} wrote version {row['version']} of a record, expected {count[i]}"
            )

    def _check_lines(self, reserved: Rows, reduced: Rows, new: NDArray[Any], held: NDArray[Any]) -> None:
        for i in np.flatnonzero(new["units"] <= 0)[:5]:
            self.breach(reserved.rows["t_s"][i], f"order {new['order'][i]} holds {new['units'][i]} units of a line")
        key = held["order"] * np.int64(len(self._available.balance)) + held["place"]
        lines, inverse = np.unique(key, return_inverse=True)
        left = np.bincount(inverse, weights=held["units"], minlength=len(lines))
        twice = np.bincount(inverse, weights=held["whole"], minlength=len(lines))
        if (left < 0).any() or (twice > 1).any():
            t_s = reduced.rows["t_s"][-1] if len(reduced.rows) else reserved.rows["t_s"][-1]
            order = int(held["order"][np.flatnonzero((left < 0)[inverse] | (twice > 1)[inverse])[0]])
            self.breach(t_s, f"order {order} holds a line twice, or gave up more of it than it held")
