"""Monitoring: alerts come from the samples alone, when their rule says so; and what it costs to look."""

import math
from typing import Any

import numpy as np
import pytest

from sim.facts import Facts
from sim.metrics.platform import USERS
from sim.platform.meter import Sample
from sim.platform.monitoring import BEAT_S, Alarm, Monitoring
from sim.platform.tails import share_failed, tail_s
from sim.scenario import load
from sim.scenario.monitoring import AlertRule, Alerts
from sim.vocabulary import Alert, BreakerState, Endpoint, FaultKind, InputError, Svc, Topic
from tests.conftest import Builder, Play


def news(rule: AlertRule, *samples: float | tuple[float, float]) -> list[bool | None]:
    """What an alarm says at each sample: a figure, or numerator and denominator."""
    alarm = Alarm(rule)
    return [alarm.look(*(sample if isinstance(sample, tuple) else (sample,))) for sample in samples]


def test_an_alert_is_raised_once_above_its_limit_and_cleared_at_it() -> None:
    assert news(AlertRule(limit=2.0), 1.0, 3.0, 4.0, 2.0, 1.0) == [None, True, None, False, None]


def test_it_must_last_for_as_long_as_the_rule_says() -> None:
    rule = AlertRule(limit=1.0, for_s=4 * BEAT_S)
    assert news(rule, 2, 2, 2, 1, 2, 2, 2, 2) == [None] * 7 + [True]


def test_a_figure_over_a_minute_is_a_ratio_of_sums_not_a_mean_of_ratios() -> None:
    rule = AlertRule(limit=0.1, over_s=4 * BEAT_S)
    # 5 of 5 failed while hardly anybody asked: 5 of 305 in all.
    assert news(rule, (0, 100), (0, 100), (0, 100), (5, 5)) == [None] * 4
    assert news(rule, (0, 10), (0, 10), (0, 10), (5, 5)) == [None, None, None, True]


def test_what_is_older_than_the_rule_looks_is_forgotten() -> None:
    rule = AlertRule(limit=0.1, over_s=2 * BEAT_S)
    assert news(rule, (5, 10), (0, 10), (0, 10)) == [True, None, False]


def test_few_cases_raise_nothing_but_may_clear() -> None:
    rule = AlertRule(limit=0.1, least=20)
    assert news(rule, (5, 10), (5, 20), (5, 10), (0, 1)) == [None, True, None, False]


def test_no_news_leaves_an_alert_as_it_is() -> None:
    assert news(AlertRule(limit=0.1), (1, 1), (0, 0), (0, 1)) == [True, None, False]


def test_a_rule_that_is_switched_off_is_never_raised() -> None:
    assert news(AlertRule(enabled=False), 1e9) == [None]


def test_every_alert_has_a_rule_and_keeps_what_is_not_given(one_store: Builder) -> None:
    assert list(Alerts.model_fields) == [alert.name.lower() for alert in Alert]
    changed = one_store("platform.monitoring.alerts.orders_slow.limit=0.5").platform.monitoring.alerts
    assert changed.orders_slow == Alerts().orders_slow.model_copy(update={"limit": 0.5})
    assert changed.orders_slow.for_s == 60.0
    with pytest.raises(InputError, match="orders_slow"):
        one_store("platform.monitoring.alerts.orders_slow.limits=0.5")


def a_sample(mean_s: float, **keys: float) -> Sample:
    given = {"calls": 100.0, "errors": 0.0} | keys
    return Sample(given["calls"], given["errors"], 0, 1, mean_s * math.log(2), mean_s * math.log(100), 0, 0, 1, 0)


def test_the_tail_of_an_exponential_service_is_exponential() -> None:
    """P(T > t) = exp(-t / m), so the share q is exceeded at -m ln q."""
    for tail in (0.9, 0.5, 0.2, 0.01, 0.002):
        assert tail_s(a_sample(0.02), tail) == pytest.approx(-0.02 * math.log(tail))


def test_a_service_nobody_called_has_lost_nobody() -> None:
    assert share_failed(a_sample(1.0, calls=0.0)) == 0.0
    assert share_failed(a_sample(1.0, errors=25.0)) == 0.25
    assert share_failed(a_sample(1.0, calls=0.0, errors=2.0)) == 1.0


FAULTY = (
    "faults=[{kind: expired_certificate, service: orders, at: '12:30', minutes: 5},"
    " {kind: provider_outage, at: '13:00', minutes: 10}]"
)


@pytest.fixture(scope="module")
def played(play: Play, two_stores: Builder) -> Any:
    return play(two_stores(FAULTY, "demand.orders_per_day=9600"))


