"""The scenario's physical side: stores, people, goods, demand, supply, travel."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from sim.scenario.fields import (
    JUDGEMENT,
    AboveZero,
    Branch,
    Clock,
    Count,
    NonNegative,
    Positive,
    Share,
    Window,
    given,
)

Latitude = Annotated[float, Field(strict=True, ge=-90, le=90)]
Longitude = Annotated[float, Field(strict=True, ge=-180, le=180)]

VehicleName = Literal["car", "scooter", "ebike", "bicycle", "foot"]


class Zone(Branch):
    """The area a store serves: a radius or a drive time, not both."""

    radius_m: AboveZero | None = given(None, "-", "straight-line radius, metres")
    drive_s: AboveZero | None = given(
        None, "-", "longest free-flow ride from the store by the fleet's fastest vehicle, seconds"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.radius_m is None) == (self.drive_s is None):
            raise ValueError("exactly one of radius_m and drive_s")
        return self


class Site(Branch):
    """A store at a given place; it stands at the nearest road node."""

    name: str = given("", "-", "name in reports")
    lat: Latitude
    lon: Longitude


class Layout(Branch):
    """The aisles of a store, all stores alike; shelves stand on both sides, the packing bench at the front of one aisle."""

    aisles: Positive = given(
        8,
        "judgement: with the lengths below 300 square metres of shelves, in a store of 2,000-5,000 square feet",
        "aisles",
    )
    length_m: AboveZero = given(16.0, JUDGEMENT, "length of an aisle between the cross-aisles, metres")
    pitch_m: AboveZero = given(2.4, JUDGEMENT, "from one aisle to the next, centre to centre, metres")
    facing_m: AboveZero = given(0.5, JUDGEMENT, "width of a slot, metres")
    levels: Positive = given(8, JUDGEMENT, "slots one above the other")
    bench: Count = given(0, "-", "the aisle at whose front the bench stands, from 0")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.bench >= self.aisles:
            raise ValueError(f"bench: an aisle below {self.aisles}, got {self.bench}")
        if self.facing_m > self.length_m:
            raise ValueError(f"facing_m: at most length_m ({self.length_m:g}), got {self.facing_m:g}")
        return self

    @property
    def slots(self) -> int:
        """How many SKUs find room."""
        return 2 * self.aisles * self.levels * int(self.length_m / self.facing_m + 1e-9)


class Review(Branch):
    """People in the office who look at large differences between scan log and record."""

    people: Count = given(1, JUDGEMENT, "how many")
    minutes: AboveZero = given(6.0, JUDGEMENT, "time to look into a difference, minutes")
    hours: Window = given("09:00-18:00", "office hours", "when they work")


class Stores(Branch):
    """Dark stores."""

    count: Positive = given(
        6, "the default city's 450,000 people at 75,000 a store", "how many, when placed by population"
    )
    place: Literal["population"] | tuple[Site, ...] = given(
        "population", "-", "population: spread so that people are near; or a list of {name, lat, lon}"
    )
    open: Window = given("07:00-24:00", JUDGEMENT, "opening hours; an end before the start is past midnight")
    zone: Zone = given(
        lambda: Zone(drive_s=600.0), "ten minutes by car: half of a twenty-minute promise", "area served"
    )
    inaccurate_share: Share = given(
        0.1, "judgement; 65 % was found in retail shops (DeHoratius, Raman 2008), dark stores count more often",
        "share of stock records that are wrong at the opening",
    )  # fmt: skip
    inaccurate_units: AboveZero = given(2.0, JUDGEMENT, "mean size of an opening error, units")
    burn_in_days: Annotated[Count, Field(le=1000)] = given(
        0, "drift takes weeks to come about",
        "days before a full run's start that are played goods-only, from what the two keys above say; what they leave opens it",
    )  # fmt: skip
    opening: str | None = given(
        None, "-", "or a run's folder (or its stock.parquet) whose goods and records at the close are the opening"
    )
    count_s: NonNegative = given(20.0, JUDGEMENT, "time to find, count and scan one shelf, seconds")
    layout: Layout | None = given(
        None, "-", "aisles through which pickers walk; none: walking is a part of pickers.base_s and pickers.per_line_s"
    )
    review: Review = given(Review, "-", "who reviews what policies.reconciliation flags")
    count_error_share: Share = given(0.01, JUDGEMENT, "share of shelf counts that are wrong by a unit, either way")

    @model_validator(mode="after")
    def _one_opening(self) -> Self:
        if self.opening is not None and self.burn_in_days:
            raise ValueError("one of burn_in_days and opening, got both")
        return self

    @field_validator("place")
    @classmethod
    def _some(cls, place: object) -> object:
        if place == ():
            raise ValueError("at least one store")
        names = [site.name for site in place if site.name] if isinstance(place, tuple) else []
        if len(set(names)) < len(names):
            raise ValueError(f"stores with different names, got {', '.join(names)}")
        return place


class Shift(Branch):
    """A block of work every day for a share of the people."""

    at: Clock
    hours: Annotated[AboveZero, Field(le=16)]
    share: Share = given(1.0, "-", "share of the people who work this shift")


def _everyone(shifts: tuple[Shift, ...]) -> tuple[Shift, ...]:
    if not shifts:
        raise ValueError("at least one shift")
    total = sum(shift.share for shift in shifts)
    if abs(total - 1) > 1e-6:
        raise ValueError(f"shares of the shifts that sum to 1, got {total:g}")
    return shifts


class Pickers(Branch):
    """People who pick and pack orders in the stores."""

    per_store: Positive = given(
        16,
        "judgement: 75 % busy at the evening peak of the default day",
        "pickers on the payroll, mean over the stores",
    )
    spread: Literal["demand", "even"] = given(
        "demand", JUDGEMENT, "who gets them: stores by their customers, or all stores alike"
    )
    shifts: tuple[Shift, ...] = given(
        lambda: (Shift(at="06:30", hours=9, share=0.45), Shift(at="15:30", hours=8.75, share=0.55)),
        JUDGEMENT, "shifts, every day",
    )  # fmt: skip
    base_s: NonNegative = given(45.0, JUDGEMENT, "per order: take the tote, walk in and out, pack, stage; seconds")
    per_line_s: NonNegative = given(
        18.0, "200 lines per labour hour, usual for manual picking from shelves (Bartholdi, Hackman 2019)",
        "per basket line: walk and search, seconds",
    )  # fmt: skip
    walk_m_s: AboveZero = given(
        1.2, "judgement: brisk, without a cart (an unhurried walker has 1.2, Highway Capacity Manual)",
        "walking speed with a stores.layout, metres a second",
    )  # fmt: skip
    per_unit_s: NonNegative = given(2.0, JUDGEMENT, "per unit: grasp and scan, seconds")
    noise: Literal["lognormal", "exponential", "none"] = given("lognormal", JUDGEMENT, "distribution of the pick time")
    noise_cv: NonNegative = given(0.3, JUDGEMENT, "coefficient of variation when lognormal")
    break_minutes: Annotated[NonNegative, Field(le=120)] = given(
        0.0,
        "-",
        "a break in every shift of six hours or more, not paid; who goes when is spread over its middle third, minutes",
    )
    new_share: Share = given(0.0, "-", "share of the pickers who begin to work here with the run")
    new_slower: NonNegative = given(
        0.5, "judgement: a newcomer picks two thirds of what the others do",
        "how much longer, as a share, a newcomer takes for a pick on the first day",
    )  # fmt: skip
    learn_days: AboveZero = given(
        10.0, JUDGEMENT, "days in which what is missing shrinks to 1/e (exponential learning)"
    )
    mispick_share: Share = given(
        0.003, "judgement: 99.7 % line accuracy", "share of lines where a neighbouring SKU is taken"
    )

    _shares = field_validator("shifts")(_everyone)


class Drivers(Branch):
    """People who deliver."""

    count: Positive = given(
        410, "judgement: 75 % busy at the evening peak of the default day", "drivers on the payroll"
    )
    vehicles: dict[VehicleName, NonNegative] = given(
        lambda: {"scooter": 0.5, "ebike": 0.3, "car": 0.2},
        JUDGEMENT,
        "share of each vehicle; see sim/world/fleet.py for speeds and loads",
    )
    shifts: tuple[Shift, ...] = given(
        lambda: (
            Shift(at="06:50", hours=8, share=0.23),
            Shift(at="11:00", hours=8, share=0.24),
            Shift(at="15:00", hours=8.75, share=0.33),
            Shift(at="18:30", hours=5.75, share=0.2),
        ),
        JUDGEMENT, "shifts, every day",
    )  # fmt: skip
    accept_share: Share = given(0.869, "published acceptance rate per offer", "chance that a driver accepts an offer")
    respond_s: NonNegative = given(6.0, JUDGEMENT, "mean time to answer an offer, seconds (exponential)")
    handoff_s: NonNegative = given(40.0, JUDGEMENT, "mean time at the store's counter, seconds")
    door_s: NonNegative = given(
        120.0, "judgement; the MDRP's 4 minutes (Reyes et al. 2018) include a restaurant's parking",
        "mean time from parking to the handover at the door, seconds",
    )  # fmt: skip
    noise: Literal["lognormal", "exponential", "none"] = given(
        "lognormal", JUDGEMENT, "distribution of counter and door times"
    )
    noise_cv: NonNegative = given(0.5, JUDGEMENT, "coefficient of variation when lognormal")

    _shares = field_validator("shifts")(_everyone)

    @field_validator("vehicles")
    @classmethod
    def _mix(cls, mix: dict[str, float]) -> dict[str, float]:
        if abs(sum(mix.values()) - 1) > 1e-6:
            raise ValueError(f"shares of the vehicles that sum to 1, got {sum(mix.values()):g}")
        return mix


class Category(Branch):
    """A kind of goods."""

    name: str
    share: Share
    price_cents: AboveZero
    litres: AboveZero
    life_days: Positive | None = given(
        None,
        JUDGEMENT,
        "days after which what came is thrown away, counted in looks at `supply.look_at`; none: it keeps",
    )


class Catalogue(Branch):
    """What is sold: SKUs with popularity, price and volume."""

    skus: Positive = given(4000, "2,000-4,000 SKUs are usual for a dark store", "stock-keeping units in each store")
    zipf: NonNegative = given(
        0.8, "judgement: the top fifth of SKUs then makes two thirds of sales", "exponent of popularity by rank"
    )
    price_cv: NonNegative = given(0.6, JUDGEMENT, "coefficient of variation of prices within a category")
    categories: tuple[Category, ...] = given(
        lambda: (
            Category(name="fresh", share=0.2, price_cents=280, litres=1.2, life_days=5),
            Category(name="chilled", share=0.2, price_cents=320, litres=0.8, life_days=14),
            Category(name="frozen", share=0.1, price_cents=520, litres=1.5),
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
        return categories


class Weather(Branch):
    """What the weather does to everybody."""

    demand_factor: NonNegative = given(1.0, "a dry day", "multiplies the rate of orders")
    ride_factor: AboveZero = given(1.0, "a dry day", "multiplies every ride's true time")


class Surge(Branch):
    """A stretch of unusual demand."""

    at: Clock
    minutes: AboveZero
    factor: NonNegative


class FlashSale(Branch):
    """Many buyers of one SKU at once, on top of the day's demand."""

    at: Clock
    seconds: AboveZero
    buyers: Positive
    sku: Count = given(0, "the most popular", "the SKU on sale, by popularity rank")
    units: Positive = given(1, "-", "units each buyer wants")
    stock: Count | None = given(None, "-", "opening stock of the SKU in each store; none: as replenished")


