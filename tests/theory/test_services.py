"""A service matches the textbook: M/M/c one call at a time, its background by formula, its backlog as a fluid."""

from bisect import bisect_right
from collections.abc import Sequence
from heapq import heapreplace
from math import exp, log
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from sim.platform.background import Waiting, erlang_c
from sim.platform.services import Service
from sim.scenario.services import Autoscale, Health, ServiceSpec

ERROR = 1e-4
"""Chance that a right program fails a test of this page, had the seed been drawn afresh (for each comparison)."""
WORK_S = 0.01
STILL = Autoscale(enabled=False)


def service(servers: int, queue_max_s: float = 1e6, work_s: float = WORK_S) -> Service:
    """Servers as workers of three instances, or of one when there are fewer."""
    instances = 3 if servers % 3 == 0 else 1
    spec = ServiceSpec(
        instances=instances, workers=servers // instances, work_s=work_s, queue_max_s=queue_max_s,
        timeout_s=1e6,
    )  # fmt: skip
    return Service(spec, STILL, Health())


def erlang_c_by_recursion(servers: int, load: float) -> float:
    """Chance to wait in M/M/c by the recursion of Erlang's loss formula, B(k) = a B(k-1) / (k + a B(k-1))."""
    blocked = 1.0
    for busy in range(1, servers + 1):
        blocked = load * blocked / (busy + load * blocked)
    return blocked / (1.0 - load / servers * (1.0 - blocked))


def half_width(values: NDArray[Any], batches: int = 40) -> float:
    """Half-width of a t interval by batch means (Law, Kelton 2000): neighbouring waits are alike, far ones are not."""
    means = np.array([part.mean() for part in np.array_split(values, batches)])
    return float(stats.t.ppf(1 - ERROR / 2, batches - 1) * means.std(ddof=1) / np.sqrt(batches))


def check_mean(values: NDArray[Any], truth: float, within: float) -> None:
    """The truth lies in the interval, and the interval is narrow enough to prove something."""
    half = half_width(values)
    assert abs(values.mean() - truth) <= half, f"expected {truth:.5g}, got {values.mean():.5g} +- {half:.2g}"
    assert half <= within * truth, f"an interval of {half / truth:.1%} proves little"


def draws(seed: int, count: int) -> tuple[list[float], list[float], list[float]]:
    """Unit exponential gaps and works, and uniform luck."""
    chance = np.random.default_rng(seed)
    return (
        chance.exponential(size=count).tolist(),
        chance.exponential(size=count).tolist(),
        chance.random(count).tolist(),
    )


def waits(one: Service, rate: float, count: int, seed: int, behind: float | None = None) -> NDArray[Any]:
    """Waits of Poisson calls with exponential work; the first tenth is left out.

    With a background rate `behind` the service's control ticks a hundred times on the way.
    """
    gaps, works, lucks = draws(seed, count)
    found, at_s = np.empty(count), 0.0
    for n, (gap, work, luck) in enumerate(zip(gaps, works, lucks, strict=True)):
        at_s += gap / rate
        if behind is not None and n % (count // 100) == 0:
            one.tick(behind, at_s)
        found[n] = one.call(at_s, work * WORK_S, luck) - work * WORK_S
    return found[count // 10 :]


@pytest.mark.parametrize(("servers", "load"), [(1, 0.7), (2, 1.2), (3, 2.0), (4, 3.9), (48, 24.0), (300, 290.0)])
def test_erlang_c_is_the_loss_formulas_recursion(servers: int, load: float) -> None:
    """The chance to wait in M/M/c: C = B / (1 - rho (1 - B)), B Erlang's loss formula."""
    assert erlang_c(servers, load) == pytest.approx(erlang_c_by_recursion(servers, load), rel=1e-9, abs=1e-9)


def test_erlang_c_at_its_ends() -> None:
    assert erlang_c(5, 0.0) == 0.0
    assert erlang_c(5, 5.0) == erlang_c(5, 9.0) == 1.0
    assert erlang_c(3, 2.0) == pytest.approx(4 / 9)  # a textbook value (Gross, Harris, Fundamentals of Queueing Theory)


@pytest.mark.parametrize(("servers", "load", "count", "within"), [
    (1, 0.6, 150_000, 0.15), (4, 3.0, 150_000, 0.2), (32, 26.0, 300_000, 0.3),
])  # fmt: skip
def test_single_calls_wait_as_in_mmc(servers: int, load: float, count: int, within: float) -> None:
    """P(wait) = C(c, a) and E(wait) = C work / (c - a), for Poisson calls with exponential work (Erlang 1917)."""
    found = waits(service(servers), load / WORK_S, count, servers)
    chance = erlang_c_by_recursion(servers, load)
    check_mean((found > 1e-12).astype(float), chance, within)
    check_mean(found, chance * WORK_S / (servers - load), within)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.6), (3, 2.4), (32, 29.0)])
