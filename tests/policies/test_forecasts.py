"""Forecasts on the menu: what each expects of the days to come, given what was sold."""

import sys
from typing import Any

import numpy as np
import pytest

from sim.contracts import ForecastView, SalesHistory, TrainedForecast
from sim.menu import build_policy, menu
from sim.vocabulary import InputError, StoreId

PATTERN = np.array([4, 2, 2, 6, 9, 14, 5])  # Monday first
SKUS = 400


def policy(spec: str) -> Any:
    return build_policy("forecast", spec, "test", allow_code=False)


def view(sold: Any, *, believed: Any = None, share: Any = None, first: int = 0, ahead: int = 7) -> ForecastView:
    """A store's view after days of which the first is a `first` weekday."""
    sold = np.asarray(sold)
    days, skus = sold.shape
    return ForecastView(
        store=StoreId(0), now_s=0.0, weekdays=(first + np.arange(days)) % 7, sold=sold,
        open_share=np.ones(days) if share is None else np.asarray(share, dtype=float),
        believed=np.full(skus, 3.0) if believed is None else np.asarray(believed, dtype=float),
        ahead=(first + days + np.arange(ahead)) % 7,
    )  # fmt: skip


def weekly(days: int, first: int = 0) -> Any:
    """What two SKUs sell without noise, the second three times as much."""
    return PATTERN[(first + np.arange(days)) % 7][:, None] * np.array([1, 3])


def lesson(seed: int, days: int = 35, stores: int = 2) -> SalesHistory:
    """Sales of SKUs of Zipf's popularity with a weekly pattern."""
    weekdays = np.arange(days) % 7
    mean = 40.0 * np.arange(1, SKUS + 1) ** -0.9 * (PATTERN / PATTERN.mean())[weekdays][:, None]
    sold = np.random.default_rng(seed).poisson(mean[:, None, :], (days, stores, SKUS))
    return SalesHistory(weekdays, sold, np.ones(days))


@pytest.fixture(scope="module")
def boosted() -> Any:
    pytest.importorskip("sklearn", reason="the extra darkstore[forecast] is not installed")
    return policy("gradient_boosting(belief_units=0)").trained(lesson(1))


# -- what they share ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(menu()["forecast"]))
def test_every_forecast_keeps_the_contract(name: str, request: Any) -> None:
    """Units for each day ahead and SKU, finite, not negative, whatever there is of a history; or None."""
    forecast = request.getfixturevalue("boosted") if name == "gradient_boosting" else policy(name)
    assert 0 <= forecast.history_days <= 56
    sold = np.random.default_rng(2).poisson(2.0, (30, 5))
    for history, share in (
        (sold, None), (sold[:0], None), (sold[:1], [0.0]), (sold[:1], [0.3]), (sold * 0, None), (sold, np.arange(30) % 2),
    ):  # fmt: skip
        for believed in (np.full(5, 2.0), np.zeros(5)):
            answer = forecast(view(history, share=share, believed=believed, ahead=9))
            if answer is None:
                assert name == "known"
                continue
            assert answer.shape == (9, 5)
            assert answer.dtype == np.float64
            assert (np.isfinite(answer) & (answer >= 0)).all()
            np.testing.assert_array_equal(answer[:2], answer[7:])
            if not len(history):
                np.testing.assert_array_equal(answer, np.tile(believed, (9, 1)))


@pytest.mark.parametrize("spec", ["naive_seasonal", "exponential_smoothing"])
def test_a_belief_gives_way_to_what_is_sold(spec: str) -> None:
    """The longer the history, the closer to it; a wrong belief of a fast seller is forgotten in eight weeks."""
    far = [abs(policy(spec)(view(np.full((days, 1), 10), believed=[30.0]))[0, 0] - 10.0) for days in (0, 7, 28, 56)]
    assert far == sorted(far, reverse=True)
    assert far[0] == 20.0
    assert far[-1] < 0.1


# -- naive seasonal -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, 3])
@pytest.mark.parametrize("weeks", [1, 4])
def test_naive_seasonal_repeats_a_weekly_pattern_exactly(first: int, weeks: int) -> None:
    forecast = policy(f"naive_seasonal(weeks={weeks}, belief_units=0)")
    assert forecast.history_days == 7 * weeks
    np.testing.assert_array_equal(forecast(view(weekly(28, first), first=first)), weekly(35, first)[28:])


def test_naive_seasonal_takes_half_a_day_for_half_a_day() -> None:
    share = np.ones(7)
    share[0] = 0.5
    sold = weekly(7)
    sold[0] = sold[0] // 2
    np.testing.assert_array_equal(policy("naive_seasonal(belief_units=0)")(view(sold, share=share)), weekly(7))


# -- exponential smoothing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.1, 0.3, 1.0])
def test_exponential_smoothing_follows_a_change_of_level_at_its_rate(alpha: float) -> None:
    """After n days, (1 - alpha)^n of the way is left."""
    forecast = policy(f"exponential_smoothing(alpha={alpha}, gamma=0)")
    for days in (1, 5, 20):
        found = forecast(view(np.full((days, 1), 10), believed=[4.0]))[0, 0]
        assert 10.0 - found == pytest.approx(6.0 * (1.0 - alpha) ** days, abs=1e-12)


