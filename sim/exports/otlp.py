"""Orders as traces in OTLP JSON, for Jaeger and everything else that takes OpenTelemetry's format.

A trace is an order; its root lasts from the click to the door (or to whatever end it came to), and under it lie its physical
stages, its questions to the payment provider and its offers to drivers. What befell it on the way stands as events on the
root. Ids are hashes of the run's digest and the order's id, so they are the same whenever a run is exported, and other
in another run.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from sim.facts import SIGNATURES
from sim.reading.run import FinishedRun
from sim.reading.stages import Course, courses
from sim.recording.schema import ENUMS
from sim.vocabulary import OfferAnswer

SERVICE_OF: Final = {
    "checkout": "platform", "wait_pick": "store", "pick": "store", "wait_driver": "store", "ride": "driver",
}  # fmt: skip
"""The service under which each stage is shown; the root is the platform's."""

SERVICES: Final = ("platform", "payments", "dispatch", "store", "driver")

BEFELL: Final = (
    "order_screened", "ordered_from_stale", "checkout_shortened", "saga_step_done", "saga_resumed", "version_conflict",
    "lock_timed_out", "write_fenced", "line_missing", "line_substituted", "substitute_refused", "hold_expired",
    "message_redelivered", "message_duplicated", "message_dead", "message_lost", "request_refused", "order_doubled",
    "confirmation_revoked",
    "callback_came", "payment_refunded", "proposal_refused", "driver_stalled", "order_taken_back", "address_wrong",
    "vehicle_stopped", "handover_failed", "order_cancelled", "contact_made", "contact_answered",
)  # fmt: skip
"""Facts that stand as events on an order's root."""

_UNSET, _OK, _ERROR = 0, 1, 2
_INTERNAL, _SERVER, _CLIENT = 1, 2, 3

Span = dict[str, Any]


