"""The shop floor's figures: by hand on a log of a few lines, and by plain loops over days that were played."""

import math
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.experiments.replicate import combine
from sim.experiments.slo import lookup
from sim.metrics.floor import floor, open_clock, peak, spread
from sim.metrics.series import ended_s
from sim.metrics.tables import order_table, work_spans
from sim.recording import replay
from sim.recording.schema import CODES, DTYPES
from sim.report.explain import METRICS as EXPLAINED
from sim.report.explain import explain
from sim.scenario import Scenario
from sim.scenario.levels import METRICS
from sim.vocabulary import CancelReason, OfferAnswer, OrderState, StockCause
from tests.conftest import Builder, Play

NAMES = [name for name in METRICS if name.startswith("floor.")]


class Written:
    """An archive written by hand: each fact with its time, in the order of the day."""

    def __init__(self) -> None:
        self._rows: dict[str, list[tuple[int, tuple[Any, ...]]]] = defaultdict(list)
        self._facts: list[tuple[float, str, dict[str, Any]]] = []

    def say(self, t_s: float, kind: str, **values: Any) -> None:
        self._facts.append((t_s, kind, values))

    def closed(self) -> "Written":
        self._rows.clear()
        for seq, (t_s, kind, values) in enumerate(sorted(self._facts, key=lambda fact: fact[0])):
            names = DTYPES[CODES[kind]].names or ()
            self._rows[kind].append((seq, (t_s, *(values.get(name, 0) for name in names[1:]))))
        return self

    def rows(self, kind: str, names: Any = None) -> Any:
        rows = np.array([row for _, row in self._rows[kind]], dtype=DTYPES[CODES[kind]])
        return rows if names is None else rows[list(names)]

    def seq(self, kind: str) -> Any:
        return np.array([seq for seq, _ in self._rows[kind]], dtype=np.int64)

    def order(self, order: int, store: int, lines: int, **at: float) -> None:
        """An order's way: the times of what happened to it, `entered`, `confirmed`, `started`, `packed` and so on."""
        self.say(at["entered"], "order_entered", order=order, store=store, lines=lines, units=lines)
        for name, state in (
            ("confirmed", OrderState.CONFIRMED), ("packed", OrderState.PACKED), ("left", OrderState.PICKED_UP),
            ("delivered", OrderState.DELIVERED), ("cancelled", OrderState.CANCELLED),
        ):  # fmt: skip
            if name in at:
                self.say(at[name], "order_moved", order=order, state=state)
        if "confirmed" in at:
            self.say(at["confirmed"], "order_promised", order=order, promised_s=at.get("promised", math.inf))
        if "started" in at:
            picker = int(at.get("picker", 0))
            self.say(at["started"], "pick_started", order=order, picker=picker, store=store)
            self.say(at.get("ended", at["packed"]), "pick_ended", order=order, picker=picker)


def figures(log: Written, scenario: Scenario, shape: tuple[int, int]) -> dict[str, Any]:
    log.closed()
    orders, work = order_table(log), work_spans(log, scenario.end_s)
    counts = orders["entered_s"] >= scenario.warmup_h * 3600.0
    warm = {name: column[counts] for name, column in orders.items()}
    return floor(log, scenario, replay(log, shape), work, orders, warm)


@pytest.fixture(scope="module")
def shift(one_store: Builder) -> dict[str, Any]:
    """An hour of two pickers with six orders: a good one, and one of each way of not being perfect."""
    log = Written()
    for sku, units in ((0, 10), (1, 2)):
        log.say(0, "shelf_changed", store=0, sku=sku, units=units, cause=StockCause.OPENING)
    for picker in (0, 1):
        log.say(0, "picker_on", picker=picker, store=0)
        log.say(3600, "picker_off", picker=picker)
    picks = ((0, 90, 0, 3), (0, 90, 1, 2), (1, 155, 0, 1), (2, 160, 0, 1), (3, 400, 0, 1), (4, 500, 0, 1))
    for order, t_s, sku, units in picks:
        log.say(t_s, "goods_picked", order=order, store=0, sku=sku, units=units)
    log.order(0, 0, 2, entered=10, confirmed=20, started=30, packed=90, left=150, delivered=600, promised=700)
    # Its second line is not found, and the shelf is counted for half a minute.
    log.order(
        1, 0, 2, entered=15, confirmed=25, started=95, packed=155, ended=185, left=200, delivered=500, promised=700
    )
    log.say(155, "hold_reduced", order=1, store=0, sku=1, units=1)
    log.say(155, "shelf_counted", store=0, sku=1, units=0)
    # Wrong goods in the bag.
    log.order(
        2, 0, 1, entered=16, confirmed=40, started=100, packed=160, left=1000, delivered=1200, promised=1200, picker=1
    )
    log.say(160, "scan_slipped", store=0, sku=1, units=-1, cause=StockCause.MISPICK, order=2)
    log.say(160, "scan_slipped", store=0, sku=0, units=1, cause=StockCause.MISPICK, order=2)
    # Late.
    log.order(3, 0, 1, entered=300, confirmed=310, started=340, packed=400, left=410, delivered=2000, promised=1999)
    # Refunded.
    log.order(4, 0, 1, entered=400, confirmed=410, started=440, packed=500, left=510, delivered=800, promised=1600)
    log.say(900, "charge_returned", order=4, cents=5)
    # Nothing of it was to be had, so that it was never confirmed; a line is denied twice, as after a crash.
    log.order(5, 0, 1, entered=420, cancelled=422)
    for t_s in (421, 422):
        log.say(t_s, "line_missing", order=5, store=0, sku=1, units=1)
    log.say(422, "order_cancelled", order=5, reason=CancelReason.OUT_OF_STOCK)
    return figures(log, one_store("horizon_h=1", "drain_h=1", "stores.count_s=30"), (1, 2))


