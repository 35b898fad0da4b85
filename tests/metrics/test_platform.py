"""The platform's figures: percentiles of a day from its samples, faults found in the log, targets that only warn."""

import json
import math
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from sim.experiments.replicate import combine
from sim.experiments.runs import run_in_memory, run_to_folder
from sim.experiments.slo import PUBLISHED, failed, judge, lookup, unobserved
from sim.metrics.money import WRITES
from sim.metrics.platform import faults, mixture_quantile
from sim.report.platform import all_faults_row, endpoint_rows, fault_rows, simulated, trouble_lines
from sim.scenario import load
from sim.scenario.levels import METRICS
from sim.scenario.monitoring import Targets
from sim.streams import Streams
from sim.vocabulary import Alert, CancelReason, FaultKind, OrderState, Rejection, StockCause
from sim.world.build import build_world
from tests.conftest import Builder, Play

FAULTY = (
    "faults=[{kind: expired_certificate, service: orders, at: '12:30', minutes: 5},"
    " {kind: provider_outage, at: '13:00', minutes: 10}, {kind: scanner_failure, at: '13:40', minutes: 5, factor: 1.5}]"
)


@pytest.fixture(scope="module")
def faulty(play: Play, two_stores: Builder) -> Any:
    return play(two_stores(FAULTY, "demand.orders_per_day=9600"))


@pytest.fixture(scope="module")
def calm(play: Play, two_stores: Builder) -> Any:
    return play(two_stores())


@pytest.fixture(scope="module")
def minimal(play: Play, two_stores: Builder) -> Any:
    return play(two_stores("platform.profile=minimal"))


def test_a_day_of_equal_samples_has_their_percentiles() -> None:
    half, most = np.full(9, math.log(2.0)), np.full(9, math.log(100.0))
    for tail in (0.5, 0.1, 0.01, 0.001):
        assert mixture_quantile(tail, half, most, np.ones(9)) == pytest.approx(-math.log(tail), rel=1e-6)


def test_a_slow_hour_shows_in_the_percentiles_of_the_day_by_its_calls() -> None:
    """For exponential samples the mixture's tail is (1 - w) exp(-t) + w exp(-t / 50)."""
    means, weights = np.array([1.0, 50.0]), np.array([0.95, 0.05])
    found = mixture_quantile(0.01, means * math.log(2.0), means * math.log(100.0), 1000.0 * weights)
    assert found is not None
    assert float((weights * np.exp(-found / means)).sum()) == pytest.approx(0.01, rel=1e-5)


def test_calls_measured_in_small_samples_keep_their_tail() -> None:
    """Samples of 5 calls each, of which a p99 is the largest: the p99 of all is that of the calls, at most a little more."""
    calls = np.random.default_rng(5).exponential(1.0, (4000, 5))
    calls.sort(axis=1)
    found = mixture_quantile(0.01, calls[:, 2], calls[:, 4], np.full(4000, 5.0), counted=True)
    true = float(np.quantile(calls, 0.99))
    assert found is not None
    assert true <= found <= 1.05 * true
    taken_for_percentiles = mixture_quantile(0.01, calls[:, 2], calls[:, 4], np.full(4000, 5.0))
    assert taken_for_percentiles is not None
    assert taken_for_percentiles < 0.9 * true


def test_samples_of_one_call_each_have_the_median_of_the_calls() -> None:
    calls, one = np.arange(1.0, 10.0), np.ones(9)
    assert mixture_quantile(0.5, calls, calls, one, counted=True) == pytest.approx(5.0, rel=1e-6)
    order = np.random.default_rng(3).permutation(9)
    assert mixture_quantile(0.5, calls[order], calls[order], one, counted=True) == pytest.approx(5.0, rel=1e-6)


def test_samples_of_one_call_each_have_the_quantiles_of_the_calls() -> None:
    calls = np.random.default_rng(4).exponential(1.0, 2001)
    for tail in (0.9, 0.5, 0.2, 0.05, 0.01):
        found = mixture_quantile(tail, calls, calls, np.ones(2001), counted=True)
        assert found == pytest.approx(float(np.quantile(calls, 1.0 - tail)), rel=0.03)


def test_samples_without_calls_say_nothing() -> None:
    assert mixture_quantile(0.01, np.array([np.nan]), np.array([np.nan]), np.array([0.0])) is None
    assert mixture_quantile(0.01, np.array([np.nan, 1.0]), np.array([np.nan, 1.0]), np.array([3.0, 1.0])) is not None


