"""OTLP JSON: the format's rules for ids, times and values, and a tree for each order."""

import json
import re
from collections import Counter, defaultdict

import pytest

from sim.exports.otlp import BEFELL, SERVICES
from sim.facts import SIGNATURES
from sim.reading.stages import courses

VALUES = {"stringValue": str, "intValue": str, "doubleValue": float, "boolValue": bool}
SPAN = {"traceId", "spanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano", "attributes"}


@pytest.fixture
def request_(exported):
    return json.loads(exported("otlp").read_text(encoding="utf-8"))


@pytest.fixture
def spans(request_):
    return [span for part in request_["resourceSpans"] for scope in part["scopeSpans"] for span in scope["spans"]]


def plain(attributes):
    """Attributes as a dictionary; each has one value of a type that the format knows."""
    told = {}
    for attribute in attributes:
        assert set(attribute) == {"key", "value"}
        ((kind, value),) = attribute["value"].items()
        assert type(value) is VALUES[kind]
        told[attribute["key"]] = int(value) if kind == "intValue" else value
    assert len(told) == len(attributes)
    return told


def test_each_service_is_a_resource_of_this_run(request_, run):
    assert set(request_) == {"resourceSpans"}
    told = [plain(part["resource"]["attributes"]) for part in request_["resourceSpans"]]
    assert [one["service.name"] for one in told] == list(SERVICES)
    assert all(one["darkstore.digest"] == run.digest for one in told)
    for part in request_["resourceSpans"]:
        (scope,) = part["scopeSpans"]
        assert scope["scope"]["name"] == "darkstore"
        assert scope["spans"]


def test_every_span_keeps_the_rules_of_the_format(spans):
    for span in spans:
        assert set(span) >= SPAN
        assert re.fullmatch("[0-9a-f]{32}", span["traceId"])
        assert re.fullmatch("[0-9a-f]{16}", span["spanId"])
        assert span["name"]
        assert span["kind"] in (1, 2, 3)
        assert re.fullmatch(r"\d{19}", span["startTimeUnixNano"])
        assert int(span["endTimeUnixNano"]) >= int(span["startTimeUnixNano"])
        plain(span["attributes"])
        assert span.get("status", {}).get("code", 0) in (0, 1, 2)
        for event in span.get("events", []):
            assert set(event) == {"timeUnixNano", "name", "attributes"}
            assert re.fullmatch(r"\d{19}", event["timeUnixNano"])
            plain(event["attributes"])
    ids = [span["spanId"] for span in spans]
    assert len(set(ids)) == len(ids)


def test_every_order_is_one_trace_with_one_root(spans, run):
    by_trace = defaultdict(list)
    for span in spans:
        by_trace[span["traceId"]].append(span)
    told = {course.order: course for course in courses(run)}
    assert len(by_trace) == len(told)
    seen = set()
    for trace in by_trace.values():
        (root,) = [span for span in trace if "parentSpanId" not in span]
        assert {span["parentSpanId"] for span in trace if span is not root} == {root["spanId"]}
        (order,) = {plain(span["attributes"])["order.id"] for span in trace}
        seen.add(order)
        assert int(root["startTimeUnixNano"]) == run.unix_ns(told[order].start_s)
        assert int(root["endTimeUnixNano"]) == run.unix_ns(told[order].end_s)
        assert (root["name"] == "click to door") == told[order].delivered
        assert root["status"]["code"] == (1 if told[order].delivered else 2)
        stages = [span["name"] for span in trace if span["name"] not in ("charge", "offer") and span is not root]
        assert sorted(stages) == sorted(stage.name for stage in told[order].stages)
    assert seen == set(told)


def test_stages_fill_the_root(spans):
    lasts = Counter()
    for span in spans:
        if span["name"] not in ("charge", "offer"):
            sign = 1 if "parentSpanId" in span else -1
            lasts[span["traceId"]] += sign * (int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"]))
    assert set(lasts.values()) == {0}


def test_calls_say_what_came_of_them(spans, run):
    archive = run.archive
    offers = Counter(plain(span["attributes"])["answer"] for span in spans if span["name"] == "offer")
    assert sum(offers.values()) == len(archive.rows("offer_answered"))
    assert offers["declined"] > 0
    assert offers["accepted"] >= len(archive.rows("task_opened")) - len(archive.rows("order_cancelled"))
    charges = [span for span in spans if span["name"] == "charge"]
    answers = Counter(plain(span["attributes"])["answer"] for span in charges)
    assert answers["payment_failed"] + answers["payment_unknown"] > 0  # the provider was out for a while
    assert all((span["status"]["code"] == 1) == ("captured" in str(span["attributes"])) for span in charges)


def test_what_befell_an_order_is_on_its_root(spans, run):
    told = Counter(event["name"] for span in spans for event in span.get("events", []))
    orders = set(run.columns("orders", "order")["order"])
    for kind in BEFELL:
        assert told[kind] == sum(order in orders for order in run.archive.rows(kind)["order"].tolist())
    assert told["handover_failed"] > 0
    assert all("order" in SIGNATURES[kind] for kind in BEFELL)
