"""What the platform heard of its drivers: positions sent, lost and late, how old the last known ones were, and arrival times.

No position was an event of the run: each is worked out here from the shifts, the losses of signal and connection in the log,
and the same hashes that answered whoever looked on the way (`sim.world.pings`). Every one is looked at, so that counts, losses
and mean age are exact; the percentile of the age is to within a sixteenth of a second.
"""

from collections import defaultdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.metrics.tables import down_times, share, spans
from sim.platform.arrivals import HORIZONS_S
from sim.recording import Archive
from sim.scenario import Scenario
from sim.streams import Streams
from sim.vocabulary import Stall, Svc
from sim.world.pings import Pings

_BIN_S: Final = 1.0 / 16.0
_BINS: Final = 1 << 18
"""Ages of up to four and a half hours are told apart."""

Times = dict[int, list[tuple[float, float]]]
"""Driver -> (from, to), seconds."""


class Ages:
    """How old the last known position was, over time: it falls to the newest one's age when that arrives, and grows.

    Kept as sums over stretches in which the age grew from one value to another, by bins of these values.
    """

    def __init__(self) -> None:
        self._counts, self._sums = np.zeros(_BINS + 1), np.zeros(_BINS + 1)  # up to each value: begun less ended
        self.total_s, self._area = 0.0, 0.0

    def add(self, low_s: NDArray[Any], high_s: NDArray[Any]) -> None:
        """Stretches in which the age grew from low to high, as long as that takes."""
        self.total_s += float((high_s - low_s).sum())
        self._area += float(((high_s - low_s) * (high_s + low_s)).sum()) / 2.0
        for ages, sign in ((low_s, 1.0), (high_s, -1.0)):
            bins = np.minimum(ages / _BIN_S, _BINS).astype(np.int64)
            size = int(bins.max(initial=0)) + 1
            self._counts[:size] += sign * np.bincount(bins, minlength=size)
            self._sums[:size] += sign * np.bincount(bins, weights=ages, minlength=size)

    @property
    def mean_s(self) -> float | None:
        """Mean over the time."""
        return self._area / self.total_s if self.total_s else None

    def quantile_s(self, share: float) -> float | None:
        """Age that was not exceeded in a share of the time."""
        if not self.total_s:
            return None
        # Time at ages below x: over stretches begun below x, x less their begin; less the same for their ends.
        edges = np.arange(1, _BINS + 2) * _BIN_S
        below_s = np.cumsum(self._counts) * edges - np.cumsum(self._sums)
        place = int(np.searchsorted(below_s, share * self.total_s))
        if place > _BINS:
            return float(edges[-1])
        before_s = below_s[place - 1] if place else 0.0
        within = (share * self.total_s - before_s) / (below_s[place] - before_s)
        return float((place + within) * _BIN_S)


def tracking(archive: Archive, scenario: Scenario, streams: Streams) -> dict[str, Any]:
    """The object `tracking` of the summary: positions sent from the warm-up on, while drivers were at work.

    `stalls`: overdue rides whose drivers did not get on, by what was found (who is late first may be stuck then); `taken_back`:
    orders given to others.
    `lost_by`: no connection of the app, no signal (a dead zone), nobody to take them (the tracking service was down), or by
    chance; of several the first counts. `late_share`: of those that arrived, after the next one was due. `spoofed_share`: of
    those sent, from phones that lie.
    """
    pings, warm_s = Pings.of(scenario, streams), scenario.warmup_h * 3600.0
    offline, silent = offline_times(archive), silent_times(archive)
    ages, sent, spoofed, arrived, late = Ages(), 0, 0, 0, 0
    lost = {"no_connection": 0, "no_signal": 0, "not_taken": 0, "chance": 0}
    unheard = down_times(archive, Svc.TRACKING)
    who, on_s, off_s = spans(archive.rows("driver_on"), archive.rows("driver_off"), "driver", scenario.end_s)
    for driver, begin_s, end_s in zip(who.tolist(), on_s.tolist(), off_s.tolist(), strict=True):
        numbers = pings.between(driver, begin_s, end_s)
        times_s = pings.phase_s(driver) + numbers * pings.every_s
        gone, delays_s = pings.fates_of(driver, numbers)
        counts = times_s >= warm_s
        cut, hidden = within(times_s, offline.get(driver, ())), within(times_s, silent.get(driver, ()))
        sent += int(counts.sum())
        spoofed += int(counts.sum()) if pings.is_spoofed(driver) else 0
        lost["no_connection"] += int((cut & counts).sum())
        lost["no_signal"] += int((hidden & ~cut & counts).sum())
        deaf = within(times_s, unheard)
        lost["not_taken"] += int((deaf & ~hidden & ~cut & counts).sum())
        lost["chance"] += int((gone & ~deaf & ~hidden & ~cut & counts).sum())
        came = ~(cut | hidden | deaf | gone)
        arrived += int((came & counts).sum())
        late += int((came & counts & (delays_s > pings.every_s)).sum())
        _grow(ages, times_s[came], delays_s[came], begin_s, end_s, max(begin_s, warm_s))
    return {
        "pings": sent,
        "lost_share": share(sum(lost.values()), sent),
        "lost_by": lost,
        "late_share": share(late, arrived),
        "spoofed_share": share(spoofed, sent),
        "age_s": {"mean": ages.mean_s, "p95": ages.quantile_s(0.95)},
        **_stalls(archive, warm_s),
    }


