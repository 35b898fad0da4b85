"""Inventory drift: how far the records are from the shelves, where the gap came from, and what customers felt of it.

The gap of a record is record less shelf: what the platform did not learn of the scans (record less scan log), plus what
people did not scan or scanned wrongly (scan log less shelf). Every slip of the second kind is a fact with its cause; the
first kind is the platform's. A count ends whatever was wrong with a place before it and leaves at most its own error.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.recording import Archive, State
from sim.vocabulary import Adjustment, StockCause

PLATFORM = len(StockCause)
"""Row of the gaps that people had no part in, after those of the causes."""

_SEQS = 40
"""Bits of a fact's number in a key of place and time."""

_SLIPS = tuple(StockCause[name] for name in ("OPENING", "DELIVERY", "MISPICK", "THEFT", "DAMAGE", "BREAKAGE", "COUNT"))
"""What a slip may come from."""


def drift(archive: Archive, state: State) -> dict[str, Any]:
    """The gap between record and shelf when the run ends.

    `by_cause` shares the units that are off out among the causes that pull their way, in proportion, so that it sums to
    `units_abs`; `short_by_cause` does the same with `units_short`, what pickers did not find although the record had it
    (`overlooked`: and the shelf as well), and
    `unseen_by_cause` with `units_unseen`, what the record denied although it was there.
    `phantom_share` is the share of records that offer units of which the shelf holds none.
    """
    gap = (state.available + state.reserved - state.shelf).ravel()
    slips = Slips(archive, gap.size, state.shelf.shape[1])
    parts = slips.standing()
    parts[PLATFORM] = gap - (state.scan - state.shelf).ravel()
    (short, overlooked), unseen = slips.short(archive), slips.denied(archive)
    phantom = (state.available > 0) & (state.shelf == 0)
    return {
        "records_inaccurate_share": float((gap != 0).mean()) if gap.size else None,
        "phantom_share": float(phantom.mean()) if gap.size else None,
        "units_abs": int(np.abs(gap).sum()),
        "units_net": int(gap.sum()),
        "by_cause": _named(shared(parts, gap).sum(axis=1)),
        "units_short": round(float(short.sum())) + overlooked,
        "short_by_cause": {**_named(short), "overlooked": float(overlooked)},
        "units_unseen": round(float(unseen.sum())),
        "unseen_by_cause": _named(unseen),
    }


CAUSES = {**{int(cause): cause.name.lower() for cause in _SLIPS}, PLATFORM: "platform"}
"""Rows of an array by cause, and their names."""


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


