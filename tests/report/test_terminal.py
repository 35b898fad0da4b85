"""The summary in the terminal: every figure, within 100 columns, whatever the terminal can show."""

import io
import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sim.engine import Progress
from sim.experiments.replicate import combine
from sim.report import print_replications, print_summary, progress_bar
from sim.report.cost_words import COSTS
from sim.report.explain import METRICS, explain
from sim.report.sections import sections
from sim.report.words import DASH, answer, figure_text, levels
from sim.scenario.levels import METRICS as NAMED
from sim.vocabulary import InputError
from tests.conftest import Builder, Play


def a_summary(play: Play, builder: Builder, seed: int = 1) -> dict[str, Any]:
    """The object of summary.json, of a run in memory."""
    scenario = builder(f"seed={seed}")
    slo = [
        {"metric": "within_s.1800", "op": ">=", "target": 0.5, "observed": 0.97, "met": True, "severity": "error"},
        {"metric": "on_time", "op": ">=", "target": 0.95, "observed": 0.94996, "met": False, "severity": "error"},
        {"metric": "fill_rate", "op": ">", "target": 0.999, "observed": None, "met": False, "severity": "warn"},
    ]
    head = {
        "schema": 1,
        "scenario": scenario.name,
        "seed": seed,
        "replications": 1,
        "fingerprint": "f",
        "digest": f"{seed}",
    }
    engine = {"events": 1, "facts": 1, "cpu_s": 1.0, "wall_s": 1.0, "orders_per_cpu_s": 1.0, "peak_mb": 1.0}
    return {**head, **play(scenario).study.summary, "slo": slo, "engine": engine}


@pytest.fixture(scope="module")
def summary(play: Play, one_store: Builder) -> dict[str, Any]:
    return a_summary(play, one_store)


@pytest.fixture(scope="module")
def replicated(play: Play, one_store: Builder) -> dict[str, Any]:
    scenario = one_store("slo=['on_time >= 0.9', 'click_to_door_s.p95 <= 60']")
    return combine(scenario, [a_summary(play, one_store, seed) for seed in (1, 2, 3)])


def printed(show: Callable[[Console], None], width: int = 100, encoding: str = "utf-8", terminal: bool = False) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    show(Console(file=file, width=width, force_terminal=terminal, color_system="truecolor" if terminal else None))
    file.flush()
    return raw.getvalue().decode(encoding)


def test_every_figure_is_there_within_a_hundred_columns(summary: dict[str, Any]) -> None:
    text = printed(lambda console: print_summary(summary, console, currency="USD"))
    assert max(map(len, text.splitlines())) <= 100
    flat = " ".join(text.split())
    assert answer(summary) in flat
    for section in sections(summary):
        assert section.title in flat
        for row in section.rows:
            assert re.search(rf"{re.escape(row.label)} +{re.escape(figure_text(row.value, row.kind, 'USD'))}", flat), (
                row.label
            )


@pytest.mark.parametrize("width", [40, 80, 99, 100, 200])
def test_it_fits_the_terminal(summary: dict[str, Any], width: int) -> None:
    text = printed(lambda console: print_summary(summary, console), width)
    assert max(map(len, text.splitlines())) <= min(width, 100)


def test_a_pipe_gets_no_colours_and_a_terminal_that_says_no_neither(
    summary: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "\x1b" not in printed(lambda console: print_summary(summary, console))
    assert "\x1b[32m" in printed(lambda console: print_summary(summary, console), terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[3\d", printed(lambda console: print_summary(summary, console), terminal=True))


def test_a_terminal_of_plain_letters_gets_plain_letters(summary: dict[str, Any], replicated: dict[str, Any]) -> None:
    for each in (summary, replicated):
        text = printed(lambda console, each=each: print_summary(each, console), encoding="ascii")  # type: ignore[misc]
        assert ">= 50 %" in text or ">= 90 %" in text


def test_levels_are_marked_in_words_too(summary: dict[str, Any]) -> None:
    text = printed(lambda console: print_summary(summary, console))
    assert re.search(r"within 30 minutes +≥ 50 % +97\.0 % +✓ met", text)
    assert re.search(r"on time +≥ 95 % +94\.996 % +✗ missed", text), "94.996 % must not read as the 95 % it missed"
    assert re.search(rf"fill rate +> 99\.9 % +{DASH} +✗ not observed", text)


def test_what_was_not_observed_is_a_dash(summary: dict[str, Any]) -> None:
    def emptied(value: Any) -> Any:
        return {name: emptied(each) for name, each in value.items()} if isinstance(value, dict) else None

    figures = (
        "click_to_door_s",
        "within_s",
        "stages_s",
        "utilisation",
        "fill_rate",
        "on_time",
        "orders_per_driver_hour",
    )
    nothing = summary | {name: emptied(summary[name]) for name in figures}
    nothing |= {"slo": [], "cost": summary["cost"] | {"per_order_cents": None}}
    text = printed(lambda console: print_summary(nothing, console))
    assert re.search(rf"half within +{DASH}", text)
    assert re.search(rf"drivers without an order +{DASH}", text)
    assert not re.search(r"None|nan", text)


def test_names_are_not_read_as_markup(summary: dict[str, Any]) -> None:
    text = printed(lambda console: print_summary(summary | {"scenario": "[red]x[/red]"}, console))
    assert "[red]x[/red]" in text


def test_paths_are_whole_and_money_has_its_currency(summary: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / ("long-" * 30)
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps({"scenario": {"costs": {"currency": "CLP"}}}), encoding="utf-8")
    report = folder / "report.html"
    text = printed(lambda console: print_summary(summary, console, report=report, folder=folder))
    assert str(report) in text
    assert "CLP " in text
    assert "CLP" not in printed(lambda console: print_summary(summary, console, folder=tmp_path))


def test_replications_show_means_with_their_intervals(replicated: dict[str, Any]) -> None:
    text = printed(lambda console: print_summary(replicated, console, currency="USD"))
    assert text == printed(lambda console: print_replications(replicated, console, currency="USD"))
    assert max(map(len, text.splitlines())) <= 100
    flat = " ".join(text.split())
    assert "3 replications" in flat
    assert answer(replicated) in flat
    half = replicated["click_to_door_s"]["p50"]
    mean, low, high = (figure_text(half[key], "time") for key in ("mean", "low", "high"))
    assert f"half within {mean} {low} to {high}" in flat
    rest = [1.0 - replicated["utilisation"]["pickers"][key] for key in ("high", "low")]
    assert f"{figure_text(rest[0], 'share')} to {figure_text(rest[1], 'share')}" in flat
    for level in levels(replicated):
        assert f"{level.target} {level.observed} {level.interval}" in flat


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "share", DASH),
        (0.95, "share", "95.0 %"),
        (1.0, "share", "100.0 %"),
        (0.9999, "share", ">99.9 %"),
        (0.0001, "share", "<0.1 %"),
        (0.0, "share", "0.0 %"),
        (682.0, "time", "11.4 min"),
        (22.4, "time", "22 s"),
        (1.63, "time", "1.6 s"),
        (8195, "count", "8,195"),
        (-0.2, "count", "-0.2"),
        (126, "signed", "+126"),
        (-14, "signed", "-14"),
        (0, "signed", "0"),
        (950.8, "money", "USD 9.51"),
        (-0.3, "money", "USD 0.00"),
        ({"mean": 950.8, "low": 940.0, "high": 960.0}, "money", "USD 9.51"),
    ],
)
def test_a_figure_reads_as_what_it_is(value: Any, kind: Any, text: str) -> None:
    assert figure_text(value, kind, "USD") == text


