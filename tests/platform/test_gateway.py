"""Rate limits, repeated requests, shared reads, overload and screens."""

from fractions import Fraction
from itertools import pairwise
from math import inf
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from pydantic import ValidationError
from scipy import stats

from sim.platform.gateway import (
    IN_FLIGHT,
    NEW,
    PERSONAL,
    Backpressure,
    Coalescer,
    Degradation,
    Fanout,
    Feature,
    Idempotency,
    LeakedRead,
    RateLimits,
    Read,
    ReadKey,
    read_key,
)
from sim.scenario.gateway import (
    BackpressureSpec,
    DegradationSpec,
    IdempotencySpec,
    Limit,
    Limits,
    Part,
    Screens,
)
from sim.streams import Streams
from sim.vocabulary import NOBODY, Endpoint

STATUS = Endpoint.ORDER_STATUS

# -- rate limits -------------------------------------------------------------------------------------------------------

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
        if endpoint is Endpoint.RESERVE:
            continue
        tight = Limits.model_validate({endpoint.name.lower(): {"per_s": 0.001, "burst": 1}})
        limits = RateLimits(tight)
        assert [limits.allow(1, endpoint, 0.0), limits.allow(1, endpoint, 1.0)] == [True, False]


def test_calls_between_services_have_no_limit_of_their_own() -> None:
    limits = only(Limit(per_s=0.001, burst=1))
    assert all(limits.allow(1, Endpoint.RESERVE, 0.0) for _ in range(1000))


# -- repeated requests -------------------------------------------------------------------------------------------------

TTL, LEASE = 100.0, 10.0


