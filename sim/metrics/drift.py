"""Inventory drift: how far the records are from the shelves, where the gap came from, and what customers felt of it.

The gap of a record is record less shelf: what the platform did not learn of the scans (record less scan log), plus what
people did not scan or scanned wrongly (scan log less shelf). Every slip of the second kind is a fact with its cause. Of the
first kind, messages that counted twice and records rebuilt from an older copy are facts; what is left is late: not heard
yet, or heard in another order. A count ends whatever was wrong with a place before it and leaves at most its own error; a
correction by the scan log ends what the platform had done.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.recording import Archive, State, committed
from sim.vocabulary import Adjustment, StockCause

_DOUBLED, _LATE = len(StockCause), len(StockCause) + 1
_RECOVERED = int(StockCause.RECOVERY)
_ROWS = _LATE + 1
"""Rows of an array by cause: those that are facts, and those of the platform beside them."""

_SEQS = 40
"""Bits of a fact's number in a key of place and time."""

_SLIPS = tuple(StockCause[name] for name in ("OPENING", "DELIVERY", "MISPICK", "THEFT", "DAMAGE", "BREAKAGE", "COUNT"))
"""What a slip may come from."""

_OURS = (_DOUBLED, _RECOVERED)
"""Rows of what the platform did by itself."""

_SETTLING = (int(StockCause.COUNT), int(StockCause.RECONCILED))
"""What sets a record to what the scan log says, just after a count in any case."""


def drift(archive: Archive, state: State) -> dict[str, Any]:
    """The gap between record and shelf when the run ends.

    `by_cause` shares the units that are off out among the causes that pull their way, in proportion, so that it sums to
    `units_abs`; `short_by_cause` does the same with `units_short`, what pickers did not find although the record had it
    (`overlooked`: and the shelf as well), and
    `unseen_by_cause` with `units_unseen`, what the record denied although it was there.
    `phantom_share` is the share of records that offer units of which the shelf holds none.
    """
    gap = (state.available + state.reserved - state.shelf).ravel()
    origins = Origins(archive, gap.size, state.shelf.shape[1])
    (lacked, overlooked), denied = origins.short(archive), origins.denied(archive)
    short, unseen = (felt.parts.sum(axis=1) for felt in (lacked, denied))
    phantom = (state.available > 0) & (state.shelf == 0)
    return {
        "records_inaccurate_share": float((gap != 0).mean()) if gap.size else None,
        "phantom_share": float(phantom.mean()) if gap.size else None,
        "units_abs": int(np.abs(gap).sum()),
        "units_net": int(gap.sum()),
        "by_cause": _named(origins.standing(gap).sum(axis=1)),
        "units_short": round(float(short.sum())) + overlooked,
        "short_by_cause": {**_named(short), "overlooked": float(overlooked)},
        "units_unseen": round(float(unseen.sum())),
        "unseen_by_cause": _named(unseen),
        **reorders(archive),
    }


CAUSES = {
    **{int(cause): cause.name.lower() for cause in _SLIPS},
    _DOUBLED: "doubled_message",
    _RECOVERED: "recovery",
    _LATE: "late_message",
}
"""Rows of an array by cause, and their names."""


def reorders(archive: Archive) -> dict[str, int]:
    """What was ordered in vain, and what was not ordered in time, because records were wrong: units of the whole run."""
    judged = archive.rows("reorder_judged")
    return {
        "needless_reorder_units": int(judged["needless"].sum()),
        "lacking_reorder_units": int(judged["lacking"].sum()),
    }


def reviews(archive: Archive, start_s: float) -> dict[str, Any]:
    """What was put right without a count from a time on: units corrected, and differences flagged for people.

    `open` counts those that nobody has looked at when the run ends; `wait_s` is the mean time from flag to review.
    """
    corrected, flagged, reviewed = (
        archive.rows(kind) for kind in ("stock_corrected", "difference_flagged", "difference_reviewed")
    )
    corrected = corrected[corrected["adjustment"] != Adjustment.COUNTED]
    waited = reviewed["waited_s"][reviewed["t_s"] >= start_s]
    return {
        "units_corrected": int(np.abs(corrected["units"][corrected["t_s"] >= start_s]).sum()),
        "flagged": int((flagged["t_s"] >= start_s).sum()),
        "reviewed": len(waited),
        "open": len(flagged) - len(reviewed),
        "wait_s": float(waited.mean()) if len(waited) else None,
    }