def test_a_fault_is_reported_with_its_detection_recovery_and_losses(faulty: Any) -> None:
    found = faulty.study.summary["platform"]["faults"]
    assert [fault["kind"] for fault in found] == ["expired_certificate", "provider_outage", "scanner_failure"]
    certificate, provider, scanner = found
    assert (certificate["began_s"], certificate["ended_s"]) == (1800.0, 2100.0)
    assert certificate["detected_after_s"] <= 15.0
    assert certificate["recovered_after_s"] >= 300.0
    assert provider["detected_after_s"] > 0.0
    assert scanner["detected_after_s"] is scanner["recovered_after_s"] is scanner["detected_by"] is None
    rejected, moved = faulty.rows("order_rejected"), faulty.rows("order_moved")
    until_s = certificate["began_s"] + certificate["recovered_after_s"]
    lost = sum(
        1800.0 <= t <= until_s and r != Rejection.OUT_OF_ZONE
        for t, r in zip(rejected["t_s"], rejected["reject"], strict=True)
    )
    lost += sum(
        1800.0 <= t <= until_s and s in (OrderState.CANCELLED, OrderState.PAYMENT_FAILED)
        for t, s in zip(moved["t_s"], moved["state"], strict=True)
    )
    assert certificate["orders_lost"] == lost > 20


SOMETIMES = (
    "platform.freshness_s", "platform.fraud", "platform.stale_orders.age", "platform.attacks.refused_share",
    "platform.fault_totals",
)  # fmt: skip
"""Figures that an ordinary day cannot have."""


class Rows:
    """An archive of a few facts of alerts and faults."""

    def __init__(self, **kinds: list[tuple[Any, ...]]) -> None:
        self._kinds = kinds

    def rows(self, kind: str, names: Any = None) -> Any:
        """The facts of a kind as the archive has them."""
        from sim.recording.schema import CODES, DTYPES

        dtype = DTYPES[CODES[kind]]
        width = len(dtype.names or ())
        # What a fact says at its end and nobody gives is nothing: no order, no store.
        return np.array([(*row, *[-1] * (width - len(row))) for row in self._kinds.get(kind, [])], dtype=dtype)

    def seq(self, kind: str) -> Any:
        """Not needed."""


def test_a_fault_is_over_when_the_last_alert_it_raised_is_cleared() -> None:
    crash, slow, down = FaultKind.INSTANCE_CRASH, Alert.READS_SLOW, Alert.SERVICE_DOWN
    archive = Rows(
        fault_began=[(100.0, crash, 160.0), (5000.0, crash, 5060.0)],
        fault_ended=[(160.0, crash), (5060.0, crash)],
        alert_raised=[
            (50.0, down, 1.0),
            (130.0, slow, 1.0),
            (200.0, slow, 1.0),
            (460.1, down, 1.0),
            (5010.0, slow, 1.0),
        ],
        alert_cleared=[(120.0, down), (150.0, slow), (300.0, slow)],
    )
    first, second = faults(archive)
    # Raised before it began, or more than five minutes after its end: not because of it.
    assert (first["detected_after_s"], first["detected_by"], first["recovered_after_s"]) == (30.0, "reads_slow", 200.0)
    assert (second["detected_after_s"], second["recovered_after_s"]) == (10.0, None)


def test_a_fault_loses_no_order_that_nobody_took_at_the_door() -> None:
    cancelled, unpaid = OrderState.CANCELLED, OrderState.PAYMENT_FAILED
    reasons = (CancelReason.UNDELIVERABLE, CancelReason.AGE_CHECK, CancelReason.CUSTOMER, CancelReason.NO_DRIVER)
    archive = Rows(
        fault_began=[(100.0, FAULT, 160.0)],
        fault_ended=[(160.0, FAULT)],
        order_cancelled=[(110.0 + order, order, reason) for order, reason in enumerate(reasons)],
        order_moved=[(120.0 + order, order, cancelled) for order in range(len(reasons))] + [(130.0, 9, unpaid)],
    )
    (found,) = faults(archive)
    assert found["orders_lost"] == 3


FAULT, ON = FaultKind.INSTANCE_CRASH, Alert.SERVICE_BUSY


def detected(raised: list[tuple[Any, ...]], cleared: list[tuple[Any, ...]], over_s: float | None = 160.0) -> Any:
    """What is said of a fault that began at 100 s."""
    ended = [] if over_s is None else [(over_s, FAULT)]
    archive = Rows(
        fault_began=[(100.0, FAULT, over_s or 160.0)], fault_ended=ended, alert_raised=raised, alert_cleared=cleared
    )
    (found,) = faults(archive)
    return tuple(found[key] for key in ("detected_after_s", "detected_by", "already_on", "recovered_after_s"))