@pytest.mark.parametrize(
    ("offered", "delivered", "said"),
    [
        (0, 0, "Nobody wanted to order."),
        (81, 0, "None of 81 customers who wanted to order was served."),
        (
            8195,
            7807,
            "7,807 of 8,195 customers who wanted to order were served; half within 11.4 minutes, 95 % within 20.1.",
        ),
    ],
)
def test_the_answer_is_a_sentence(offered: int, delivered: int, said: str) -> None:
    times = {"p50": 681.3, "p95": 1203.9} if delivered else {"p50": None, "p95": None}
    assert answer({"orders": {"offered": offered, "delivered": delivered}, "click_to_door_s": times, "slo": []}) == said


def test_every_metric_of_a_service_level_is_explained() -> None:
    assert set(NAMED) <= set(METRICS)
    assert all(metric.meaning.endswith(".") for metric in METRICS.values())
    assert explain("fill_rate").startswith("fill rate: Share of")
    with pytest.raises(InputError, match="did you mean fill_rate"):
        explain("fil_rate")


def test_a_group_of_figures_is_explained_line_by_line() -> None:
    lines = explain("within_s").splitlines()
    assert [line.split()[0] for line in lines] == ["within_s.900", "within_s.1200", "within_s.1800"]
    assert all(
        path.startswith("platform.bus.") for path in (line.split()[0] for line in explain("platform.bus").splitlines())
    )
    assert "add up to drift.units_abs" in explain("drift.by_cause")
    with pytest.raises(InputError) as refused:
        explain("nonsense")
    assert len(str(refused.value)) < 500, "groups, not two hundred names"
    with pytest.raises(InputError):
        explain("withins")
    # A word of their names finds figures as well.
    assert {"within_s.900", "click_to_door_s.p50"} <= {line.split()[0] for line in explain("within").splitlines()}


def test_every_kind_of_cost_is_explained(play: Play, two_stores: Builder) -> None:
    """With the full platform and with the flat charge of the minimal one."""
    kinds = set()
    for profile in ("full", "minimal"):
        summary = play(two_stores("horizon_h=0.5", f"platform.profile={profile}")).study.summary
        kinds |= set(summary["cost"]["by_kind"])
    assert {f"cost.by_kind.{kind}" for kind in kinds} == set(COSTS)
    assert explain("cost.by_kind.waste").startswith("thrown away: Purchase price")


def test_what_a_figure_leaves_out_is_said() -> None:
    """Units that come back from a door and are thrown away are money, and no share of what spoils on shelves."""
    assert "door" in explain("losses.waste_share")
    assert "door" in explain("losses.spoiled")
    assert "counts of pickers" in explain("reviews.flagged")
    assert "counting" in explain("utilisation.pickers")


def test_progress_is_silent_where_nobody_looks_on(capsys: pytest.CaptureFixture[str]) -> None:
    def watched(terminal: bool, quiet: bool) -> str:
        def show(console: Console) -> None:
            with progress_bar(console, start=datetime(2026, 11, 20, 6, 30), quiet=quiet, replications=2) as tell:
                tell(Progress(now_s=7200.0, end_s=86_400.0, facts=1234))
                tell.done(1)
                tell(Progress(now_s=9000.0, end_s=86_400.0, facts=2345))

        return printed(show, terminal=terminal)

    assert watched(terminal=False, quiet=False) == ""
    assert watched(terminal=True, quiet=True) == ""
    assert "Fri 09:00, 2,345 facts" in watched(terminal=True, quiet=False)
    assert capsys.readouterr().out == ""