def test_every_service_is_sampled_every_quarter_of_a_minute(played: Any) -> None:
    rows = played.rows("service_sampled")
    times = np.arange(0.0, played.world.scenario.end_s, BEAT_S)
    for service in Svc:
        mine = rows[rows["service"] == service]
        np.testing.assert_allclose(mine["t_s"][: len(times)], times)
        assert (mine["instances"] >= 0).all()
        assert ((mine["utilisation"] >= 0) & (mine["utilisation"] <= 1)).all()
        known = ~np.isnan(mine["p99_s"])
        assert (mine["p99_s"][known] >= mine["p50_s"][known]).all()


@pytest.mark.parametrize("reads", ["rate", "explicit"])
def test_the_home_screen_is_looked_at_for_a_share_of_the_reads(play: Play, one_store: Builder, reads: str) -> None:
    found = play(one_store(f"platform.reads={reads}", "platform.browsing.home_share=0.25", "horizon_h=1"))
    rows, rest = found.rows("endpoint_sampled"), found.rows("platform_sampled")
    home, gateway = rows[rows["endpoint"] == Endpoint.HOME][1:], found.rows("service_sampled")
    gateway = gateway[gateway["service"] == Svc.GATEWAY]  # at the start nothing has been asked yet
    asked = np.isin(gateway["t_s"], home["t_s"])
    traffic = (
        found.world.scenario.demand.orders_per_day / 86_400.0 * found.world.scenario.platform.browsing.reads_per_order
    )
    np.testing.assert_allclose(home["rate"], 0.25 * traffic, rtol=0.02)
    assert len(home) > 200
    assert len(home) <= len(rest)
    assert (home["p50_s"] >= gateway["p50_s"][asked]).all()
    assert np.median(home["p50_s"]) > 5 * np.median(gateway["p50_s"][asked])
    assert (home["p99_s"] >= gateway["p99_s"][asked]).all()
    assert not home["errors"].any()
    per_s = found.study.summary["platform"]["user"]["per_s"]
    users = rows[np.isin(rows["endpoint"], USERS)]
    assert Endpoint.HOME not in USERS, "a view of it is one of the reads"
    assert per_s == pytest.approx(float(users["rate"].sum()) * BEAT_S / found.world.scenario.end_s)


def test_nobody_looks_at_a_home_screen_that_no_read_is_of(play: Play, one_store: Builder) -> None:
    found = play(one_store("platform.browsing.home_share=0", "horizon_h=1"))
    assert Endpoint.HOME not in found.rows("endpoint_sampled")["endpoint"]
    assert found.study.summary["platform"]["endpoints"]["home"]["p99_s"] is None


def test_a_slow_catalogue_costs_the_home_screen_its_optional_parts_and_a_failing_one_the_screen(
    play: Play, two_stores: Builder
) -> None:
    found = play(
        two_stores(
            "faults=[{kind: service_slowdown, service: orders, at: '12:30', minutes: 10, factor: 40},"
            " {kind: expired_certificate, service: catalogue, at: '13:00', minutes: 5}]"
        )
    )
    rows, short = found.rows("endpoint_sampled"), found.rows("home_shortened")
    home = rows[rows["endpoint"] == Endpoint.HOME]

    def during(table: Any, begin_s: float, end_s: float) -> Any:
        return table[(table["t_s"] > begin_s + BEAT_S) & (table["t_s"] <= end_s)]

    calm, slow, failing = during(home, 0.0, 1800.0), during(home, 1800.0, 2400.0), during(home, 3600.0, 3899.0)
    assert np.nanmedian(calm["p99_s"]) < 0.1 < np.nanmedian(slow["p99_s"])
    assert np.nanmedian(slow["p99_s"]) < 0.2, "loyalty is not waited for beyond the deadline"
    assert during(short, 1800.0, 2400.0)["rate"].sum() > 0.5 * during(short, 0.0, 1e9)["rate"].sum() > 0.0
    assert not slow["errors"].any()
    moved = found.rows("breaker_moved")
    opened_s = moved["t_s"][moved["breaker_state"] == BreakerState.OPEN][0]
    before = during(home, 3600.0, opened_s)
    assert len(before)
    np.testing.assert_allclose(before["errors"], before["rate"])
    # Then the cache has the last page, but neither promotions nor recommendations.
    behind = failing[(failing["t_s"] > opened_s + BEAT_S) & (failing["errors"] == 0.0)]
    dropped = short[np.isin(short["t_s"], behind["t_s"])]
    assert len(dropped) == len(behind) > 0
    np.testing.assert_allclose(dropped["rate"], 2.0 * behind["rate"], rtol=0.05)
    screens = found.study.summary["platform"]["screens"]
    assert screens["home_parts_dropped"] == round(float(short["rate"].sum()) * BEAT_S) > 0
    shown = float((home["rate"] - home["errors"]).sum())
    assert screens["home_parts_dropped_per_1000"] == pytest.approx(1000.0 * float(short["rate"].sum()) / shown)