def _stalls(archive: Archive, warm_s: float) -> dict[str, Any]:
    found, back = (rows[rows["t_s"] >= warm_s] for rows in map(archive.rows, ("driver_stalled", "order_taken_back")))
    by_kind = {stall.name.lower(): int((found["stall"] == stall).sum()) for stall in Stall}
    return {"stalls": len(found), "stalls_by": by_kind, "taken_back": len(back)}


def _grow(
    ages: Ages, sent_s: NDArray[Any], delays_s: NDArray[Any], begin_s: float, end_s: float, from_s: float
) -> None:
    """Add a shift's ages: told where it begins, and then by what arrives before it ends."""
    arrive_s = sent_s + delays_s
    # What is overtaken by a newer position tells nothing.
    soonest_s = np.minimum.accumulate(arrive_s[::-1])[::-1]
    news = np.append(arrive_s[:-1] < soonest_s[1:], True) if len(arrive_s) else np.zeros(0, dtype=bool)
    news &= arrive_s < end_s
    since_s = np.concatenate([[begin_s], arrive_s[news]])
    until_s = np.append(since_s[1:], end_s)
    stamp_s = np.concatenate([[begin_s], sent_s[news]])
    low_s, high_s = np.maximum(since_s, from_s) - stamp_s, until_s - stamp_s
    longer = high_s > low_s
    ages.add(low_s[longer], high_s[longer])


def within(times_s: NDArray[Any], stretches: Any) -> NDArray[np.bool_]:
    """Which of ascending times lie in one of some stretches, (from, to) each."""
    found = np.zeros(len(times_s), dtype=bool)
    for since_s, until_s in stretches:
        found[np.searchsorted(times_s, since_s) : np.searchsorted(times_s, until_s)] = True
    return found


def offline_times(archive: Archive) -> Times:
    """When each driver's app had no connection."""
    found: Times = defaultdict(list)
    for driver, since_s, until_s in zip(
        *(column.tolist() for column in spans(archive.rows("driver_offline"), archive.rows("driver_online"), "driver", np.inf)),
        strict=True,
    ):  # fmt: skip
        found[driver].append((since_s, until_s))
    return found


def silent_times(archive: Archive) -> Times:
    """When each driver's phone had no signal: as told when a ride began, until the next one did."""
    found: Times = defaultdict(list)
    rows = archive.rows("signal_lost")
    if not len(rows):
        return found
    kinds = ("leg_started", "driver_on", "vehicle_stopped")
    parts = [archive.rows(kind, ["t_s", "driver"]) for kind in kinds]
    begun_s = np.concatenate([part["t_s"] for part in parts])
    drivers = np.concatenate([part["driver"] for part in parts]).astype(np.int64)
    seq = np.concatenate([archive.seq(kind) for kind in kinds])
    order = np.lexsort((seq, drivers))
    key, begun_s, drivers = (drivers * (1 << 40) + seq)[order], begun_s[order], drivers[order]
    # What is told of a ride follows it in the log, so the next of the driver's is the one that ends it.
    place = np.searchsorted(key, rows["driver"].astype(np.int64) * (1 << 40) + archive.seq("signal_lost"))
    known = np.minimum(place, len(key) - 1)
    next_s = np.where((place < len(key)) & (drivers[known] == rows["driver"]), begun_s[known], np.inf)
    until_s = np.minimum(rows["until_s"], next_s)
    for driver, since_s, end_s in zip(rows["driver"].tolist(), rows["since_s"].tolist(), until_s.tolist(), strict=True):
        if end_s > since_s:
            found[driver].append((since_s, end_s))
    return found


def eta_errors(archive: Archive, warm_s: float) -> dict[str, Any]:
    """The object `eta_error_s` of the summary: by seconds before an order came, what its customer was shown less the truth.

    Over the judged orders that came from the warm-up on and had a driver by then.
    """
    rows = archive.rows("eta_judged")
    rows = rows[rows["t_s"] >= warm_s]
    return {f"{horizon_s:.0f}": _errors(rows["error_s"][rows["horizon_s"] == horizon_s]) for horizon_s in HORIZONS_S}


def _errors(errors_s: NDArray[Any]) -> dict[str, Any]:
    off_s = np.abs(errors_s)
    some = len(errors_s) > 0
    return {
        "orders": len(errors_s),
        "mean": float(errors_s.mean()) if some else None,
        "mean_abs": float(off_s.mean()) if some else None,
        "p90_abs": float(np.quantile(off_s, 0.9)) if some else None,
    }