def _named(units: NDArray[np.float64]) -> dict[str, float]:
    return {name: float(units[row]) for row, name in CAUSES.items()}


def shared(parts: NDArray[Any], gap: NDArray[Any]) -> NDArray[np.float64]:
    """Share each gap out among its parts of the same sign: (causes, n) and (n,) give float64 (causes, n)."""
    pull = np.maximum(parts * np.sign(gap), 0).astype(np.float64)
    return np.asarray(pull * (np.abs(gap) / np.maximum(pull.sum(axis=0), 1)))


class Felt(NamedTuple):
    """What customers felt of wrong records: when, seconds, and where (flat places), (n,); units by cause, (causes, n)."""

    t_s: NDArray[np.float64]
    place: NDArray[np.int64]
    parts: NDArray[np.float64]


class Origins:
    """What put records wrong, by place and then by time: slips of the people, and what the platform did by itself."""

    def __init__(self, archive: Archive, places: int, skus: int) -> None:
        self._places, self._skus = places, skus
        slips, doubled, adjusted = (
            archive.rows(kind) for kind in ("scan_slipped", "adjustment_doubled", "record_adjusted")
        )
        seq = archive.seq("record_adjusted")
        rebuilt = adjusted["cause"] == _RECOVERED
        parts = [
            (self._key(slips, archive.seq("scan_slipped")), slips, slips["cause"]),
            (self._key(doubled, archive.seq("adjustment_doubled")), doubled, np.full(len(doubled), _DOUBLED)),
            (self._key(adjusted[rebuilt], seq[rebuilt]), adjusted[rebuilt], np.full(rebuilt.sum(), _RECOVERED)),
        ]
        key = np.concatenate([keys for keys, *_ in parts])
        order = np.argsort(key)
        self._by_time = key[order]
        self._units = np.concatenate([rows["units"] for _, rows, _ in parts])[order].astype(np.int64)
        self._cause = np.concatenate([causes for *_, causes in parts])[order].astype(np.int64)
        self._ours = np.isin(self._cause, _OURS)
        self._t_s = np.concatenate([rows["t_s"] for _, rows, _ in parts])[order]
        counted, ours = archive.rows("shelf_counted"), np.isin(adjusted["cause"], _SETTLING)
        self._counts = self._key(counted, archive.seq("shelf_counted")), counted["t_s"]
        self._corrections = self._key(adjusted[ours], seq[ours]), adjusted["t_s"][ours]

    def _key(self, rows: Any, seq: Any, sku: str = "sku") -> NDArray[np.int64]:
        place = rows["store"].astype(np.int64) * self._skus + rows[sku]
        return np.asarray((place << _SEQS) + seq)

    def standing(self, gap: NDArray[Any], until_s: float = np.inf) -> NDArray[np.float64]:
        """Share a gap at some time, (places,), out among what nothing has put right by then, float64 (causes, places)."""
        settled_at = []
        for keys, times in (self._counts, self._corrections):
            keys = keys[: np.searchsorted(times, until_s, side="right")]
            last = np.full(self._places, -1, dtype=np.int64)
            last[keys >> _SEQS] = keys  # in order of time, so the last one stays
            settled_at.append(last)
        mine = self._t_s <= until_s
        by_time, cause, units, ours = (column[mine] for column in (self._by_time, self._cause, self._units, self._ours))
        place = by_time >> _SEQS
        # All slips up to a count, and the count itself, add up to the count's own error.
        cause = np.where(~ours & (by_time < settled_at[0][place]), int(StockCause.COUNT), cause)
        units = np.where(ours & (by_time < settled_at[1][place]), 0, units)
        parts = np.zeros((_ROWS, self._places), dtype=np.int64)
        np.add.at(parts, (cause, place), units)
        parts[_LATE] = gap - parts.sum(axis=0)
        return shared(parts, gap)

    def short(self, archive: Archive) -> tuple[Felt, int]:
        """Units that were on record and not found, by the causes of the gap at that moment.

        And those that were not found although there was no such gap: the picker overlooked them, or reached beside them.
        """
        reduced, missed = archive.rows("hold_reduced"), archive.rows("sale_missed")
        at_s, ends, units = self._told(
            archive, ("hold_reduced", reduced, True), ("sale_missed", missed, ~missed["denied"])
        )
        lacking = np.clip(self._gaps(archive, ends), 0, units)
        gone = lacking > 0
        return self._felt(at_s[gone], ends[gone], lacking[gone]), int((units - lacking).sum())

    def denied(self, archive: Archive) -> Felt:
        """Units that the record denied though they were there, by the causes of the gap at that moment.

        There, and promised to nobody: as many of those denied as the shelf held more than the record.
        """
        missing, missed = archive.rows("line_missing"), archive.rows("sale_missed")
        at_s, ends, units = self._told(
            archive, ("line_missing", missing, True), ("sale_missed", missed, missed["denied"])
        )
        unseen = np.minimum(units, -self._gaps(archive, ends))
        there = unseen > 0
        return self._felt(at_s[there], ends[there], -unseen[there])

    def _told(
        self, archive: Archive, *parts: tuple[str, Any, Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        """When and where (keys of place and time) facts of some kinds tell of units, and how many: those of some rows."""
        mine = []
        for kind, rows, which in parts:
            chosen = np.broadcast_to(which, len(rows))
            mine.append((rows[chosen], archive.seq(kind)[chosen]))
        return (
            np.concatenate([rows["t_s"] for rows, _ in mine]),
            np.concatenate([self._key(rows, seq) for rows, seq in mine]),
            np.concatenate([rows["units"] for rows, _ in mine]).astype(np.int64),
        )

    def _gaps(self, archive: Archive, ends: NDArray[np.int64]) -> NDArray[np.int64]:
        """Record less shelf just before each of some keys of place and time, int64 (n,)."""
        asked = np.zeros(self._places, dtype=bool)
        asked[ends >> _SEQS] = True
        keys, moves = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]

        def move(rows: Any, sku: str, seq: NDArray[np.int64], units: NDArray[Any]) -> None:
            key = self._key(rows, seq, sku)
            mine = asked[key >> _SEQS]
            keys.append(key[mine])
            moves.append(units[mine].astype(np.int64))

        for kind, sign in (("shelf_changed", -1), ("goods_picked", 1), ("goods_put_back", -1), ("record_adjusted", 1)):
            rows = archive.rows(kind)
            move(rows, "sku", archive.seq(kind), sign * rows["units"])
        rows = archive.rows("goods_returned")
        move(rows, "sku", archive.seq("goods_returned"), np.where(rows["wasted"], 0, -rows["units"]))
        rows, seq = archive.rows("goods_sold"), archive.seq("goods_sold")
        move(rows, "taken", seq, rows["units"])
        move(rows, "sku", seq, -rows["units"])
        for _, seq, rows, units in committed(archive):
            move(rows, "sku", seq, -units)
        key, units = np.concatenate(keys), np.concatenate(moves)
        order = np.argsort(key)
        key, level = key[order], np.concatenate([[0], np.cumsum(units[order])])
        # What came to other places before is not this one's.
        return np.asarray(level[np.searchsorted(key, ends)] - level[np.searchsorted(key, ends >> _SEQS << _SEQS)])

    def _felt(self, at_s: NDArray[np.float64], ends: NDArray[np.int64], units: NDArray[np.int64]) -> Felt:
        """Units (signed as the gap) that customers felt at some moments, by the causes of the gap."""
        felt = np.zeros((_ROWS, len(ends)))
        first = ends >> _SEQS << _SEQS
        begins = np.searchsorted(self._by_time, first)
        corrections = np.sort(self._corrections[0])
        settled = np.maximum(np.append(-1, corrections)[np.searchsorted(corrections, ends)], first)
        stops = np.searchsorted(self._by_time, ends)
        rights = np.searchsorted(self._by_time, settled)
        for n, (lacking, begin, righted, end) in enumerate(zip(units.tolist(), begins, rights, stops, strict=True)):
            place = np.arange(begin, end)
            cause, ours = self._cause[begin:end], self._ours[begin:end]
            counts = place[cause == StockCause.COUNT]
            slip = np.where(~ours & (place <= counts.max(initial=-1)), int(StockCause.COUNT), cause)
            stands = ~ours | (place >= righted)
            parts = np.zeros((_ROWS, 1))
            np.add.at(parts[:, 0], slip[stands], self._units[begin:end][stands])
            if not (parts * lacking > 0).any():
                parts[_LATE] = lacking
            felt[:, n] = shared(parts, np.array([lacking]))[:, 0]
        return Felt(at_s, ends >> _SEQS, felt)
