"""What of the gap is the platform's: messages that came twice, copies that lagged, what is late; and what it costs in orders."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from sim.vocabulary import StockCause
from tests.conftest import lawful_day

EXACT = ("stores.inaccurate_share=0", "pickers.mispick_share=0", "shrinkage={theft_share: 0, damage_share: 0}")
OURS = ("doubled_message", "recovery", "late_message")
TRUCKS = (
    "supply={review_at: '12:05', lead_h: 0.2, cover_days: 0.1, units_min: 4, miscount_share: 0}", "horizon_h=3", "drain_h=1",
    "policies.replenishment=order_up_to(every_s=900)",
)  # fmt: skip
TWICE = "platform.bus={duplicates: 0.33, deduplicate: false}"
NEVER = "policies.reconciliation=never"


def shares_by_plain_loops(day: Any) -> Counter[str]:
    """The gap at the close by cause: the log read from its first fact to its last, place by place."""
    facts: list[tuple[int, str, Any]] = []
    for kind in ("scan_slipped", "adjustment_doubled", "record_adjusted", "shelf_counted"):
        facts += [(int(seq), kind, row) for seq, row in zip(day.archive.seq(kind), day.rows(kind), strict=True)]
    parts: dict[tuple[int, int], Counter[str]] = {}
    for _, kind, row in sorted(facts, key=lambda fact: fact[0]):
        mine = parts.setdefault((int(row["store"]), int(row["sku"])), Counter())
        if kind == "shelf_counted":
            slips = [name for name in mine if name not in OURS]
            mine["count"] = sum(mine.pop(name) for name in slips)
        elif kind == "scan_slipped":
            mine[StockCause(int(row["cause"])).name.lower()] += int(row["units"])
        elif kind == "adjustment_doubled":
            mine["doubled_message"] += int(row["units"])
        elif row["cause"] == StockCause.RECOVERY:
            mine["recovery"] += int(row["units"])
        elif row["cause"] in (StockCause.COUNT, StockCause.RECONCILED):
            mine["doubled_message"] = mine["recovery"] = 0
    state, found = day.outcome.state, Counter[str]()
    gaps = state.available + state.reserved - state.shelf
    for store, sku in np.argwhere(gaps).tolist():
        gap, mine = int(gaps[store, sku]), parts.get((store, sku), Counter())
        mine["late_message"] = gap - sum(mine.values())
        pull = {name: max(units * np.sign(gap), 0) for name, units in mine.items()}
        for name, units in pull.items():
            found[name] += abs(gap) * units / sum(pull.values())
    return found


@pytest.mark.parametrize(
    "settings",
    [
        (*EXACT, *TRUCKS, TWICE, NEVER),
        (*TRUCKS, TWICE, "shrinkage={theft_share: 0.1, damage_share: 0.1}", "stores.count_error_share=0.3",
         "policies.reconciliation=count_on_short_pick"),
        (*TRUCKS, TWICE, "shrinkage={theft_share: 0.1, damage_share: 0.1}",
         "policies.reconciliation=compare_ledgers(compare_every_s=1800, auto_units=2)"),
    ],
    ids=["told twice", "counted", "compared"],
)  # fmt: skip
def test_the_gap_is_shared_out_as_plain_loops_share_it(two_stores: Any, play: Any, settings: tuple[str, ...]) -> None:
    day = play(two_stores(*settings))
    found, expected = day.study.summary["drift"]["by_cause"], shares_by_plain_loops(day)
    assert found["doubled_message"] > 0
    assert sum(found.values()) == pytest.approx(day.study.summary["drift"]["units_abs"])
    for name, units in found.items():
        assert units == pytest.approx(expected[name]), name
    drift, table = day.study.summary["drift"], day.study.drift
    for name in found:
        assert table[f"short_{name}"].sum() == pytest.approx(drift["short_by_cause"][name])
        assert table[f"unseen_{name}"].sum() == pytest.approx(drift["unseen_by_cause"][name])
    close = day.study.drift["t_s"] == day.study.drift["t_s"].max()
    for name, units in found.items():
        assert day.study.drift[f"units_{name}"][close].sum() == pytest.approx(units), name


def test_messages_told_twice_are_all_that_is_wrong_where_nothing_else_is(two_stores: Any, play: Any) -> None:
    deaf = play(two_stores(*EXACT, *TRUCKS, TWICE, NEVER)).study.summary["drift"]
    assert deaf["units_abs"] > 50
    assert deaf["by_cause"]["doubled_message"] > 0.9 * deaf["units_abs"]
    knowing = play(two_stores(*EXACT, *TRUCKS, TWICE, NEVER, "platform.bus.deduplicate=true"))
    assert not len(knowing.rows("adjustment_doubled"))
    assert knowing.study.summary["drift"]["units_abs"] == 0


def test_messages_that_wait_for_a_hand_are_late(two_stores: Any, play: Any) -> None:
    """Half of the messages are lost on each way: after two it lies with the dead letters, beyond the close."""
    lost = "platform.bus={loss: 0.5, deliveries_max: 2, replay_s: 36000}"
    drift = lawful_day(play, two_stores(*EXACT, *TRUCKS, lost, NEVER)).study.summary["drift"]
    assert drift["units_abs"] > 20
    assert drift["by_cause"]["late_message"] == drift["units_abs"]


def test_a_copy_that_lagged_puts_records_wrong_and_a_count_puts_them_right(two_stores: Any, play: Any) -> None:
    crash = "faults=[{kind: database_crash, at: '13:00', replica: asynchronous, lag_s: 300, failover_s: 60}]"
    settings = (*EXACT, *TRUCKS, crash)
    drift = play(two_stores(*settings, NEVER)).study.summary["drift"]
    assert drift["units_abs"] > 20
    assert drift["by_cause"]["recovery"] > 0.9 * drift["units_abs"]
    compared = play(
        two_stores(*settings, "policies.reconciliation=compare_ledgers(compare_every_s=900, auto_units=99)")
    )
    assert compared.study.summary["drift"]["by_cause"]["recovery"] < 0.2 * drift["by_cause"]["recovery"]


def test_who_believes_too_little_orders_in_vain_and_who_believes_too_much_too_late(two_stores: Any, play: Any) -> None:
    night = (
        "policies.replenishment=order_up_to(every_s=900)",
        "supply={review_at: '12:00', miscount_share: 0}",
        "demand.orders_per_day=1",
        NEVER,
    )
    right = play(two_stores(*EXACT, *night))
    assert not len(right.rows("reorder_judged"))
    wrong = play(two_stores(*EXACT[1:], *night, "stores={inaccurate_share: 0.5, inaccurate_units: 3}"))
    judged, drift = wrong.rows("reorder_judged"), wrong.study.summary["drift"]
    assert drift["needless_reorder_units"] == judged["needless"].sum() > 0
    assert not judged["lacking"].any(), "the shelves are full"
    stolen = play(two_stores(*EXACT[:2], *TRUCKS, NEVER, "shrinkage={theft_share: 0.5, damage_share: 0}"))
    drift = stolen.study.summary["drift"]
    assert drift["lacking_reorder_units"] > drift["needless_reorder_units"] == 0, "thieves leave records too high"


def test_what_customers_felt_stands_where_and_when_they_felt_it(two_stores: Any, play: Any) -> None:
    leaking = ("supply={units_min: 1, cover_days: 0.15}", "shrinkage={theft_share: 0.5, damage_share: 0}")
    day = play(two_stores(*EXACT[:2], NEVER, *leaking))
    table, reduced = day.study.drift, day.rows("hold_reduced")
    assert len(reduced) > 5
    for store in range(2):
        for begin, end in zip(np.unique(table["t_s"])[:-1], np.unique(table["t_s"])[1:], strict=True):
            mine = (reduced["store"] == store) & (reduced["t_s"] > begin) & (reduced["t_s"] <= end)
            rows = (table["store"] == store) & (table["t_s"] == end)
            told = sum(table[f"short_{name}"][rows].sum() for name in day.study.summary["drift"]["by_cause"])
            assert told == pytest.approx(reduced["units"][mine].sum())