NOBODY_KNEW = (None, None, False, None)


def test_an_alert_that_was_on_before_and_until_the_end_is_a_detection_when_there_is_no_news() -> None:
    assert detected([(50.0, ON, 1.0)], [(220.0, ON)]) == (0.0, "service_busy", True, 120.0)
    assert detected([(50.0, ON, 1.0)], []) == (0.0, "service_busy", True, None)
    assert detected([(50.0, ON, 1.0)], [], over_s=None) == (0.0, "service_busy", True, None)


def test_what_was_raised_after_the_beginning_goes_before_what_was_on() -> None:
    news, well = (140.0, Alert.READS_SLOW, 1.0), (150.0, Alert.READS_SLOW)
    assert detected([(50.0, ON, 1.0), news], [well, (9000.0, ON)]) == (40.0, "reads_slow", False, 50.0)
    # Cleared and raised again while it lasts: that is news of the same alert.
    again = (130.0, ON, 1.0)
    assert detected([(50.0, ON, 1.0), again], [(110.0, ON), (200.0, ON)]) == (30.0, "service_busy", False, 100.0)


def test_an_alert_that_was_cleared_before_the_end_says_nothing_of_the_fault() -> None:
    assert detected([(50.0, ON, 1.0)], [(90.0, ON)]) == NOBODY_KNEW
    assert detected([(50.0, ON, 1.0)], [(130.0, ON)]) == NOBODY_KNEW
    assert detected([(50.0, ON, 1.0)], [(5000.0, ON)], over_s=None) == NOBODY_KNEW


def test_of_a_fault_that_is_over_at_once_an_alert_says_something_from_the_next_look_on() -> None:
    assert detected([(50.0, ON, 1.0)], [(115.0, ON)], over_s=100.0) == NOBODY_KNEW
    assert detected([(50.0, ON, 1.0)], [(130.0, ON)], over_s=100.0) == (0.0, "service_busy", True, 30.0)


def test_a_reader_is_told_that_an_alert_was_already_on() -> None:
    fault = {
        "kind": "cache_flush", "began_s": 60.0, "ended_s": 60.0, "detected_after_s": 0.0, "detected_by": "service_busy",
        "already_on": True, "recovered_after_s": 30.0, "orders_lost": 0,
    }  # fmt: skip
    summary = {"platform": {"faults": [fault]}}
    assert fault_rows(summary)[0][2] == "alert already on (service busy)"
    assert "noticed after" not in trouble_lines(summary)[0]
    raised = {"platform": {"faults": [fault | {"already_on": False}]}}
    assert fault_rows(raised)[0][2].endswith("s (service busy)")


def test_every_figure_a_service_level_may_name_is_there(calm: Any, minimal: Any) -> None:
    for name in METRICS:
        if name.startswith("platform."):
            group, _, key = name.rpartition(".")
            for played in (calm, minimal):
                assert key in lookup(played.study.summary, group), name
            if not name.startswith(SOMETIMES):
                assert lookup(calm.study.summary, name) is not None, name


def test_without_a_platform_under_load_there_is_nothing_to_say(minimal: Any) -> None:
    found = minimal.study.summary["platform"]
    assert set(found["user"].values()) == {None}
    assert found["hit_rate"] is found["bus"]["messages_per_order"] is found["breakers"]["openings"] is None
    assert found["faults"] == []
    assert not simulated(minimal.study.summary)
    assert not judge(minimal.world.scenario, minimal.study.summary)[3:], "no targets for what does not exist"
    assert all(len(column) == 0 for column in minimal.study.platform.values())
    assert np.isnan(minimal.study.series["hit_rate"]).all()


def test_summaries_are_json_without_nan(calm: Any, faulty: Any, minimal: Any) -> None:
    for played in (calm, faulty, minimal):
        json.dumps(played.study.summary, allow_nan=False)


def test_availability_is_what_was_neither_refused_nor_failed(calm: Any, faulty: Any) -> None:
    assert calm.study.summary["platform"]["user"]["availability"] == pytest.approx(1.0, abs=1e-9)
    assert calm.study.summary["platform"]["user"]["error_budget_burnt"] == pytest.approx(0.0, abs=1e-4)
    found = faulty.study.summary["platform"]
    rejected, entered = len(faulty.rows("order_rejected")), len(faulty.rows("order_entered"))
    assert found["endpoints"]["place_order"]["availability"] == pytest.approx(entered / (entered + rejected))
    user = found["user"]
    assert user["error_budget_burnt"] == pytest.approx((1.0 - user["availability"]) / (1.0 - Targets().availability))


