"""The scenario's drivers: shifts, vehicles, what they earn, what they take on, what goes wrong on the road."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from sim.scenario.fields import JUDGEMENT, AboveZero, Branch, NonNegative, Positive, Share, given
from sim.scenario.people import BREAK_FROM_H, Shift, everyone

PayCents = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
StopS = Annotated[float, Field(strict=True, ge=0, le=86_400)]

VehicleName = Literal["car", "scooter", "ebike", "bicycle", "foot", "drone"]


class Pay(Branch):
    """What drivers earn. Hours count from logging on to going home, the ride to where a shift ends too; breaks do not."""

    hour_cents: PayCents | None = given(None, "-", "for an hour on shift; null: costs.driver_hour_cents")
    order_cents: PayCents = given(0, "-", "for each order handed over")
    km_cents: PayCents = given(
        0, "-", "for each kilometre, as the crow flies, from the store to the customer of an order handed over"
    )
    guaranteed_hour_cents: PayCents = given(
        0, "-", "what an hour on shift brings at least, tips left out, over the run as a whole"
    )
    tip_share: Share = given(0.0, "-", "share of customers who tip when they are handed their order")
    tip_cents: PayCents = given(250, JUDGEMENT, "mean tip of those who give one (exponential)")


class Choice(Branch):
    """What moves a driver to accept an offer: log-odds on top of those of accept_share, for a usual offer.

    The form is a logit, as in McFadden (1974), "Conditional logit analysis of qualitative choice behavior".
    """

    per_ride_minute: NonNegative = given(
        0.12, "judgement: an offer five minutes further away is declined twice as often",
        "lost for each minute of the ride to the store beyond ride_minutes",
    )  # fmt: skip
    ride_minutes: NonNegative = given(1.0, JUDGEMENT, "a usual ride to the store, minutes")
    per_tired_hour: NonNegative = given(0.15, JUDGEMENT, "lost for each hour on shift beyond fresh_hours")
    fresh_hours: NonNegative = given(4.0, JUDGEMENT, "hours on shift before anybody is tired")
    away: NonNegative = given(0.3, JUDGEMENT, "lost where the order's store is not the driver's own")
    per_idle_minute: NonNegative = given(
        0.03, JUDGEMENT, "gained for each minute without work beyond idle_minutes, up to half an hour"
    )
    idle_minutes: NonNegative = given(5.0, JUDGEMENT, "a usual time without work before an offer, minutes")
    per_bonus_dollar: NonNegative = given(
        0.5, JUDGEMENT, "gained for each 100 cents of a bonus; see policies.incentive"
    )
    per_pay_dollar: NonNegative = given(
        0.5, "judgement: as for a bonus",
        "gained for each 100 cents that the orders of an offer pay, each in the mean, beyond pay_cents; lost for each below",
    )  # fmt: skip
    pay_cents: PayCents | None = given(
        None, "-", "what an order usually pays, bonus left out, cents; null: drivers.pay with a way of way_km"
    )
    way_km: NonNegative = given(
        2.0, "judgement: about the mean of the default day", "a usual way from the store to the customer, kilometres"
    )


class Building(Branch):
    """A kind of building that customers live in."""

    share: Share
    door_s: StopS


class Mishaps(Branch):
    """What goes wrong on the road. Times are exponential; hours are hours of riding."""

    breakdowns_per_1000h: NonNegative = given(
        2.0,
        "judgement: a flat tyre or an empty battery every 500 hours",
        "the vehicle stops and is put right on the spot",
    )
    repair_minutes: AboveZero = given(20.0, JUDGEMENT, "mean time until it goes on")
    accidents_per_1000h: NonNegative = given(
        0.2, "judgement: two in a driver's ten full-time years", "the vehicle is a wreck: the driver goes home",
    )  # fmt: skip
    rescue_minutes: AboveZero = given(
        40.0, JUDGEMENT, "mean time until somebody has come, and the goods can be brought back to the store"
    )
    detour_share: Share = given(0.01, JUDGEMENT, "share of rides to a customer that lead by another address first")


class OnCall(Branch):
    """Drivers beside those of `count` who are at home in their shifts' hours until the platform calls them."""

    count: Positive
    shifts: tuple[Shift, ...] = given(
        lambda: (Shift(at="11:00", hours=12),), JUDGEMENT, "hours in which they may be called, every day"
    )
    waiting_per_driver: AboveZero = given(
        0.1, JUDGEMENT, "one is called for each round in which more orders than this wait for each driver on shift"
    )
    every_s: Annotated[float, Field(strict=True, ge=1)] = given(60.0, JUDGEMENT, "time between two rounds, seconds")
    come_share: Share = given(0.7, JUDGEMENT, "chance that somebody who is called comes")
    notice_minutes: AboveZero = given(20.0, JUDGEMENT, "mean time until one is there (exponential)")
    hours: AboveZero = given(3.0, JUDGEMENT, "how long one stays, at most to the end of the shift's hours")

    _shares = field_validator("shifts")(everyone)

    @field_validator("shifts")
    @classmethod
    def _counted(cls, shifts: tuple[Shift, ...]) -> tuple[Shift, ...]:
        if any(shift.people is not None for shift in shifts):
            raise ValueError("shares of the shifts (on_call.count says how many people there are), got people")
        return shifts


