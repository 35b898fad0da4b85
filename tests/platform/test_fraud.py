"""What the platform remembers of its clients, what its rules make of it, and how often they are right."""

from math import inf, isinf
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats

from policies.fraud.rules import CANCELS_KEPT, Rules
from sim.contracts import Fraud, FraudView, Ruling
from sim.platform.fraud import History, planted
from sim.scenario.gateway import FraudSpec
from sim.streams import Streams

HOUR, DAY = 3600.0, 86_400.0
CLEAN = FraudView(0.0, 7, 2000, 0, 0.0, inf, inf)


def apart(one: int, other: int) -> float:
    """Nodes stand on a line, a kilometre from each to the next."""
    return abs(one - other) * 1000.0


def a_history(**keys: Any) -> History:
    return History(FraudSpec(**keys), apart)


# -- rules -------------------------------------------------------------------------------------------------------------

VIEWS = st.builds(
    FraudView,
    st.just(0.0),
    st.just(7),
    st.integers(0, 12_000),
    st.integers(0, 6),
    st.floats(0, 50_000),
    st.floats(0, DAY) | st.just(inf),
    st.floats(0, DAY) | st.just(inf),
)


@given(VIEWS)
def test_a_ruling_counts_the_rules_an_order_breaks(view: FraudView) -> None:
    broken = (
        (view.late_cancels > 2)
        + (view.moved_m > 2000 and view.since_s < view.moved_m / (130 / 3.6) * (1 - 1e-12))
        + (view.value_cents >= 6000 and view.address_age_s <= HOUR)
    )
    expected = (Ruling.ALLOW, Ruling.REVIEW, Ruling.REFUSE, Ruling.REFUSE)[broken]
    rules: Fraud = Rules()
    assert rules(view) is expected


@given(VIEWS, st.integers(0, 3), st.floats(0, 9000), st.floats(0, 1), st.integers(0, 5000))
def test_what_looks_worse_is_never_judged_milder(
    view: FraudView, cancels: int, moved: float, part: float, more: int
) -> None:
    worse = view._replace(
        late_cancels=view.late_cancels + cancels, moved_m=view.moved_m + moved, value_cents=view.value_cents + more,
        since_s=view.since_s if isinf(view.since_s) else view.since_s * part,
        address_age_s=view.address_age_s if isinf(view.address_age_s) else view.address_age_s * part,
    )  # fmt: skip
    assert Rules()(worse) >= Rules()(view)


def test_each_rule_has_its_threshold() -> None:
    rules = Rules(cancels_max=2, speed_kmh=100.0, apart_m=2000.0, high_cents=6000, fresh_s=HOUR)
    edges = [
        (CLEAN, Ruling.ALLOW),
        (CLEAN._replace(late_cancels=2), Ruling.ALLOW),
        (CLEAN._replace(late_cancels=3), Ruling.REVIEW),
        (CLEAN._replace(moved_m=10_000.0, since_s=361.0), Ruling.ALLOW),  # 10 km at 100 km/h take 360 s
        (CLEAN._replace(moved_m=10_000.0, since_s=359.0), Ruling.REVIEW),
        (CLEAN._replace(moved_m=10_000.0, since_s=0.0), Ruling.REVIEW),
        (CLEAN._replace(moved_m=1999.0, since_s=0.0), Ruling.ALLOW),
        (CLEAN._replace(value_cents=6000, address_age_s=HOUR), Ruling.REVIEW),
        (CLEAN._replace(value_cents=5999, address_age_s=0.0), Ruling.ALLOW),
        (CLEAN._replace(value_cents=6000, address_age_s=HOUR + 1), Ruling.ALLOW),
        (CLEAN._replace(late_cancels=3, value_cents=6000, address_age_s=0.0), Ruling.REFUSE),
    ]
    for view, ruling in edges:
        assert rules(view) is ruling, view
    assert Rules(refuse_from=1)(CLEAN._replace(late_cancels=3)) is Ruling.REFUSE


@pytest.mark.parametrize(
    "keys", [{"cancels_max": -1}, {"cancels_max": CANCELS_KEPT}, {"speed_kmh": 0.0}, {"refuse_from": 0}]
)
def test_rules_that_make_no_sense_are_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"Expected {next(iter(keys))}"):
        Rules(**keys)


# -- history -----------------------------------------------------------------------------------------------------------


def test_a_client_nobody_has_heard_of_has_a_clean_past_and_costs_nothing() -> None:
    history = a_history()
    assert history.view(7, 3, 2000, 5.0) == CLEAN._replace(now_s=5.0)
    assert Rules()(history.view(7, 3, 10**6, 5.0)) is Ruling.ALLOW
    assert len(history) == 0


def test_two_orders_too_far_apart_for_the_time_between_them_are_noticed() -> None:
    history = a_history()
    history.ordered(7, 0, 100.0)
    near, far = history.view(7, 1, 2000, 160.0), history.view(7, 9, 2000, 160.0)
    assert (far.moved_m, far.since_s, far.address_age_s) == (9000.0, 60.0, 0.0)
    assert (Rules()(near), Rules()(far)) == (Ruling.ALLOW, Ruling.REVIEW)
    assert Rules()(history.view(7, 9, 2000, 100.0 + 600)) is Ruling.ALLOW  # nine kilometres in ten minutes
    assert history.view(8, 9, 2000, 160.0).since_s == inf  # another client