class Basket(Branch):
    """What one order holds."""

    lines_mean: Annotated[float, Field(strict=True, ge=1)] = given(5.0, JUDGEMENT, "mean lines per order (1 + Poisson)")
    units_mean: Annotated[float, Field(strict=True, ge=1)] = given(1.3, JUDGEMENT, "mean units per line (geometric)")


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
    calendar: dict[str, NonNegative] = given(dict, "-", 'factors of special dates: {"2026-12-24": 1.6}')
    weather: Weather = given(Weather, "-", "weather of the whole run")
    surges: tuple[Surge, ...] = given((), "-", "stretches of unusual demand")
    flash_sales: tuple[FlashSale, ...] = given((), "-", "many buyers of one SKU at once")
    basket: Basket = given(Basket, "-", "what one order holds")
    arrivals: Literal["poisson", "even"] = given(
        "poisson", "independent customers", "poisson, or evenly spread over the profile"
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

    @field_validator("profile", "weekday")
    @classmethod
    def _some(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        if not sum(weights) > 0:
            raise ValueError("weights of which at least one is above zero")
        return weights


class Travel(Branch):
    """How long rides take, in truth and in the platform's estimate."""

    noise_cv: NonNegative = given(0.15, JUDGEMENT, "coefficient of variation of a leg's true time about the map's")
    traffic: bool = given(True, "-", "whether roads slow down by the hour; see sim/world/traffic.py for the profile")
    estimator_lag_s: NonNegative = given(
        1800.0, JUDGEMENT, "how old the traffic is that the platform's estimator knows, seconds"
    )
    estimator_bias: AboveZero = given(1.0, "-", "factor on everything the estimator says")
