"""The home screen by the samples of its services, against views drawn one by one and put together by `Fanout`."""

import math

import numpy as np
import pytest

from sim.platform.front import FEATURE_OF, SERVICE_OF
from sim.platform.gateway import Degradation, Fanout, Feature
from sim.platform.home import HomeScreen
from sim.platform.meter import Sample
from sim.scenario.gateway import DegradationSpec, Part, Screens
from sim.vocabulary import Svc

MEANS_S = {Svc.CATALOGUE: 0.006, Svc.INVENTORY: 0.003, Svc.ORDERS: 0.015}
VIEWS = 200_000


def sampled(mean_s: float, failed: float = 0.0, ahead_s: float = 0.0) -> Sample:
    """A service whose calls wait for those ahead and then take exponential work."""
    p50_s, p99_s = ahead_s + mean_s * math.log(2), ahead_s + mean_s * math.log(100)
    return Sample(1000.0, 1000.0 * failed, 0, 67, p50_s, p99_s, 0.5, 0, 3, ahead_s)


def services(**others: Sample) -> list[Sample]:
    return [others.get(service.name.lower(), sampled(MEANS_S.get(service, 0.005))) for service in Svc]


def a_home(off: int = 0, screens: Screens | None = None, down: tuple[Svc, ...] = ()) -> HomeScreen:
    degradation = Degradation(DegradationSpec())
    degradation.off = off
    return HomeScreen(screens or Screens(), degradation, lambda service, page: page or service not in down)


def drawn(samples: list[Sample], off: int = 0, screens: Screens | None = None) -> tuple[float, float, float, float]:
    """The same four figures over views drawn one by one."""
    screens, degradation = screens or Screens(), Degradation(DegradationSpec())
    degradation.off = off
    luck, columns = np.random.default_rng(4), []
    for part in screens.home:
        feature = FEATURE_OF.get(part.service)
        if feature is not None and not degradation.enabled(feature):
            columns.append(np.full(VIEWS, -1.0))
            continue
        sample = samples[SERVICE_OF[part.service]]
        mean_s = (sample.p50_s - sample.backlog_s) / math.log(2)
        took_s = sample.backlog_s + luck.exponential(mean_s * part.work, VIEWS)
        took_s[luck.random(VIEWS) < sample.errors / sample.calls] = math.inf
        columns.append(took_s)
    fanout = Fanout(screens.home)
    rows = [fanout.screen_s(row, screens.deadline_s) for row in np.column_stack(columns).tolist()]
    took, late = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    shown = took[took < math.inf]
    half_s, most_s = np.quantile(shown, (0.5, 0.99))
    return float(half_s), float(most_s), 1.0 - len(shown) / VIEWS, float(late.mean())


def agree(found: tuple[float, float, float, float], one_by_one: tuple[float, float, float, float]) -> None:
    assert found[0] == pytest.approx(one_by_one[0], rel=0.03)
    assert found[1] == pytest.approx(one_by_one[1], rel=0.03)
    assert found[2] == pytest.approx(one_by_one[2], abs=0.005)
    assert found[3] == pytest.approx(one_by_one[3], rel=0.05, abs=0.002)


@pytest.mark.parametrize(
    "samples",
    [
        services(),
        services(catalogue=sampled(0.05)),  # slow: recommendations are dropped, the page itself is waited for
        services(orders=sampled(0.2)),  # only loyalty asks: the deadline is the longest anybody waits
        services(orders=sampled(0.015, failed=0.4)),  # the same where it fails
        services(inventory=sampled(0.003, failed=0.25)),  # a view without stock is none
        services(catalogue=sampled(0.006, ahead_s=0.08)),  # a queue: what asks for twice the work waits once
        services(catalogue=sampled(0.006, ahead_s=0.4)),
    ],
)
def test_views_worked_out_are_as_views_one_by_one(samples: list[Sample]) -> None:
    one_by_one, home = drawn(samples), a_home()
    agree(home.look(samples), one_by_one)
    home.look(services())
    agree(home.look(samples), one_by_one)  # whatever was before


