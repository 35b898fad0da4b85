"""``sim.compare``, ``sim.sweep`` and ``sim.plan_sites`` are the commands, with tables."""

import pandas as pd
import pytest

import sim
from sim.experiments.comparison import compare
from sim.experiments.figures import HEADLINE
from sim.experiments.variants import Variant
from sim.scenario import load
from sim.vocabulary import InputError

SHORT = {"horizon_h": 0.3, "drain_h": 0.7}


@pytest.fixture(scope="module")
def compared(noon_file):
    return sim.compare(noon_file, {"eight": {}, "four": {"drivers.count": 4}}, reps=3, workers=1, set=SHORT)


def test_a_comparison_is_that_of_the_command(compared, noon_file):
    settings = [f"{key}={value}" for key, value in SHORT.items()]
    chosen = [
        Variant("eight", "eight", load(str(noon_file), settings)),
        Variant("four", "four", load(str(noon_file), [*settings, "drivers.count=4"])),
    ]
    same = compare(chosen, HEADLINE, 3, named=False)
    assert compared.table.metric.tolist() == [row.metric for row in same.rows]
    assert compared.table["mean"].tolist() == [row.mean.mean for row in same.rows]
    assert compared.table.difference.tolist() == pytest.approx([row.difference.change.mean for row in same.rows])
    assert list(compared.table) == ["metric", "variant", "base", "mean", "difference", "low", "high", "p", "verdict"]


def test_its_days_are_all_there(compared):
    days = compared.days
    assert days.groupby("variant").replication.nunique().to_dict() == {"eight": 3, "four": 3}
    entered = days[days.metric == "orders.offered"].pivot(index="replication", columns="variant", values="value")
    assert (entered.eight == entered.four).all()
    assert compared.report().is_file()
    assert "click to door" in compared._repr_html_()
    assert "eight, four" in repr(compared)


@pytest.mark.parametrize(
    ("variants", "said"),
    [
        ({"one": {}}, "two or more variants"),
        ({"one": {}, "two": "nearest"}, "variant two: expected a mapping"),
        ({"one": {}, "two": {"seed": 4}}, "expected one seed"),
        ({"one": {}, "two": {"dispatch": "neerest"}}, "did you mean nearest"),
    ],
)
def test_variants_that_will_not_do(noon_file, variants, said):
    with pytest.raises(InputError, match=said):
        sim.compare(noon_file, variants, reps=1, workers=1, set=SHORT)


def test_a_sweep_has_a_row_for_each_run(noon_file, tmp_path):
    found = sim.sweep(
        noon_file, {"drivers.count": [4, 8], "policies.dispatch": ["nearest", "fifo"]}, reps=1, workers=1, set=SHORT,
        out=tmp_path / "swept",
    )  # fmt: skip
    assert len(found.table) == 4
    assert set(found.table["policies.dispatch"]) == {"nearest", "fifo"}
    assert found.table.groupby("drivers.count")["orders.delivered"].mean().is_monotonic_increasing
    assert found.report() == tmp_path / "swept" / "report.html"
    assert "sweep" in repr(found).lower()
    assert "<table>" in found._repr_html_()
    for values in ({}, {"drivers.count": []}, {"drivers.count": [4, 4]}, {"seed": [1, 2]}):
        with pytest.raises(InputError, match="sweep: "):
            sim.sweep(noon_file, values)
    with pytest.raises(InputError, match="design"):
        sim.sweep(noon_file, {"drivers.count": [4]}, design="guess")
    with pytest.raises(InputError, match=r"--vary drivers\.count=4:2:1"):
        sim.sweep(noon_file, {"drivers.count": "4:2:1"})


def test_a_sweep_over_points_drawn_is_the_command_lines(noon_file, tmp_path):
    found = sim.sweep(
        noon_file, {"drivers.count": "4:9", "pickers.per_store": "2,3"}, design="lhs", points=4, workers=1, set=SHORT,
        out=tmp_path / "drawn",
    )  # fmt: skip
    assert 2 <= len(found.table) <= 4
    assert found.table["drivers.count"].between(4, 9).all()
    command = found.found["command"]
    assert command[command.index("--vary") + 1] == "drivers.count=4:9"
    assert command[command.index("--design") :] == [
        "--design",
        "lhs",
        "--points",
        "4",
        *command[command.index("--points") + 2 :],
    ]


def test_a_plan_of_sites_can_be_run():
    few = pd.DataFrame(
        {
            "name": ["north", "south"],
            "lat": [-29.907485, -29.95],
            "lon": [-71.241703, -71.25],
            "fit_out_cents": [1e7, 1e7],
        }
    )
    short = {"horizon_h": 0.5, "drain_h": 0.8}
    plan = sim.plan_sites("small", candidates=few, simulate=1, reps=1, workers=1, set=short)
    assert plan.candidates.name.tolist() == ["north", "south"]
    today, after = plan.table.network
    assert today == "today"
    assert after in ("north", "south")
    assert len(plan.stores(0)) == len(plan.stores()) + 1 == 4
    then = sim.run("small", set=short | {"stores.place": plan.stores(0)})
    assert then.summary["orders"]["delivered"] == plan.table.orders.iloc[1]
    assert plan.report().is_file()
    assert after in plan._repr_html_()
    assert after in repr(plan)
    with pytest.raises(InputError, match="a choice from 0 to 0"):
        plan.stores(1)
    with pytest.raises(InputError, match="expected open"):
        sim.plan_sites("small", open=0)
    with pytest.raises(InputError, match="mode: full"):
        sim.plan_sites("months")