def test_lines_for_each_hour_paid_and_busy(shift: dict[str, Any]) -> None:
    busy_s = 60 + 90 + 60 + 60 + 60
    assert shift["lines_per_paid_hour"] == 6 / 2
    assert shift["lines_per_busy_hour"] == pytest.approx(6 / (busy_s / 3600))
    assert shift["counting_share"] == pytest.approx(30 / busy_s)


def test_times_of_the_stages_of_the_floor(shift: dict[str, Any]) -> None:
    assert shift["wait_pick_s"]["mean"] == pytest.approx((10 + 70 + 60 + 30 + 30) / 5)
    assert shift["wait_pick_s"]["p95"] == pytest.approx(60 + 0.8 * 10)
    assert shift["pick_s"] == {"mean": 60.0, "p95": 60.0}
    assert shift["dwell_s"]["mean"] == pytest.approx((60 + 45 + 840 + 10 + 10) / 5)
    assert shift["dwell_s"]["p95"] == pytest.approx(60 + 0.8 * 780)


def test_the_most_at_once(shift: dict[str, Any]) -> None:
    # From 25 to 30 orders 0 and 1 wait, from 40 to 95 orders 1 and 2.
    assert shift["peak_orders"]["waiting_pick"] == shift["peak_orders"]["waiting_pick_one_store"] == 2
    assert shift["peak_orders"]["packed"] == shift["peak_orders"]["packed_one_store"] == 2


def test_what_was_complete_and_what_was_perfect(shift: dict[str, Any]) -> None:
    assert shift["line_fill_rate"] == pytest.approx((8 - 2) / 8)
    assert shift["order_fill_rate"] == pytest.approx(4 / 6)
    assert shift["perfect_order_rate"] == pytest.approx(1 / 5)


def test_an_empty_shelf_counts_from_the_last_pick_on(shift: dict[str, Any]) -> None:
    # The second article's two units go at 90 s; the first one's ten never do; it is open all the time.
    assert shift["stockout_share"] == pytest.approx((3600 - 90) / (2 * 3600))


def test_an_hour_says_nothing_of_a_year(shift: dict[str, Any]) -> None:
    assert shift["turns_per_year"] is shift["cover_days"] is None


