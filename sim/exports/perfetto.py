"""The day as a trace in Chrome's JSON format, for ui.perfetto.dev and chrome://tracing.

Stores hold their pickers, fleet and orders are groups of their own; each person and each order is a track. What overlaps on a
track (two orders on one tour) goes to a second one of the same name, as slices of a track must lie within each other.
Services' utilisation is a counter each. Times are microseconds since the run's start.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from sim.metrics.tables import spans
from sim.reading.legs import legs_of
from sim.reading.run import FinishedRun
from sim.reading.stages import courses
from sim.vocabulary import Mishap

Event = dict[str, Any]


class Span(NamedTuple):
    """Something that lasted, seconds since the start."""

    name: str
    start_s: float
    end_s: float
    order: int = -1


PICKERS, DRIVERS, ORDERS, SERVICES = 1, 2, 3, 4
_GROUPS: Final = {PICKERS: "pickers", DRIVERS: "drivers", ORDERS: "orders", SERVICES: "services"}


def write(run: FinishedRun, place: Path) -> None:
    """Write the trace: the names of groups and tracks first, then slices and counters by time."""
    names: list[Event] = []
    events: list[Event] = []
    for group, word, tracks in (
        (PICKERS, "picker", _pickers(run)),
        (DRIVERS, "driver", _drivers(run)),
        (ORDERS, "order", _orders(run)),
    ):
        _lay(group, word, tracks, names, events)
    events += _utilisation(run)
    names += [_named("process_name", group, 0, name) for group, name in _GROUPS.items()]
    names.append(_named("thread_name", SERVICES, 0, "utilisation"))
    names.sort(key=lambda event: (event["pid"], event["tid"], event["name"]))
    events.sort(key=lambda event: (event["ts"], event["pid"], event["tid"], -event.get("dur", 0)))
    with place.open("w", encoding="utf-8") as file:
        told = {"scenario": run.name, "seed": run.seed, "digest": run.digest, "start": run.iso(0.0)}
        file.write(f'{{"displayTimeUnit":"ms","otherData":{json.dumps(told)},"traceEvents":[\n')
        file.write(",\n".join(json.dumps(event, allow_nan=False, separators=(",", ":")) for event in names + events))
        file.write("\n]}\n")


def _named(what: str, pid: int, tid: int, name: str) -> Event:
    return {"name": what, "ph": "M", "pid": pid, "tid": tid, "ts": 0, "args": {"name": name}}


def _lay(group: int, word: str, tracks: dict[int, list[Span]], names: list[Event], events: list[Event]) -> None:
    """Give each one's spans as many tracks as it takes for them to lie within each other."""
    track = 0
    for who, its in sorted(tracks.items()):
        for number, lane in enumerate(lanes(its)):
            track += 1
            title = f"{word} {who}" + (f" ({number + 1})" if number else "")
            names.append(_named("thread_name", group, track, title))
            for name, start_us, end_us, order in lane:
                args = {"order": order} if order >= 0 else {}
                events.append(
                    {
                        "name": name, "cat": _GROUPS[group], "ph": "X", "ts": start_us, "dur": end_us - start_us,
                        "pid": group, "tid": track, "args": args,
                    }
                )  # fmt: skip


def lanes(its: Iterable[Span]) -> list[list[tuple[str, int, int, int]]]:
    """Spread spans over as few lanes as come of taking the first that will do: on each, they follow or enclose each other.

    Returns name, begin and end in whole microseconds, and order of each.
    """
    found: list[list[tuple[str, int, int, int]]] = []
    open_until: list[list[int]] = []  # of each lane: when the spans that are not over end, the innermost last
    whole = [(span.name, round(span.start_s * 1e6), round(span.end_s * 1e6), span.order) for span in its]
    for span in sorted(whole, key=lambda span: (span[1], -span[2], span[3], span[0])):
        place = next((i for i, ends in enumerate(open_until) if _fits(ends, span[1], span[2])), len(found))
        if place == len(found):
            found.append([])
            open_until.append([])
        found[place].append(span)
        open_until[place].append(span[2])
    return found