def test_a_change_of_address_is_remembered_from_the_order() -> None:
    history = a_history()
    history.ordered(7, 0, 0.0)
    assert history.view(7, 0, 2000, 10.0).address_age_s == inf
    history.ordered(7, 2, HOUR)
    assert history.view(7, 2, 2000, HOUR + 60).address_age_s == 60.0
    history.ordered(7, 2, HOUR + 100)
    assert history.view(7, 2, 2000, HOUR + 120).address_age_s == 120.0
    assert Rules()(history.view(7, 2, 9000, HOUR + 120)) is Ruling.REVIEW
    assert Rules()(history.view(7, 2, 2000, HOUR + 120)) is Ruling.ALLOW


@given(st.lists(st.floats(0, 400) | st.floats(0, 5000), max_size=60))
def test_cancellations_count_as_long_as_the_window_says(gaps: list[float]) -> None:
    history = a_history(cancel_window_s=10_000.0)
    now, times = 0.0, []
    for gap in gaps:
        now += gap
        times.append(now)
        history.cancelled_late(7, now)
        assert history.view(7, 0, 0, now).late_cancels == min(sum(t > now - 10_000.0 for t in times), CANCELS_KEPT)


def test_a_client_who_cancels_all_day_costs_no_more_than_one_who_cancels_often() -> None:
    history = a_history()
    for minute in range(1000):
        history.cancelled_late(7, 60.0 * minute)
    assert history.view(7, 0, 0, 60_000.0).late_cancels == CANCELS_KEPT
    assert len(history._past[7].cancels_s or ()) == CANCELS_KEPT


def test_looking_changes_nothing() -> None:
    history = a_history()
    history.ordered(7, 0, 0.0)
    first = history.view(7, 5, 9000, 10.0)
    assert history.view(7, 5, 9000, 10.0) == first
    assert history.view(7, 0, 9000, 10.0).address_age_s == inf


@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_sweeping_the_past_is_invisible(seed: int) -> None:
    swept, kept = (a_history(cancel_window_s=300.0, memory_s=500.0) for _ in range(2))
    kept._sweep_at = 10**9
    now, saved = 0.0, 0
    for step in range(1000):
        swept._sweep_at = 0
        now += (seed + step * 13) % 61
        client, node = (seed + step * step * 7) % 97, (seed + step * 11) % 9
        assert swept.view(client, node, step, now) == kept.view(client, node, step, now)
        for history in (swept, kept):
            if step % 5 == 0:
                history.cancelled_late(client, now)
            else:
                history.ordered(client, node, now)
        saved = max(saved, len(kept) - len(swept))
    assert saved > 0


def test_memory_does_not_grow_with_the_day() -> None:
    history = a_history(cancel_window_s=500.0, memory_s=1000.0)
    for client in range(50_000):
        history.ordered(client, 0, float(client))
        history.cancelled_late(7, float(client))
    assert len(history) <= 4096 + 1


def test_a_memory_shorter_than_the_window_is_refused() -> None:
    with pytest.raises(ValidationError, match="memory_s"):
        FraudSpec(cancel_window_s=100.0, memory_s=99.0)


# -- who was right -----------------------------------------------------------------------------------------------------


def test_fraudsters_are_planted_by_their_share_and_stay_when_clients_are_added() -> None:
    die = Streams(4).die("fraudsters")
    some, more = planted(die, 5000, 0.1), planted(die, 8000, 0.1)
    assert stats.binomtest(sum(some), 5000, 0.1).pvalue > 1e-6
    assert more[:5000] == some
    assert not any(planted(die, 5000, 0.0))


def test_the_rules_find_planted_fraudsters_and_leave_most_honest_clients_alone() -> None:
    """Fraudsters cancel every second order after dispatch; honest clients one in fifty (a day of ten orders each)."""
    fraudsters = planted(Streams(1).die("fraudsters"), 2000, 0.1)
    luck = Streams(1).die("cancels")
    history, rules = a_history(), Rules()
    wrong, orders = [0, 0], [0, 0]  # of honest clients, of fraudsters
    for step in range(10):
        for client in range(2000):
            now = step * HOUR + client
            guilty = fraudsters[client]
            accused = rules(history.view(client, client % 9, 2000, now)) is not Ruling.ALLOW
            orders[guilty] += 1
            wrong[guilty] += accused != guilty
            history.ordered(client, client % 9, now)
            if luck.uniform(client, step) < (0.5 if guilty else 0.02):
                history.cancelled_late(client, now)
    assert wrong[0] / orders[0] < 0.005
    # A fraudster is unknown until the third cancellation: after six orders on average, so some four in ten are caught.
    assert 0.5 < wrong[1] / orders[1] < 0.75


def test_the_rules_find_the_simulators_own_fraudsters_and_nobody_where_there_are_none(
    two_stores: Any, play: Any
) -> None:
    """Two in five orders of those who give another address each time, buy much and call off late; one in a hundred of others."""
    some = ("demand.orders_per_day=12000", "customers.clients=300", "policies.fraud=rules", "drivers.count=80")
    played = play(two_stores(*some, "platform.fraud.planted_share=0.2"))
    found = played.study.summary["platform"]["fraud"]
    assert found["fraudsters_orders"] > 100
    assert found["false_negative_rate"] < 0.8
    assert found["false_positive_rate"] < 0.03
    nodes = {int(row["client"]): set() for row in played.rows("order_entered")}
    for row in played.rows("order_entered"):
        nodes[int(row["client"])].add(int(row["node"]))
    guilty = played.rows("order_screened")
    guilty = {int(row["client"]) for row in guilty[guilty["fraudster"]]}
    honest = [len(places) for client, places in nodes.items() if client not in guilty]
    assert np.mean(honest) < 1.5 < np.mean([len(nodes[client]) for client in guilty if client in nodes])