class Rules(Branch):
    """What the law of the place allows; a roster against it is refused, and a law of the run watches over it."""

    hours_a_day: AboveZero | None = given(
        None, "European directive 2003/88/EC: 13 h at most between two rests", "hours on shift in a calendar day"
    )
    hours_at_a_stretch: AboveZero | None = given(
        None, "European directive 2003/88/EC, article 4: a break beyond 6 h", "hours without a break of pause_minutes"
    )
    pause_minutes: NonNegative = given(
        30.0, "German ArbZG, section 4: 30 minutes beyond 6 h", "what counts as a break, minutes"
    )
    rest_hours: NonNegative = given(
        0.0, "European directive 2003/88/EC, article 3: 11 h", "hours off between two days' work"
    )
    age_check: bool = given(
        True, "-", "whether a person must see a proof of age for what is restricted; see catalogue.categories"
    )

    def hold(self, who: str, day_h: float, stretch_h: float) -> None:
        """Hold hours a day, and those without a break that counts, against the rules.

        Raises
        ------
        ValueError
            They are too many.
        """
        if self.hours_a_day is not None and day_h > self.hours_a_day:
            raise ValueError(f"at most {self.hours_a_day:g} hours a day (rules.hours_a_day), got {day_h:g} of {who}")
        if self.hours_at_a_stretch is not None and stretch_h > self.hours_at_a_stretch + 1e-9:
            raise ValueError(
                f"at most {self.hours_at_a_stretch:g} hours without a break of {self.pause_minutes:g} minutes "
                f"(rules.hours_at_a_stretch), got {stretch_h:g} of {who}"
            )

    @property
    def limit(self) -> bool:
        """Whether they forbid any hours."""
        return self.hours_a_day is not None or self.hours_at_a_stretch is not None or self.rest_hours > 0.0