def test_turns_and_cover_go_by_whole_days(one_store: Builder) -> None:
    day, hour = 86_400, 3600
    log = Written()
    log.say(0, "shelf_changed", store=0, sku=0, units=100, cause=StockCause.OPENING)
    # A pick in the warm-up, two in the two whole days, of one of them half is put back; one pick comes after them.
    for order, t_s, units in ((0, hour, 10), (1, 2 * hour + day // 2, 20), (2, 2 * hour + day, 10), (3, 51 * hour, 30)):
        log.say(t_s, "goods_picked", order=order, store=0, sku=0, units=units)
    log.say(2 * hour + day, "goods_put_back", order=2, store=0, sku=0, units=5)
    found = figures(log, one_store("horizon_h=52", "warmup_h=2"), (1, 1))
    a_day = (20 + 10 - 5) / 2
    assert found["turns_per_year"] == pytest.approx(a_day * 365 / ((90 * 0.5 + 70 * 0.5 + 65 * 1) / 2))
    assert found["cover_days"] == pytest.approx((100 - 10 - 20 - 5 - 30) / a_day)


def test_nights_and_warm_up_do_not_count_for_empty_shelves(one_store: Builder) -> None:
    # Noon to noon, open from 8 to 20, an hour of warm-up: 7 hours today and 4 tomorrow.
    scenario = one_store("horizon_h=24", "warmup_h=1", "stores.open='08:00-20:00'")
    times = np.array([0, 1, 2, 8, 9, 20, 22, 24, 26]) * 3600.0
    np.testing.assert_allclose(open_clock(scenario, times), np.array([0, 0, 1, 7, 7, 7, 9, 11, 11]) * 3600.0)
    log = Written()
    log.say(0, "shelf_changed", store=0, sku=0, units=1, cause=StockCause.OPENING)
    log.say(2 * 3600, "shelf_changed", store=0, sku=0, units=-1, cause=StockCause.THEFT)
    log.say(12 * 3600, "shelf_changed", store=0, sku=0, units=5, cause=StockCause.DELIVERY)
    assert figures(log, scenario, (1, 1))["stockout_share"] == pytest.approx(6 / 11)
    assert figures(log, scenario, (2, 3))["stockout_share"] == pytest.approx((6 + 5 * 11) / (6 * 11))


@pytest.mark.parametrize("hours", ["00:00-24:00", "22:00-04:00", "07:00-1d 09:00"])
def test_hours_past_midnight_are_opening_hours(one_store: Builder, hours: str) -> None:
    scenario = one_store("horizon_h=72", f"stores.open='{hours}'")
    length_h = {"00:00-24:00": 24, "22:00-04:00": 6, "07:00-1d 09:00": 24}[hours]
    assert open_clock(scenario, np.array([scenario.end_s]))[0] == pytest.approx(3 * length_h * 3600)


def test_the_perfect_order_may_come_at_the_very_moment_that_was_promised(one_store: Builder) -> None:
    log = Written()
    log.order(0, 0, 1, entered=0, confirmed=1, started=2, packed=3, left=4, delivered=5, promised=5)
    log.say(4, "offer_answered", order=0, driver=0, answer=OfferAnswer.ACCEPTED)
    assert figures(log, one_store(), (1, 1))["perfect_order_rate"] == 1.0


def test_the_last_order_of_a_day_may_be_the_second_of_a_tour(one_store: Builder) -> None:
    log = Written()
    for order in (0, 1):
        log.order(order, 0, 1, entered=0, confirmed=1, started=10, packed=70)
        log.say(70, "goods_picked", order=order, store=0, sku=0, units=1)
    log.say(0, "picker_on", picker=0, store=0)
    assert figures(log, one_store(), (1, 1))["lines_per_busy_hour"] == pytest.approx(2 / (60 / 3600))


def test_a_day_without_anything_has_no_figures_but_counts(one_store: Builder) -> None:
    found = figures(Written(), one_store(), (1, 0))
    assert set(found.pop("peak_orders").values()) == {0}
    for stage in ("wait_pick_s", "pick_s", "dwell_s", "dock_s"):
        assert found.pop(stage) == {"mean": None, "p95": None}
    assert set(found.pop("pick_stages_s").values()) == {None}
    assert found.pop("counts") == {"planned": 0, "done": 0, "left": 0, "hours": 0.0}
    assert set(found.values()) == {None}
    assert spread(np.array([math.nan])) == {"mean": None, "p95": None}


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.one_of(st.none(), st.integers(0, 20))).map(
            lambda pair: (float(pair[0]), math.nan if pair[1] is None else float(pair[1]))
        ),
        max_size=15,
    )
)
def test_the_peak_against_looking_at_every_moment(stretches: list[tuple[float, float]]) -> None:
    begins, ends = np.array([b for b, _ in stretches]), np.array([e for _, e in stretches])
    seen = [sum(b <= t and (math.isnan(e) or t < e) for b, e in stretches) for t in range(21)]
    assert peak(begins, ends) == max(seen)


# -- days that were played ------------------------------------------------------------------------------------------

DAYS = {
    "calm": (),
    "wild": (
        "customers={patience_s: 900, patience_cv: 1.0}", "payments.decline_share=0.2", "drivers.count=8",
        "demand.orders_per_day=3500", "supply={units_min: 1, cover_days: 0.03}", "stores.inaccurate_share=0.9",
        "stores.inaccurate_units=20", "stores.count_s=40", "pickers.mispick_share=0.05", "pickers.per_store=2",
        "pickers.shifts=[{at: '11:50', hours: 1.7}]", "shrinkage={theft_share: 0.1, damage_share: 0.05}",
    ),
    "cut, with warm-up": ("drain_h=0", "warmup_h=0.75", "drivers.count=9", "stores.open='12:15-13:30'"),
    "nothing is held": (
        "policies.reservation=none", "supply={units_min: 1, cover_days: 0.03}", "stores.inaccurate_share=0.9",
    ),
    "two days": ("horizon_h=50", "demand.orders_per_day=300", "pickers.mispick_share=0.02"),
}  # fmt: skip