def test_a_call_meets_the_background_as_if_it_were_there(servers: int, load: float) -> None:
    """A rare call in a background of load a: P(wait > t) = C exp(-(c - a) t / work), whoever the calls are."""
    one = service(servers)
    one.load(load / WORK_S, 0.0)
    # One call in ten thousand works, so it meets the background only.
    found = waits(one, 1.0, 40_000, 7)
    chance, scale_s = erlang_c_by_recursion(servers, load), WORK_S / (servers - load)
    for level_s in (0.0, 0.5 * scale_s, 2.0 * scale_s):
        truth = chance * exp(-level_s / scale_s)
        deviation = np.sqrt(truth * (1 - truth) / len(found))
        assert abs((found > level_s + 1e-12).mean() - truth) < stats.norm.ppf(1 - ERROR / 2) * deviation + 1e-4


def test_with_an_instance_dead_the_others_wait_for_what_reaches_the_living() -> None:
    """Two thirds of 2.1 erlangs reach two servers of three: whoever is not failed waits with C(2, 1.4)."""
    one = service(3)
    one.load(2.1 / WORK_S, 0.0)
    one.kill(1, 0.0)
    _, _, lucks = draws(3, 20_000)
    found = np.array([one.call(1.0, 0.0, luck) for luck in lucks])
    living = found[np.isfinite(found)]
    assert len(living) / len(found) == pytest.approx(2 / 3, abs=0.02)
    assert (living > 1e-12).mean() == pytest.approx(erlang_c_by_recursion(2, 1.4), abs=0.02)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (3, 2.4), (6, 4.5)])
def test_rate_mode_has_the_percentiles_of_calls_one_by_one(servers: int, load: float) -> None:
    """The background's p50 and p99 by formula, its utilisation and its queue, against the same calls simulated."""
    count = 300_000
    explicit, rated = service(servers), service(servers)
    rate = load / WORK_S
    gaps, works, _ = draws(11 + servers, count)
    at_s = 0.0
    for gap, work in zip(gaps, works, strict=True):
        at_s += gap / rate
        explicit.call(at_s, work * WORK_S, 0.5)
    rated.load(rate, 0.0)
    one_by_one, formula = explicit.sample(at_s), rated.sample(at_s)
    assert formula.p50_s == pytest.approx(one_by_one.p50_s, rel=0.03)
    assert formula.p99_s == pytest.approx(one_by_one.p99_s, rel=0.08)
    assert formula.utilisation == pytest.approx(one_by_one.utilisation, rel=0.01)
    assert formula.utilisation == pytest.approx(load / servers)
    assert formula.rate == pytest.approx(rate)
    assert formula.queue == pytest.approx(erlang_c_by_recursion(servers, load) * load / (servers - load))


@pytest.mark.parametrize("tail", [0.5, 0.1, 0.01, 0.001])
@pytest.mark.parametrize(("servers", "load", "limit_s"), [(1, 0.5, 9.0), (3, 2.7, 9.0), (3, 2.7, 0.05), (1, 0.97, 0.1)])
def test_latency_percentiles_are_those_of_the_draws(servers: int, load: float, limit_s: float, tail: float) -> None:
    """Latency = wait + work: the percentile by formula is exceeded by its share of waits drawn by inversion plus works."""
    waiting = Waiting(servers, load, WORK_S, limit_s)
    chance = np.random.default_rng(5)
    count = 200_000
    luck, work = chance.random(count), chance.exponential(WORK_S, count)
    wait = np.array([waiting.wait_s(one) if one < waiting.chance else 0.0 for one in luck.tolist()])
    taken = wait <= limit_s
    deviation = np.sqrt(tail * (1 - tail) / taken.sum())
    share = float((wait + work > waiting.latency_s(tail))[taken].mean())
    assert abs(share - tail) < stats.norm.ppf(1 - ERROR / 2) * deviation
    refused = 1.0 - taken.mean()
    assert abs(refused - waiting.refused) < stats.norm.ppf(1 - ERROR / 2) * np.sqrt(waiting.refused / count) + 1e-9
    assert wait[taken].sum() / count == pytest.approx(waiting.mean_s, rel=0.05)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.9), (3, 2.7)])