def write(run: FinishedRun, place: Path) -> None:
    """Write one request with the spans of each service, by when they began; a span on each line."""
    spans: dict[str, list[Span]] = {service: [] for service in SERVICES}
    befell = _befell(run)
    known: dict[int, str] = {}
    for course in courses(run):
        root = _root(run, course, befell.get(course.order, []))
        known[course.order] = root["spanId"]
        spans["platform"].append(root)
        for number, stage in enumerate(course.stages):
            told = _span(run, course.order, f"stage {number}", stage.name, stage.start_s, stage.end_s, root["spanId"])
            spans[SERVICE_OF[stage.name]].append(told)
    for service, calls in (("payments", _payments(run)), ("dispatch", _offers(run))):
        for number, (order, name, start_s, end_s, failed, attributes) in enumerate(calls):
            if order in known:
                told = _span(run, order, f"{service} {number}", name, start_s, end_s, known[order], **attributes)
                spans[service].append({**told, "kind": _CLIENT, "status": {"code": _ERROR if failed else _OK}})
    with place.open("w", encoding="utf-8") as file:
        file.write('{"resourceSpans":[')
        for number, service in enumerate(SERVICES):
            here = sorted(spans[service], key=lambda span: (int(span["startTimeUnixNano"]), span["spanId"]))
            file.write(
                f'{"," if number else ""}\n{{"resource":{_json(_resource(run, service))},"scopeSpans":[{{"scope":'
            )
            file.write(_json({"name": "darkstore", "version": str(run.manifest["versions"].get("darkstore", ""))}))
            file.write(',"spans":[\n' + ",\n".join(_json(span) for span in here) + "\n]}]}")
        file.write("\n]}\n")


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _resource(run: FinishedRun, service: str) -> dict[str, Any]:
    return {
        "attributes": _attributes(
            {
                "service.name": service,
                "service.namespace": "darkstore",
                "darkstore.scenario": run.name,
                "darkstore.seed": run.seed,
                "darkstore.digest": run.digest,
            }
        )
    }


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Keys and typed values; whole numbers are decimal strings, as the format has them."""
    told: list[dict[str, Any]] = []
    for key, value in values.items():
        if isinstance(value, bool):
            told.append({"key": key, "value": {"boolValue": value}})
        elif isinstance(value, int):
            told.append({"key": key, "value": {"intValue": str(value)}})
        elif isinstance(value, float):
            if math.isfinite(value):
                told.append({"key": key, "value": {"doubleValue": value}})
        elif value is not None:
            told.append({"key": key, "value": {"stringValue": str(value)}})
    return told


def _id(run: FinishedRun, order: int, what: str, size: int) -> str:
    return hashlib.blake2b(f"{run.digest} {order} {what}".encode(), digest_size=size).hexdigest()


def _span(
    run: FinishedRun, order: int, what: str, name: str, start_s: float, end_s: float, parent: str | None, **attributes: Any
) -> Span:  # fmt: skip
    span = {"traceId": _id(run, order, "trace", 16), "spanId": _id(run, order, what, 8)}
    if parent is not None:
        span["parentSpanId"] = parent
    return {
        **span,
        "name": name,
        "kind": _INTERNAL,
        "startTimeUnixNano": str(run.unix_ns(start_s)),
        "endTimeUnixNano": str(run.unix_ns(end_s)),
        "attributes": _attributes({"order.id": order, **attributes}),
    }


def _root(run: FinishedRun, course: Course, events: list[dict[str, Any]]) -> Span:
    late = course.promised_s is not None and course.end_s > course.promised_s if course.delivered else None
    told = _span(
        run, course.order, "root", "click to door" if course.delivered else f"order {course.state}",
        course.start_s, course.end_s, None,
        state=course.state, reason=course.reason, late=late,
        store=course.store if course.store >= 0 else None, driver=course.driver if course.driver >= 0 else None,
    )  # fmt: skip
    status: dict[str, Any] = {"code": _OK if course.delivered else _UNSET}
    if course.state in ("cancelled", "payment_failed"):
        status = {"code": _ERROR, "message": course.reason or course.state}
    return {**told, "kind": _SERVER, "events": events, "status": status}


def _befell(run: FinishedRun) -> dict[int, list[dict[str, Any]]]:
    """By order: the facts of `BEFELL` about it, in the order of the day."""
    found: dict[int, list[tuple[int, dict[str, Any]]]] = {}
    for kind in BEFELL:
        rows = run.archive.rows(kind)
        parameters = [name for name in SIGNATURES[kind] if name != "order"]
        words = {
            name: {int(member): member.name.lower() for member in ENUMS[name]} for name in parameters if name in ENUMS
        }
        for seq, row in zip(run.archive.seq(kind).tolist(), rows.tolist(), strict=True):
            fact = dict(zip(rows.dtype.names, row, strict=True))
            values = {name: words[name][fact[name]] if name in words else fact[name] for name in parameters}
            event = {
                "timeUnixNano": str(run.unix_ns(fact["t_s"])), "name": kind, "attributes": _attributes(values)
            }  # fmt: skip
            found.setdefault(fact["order"], []).append((seq, event))
    return {order: [event for _, event in sorted(told, key=lambda one: one[0])] for order, told in found.items()}


Call = tuple[int, str, float, float, bool, dict[str, Any]]


def _payments(run: FinishedRun) -> Iterator[Call]:
    """Questions to the payment provider: from asking to what came of it, or to when nobody waited any longer."""
    archive, marks = run.archive, list[tuple[int, int, float, str, int]]()
    for kind in ("payment_asked", "payment_captured", "payment_failed", "payment_unknown"):
        rows = archive.rows(kind)
        cents = rows["cents"].tolist() if "cents" in SIGNATURES[kind] else [0] * len(rows)
        marks += zip(
            rows["order"].tolist(), archive.seq(kind).tolist(), rows["t_s"].tolist(), [kind] * len(rows), cents, strict=True
        )  # fmt: skip
    marks.sort()
    for (order, _, start_s, kind, cents), (after, _, end_s, answer, _) in pairwise(marks):
        if kind == "payment_asked" and after == order and answer != "payment_asked":
            yield order, "charge", start_s, end_s, answer != "payment_captured", {"cents": cents, "answer": answer}


def _offers(run: FinishedRun) -> Iterator[Call]:
    """Offers to drivers: from making one to its answer."""
    archive = run.archive
    made: dict[tuple[int, int], list[float]] = {}
    for t_s, order, driver in archive.rows("offer_made", ("t_s", "order", "driver")).tolist():
        made.setdefault((order, driver), []).append(t_s)
    for t_s, order, driver, answer in archive.rows("offer_answered", ("t_s", "order", "driver", "answer")).tolist():
        if made.get((order, driver)):
            start_s = made[order, driver].pop(0)
            taken = answer == OfferAnswer.ACCEPTED
            yield (
                order,
                "offer",
                start_s,
                t_s,
                not taken,
                {"driver": driver, "answer": OfferAnswer(answer).name.lower()},
            )
