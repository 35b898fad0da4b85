"""The office's books of sales by day, what reviews are told of the days ahead, and how good that was."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.clock import Clock
from sim.contracts import ForecastView, SalesHistory
from sim.engine import policies_of
from sim.facts import Facts
from sim.guard import guarded_policy
from sim.laws import all_laws, verdict, whole_log
from sim.opening import ready_world
from sim.platform.forecasting import Forecasting, Outlook
from sim.platform.inventory import Inventory
from sim.recording import sold_by_day
from sim.scenario import load_text
from sim.scenario.calendar import Calendar
from sim.story import tell
from sim.vocabulary import InputError, StoreId

DAY, NOON, STORE = 86_400.0, 43_200.0, StoreId(0)

# Four weeks of a small shop with a strong week, some of it short-lived.
SHOP = """
name: weekends
mode: goods_only
start: 2026-09-07T00:00+00:00
horizon_h: 672
drain_h: 0
seed: 3
map: {width_m: 0, height_m: 0, points: 1, speed_kmh: 30}
stores: {count: 1, open: "07:00-24:00", zone: {radius_m: 1000}, inaccurate_share: 0}
catalogue: {skus: 40, categories: [{name: keeps, share: 0.5, price_cents: 300, litres: 1},
                                   {name: fresh, share: 0.5, price_cents: 200, litres: 1, life_days: 2}]}