@pytest.fixture(scope="module", params=list(DAYS), ids=list(DAYS))
def day(request: pytest.FixtureRequest, two_stores: Builder, play: Play) -> Any:
    return play(two_stores(*DAYS[request.param]))


def found_of(played: Any) -> dict[str, Any]:
    return dict(played.study.summary["floor"])


def test_rates_and_utilisation_are_one_story(day: Any) -> None:
    found, used = found_of(day), day.study.summary["utilisation"]["pickers"]
    assert found["lines_per_paid_hour"] == pytest.approx(found["lines_per_busy_hour"] * used)
    series, warm_s = day.study.series, day.world.scenario.warmup_h * 3600.0
    widths_h = np.diff(np.append(series["t_s"], day.world.scenario.end_s)) / 3600.0
    after = series["t_s"] >= warm_s
    paid_h, busy_h = (float((series[f"pickers_{name}"] * widths_h)[after].sum()) for name in ("on", "busy"))
    lines = int((day.rows("goods_picked")["t_s"] >= warm_s).sum())
    assert found["lines_per_paid_hour"] * paid_h == pytest.approx(lines)
    assert found["lines_per_busy_hour"] * busy_h == pytest.approx(lines)


def test_dwell_is_what_stands_on_the_shelf_by_the_law_of_little(day: Any) -> None:
    orders, series, scenario = day.study.orders, day.study.series, day.world.scenario
    widths_s = np.diff(np.append(series["t_s"], scenario.end_s))
    area = float((series["waiting_driver"] * widths_s).sum())
    taken = ~np.isnan(orders["picked_up_s"])
    # Some are cancelled while they stand there, and some stand there at the close.
    stayed = ~np.isnan(orders["packed_s"]) & ~taken
    gone_s = np.where(np.isnan(over := ended_s(day.archive, orders)), scenario.end_s, over)
    rest = float((gone_s - orders["packed_s"])[stayed].sum())
    if scenario.warmup_h == 0:
        assert found_of(day)["dwell_s"]["mean"] * taken.sum() == pytest.approx(area - rest)


def test_peaks_bound_the_averages_and_one_store_the_sum(day: Any) -> None:
    found, series = found_of(day)["peak_orders"], day.study.series
    after = series["t_s"] >= day.world.scenario.warmup_h * 3600.0
    for name, column in (("waiting_pick", "waiting_pick"), ("packed", "waiting_driver")):
        assert found[name] >= series[column][after].max() - 1e-9
        assert found[f"{name}_one_store"] <= found[name] <= day.world.stores * found[f"{name}_one_store"]


def test_completeness_by_plain_loops(day: Any) -> None:
    warm_s, short, bags = day.world.scenario.warmup_h * 3600.0, set(), defaultdict(int)
    for kind in ("line_missing", "hold_reduced"):
        short |= {(int(row["order"]), int(row["sku"])) for row in day.rows(kind)}
    # What is in the bag less what was wanted: wanted is known by the customers' baskets.
    trace = day.world.trace
    for row in day.rows("goods_picked"):
        bags[int(row["order"]), int(row["sku"])] += int(row["units"])
    wrong = {
        order
        for order, sku in bags
        if sku not in trace.sku[trace.first_line[order] : trace.first_line[order + 1]].tolist()
    }
    names = list(day.study.orders)
    rows = [dict(zip(names, row, strict=True)) for row in zip(*day.study.orders.values(), strict=True)]
    rows = [row for row in rows if row["entered_s"] >= warm_s]
    lacking = {int(row["order"]): sum(order == row["order"] for order, _ in short) for row in rows}
    found, summary = found_of(day), day.study.summary
    lines = sum(int(row["lines"]) for row in rows)
    assert found["line_fill_rate"] == pytest.approx(1 - sum(lacking.values()) / lines)
    assert found["order_fill_rate"] == pytest.approx(sum(not n for n in lacking.values()) / len(rows))
    confirmed = [row for row in rows if not math.isnan(row["confirmed_s"])]
    good = [
        row
        for row in confirmed
        if row["delivered_s"] <= row["promised_s"] and row["refunded_cents"] == 0 and not lacking[int(row["order"])]
    ]
    perfect = [row for row in good if int(row["order"]) not in wrong]
    # The neighbour that was taken may be in the basket too: the bag then holds nothing that was not wanted.
    assert found["perfect_order_rate"] <= len(perfect) / len(confirmed) + 1e-12
    if not (day.rows("scan_slipped")["cause"] == StockCause.MISPICK).any():
        assert found["perfect_order_rate"] == pytest.approx(len(perfect) / len(confirmed))
    assert found["perfect_order_rate"] <= summary["on_time"]
    if day.world.scenario.pickers.mispick_share > 0.01:
        assert len(perfect) < len(good), "somebody took wrong goods"
        assert found["perfect_order_rate"] >= len(perfect) / len(confirmed) - 0.02


