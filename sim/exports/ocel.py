"""The run as an object-centric event log, OCEL 2.0 in JSON, for process mining tools.

Objects are orders, drivers, pickers and stores. Events are facts of the log, under the facts' own names; where a fact has a
parameter that says what really happened (`OF_WHICH`), its value is part of the event's type, as miners tell activities apart
by type alone. What moves stock line by line, and what services say among themselves, is left out.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sim.facts import SIGNATURES
from sim.reading.run import FinishedRun
from sim.recording.schema import ENUMS, FORMATS

KINDS: Final = (
    "order_entered", "order_moved", "order_promised", "order_cancelled", "request_refused", "order_doubled",
    "confirmation_revoked",
    "payment_asked", "payment_failed", "payment_captured", "payment_refunded", "goodwill_given", "contact_made",
    "contact_answered", "picker_on", "picker_off", "pick_started", "pick_ended", "order_brought", "packing_began",
    "packing_ended", "count_started", "count_ended", "task_opened", "task_closed", "offer_made", "bonus_offered",
    "offer_answered", "order_bundled", "order_taken_back", "driver_on", "driver_off", "driver_called", "driver_sent",
    "driver_waits", "driver_offline", "driver_online", "driver_stalled", "leg_started", "vehicle_stopped", "address_wrong",
    "driver_at_store", "goods_left", "age_checked", "goods_delivered", "handover_failed", "tote_handed_in", "tip_given",
)  # fmt: skip
"""The facts that are events."""

OF_WHICH: Final = {
    "order_moved": "state",
    "leg_started": "trip",
    "offer_answered": "answer",
    "vehicle_stopped": "mishap",
}
"""Facts whose type holds the value of a parameter, as in ``leg_started to_store``."""

OBJECTS: Final = {"order": "order", "first": "order", "driver": "driver", "picker": "picker", "store": "store"}
"""Parameters that name objects, and the types of these; a parameter's name is the qualifier."""

_TYPES: Final = {"d": "float", "?": "boolean"}

Declared = tuple[tuple[str, str], ...]

_ATTRIBUTES: Final[dict[str, Declared]] = {
    "order": (("lines", "integer"), ("units", "integer"), ("value_cents", "integer"), ("state", "string")),
    "driver": (("vehicle", "string"),),
    "picker": (),
    "store": (("name", "string"), ("lat", "float"), ("lon", "float")),
}


def write(run: FinishedRun, place: Path) -> None:
    """Write the log, an object and an event on each line; events in the order of the day."""
    objects = list(_objects(run))
    known = {thing["id"] for thing in objects}
    types: dict[str, Declared] = {}
    events: list[tuple[int, str]] = []
    for kind in KINDS:
        events += _events(run, kind, known, types)
    events.sort()
    with place.open("w", encoding="utf-8") as file:
        file.write('{"objectTypes":' + _json([_type(name, told) for name, told in _ATTRIBUTES.items()]))
        file.write(',\n"eventTypes":' + _json([_type(name, told) for name, told in sorted(types.items())]))
        file.write(',\n"objects":[\n' + ",\n".join(_json(thing) for thing in objects))
        file.write('\n],\n"events":[\n' + ",\n".join(text for _, text in events) + "\n]}\n")


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _type(name: str, attributes: Declared) -> dict[str, Any]:
    return {"name": name, "attributes": [{"name": attribute, "type": kind} for attribute, kind in attributes]}


def _related(number: int, parameter: str) -> dict[str, str]:
    return {"objectId": f"{OBJECTS[parameter]}:{number}", "qualifier": parameter}


def _objects(run: FinishedRun) -> Iterator[dict[str, Any]]:
    """Stores, pickers, drivers, orders, with what is known of them and from when on."""
    start = run.iso(0.0)

    def thing(
        kind: str, number: int, values: tuple[Any, ...], times: tuple[str, ...], related: list[dict[str, str]]
    ) -> dict[str, Any]:
        attributes = [
            {"name": name, "time": time, "value": value}
            for (name, _), value, time in zip(_ATTRIBUTES[kind], values, times, strict=True)
            if value is not None
        ]
        return {"id": f"{kind}:{number}", "type": kind, "attributes": attributes, "relationships": related}

    for number, store in enumerate(run.stores):
        yield thing("store", number, (store.name, store.lat, store.lon), (start,) * 3, [])
    home = dict(run.archive.rows("picker_on", ("picker", "store")).tolist())
    for picker in sorted(home):
        yield thing("picker", picker, (), (), [_related(home[picker], "store")])
    drivers = run.columns("drivers", "driver", "home", "vehicle")
    for driver, store_id, vehicle in sorted(zip(*drivers.values(), strict=True)):
        yield thing("driver", driver, (vehicle,), (start,), [_related(store_id, "store")])
    moved = run.archive.rows("order_moved", ("order", "t_s"))
    ended = dict(moved.tolist())  # in the order of the day, so the last one stays
    names = ("order", "store", "lines", "units", "value_cents", "state", "entered_s")
    for order, store_id, lines, units, value_cents, state, entered_s in sorted(
        zip(*run.columns("orders", *names).values(), strict=True)
    ):
        times = (*(run.iso(entered_s),) * 3, run.iso(ended.get(order, entered_s)))
        related = [] if store_id is None or store_id < 0 else [_related(store_id, "store")]
        yield thing("order", order, (lines, units, value_cents, state), times, related)


def _events(run: FinishedRun, kind: str, known: set[str], types: dict[str, Declared]) -> Iterator[tuple[int, str]]:
    """The facts of a kind that are about somebody known, each with its place in the day; their types go into `types`."""
    which, parameters = OF_WHICH.get(kind), tuple(SIGNATURES[kind])
    names = {name: [member.name.lower() for member in ENUMS[name]] for name in parameters if name in ENUMS}
    plain = [name for name in parameters if name not in OBJECTS and name != which]
    declared = tuple((name, "string" if name in names else _TYPES.get(FORMATS[name], "integer")) for name in plain)
    rows = run.archive.rows(kind)
    for seq, row in zip(run.archive.seq(kind).tolist(), rows.tolist(), strict=True):
        fact = dict(zip(rows.dtype.names, row, strict=True))
        related = [_related(fact[name], name) for name in parameters if name in OBJECTS]
        related = [relation for relation in related if relation["objectId"] in known]
        if not related:
            continue
        title = kind if which is None else f"{kind} {names[which][fact[which]]}"
        types[title] = declared
        values = [(name, names[name][fact[name]] if name in names else fact[name]) for name in plain]
        event = {
            "id": f"fact:{seq}",
            "type": title,
            "time": run.iso(fact["t_s"]),
            "attributes": [
                {"name": name, "value": value}
                for name, value in values
                if not (isinstance(value, float) and math.isnan(value))
            ],
            "relationships": related,
        }
        yield seq, _json(event)