def test_requests_to_order_are_counted_one_by_one(played: Any) -> None:
    rows = played.rows("endpoint_sampled")
    placed = rows[rows["endpoint"] == Endpoint.PLACE_ORDER]
    rejected = played.rows("order_rejected")["reject"]
    # In a town without a zone's edge nobody is turned away before the gateway.
    assert round(float(placed["rate"].sum()) * BEAT_S) == len(played.rows("order_entered")) + len(rejected)
    assert round(float(placed["errors"].sum()) * BEAT_S) == len(rejected) > 0


def test_a_fault_is_noticed_by_what_it_does_and_over_when_the_figures_say_so(played: Any) -> None:
    raised, cleared = played.rows("alert_raised"), played.rows("alert_cleared")
    began = played.rows("fault_began")
    at_s, until_s = (
        float(began[name][began["fault"] == FaultKind.EXPIRED_CERTIFICATE][0]) for name in ("t_s", "until_s")
    )
    first = raised[(raised["alert"] == Alert.SERVICE_DOWN)]["t_s"]
    assert at_s <= first[0] <= at_s + BEAT_S
    well = cleared[(cleared["alert"] == Alert.SERVICE_DOWN)]["t_s"]
    assert until_s <= well[0] <= until_s + BEAT_S
    assert (raised["t_s"] >= at_s).all(), "nothing is raised while all is well"


def test_an_outage_of_the_provider_is_seen_by_its_breaker(played: Any) -> None:
    raised, moved = played.rows("alert_raised"), played.rows("breaker_moved")
    opened = moved["t_s"][moved["breaker_state"] == BreakerState.OPEN]
    seen = raised["t_s"][raised["alert"] == Alert.BREAKER_OPEN]
    assert len(opened)
    assert 0.0 <= seen[0] - opened[0] <= BEAT_S


def test_a_raised_alert_is_cleared_before_it_is_raised_again(played: Any) -> None:
    for alert in Alert:
        times = [
            played.rows(kind)["t_s"][played.rows(kind)["alert"] == alert] for kind in ("alert_raised", "alert_cleared")
        ]
        both = sorted([(t, 0) for t in times[0].tolist()] + [(t, 1) for t in times[1].tolist()])
        assert [which for _, which in both] == [place % 2 for place in range(len(both))]


def test_a_calm_day_wakes_nobody(play: Play, two_stores: Builder) -> None:
    assert len(play(two_stores()).rows("alert_raised")) == 0


def test_the_minimal_profile_is_not_watched(play: Play, one_store: Builder) -> None:
    quiet = play(one_store("platform.profile=minimal"))
    for kind in ("service_sampled", "endpoint_sampled", "platform_sampled", "alert_raised"):
        assert len(quiet.rows(kind)) == 0


# -- live tracking -------------------------------------------------------------------------------------------------------


def rates_of(played: Any, kind: str, column: str, which: Any, value: str = "rate") -> Any:
    rows = played.rows(kind)
    rows = rows[(rows[column] == which) & (rows["t_s"] > 600.0) & (rows["t_s"] < 7200.0)]
    return rows[value]


def test_switching_live_tracking_off_relieves_the_services_that_watching_customers_ask(
    play: Play, one_store: Builder
) -> None:
    switched = "platform.degradation={order: [live_tracking], off_at: [1e-9], hysteresis: 0}"
    on, off = play(one_store("platform.degradation.on=false")), play(one_store(switched))
    assert rates_of(off, "platform_sampled", "features_off", 1, "features_off").size

    def rate(played: Any, service: Svc) -> float:
        return float(rates_of(played, "service_sampled", "service", service).mean())

    polls = float(rates_of(on, "endpoint_sampled", "endpoint", Endpoint.ORDER_STATUS).mean())
    nearby = float(rates_of(on, "endpoint_sampled", "endpoint", Endpoint.DRIVERS_NEARBY).mean())
    assert polls > nearby > 0.1
    # What is left at tracking are the drivers' pings; a status is still asked for, without the place.
    assert rate(on, Svc.TRACKING) - rate(off, Svc.TRACKING) == pytest.approx(polls, rel=0.05)
    assert rate(on, Svc.DISPATCH) - rate(off, Svc.DISPATCH) == pytest.approx(nearby, rel=0.05)
    assert rate(on, Svc.GATEWAY) - rate(off, Svc.GATEWAY) == pytest.approx(nearby, rel=0.05)
    assert rate(off, Svc.ORDERS) == pytest.approx(rate(on, Svc.ORDERS), rel=0.05)
    assert len(rates_of(off, "endpoint_sampled", "endpoint", Endpoint.DRIVERS_NEARBY)) == 0
    assert len(rates_of(off, "endpoint_sampled", "endpoint", Endpoint.ORDER_STATUS))
    for service in (Svc.TRACKING, Svc.DISPATCH):
        busy = [float(rates_of(one, "service_sampled", "service", service, "utilisation").mean()) for one in (on, off)]
        assert busy[1] < busy[0]