def test_the_next_look_is_a_step_from_the_last_and_as_good() -> None:
    home, luck = a_home(), np.random.default_rng(7)
    searched = 0
    search = home._searched

    def counted(*given: object) -> tuple[float, float, float, float]:
        nonlocal searched
        searched += 1
        return search(*given)  # type: ignore[arg-type]

    home._searched = counted  # type: ignore[method-assign, assignment]
    for _ in range(300):
        samples = [sampled(MEANS_S.get(service, 0.005) * luck.uniform(0.9, 1.1)) for service in Svc]
        found, afresh = home.look(samples), a_home().look(samples)
        assert found[0] == pytest.approx(afresh[0], rel=0.02)
        assert found[1] == pytest.approx(afresh[1], rel=0.02)
    assert searched < 100


def test_a_service_that_slows_down_by_and_by_is_given_up_at_the_deadline_all_the_same() -> None:
    home = a_home()
    for step in range(60):
        samples = services(catalogue=sampled(0.006 * 1.05**step))
        assert home.look(samples) == pytest.approx(a_home().look(samples), rel=0.02, abs=2e-3)
    assert home.look(samples)[3] > 0.5


def test_a_feature_that_is_off_is_not_asked() -> None:
    slow = services(catalogue=sampled(0.05))
    with_all, without = a_home().look(slow), a_home(off=1).look(slow)
    assert Degradation(DegradationSpec()).features[0] is Feature.RECOMMENDATIONS
    agree(without, drawn(slow, off=1))
    assert with_all[3] > without[3] + 0.2, "nobody misses what was not asked for"
    assert without[0] < with_all[0]


def test_where_nobody_asks_there_is_nothing_to_wait_for() -> None:
    idle = Sample(0, 0, 0, 0, math.nan, math.nan, 0, 0, 3, 0)
    assert a_home().look([idle for _ in Svc]) == (0.0, 0.0, 0.0, 0.0)
    some = services(orders=idle, catalogue=idle)
    assert a_home().look(some)[:2] == pytest.approx((some[Svc.INVENTORY].p50_s, some[Svc.INVENTORY].p99_s), rel=2e-3)


def test_a_service_that_is_down_takes_the_screen_with_it_only_where_it_is_required() -> None:
    down = Sample(1000.0, 1000.0, 0, 67, math.nan, math.nan, 0, 0, 0, 0)
    assert a_home().look(services(inventory=down))[2] == 1.0
    deadline_s = Screens().deadline_s
    assert a_home().look(services(orders=down)) == pytest.approx((deadline_s, deadline_s, 0.0, 1.0), rel=1e-4)


def test_a_service_that_is_down_is_missed_by_a_screen_though_nobody_else_asked_it() -> None:
    """The cache has the page itself; promotions and recommendations are not in it."""
    found = a_home(down=(Svc.CATALOGUE,)).look(services(catalogue=Sample(0, 0, 0, 0, math.nan, math.nan, 0, 0, 0, 0)))
    deadline_s = Screens().deadline_s
    assert found == pytest.approx((deadline_s, deadline_s, 0.0, 2.0), rel=1e-4)
    found = a_home(down=(Svc.INVENTORY,)).look(services(inventory=Sample(0, 0, 0, 0, math.nan, math.nan, 0, 0, 0, 0)))
    assert found[2] == 1.0


def test_a_scenario_says_what_the_screen_asks_for() -> None:
    screens = Screens(
        home=(Part(service="payments", work=0.0), Part(service="tracking", work=3.0, required=False)), deadline_s=0.05
    )
    samples = services(payments=sampled(0.01, ahead_s=0.02), tracking=sampled(0.01))
    for _ in range(2):  # once afresh, once from there
        agree(a_home(screens=screens).look(samples), drawn(samples, screens=screens))
