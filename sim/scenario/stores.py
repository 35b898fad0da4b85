"""The scenario's stores: where they stand, how they are laid out, how they open."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from sim.scenario.benches import PackingStations, Totes
from sim.scenario.dock import Dock
from sim.scenario.fields import (
    JUDGEMENT,
    AboveZero,
    Branch,
    Count,
    NonNegative,
    Positive,
    Share,
    Window,
    given,
)

Latitude = Annotated[float, Field(strict=True, ge=-90, le=90)]
ZoneName = Literal["frozen", "chilled", "restricted"]
Longitude = Annotated[float, Field(strict=True, ge=-180, le=180)]


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


class ZoneAisles(Branch):
    """Aisles of a store that are cooled, or locked."""

    aisles: Positive = given(1, JUDGEMENT, "aisles of the zone, the farthest ones that no zone before it has")
    enter_s: NonNegative = given(
        5.0, JUDGEMENT, "time for doors, locks and gloves on a tour that enters the zone, seconds"
    )


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
    blocking: Share = given(
        0.03,
        "judgement: two can pass; where they cannot, more is lost (Gue, Meller, Skufca 2006, IIE Transactions 38(10))",
        "share of the time in the aisles that a picker loses to each other one in the same aisle; 1: waits as long as that one is"
        " there, more nobody can lose",
    )
    bench: Count = given(0, "-", "the aisle at whose front the bench stands, from 0")
    zones: dict[ZoneName, ZoneAisles] = given(
        dict,
        "-",
        "aisles for what catalogue.categories keeps there: frozen, chilled, restricted; none: all lie together",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.bench >= self.aisles:
            raise ValueError(f"bench: an aisle below {self.aisles}, got {self.bench}")
        if self.facing_m > self.length_m:
            raise ValueError(f"facing_m: at most length_m ({self.length_m:g}), got {self.facing_m:g}")
        zoned = sum(zone.aisles for zone in self.zones.values())
        if zoned >= self.aisles:
            raise ValueError(f"zones: fewer aisles than the store has ({self.aisles}), got {zoned}")
        return self

    @property
    def slots(self) -> int:
        """How many SKUs find room."""
        return self.aisles * self.aisle_slots

    @property
    def aisle_slots(self) -> int:
        """How many SKUs find room in an aisle."""
        return 2 * self.levels * int(self.length_m / self.facing_m + 1e-9)

    def aisles_of(self, zone: str) -> range:
        """The aisles of a zone; of any that the layout does not name, as `ambient`, those that are left."""
        end = self.aisles
        for name, mine in self.zones.items():
            if name == zone:
                return range(end - mine.aisles, end)
            end -= mine.aisles
        return range(end)


class Counting(Branch):
    """Who counts what `policies.reconciliation` plans."""

    by: Literal["crew", "pickers"] = given(
        "crew",
        "-",
        "a crew of its own, paid by the shelf; or the store's pickers on duty while they have no order to pick",
    )
    people: Positive = given(
        4, "judgement: a store's 4,000 shelves between closing and opening", "people of a store's crew"
    )
    lines: Positive = given(
        6,
        "judgement: two minutes",
        "shelves that somebody counts in one go: then the record learns of them, and a picker looks for orders",
    )
    within_h: Annotated[AboveZero, Field(le=24)] = given(
        24.0, "-", "hours from the policy's count_at within which shelves are counted; what is left is not, hours"
    )


class Review(Branch):
    """People in the office who look at large differences between scan log, or a picker's count, and record."""

    people: Annotated[Count, Field(le=10_000)] = given(1, JUDGEMENT, "how many")
    minutes: Annotated[AboveZero, Field(le=1440)] = given(6.0, JUDGEMENT, "time to look into a difference, minutes")
    hours: Window = given("09:00-18:00", "office hours", "when they work; the same time twice: all day")
    picker_units: Count | None = given(
        10,
        "judgement: who counts posts small variances, large ones are looked at by somebody with more rights",
        "by so many units a picker's own count may adjust a record, more waits for review; none: by any; 0: by none",
    )


class Stores(Branch):
    """Dark stores."""

    count: Positive = given(
        6, "the default city's 450,000 people at 75,000 a store", "how many, when placed by population"
    )
    place: Literal["population"] | tuple[Site, ...] = given(
        "population", "-", "population: spread so that people are near; or a list of {name, lat, lon}"
    )
    open: Window = given(
        "07:00-24:00",
        JUDGEMENT,
        "opening hours; an end before the start is past midnight; the same time twice: all day",
    )
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
        None,
        "-",
        "or a run's folder, whose goods, records and what is on its way at the close are the opening, at their age (or a"
        " stock.parquet alone, which has the shelves and records)",
    )
    count_s: NonNegative = given(20.0, JUDGEMENT, "time to find, count and scan one shelf, seconds")
    counting: Counting = given(Counting, "-", "who counts by plan; in a goods-only run all is counted at once")
    layout: Layout | None = given(
        None, "-", "aisles through which pickers walk; none: walking is a part of pickers.base_s and pickers.per_line_s"
    )
    dock: Dock | None = given(
        None, "-", "who puts goods away; none: what a truck brought stands on the shelves at once, at no cost"
    )
    review: Review = given(Review, "-", "who reviews what policies.reconciliation flags, and large counts of pickers")
    packing: PackingStations | None = given(
        None, "-", "packing stations; none: pickers pack, which is a part of pickers.base_s and pickers.per_unit_s"
    )
    totes: Totes | None = given(None, "-", "totes that orders are picked into; none: there are always enough")
    counter_room: Positive | None = given(
        None,
        "-",
        "packed orders that find room at a store's handoff counter, the next waits with its packer; none: all",
    )
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