class Slips:
    """The archive's slips: what people scanned wrongly or not at all, by place and then by time."""

    def __init__(self, archive: Archive, places: int, skus: int) -> None:
        self._places, self._skus = places, skus
        rows, counted = archive.rows("scan_slipped"), archive.rows("shelf_counted")
        key = self._key(rows, archive.seq("scan_slipped"))
        order = np.argsort(key)
        self._by_time = key[order]
        self._units, self._cause = rows["units"][order].astype(np.int64), rows["cause"][order].astype(np.int64)
        self._t_s = rows["t_s"][order]
        self._counts, self._counted_s = self._key(counted, archive.seq("shelf_counted")), counted["t_s"]

    def _key(self, rows: Any, seq: Any) -> NDArray[np.int64]:
        place = rows["store"].astype(np.int64) * self._skus + rows["sku"]
        return np.asarray((place << _SEQS) + seq)

    def standing(self, until_s: float = np.inf) -> NDArray[np.int64]:
        """Units of each cause that no count has put right by then, int64 (causes and the platform, places)."""
        counts = self._counts[: np.searchsorted(self._counted_s, until_s, side="right")]
        last = np.full(self._places, -1, dtype=np.int64)
        last[counts >> _SEQS] = counts  # in order of time, so the last one stays
        mine = self._t_s <= until_s
        by_time, cause = self._by_time[mine], self._cause[mine]
        place = by_time >> _SEQS
        parts = np.zeros((PLATFORM + 1, self._places), dtype=np.int64)
        # All up to a count, and the count itself, add up to the count's own error.
        settled = by_time < last[place]
        np.add.at(parts, (np.where(settled, int(StockCause.COUNT), cause), place), self._units[mine])
        return parts

    def short(self, archive: Archive) -> tuple[NDArray[np.float64], int]:
        """Units that were on record and not found, by the causes of the gap at that moment, float64 (causes,).

        And those that were not found although there was no such gap: the picker overlooked them, or reached beside them.
        """
        reduced, missed = archive.rows("hold_reduced"), archive.rows("sale_missed")
        mine = ~missed["denied"]
        ends = np.concatenate(
            [
                self._key(reduced, archive.seq("hold_reduced")),
                self._key(missed[mine], archive.seq("sale_missed")[mine]),
            ]
        )
        units = np.concatenate([reduced["units"], missed["units"][mine]]).astype(np.int64)
        lacking = np.clip(self._gaps(archive, ends), 0, units)
        gone = lacking > 0
        return self._felt(ends[gone], lacking[gone]), int((units - lacking).sum())

    def denied(self, archive: Archive) -> NDArray[np.float64]:
        """Units that the record denied though they were there, by the causes of the gap at that moment, float64 (causes,).

        There, and promised to nobody: as many of those denied as the shelf held more than the record.
        """
        missing, missed = archive.rows("line_missing"), archive.rows("sale_missed")
        mine = missed["denied"]
        ends = np.concatenate(
            [
                self._key(missing, archive.seq("line_missing")),
                self._key(missed[mine], archive.seq("sale_missed")[mine]),
            ]
        )
        units = np.concatenate([missing["units"], missed["units"][mine]]).astype(np.int64)
        unseen = np.minimum(units, -self._gaps(archive, ends))
        there = unseen > 0
        return self._felt(ends[there], -unseen[there])

    def _gaps(self, archive: Archive, ends: NDArray[np.int64]) -> NDArray[np.int64]:
        """Record less shelf just before each of some keys of place and time, int64 (n,)."""
        asked = np.zeros(self._places, dtype=bool)
        asked[ends >> _SEQS] = True
        keys, moves = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]

        def note(kind: str, sign: int, seq: Any = None, rows: Any = None, sku: str = "sku") -> None:
            rows = archive.rows(kind) if rows is None else rows
            seq = archive.seq(kind) if seq is None else seq
            place = rows["store"].astype(np.int64) * self._skus + rows[sku]
            mine = asked[place]
            keys.append((place[mine] << _SEQS) + seq[mine])
            moves.append(sign * rows["units"][mine].astype(np.int64))

        for kind, sign in (("shelf_changed", -1), ("goods_picked", 1), ("goods_put_back", -1), ("record_adjusted", 1)):
            note(kind, sign)
        returned = archive.rows("goods_returned")
        note("goods_returned", -1, archive.seq("goods_returned")[~returned["wasted"]], returned[~returned["wasted"]])
        note("goods_sold", 1, sku="taken")
        note("goods_sold", -1)
        # What is held leaves the record when the hold is committed, less what was taken out of it before.
        committed, ended = archive.rows("hold_committed", ("order",))["order"], archive.seq("hold_committed")
        for kind, sign in (("stock_reserved", -1), ("hold_reduced", 1)):
            rows = archive.rows(kind)
            left = np.full(1 + max(int(ids.max(initial=-1)) for ids in (rows["order"], committed)), -1, dtype=np.int64)
            left[committed] = ended
            seq = left[rows["order"]]
            note(kind, sign, seq[seq >= 0], rows[seq >= 0])
        key, units = np.concatenate(keys), np.concatenate(moves)
        order = np.argsort(key)
        key, level = key[order], np.concatenate([[0], np.cumsum(units[order])])
        # What came to other places before is not this one's.
        return np.asarray(level[np.searchsorted(key, ends)] - level[np.searchsorted(key, ends >> _SEQS << _SEQS)])

    def _felt(self, ends: NDArray[np.int64], units: NDArray[np.int64]) -> NDArray[np.float64]:
        """Units (signed as the gap) that customers felt at some keys, by the causes of the gap, float64 (causes,)."""
        felt = np.zeros((PLATFORM + 1, 1))
        begins = np.searchsorted(self._by_time, ends >> _SEQS << _SEQS)
        for lacking, begin, end in zip(units.tolist(), begins, np.searchsorted(self._by_time, ends), strict=True):
            causes, slips = self._cause[begin:end], self._units[begin:end]
            parts = np.zeros((PLATFORM + 1, 1))
            counts = np.flatnonzero(causes == StockCause.COUNT)
            since = int(counts[-1]) + 1 if len(counts) else 0
            parts[StockCause.COUNT] = slips[:since].sum()
            np.add.at(parts[:, 0], causes[since:], slips[since:])
            if not (parts * lacking > 0).any():
                parts[PLATFORM] = lacking
            felt += shared(parts, np.array([lacking]))
        return felt[:, 0]
