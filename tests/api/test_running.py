"""``sim.run`` is ``darkstore run``: the same day, as pandas tables, and nothing left behind."""

import gc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sim
from sim.experiments.runs import run_to_folder
from sim.recording import SUMMARY
from sim.scenario import load
from sim.vocabulary import InputError


@pytest.fixture(scope="module")
def noon_run(noon_file):
    return sim.run(noon_file, seed=3, set={"drivers.count": 6})


def test_import_sim_is_instant_and_says_what_it_offers():
    code = (
        "import sys, sim; assert {'run', 'compare'} <= set(dir(sim)); print(len(sys.modules), 'numpy' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert int(said[0]) < 120
    assert said[1] == "False"
    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        sim.runn  # noqa: B018


def test_it_is_the_run_of_the_command_line(noon_run, noon_file, tmp_path):
    run_to_folder(load(str(noon_file), ["drivers.count=6", "seed=3"]), tmp_path / "same")
    same = sim.open_run(tmp_path / "same")
    assert same.summary["digest"] == noon_run.summary["digest"]
    assert same.summary["fingerprint"] == noon_run.summary["fingerprint"]
    for name in ("orders", "tasks", "drivers", "stock", "series", "platform", "drift"):
        pd.testing.assert_frame_equal(getattr(same, name), getattr(noon_run, name))


def test_tables_hold_what_the_summary_says(noon_run):
    delivered = noon_run.orders[noon_run.orders.state == "delivered"]
    assert len(noon_run.orders) == noon_run.summary["orders"]["entered"] > 20
    assert len(delivered) == noon_run.summary["orders"]["delivered"]
    times = delivered.delivered_s - delivered.entered_s
    assert times.mean() == pytest.approx(noon_run.summary["click_to_door_s"]["mean"])
    assert noon_run.drivers.delivered.sum() == len(delivered)


def test_facts_of_a_kind_and_of_an_order(noon_run):
    entered = noon_run.facts("order_entered")
    assert entered.order.tolist() == noon_run.orders.order.tolist()
    assert entered.seq.is_monotonic_increasing
    order = int(noon_run.orders.order.iloc[0])
    story = noon_run.facts(order=order)
    assert story.seq.is_monotonic_increasing
    assert (story.order == order).all()
    assert story.kind.iloc[0] == "order_entered"
    moved = noon_run.facts("order_moved", order=order)
    assert moved.state.tolist() == story[story.kind == "order_moved"].state.tolist()
    assert moved.state.iloc[-1] == "delivered"


def test_the_story_of_an_order_is_that_of_its_row(noon_run):
    row = noon_run.orders[noon_run.orders.state == "delivered"].iloc[0]
    story = noon_run.story(int(row.order))
    assert story["late_s"] == pytest.approx(row.delivered_s - row.promised_s, abs=0.001)
    assert sum(story["spent_s"].values()) == pytest.approx(row.delivered_s - row.entered_s, abs=0.02)
    assert story["events"][0]["t_s"] == pytest.approx(row.entered_s, abs=0.001)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda run: run.facts("order_canceled"), "order_cancelled"),
        (lambda run: run.facts(), "got neither"),
        (lambda run: run.facts("picker_on", order=1), "names an order"),
        (lambda run: run.table("nothing"), "nothing.parquet"),
        (lambda run: sim.open_run("no-such-folder"), "finished run"),
        (lambda run: sim.run("smal"), "did you mean small"),
        (lambda run: sim.run("small", reps=0), "reps: expected a whole number"),
        (lambda run: sim.run("small", set={"drivers.cuont": 3}), "did you mean count"),
        (lambda run: sim.run("small", set={"drivers.count": object()}), "set: drivers.count: expected"),
        (lambda run: sim.run("small", set={"a=b": 1}), "set: expected a key"),
        (lambda run: sim.run("small", policies={"dispatsh": "nearest"}), "a family of"),
        (lambda run: sim.run("small", policies={"dispatch": 3}), "callable"),
        (lambda run: sim.run("small", policies={"dispatch": "neerest"}), "did you mean nearest"),
    ],
)
def test_what_will_not_do_is_said_in_one_sentence(noon_run, asked, said):
    with pytest.raises(InputError, match=said):
        asked(noon_run)


def test_values_mean_what_they_are_in_python(noon_file):
    told = {"drivers.count": np.int64(5), "demand.surges": [], "start": "2026-11-20T12:30+00:00", "name": "12"}
    found = sim.run(noon_file, set=told | {"horizon_h": 0.1})
    assert found.summary["scenario"] == "12"
    assert len(found.drivers) <= 5
    assert str(found.clock(60.0)) == "2026-11-20 12:31:00+00:00"


def test_nothing_is_left_but_what_was_asked_for(noon_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    found = sim.run(noon_file, set={"horizon_h": 0.1})
    page = found.report()
    assert page == found.folder / "report.html"
    assert page.stat().st_size > 10_000
    assert temporary in page.parents
    del found
    gc.collect()
    assert not list(temporary.iterdir())
    with pytest.raises(InputError):
        sim.run(noon_file, policies={"dispatch": lambda view: 3})
    assert [path.name for path in tmp_path.iterdir()] == ["temporary"]
    assert not list(temporary.iterdir())
    kept = sim.run(noon_file, set={"horizon_h": 0.1}, out=tmp_path / "kept")
    del kept
    gc.collect()
    assert (tmp_path / "kept" / SUMMARY).is_file()
    with pytest.raises(InputError, match="holds a finished run"):
        sim.run(noon_file, out=tmp_path / "kept")


def test_it_shows_its_answer(noon_run):
    page = noon_run._repr_html_()
    assert "on time" in page
    assert "seed 3" in page
    assert "placed" in page
    assert "customers" in repr(noon_run)
    assert Path(noon_run.folder).is_dir()


def test_replications_have_intervals(noon_file):
    found = sim.run(noon_file, reps=2, workers=1, set={"horizon_h": 0.2})
    assert set(found.summary["click_to_door_s"]["mean"]) == {"mean", "low", "high"}
    assert "95 % interval" in found._repr_html_()