class Drivers(Branch):
    """People who deliver."""

    count: Positive = given(
        410, "judgement: 75 % busy at the evening peak of the default day", "drivers on the payroll"
    )
    vehicles: dict[VehicleName, NonNegative] = given(
        lambda: {"scooter": 0.5, "ebike": 0.3, "car": 0.2},
        JUDGEMENT,
        "share of each vehicle; see sim/world/traffic.py for speeds and loads",
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
    choice: Choice | None = given(None, "-", "what moves them to accept or decline; null: accept_share alone")
    respond_s: NonNegative = given(6.0, JUDGEMENT, "mean time to answer an offer, seconds (exponential)")
    handoff_s: NonNegative = given(40.0, JUDGEMENT, "mean time at the store's counter, seconds")
    door_s: NonNegative = given(
        120.0, "judgement; the MDRP's 4 minutes (Reyes et al. 2018) include a restaurant's parking",
        "mean time from parking to the handover at the door, seconds",
    )  # fmt: skip
    arrive_s: NonNegative = given(
        0.0, "within handoff_s and door_s; the MDRP's is 2 minutes (Reyes et al. 2018)",
        "time from arriving to standing at the counter or the door, while an order may still be packed, seconds",
    )  # fmt: skip
    leave_s: NonNegative = given(
        0.0, "within handoff_s and door_s; the MDRP's is 2 minutes (Reyes et al. 2018)",
        "time from the counter or the door back on the road, seconds",
    )  # fmt: skip
    buildings: dict[str, Building] = given(
        dict, "-", "kinds of buildings: share of the addresses, and the mean door_s there; none: door_s everywhere"
    )
    parking_s: dict[VehicleName, StopS] = given(
        dict, "-", "mean time to park at a customer's by vehicle, seconds (exponential); none: within door_s"
    )
    wrong_address_share: Share = given(0.0, "-", "share of orders whose address leads somewhere else")
    wrong_address_s: StopS = given(
        90.0, JUDGEMENT, "time until a driver at a wrong address has reached the customer by phone, seconds"
    )
    wait_at_door_s: NonNegative = given(
        300.0, "judgement: delivery apps ask drivers to wait about five minutes", "wait where nobody opens, seconds"
    )
    age_check_s: NonNegative = given(20.0, JUDGEMENT, "time to look at a proof of age at the door, seconds")
    noise: Literal["lognormal", "exponential", "none"] = given(
        "lognormal", JUDGEMENT, "distribution of counter and door times"
    )
    noise_cv: Annotated[NonNegative, Field(le=20)] = given(0.5, JUDGEMENT, "coefficient of variation when lognormal")

    break_minutes: Annotated[NonNegative, Field(le=120)] = given(
        0.0, "-", "a break in every shift of six hours or more, not paid; spread over its middle third, minutes"
    )
    absent_share: Share = given(0.0, "-", "share of the shifts for which nobody comes, unknown to the platform before")
    early_share: Share = given(0.0, "-", "share of the shifts that end early, unknown to the platform before")
    early_minutes: AboveZero = given(60.0, JUDGEMENT, "by how much these end early, mean (exponential), minutes")
    on_call: OnCall | None = given(None, "-", "drivers at home who are called when orders wait")
    pay: Pay = given(Pay, "-", "what they earn")
    mishaps: Mishaps | None = given(None, "-", "what goes wrong on the road; null: nothing")
    rules: Rules = given(Rules, "-", "what the law allows")
    drone_recharge_s: StopS = given(
        2400.0, "judgement: forty minutes for a full charge; less with a battery that is swapped",
        "time to charge a drone that has flown its whole range, seconds; in proportion for less",
    )  # fmt: skip

    _shares = field_validator("shifts")(everyone)

    @field_validator("vehicles")
    @classmethod
    def _mix(cls, mix: dict[str, float]) -> dict[str, float]:
        if abs(sum(mix.values()) - 1) > 1e-6:
            raise ValueError(f"shares of the vehicles that sum to 1, got {sum(mix.values()):g}")
        return mix

    @property
    def expected_door_s(self) -> float:
        """Mean time from arriving at an address to the handover, over buildings and vehicles, seconds."""
        door_s = sum(kind.share * kind.door_s for kind in self.buildings.values()) if self.buildings else self.door_s
        return door_s + sum(share * self.parking_s.get(name, 0.0) for name, share in self.vehicles.items())

    @model_validator(mode="after")
    def _lawful(self) -> Self:
        for shift in self.shifts:
            rest_h = self.break_minutes / 60.0 if shift.hours >= BREAK_FROM_H else 0.0
            worked_h = shift.hours - rest_h
            # A break lies anywhere in the middle third: what is before or after it may be two thirds of the work.
            counts = rest_h > 0.0 and self.break_minutes >= self.rules.pause_minutes
            self.rules.hold(f"the shift at {shift.at}", worked_h, worked_h * 2.0 / 3.0 if counts else shift.hours)
            if 24.0 - shift.hours < self.rules.rest_hours:
                raise ValueError(
                    f"{self.rules.rest_hours:g} hours of rest between two days (rules.rest_hours), "
                    f"got {24.0 - shift.hours:g} after the shift at {shift.at}"
                )
        if self.on_call is not None:
            self.rules.hold("who is on call", self.on_call.hours, self.on_call.hours)
        return self

    @field_validator("buildings")
    @classmethod
    def _houses(cls, kinds: dict[str, Building]) -> dict[str, Building]:
        total = sum(kind.share for kind in kinds.values())
        if kinds and abs(total - 1) > 1e-6:
            raise ValueError(f"shares of the buildings that sum to 1, got {total:g}")
        return kinds
