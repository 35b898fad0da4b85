"""Where orders' time went: pieces without gaps, causes that are what they say, lateness that adds up."""

from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from sim.experiments.runs import run_to_folder
from sim.facts import SIGNATURES
from sim.reading.lateness import main_cause, overrun, usual, waterfall
from sim.reading.paths import CAUSES, TOUCHES, Piece, Way, faults_of, said, ways_of
from sim.reading.run import FinishedRun
from sim.reading.stories import KINDS, Teller, stories_of
from sim.reading.story_words import WORDS
from sim.scenario import load_text
from sim.vocabulary import NOBODY, FaultKind
from tests.conftest import TWO_STORES


@pytest.fixture(scope="module")
def ways(run: Any) -> list[Way]:
    return ways_of(run)


def test_pieces_have_no_gaps_and_add_up_to_click_to_door(ways: list[Way]) -> None:
    assert ways
    for way in ways:
        assert way.pieces[0].start_s == way.entered_s
        assert way.pieces[-1].end_s == way.delivered_s
        for before, after in zip(way.pieces, way.pieces[1:], strict=False):
            assert before.end_s == after.start_s
        assert all(piece.end_s > piece.start_s for piece in way.pieces)
        assert sum(way.spent().values()) == pytest.approx(way.delivered_s - way.entered_s)


def test_stages_of_ways_are_those_of_the_table(run: Any, ways: list[Way]) -> None:
    """What lies between confirmation and the picker's start is waiting for one, or something that kept the store waiting."""
    names = ("order", "confirmed_s", "picked_up_s", "delivered_s")
    rows = {row[0]: row[1:] for row in zip(*run.columns("orders", *names).values(), strict=True)}
    for way in ways:
        confirmed_s, picked_up_s, delivered_s = rows[way.order]
        assert any(piece.end_s == pytest.approx(max(confirmed_s, way.entered_s)) for piece in way.pieces[:6])
        road = [piece for piece in way.pieces if piece.start_s >= picked_up_s]
        assert {piece.cause for piece in road} <= {"ride", "tour", "door", "stopped", "wrong_address"}
        assert sum(piece.end_s - piece.start_s for piece in road) == pytest.approx(delivered_s - picked_up_s)


def test_breakdowns_and_the_provider_are_seen(run: Any, ways: list[Way]) -> None:
    spent = {cause for way in ways for cause in way.spent()}
    assert "stopped" in spent
    assert {"ride", "pick", "payment", "door"} <= spent
    assert all(said(cause) for cause in spent)


THEFT = "shrinkage={theft_share: 0.5, theft_units: 3}"


def _ways_under(folder: Path, *settings: str) -> tuple[FinishedRun, list[Way]]:
    run_to_folder(load_text(TWO_STORES, ("horizon_h=0.5", "drain_h=1", *settings)), folder)
    run = FinishedRun(folder)
    return run, ways_of(run)


def test_looking_for_what_is_not_there_and_asking_have_a_cause_of_their_own(tmp_path: Path) -> None:
    bare = (
        "supply.cover_days=0.1",
        "supply.units_min=2",
        "stores.inaccurate_share=0.6",
        "stores.inaccurate_units=6",
        THEFT,
    )
    run, ways = _ways_under(tmp_path / "run", "policies.substitution=ask", "horizon_h=2", "drain_h=2", *bare)
    kinds = ("line_substituted", "substitute_refused")
    answered = stories_of(run, [way.order for way in ways], kinds)
    asked = [way for way in ways if answered[way.order]]
    assert len(asked) > 4
    for way in asked:
        ends = {piece.end_s for piece in way.pieces if piece.cause == "missing"}
        assert any(event.t_s in ends for event in answered[way.order])
    calm = [way for way in ways if not answered[way.order]]
    mean = [sum(way.spent().get("missing", 0.0) for way in some) / len(some) for some in (asked, calm)]
    assert mean[0] > 10.0 + mean[1]


def test_no_room_at_the_counter_is_no_missing_goods(tmp_path: Path) -> None:
    _, ways = _ways_under(tmp_path / "run", "stores.counter_room=1", "drivers.count=4")
    spent = [way.spent() for way in ways]
    assert sum(each.get("counter_room", 0.0) for each in spent) > 60.0