demand: {orders_per_day: 200, weekday: [0.5, 0.5, 0.6, 0.8, 1.3, 2.0, 1.3]}
shrinkage: {theft_share: 0, damage_share: 0}
slo: []
"""


class Ear(Facts):
    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []

    def forecast_judged(self, **values: Any) -> None:  # type: ignore[override]
        self.heard.append(values)


class ByWeekday:
    """Expects a hundred times the weekday, and keeps what it saw."""

    history_days = 3

    def __init__(self) -> None:
        self.views: list[ForecastView] = []

    def __call__(self, view: ForecastView) -> Any:
        self.views.append(view)
        return np.repeat(100.0 * view.ahead[:, None], 2, axis=1)


class Office:
    """One store with two SKUs, open from 08:00 to 20:00; it starts on a Wednesday at noon."""

    def __init__(self, policy: Any, before: SalesHistory | None = None, horizon_s: float = 30 * DAY) -> None:
        self.env, self.ear = Clock(), Ear()
        self.inventory = Inventory(self.ear, 1, 2, env=self.env)
        calendar = Calendar(-NOON, 2, 8 * 3600.0, 20 * 3600.0)
        told = np.array([[7.0, 9.0]])
        self.books = Forecasting(
            self.env, self.ear, self.inventory, policy, Outlook(calendar, told, horizon_s, told / 2, before)
        )
        tell(self.books.run())

    def sells(self, at_s: float, units: list[int]) -> None:
        self.env.advance(at_s)
        self.inventory.sell(np.array([0, 1]), np.array(units))


def test_an_order_is_for_the_days_that_it_must_last() -> None:
    """Each day counts by how much of its opening hours lies in the span: that of a night order is the day after it."""
    office = Office(ByWeekday())
    until = office.books.until
    assert until(STORE, NOON)[0] == 200.0, "the rest of Wednesday"
    assert until(STORE, NOON + DAY)[0] == pytest.approx((200.0 * 8 + 300.0 * 12) / 20), "and all of Thursday"
    office.env.advance(NOON + 2 * 3600.0)
    assert until(STORE, NOON + 30 * 3600.0)[0] == 300.0, "at two in the night until six in the next"
    assert until(STORE, NOON + 3 * 3600.0)[0] == 300.0, "nobody buys in between: the day to come"
    assert office.books.ordinary(STORE)[0] == 300.0, "the mean of a week"


def test_the_books_hold_whole_days_and_say_how_much_of_the_first_there_was() -> None:
    policy = ByWeekday()
    office = Office(policy)
    for day, units in enumerate(([3, 1], [5, 2], [7, 3], [9, 4], [11, 5])):
        office.sells(day * DAY + 3600.0, units)
        office.books.until(STORE, office.env.now + DAY)
    first, last = policy.views[1], policy.views[-1]
    assert first.weekdays.tolist() == [2]
    assert first.open_share.tolist() == pytest.approx([8 / 12])
    assert first.sold.tolist() == [[3, 1]]
    assert last.weekdays.tolist() == [3, 4, 5], "three days, as the policy wishes"
    assert last.sold.tolist() == [[5, 2], [7, 3], [9, 4]]
    assert last.open_share.tolist() == [1.0, 1.0, 1.0]
    assert last.ahead.tolist() == [6, 0]
    assert last.believed.tolist() == [3.5, 4.5]


def test_a_run_goes_on_with_the_books_of_the_one_before() -> None:
    """Half a Wednesday there and half of it here make a whole one."""
    before = SalesHistory(np.array([1, 2]), np.array([[[8, 8]], [[2, 4]]]), np.array([1.0, 4 / 12]))
    policy = ByWeekday()
    office = Office(policy, before)
    office.sells(3600.0, [3, 1])
    office.books.until(STORE, DAY)
    office.env.advance(NOON + 3600.0)
    office.books.until(STORE, DAY)
    assert policy.views[0].sold.tolist() == [[8, 8]]
    assert policy.views[1].sold.tolist() == [[8, 8], [5, 5]]
    assert policy.views[1].open_share.tolist() == pytest.approx([1.0, 1.0])
    left = office.books.left()
    assert left is not None
    assert left.sold.tolist() == [[[8, 8]], [[5, 5]], [[0, 0]]]
    assert left.open_share.tolist() == pytest.approx([1.0, 1.0, 0.0])
    assert [day["units"] for day in office.ear.heard] == [10], "that day was whole, and a review was told of it"


def test_a_day_is_judged_by_what_the_last_review_was_told() -> None:
    office = Office(ByWeekday())
    office.sells(NOON + 9 * 3600.0, [290, 320])
    office.books.until(STORE, office.env.now + DAY)
    office.env.advance(NOON + DAY + 1.0)
    assert office.ear.heard == [{"store": 0, "units": 610, "expected": 600.0, "off": 30.0}]
    office.env.advance(NOON + 2 * DAY + 1.0)
    assert len(office.ear.heard) == 1, "nobody was told anything of Friday"


def test_a_day_on_which_customers_stop_coming_is_not_judged() -> None:
    office = Office(ByWeekday(), horizon_s=NOON + 19 * 3600.0)
    office.env.advance(NOON + 3600.0)
    office.books.until(STORE, office.env.now + DAY)
    office.env.advance(NOON + DAY + 1.0)
    assert office.ear.heard == []


def test_whoever_is_told_the_truth_needs_no_books() -> None:
    office = Office(policies_of(load_text(SHOP)).forecast)
    assert office.books.until(STORE, DAY).tolist() == [7.0, 9.0] == office.books.ordinary(STORE).tolist()
    office.env.advance(5 * DAY)
    assert office.books.left() is None


@pytest.mark.parametrize("answer", [np.ones(2), np.ones((1, 3)), np.full((1, 2), -1.0), np.full((1, 2), np.nan)])
def test_an_answer_that_is_no_forecast_is_refused(answer: Any) -> None:
    def wrong(view: ForecastView) -> Any:
        return answer

    wrong.history_days = 0  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="expected units >= 0 for 1 days and 2 SKUs"):
        Office(wrong).books.until(STORE, 3600.0)


def test_a_users_own_forecast_is_held_to_the_contract() -> None:
    class Mine(ByWeekday):
        trained_on = "there"

        def trained(self, history: Any) -> Any:
            raise ZeroDivisionError("by the stores")

    mine = guarded_policy("forecast", Mine(), "mine.py")
    with pytest.raises(InputError, match=r"mine\.py.*ZeroDivisionError: by the stores"):
        mine.trained(None)
    Mine.history_days = 57
    with pytest.raises(InputError, match="history_days to be a whole number from 0 to 56, got 57"):
        guarded_policy("forecast", Mine(), "mine.py")


def test_the_calendar_knows_windows_that_end_past_midnight() -> None:
    calendar = Calendar(0.0, 6, 18 * 3600.0, 26 * 3600.0)
    assert calendar.open_s(0.0, DAY) == 8 * 3600.0
    assert calendar.open_share(3, 3 * DAY, 3 * DAY + 3600.0) == 1 / 8
    assert calendar.open_share(3, 4 * DAY, 5 * DAY) == 0.0
    assert [calendar.weekday(day) for day in (0, 1, 7)] == [6, 0, 6]


# -- in a run -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("saga", ["reserve_then_pay", "confirm_first"])
@pytest.mark.parametrize("reservation", ["optimistic", "none"])
def test_books_and_log_agree_in_a_full_run(two_stores: Any, play: Any, reservation: str, saga: str) -> None:
    day = play(
        two_stores(
            f"policies.reservation={reservation}", f"policies.saga={saga}", "supply.cover_days=0.05", "supply.units_min=1",
            "pickers.mispick_share=0.1", "policies.forecast=naive_seasonal",
        )
    )  # fmt: skip
    left = day.outcome.left.sold
    found = sold_by_day(day.archive, day.world.scenario.midnight_s, range(1), left.sold.shape[1:])
    np.testing.assert_array_equal(found, left.sold)
    assert found.sum() > 100


def test_books_and_log_agree_in_a_goods_only_run(play: Any) -> None:
    for unmet in ("lost", "backorder"):
        shop = play(load_text(SHOP, ["policies.forecast=exponential_smoothing", f"unmet={unmet}", "supply.lead_h=20"]))
        left = shop.outcome.left.sold
        assert len(left.sold) == 29
        found = sold_by_day(shop.archive, 0.0, range(29), left.sold.shape[1:])
        np.testing.assert_array_equal(found, left.sold)
        judged = shop.rows("forecast_judged")
        assert len(judged) == 27, "every whole day that ended before the close"
        np.testing.assert_array_equal(judged["units"], found.sum(axis=(1, 2))[:27])
        expected = shop.study.summary["forecast"]
        assert expected["total_wape"] == pytest.approx(
            np.abs(judged["expected"] - judged["units"]).sum() / judged["units"].sum()
        )
        assert expected["wape"] > expected["total_wape"] >= abs(expected["bias"])


@pytest.mark.parametrize("name", ["naive_seasonal", "exponential_smoothing(alpha=1)"])
def test_the_laws_hold_when_the_office_is_wrong_about_demand(play: Any, name: str) -> None:
    rough = ["shrinkage={theft_share: 0.05, damage_share: 0.03}", "stores.inaccurate_share=0.2", "supply.belief_cv=2"]
    world = ready_world(load_text(SHOP, [*rough, f"policies.forecast={name}", "horizon_h=240"]))
    laws = all_laws(world)
    shop = play(world, laws=laws)
    assert verdict(laws) + whole_log(shop.archive, shop.outcome.state) == []
    assert shop.replayed().differences(shop.outcome.state) == []


FLAT = "demand.weekday=[1, 1, 1, 1, 1, 1, 1]"
SPECS = ("known", "naive_seasonal", "exponential_smoothing", "gradient_boosting")


@pytest.fixture(scope="module")
def fleet(play: Any, tmp_path_factory: Any) -> Any:
    """Runs of the shop by forecast and demand; what boosting learns from is another seed of the same demand."""
    from sim.experiments.runs import run_to_folder

    pytest.importorskip("sklearn", reason="the extra darkstore[forecast] is not installed")
    found: dict[tuple[str, str], Any] = {}

    def run(name: str, demand: str) -> Any:
        if (name, demand) not in found:
            spec, more = name, [demand] if demand else []
            if name == "gradient_boosting":
                folder = tmp_path_factory.mktemp("lesson") / "run"
                taught = [
                    "policies.forecast=exponential_smoothing",
                    "policies.replenishment='order_up_to(z=4)'",
                    "seed=8",
                ]
                run_to_folder(load_text(SHOP, [*taught, *more]), folder)
                spec = f"\"gradient_boosting(trained_on='{folder}')\""
            months = ["policies.replenishment='order_up_to(z=1.3, units_min=1)'", "horizon_h=1344", "warmup_h=672"]
            found[name, demand] = play(load_text(SHOP, [f"policies.forecast={spec}", *months, *more]))
        return found[name, demand].study.summary

    return run


@pytest.mark.parametrize("name", SPECS[1:])
def test_where_all_days_are_alike_a_forecast_fills_nearly_what_the_truth_does(fleet: Any, name: str) -> None:
    known, found = fleet("known", FLAT), fleet(name, FLAT)
    assert abs(found["fill_rate"] - known["fill_rate"]) < 0.03
    assert found["forecast"]["wape"] < 1.3 * known["forecast"]["wape"]
    assert abs(found["forecast"]["bias"]) < 0.06


@pytest.mark.parametrize("name", SPECS[1:])
def test_where_the_week_matters_every_forecast_beats_the_known_mean(fleet: Any, name: str) -> None:
    """More is sold of less that is thrown away: the truth of an ordinary day says nothing of a Saturday."""
    known, found = fleet("known", ""), fleet(name, "")
    assert found["fill_rate"] > known["fill_rate"] + 0.02
    assert found["losses"]["waste_share"] < known["losses"]["waste_share"]
    assert found["forecast"]["total_wape"] < 0.4 * known["forecast"]["total_wape"]


def test_where_demand_is_not_what_it_was_smoothing_beats_the_known_mean(fleet: Any) -> None:
    rain = "demand.weather.demand_factor=1.5"
    assert fleet("exponential_smoothing", rain)["fill_rate"] > fleet("known", rain)["fill_rate"] + 0.03


def test_a_run_to_learn_from_that_will_not_do_is_refused_in_one_line(tmp_path: Path, play: Any) -> None:
    from sim.experiments.runs import run_to_folder

    def spec(folder: Any) -> list[str]:
        return [f"policies.forecast=\"gradient_boosting(trained_on='{folder}')\"", "horizon_h=24"]

    with pytest.raises(InputError, match=r"trained_on: expected a finished run's folder, got .* without summary.json"):
        play(load_text(SHOP, spec(tmp_path / "nothing")))
    run_to_folder(load_text(SHOP, ["horizon_h=24"]), tmp_path / "day")
    with pytest.raises(InputError, match=r"expected a run with 41 SKUs, got .* with 40\."):
        play(load_text(SHOP, [*spec(tmp_path / "day"), "catalogue.skus=41"]))
    with pytest.raises(InputError, match="expected a run of 21 whole days or more, got one of 1"):
        play(load_text(SHOP, spec(tmp_path / "day")))
    with pytest.raises(InputError, match="expected trained_on=FOLDER"):
        play(load_text(SHOP, ["policies.forecast=gradient_boosting"]))
    (tmp_path / "day" / "manifest.json").write_text("{}")
    with pytest.raises(InputError, match=r"with a manifest.json that will not do \(KeyError\)"):
        play(load_text(SHOP, spec(tmp_path / "day")))
