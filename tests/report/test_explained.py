"""Every figure of a summary is explained: what it means, how, in which unit and where it is worked out."""

import importlib
import re
from pathlib import Path
from typing import get_args

import pytest

from sim.experiments.figures import figures
from sim.facts import SIGNATURES
from sim.reading.files import read_summary
from sim.report.explain import METRICS, explain, further
from sim.report.formulas import FORMULAS, PLACES, working
from sim.report.reasons import CAUSE_WORDS, OBJECTS, PAGE_WORDS, REASONS
from sim.scenario.faults import OF_KIND, FaultName
from sim.vocabulary import InputError

ROOT = Path(__file__).parent.parent.parent
ALL = METRICS | further()


def test_every_figure_of_a_run_is_explained(noon_folder):
    for name in figures(read_summary(noon_folder)):
        said = explain(name)
        listed = any(name.startswith(f"{each}.") for each in OBJECTS)
        assert listed or all(word in said for word in ("\n  formula: ", "\n  unit: ", "\n  where: ")), name


def test_a_figure_is_explained_by_what_pages_call_it():
    assert explain("At the  counter") == explain("stages_s.wait_driver_handoff")
    several = explain("standing packed").splitlines()
    assert [line.partition("  ")[0] for line in several] == ["floor.dwell_s.mean", "floor.dwell_s.p95"]
    with pytest.raises(InputError, match="did you mean at the counter"):
        explain("at the countr")


@pytest.mark.parametrize("name", ["by_store", "long_run", "orders.by_reason.out_of_zone", "drift.by_cause.theft"])
def test_what_is_no_single_figure_is_explained_as_well(name):
    assert len(explain(name)) > 40


@pytest.mark.parametrize("kind", get_args(FaultName))
def test_what_each_kind_of_fault_does_is_explained_by_its_key_and_in_words(kind):
    said = explain(kind)
    assert explain(kind.replace("_", " ")) == said
    assert f"{kind}  " in explain("faults")
    assert all(key in said for key in OF_KIND.get(kind, ()))


@pytest.mark.parametrize("name", [*PAGE_WORDS, *REASONS.values(), *CAUSE_WORDS.values()])
def test_what_pages_call_reasons_causes_and_columns_is_explained(name):
    assert len(explain(name.upper())) > 40


def test_the_platforms_figures_are_found_without_saying_so():
    assert explain("faults.orders_lost") == explain("platform.faults.orders_lost")


def test_a_column_is_found_in_spite_of_a_slip():
    with pytest.raises(InputError, match="did you mean mostly because of"):
        explain("mostly becuase of")


def test_every_metric_is_worked_out_somewhere():
    assert [name for name, metric in ALL.items() if working(name, metric.kind) is None] == []
    assert [pattern for pattern, _ in FORMULAS if not any(re.fullmatch(pattern, name) for name in ALL)] == []
    assert all(working(name, metric.kind).unit for name, metric in ALL.items())
    assert not [name for name, metric in ALL.items() if "{" in working(name, metric.kind).formula + metric.meaning]


def test_where_it_is_said_to_be_worked_out_there_is_something():
    for _, place in PLACES:
        path, _, function = place.partition(", ")
        assert (ROOT / path).is_file()
        module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
        assert hasattr(module, function), place


def test_a_key_is_written_where_it_is_said_to_be_worked_out():
    """The last word of a key stands in its module, or in one that the module takes it from."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "sim" / "metrics").glob("*.py"))
    made = re.compile(r"(by_kind|eta_error_s|endpoints|services|pick_stages_s|within_s|notifications)\.|_one_store$")
    for name in ALL:
        last = name.rpartition(".")[2]
        assert made.search(name) or f'"{last}"' in text, name


def test_facts_that_formulas_name_are_facts():
    named = {word for _, formula in FORMULAS for part in re.findall(r"[Ff]acts? (\w+)", formula) for word in [part]}
    named -= {"that", "message_"}
    assert named <= set(SIGNATURES)


def test_the_unit_is_that_of_the_number():
    for name, unit in {
        "click_to_door_s.p95": "seconds", "platform.user.p99_s": "seconds", "on_time": "share of one", "revenue_cents": "cents",
        "losses.stolen": "units of goods", "losses.shrink_share": "units for each unit", "eta_error_s.300.mean": "seconds",
        "drivers.gini_pay": "0 (all alike) to 1", "orders.delivered": "a number of them", "floor.cover_days": "days",
    }.items():  # fmt: skip
        assert working(name, ALL[name].kind).unit.startswith(unit), name


def test_formulas_hold_on_a_run(noon_folder):
    """Those that are plain arithmetic on other figures come out."""
    found = figures(read_summary(noon_folder))
    assert found["orders.offered"] == found["orders.entered"] + found["orders.rejected"]
    wanted = found["sales.units_wanted"]
    assert found["fill_rate"] == (wanted - found["sales.units_denied"] - found["sales.units_short"]) / wanted
    assert found["cost.per_order_cents"] == pytest.approx(found["cost.total_cents"] / found["orders.delivered"])
    parts = [found[f"stages_s.wait_driver_{part}"] for part in ("accept", "arrive", "handoff")]
    assert found["stages_s.wait_driver"] == pytest.approx(sum(parts))