def test_records_that_others_changed_meanwhile_take_time(tmp_path: Path) -> None:
    """Half of all orders for three articles, whose records are read a while before they are written."""
    crowd = ("catalogue.skus=3", "platform.window_s=1.0", "demand.orders_per_day=9000", "drivers.count=60")
    run, ways = _ways_under(tmp_path / "run", *crowd)
    conflicts = stories_of(run, [way.order for way in ways], ("version_conflict",))
    struck = [way for way in ways if conflicts[way.order]]
    assert len(struck) > 10
    assert all(way.spent()["conflict"] > 0.0 for way in struck)
    assert all("conflict" not in way.spent() for way in ways if not conflicts[way.order])


def test_time_spent_while_something_was_broken_is_put_down_to_it(tmp_path: Path) -> None:
    broken = 'faults=[{kind: scanner_failure, at: "12:10", minutes: 15, factor: 10}]'
    run_to_folder(load_text(TWO_STORES, ("horizon_h=0.5", "drain_h=1", broken)), tmp_path / "run")
    run = FinishedRun(tmp_path / "run")
    ((kind, begin_s, end_s, store),) = faults_of(run)
    assert (kind, begin_s, end_s, store) == (FaultKind.SCANNER_FAILURE, 600.0, 1500.0, NOBODY)
    pieces = [piece for way in ways_of(run) for piece in way.pieces]
    struck = [piece for piece in pieces if piece.cause == "fault.scanner_failure"]
    assert struck
    assert all(begin_s <= piece.start_s < piece.end_s <= end_s for piece in struck)
    inside = [piece for piece in pieces if piece.start_s >= begin_s and piece.end_s <= end_s]
    assert not {piece.cause for piece in inside} & {"pick", "wait_picker"}


def test_every_fault_touches_something_or_nothing_on_purpose() -> None:
    silent = set(FaultKind) - set(TOUCHES)
    assert silent == {FaultKind.CACHE_FLUSH, FaultKind.REPLICA_LAG}, "these delay pages, not orders that are placed"
    assert {cause for causes in TOUCHES.values() for cause in causes} <= set(CAUSES)


def test_what_an_order_was_late_by_adds_up(ways: list[Way]) -> None:
    shares = usual(ways)
    for way in ways:
        assert sum(overrun(way, shares).values()) == pytest.approx(way.late_s, abs=1e-6)
    parts = waterfall(ways)
    assert sum(part.seconds for part in parts) == pytest.approx(sum(way.late_s for way in ways if way.late_s > 0.0))


def test_the_longest_overrun_is_the_main_cause() -> None:
    """Two orders in time spend half of it riding; a third is ten minutes late because it waited ten minutes for a picker."""

    def way(order: int, wait_s: float) -> Way:
        pieces = (
            Piece("wait_picker", 0.0, wait_s), Piece("pick", wait_s, wait_s + 300.0),
            Piece("ride", wait_s + 300.0, wait_s + 600.0),
        )  # fmt: skip
        return Way(order, 0.0, 600.0, wait_s + 600.0, pieces)

    ways = [way(0, 0.0), way(1, 0.0), way(2, 600.0)]
    shares = usual(ways)
    assert shares == {"wait_picker": 0.0, "pick": 0.5, "ride": 0.5}
    assert overrun(ways[2], shares) == {"wait_picker": 600.0, "pick": 0.0, "ride": 0.0}
    assert main_cause(ways[2], shares) == "wait_picker"
    assert next((part.cause, part.seconds, part.orders) for part in waterfall(ways)) == ("wait_picker", 600.0, 1)


def test_every_fact_of_an_order_can_be_told() -> None:
    assert set(WORDS) == set(KINDS)
    for kind, words in WORDS.items():
        names = {name for _, name, _, _ in Formatter().parse(words) if name}
        assert names <= set(SIGNATURES[kind]) - {"order"}, kind


def test_stories_are_whole_and_in_order(run: Any) -> None:
    orders = run.columns("orders", "order")["order"]
    stories, teller = stories_of(run, orders), Teller(run)
    for kind in ("order_moved", "offer_made", "goods_picked"):
        told = sum(event.kind == kind for events in stories.values() for event in events)
        assert told == sum(order in stories for order in run.archive.rows(kind)["order"].tolist())
    for events in stories.values():
        assert [event.seq for event in events] == sorted(event.seq for event in events)
        assert all("{" not in teller.sentence(event) for event in events)
    assert any("store" in teller.sentence(event) for events in stories.values() for event in events)
