"""The page's section on the shop floor: every figure with its sentence, and the hours of the day."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from sim.experiments.replicate import combine
from sim.experiments.runs import run_to_folder
from sim.recording.archive import ParquetArchive
from sim.report import write_report
from sim.report.floor import first_hour, floor_by_hour, floor_hours, floor_rows, picking_by_stage
from sim.report.floor_words import FLOOR
from sim.report.words import figure_text, interval_text
from tests.conftest import Builder, Play

NOON = datetime.fromisoformat("2026-11-20T12:00+00:00")


def words_of(page: Path) -> str:
    source = re.sub(r"<style>.*?</style>|<svg.*?</svg>", " ", page.read_text(encoding="utf-8"), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", source).split())


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, two_stores: Builder) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("town") / "run"
    run_to_folder(two_stores(), folder, finish=write_report)
    return folder, json.loads((folder / "summary.json").read_text(encoding="utf-8"))


def series_of(folder: Path) -> dict[str, Any]:
    table = pq.read_table(folder / "series.parquet")
    return {name: table[name].to_numpy() for name in table.column_names}


def test_the_page_tells_every_figure_of_the_floor_and_what_it_means(town: tuple[Path, dict[str, Any]]) -> None:
    folder, summary = town
    rows, text = floor_rows(summary), words_of(folder / "report.html")
    assert len(rows) == len(FLOOR)
    assert "Shop floor How the floor did" in text
    for row, meaning in rows:
        told = f"{row.label} {figure_text(row.value, row.kind)} {meaning}"
        assert told.replace("'", "&#39;") in text
    source = (folder / "report.html").read_text(encoding="utf-8")
    assert '<section aria-labelledby="floor">' in source
    assert re.search(r'aria-label="Share of pickers&#39; time that was busy[^"]*busiest at 1[2-5]:00: \d+ %', source)


def test_the_hours_add_up_to_the_utilisation_of_the_day(town: tuple[Path, dict[str, Any]]) -> None:
    folder, summary = town
    rows = floor_hours(series_of(folder), NOON, 0.0, 4 * 3600.0)
    assert [row["hour"] for row in rows] == [12, 13, 14, 15]
    paid_h = sum(row["pickers"] for row in rows)
    assert sum(row["pickers"] * row["busy"] for row in rows) / paid_h == pytest.approx(
        summary["utilisation"]["pickers"]
    )
    lines = len(ParquetArchive(folder / "events.parquet").rows("goods_picked"))
    assert summary["floor"]["lines_per_paid_hour"] * paid_h == pytest.approx(lines)
    assert sum(row["waiting_driver"] for row in rows) == pytest.approx(series_of(folder)["waiting_driver"].sum() / 12)
    text = words_of(folder / "report.html")
    for row in rows:
        assert f"{row['hour']}:00 {row['pickers']:.1f} {figure_text(row['busy'], 'share')} " in text


def series(**columns: list[float]) -> dict[str, Any]:
    names = ("t_s", "pickers_on", "pickers_busy", "waiting_pick", "waiting_driver")
    return {name: np.array(columns.get(name, [0.0] * len(columns["t_s"]))) for name in names}


def test_hours_of_several_days_are_averaged_by_time_and_warm_up_is_left_out() -> None:
    # From 23:30 on: half an hour of warm-up, then the hour from midnight on of two days, ten minutes of the second.
    start = datetime.fromisoformat("2026-11-20T23:30+00:00")
    found = floor_hours(
        series(t_s=[0, 1800, 3600, 5400, 88_200], pickers_on=[9, 2, 4, 0, 6], pickers_busy=[9, 1, 1, 0, 6],
               waiting_driver=[9, 1, 0, 0, 0]),
        start, 1800.0, 88_200 + 600.0,
    )  # fmt: skip
    (row,) = (row for row in found if row["hour"] == 0)
    assert row["pickers"] == pytest.approx((2 * 30 + 4 * 30 + 6 * 10) / 70)
    assert row["busy"] == pytest.approx((30 + 30 + 60) / (60 + 120 + 60))
    assert row["waiting_driver"] == pytest.approx(30 / 70)
    assert 23 not in {each["hour"] for each in found}, "there was only the warm-up"


def test_an_hour_without_pickers_in_which_orders_wait_has_a_queue_and_no_share() -> None:
    rows = floor_hours(series(t_s=[0.0], waiting_pick=[3.0]), NOON, 0.0, 3600.0)
    assert rows == [{"hour": 12, "pickers": 0.0, "busy": None, "waiting_pick": 3.0, "waiting_driver": 0.0}]
    picture = floor_by_hour(rows)
    assert picture is not None
    assert "busiest" not in picture.alt
    assert "3.0 orders wait for a picker (at 12:00)" in picture.alt


def test_a_night_stays_in_one_piece() -> None:
    def alive(*hours: int) -> Any:
        return np.isin(np.arange(24), hours)

    assert first_hour(alive(17, 18, 22, 23, 0)) == 17
    assert first_hour(alive(8, 9, 20)) == 8
    assert first_hour(alive(*range(24))) == 0
    assert first_hour(alive()) == 0
    assert floor_by_hour([]) is None


def test_a_run_without_a_floor_in_its_summary_has_no_such_section(
    town: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, summary = town
    for name in ("manifest.json", "orders.parquet", "series.parquet"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    older = {key: value for key, value in summary.items() if key != "floor"}
    assert "Shop floor" not in words_of(write_report(tmp_path, older))


def test_a_run_without_orders_has_dashes(one_store: Builder, tmp_path: Path) -> None:
    run_to_folder(one_store("demand.orders_per_day=0"), tmp_path / "run", finish=write_report)
    text = words_of(tmp_path / "run" / "report.html")
    assert "lines per paid hour 0.00 " in text
    assert "lines per busy hour – " in text
    assert "perfect order rate – " in text
    assert not re.search(r"\b(nan|None)\b", text)


def test_replications_show_means_with_their_intervals(
    town: tuple[Path, dict[str, Any]], two_stores: Builder, play: Play, tmp_path: Path
) -> None:
    folder, first = town
    other = first | play(two_stores(), replication=1).study.summary
    joint = combine(two_stores(), [first, other])
    for name in ("manifest.json", "orders.parquet", "series.parquet"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    text = words_of(write_report(tmp_path, joint))
    assert "By the hour: the first of the 2 replications." in text
    pace = joint["floor"]["lines_per_busy_hour"]
    told = f"{figure_text(pace, 'rate')} {interval_text(pace, 'rate')}"
    assert f"lines per busy hour {told} Order lines" in text


def test_the_page_shows_what_a_pick_goes_into(town: tuple[Path, dict[str, Any]]) -> None:
    folder, summary = town
    stages = summary["floor"]["pick_stages_s"]
    picture = picking_by_stage(summary)
    assert picture is not None
    whole_s = sum(stages.values())
    share = figure_text(stages["handling"] / whole_s, "share", digits=1)
    assert f"handling {stages['handling']:.1f} s, {share}" in picture.alt
    assert "waiting" not in picture.alt, "nobody waited, so that there is no bar"
    text = words_of(folder / "report.html")
    assert "Picking by stage" in text
    empty = {"floor": {"pick_stages_s": dict.fromkeys(stages)}}
    assert picking_by_stage(empty) is None
    assert picking_by_stage({"floor": {}}) is None, "as in a run of an older version"
