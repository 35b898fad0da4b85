"""What is sold: popularity, prices, volumes and the opening stock."""

from typing import Any

import numpy as np
import pytest

from sim.scenario import load_text
from sim.streams import Streams
from sim.world.build import build_world
from sim.world.catalogue import make_catalogue


def test_popularity_is_zipf_and_categories_have_their_shares() -> None:
    scenario = load_text("")
    catalogue = make_catalogue(scenario, Streams(1))
    assert catalogue.skus == 4000
    assert catalogue.popularity.sum() == pytest.approx(1)
    np.testing.assert_allclose(catalogue.popularity / catalogue.popularity[0], np.arange(1, 4001) ** -0.8)
    counts = np.bincount(catalogue.category)
    for number, category in enumerate(scenario.catalogue.categories):
        assert counts[number] == round(category.share * 4000)
        mine = catalogue.category == number
        assert (catalogue.litres[mine] == category.litres).all()
        n = int(counts[number])
        assert catalogue.price_cents[mine].mean() == pytest.approx(category.price_cents, rel=5 * 0.6 / np.sqrt(n))
    assert (catalogue.price_cents >= 1).all()
    assert catalogue.price_cents.dtype == np.int64


@pytest.mark.parametrize("skus", [1, 2, 7, 9999])
def test_any_number_of_skus(skus: int) -> None:
    catalogue = make_catalogue(load_text("", (f"catalogue.skus={skus}",)), Streams(1))
    for column in (catalogue.popularity, catalogue.category, catalogue.price_cents, catalogue.litres):
        assert len(column) == skus


def test_prices_without_scatter_are_the_means() -> None:
    catalogue = make_catalogue(load_text("", ("catalogue.price_cv=0",)), Streams(9))
    means = np.array([c.price_cents for c in load_text("").catalogue.categories])
    np.testing.assert_array_equal(catalogue.price_cents, means[catalogue.category])


def test_one_sku_can_be_sold_too(one_store: Any, play: Any) -> None:
    played = play(one_store("catalogue.skus=1", "pickers.mispick_share=0.5", "demand.orders_per_day=240"))
    assert played.study.summary["orders"]["delivered"] > 5
    assert played.outcome.state.differences(played.replayed()) == []


def test_the_opening_covers_the_expected_days(two_stores: Any) -> None:
    world = build_world(two_stores("supply={cover_days: 3, units_min: 2}"))
    mean = world.daily_demand * 3
    np.testing.assert_array_equal(world.opening.shelf, np.maximum(np.ceil(mean + 2 * np.sqrt(mean)), 2))
    basket = world.scenario.demand.basket
    assert world.daily_demand.sum() == pytest.approx(2400 * basket.lines_mean * basket.units_mean)


def test_a_flash_sale_may_set_its_own_stock(two_stores: Any) -> None:
    sales = "{at: '12:30', seconds: 10, buyers: 5, sku: 4, stock: 77}, {at: '12:40', seconds: 10, buyers: 5, sku: 9, stock: 0}"
    sale = f"demand.flash_sales=[{sales}]"
    shelf = build_world(two_stores(sale)).opening.shelf
    assert (shelf[:, 4] == 77).all()
    assert (shelf[:, 9] == 0).all()


def test_the_forecast_matches_what_is_bought(two_stores: Any) -> None:
    """Expected units a day are what an average day brings; merging equal lines of a basket loses none."""
    scenario = two_stores("demand.orders_per_day=100000", "catalogue.skus=40")
    world = build_world(scenario)
    share = world.scenario.horizon_h / 24
    bought = np.bincount(world.trace.sku, weights=world.trace.units, minlength=40)
    expected = world.daily_demand.sum(axis=0) * share
    # Units of a line scatter (geometric), so a count has about 1.6 times the variance of a Poisson count.
    assert (np.abs(bought - expected) < 6 * np.sqrt(1.6 * expected)).all()
    assert bought.sum() / expected.sum() == pytest.approx(1, abs=0.03)
