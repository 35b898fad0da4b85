"""The scenario's market: what is sold, who orders it, and how long rides take."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, field_validator

from sim.scenario.fields import (
    JUDGEMENT,
    AboveZero,
    Branch,
    Clock,
    Count,
    Factor,
    NonNegative,
    Positive,
    Share,
    Spread,
    Window,
    given,
)


class Category(Branch):
    """A kind of goods."""

    name: str
    share: Share
    price_cents: Annotated[AboveZero, Field(le=10_000_000)]
    litres: Annotated[AboveZero, Field(le=10_000)]
    zone: Literal["ambient", "chilled", "frozen", "restricted"] = given(
        "ambient", "-", "where it is kept in a store whose stores.layout has such zones"
    )
    cost_share: Share = given(
        0.72,
        "gross margins of US food retailers: 29.3 % of sales in 2007 (Labor Accounts for Nearly Half of Food Industry Operating"
        " Costs); a small chain buys dearer",
        "purchase price as a share of the price without tax",
    )  # fmt: skip
    life_days: Positive | None = given(
        None,
        JUDGEMENT,
        "days after which what came is thrown away, counted in looks at `supply.look_at`; none: it keeps",
    )
    restricted: bool = given(
        False, "-", "sold to adults only: the driver checks the customer's age at the door; see drivers.rules"
    )
    returnable: bool = given(True, "-", "what a driver brings back is put on the shelf again; false: it is thrown away")


class Catalogue(Branch):
    """What is sold: SKUs with popularity, price and volume."""

    skus: Positive = given(4000, "2,000-4,000 SKUs are usual for a dark store", "stock-keeping units in each store")
    zipf: NonNegative = given(
        0.8, "judgement: the top fifth of SKUs then makes two thirds of sales", "exponent of popularity by rank"
    )
    price_cv: Spread = given(0.6, JUDGEMENT, "coefficient of variation of prices within a category")
    categories: tuple[Category, ...] = given(
        lambda: (
            Category(name="fresh", share=0.2, price_cents=280, litres=1.2, zone="chilled", life_days=5, returnable=False),
            Category(name="chilled", share=0.2, price_cents=320, litres=0.8, zone="chilled", life_days=14, returnable=False),
            Category(name="frozen", share=0.1, price_cents=520, litres=1.5, zone="frozen", returnable=False),
            Category(name="ambient", share=0.25, price_cents=300, litres=0.9),
            Category(name="drinks", share=0.15, price_cents=260, litres=1.5),
            Category(name="household", share=0.1, price_cents=600, litres=2.5),
        ),
        JUDGEMENT, "kinds of goods: share of SKUs, mean price, mean volume",
    )  # fmt: skip

    @field_validator("categories")
    @classmethod
    def _whole(cls, categories: tuple[Category, ...]) -> tuple[Category, ...]:
        total = sum(category.share for category in categories)
        if abs(total - 1) > 1e-6:
            raise ValueError(f"shares of the categories that sum to 1, got {total:g}")
        names = [category.name for category in categories]
        if len(set(names)) < len(names):
            raise ValueError(f"categories with different names, got {', '.join(names)}")
        return categories


class Weather(Branch):
    """What the weather does to everybody."""

    demand_factor: Factor = given(1.0, "a dry day", "multiplies the rate of orders")
    ride_factor: Annotated[AboveZero, Field(le=100)] = given(1.0, "a dry day", "multiplies every ride's true time")
    grounded: tuple[Window, ...] = given(
        (), "a calm day", 'hours "HH:MM-HH:MM" of wind or rain in which nothing flies, every day'
    )


class Surge(Branch):
    """A stretch of unusual demand."""

    at: Clock
    minutes: AboveZero
    factor: Factor


class FlashSale(Branch):
    """Many buyers of one SKU at once, on top of the day's demand."""

    at: Clock
    seconds: Annotated[AboveZero, Field(le=86_400)]
    buyers: Annotated[Positive, Field(le=20_000_000)]
    sku: Count = given(0, "the most popular", "the SKU on sale, by popularity rank")
    units: Annotated[Positive, Field(le=1000)] = given(1, "-", "units each buyer wants")
    stock: Annotated[Count, Field(le=10_000_000)] | None = given(
        None, "-", "opening stock of the SKU in each store; none: as replenished"
    )


