"""Sizes that nobody has, and times that are none: refused at their place, where they once overflowed or hung a run."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from sim.contracts import Offer
from sim.engine import policies_of, simulate
from sim.recording import MemoryArchive
from sim.scenario import load, load_text
from sim.vocabulary import InputError
from sim.world.build import build_world
from tests.conftest import TWO_STORES

TOO_MUCH = (
    ("demand.calendar={'2026-13-45': 5}", 'demand.calendar: expected dates such as "2026-12-24", got \'2026-13-45\''),
    ("demand.calendar={'20.11.2026': 0}", "demand.calendar: expected dates"),
    ("demand.calendar={'20261120': 0}", "demand.calendar: expected dates"),
    ("stores.open='5d 12:00-13:00'", 'stores.open: expected opening hours "HH:MM-HH:MM"'),
    ("support.hours='12:00-3d 13:00'", 'support.hours: expected opening hours "HH:MM-HH:MM"'),
    ("faults=[{kind: zone_outage, at: '9999d 12:00'}]", 'faults.0.at: expected a time "HH:MM"'),
    ("faults=[{kind: scanner_failure, at: '12:00', factor: 1.0e-320}]", "faults.0.factor: expected a value >= 0.001"),
    ("faults=[{kind: service_slowdown, service: orders, at: '12:00', factor: 1.0e+200}]", "faults.0.factor: expected a value <="),
    ("supply.cover_days=1.0e+9", "supply.cover_days: expected a value <= 3660"),
    ("demand.basket.units_mean=1.0e+7", "demand.basket.units_mean: expected a value <= 1000"),
    ("demand.weather.demand_factor=1.0e+300", "demand.weather.demand_factor: expected a value <= 1000"),
    ("demand.profile=[1.0e+308,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "demand.profile.0: expected a value <="),
    ("demand.flash_sales=[{at: '12:05', seconds: 1, buyers: 1, units: 3000000000}]", "demand.flash_sales.0.units: expected"),
    ("demand.flash_sales=[{at: '12:05', seconds: 1, buyers: 1, stock: 3000000000}]", "demand.flash_sales.0.stock: expected"),
    ("platform.pricing.small_order_fee_cents=3000000000", "platform.pricing.small_order_fee_cents: expected a value <= 1000000"),
    ("platform.delivery_fee_cents=1000000000000000000", "platform.delivery_fee_cents: expected a value <= 1000000"),
    ("platform.submit_cv=1.0e+155", "platform.submit_cv: expected a value <= 20"),
    ("platform.bus.partitions=10000000", "platform.bus.partitions: expected a value <= 10000"),
    ("payments.refund_retry_s=1.0e-7", "payments.refund_retry_s: expected a value >= 0.1"),
    ("costs.instance_hour_cents=1.0e+308", "costs.instance_hour_cents: expected a value <="),
    ("drain_h=10000", "drain_h: expected a value <= 8784"),
    ("start=9999-12-31T23:59 America/Santiago", "start: expected a date from 1900 to 2200, got"),
    ("drivers=&a {count: *a}", "expected a YAML value after the =, got '&a {count: *a}'"),
    ("faults=&a [*a]", "expected a YAML value after the =, got '&a [*a]'"),
    ("slo=['click_to_door_s.p95 <= 95 %']", "a target without %, for click_to_door_s.p95 is no share"),
    ("slo=['on_time >= 95']", "slo.0.target: expected a share from 0 to 1 (0.95, not 95), got 95"),
    ("map.speed_kmh=0.000001", "map.speed_kmh: expected a value >= 0.1"),
)  # fmt: skip


@pytest.mark.parametrize(("setting", "said"), TOO_MUCH, ids=[setting[:40] for setting, _ in TOO_MUCH])
def test_a_size_that_nobody_has_is_refused_at_its_place(setting: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        load_text(TWO_STORES, (setting,))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_real_date_and_a_whole_seed_are_taken() -> None:
    found = load_text(TWO_STORES, ("demand.calendar={'2026-11-20': 0.5}", f"seed={2**64 - 1}"))
    assert (found.demand.calendar, found.seed) == ({"2026-11-20": 0.5}, 2**64 - 1)


def test_a_share_may_be_asked_for_in_per_cent() -> None:
    found = load_text(
        TWO_STORES, ("slo=['on_time >= 95 %', 'within_s.1800 >= 97.5% (warn)', 'click_to_door_s.p95 <= 1500']",)
    ).slo
    assert [(each.target, each.severity) for each in found] == [(0.95, "error"), (0.975, "warn"), (1500.0, "error")]


def test_of_a_limit_either_key_may_be_given_alone() -> None:
    usual, found = (load("small", setting).platform.limits for setting in ((), ("platform.limits.login.burst=2",)))
    assert (found.login.per_s, found.login.burst) == (usual.login.per_s, 2)
    assert found.catalogue == usual.catalogue
    assert load("small", ("platform.limits.whole.per_s=7.0",)).platform.limits.whole.burst == usual.whole.burst  # type: ignore[union-attr]
    with pytest.raises(InputError, match=r"platform\.limits\.login\.speed: expected per_s, burst"):
        load("small", ("platform.limits.login.speed=2",))


@dataclass(frozen=True, slots=True)
class ToNobody:
    """Offers the oldest order to a driver who does not exist."""

    driver: int
    every_s: float = 0.0

    def __call__(self, view: Any) -> Any:
        return [Offer(order.id, self.driver) for order in list(view.waiting)[:1]]  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class OfNobody:
    """Offers an order that was never placed."""

    along: bool
    every_s: float = 0.0

    def __call__(self, view: Any) -> Any:
        for order in list(view.waiting)[:1]:
            driver = next(iter(view.idle), None)
            if driver is not None:
                yield Offer(order.id, driver, (10**6,)) if self.along else Offer(10**6, driver)  # type: ignore[arg-type]


@pytest.mark.parametrize("along", [False, True])
def test_an_offer_of_an_order_that_nobody_placed_is_refused_in_a_line(along: bool) -> None:
    world = build_world(load_text(TWO_STORES))
    policies = replace(policies_of(world.scenario), dispatch=OfNobody(along))
    with pytest.raises(
        InputError, match=r"policies.dispatch: expected an order of the view, got 1000000, which nobody"
    ):
        simulate(world, MemoryArchive(), policies=policies)


@pytest.mark.parametrize("driver", [-1, 14, 999])
def test_an_offer_to_nobody_is_refused_in_a_line(driver: int) -> None:
    world = build_world(load_text(TWO_STORES))
    policies = replace(policies_of(world.scenario), dispatch=ToNobody(driver))
    with pytest.raises(
        InputError, match=rf"policies.dispatch: expected a driver of this scenario \(below 14\), got {driver}"
    ):
        simulate(world, MemoryArchive(), policies=policies)


def test_a_tree_deeper_or_larger_than_anybody_means_is_refused_at_its_line():
    with pytest.raises(InputError, match=r"<text>:2: expected at most 40 levels and 1,000,000 values, got more"):
        load_text(f"name: x\nfaults: {'[' * 50}{']' * 50}\n")
    ten = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 9))
    with pytest.raises(InputError, match="got more"):
        load_text(f"x0: &x0 [1]\n{ten}")