class Repeats(RuleBasedStateMachine):
    """Idempotency against the simplest model: each key's time and answer."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = Idempotency(IdempotencySpec(ttl_s=TTL, lease_s=LEASE))
        self.now = 0.0
        self.model: dict[int, tuple[float, Any]] = {}
        self.answers = 0

    @rule(gap=st.sampled_from([0.0, 1.0, 9.0, 10.0, 50.0, 100.0]))
    def wait(self, gap: float) -> None:
        self.now += gap

    @rule(key=st.integers(0, 5))
    def ask(self, key: int) -> None:
        since, answer = self.model.get(key, (-1e9, None))
        if self.now - since >= TTL or (answer is IN_FLIGHT and self.now - since >= LEASE):
            expected: Any = NEW
            self.model[key] = (self.now, IN_FLIGHT)
        else:
            expected = answer
        assert self.cache.seen(key, self.now) is expected

    @rule(key=st.integers(0, 5))
    def answer(self, key: int) -> None:
        self.answers += 1
        fresh = ("answer", self.answers)
        since, answer = self.model.get(key, (-1e9, None))
        stands = self.cache.remember(key, fresh)
        if answer is IN_FLIGHT and self.now - since < TTL:
            self.model[key] = (since, fresh)
            assert stands is fresh
        elif answer is not None and answer is not IN_FLIGHT and self.now - since < TTL:
            assert stands is answer  # the first answer stands

    @rule(key=st.integers(0, 5))
    def forget(self, key: int) -> None:
        self.cache.forget(key)
        self.model.pop(key, None)


TestRepeats = Repeats.TestCase
TestRepeats.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


@given(waits=st.lists(st.floats(0, 20_000), max_size=20))
def test_a_request_is_done_once_within_the_ttl_and_everybody_gets_the_same_answer(waits: list[float]) -> None:
    cache = Idempotency(IdempotencySpec())
    assert cache.seen((3, 77), 5.0) is NEW
    assert cache.seen((3, 77), 6.0) is IN_FLIGHT
    order = object()
    cache.remember((3, 77), order)
    now = 6.0
    for wait in waits:
        now += wait
        if now - 5.0 < 86_400:
            assert cache.seen((3, 77), now) is order
    assert cache.seen((4, 77), now) is NEW  # another client's request of the same id


def test_a_request_whose_handler_died_may_be_tried_again_after_its_lease() -> None:
    cache = Idempotency(IdempotencySpec(ttl_s=TTL, lease_s=LEASE))
    assert [cache.seen(1, now) for now in (0.0, 9.0, 10.0, 19.0, 20.0)] == [NEW, IN_FLIGHT, NEW, IN_FLIGHT, NEW]


def test_a_request_that_was_turned_away_may_be_tried_again_at_once() -> None:
    cache = Idempotency(IdempotencySpec())
    assert cache.seen(1, 0.0) is NEW
    cache.forget(1)
    assert cache.seen(1, 0.0) is NEW
    cache.remember(1, "yes")
    assert cache.seen(1, 0.0) == "yes"


def test_a_second_try_has_its_own_ttl() -> None:
    cache = Idempotency(IdempotencySpec(ttl_s=TTL, lease_s=LEASE))
    for key in ("forgotten", "dead"):
        assert cache.seen(key, 0.0) is NEW
    cache.forget("forgotten")
    for key in ("forgotten", "dead"):
        assert cache.seen(key, 50.0) is NEW
        cache.remember(key, "yes")
    assert [cache.seen(key, 149.0) for key in ("forgotten", "dead")] == ["yes", "yes"]
    assert [cache.seen(key, 150.0) for key in ("forgotten", "dead")] == [NEW, NEW]


def test_answers_are_kept_no_longer_than_their_ttl() -> None:
    cache = Idempotency(IdempotencySpec(ttl_s=TTL))
    for key in range(10_000):
        cache.seen(key, float(key))
        cache.remember(key, key)
        assert len(cache) <= TTL
    assert len(cache._ring) == len(cache)


def test_without_idempotency_every_request_is_new() -> None:
    cache = Idempotency(IdempotencySpec(on=False))
    for _ in range(3):
        assert cache.seen(1, 0.0) is NEW
        assert cache.remember(1, "yes") == "yes"
    assert len(cache) == 0


# -- shared reads ------------------------------------------------------------------------------------------------------

READS = st.tuples(st.sampled_from(Read), st.integers(0, 2), st.integers(0, 2), st.integers(0, 3), st.integers(0, 8))


@given(st.lists(READS, max_size=150))
def test_only_identical_concurrent_reads_share_a_call_and_never_across_users(reads: list[tuple[Any, ...]]) -> None:
    coalescer, calls = Coalescer(), []
    for now, (read, store, page, user, takes) in enumerate(reads):
        mine = (read, store, page, user if read in PERSONAL else None)
        leads, done_s = coalescer.join(read_key(read, store, page, user), float(now), float(now + takes))
        under_way = [call for call in calls if call[0] == mine and call[1] > now]
        if leads:
            assert not under_way
            assert done_s == now + takes
            calls.append((mine, done_s))
        else:
            assert [call[1] for call in under_way] == [done_s]
    assert coalescer.leaders == len(calls)
    assert coalescer.leaders + coalescer.followers == len(reads)


def test_a_hundred_users_who_open_one_page_at_once_make_one_call() -> None:
    coalescer = Coalescer()
    pages = [coalescer.join(read_key(Read.CATALOGUE, 0, 4, user), 0.0, 0.05)[0] for user in range(100)]
    carts = [coalescer.join(read_key(Read.CART, 0, 4, user), 0.0, 0.05)[0] for user in range(100)]
    assert (sum(pages), sum(carts)) == (1, 100)


def test_a_personal_read_without_its_user_is_an_error() -> None:
    coalescer = Coalescer()
    for read in Read:
        if read in PERSONAL:
            with pytest.raises(LeakedRead, match="user"):
                coalescer.join(ReadKey(read, 0, 0, NOBODY), 0.0, 1.0)
            with pytest.raises(LeakedRead):
                coalescer.join(read_key(read, 0, 0), 0.0, 1.0)
        else:
            assert coalescer.join(ReadKey(read, 0, 0, NOBODY), 0.0, 1.0) == (True, 1.0)
    assert coalescer.leaders == len(Read) - len(PERSONAL)


def test_after_a_failed_call_the_next_reader_makes_one() -> None:
    coalescer, key = Coalescer(), read_key(Read.CATALOGUE, 0, 0)
    coalescer.join(key, 0.0, 5.0)
    coalescer.drop(key)
    assert coalescer.join(key, 1.0, 6.0) == (True, 6.0)


def test_finished_calls_are_forgotten() -> None:
    coalescer = Coalescer()
    for page in range(20_000):
        coalescer.join(read_key(Read.CATALOGUE, 0, page), float(page), page + 10.0)
    assert len(coalescer) <= 1024


def test_coalescing_saves_what_renewal_theory_says() -> None:
    """Poisson reads of one page at rate a, each call taking d: a call is made once in 1/a + d, so 1/(1 + a d) lead.

    Leads are a renewal process whose gaps scatter less than exponential ones, so their number among n reads has a
    variance below n p: five standard deviations are at most 5 sqrt(n p).
    """
    n, rate, takes = 40_000, 30.0, 0.1
    coalescer, now = Coalescer(), 0.0
    for gap in np.random.default_rng(5).exponential(1 / rate, n):
        now += gap
        coalescer.join(read_key(Read.CATALOGUE, 0, 0), now, now + takes)
    expected = n / (1 + rate * takes)
    assert abs(coalescer.leaders - expected) < 5 * expected**0.5


# -- overload ----------------------------------------------------------------------------------------------------------

DELAYS = st.floats(0, 30)


@given(DELAYS, DELAYS, st.floats(0, 1, exclude_max=True))
def test_who_is_shed_at_a_delay_is_shed_at_every_longer_one(one: float, other: float, luck: float) -> None:
    valve = Backpressure(BackpressureSpec())
    low, high = sorted((one, other))
    assert valve.probability(low) <= valve.probability(high)
    assert valve.sheds(low, luck) <= valve.sheds(high, luck)


def test_nobody_is_shed_below_the_first_delay_and_everybody_from_the_last() -> None:
    valve = Backpressure(BackpressureSpec(shed_from_s=2.0, shed_all_s=4.0))
    assert [valve.probability(delay) for delay in (0.0, 2.0, 2.5, 3.0, 4.0, 99.0)] == [0.0, 0.0, 0.25, 0.5, 1.0, 1.0]
    die = Streams(1).die("shed")
    draws = [die.uniform(order) for order in range(4000)]
    assert not any(valve.sheds(2.0, luck) for luck in draws)
    assert all(valve.sheds(4.0, luck) for luck in draws)
    shed = sum(valve.sheds(2.5, luck) for luck in draws)
    assert stats.binomtest(shed, 4000, 0.25).pvalue > 1e-6


def test_without_backpressure_nobody_is_shed() -> None:
    assert not Backpressure(BackpressureSpec(on=False)).sheds(1e9, 0.0)


LOADS = st.lists(st.floats(0, 1.5), max_size=60)


@given(LOADS, st.permutations(["recommendations", "loyalty", "live_tracking", "promotions"]), st.floats(0, 0.3))
def test_features_go_in_order_and_come_back_in_the_opposite_order(loads: list[float], order: Any, gap: float) -> None:
    spec = DegradationSpec(order=tuple(order), hysteresis=gap)
    degradation = Degradation(spec)
    for load in loads:
        before = [degradation.enabled(Feature[name.upper()]) for name in order]
        off = degradation.update(load)
        states = [degradation.enabled(Feature[name.upper()]) for name in order]
        assert states == sorted(states)
        assert states.count(False) == off == degradation.off
        for was, on, off_at in zip(before, states, spec.off_at, strict=True):
            if load >= off_at:
                assert not on
            elif load < off_at - gap:
                assert on
            else:
                assert on == was  # between the two thresholds nothing changes


def test_a_load_that_trembles_at_a_threshold_switches_once_and_without_hysteresis_always() -> None:
    degradation = Degradation(DegradationSpec(hysteresis=0.1))
    states = [degradation.update(0.8 + 0.04 * (-1) ** step) for step in range(100)]
    assert set(states) == {1}
    trembling = Degradation(DegradationSpec(hysteresis=0.0))
    states = [trembling.update(0.8 + 0.04 * (-1) ** step) for step in range(100)]
    assert sum(one != other for one, other in pairwise(states)) == 99


def test_a_feature_that_is_not_in_the_list_stays_on() -> None:
    degradation = Degradation(DegradationSpec(order=("loyalty",), off_at=(0.5,)))
    degradation.update(9.0)
    assert [feature for feature in Feature if not degradation.enabled(feature)] == [Feature.LOYALTY]


def test_without_degradation_everything_stays_on() -> None:
    degradation = Degradation(DegradationSpec(on=False))
    assert degradation.update(99.0) == 0
    assert all(degradation.enabled(feature) for feature in Feature)


# -- screens -----------------------------------------------------------------------------------------------------------

SCREEN = [Part(service="catalogue"), Part(service="inventory"), Part(service="loyalty", required=False)]
LATENCIES = st.floats(0, 2) | st.just(inf)


@given(st.lists(st.tuples(st.booleans(), LATENCIES), min_size=1, max_size=8), st.floats(0.01, 1))
def test_a_screen_waits_for_what_it_needs_and_for_the_rest_until_the_deadline(
    parts: list[tuple[bool, float]], deadline: float
) -> None:
    fanout = Fanout([Part(service="catalogue", required=required) for required, _ in parts])
    latency, dropped = fanout.screen_s([latency for _, latency in parts], deadline)
    needed = [latency for required, latency in parts if required]
    late = [not required and latency > deadline for required, latency in parts]
    in_time = [min(latency, deadline) for required, latency in parts if not required]
    assert latency == max(needed + in_time)
    assert dropped == sum(late)
    assert fanout.dropped == [int(part) for part in late]


def test_a_slow_optional_part_costs_the_deadline_and_no_more() -> None:
    fanout = Fanout(SCREEN)
    assert fanout.screen_s([0.02, 0.03, 0.1], 0.15) == (0.1, 0)
    assert fanout.screen_s([0.02, 0.03, 5.0], 0.15) == (0.15, 1)
    assert fanout.screen_s([0.02, 0.4, 0.3], 0.15) == (0.4, 1)
    assert fanout.screen_s([0.02, 0.03, -1.0], 0.15) == (0.03, 0)  # not asked: its feature is off
    assert fanout.screen_s([0.02, inf, 0.1], 0.15) == (inf, 0)
    assert fanout.dropped == [0, 0, 2]


def test_latency_is_that_of_the_slowest_of_n() -> None:
    """The maximum of n independent exponential latencies has mean H(n)/rate (H: harmonic number)."""
    fanout, n = Fanout([Part(service="catalogue")] * 5), 5
    draws = np.random.default_rng(2).exponential(0.01, (20_000, n))
    screens = [fanout.screen_s(row, 1.0)[0] for row in draws.tolist()]
    harmonic = sum(1 / k for k in range(1, n + 1))
    deviation = 0.01 * sum(1 / k**2 for k in range(1, n + 1)) ** 0.5
    assert abs(np.mean(screens) - 0.01 * harmonic) < 5 * deviation / 20_000**0.5


def test_a_screen_lists_its_services_and_their_work() -> None:
    screens = Screens()
    home = Fanout(screens.home)
    assert list(zip(home.services, home.work, strict=True)) == [(part.service, part.work) for part in screens.home]


# -- the scenario ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("branch", "keys", "says"),
    [
        (BackpressureSpec, {"shed_from_s": 5.0, "shed_all_s": 5.0}, "shed_from_s below shed_all_s"),
        (DegradationSpec, {"off_at": (0.9, 0.8, 0.95, 1.0)}, "ascending"),
        (DegradationSpec, {"off_at": (0.9,)}, "one load for each of 4 features"),
        (DegradationSpec, {"order": ("loyalty", "loyalty"), "off_at": (0.8, 0.9)}, "each feature once"),
        (DegradationSpec, {"order": ("checkout",), "off_at": (0.8,)}, "order"),
        (Screens, {"home": ()}, "home"),
    ],
)
def test_a_scenario_that_makes_no_sense_is_refused(branch: Any, keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        branch(**keys)
