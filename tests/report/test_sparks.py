"""A run by the hour: what a line shows is what the tables say."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from sim.reading.files import read_summary
from sim.report.sparks import MOST, Spark, Sparks, line, peak, sparks_of
from sim.report.terminal import WIDTH, print_summary

NAN = float("nan")


def test_a_line_goes_from_nothing_to_the_largest():
    assert line([0.0, 1.0, 2.0, NAN, 7.0], False) == "▁▂▃ █"
    assert line([0.0, 7.0], True).isascii()
    assert line([0.0, 0.0], False) == "▁▁"
    assert line([NAN, NAN], False) == "  "
    assert line([], False) == ""


def test_every_order_is_in_one_hour(noon_folder):
    sparks = sparks_of(noon_folder, read_summary(noon_folder))
    orders = pq.read_table(noon_folder / "orders.parquet").to_pandas()
    placed, within, late, waiting = sparks.rows
    assert sum(placed.values) == len(orders)
    assert len({len(row.values) for row in sparks.rows} | {len(sparks.begins)}) == 1
    quarter = orders[orders.entered_s < 900.0].dropna(subset="delivered_s")
    assert within.values[0] == pytest.approx(np.quantile(quarter.delivered_s - quarter.entered_s, 0.9))
    assert late.values[0] == pytest.approx((quarter.delivered_s > quarter.promised_s).mean())
    series = pq.read_table(noon_folder / "series.parquet").to_pandas()
    assert max(waiting.values) == pytest.approx((series.waiting_pick + series.waiting_driver).max())


def test_the_peak_says_how_much_and_when(noon_folder):
    sparks = sparks_of(noon_folder, read_summary(noon_folder))
    placed = sparks.rows[0]
    most = max(placed.values)
    begin = sparks.begins[placed.values.index(most)]
    assert peak(placed, sparks) == f"most {most:.0f} at {begin:%H:%M}"
    assert peak(Spark("x", [0.0], "count"), sparks) == "none"
    assert peak(Spark("x", [NAN], "count"), sparks) == ""


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [100, 60])
def test_the_summary_with_its_lines_fits(noon_folder, tmp_path, encoding, width):
    with (tmp_path / "out.txt").open("w", encoding=encoding) as file:
        print_summary(read_summary(noon_folder), Console(file=file, width=width), folder=noon_folder)
    text = (tmp_path / "out.txt").read_text(encoding=encoding)
    told = text.partition("By the quarter of an hour, from 12:00")[2].partition("Service levels")[0]
    assert "orders placed" in told
    assert max(len(each.rstrip()) for each in told.splitlines()) <= min(width, WIDTH)


def test_a_long_run_is_put_together_and_one_of_goods_shows_its_records(tmp_path):
    from sim.experiments.runs import run_to_folder
    from sim.scenario import load

    days = ["horizon_h=1000", "stores.count=1", "catalogue.skus=40", "demand.orders_per_day=200"]
    run_to_folder(load("months", days), tmp_path / "run")
    summary = read_summary(tmp_path / "run")
    sparks = sparks_of(tmp_path / "run", summary)
    assert sparks.step == "2 days"
    assert len(sparks.begins) <= MOST
    assert [row.label for row in sparks.rows] == ["records that are wrong", "phantom stock"]
    assert 0.0 < max(sparks.rows[0].values) <= 1.0
    assert " on " in peak(sparks.rows[0], sparks)


def test_a_folder_without_tables_has_none(tmp_path: Path, noon_folder):
    assert sparks_of(tmp_path, read_summary(noon_folder)) is None
    (tmp_path / "manifest.json").write_text("[]")
    assert sparks_of(tmp_path, read_summary(noon_folder)) is None
    assert Sparks("hour", [], []).rows == []
