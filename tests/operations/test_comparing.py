"""Scan log against record: what messages do to the records, and what the hourly job and the reviewers undo."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim.contracts import Corrections
from sim.engine import policies_of
from sim.platform.bus import Bus
from sim.platform.stock_desk import StockDesk
from sim.vocabulary import Adjustment, InputError, Refusal, Role, StockCause, Topic

# Consumers that forget the ids of messages: a third of them come twice and are taken for news.
TWICE = ("platform.bus={duplicates: 0.33, loss: 0.05, deduplicate: false}",)
# A small truck every quarter of an hour, half of what breaks is scanned.
BUSY = (
    *TWICE, "supply={review_at: '12:05', lead_h: 0.2, cover_days: 0.1, units_min: 4}", "horizon_h=3", "drain_h=1",
    "policies.replenishment=order_up_to(every_s=900)", "shrinkage={theft_share: 0.05, damage_share: 0.1}",
    "stores.inaccurate_share=0.1",
)  # fmt: skip


def by(auto: int, every_s: int = 600) -> str:
    return f"policies.reconciliation=compare_ledgers(compare_every_s={every_s}, auto_units={auto}, on_short_pick=False)"


def off(run: Any) -> Any:
    """Record less scan log at the close."""
    state = run.outcome.state
    return state.available + state.reserved - state.scan


def test_messages_that_come_twice_make_the_records_wrong(two_stores: Any, play: Any) -> None:
    """What people scanned is right, what the office heard is not; consumers who know a message's id are not deceived."""
    deaf = play(two_stores(*BUSY, "policies.reconciliation=never"))
    heard = play(two_stores(*BUSY, "policies.reconciliation=never", "platform.bus.deduplicate=true"))
    twice = deaf.rows("message_duplicated")
    assert ((twice["topic"] == Topic.STOCK_CHANGED) & ~twice["dropped"]).sum() > 3
    doubled = [run.study.summary["drift"]["by_cause"]["doubled_message"] for run in (deaf, heard)]
    assert doubled[0] > 50 > doubled[1] == 0
    assert heard.replayed().differences(heard.outcome.state) == []


def test_the_job_leaves_the_flagged_differences_and_what_nobody_scanned(two_stores: Any, play: Any) -> None:
    """With nobody to review, what is left between record and scan log was flagged and is large; slips are not touched."""
    run = play(two_stores(*BUSY, by(2), "stores.review.people=0"))
    flagged, left = run.rows("difference_flagged"), off(run)
    places = set(zip(flagged["store"].tolist(), flagged["sku"].tolist(), strict=True))
    assert len(flagged) > 5
    assert (left != 0).any()
    # The last look is at the close, and what is promised to orders cannot be taken off a record.
    for store, sku in np.argwhere(left).tolist():
        assert (store, sku) in places or run.outcome.state.available[store, sku] == 0
    assert (np.abs(flagged["units"]) > 2).all()
    assert not len(run.rows("difference_reviewed"))
    slips = run.rows("scan_slipped")
    assert (run.outcome.state.scan - run.outcome.state.shelf).sum() == slips["units"].sum()
    assert run.study.summary["drift"]["by_cause"]["theft"] > 0


def test_reviewers_set_the_record_right_in_their_hours(two_stores: Any, play: Any) -> None:
    minutes, hours = 2.0, "13:00-24:00"
    run = play(two_stores(*BUSY, by(2), f"stores.review={{people: 3, minutes: {minutes}, hours: '{hours}'}}"))
    flagged, reviewed = run.rows("difference_flagged"), run.rows("difference_reviewed")
    assert 5 < len(reviewed) <= len(flagged)
    # The day begins at noon.
    assert reviewed["t_s"].min() >= 3600.0 + 60.0 * minutes
    assert reviewed["waited_s"].min() >= 60.0 * minutes
    # Three of them at once, each two minutes a difference.
    ends = np.sort(reviewed["t_s"])
    assert (ends[3:] - ends[:-3] >= 60.0 * minutes - 1e-6).all()
    alone = play(two_stores(*BUSY, by(2), "stores.review.people=0"))
    assert np.abs(off(run)).sum() < 0.5 * np.abs(off(alone)).sum()


