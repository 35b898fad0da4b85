"""What guards callers, in whole runs: the scenario says when a breaker opens and how many retries the budget grants."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from sim.vocabulary import BreakerName, BreakerState

CLOSED, OPEN, HALF_OPEN = BreakerState

BEGAN_S, LASTS_S = 600.0, 1200.0
"""The provider is down for twenty minutes."""

DAY = ("horizon_h=0.75", "drain_h=0.25", "demand.orders_per_day=14400", "customers.patience_s=null")
"""Ten orders a minute."""

SURE = "payments={methods: {card: 1}, lost_answer_share: 0, decline_share: 0}"
"""All are paid, and every answer comes while the provider is up."""

ONCE, NO_BREAKER = "platform.retries={budget_ratio: 0, budget_most: 0.5}", "platform.breaker.enabled=false"


class Asked:
    """When the provider was asked in a day, by whom, when it did not answer, and what its breaker did."""

    def __init__(self, played: Any) -> None:
        rows, moves = played.rows("payment_asked"), played.rows("breaker_moved")
        moves = moves[moves["breaker"] == BreakerName.PROVIDER]
        self.t_s, self.orders = rows["t_s"], len(set(rows["order"].tolist()))
        self.unheard_s = played.rows("payment_unknown")["t_s"]
        self.moves = list(zip(moves["t_s"].tolist(), moves["breaker_state"].tolist(), strict=True))

    @property
    def retries(self) -> int:
        return len(self.t_s) - self.orders

    def calls(self, begin_s: float = BEGAN_S, end_s: float = BEGAN_S + LASTS_S) -> int:
        return int(((self.t_s >= begin_s) & (self.t_s < end_s)).sum())

    def failed_until_open(self) -> int:
        (opened_s, state), *_ = self.moves
        assert state == OPEN
        return int((self.unheard_s <= opened_s).sum())


Asks = Callable[..., Asked]


@pytest.fixture
def outage(one_store: Any, play: Any) -> Asks:
    """Run a day with some settings on which the provider is down from 12:10, or from another time on."""

    def run(*settings: str, at: str = "12:10") -> Asked:
        down = f"faults=[{{kind: provider_outage, at: '{at}', minutes: {int(LASTS_S / 60.0)}}}]"
        return Asked(play(one_store(*DAY, SURE, down, *settings)))

    return run


# -- the breaker -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("window", "share"), [(20, 0.5), (20, 0.25), (60, 0.5), (60, 0.1), (4, 1.0)])
def test_a_breaker_opens_when_the_scenarios_share_of_its_window_has_failed(
    outage: Asks, window: int, share: float
) -> None:
    day = outage(ONCE, f"platform.breaker={{window: {window}, share: {share}, least: 1}}")
    assert day.failed_until_open() == window * share, "ten minutes of answers have filled the window"


@pytest.mark.parametrize("least", [1, 10, 35])
def test_a_breaker_judges_no_fewer_calls_than_the_scenario_says(outage: Asks, least: int) -> None:
    day = outage(ONCE, f"platform.breaker={{window: 100, share: 0.1, least: {least}}}", at="12:00")
    assert day.failed_until_open() == least, "nobody has ever been answered"


@pytest.mark.parametrize("open_s", [10.0, 30.0, 200.0])
def test_an_open_breaker_lets_nobody_ask_for_as_long_as_the_scenario_says(outage: Asks, open_s: float) -> None:
    day = outage(ONCE, f"platform.breaker.open_s={open_s}")
    spans = [(since_s, until_s) for (since_s, state), (until_s, _) in pairwise(day.moves) if state == OPEN]
    assert len(spans) > 3
    for since_s, until_s in spans:
        assert open_s <= until_s - since_s < open_s + 60.0, "whoever orders next is let through"
        assert day.calls(since_s, until_s) == 0


@pytest.mark.parametrize("trials", [1, 3, 8])
def test_a_breaker_closes_after_as_many_good_trials_as_the_scenario_says(outage: Asks, trials: int) -> None:
    day = outage(ONCE, f"platform.breaker.trials={trials}")
    (half_s, half), (closed_s, closed) = day.moves[-2:]
    assert (half, closed) == (HALF_OPEN, CLOSED)
    assert day.calls(half_s, closed_s) == trials


@pytest.mark.parametrize(
    ("wary", "trusting"),
    [
        ("window: 20", "window: 200"),
        ("window: 400, share: 0.1", "window: 400, share: 0.1, least: 200"),
        ("share: 0.1", "share: 1.0"),
        ("open_s: 600", "open_s: 5"),
        ("trials: 1", "trials: 20"),
        ("enabled: true", "enabled: false"),
    ],
)
def test_a_warier_breaker_spares_a_provider_that_is_down(outage: Asks, wary: str, trusting: str) -> None:
    few, many = (outage(ONCE, f"platform.breaker={{{rule}}}").calls() for rule in (wary, trusting))
    assert 0 < few < 0.9 * many


# -- the retry budget --------------------------------------------------------------------------------------------------


def test_with_a_budget_a_provider_that_is_down_is_asked_about_half_as_often(outage: Asks) -> None:
    thrifty, free = (
        outage(NO_BREAKER, f"platform.retries={{budget: {on}, budget_ratio: 0.05, budget_most: 2}}")
        for on in ("true", "false")
    )
    assert free.calls() > 300
    assert 0.4 * free.calls() < thrifty.calls() < 0.6 * free.calls(), "without one everybody asks twice"


@pytest.mark.parametrize("most", [1, 7, 30])
def test_no_more_retries_are_saved_up_than_the_scenario_says(outage: Asks, most: int) -> None:
    assert outage(NO_BREAKER, f"platform.retries={{budget_ratio: 0, budget_most: {most}}}").retries == most


def test_the_more_retries_a_call_earns_the_more_are_made(one_store: Any, play: Any) -> None:
    """The provider is up, and four in five of its answers are lost."""
    lossy, ratios = "payments={methods: {card: 1}, lost_answer_share: 0.8, decline_share: 0}", (0.0, 0.2, 1.0)
    retries = []
    for ratio in ratios:
        rule = f"platform.retries={{budget_ratio: {ratio}, budget_most: 2}}"
        day = Asked(play(one_store(*DAY, lossy, NO_BREAKER, rule)))
        assert day.retries <= 2 + ratio * day.orders
        retries.append(day.retries)
    assert 5 * retries[0] < retries[1]
    assert 2 * retries[1] < retries[2]