def test_a_queue_with_a_longest_wait_refuses_as_the_formula_says(servers: int, load: float) -> None:
    """Refused share (1 - rho) p e / (1 - rho p e), e = exp(-theta K): the same for calls one by one and for the rate."""
    limit_s = 0.03
    one = service(servers, queue_max_s=limit_s)
    found = waits(one, load / WORK_S, 300_000, 3)
    waiting = Waiting(servers, load, WORK_S, limit_s)
    check_mean(np.isinf(found).astype(float), waiting.refused, 0.25)
    rated = service(servers, queue_max_s=limit_s)
    rated.load(load / WORK_S, 0.0)
    sample = rated.sample(100.0)
    assert sample.refused == sample.errors == pytest.approx(100.0 * load / WORK_S * waiting.refused)
    assert sample.utilisation == pytest.approx(load / servers * (1.0 - waiting.refused))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_foreground_and_background_share_the_servers(share: float) -> None:
    """However a load is divided, the single calls wait about as in M/M/c with all of it (within a fifth)."""
    servers, load = 3, 2.1
    one = service(servers)
    found = waits(one, share * load / WORK_S, 150_000, 9, behind=(1.0 - share) * load / WORK_S)
    truth = erlang_c_by_recursion(servers, load) * WORK_S / (servers - load)
    assert found.mean() == pytest.approx(truth, rel=0.2)


def test_a_backlog_grows_and_drains_at_load_less_capacity() -> None:
    """Work ahead grows by (a - c) and drains by (c - a) server seconds a second; a call waits backlog / c."""
    one = service(3, queue_max_s=1e6)

    def wait_s(at_s: float) -> float:
        return one.call(at_s, 0.0, 0.999999)

    one.load(5.0 / WORK_S, 0.0)  # 5 erlangs on 3 servers
    assert [wait_s(t) for t in (0.0, 15.0, 30.0)] == pytest.approx([0.0, 2 * 15 / 3, 2 * 30 / 3])
    one.load(1.0 / WORK_S, 30.0)  # 1 erlang: drains at 2 a second, 60 / 2 = 30 s
    assert [wait_s(t) for t in (30.0, 45.0, 59.0, 60.0, 70.0)] == pytest.approx([20.0, 10.0, 2 / 3, 0.0, 0.0])
    assert one.sample(70.0).backlog_s == 0.0
    assert one.sample(71.0).utilisation == pytest.approx(1 / 3)


def test_a_full_queue_takes_as_many_as_it_serves() -> None:
    """With a longest wait K: after K c / (a - c) seconds the share 1 - c / a is refused, of single calls as well."""
    one = service(3, queue_max_s=2.0)
    rate = 5.0 / WORK_S
    one.load(rate, 0.0)
    assert one.sample(3.0).refused == 0.0  # full at 2 x 3 / 2 = 3 s
    sample = one.sample(13.0)
    assert sample.refused == sample.errors == pytest.approx(rate * 10.0 * (1 - 3 / 5))
    assert sample.utilisation == 1.0
    assert sample.backlog_s == pytest.approx(2.0)
    assert sample.p50_s == pytest.approx(2.0 + WORK_S * log(2))
    answers = [one.call(13.0, 1e-9, n / 1000) for n in range(1000)]
    assert sum(map(np.isinf, answers)) == pytest.approx(400, abs=2)
    assert {round(answer, 3) for answer in answers if answer < 9e9} == {2.0}


def test_work_is_conserved_when_both_kinds_of_calls_flood() -> None:
    """Two erlangs in the background and two simulated on three servers: work ahead grows by one a second."""
    one, at_s = service(3), 0.0
    one.load(2.0 / WORK_S, 0.0)
    for second in range(300):
        for _ in range(200):
            one.call(at_s, WORK_S, 0.99)
            at_s += 1 / 200
        if second % 15 == 14:
            one.tick(2.0 / WORK_S, at_s)
            assert one.call(at_s, 0.0, 0.99) == pytest.approx((second + 1) / 3, rel=0.01), "everybody waits alike"
    assert one.sample(at_s).backlog_s == pytest.approx(300 / 3, rel=0.01)


def kiefer_wolfowitz(at: Sequence[float], work: Sequence[float], servers: int) -> list[float]:
    """Latencies by the plain recursion: whoever comes takes the server that comes free first."""
    free = [0.0] * servers
    found = []
    for at_s, work_s in zip(at, work, strict=True):
        begin_s = max(at_s, free[0])
        heapreplace(free, begin_s + work_s)
        found.append(begin_s - at_s + work_s)
    return found


def test_a_healthy_service_is_exactly_a_ggc_queue() -> None:
    chance = np.random.default_rng(2)
    at = np.cumsum(chance.gamma(0.3, 0.01, 5000)).tolist()
    work = chance.lognormal(-4.5, 1.5, 5000).tolist()
    one = service(6)
    latencies = [one.call(at_s, work_s, 0.5) for at_s, work_s in zip(at, work, strict=True)]
    np.testing.assert_allclose(latencies, kiefer_wolfowitz(at, work, 6), rtol=0, atol=1e-9)
    sample = one.sample(at[-1])
    latencies.sort()
    assert bisect_right(latencies, sample.p99_s) == pytest.approx(4950, abs=1)
    assert bisect_right(latencies, sample.p50_s) == pytest.approx(2500, abs=1)