# -- chance and bursts -------------------------------------------------------------------------------------------------

CHARGES_A_DAY, DECLINED = 8000, 0.03


def charges(played: np.random.Generator, hours: Any, days: int, declined: float) -> Any:
    """Charges declined and charges made, look by look, in hours of the default day."""
    profile = np.array(load("default").demand.profile)
    a_look = CHARGES_A_DAY * profile[hours] / profile.sum() / (3600.0 / BEAT_S)
    made = played.poisson(np.tile(np.repeat(a_look, int(3600.0 / BEAT_S)), days))
    return zip(played.binomial(made, declined).tolist(), made.tolist(), strict=True)


def test_charges_declined_by_chance_hardly_ever_wake_anybody() -> None:
    """Once in twenty days at most."""
    alarm, days = Alarm(Alerts().payments_failing), 100
    told = [alarm.look(*sample) for sample in charges(np.random.default_rng(1), range(24), days, DECLINED)]
    assert told.count(True) <= days / 20


@pytest.mark.parametrize("hour", [12, 13, 18, 19, 20, 21])
def test_when_all_charges_fail_in_the_rush_somebody_is_woken_within_ten_minutes(hour: int) -> None:
    alarm, generator = Alarm(Alerts().payments_failing), np.random.default_rng(hour)
    for sample in charges(generator, [hour], 1, DECLINED):
        alarm.look(*sample)
    told = [alarm.look(*sample) for sample in charges(generator, [hour], 1, 1.0)]
    assert told.index(True) < 600.0 / BEAT_S


LISTENING = ("demand.orders_per_day=9600", "horizon_h=1", "platform.monitoring.alerts.consumer_lag.least=5")


def test_a_burst_of_messages_at_the_moment_of_a_look_is_no_lag(
    play: Play, two_stores: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand messages are under way when monitoring looks, and have arrived by the next look."""
    look, bursts = Monitoring.look, []

    def looked(watching: Any, now: float, samples: Any) -> float:
        burst = now % 300.0 == 0.0
        watching._bus.published[Topic.OFFER] += 1000 * burst
        load_: float = look(watching, now, samples)
        watching._bus.delivered[Topic.OFFER] += 1000 * burst
        bursts.append(burst)
        return load_

    monkeypatch.setattr(Monitoring, "look", looked)
    played = play(two_stores(*LISTENING))
    assert sum(bursts) > 10
    assert max(played.rows("platform_sampled")["lag"]) >= 1000
    assert Alert.CONSUMER_LAG not in played.rows("alert_raised")["alert"]


def test_a_bus_that_stands_still_is_a_lag(play: Play, two_stores: Builder) -> None:
    still = "faults=[{kind: consumer_rebalance, at: '12:40', minutes: 5}]"
    played = play(two_stores(*LISTENING, still))
    raised = played.rows("alert_raised")
    at_s = raised["t_s"][raised["alert"] == Alert.CONSUMER_LAG]
    assert len(at_s) == 1
    assert 2400.0 + BEAT_S <= at_s[0] < 2700.0


# -- a region that is lost ---------------------------------------------------------------------------------------------


def test_a_look_sees_the_share_of_its_time_in_which_nobody_reached_the_platform(one_store: Builder) -> None:
    watching: Any = Monitoring(Facts(), one_store(), None, None)  # type: ignore[arg-type]
    watching.unreached(15.0)
    assert watching._gone_share(15.0) == 0.0
    assert watching._gone_share(30.0) == 1.0
    watching.unreached(33.0)
    watching.reached(36.0)
    watching.reached(39.0)
    watching.unreached(42.0)
    watching.reached(43.5)
    assert watching._gone_share(45.0) == pytest.approx((9.0 + 1.5) / BEAT_S)
    assert watching._gone_share(60.0) == 0.0


def test_a_region_that_is_lost_at_a_look_fails_who_follows_an_order_from_the_next_one_on(
    play: Play, two_stores: Builder
) -> None:
    played = play(two_stores("faults=[{kind: region_outage, at: '12:40', rto_h: 0.25, rpo_h: 0.2, dns_s: 0}]"))
    rows = played.rows("endpoint_sampled")
    for endpoint in (Endpoint.ORDER_STATUS, Endpoint.DRIVERS_NEARBY):
        mine = rows[rows["endpoint"] == endpoint]
        failed = mine["errors"] / mine["rate"]
        lost = (mine["t_s"] > 2400.0) & (mine["t_s"] <= 3300.0)
        assert lost.sum() > 50
        assert (failed[lost] == 1.0).all()
        assert (failed[~lost] == 0.0).all()
