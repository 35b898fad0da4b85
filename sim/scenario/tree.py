"""The scenario tree. Every key says what it means and where its default comes from ("judgement" when from nowhere)."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, field_validator, model_validator

from sim.scenario.business import Costs, Customers, Payments, Platform, PolicyNames
from sim.scenario.drivers import Drivers
from sim.scenario.faults import Fault
from sim.scenario.fields import (
    DAY_S,
    JUDGEMENT,
    AboveZero,
    Branch,
    NonNegative,
    Positive,
    clock_s,
    given,
)
from sim.scenario.goods import Shrinkage, Supply
from sim.scenario.levels import Check, Slo, parse_slo
from sim.scenario.market import Catalogue, Demand, Travel
from sim.scenario.origins import culprit
from sim.scenario.people import Pickers
from sim.scenario.stores import Stores
from sim.scenario.support import Support

_ZONED = re.compile(r"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?) ?\[?([A-Za-z_]+(?:/[A-Za-z_+\-0-9]+)*)\]?$")

FIRST_YEAR, LAST_YEAR = 1900, 2200
"""Years a run may begin in: zones have rules for them, and a year of it fits behind."""

NOWHERE = "the defaults"
"""Where a key stands that nobody gave."""


class Euclidean(Branch):
    """A plain without roads: straight lines at one speed, for tests and published instances."""

    width_m: NonNegative = given(5000.0, JUDGEMENT, "width of the plain, metres (0: everything is at one point)")
    height_m: NonNegative = given(5000.0, JUDGEMENT, "height of the plain, metres")
    points: Positive = given(400, JUDGEMENT, "places where customers live, drawn uniformly")
    speed_kmh: Annotated[AboveZero, Field(ge=0.1, le=1000)] = given(25.0, JUDGEMENT, "speed of every vehicle, km/h")


class Scenario(Branch):
    """A simulated operation, from the map to the SLO table."""

    name: Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = given(
        "unnamed", "-", "name of the scenario, also of its folder under results/"
    )
    description: str = given("", "-", "one sentence for lists")
    start: str = given(
        "2026-11-20T00:00 America/Santiago",
        "a Friday",
        "local date-time with zone: 2026-11-20T00:00 Area/City, or an offset",
    )
    horizon_h: Annotated[AboveZero, Field(le=24 * 366)] = given(24.0, "one day", "hours during which orders arrive")
    drain_h: Annotated[NonNegative, Field(le=24 * 366)] = given(
        2.0, JUDGEMENT, "hours after the horizon for orders to end"
    )
    warmup_h: NonNegative = given(0.0, "the day starts closed and empty", "hours left out of the figures")
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**64)] = given(1, "-", "seed of all chance; --seed overrides")
    unmet: Literal["lost", "backorder"] = given(
        "lost", "customers of quick commerce do not wait for restocking",
        "what a stock-out does: lost: the customer goes; backorder (goods_only): the customer waits until it comes",
    )  # fmt: skip
    mode: Literal["full", "goods_only"] = given(
        "full", "-",
        "what is simulated: full: goods, people, roads and platform; goods_only: goods and their records, for months",
    )  # fmt: skip
    map: str | Euclidean = given("coquimbo", "OpenStreetMap; see scenarios/maps/README.md", "a map's name or file")
    stores: Stores = given(Stores, "-", "dark stores")
    pickers: Pickers = given(Pickers, "-", "people who pick and pack")
    drivers: Drivers = given(Drivers, "-", "people who deliver")
    catalogue: Catalogue = given(Catalogue, "-", "what is sold")
    demand: Demand = given(Demand, "-", "who orders what, when, where")
    customers: Customers = given(Customers, "-", "how customers behave")
    supply: Supply = given(Supply, "-", "how stores are restocked")
    shrinkage: Shrinkage = given(Shrinkage, "-", "how goods go missing")
    travel: Travel = given(Travel, "-", "how long rides take")
    payments: Payments = given(Payments, "-", "the payment provider outside")
    support: Support = given(Support, "-", "who answers customers who were wronged")
    platform: Platform = given(Platform, "-", "the software platform")
    faults: tuple[Fault, ...] = given((), "-", "what goes wrong, and when")
    policies: PolicyNames = given(PolicyNames, "-", "one policy per family of decisions")
    costs: Costs = given(Costs, "-", "what things cost")
    slo: tuple[Slo, ...] = given(
        lambda: tuple(
            Slo(**parse_slo(text)) for text in ("within_s.1800 >= 0.95", "on_time >= 0.9", "fill_rate >= 0.97")
        ),
        JUDGEMENT,
        'service levels: "metric op target", or {metric, op, target, severity}',
    )
    check: Check = given(Check, "-", "what `darkstore check` holds a change against, beside the service levels")

    _base: Path = PrivateAttr(default_factory=Path.cwd)
    _origins: dict[str, str] = PrivateAttr(default_factory=dict)
    _from_command_line: frozenset[str] = PrivateAttr(default_factory=frozenset)

    @field_validator("start")
    @classmethod
    def _start(cls, text: str) -> str:
        year = parse_start(text).year
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise ValueError(f"a date from {FIRST_YEAR} to {LAST_YEAR}, got {text!r}")
        return text

    @field_validator("slo", mode="before")
    @classmethod
    def _slo(cls, entries: Any) -> Any:
        if isinstance(entries, list | tuple):
            return tuple(parse_slo(entry) if isinstance(entry, str) else entry for entry in entries)
        return entries

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.warmup_h >= self.horizon_h:
            raise ValueError(f"warmup_h: a time below horizon_h ({self.horizon_h:g}), got {self.warmup_h:g}")
        if self.mode == "goods_only":
            for key, there in (
                ("faults", self.faults), ("demand.flash_sales", self.demand.flash_sales), ("demand.trace", self.demand.trace),
            ):  # fmt: skip
                if there:
                    got = there if isinstance(there, str) else len(there)
                    raise ValueError(f"no {key} with mode: goods_only, which has no orders, got {got}")
        elif self.unmet == "backorder":
            raise ValueError("mode: goods_only with unmet: backorder (an order is never delivered in parts), got full")
        if self.demand.distribution == "normal":
            if self.mode != "goods_only":
                raise ValueError("mode: goods_only with demand.distribution: normal (orders have lines), got full")
            if self.demand.arrivals != "poisson":
                raise ValueError(
                    "demand.arrivals: poisson with demand.distribution: normal (demand.daily_cv: 0 is even), got even"
                )
        layout = self.stores.layout
        if layout is not None and layout.slots < self.catalogue.skus:
            raise ValueError(
                f"stores.layout with slots for catalogue.skus ({self.catalogue.skus}), got {layout.slots} slots"
            )
        for sale in self.demand.flash_sales:
            if sale.sku >= self.catalogue.skus:
                raise ValueError(
                    f"demand.flash_sales with an sku below catalogue.skus ({self.catalogue.skus}), got {sale.sku}"
                )
        stores = self.stores.count if isinstance(self.stores.place, str) else len(self.stores.place)
        if self.platform.regions > stores:
            raise ValueError(f"platform.regions: at most as many as stores ({stores}), got {self.platform.regions}")
        for number, fault in enumerate(self.faults):
            if fault.store is not None and fault.store >= stores:
                raise ValueError(f"faults.{number}.store: a store below {stores}, the first is 0, got {fault.store}")
            regions = self.platform.regions
            if fault.region is not None and fault.region >= regions:
                raise ValueError(
                    f"faults.{number}.region: a region below {regions} (platform.regions), the first is 0, got {fault.region}"
                )
        if isinstance(self.map, Euclidean):
            if self.demand.cells is not None:
                raise ValueError("a road map for demand.cells, got a Euclidean plain")
            if not isinstance(self.stores.place, str):
                raise ValueError("stores.place: population on a Euclidean plain (it has no latitudes)")
        return self

    def base_of(self, key: str) -> Path:
        """The folder that a relative file of a key is relative to.

        That of the scenario file which names it, or the working folder when it was given on the command line.
        """
        origin = self._origins.get(key)
        if origin is None:
            return self._base
        return Path.cwd() if origin.startswith("--") else Path(origin.rpartition(":")[0]).parent

    @property
    def origins(self) -> dict[str, str]:
        """Where each given value stands: path -> ``file:line`` or the command-line option."""
        return self._origins

    def origin_of(self, key: str, *others: str) -> str:
        """Where a key, what the command line set below it, or the nearest branch above was given; `NOWHERE` when none was.

        `others`: keys it does not go with; what the command line set of them comes before what stands in files.
        """
        found = culprit(self._origins, [key, *others])
        if found is None or not found.startswith("--"):
            found = self._origins.get(key)
        while found is None and key:
            key = key.rpartition(".")[0]
            found = self._origins.get(key)
        return found or NOWHERE

    @property
    def code_allowed(self) -> frozenset[str]:
        """Families whose policy may be loaded from a file."""
        return self._from_command_line

    @property
    def start_at(self) -> datetime:
        """The local start, with its zone."""
        return parse_start(self.start)

    @property
    def midnight_s(self) -> float:
        """Seconds from the start back to that day's local midnight (negative or zero)."""
        start = self.start_at
        return -(start.hour * 3600.0 + start.minute * 60.0 + start.second)

    @property
    def horizon_s(self) -> float:
        """Seconds during which orders arrive."""
        return self.horizon_h * 3600.0

    @property
    def end_s(self) -> float:
        """Seconds until the run closes: horizon and drain."""
        return (self.horizon_h + self.drain_h) * 3600.0

    def days(self) -> range:
        """Days the run touches, from -1 (windows that began the evening before) on."""
        return range(-1, int((self.end_s - self.midnight_s) // 86_400) + 1)

    def first_s(self, at: str, every_s: float = DAY_S) -> float:
        """When what comes round every `every_s`, at a time of day first, first comes after the start, seconds since it."""
        at_s = clock_s(at) + self.midnight_s
        return at_s % every_s if at_s < 0 else at_s

    def date(self, day: int) -> datetime:
        """The local date of the n-th day of the run."""
        return self.start_at + timedelta(days=day)


def parse_start(text: str) -> datetime:
    """Read a local date-time with its zone: ``2026-11-20T06:00 America/Santiago`` or with an offset ``-03:00``."""
    expected = 'a local date-time with its zone, like "2026-11-20T06:00 America/Santiago" or "2026-11-20T06:00-03:00"'
    match = _ZONED.match(text.strip())
    try:
        if match:
            return datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=ZoneInfo(match[3]))
        start = datetime.fromisoformat(text.strip())
    except (ValueError, KeyError, OSError) as error:
        raise ValueError(expected) from error
    if start.tzinfo is None:
        raise ValueError(expected)
    return start
