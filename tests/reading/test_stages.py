"""Orders by stages: nothing between them, and what the summary says of them."""

import shutil
from itertools import pairwise

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from sim.reading.files import read_summary
from sim.reading.run import FinishedRun
from sim.reading.stages import STAGES, courses


def test_every_order_is_told_from_entry_to_end_without_a_gap(run):
    told = list(courses(run))
    assert [course.order for course in told] == sorted(run.columns("orders", "order")["order"])
    assert {course.state for course in told} > {"delivered", "cancelled"}
    for course in told:
        assert course.stages[0].start_s == course.start_s
        assert course.stages[-1].end_s == course.end_s
        assert all(one.end_s == other.start_s for one, other in pairwise(course.stages))
        assert all(stage.start_s <= stage.end_s for stage in course.stages)


def test_stages_of_delivered_orders_have_the_means_of_the_summary(run, folder):
    delivered = [course for course in courses(run) if course.delivered]
    means = read_summary(folder)["stages_s"]
    for name in STAGES:
        spent = [stage.end_s - stage.start_s for course in delivered for stage in course.stages if stage.name == name]
        assert sum(spent) / len(delivered) == pytest.approx(means[name])


def test_a_stage_that_was_noted_early_begins_when_the_one_before_ends(folder, tmp_path):
    late = shutil.copytree(folder, tmp_path / "late")
    orders = pq.read_table(late / "orders.parquet")
    column = orders.column_names.index("confirmed_s")
    after = pc.add(orders.column("packed_s"), 5.0)
    pq.write_table(orders.set_column(column, "confirmed_s", after), late / "orders.parquet")
    told = list(courses(FinishedRun(late)))
    assert all(stage.start_s <= stage.end_s for course in told for stage in course.stages)
    assert any(stage.name == "pick" and stage.start_s == stage.end_s for course in told for stage in course.stages)
