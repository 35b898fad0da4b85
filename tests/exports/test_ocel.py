"""OCEL 2.0: what its published schema asks for, and that the references, which no schema can check, lead somewhere."""

import json
from collections import Counter
from datetime import datetime

import pytest

from sim.exports.ocel import KINDS, OF_WHICH
from sim.facts import SIGNATURES

TYPES = {"string": str, "time": str, "integer": int, "float": (int, float), "boolean": bool}


@pytest.fixture
def log(exported):
    return json.loads(exported("ocel").read_text(encoding="utf-8"))


def declared(types):
    """Types by name, as the schema has them: a name and a list of attributes, each with a name and a known type."""
    for told in types:
        assert set(told) == {"name", "attributes"}
        for attribute in told["attributes"]:
            assert set(attribute) == {"name", "type"}
            assert attribute["type"] in TYPES
    names = [told["name"] for told in types]
    assert len(set(names)) == len(names)
    return {told["name"]: {a["name"]: a["type"] for a in told["attributes"]} for told in types}


def moment(text):
    at = datetime.fromisoformat(text)
    assert at.utcoffset() is not None
    return at


def check_attributes(attributes, types, *, timed):
    for attribute in attributes:
        assert set(attribute) == {"name", "value", *(["time"] if timed else [])}
        wanted = TYPES[types[attribute["name"]]]
        assert isinstance(attribute["value"], wanted)
        assert isinstance(attribute["value"], bool) == (wanted is bool)
        if timed:
            moment(attribute["time"])


def test_it_has_the_four_lists_and_what_they_hold_is_declared(log):
    assert set(log) == {"objectTypes", "eventTypes", "objects", "events"}
    objects, events = declared(log["objectTypes"]), declared(log["eventTypes"])
    for thing in log["objects"]:
        assert set(thing) == {"id", "type", "attributes", "relationships"}
        check_attributes(thing["attributes"], objects[thing["type"]], timed=True)
    for event in log["events"]:
        assert set(event) == {"id", "type", "time", "attributes", "relationships"}
        check_attributes(event["attributes"], events[event["type"]], timed=False)
    assert {event["type"] for event in log["events"]} == set(events)


def test_ids_are_unique_and_every_relationship_leads_to_an_object(log):
    ids = [thing["id"] for thing in log["objects"]]
    assert len(set(ids)) == len(ids)
    events = [event["id"] for event in log["events"]]
    assert len(set(events)) == len(events)
    assert not set(ids) & set(events)
    known = set(ids)
    for one in (*log["objects"], *log["events"]):
        for relation in one["relationships"]:
            assert set(relation) == {"objectId", "qualifier"}
            assert relation["objectId"] in known
            assert relation["qualifier"]
    assert all(event["relationships"] for event in log["events"])


def test_events_are_in_the_order_of_the_day(log):
    times = [moment(event["time"]) for event in log["events"]]
    assert times == sorted(times)


def test_every_order_driver_picker_and_store_is_an_object(log, run):
    count = Counter(thing["type"] for thing in log["objects"])
    assert count == {
        "order": run.table("orders").num_rows,
        "driver": run.table("drivers").num_rows,
        "picker": len(set(run.archive.rows("picker_on")["picker"].tolist())),
        "store": len(run.stores),
    }
    states = {thing["id"]: thing["attributes"][-1]["value"] for thing in log["objects"] if thing["type"] == "order"}
    orders = run.columns("orders", "order", "state")
    assert states == {f"order:{order}": state for order, state in zip(*orders.values(), strict=True)}


def test_every_fact_of_the_kinds_is_an_event(log, run):
    count = Counter(event["type"].split(" ")[0] for event in log["events"])
    told = {kind: len(run.archive.rows(kind)) for kind in KINDS}
    del told["request_refused"], count["request_refused"]  # some are about no order
    assert count == {kind: rows for kind, rows in told.items() if rows}
    assert {"leg_started to_customer", "offer_answered declined", "order_moved confirmed"} <= {
        event["type"] for event in log["events"]
    }


def test_the_kinds_are_facts_that_there_are():
    assert set(KINDS) <= set(SIGNATURES)
    assert all(name in SIGNATURES[kind] for kind, name in OF_WHICH.items())
    assert len(set(KINDS)) == len(KINDS)
