"""Virtual slots: a contended record's available units dealt out to several slots, each with a version of its own.

Two buyers then conflict only when they chose the same slot: with k slots about k times as seldom. A record is split once
buyers have conflicted on it a number of times (so it serves a flash sale on any SKU, popular before or not) and stays
split. The slots of a record always add up to what it has available.
"""

from sim.platform.orders import Order

Take = tuple[int, int, int]
"""From which slot, how many units, and the slot's version when it was read."""


class _Slots:
    """Units and versions of one record's slots."""

    __slots__ = ("units", "version")

    def __init__(self, slots: int) -> None:
        self.units = [0] * slots
        self.version = [0] * slots


class SplitRecords:
    """The records that are split.

    Parameters
    ----------
    slots
        Into how many slots a record is split.
    hot_after
        Conflicts on a record after which it is split; 0: at its first reservation.
    """

    def __init__(self, slots: int, hot_after: int) -> None:
        self._slots, self._hot_after = slots, hot_after
        self._records: dict[int, _Slots] = {}
        self._conflicts: dict[int, int] = {}

    def __contains__(self, place: int) -> bool:
        return place in self._records

    def total(self, place: int) -> int:
        """Units in all slots of a split record."""
        return sum(self._records[place].units)

    def conflict(self, place: int, available: int) -> None:
        """A buyer conflicted on a record: one time more, and it may be split."""
        if place not in self._records:
            self._conflicts[place] = times = self._conflicts.get(place, 0) + 1
            if times >= self._hot_after:
                self._split(place, available)

    def _split(self, place: int, available: int) -> None:
        self._records[place] = _Slots(self._slots)
        self.spread(place, available)

    # -- a reservation -----------------------------------------------------------------------------------------------

    def read(self, place: int, wanted: int, available: int, chance: float) -> list[Take] | None:
        """Choose slots for the wanted units, beginning with one by chance (on [0, 1)); None for a record that is whole."""
        record = self._records.get(place)
        if record is None:
            if self._hot_after:
                return None
            self._split(place, available)
            record = self._records[place]
        takes = []
        units, slots = record.units, self._slots
        first = int(chance * slots)
        for slot in range(first, first + slots):
            slot %= slots
            if units[slot] > 0:
                take = min(wanted, units[slot])
                takes.append((slot, take, record.version[slot]))
                wanted -= take
                if not wanted:
                    break
        return takes

    def stale(self, place: int, takes: list[Take]) -> bool:
        """Whether a slot was written since it was read."""
        version = self._records[place].version
        return any(version[slot] != saw for slot, _, saw in takes)

    def take(self, place: int, takes: list[Take]) -> None:
        """Take units out of the slots chosen."""
        record = self._records[place]
        for slot, units, _ in takes:
            record.units[slot] -= units
            record.version[slot] += 1

    # -- writes that choose no slot ----------------------------------------------------------------------------------

    def taken(self, place: int, units: int) -> None:
        """Somebody took units of the record as a whole: from the fullest slots."""
        record = self._records.get(place)
        while record is not None and units > 0:
            slot = max(range(self._slots), key=record.units.__getitem__)
            take = min(units, max(record.units[slot], 0)) or units
            record.units[slot] -= take
            record.version[slot] += 1
            units -= take

    def returned(self, place: int, units: int) -> None:
        """Units of a hold came back: into the emptiest slot."""
        record = self._records.get(place)
        if record is not None:
            slot = min(range(self._slots), key=record.units.__getitem__)
            record.units[slot] += units
            record.version[slot] += 1

    def spread(self, place: int, available: int) -> None:
        """The record changed outside orders: deal what is available out again, evenly."""
        record = self._records.get(place)
        if record is not None:
            each, over = divmod(available, self._slots)
            for slot in range(self._slots):
                record.units[slot] = each + (slot < over)
                record.version[slot] += 1


def slot_key(order: Order, line: int, attempt: int) -> int:
    """Second key of the draw that chooses a line's first slot, apart from the keys of the draws for pauses (above 0)."""
    return -(attempt * len(order.skus) + line)
