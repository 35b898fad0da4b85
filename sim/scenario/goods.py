"""The scenario's goods: how stores are restocked, and how goods go missing."""

from typing import Annotated

from pydantic import Field

from sim.scenario.fields import JUDGEMENT, AboveZero, Branch, Clock, Count, NonNegative, Share, Spread, given

Mean = Annotated[float, Field(strict=True, ge=1, le=10_000)]


class Supply(Branch):
    """How stores are restocked."""

    review_at: Clock = given("02:00", JUDGEMENT, "when the first review of stocks takes place")
    lead_h: NonNegative = given(
        4.0, "judgement: ordered at night, there before opening", "hours from ordering to receiving"
    )
    deliveries: tuple[Clock, ...] = given(
        (),
        "-",
        "times of day at which a truck may come, the first that is lead_h away or more; none: lead_h after ordering",
    )
    late_share: Share = given(0.1, JUDGEMENT, "share of the trucks that are late")
    late_minutes: NonNegative = given(30.0, JUDGEMENT, "mean delay of a late truck, minutes (exponential)")
    truck_litres: AboveZero | None = given(
        None,
        "-",
        "what one truck can bring: what would last the shortest first, the rest is not sent; none: everything",
    )
    miscount_share: Share = given(
        0.01, JUDGEMENT,
        "share of delivered lines that hold something else than is noted",
    )  # fmt: skip
    miscount_units: Mean = given(2.0, JUDGEMENT, "mean units by which such a line is wrong (geometric)")
    miscount_short_share: Share = given(0.6, JUDGEMENT, "share of the wrong lines that hold less than is noted")
    cover_days: Annotated[AboveZero, Field(le=3660)] = given(
        2.0, JUDGEMENT, "opening stock: days of expected demand, plus two standard deviations"
    )
    belief_cv: Spread = given(
        0.5, "judgement: forecasts of goods that nobody has sold yet are off by about half",
        "how far off the office's first belief in each SKU's demand is (coefficient of variation, lognormal); 0: it is right",
    )  # fmt: skip
    look_at: Clock = given(
        "05:00", JUDGEMENT, "when shelves are looked through every day for what is too old; see catalogue.categories"
    )
    transfer_at: Clock = given("10:00", JUDGEMENT, "when policies.transfer is first asked what stores send each other")
    transfer_minutes: Annotated[AboveZero, Field(le=14 * 1440)] = given(
        45.0,
        "judgement: twenty minutes by van, loading and unloading",
        "from one store's shelves to another's, minutes",
    )
    units_min: Annotated[Count, Field(le=1_000_000)] = given(
        3, JUDGEMENT, "opening stock: at least this much of every SKU"
    )


class Shrinkage(Branch):
    """Goods that leave the shelves without being sold, in proportion to what is sold."""

    theft_share: Annotated[NonNegative, Field(le=1)] = given(
        0.01, "1.4-1.6 % of sales is lost, two thirds of it by theft (US National Retail Federation, 2022 and 2023)",
        "units stolen for each unit of expected demand",
    )  # fmt: skip
    theft_units: Mean = given(2.0, JUDGEMENT, "mean units taken at once (geometric)")
    damage_share: Annotated[NonNegative, Field(le=1)] = given(
        0.005, "judgement: what the same surveys leave for handling and process errors",
        "units damaged for each unit of expected demand",
    )  # fmt: skip
    damage_units: Mean = given(1.2, JUDGEMENT, "mean units damaged at once (geometric)")
    scanned_share: Share = given(
        0.6, JUDGEMENT, "share of the damage that is scanned as such, so that scan log and record know"
    )
