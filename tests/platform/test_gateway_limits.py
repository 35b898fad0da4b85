"""Rate limits: token buckets of users, addresses and the whole, each of which keeps to its rate and its burst."""

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.platform.gateway import RateLimits
from sim.scenario.gateway import Limit, Limits
from sim.vocabulary import NOBODY, Endpoint

STATUS = Endpoint.ORDER_STATUS

# Bursts and pauses, in exact fractions of a second.
SIXTEENTHS = st.lists(
    st.one_of(st.just(0.0), st.integers(0, 8).map(lambda n: n / 16), st.integers(0, 64).map(lambda n: n / 16)),
    min_size=1,
    max_size=120,
)


def only(limit: Limit, **others: Limit | None) -> RateLimits:
    return RateLimits(Limits(**{"order_status": limit, "address": None, "whole": None, **others}))  # type: ignore[arg-type]


def admitted(limits: RateLimits, gaps: list[float], user: int = 1, address: int = NOBODY) -> list[float]:
    now, times = 0.0, []
    for gap in gaps:
        now += gap
        if limits.allow(user, STATUS, now, address):
            times.append(now)
    return times


@given(
    gaps=SIXTEENTHS,
    rate=st.floats(0.05, 20),
    burst=st.integers(1, 8),
    whose=st.sampled_from(["user", "address", "whole"]),
)
def test_no_window_sees_more_than_burst_plus_rate_times_its_length(
    gaps: list[float], rate: float, burst: int, whose: str
) -> None:
    """A token bucket's law: in any t seconds at most burst + rate t requests are let in."""
    wide, tight = Limit(per_s=1000.0, burst=1000), Limit(per_s=rate, burst=burst)
    limits = only(tight) if whose == "user" else only(wide, **{whose: tight})
    times = admitted(limits, gaps, address=5)
    for first, start in enumerate(times):
        for last in range(first, len(times)):
            assert last - first + 1 <= burst + rate * (times[last] - start) + 1e-6


@given(gaps=SIXTEENTHS, eighths=st.integers(1, 40), burst=st.integers(1, 8))
def test_a_bucket_admits_just_what_the_textbook_bucket_admits(gaps: list[float], eighths: int, burst: int) -> None:
    """Tokens drip in at the rate up to the burst; a request takes one, and waits for none (exact fractions)."""
    rate = Fraction(eighths, 8)
    tokens, now, times = Fraction(burst), Fraction(0), []
    for gap in gaps:
        now += Fraction(gap)
        tokens = min(Fraction(burst), tokens + rate * Fraction(gap))
        if tokens >= 1:
            tokens -= 1
            times.append(float(now))
    assert admitted(only(Limit(per_s=float(rate), burst=burst)), gaps) == times


@given(rate=st.floats(0.01, 50), burst=st.integers(1, 5), start=st.floats(0, 1e5))
def test_who_keeps_to_the_rate_is_never_refused(rate: float, burst: int, start: float) -> None:
    limits = only(Limit(per_s=rate, burst=burst))
    assert all(limits.allow(1, STATUS, start + step / rate) for step in range(60))


def test_buckets_are_of_one_user_and_one_endpoint() -> None:
    limits = only(Limit(per_s=0.01, burst=2))
    assert [limits.allow(1, STATUS, 0.0) for _ in range(3)] == [True, True, False]
    assert limits.allow(2, STATUS, 0.0)
    assert limits.allow(1, Endpoint.CATALOGUE, 0.0)


def test_a_flood_from_one_address_hurts_nobody_elsewhere() -> None:
    limits = only(Limit(per_s=1.0, burst=5), address=Limit(per_s=1.0, burst=10), whole=Limit(per_s=100.0, burst=100))
    flood = sum(limits.allow(user, STATUS, 0.0, address=9) for user in range(1000))
    assert flood == 10
    assert limits.refused == [0, 990, 0]
    assert all(limits.allow(2000 + user, STATUS, 0.0, address=10 + user) for user in range(90))
    assert not limits.allow(3000, STATUS, 0.0, address=5000)
    assert limits.refused == [0, 990, 1]


@pytest.mark.parametrize("address", [0, 7, -2])
def test_every_address_but_nobodys_has_its_limit(address: int) -> None:
    limits = only(Limit(per_s=1.0, burst=5), address=Limit(per_s=0.01, burst=2))
    assert [limits.allow(user, STATUS, 0.0, address) for user in range(3)] == [True, True, False]
    assert all(limits.allow(user, STATUS, 0.0, NOBODY) for user in range(10, 20))


def test_a_refused_request_takes_no_token_from_any_bucket() -> None:
    limits = only(Limit(per_s=1.0, burst=1), address=Limit(per_s=0.01, burst=2), whole=Limit(per_s=0.01, burst=3))
    assert limits.allow(1, STATUS, 0.0, address=9)
    assert not any(limits.allow(1, STATUS, step / 100, address=9) for step in range(100))
    assert limits.allow(1, STATUS, 1.0, address=9)  # refilled although it was hammered
    assert not limits.allow(
        2, STATUS, 1.0, address=9
    )  # the address's second token went there, its third does not exist
    assert limits.allow(2, STATUS, 1.0, address=8)  # everybody's third token is still there


def test_full_buckets_are_forgotten() -> None:
    limits = only(Limit(per_s=1.0, burst=5), address=Limit(per_s=1.0, burst=5))
    for step in range(50_000):
        assert limits.allow(step, STATUS, step / 10, address=step % 7000)
    assert len(limits) <= 1024
    # Forgetting one that is not full would hand out tokens: the law above holds across sweeps too.
    assert [limits.allow(1, STATUS, 9000.0) for _ in range(6)] == [True] * 5 + [False]


def test_sweeping_buckets_is_invisible() -> None:
    swept, kept = (only(Limit(per_s=0.5, burst=3), address=Limit(per_s=1.0, burst=4)) for _ in range(2))
    luck, now, answers = Random(1), 0.0, []
    for _ in range(4000):
        now += luck.choice((0.0, 0.0, 0.0, 0.25, 1.0, 2.0))
        user, address = luck.randrange(3), luck.randrange(2)
        swept._sweep_at = 0
        answers.append(kept.allow(user, STATUS, now, address))
        assert swept.allow(user, STATUS, now, address) == answers[-1]
    assert 400 < sum(answers) < 3600


def test_without_limits_everything_is_let_in() -> None:
    limits = RateLimits(Limits(on=False))
    assert all(limits.allow(1, endpoint, 0.0, 1) for endpoint in Endpoint for _ in range(1000))
    assert len(limits) == 0


def test_every_endpoint_of_the_apps_has_its_own_limit_in_the_scenario() -> None:
    for endpoint in Endpoint:
        if endpoint in (Endpoint.RESERVE, Endpoint.HOME):
            continue  # the saga asks for one, monitoring works the other out
        tight = Limits.model_validate({endpoint.name.lower(): {"per_s": 0.001, "burst": 1}})
        limits = RateLimits(tight)
        assert [limits.allow(1, endpoint, 0.0), limits.allow(1, endpoint, 1.0)] == [True, False]


def test_calls_between_services_have_no_limit_of_their_own() -> None:
    limits = only(Limit(per_s=0.001, burst=1))
    assert all(limits.allow(1, Endpoint.RESERVE, 0.0) for _ in range(1000))
