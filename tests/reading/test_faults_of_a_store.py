"""What breaks in one store alone is no other store's trouble: not in stories, and named where it is told of."""

import json
from pathlib import Path
from typing import Any

import pytest

from sim.experiments.runs import run_to_folder
from sim.reading.paths import faults_of, ways_of
from sim.reading.run import FinishedRun
from sim.report import write_report
from sim.report.platform import fault_rows, trouble_lines
from sim.scenario import load_text
from sim.vocabulary import NOBODY, FaultKind
from tests.conftest import TWO_STORES

BOTH = (
    "faults=[{kind: scanner_failure, at: '12:05', minutes: 20, store: 1}, {kind: scanner_failure, at: '12:10', minutes: 5},"
    " {kind: push_outage, at: '12:25', minutes: 5}]"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("faults") / "run"
    run_to_folder(load_text(TWO_STORES, ("horizon_h=0.6", "drain_h=1", BOTH)), found, finish=write_report)
    return found


def test_a_fault_says_whose_it_is_and_each_ends_when_its_own_end_comes(folder: Path) -> None:
    told = [(fault.kind, fault.begin_s, fault.end_s, fault.store) for fault in faults_of(FinishedRun(folder))]
    scanner = FaultKind.SCANNER_FAILURE
    assert told == [
        (scanner, 300.0, 1500.0, 1), (scanner, 600.0, 900.0, NOBODY), (FaultKind.PUSH_OUTAGE, 1500.0, 1800.0, NOBODY),
    ]  # fmt: skip


def test_orders_of_other_stores_are_not_late_because_of_it(folder: Path) -> None:
    run = FinishedRun(folder)
    of_store = dict(zip(*run.columns("orders", "order", "store").values(), strict=True))
    struck: dict[int, list[Any]] = {0: [], 1: []}
    for way in ways_of(run):
        struck[of_store[way.order]] += [piece for piece in way.pieces if piece.cause == "fault.scanner_failure"]
    assert min(piece.start_s for piece in struck[1]) < 600.0, "its own orders are"
    assert struck[0], "the other one's by what broke everywhere"
    assert all(600.0 <= piece.start_s <= piece.end_s <= 900.0 for piece in struck[0])


def test_the_store_is_named_in_every_row(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert [fault["store"] for fault in summary["platform"]["faults"]] == [1, None, None]
    assert [row[0] for row in fault_rows(summary)] == ["scanner failure, store 2", "scanner failure", "push outage"]
    assert fault_rows(summary, None, ["north", "south"])[0][0] == "scanner failure, south"
    assert trouble_lines(summary)[0].startswith("scanner failure, store 2, ")
    assert "scanner failure, store 2" in (folder / "report.html").read_text(encoding="utf-8")
