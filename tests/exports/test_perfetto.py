"""The trace keeps the rules of Chrome's format, and shows the day that was."""

import json
from collections import defaultdict
from itertools import pairwise

import pytest

from sim.exports.perfetto import Span, lanes
from sim.reading.stages import courses

ALWAYS = {"name", "ph", "ts", "pid", "tid", "args"}


@pytest.fixture
def trace(exported):
    return json.loads(exported("perfetto").read_text(encoding="utf-8"))


@pytest.fixture
def tracks(trace):
    named = [event for event in trace["traceEvents"] if event["name"] == "thread_name"]
    return {(event["pid"], event["tid"]): event["args"]["name"] for event in named}


def slices(trace):
    return [event for event in trace["traceEvents"] if event["ph"] == "X"]


def test_every_event_has_what_its_phase_asks_for(trace):
    events = trace["traceEvents"]
    assert {event["ph"] for event in events} == {"M", "X", "C"}
    for event in events:
        assert set(event) >= ALWAYS
        assert isinstance(event["ts"], int)
        assert event["ts"] >= 0
        if event["ph"] == "X":
            assert isinstance(event["dur"], int)
            assert event["dur"] >= 0
        if event["ph"] == "C":
            assert all(0.0 <= value <= 1.0 for value in event["args"].values())


def test_names_of_all_groups_and_tracks_come_first_and_times_ascend(trace, tracks):
    events = trace["traceEvents"]
    phases = [event["ph"] != "M" for event in events]
    assert phases == sorted(phases)
    times = [event["ts"] for event in events if event["ph"] != "M"]
    assert times == sorted(times)
    groups = {event["pid"] for event in events if event["name"] == "process_name"}
    assert groups == {event["pid"] for event in events}
    assert set(tracks) == {(event["pid"], event["tid"]) for event in events if event["name"] != "process_name"}
    assert len(set(tracks.items())) == len(tracks)


def test_slices_of_a_track_follow_or_enclose_each_other(trace):
    by_track = defaultdict(list)
    for event in slices(trace):
        by_track[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    assert len(by_track) > 50
    for spans in by_track.values():
        open_until = []
        for start, end in spans:
            while open_until and open_until[-1] <= start:
                open_until.pop()
            assert not open_until or end <= open_until[-1]
            open_until.append(end)


def test_picks_rides_and_orders_are_all_there(trace, tracks, run):
    named = defaultdict(int)
    for event in slices(trace):
        named[event["cat"], event["name"].split(" order ")[0]] += 1
    archive = run.archive
    assert named["pickers", "pick"] == len(archive.rows("pick_started"))
    assert named["pickers", "on shift"] == len(archive.rows("picker_on"))
    rides = sum(count for (group, name), count in named.items() if group == "drivers" and name.startswith("ride "))
    assert rides == len(archive.rows("leg_started"))
    assert named["drivers", "breakdown"] == len(archive.rows("vehicle_stopped")) > 0
    told = list(courses(run))
    assert named["orders", "delivered"] == sum(course.delivered for course in told)
    assert named["orders", "pick"] == sum(stage.name == "pick" for course in told for stage in course.stages)
    orders = {name for (group, _), name in tracks.items() if name.startswith("order ")}
    assert orders == {f"order {course.order}" for course in told}


def test_picks_last_as_long_as_the_log_says(trace, run):
    began = {(row["picker"], row["order"]): row["t_s"] for row in run.archive.rows("pick_started")}
    lasted = sorted(
        round(row["t_s"] * 1e6) - round(began[row["picker"], row["order"]] * 1e6)
        for row in run.archive.rows("pick_ended")
    )
    assert lasted == sorted(event["dur"] for event in slices(trace) if event["name"].startswith("pick order"))


def test_every_service_has_a_counter_that_tells_its_changes(trace, run):
    told = defaultdict(list)
    for event in trace["traceEvents"]:
        if event["ph"] == "C":
            told[event["name"]].append(event["args"]["utilisation"])
    assert set(told) == set(run.columns("platform", "service")["service"])
    for values in told.values():
        assert all(one != other for one, other in pairwise(values))


def test_what_overlaps_takes_a_second_lane_and_what_encloses_does_not():
    outer, inner, crossing = Span("outer", 0.0, 10.0), Span("inner", 2.0, 10.0), Span("crossing", 5.0, 12.0)
    found = lanes([crossing, inner, outer])
    assert [[name for name, *_ in lane] for lane in found] == [["outer", "inner"], ["crossing"]]