def _fits(ends: list[int], start_us: int, end_us: int) -> bool:
    while ends and ends[-1] <= start_us:
        ends.pop()
    return not ends or end_us <= ends[-1]


def _pickers(run: FinishedRun) -> dict[int, list[Span]]:
    """Shifts, picks and counts of each picker."""
    tracks = dict[int, list[Span]]()
    for (picker, _), start_s, end_s in _paired(run, "picker_on", "picker_off", "picker"):
        tracks.setdefault(picker, []).append(Span("on shift", start_s, end_s))
    for (picker, order), start_s, end_s in _paired(run, "pick_started", "pick_ended", "picker", "order"):
        tracks.setdefault(picker, []).append(Span(f"pick order {order}", start_s, end_s, order))
    for (picker, _), start_s, end_s in _paired(run, "count_started", "count_ended", "picker"):
        tracks.setdefault(picker, []).append(Span("count shelves", start_s, end_s))
    return tracks


def _paired(
    run: FinishedRun, began: str, ended: str, who: str, what: str | None = None
) -> Iterator[tuple[tuple[int, int], float, float]]:
    """Match facts that begin something with those that end it, by person (and thing); what never ends lasts until the close.

    Yields person and thing (0 where there is none), and from when to when, seconds since the start.
    """

    def keyed(kind: str) -> dict[str, Any]:
        rows = run.archive.rows(kind)
        key = rows[who].astype(np.int64) << 32
        return {"t_s": rows["t_s"], "key": key if what is None else key | rows[what]}

    for key, start_s, end_s in zip(
        *(column.tolist() for column in spans(keyed(began), keyed(ended), "key", run.close_s)), strict=True
    ):
        yield (key >> 32, key & 0xFFFFFFFF), start_s, max(start_s, end_s)


def _drivers(run: FinishedRun) -> dict[int, list[Span]]:
    """Shifts, rides, mishaps, and what came at stores and doors, of each driver."""
    archive, tracks = run.archive, dict[int, list[Span]]()
    for (driver, _), start_s, end_s in _paired(run, "driver_on", "driver_off", "driver"):
        tracks.setdefault(driver, []).append(Span("on shift", start_s, end_s))
    for leg in legs_of(archive):
        name = f"ride {leg.trip.name.lower()}"
        tracks.setdefault(leg.driver, []).append(Span(name, leg.start_s, leg.end_s, leg.order))
    for stop in archive.rows("vehicle_stopped", ("t_s", "driver", "order", "mishap", "until_s")).tolist():
        start_s, driver, order, mishap, until_s = stop
        name = Mishap(mishap).name.lower()
        tracks.setdefault(driver, []).append(Span(name, start_s, max(start_s, until_s), order))
    stops = run.columns("tasks", "order", "stop", "driver", "arrived_s", "left_s")
    for order, door, driver, arrived_s, left_s in zip(*stops.values(), strict=True):
        if driver is not None and driver >= 0 and arrived_s is not None and left_s is not None:
            name = "at the door" if door else "at the store"
            tracks.setdefault(driver, []).append(Span(name, arrived_s, max(arrived_s, left_s), order))
    return tracks


def _orders(run: FinishedRun) -> dict[int, list[Span]]:
    """Each order with its stages."""
    return {
        course.order: [Span(course.state, course.start_s, course.end_s, course.order)]
        + [Span(stage.name, stage.start_s, stage.end_s, course.order) for stage in course.stages]
        for course in courses(run)
    }


def _utilisation(run: FinishedRun) -> Iterator[Event]:
    """A counter for each service, told when it changes."""
    last: dict[str, float] = {}
    for service, t_s, utilisation in zip(
        *run.columns("platform", "service", "t_s", "utilisation").values(), strict=True
    ):
        value = round(utilisation or 0.0, 4)
        if last.get(service) != value:
            last[service] = value
            yield {
                "name": service, "cat": "services", "ph": "C", "ts": round(t_s * 1e6), "pid": SERVICES, "tid": 0,
                "args": {"utilisation": value},
            }  # fmt: skip