def test_breakers_are_open_from_the_first_opening_to_the_closing(faulty: Any) -> None:
    found = faulty.study.summary["platform"]["breakers"]
    assert found["openings"] >= 1
    assert 30.0 <= found["open_s"] <= 900.0
    series = faulty.study.series
    assert float(np.nansum(series["breakers_open"]) * 300.0) == pytest.approx(found["open_s"])


def test_targets_are_rows_that_warn_and_never_fail_a_run(faulty: Any, two_stores: Builder) -> None:
    summary, asked = faulty.study.summary, faulty.world.scenario.slo
    rows = judge(faulty.world.scenario, summary)
    published = rows[len(asked) :]
    assert [row["metric"] for row in published] == list(PUBLISHED.values())
    assert {row["severity"] for row in published} == {"warn"}
    assert any(not row["met"] for row in published)
    assert failed(rows) == failed(rows[: len(asked)])
    assert unobserved(rows) == unobserved(rows[: len(asked)])
    mine = two_stores("slo=['platform.user.p99_s <= 0.3']")
    assert [row["severity"] for row in judge(mine, summary) if row["metric"] == "platform.user.p99_s"] == ["error"]


def test_the_published_targets_are_what_the_issue_of_them_says() -> None:
    assert Targets().model_dump() == {
        "user_p99_s": 0.2, "availability": 0.9999, "visible_p99_s": 5.0, "catalogue_p99_s": 0.05, "place_order_p99_s": 0.2,
        "order_status_p99_s": 0.1, "drivers_nearby_p99_s": 0.075, "reserve_p99_s": 0.025,
    }  # fmt: skip


def test_a_healthy_day_meets_every_published_target() -> None:
    scenario = load("default", ["horizon_h=14", "drain_h=1", "start=2026-11-20T08:00 America/Santiago"])
    streams = Streams(scenario.seed)
    summary = run_in_memory(build_world(scenario, streams), streams).summary
    rows = [row for row in summary["slo"] if row["metric"].startswith("platform.")]
    assert len(rows) == len(PUBLISHED)
    assert all(row["met"] for row in rows), [row for row in rows if not row["met"]]
    assert summary["platform"]["hit_rate"] >= 0.9
    assert 5.0 <= summary["platform"]["bus"]["messages_per_order"] <= 10.0


def test_the_platform_costs_what_it_used(calm: Any, minimal: Any, two_stores: Builder, play: Play) -> None:
    rates, kinds = calm.world.scenario.costs, calm.study.summary["cost"]["by_kind"]
    samples = calm.rows("platform_sampled")
    hours = float(samples["instance_s"][-1] - samples["instance_s"][0]) / 3600.0
    assert hours == pytest.approx(8 * 3 * 4, rel=0.02), "three instances of eight services for four hours"
    assert kinds["platform_instances"] == round(hours * rates.instance_hour_cents)
    assert "platform" not in kinds
    dear = play(
        two_stores("costs={writes_million_cents: 1e9, messages_million_cents: 1e9, storage_gb_month_cents: 1e9}")
    )
    dearly = dear.study.summary["cost"]["by_kind"]
    adjusted = calm.rows("record_adjusted")
    writes = sum(len(calm.rows(kind)) for kind in WRITES) + int((adjusted["cause"] != StockCause.OPENING).sum())
    assert dearly["platform_writes"] == writes * 1000
    assert dearly["platform_messages"] == int(samples["messages"][-1] - samples["messages"][0]) * 1000
    entered = len(calm.rows("order_entered"))
    assert dearly["platform_storage"] == round(entered * rates.order_kb / 1e6 * rates.kept_months * 1e9)
    flat = minimal.study.summary
    assert flat["cost"]["by_kind"]["platform"] == flat["orders"]["entered"] * rates.platform_order_cents