def test_exponential_smoothing_stays_with_a_constant_and_finds_a_weekly_pattern() -> None:
    np.testing.assert_allclose(policy("exponential_smoothing")(view(np.full((30, 2), 6), believed=[6, 6])), 6.0)
    found = policy("exponential_smoothing(alpha=0.4)")(view(weekly(56, 2), first=2))
    np.testing.assert_allclose(found, weekly(63, 2)[56:], rtol=1e-6)


def test_weekly_factors_follow_a_new_week_at_their_rate() -> None:
    flat, forecast = np.full((21, 1), 6), policy("exponential_smoothing(gamma=0.25)")
    new = np.concatenate([flat, weekly(7)[:, :1]])
    expected = 1.0 + 0.25 * (PATTERN / PATTERN.mean() - 1.0)
    np.testing.assert_allclose(forecast.factors(view(new)), expected)
    np.testing.assert_allclose(forecast.factors(view(np.concatenate([new, flat]))), 1.0 + 0.75**3 * (expected - 1.0))


def test_a_day_that_stores_are_closed_teaches_nothing_about_the_level() -> None:
    share = np.ones(14)
    share[[6, 13]] = 0.0
    sold = np.where(share[:, None] > 0, 6, 0)
    np.testing.assert_allclose(policy("exponential_smoothing")(view(sold, share=share, believed=[6.0])), 6.0)


# -- gradient boosting ----------------------------------------------------------------------------------------------


def error(forecast: Any, history: SalesHistory, truth: Any) -> float:
    """WAPE of a week's forecast for the first store, against the mean that the sales were drawn from."""
    seen = view(history.sold[:, 0], believed=history.sold[:, 0].mean(axis=0))
    return float(np.abs(forecast(seen) - truth).sum() / truth.sum())


def test_gradient_boosting_beats_naive_where_popularity_and_the_week_matter(boosted: Any) -> None:
    truth = 40.0 * np.arange(1, SKUS + 1) ** -0.9 * (PATTERN / PATTERN.mean())[:, None]
    history = SalesHistory(*(column[:28] for column in lesson(77)))
    naive = error(policy("naive_seasonal(belief_units=0)"), history, truth)
    assert error(boosted, history, truth) < 0.75 * naive


def test_gradient_boosting_learns_the_same_every_time_on_any_number_of_threads(boosted: Any) -> None:
    from threadpoolctl import threadpool_limits

    seen = view(lesson(5).sold[:28, 0], believed=np.ones(SKUS))
    again = policy("gradient_boosting(belief_units=0)").trained(lesson(1))
    np.testing.assert_array_equal(boosted(seen), again(seen))
    with threadpool_limits(limits=2, user_api="openmp"):
        signs = np.random.default_rng(1).random((500, 5))
        np.testing.assert_array_equal(boosted.model.predict(signs), again.model.predict(signs))


def test_gradient_boosting_serves_a_store_of_another_size(boosted: Any) -> None:
    """What was learned is a ratio to the level, so three times the sales are three times the forecast."""
    history = lesson(6).sold[:28, 0]
    small, large = (boosted(view(sold, believed=np.ones(SKUS))).sum() for sold in (history, history * 3))
    assert large / small == pytest.approx(3.0, rel=0.05)


def test_gradient_boosting_learns_from_whole_days_only_and_needs_three_weeks() -> None:
    pytest.importorskip("sklearn", reason="the extra darkstore[forecast] is not installed")
    history = lesson(1, days=21)
    partly = history._replace(open_share=np.where(np.arange(21) < 20, 1.0, 0.5))
    with pytest.raises(InputError, match=r"trained_on: expected a run of 21 whole days or more, got one of 20\."):
        policy("gradient_boosting").trained(partly)
    assert policy("gradient_boosting(trees=1)").trained(history) is not None


def test_without_the_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(InputError, match=r"expected scikit-learn .* pip install 'darkstore\[forecast\]'\.$"):
        policy("gradient_boosting").trained(lesson(1))


def test_only_what_learns_is_trained() -> None:
    learns = {name for name in menu()["forecast"] if isinstance(policy(name), TrainedForecast)}
    assert learns == {"gradient_boosting"}
    with pytest.raises(InputError, match="trained before it is asked"):
        policy("gradient_boosting")(view(weekly(7)))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("naive_seasonal(weeks=0)", "1 <= weeks <= 8"),
        ("naive_seasonal(weeks=9)", "1 <= weeks <= 8"),
        ("exponential_smoothing(alpha=0)", "0 < alpha <= 1"),
        ("exponential_smoothing(gamma=1.1)", "0 <= gamma <= 1"),
        ("gradient_boosting(trees=0)", "trees >= 1"),
        ("gradient_boosting(belief_units=-1)", "belief_units >= 0"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(spec: str, said: str) -> None:
    with pytest.raises(InputError, match=f"Expected {said}"):
        policy(spec)
