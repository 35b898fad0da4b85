"""What is logged only out of the ordinary, and the figures made of it: fraud, stale pages, short screens, attacks, breakers."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim.contracts import FraudView, Ruling
from sim.engine import policies_of
from sim.platform.fraud import planted
from sim.report.platform import trouble_rows
from sim.streams import Streams
from sim.vocabulary import BreakerName, BreakerState, Rejection
from tests.conftest import Builder, Play


def platform(played: Any) -> dict[str, Any]:
    found: dict[str, Any] = played.study.summary["platform"]
    return found


@pytest.fixture(scope="module")
def calm(play: Play, two_stores: Builder) -> Any:
    return play(two_stores())


# -- fraud -------------------------------------------------------------------------------------------------------------


class ByClient:
    """Refuses every fifth client, reviews the next, and remembers what it said from a time on."""

    def __init__(self, since_s: float) -> None:
        self.since_s = since_s
        self.said: list[tuple[int, Ruling]] = []

    def __call__(self, view: FraudView) -> Ruling:
        ruling = (Ruling.REFUSE, Ruling.REVIEW, Ruling.ALLOW, Ruling.ALLOW, Ruling.ALLOW)[view.client % 5]
        if view.now_s >= self.since_s:
            self.said.append((view.client, ruling))
        return ruling


def test_rulings_are_held_against_who_the_fraudsters_are(play: Play, two_stores: Builder) -> None:
    scenario = two_stores(
        "platform.fraud.planted_share=0.3", "customers.clients=500", "demand.orders_per_day=9600", "warmup_h=0.5"
    )
    screen = ByClient(1800.0)
    played = play(scenario, policies=replace(policies_of(scenario), fraud=screen))
    fraudsters = planted(Streams(scenario.seed).die("fraud.planted"), 500, 0.3)
    guilty = [bool(fraudsters[client]) for client, _ in screen.said]
    accused = [ruling is not Ruling.ALLOW for _, ruling in screen.said]
    both = list(zip(guilty, accused, strict=True))
    assert played.rows("screening_began")["fraudsters"].tolist() == [sum(fraudsters)]
    assert played.rows("order_rejected")["reject"].tolist().count(Rejection.SUSPECT) > 50
    assert platform(played)["fraud"] == {
        "screened": len(both),
        "fraudsters_orders": sum(guilty),
        "false_positives": both.count((False, True)),
        "false_negatives": both.count((True, False)),
        "false_positive_rate": pytest.approx(both.count((False, True)) / guilty.count(False)),
        "false_negative_rate": pytest.approx(both.count((True, False)) / guilty.count(True)),
    }
    assert min(both.count((g, a)) for g in (False, True) for a in (False, True)) > 20, "each case came up"
    rows = played.rows("order_screened")
    assert (rows["fraudster"] | (rows["ruling"] != Ruling.ALLOW)).all(), (
        "an honest order that is allowed leaves no trace"
    )


def test_orders_are_screened_only_where_somebody_looks_or_there_is_something_to_count(
    calm: Any, play: Play, two_stores: Builder
) -> None:
    assert set(platform(calm)["fraud"].values()) == {None}
    assert not len(calm.rows("screening_began"))
    looked = play(two_stores("policies.fraud=rules"))
    found = platform(looked)["fraud"]
    assert found["screened"] == looked.study.summary["orders"]["entered"]
    assert (found["fraudsters_orders"], found["false_negative_rate"]) == (0, None)
    trusted = platform(play(two_stores("platform.fraud.planted_share=1")))["fraud"]
    assert (trusted["false_positive_rate"], trusted["false_negative_rate"]) == (None, 1.0)


# -- stale pages -------------------------------------------------------------------------------------------------------

CATALOGUE_DOWN = "faults=[{kind: expired_certificate, service: catalogue, at: '12:30', minutes: 20}]"


@pytest.fixture(scope="module")
def stale(play: Play, two_stores: Builder) -> Any:
    return play(two_stores(CATALOGUE_DOWN, "demand.orders_per_day=9600", "catalogue.skus=30"))


def test_orders_from_stale_pages_are_told_with_their_age(stale: Any) -> None:
    moved, entered = stale.rows("breaker_moved"), stale.rows("order_entered")
    moved = moved[moved["breaker"] == BreakerName.CATALOGUE]
    opened_s = float(moved["t_s"][moved["breaker_state"] == BreakerState.OPEN][0])
    closed_s = float(moved["t_s"][moved["breaker_state"] == BreakerState.CLOSED][0])
    told, life_s = stale.rows("ordered_from_stale"), stale.world.scenario.platform.browsing.cache.ttl_s
    assert opened_s < told["t_s"].min() < told["t_s"].max() < closed_s
    since_s = told["t_s"] - opened_s
    assert (told["age_s"] >= np.maximum(since_s, life_s) - 1e-6).all()
    assert (told["age_s"] < since_s + 10.0 * life_s).all(), "the oldest page had no reader for a while before"
    # Every page has been read once, and by one life after the opening all have expired.
    sure = entered["order"][(entered["t_s"] > opened_s + life_s) & (entered["t_s"] < closed_s)]
    assert len(sure) > 50
    assert set(sure.tolist()) <= set(told["order"].tolist())
    placed = np.isin(told["order"], entered["order"])
    found = platform(stale)["stale_orders"]
    assert found["orders"] == placed.sum() == len(np.unique(told["order"][placed]))
    assert found["per_1000"] == pytest.approx(1000.0 * placed.sum() / len(entered))
    assert found["age_p50_s"] == pytest.approx(float(np.median(told["age_s"][placed])))
    assert any(label == "ordered from stale pages" for label, _ in trouble_rows(stale.study.summary))


def test_only_requests_that_became_orders_count_as_orders_from_stale_pages(play: Play, two_stores: Builder) -> None:
    both_down = CATALOGUE_DOWN.replace("]", ", {kind: expired_certificate, service: orders, at: '12:30', minutes: 20}]")
    played = play(two_stores(both_down, "demand.orders_per_day=9600", "catalogue.skus=30"))
    told = played.rows("ordered_from_stale")
    turned_away = np.isin(told["order"], played.rows("order_rejected")["order"])
    assert turned_away.sum() > 20
    assert platform(played)["stale_orders"]["orders"] == len(told) - turned_away.sum()


def test_nobody_orders_from_pages_that_are_not_shown(play: Play, two_stores: Builder) -> None:
    hidden = "platform.browsing.cache.stale_on_open_breaker=false"
    played = play(two_stores(CATALOGUE_DOWN, hidden, "demand.orders_per_day=9600", "catalogue.skus=30"))
    assert not len(played.rows("ordered_from_stale"))
    assert platform(played)["stale_orders"] == {"orders": 0, "per_1000": 0.0, "age_p50_s": None}


# -- screens -----------------------------------------------------------------------------------------------------------


def test_checkout_screens_without_their_promotions_are_counted(play: Play, two_stores: Builder) -> None:
    slow = "faults=[{kind: service_slowdown, service: catalogue, at: '12:30', minutes: 20, factor: 200}]"
    played = play(two_stores(slow, "demand.orders_per_day=9600", "warmup_h=0.75"))
    told, entered = played.rows("checkout_shortened"), played.rows("order_entered")["t_s"]
    assert 1800.0 <= told["t_s"].min() < told["t_s"].max() <= 3000.0
    # Work of 1.2 s in the mean is done by the deadline of 0.15 s in one case of nine.
    assert 0.8 < len(told) / ((entered >= 1800.0) & (entered < 3000.0)).sum() <= 1.0
    assert set(told["parts"].tolist()) == {1}
    found, late = platform(played)["screens"], int((told["t_s"] >= 2700.0).sum())
    assert found["checkout_short"] == late > 0
    assert found["checkout_short_per_1000"] == pytest.approx(1000.0 * late / (entered >= 2700.0).sum())


def test_a_screen_that_never_came_left_nothing_out(play: Play, two_stores: Builder) -> None:
    """Pricing, which is required, is down along with loyalty, which is not."""
    down = "faults=[{kind: expired_certificate, service: orders, at: '12:30', minutes: 10}]"
    played = play(two_stores(down, "demand.orders_per_day=9600"))
    assert (played.rows("order_rejected")["reject"] == Rejection.UNAVAILABLE).sum() > 20
    assert not len(played.rows("checkout_shortened"))


# -- attacks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limited", [True, False])
def test_attackers_requests_are_told_every_beat_while_they_come(play: Play, two_stores: Builder, limited: bool) -> None:
    flood = "faults=[{kind: request_flood, at: '12:30', minutes: 2, per_second: 300, addresses: 2}]"
    played = play(two_stores(flood, f"platform.limits.on={str(limited).lower()}"))
    met = played.rows("attack_met")
    np.testing.assert_allclose(np.diff(met["t_s"]), 15.0)
    assert 1800.0 <= met["t_s"][0] <= 1815.0
    assert 1905.0 <= met["t_s"][-1] <= 1920.0
    assert set(met["asked"].tolist()) == {300 * 15}
    found = platform(played)["attacks"]
    assert found["asked"] == len(met) * 300 * 15
    # Each of the two may read five times a second, and has forty reads to begin with.
    let_in = 2 * (5.0 * 15.0 * len(met) + 40) if limited else found["asked"]
    assert found["asked"] - found["refused"] == pytest.approx(let_in, rel=0.02)
    assert found["refused_share"] == pytest.approx(1.0 - let_in / found["asked"], abs=0.02)


def test_an_ordinary_day_logs_none_of_it(calm: Any) -> None:
    for kind in ("order_screened", "ordered_from_stale", "checkout_shortened", "attack_met"):
        assert not len(calm.rows(kind))
    found = platform(calm)
    assert found["attacks"] == {"asked": 0, "refused": 0, "refused_share": None}
    assert found["stale_orders"] == {"orders": 0, "per_1000": 0.0, "age_p50_s": None}
    assert (found["screens"]["checkout_short"], found["screens"]["home_parts_dropped"]) == (0, 0)


# -- breakers over time ------------------------------------------------------------------------------------------------


def test_every_breaker_has_its_own_state_in_the_series(stale: Any, calm: Any) -> None:
    series = stale.study.series
    names = [f"breaker_{name.name.lower()}_{state}" for name in BreakerName for state in ("open", "half_open")]
    known = ~np.isnan(series["breakers_open"])
    total = sum(series[name][known] for name in names)
    np.testing.assert_allclose(total, series["breakers_open"][known])
    assert total.max() > 0.9
    for name in names:
        assert ((series[name][known] >= 0.0) & (series[name][known] <= 1.0)).all()
        assert not calm.study.series[name][known].any()
    assert not series["breaker_provider_open"][known].any(), "only the catalogue was down"
    moved = stale.rows("breaker_moved")
    ends = np.append(moved["t_s"][1:], np.nan)
    for state in (BreakerState.OPEN, BreakerState.HALF_OPEN):
        mine = moved["breaker_state"] == state
        lasted_s = float((ends - moved["t_s"])[mine].sum())
        column = series[f"breaker_catalogue_{state.name.lower()}"]
        assert float(np.nansum(column)) * 300.0 == pytest.approx(lasted_s)
        assert lasted_s > 0.0 or state is BreakerState.HALF_OPEN


def test_without_a_platform_under_load_breakers_have_no_state(play: Play, two_stores: Builder) -> None:
    minimal = play(two_stores("platform.profile=minimal"))
    assert np.isnan(minimal.study.series["breaker_catalogue_open"]).all()
    assert set(platform(minimal)["screens"].values()) == {None}
    assert set(platform(minimal)["stale_orders"].values()) == {None}