def test_replications_join_and_keep_faults_that_all_had(faulty: Any, two_stores: Builder) -> None:
    scenario = faulty.world.scenario
    head = {"schema": 1, "scenario": "x", "seed": 1, "replications": 1, "fingerprint": "f", "digest": "d", "slo": []}
    engine = {"events": 1, "facts": 1, "cpu_s": 1.0, "wall_s": 1.0, "orders_per_cpu_s": 1.0, "peak_mb": 1.0}
    one = {**head, **faulty.study.summary, "engine": engine}
    both = combine(scenario, [one, one])
    assert both["platform"]["faults"][0]["kind"] == "expired_certificate"
    assert both["platform"]["faults"][0]["began_s"]["mean"] == 1800.0
    assert both["platform"]["user"]["p99_s"]["mean"] == one["platform"]["user"]["p99_s"]
    other = {**one, "platform": one["platform"] | {"faults": []}}
    assert combine(scenario, [one, other])["platform"]["faults"] == []
    missed = [fault | {"detected_after_s": None, "detected_by": None} for fault in one["platform"]["faults"]]
    unnoticed = {**one, "platform": one["platform"] | {"faults": missed}}
    once = combine(scenario, [unnoticed, one])["platform"]["faults"][0]
    assert once["detected_by"] is None, "no word for what differs from day to day"
    assert once["detected_after_s"]["mean"] == one["platform"]["faults"][0]["detected_after_s"]
    assert len(fault_rows(both)) == 3
    json.dumps(both, allow_nan=False)
    at_a_rate = [*one["platform"]["faults"], one["platform"]["faults"][0] | {"began_s": 71.5}]
    more = combine(scenario, [one, {**one, "platform": one["platform"] | {"faults": at_a_rate}}])
    assert len(more["platform"]["faults"]) == 3, "what every day had; such as come at a rate have no counterpart"


def test_over_all_faults_figures_are_sums_and_means_of_what_each_did(calm: Any, faulty: Any) -> None:
    platform = faulty.study.summary["platform"]
    each, whole = platform["faults"], platform["fault_totals"]
    noticed = [fault["detected_after_s"] for fault in each if fault["detected_after_s"] is not None]
    assert (whole["faults"], whole["noticed"]) == (len(each), len(noticed))
    assert 0 < len(noticed) < len(each)
    assert whole["detected_after_s"] == pytest.approx(np.mean(noticed))
    assert whole["orders_lost"] == sum(fault["orders_lost"] for fault in each) > 0
    nothing = calm.study.summary["platform"]["fault_totals"]
    assert nothing == dict.fromkeys(whole, 0) | dict.fromkeys(("detected_after_s", "recovered_after_s"))


def test_of_several_faults_the_last_line_is_of_all_together(calm: Any, faulty: Any) -> None:
    whole = faulty.study.summary["platform"]["fault_totals"]
    row = all_faults_row(faulty.study.summary)
    assert row is not None
    assert (row[0], row[4]) == ("all 3 faults", str(whole["orders_lost"]))
    assert row[2].startswith(f"{whole['noticed']} noticed, after ")
    lines = trouble_lines(faulty.study.summary)
    assert any(line.startswith("all 3 faults: ") for line in lines)
    assert all_faults_row(calm.study.summary) is None


def test_when_it_broke_is_told_by_the_clock_with_the_day_where_it_is_another(faulty: Any) -> None:
    start = datetime(2026, 11, 20, 23, 45)
    told = trouble_lines(faulty.study.summary, start)
    assert told[0].startswith("expired certificate, 21 Nov 00:15 to 21 Nov 00:20: noticed after ")
    assert trouble_lines(faulty.study.summary, start.replace(hour=9))[0].startswith(
        "expired certificate, 10:15 to 10:20: "
    )


def test_the_folder_has_the_samples_and_the_page_the_platform(two_stores: Builder, tmp_path: Any) -> None:
    import pyarrow.parquet as pq

    from sim.report import write_report

    found = run_to_folder(two_stores(FAULTY, "horizon_h=1"), tmp_path / "run", finish=write_report)
    table = pq.read_table(tmp_path / "run" / "platform.parquet").to_pandas()
    columns = ["service", "t_s", "rate", "errors", "p50_s", "p99_s", "utilisation", "queue", "instances"]
    assert list(table.columns) == columns
    assert set(table.service) == {
        "gateway",
        "catalogue",
        "inventory",
        "orders",
        "payments",
        "dispatch",
        "tracking",
        "notifications",
    }
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "The software platform" in page
    assert "What went wrong" in page
    for row in (*endpoint_rows(found.summary), *fault_rows(found.summary, two_stores().start_at)):
        assert all(cell.replace("<", "&lt;").replace(">", "&gt;") in page for cell in row)


def test_a_quiet_day_says_nothing_of_trouble(calm: Any, faulty: Any) -> None:
    assert trouble_lines(calm.study.summary) == []
    told = trouble_lines(faulty.study.summary)
    assert told[0].startswith("expired certificate, 0:30 h to 0:35 h: noticed after ")
    assert any("no alert" in line for line in told)
