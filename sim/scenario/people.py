"""The scenario's people: shifts, and the pickers who work them."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from sim.scenario.fields import (
    JUDGEMENT,
    AboveZero,
    Branch,
    Clock,
    NonNegative,
    Positive,
    Share,
    given,
)

BREAK_FROM_H = 6.0
"""Shifts of this length have a break: the European directive 2003/88/EC, article 4, asks for one beyond six hours, hours."""


class Shift(Branch):
    """A block of work every day for a share of the people, or for so many of them."""

    at: Clock
    hours: Annotated[AboveZero, Field(le=16)]
    share: Share = given(1.0, "-", "share of the people who work this shift")
    people: Annotated[int, Field(strict=True, ge=1, le=100_000)] | None = given(
        None, "-", "how many work it, in all stores together, instead of a share; then of every shift"
    )


def everyone(shifts: tuple[Shift, ...]) -> tuple[Shift, ...]:
    if not shifts:
        raise ValueError("at least one shift")
    counted = [shift for shift in shifts if shift.people is not None]
    if counted:
        if len(counted) < len(shifts):
            raise ValueError(f"people of every shift or of none, got them of {len(counted)} of {len(shifts)}")
        return shifts
    total = sum(shift.share for shift in shifts)
    if abs(total - 1) > 1e-6:
        raise ValueError(f"shares of the shifts that sum to 1, got {total:g}")
    return shifts


class Pickers(Branch):
    """People who pick and pack orders in the stores."""

    per_store: Annotated[Positive, Field(le=10_000)] = given(
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
    pack_share: Share = given(
        0.4, JUDGEMENT, "share of base_s that goes into packing and staging, where pickers pack; only for the report"
    )
    noise: Literal["lognormal", "exponential", "none"] = given("lognormal", JUDGEMENT, "distribution of the pick time")
    noise_cv: Annotated[NonNegative, Field(le=20)] = given(0.3, JUDGEMENT, "coefficient of variation when lognormal")
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
    breakage_share: Share = given(
        0.0, "-", "share of lines of which a unit breaks as it is taken, scanned as broken by shrinkage.scanned_share"
    )
    overlook_share: Share = given(0.0, "-", "share of lines that a picker takes for missing although they are there")
    mispick_share: Share = given(
        0.003, "judgement: 99.7 % line accuracy", "share of lines where a neighbouring SKU is taken"
    )

    _shares = field_validator("shifts")(everyone)