def test_empty_shelves_and_counting_by_plain_loops(day: Any) -> None:
    scenario = day.world.scenario
    begin_s, end_s = scenario.warmup_h * 3600.0, scenario.horizon_s
    moves: dict[tuple[int, int], list[tuple[float, int]]] = defaultdict(list)
    for kind, sign in (("shelf_changed", 1), ("goods_put_back", 1), ("goods_picked", -1)):
        for row in day.rows(kind):
            moves[int(row["store"]), int(row["sku"])].append((float(row["t_s"]), sign * int(row["units"])))
    empty_s = open_s = 0.0
    windows = [(max(a, begin_s), min(b, end_s)) for a, b in day.world.open_s]
    open_s = sum(max(b - a, 0.0) for a, b in windows)
    for place in ((store, sku) for store in range(2) for sku in range(day.world.catalogue.skus)):
        level, since = 0, 0.0
        for t_s, units in [*sorted(moves[place], key=lambda move: move[0]), (end_s, 0)]:
            if level <= 0:
                empty_s += sum(max(min(b, t_s) - max(a, since), 0.0) for a, b in windows)
            level, since = level + units, t_s
    found = found_of(day)
    assert found["stockout_share"] == pytest.approx(empty_s / (open_s * 2 * day.world.catalogue.skus), abs=1e-9)
    counts = len(day.rows("shelf_counted")) - int(day.rows("crew_counted")["lines"].sum())
    if scenario.warmup_h == 0:
        _, begins, ends = work_spans(day.archive, scenario.end_s)["pickers_busy"]
        counting_s = counts * scenario.stores.count_s
        assert found["counting_share"] == pytest.approx(counting_s / (ends - begins).sum(), abs=1e-6)


def test_turns_are_known_from_a_whole_day_on(day: Any) -> None:
    found = found_of(day)
    assert (found["turns_per_year"] is None) == (found["cover_days"] is None) == (day.world.scenario.horizon_h < 24)


# -- as keys of a summary -------------------------------------------------------------------------------------------


def keys(found: dict[str, Any], prefix: str) -> set[str]:
    names = set()
    for key, value in found.items():
        names |= keys(value, f"{prefix}.{key}") if isinstance(value, dict) else {f"{prefix}.{key}"}
    return names


def test_every_figure_of_the_floor_is_explained_and_may_be_a_service_level(day: Any) -> None:
    assert keys(found_of(day), "floor") == set(NAMES) == {name for name in EXPLAINED if name.startswith("floor.")}
    for name in NAMES:
        assert explain(name).startswith(f"{EXPLAINED[name].label}: ")
        if not name.endswith(("turns_per_year", "cover_days", "dock_s.mean", "dock_s.p95")):
            assert lookup(day.study.summary, name) is not None, name


def test_replications_have_a_mean_and_an_interval_of_each(one_store: Builder, play: Play) -> None:
    scenario = one_store("slo=['floor.perfect_order_rate >= 0.1', 'floor.cover_days > 1 (warn)']")
    head = {"schema": 1, "scenario": "x", "seed": 1, "replications": 1, "fingerprint": "f", "digest": "d", "slo": []}
    engine = {"events": 1, "facts": 1, "cpu_s": 1.0, "wall_s": 1.0, "orders_per_cpu_s": 1.0, "peak_mb": 1.0}
    days = [{**head, **play(scenario, replication=n).study.summary, "engine": engine} for n in (0, 1)]
    both = combine(scenario, days)
    for name in NAMES:
        values = [lookup(one, name) for one in days]
        found = lookup(both, name)
        if None in values:
            assert found is None
        else:
            assert found["mean"] == pytest.approx(sum(values) / 2)
            assert found["low"] <= found["mean"] <= found["high"]
    asked = {verdict["metric"]: verdict for verdict in both["slo"]}
    assert asked["floor.perfect_order_rate"]["met"]
    assert asked["floor.cover_days"]["observed"] is None
    assert not asked["floor.cover_days"]["met"]