class Basket(Branch):
    """What one order holds."""

    lines_mean: Annotated[float, Field(strict=True, ge=1, le=1000)] = given(
        5.0, JUDGEMENT, "mean lines per order (1 + Poisson)"
    )
    units_mean: Annotated[float, Field(strict=True, ge=1, le=1000)] = given(
        1.3, JUDGEMENT, "mean units per line (geometric)"
    )


Hourly = Annotated[tuple[NonNegative, ...], Field(min_length=24, max_length=24)]
Weekly = Annotated[tuple[NonNegative, ...], Field(min_length=7, max_length=7)]


class Demand(Branch):
    """Who orders what, when and where."""

    orders_per_day: Annotated[NonNegative, Field(le=20_000_000)] = given(
        8000.0, "18 orders a day per 1,000 people, a mature service", "orders on a normal day"
    )
    profile: Hourly = given(
        lambda: (0.1, 0, 0, 0, 0, 0, 0, 1.2, 2.0, 2.8, 3.8, 5.2, 7.0, 7.2, 5.8, 4.9, 5.1, 6.0, 7.6, 9.4, 10.2, 9.0, 6.4, 3.9),
        JUDGEMENT, "24 weights, midnight first: share of the day's orders by hour",
    )  # fmt: skip
    weekday: Weekly = given(
        lambda: (0.92, 0.9, 0.92, 0.97, 1.12, 1.14, 1.03), JUDGEMENT, "factors from Monday to Sunday; their mean is 1"
    )
    calendar: dict[str, Factor] = given(dict, "-", 'factors of special dates: {"2026-12-24": 1.6}')
    weather: Weather = given(Weather, "-", "weather of the whole run")
    surges: tuple[Surge, ...] = given((), "-", "stretches of unusual demand")
    flash_sales: tuple[FlashSale, ...] = given((), "-", "many buyers of one SKU at once")
    basket: Basket = given(Basket, "-", "what one order holds")
    arrivals: Literal["poisson", "even"] = given(
        "poisson", "independent customers", "poisson, or evenly spread over the profile"
    )
    distribution: Literal["poisson", "normal"] = given(
        "poisson",
        "independent customers",
        "goods_only: poisson: customers come one by one; normal: the units of each SKU a day are normal about the same mean,"
        " to the nearest whole one, none below zero, and shared out by the profile (for SKUs that sell many units a day)",
    )
    daily_cv: Annotated[NonNegative, Field(le=10)] = given(
        0.3, JUDGEMENT, "with distribution: normal, coefficient of variation of the units of each SKU a day"
    )
    step_minutes: Annotated[Positive, Field(le=24 * 60)] = given(
        60,
        "judgement: deliveries and thefts have the same grain",
        "goods_only: demand is played in steps of so many minutes",
    )
    place: Literal["population", "nodes"] = given(
        "population",
        "-",
        "population: by the map's zones (by road nodes where it has none); nodes: every road node alike",
    )
    cells: str | None = given(None, "-", "CSV with columns h3, weight: customers by H3 cell instead")
    trace: str | None = given(None, "-", "CSV or Parquet of orders instead: entered_s, lat, lon (or node), skus, units")
    cell_resolution: Annotated[int, Field(strict=True, ge=0, le=15)] = given(
        8, "cells of about 0.7 km2", "H3 resolution of demand cells"
    )

    @field_validator("calendar")
    @classmethod
    def _dates(cls, factors: dict[str, float]) -> dict[str, float]:
        for day in factors:
            try:
                known = date.fromisoformat(day).isoformat() == day
            except ValueError:
                known = False
            if not known:
                raise ValueError(f'dates such as "2026-12-24", got {day!r}')
        return factors

    @field_validator("profile", "weekday")
    @classmethod
    def _some(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        if not sum(weights) > 0:
            raise ValueError("weights of which at least one is above zero")
        return weights


class Travel(Branch):
    """How long rides take, in truth and in the platform's estimate."""

    noise_cv: Annotated[NonNegative, Field(le=20)] = given(
        0.15, JUDGEMENT, "coefficient of variation of a leg's true time about the map's"
    )
    traffic: bool = given(True, "-", "whether roads slow down by the hour; see sim/world/traffic.py for the profile")
    estimator_lag_s: NonNegative = given(
        1800.0, JUDGEMENT, "how old the traffic is that the platform's estimator knows, seconds"
    )
    estimator_bias: AboveZero = given(1.0, "-", "factor on everything the estimator says")