def test_each_correction_is_on_the_audits_page(two_stores: Any, play: Any) -> None:
    run = play(two_stores(*BUSY, by(5)))
    adjusted, lines = run.rows("record_adjusted"), run.rows("stock_corrected")
    mine = adjusted[adjusted["cause"] == StockCause.RECONCILED]
    assert len(mine) == len(lines) > 0
    for name in ("t_s", "store", "sku", "units"):
        np.testing.assert_array_equal(mine[name], lines[name])
    assert set(lines["role"].tolist()) == {int(Role.ADMIN)}
    assert set(lines["adjustment"].tolist()) <= {Adjustment.COMPARED, Adjustment.REVIEWED}


def test_where_messages_come_twice_it_beats_the_default(two_stores: Any, play: Any) -> None:
    found = {
        name: play(two_stores(*BUSY, policy)).study.summary
        for name, policy in (
            ("default", "policies.reconciliation=count_on_short_pick"),
            ("job", by(5).replace("False", "True")),
        )
    }
    share = {name: summary["drift"]["records_inaccurate_share"] for name, summary in found.items()}
    assert share["job"] < 0.8 * share["default"]


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.CUSTOMER, Role.DRIVER])
def test_nobody_else_may_correct_a_record(role: Role) -> None:
    from sim.clock import Clock
    from sim.platform.inventory import Inventory

    said: list[Any] = []

    class Ear:
        def many(self, kind: str, columns: Any) -> None:
            said.append(kind)

        def request_refused(self, **what: Any) -> None:
            said.append(what["refusal"])

        def record_adjusted(self, **what: Any) -> None:
            said.append("record_adjusted")

        def stock_corrected(self, **what: Any) -> None:
            said.append("stock_corrected")

    env: Any = Clock()
    ear: Any = Ear()
    nothing: Any = None
    desk = StockDesk(env, ear, Inventory(ear, 1, 3), nothing, nothing)
    one: Any = (0, np.array([1]), np.array([4]))
    assert not desk.correct(*one, role, Adjustment.REVIEWED)
    assert not desk.counted(0, [1], [4], role)  # type: ignore[arg-type]
    assert said == [Refusal.NOT_ALLOWED, Refusal.NOT_ALLOWED]
    assert desk.inventory.available[1] == 0
    assert desk.correct(*one, Role.ADMIN, Adjustment.REVIEWED)
    assert desk.inventory.available[1] == 4
    assert not desk.correct(*one, Role.PICKER, Adjustment.REVIEWED), "who counts may say what was counted, and no more"
    assert desk.counted(0, [1], [6], Role.PICKER)  # type: ignore[arg-type]
    assert desk.inventory.available[1] == 6


def test_a_receipt_is_on_order_until_the_office_hears_of_it(two_stores: Any, play: Any, monkeypatch: Any) -> None:
    """Else a review between the truck and its message would order everything a second time."""
    seen: list[tuple[int, int]] = []
    publish = Bus.publish

    def late(self: Any, topic: Topic, key: int, message: Any) -> None:
        publish(self, topic, key, message)
        if topic is Topic.STOCK_CHANGED and message.cause is StockCause.DELIVERY:
            seen.append((int(desks[0].on_order[message.store].sum()), int(message.units.sum())))

    desks: list[StockDesk] = []
    made = StockDesk.__init__

    def kept(self: StockDesk, *arguments: Any) -> None:
        made(self, *arguments)
        desks.append(self)

    monkeypatch.setattr(StockDesk, "__init__", kept)
    monkeypatch.setattr(Bus, "publish", late)
    play(two_stores(*BUSY, "platform.bus={duplicates: 0, loss: 0}"))
    assert len(seen) > 5
    assert all(on_order >= units for on_order, units in seen)


@pytest.mark.parametrize(
    ("corrections", "said"),
    [
        (Corrections(np.array([0, 0]), np.array([])), "SKUs to adjust, integers below 60, each once"),
        (Corrections(np.array([]), np.array([60])), "SKUs to review, integers below 60, each once"),
        (Corrections(np.array([0.5]), np.array([])), "SKUs to adjust"),
    ],
)
def test_a_policy_that_names_no_skus_is_refused_in_one_line(
    two_stores: Any, play: Any, corrections: Any, said: str
) -> None:
    class Mine:
        compare_every_s = 600.0

        def __call__(self, view: Any) -> bool:
            return False

        def compare(self, view: Any) -> Any:
            return corrections

    scenario = two_stores()
    mine: Any = Mine()
    with pytest.raises(InputError, match=said):
        play(scenario, policies=replace(policies_of(scenario), reconciliation=mine))
    Mine.compare_every_s = 0.0
    with pytest.raises(InputError, match=r"compare_every_s to be 1 second or more, got 0\.0"):
        play(scenario, policies=replace(policies_of(scenario), reconciliation=mine))
