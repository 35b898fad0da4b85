"""What a storm is made of: a small world, and the settings and faults that a seed draws for it.

Everything (its size, how the platform is set up, what breaks and when) is drawn from the seed by a generator of its own, so
the same seed gives the same storm on every machine. What by design breaks a law is not drawn: consumers that do not
deduplicate, charges without idempotency keys, leases without fencing.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from sim.experiments.storm_desk import AT_THE_DESK, DESK, STAFFED
from sim.experiments.storm_people import HUMAN, HUMANS, PEOPLE
from sim.experiments.storm_signals import CLOUDED, FURTHER, ON_SIGNALS, SIGNALS
from sim.experiments.storm_tours import MATCHED, ON_TOURS, TOURS
from sim.scenario import Scenario, load_text
from sim.scenario.faults import OF_ALL, OF_KIND
from sim.vocabulary import FaultKind, Svc

PURPOSE: Final = 0x53544F524D  # "STORM": keeps these draws apart from all others that begin with a small seed

WORLD: Final = """
name: storm
start: 2026-11-20T12:00+00:00
horizon_h: 2
map: {width_m: 5000, height_m: 5000, points: 40, speed_kmh: 30}
stores: {count: 2, open: "00:00-24:00", zone: {radius_m: 100000}}
catalogue: {skus: 60}
shrinkage: {theft_share: 0, damage_share: 0}
demand: {profile: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1], weekday: [1,1,1,1,1,1,1]}
"""
"""Two stores on a plain of 5 km; orders arrive for two hours from noon on."""

BEGIN_S, SPAN_S = 11.5 * 3600.0, 3.5 * 3600.0
"""Faults begin within these seconds of the day: some before the start, some when no order arrives any more."""

SHIFTS: Final = (
    "[{at: '12:00', hours: 5}]",
    "[{at: '12:00', hours: 1, share: 0.5}, {at: '12:40', hours: 4, share: 0.5}]",
    "[{at: '12:00', hours: 2, share: 0.6}, {at: '13:00', hours: 3, share: 0.4}]",
)

CHOICES: Final[Mapping[str, tuple[Any, ...]]] = {
    "drain_h": (0.0, 0.5, 2.0, 2.0),
    "demand.orders_per_day": (0, 600, 1500, 2400, 2400, 3000, 3600),
    "demand.flash_sales": (
        "[]", "[]", "[{at: '12:20', seconds: 20, buyers: 120, sku: 3, stock: 20}]",
        "[{at: '12:20', seconds: 5, buyers: 100, sku: 0, stock: 12}]",
    ),
    "drivers.count": (2, 14, 30, 60),
    "drivers.shifts": SHIFTS,
    "drivers.accept_share": (0.0, 0.3, 0.87, 0.87, 0.87, 1.0, 1.0),
    "drivers.respond_s": (0.0, 6.0, 6.0, 60.0),
    "drivers.handoff_s": (0.0, 40.0),
    "pickers.per_store": (1, 4, 8),
    "pickers.shifts": SHIFTS,
    "pickers.mispick_share": (0.0, 0.05, 0.05, 0.5),
    "stores.inaccurate_share": (0.0, 0.3, 0.3, 1.0),
    "supply.units_min": (0, 1, 3),
    "supply.cover_days": (0.01, 0.2, 2.0, 2.0),
    "supply.review_at": ("12:10", "02:00"),
    "supply.lead_h": (0.0, 0.3),
    "travel.noise_cv": (0.0, 0.15, 1.0),
    "customers.clients": (30, 500, 60_000),
    "customers.patience_s": ("null", "null", 60, 400, 1500, 3600),
    "customers.double_tap_share": (0.0, 0.01, 0.3),
    "customers.double_tap_s": (0.0, 0.4, 30.0),
    "payments.methods": ("{card: 0.7, wallet: 0.25, cash: 0.05}", "{card: 0.5, wallet: 0, cash: 0.5}", "{card: 1}"),
    "payments.latency_s": (0.0, 1.2, 1.2, 20.0),
    "payments.timeout_s": (0.5, 2.0, 10.0, 10.0, 60.0),
    "payments.decline_share": (0.0, 0.03, 0.03, 0.5),
    "payments.attempts_max": (1, 2, 5),
    "payments.retries_max": (0, 1, 3),
    "payments.retry_s": (0.0, 8.0, 120.0),
    "payments.again_s": (0.0, 2.0, 60.0),
    "payments.callback_s": (1.0, 90.0, 1800.0),
    "payments.refund_retry_s": (10.0, 60.0, 600.0),
    "payments.pool": (2, 20, 400, 400),
    "payments.compartment": (1, 10, 200, 200),
    "platform.profile": ("full", "full", "full", "full", "full", "full", "full", "minimal"),
    "platform.window_s": (0.0, 0.006, 0.5, 0.5, 5.0),
    "platform.hold_s": (20.0, 120.0, 600.0, 600.0),
    "platform.restart_s": (1.0, 20.0, 300.0),
    "platform.bus_s": (0.0, 0.05, 0.05, 20.0),
    "platform.give_up_s": (60.0, 600.0, 2400.0, 2400.0),
    "platform.accept_window_s": (15.0, 45.0),
    "platform.bus.partitions": (1, 2, 12),
    "platform.bus.redeliver_s": (0.5, 5.0, 60.0),
    "platform.bus.deliveries_max": (1, 3, 5, 5),
    "platform.bus.replay_s": (60.0, 900.0),
    "platform.bus.acks": ("all", "leader"),
    "platform.bus.replicas": (1, 3),
    "platform.bus.outbox_s": (5.0, 60.0, 600.0),
    "platform.breaker.enabled": (True, True, False),
    "platform.breaker.window": (4, 20),
    "platform.breaker.least": (2, 10),
    "platform.breaker.share": (0.1, 0.5, 1.0),
    "platform.breaker.open_s": (1.0, 30.0, 300.0),
    "platform.breaker.trials": (1, 3),
    "platform.retries.budget": (True, False),
    "platform.autoscale.enabled": (True, False),
    "platform.autoscale.provisioning_s": (0.0, 60.0, 600.0),
    "platform.autoscale.cooldown_s": (0.0, 300.0),
    "platform.health.interval_s": (1.0, 10.0),
    "platform.health.replace": (True, False),
    "platform.auth.on": (True, False),
    "platform.limits.on": (True, False),
    "platform.idempotency.ttl_s": (600.0, 86_400.0),
    "platform.backpressure.on": (True, False),
    "platform.degradation.on": (True, False),
    "platform.reads": ("rate", "rate", "rate", "explicit"),
    "platform.browsing.reads_per_order": (0.0, 5.0, 60.0),
    "platform.browsing.cache.ttl_s": (0.0, 30.0, 600.0),
    "platform.browsing.cache.invalidate": (True, False),
    "platform.fraud.planted_share": (0.0, 0.2),
    "policies.admission": ("open_door", "open_door", "open_door", "open_door(open_orders_max=40)"),
    "policies.fraud": ("allow_all", "rules", "rules(cancels_max=0, refuse_from=1)"),
    "policies.reservation": (
        "optimistic", "optimistic", "optimistic(attempts_max=2, jitter=False)", "slots(hot_after=1)", "slots(slots=3)",
        "lock", "none", "lock(lease_s=0.5, pause_chance=0.2, pause_s=3.0)",
        "lock(timeout_s=60.0, lease_s=0.5, pause_chance=0.5, pause_s=5.0)",
    ),
    "policies.saga": (
        "reserve_then_pay", "pay_then_reserve", "at_once", "confirm_first", "two_phase_commit",
    ),
    "policies.substitution": ("refund", "refund(share_min=0.0)", "refund(share_min=1.0)"),
    "policies.dispatch": ("nearest", "nearest(ride_s_max=5000.0)"),
    "policies.sourcing": ("nearest_store", "nearest_with_stock"),
}  # fmt: skip
"""Settings, each with the values that are equally likely."""

SHARES: Final[Mapping[str, float]] = {
    "payments.lost_answer_share": 0.3,
    "payments.duplicate_share": 0.3,
    "payments.lost_callback_share": 0.3,
    "platform.bus.loss": 0.3,
    "platform.bus.duplicates": 0.3,
    "platform.browsing.cache.invalidate_loss": 0.3,
}
"""Shares of what gets lost or comes twice: none in a third of the storms, else uniform up to this."""

PRICING: Final = 0x5052494345  # "PRICE": a stream of its own, so that what is drawn here changes nothing else
PRICED: Final = 0.4  # of the storms charge otherwise than goods and a fee
PRICINGS: Final[Mapping[str, tuple[Any, ...]]] = {
    "tax_share": (0.0, 0.07, 0.19),
    "tax_included": (True, False),
    "small_order_below_cents": (0, 800, 2500),
    "small_order_fee_cents": (0, 99, 250),
    "free_delivery_from_cents": ("null", "null", 0, 1500, 4000),
    "promotion.share": (0.0, 0.5, 0.5, 1.0),
    "promotion.percent": (7.5, 33.3, 100.0),
    "promotion.cap_cents": ("null", 150, 777),
    "promotion.minimum_cents": (0, 1500),
}  # fmt: skip
"""Settings of `platform.pricing`, each with the values that are equally likely in such a storm."""

GOODS: Final = 0x474F4F4453  # "GOODS": likewise
SHRUNK: Final = 0.4  # of the storms have goods that go missing
SHRINKAGES: Final[Mapping[str, tuple[Any, ...]]] = {
    "shrinkage.theft_share": (0.0, 0.01, 0.5),
    "shrinkage.damage_share": (0.0, 0.005, 0.5),
    "shrinkage.scanned_share": (0.0, 0.6, 1.0),
    "stores.count_error_share": (0.0, 0.01, 1.0),
    "policies.reconciliation": (
        "never", "count_on_short_pick", "full_count(count_at='12:40')", "compare_ledgers(compare_every_s=240, auto_units=1)",
    ),
    "stores.review.people": (0, 2),
    "stores.review.minutes": (1.0, 6.0),
    "supply.late_share": (0.0, 0.1, 1.0),
    "supply.truck_litres": (1e6, 60.0),
    "policies.forecast": ("known", "naive_seasonal", "exponential_smoothing"),
    "stores.dock": (
        "null", "{people: 1, per_line_s: 60}", "{people: 1, per_line_s: 60, scan: dock}", "{people: 3, lines: 2, scan: dock}",
    ),
    "policies.transfer": (
        "nothing", "balance(every_s=600, keep_days=0.0, z=0, trip_units=1)", "balance(every_s=300, keep_days=0.02, trip_units=1)",
    ),
    "supply.transfer_at": ("12:05", "12:40"),
    "supply.transfer_minutes": (2.0, 45.0),
    "supply.look_at": ("05:00", "12:30", "13:10"),
    "catalogue.categories": (
        "[{name: goods, share: 1, price_cents: 300, litres: 1}]",
        "[{name: milk, share: 0.5, price_cents: 100, litres: 1, life_days: 1}, "
        "{name: bread, share: 0.5, price_cents: 200, litres: 1, life_days: 2}]",
    ),
    "stores.counting": ("{}", "{by: pickers, lines: 2}", "{people: 1, within_h: 0.1}"),
}  # fmt: skip
"""What becomes of goods, each with the values that are equally likely in such a storm; in others nobody errs or steals."""

FLOOR: Final = 0x464C4F4F52  # "FLOOR": likewise
BUILT: Final = (
    0.5  # of the storms have stores with benches and aisles, and pickers who break things and find substitutes
)
FLOORS: Final[Mapping[str, tuple[Any, ...]]] = {
    "stores.layout": ("{levels: 1}", "{levels: 1, zones: {frozen: {aisles: 1}, chilled: {aisles: 2}}}"),
    "stores.packing": ("null", "{stations: 1, room: 2, base_s: 60}", "{stations: 3, room: 8}"),
    "stores.totes": ("null", "{count: 3, litres: 10}", "{count: 12, litres: 30}"),
    "stores.counter_room": ("null", 2, 12),
    "pickers.breakage_share": (0.0, 0.05, 0.5),
    "pickers.overlook_share": (0.0, 0.05, 0.5),
    "policies.picking": (
        "fifo", "earliest_due", "batch", "wave(every_s=120)", "with_driver", "by_zone(sections=2)", "by_zone(sections=5)",
    ),
    "policies.substitution": ("refund(share_min=0.0)", "nearest", "ask", "ask(asks_s=300.0, gap_max=3.0)"),
}  # fmt: skip
"""What the stores are like, each with the values that are equally likely in such a storm."""

DOORS: Final = 0x444F4F5253  # "DOORS": likewise
SHUT: Final = 0.4  # of the storms have doors at which not everything is handed over
AT_THE_DOORS: Final[Mapping[str, tuple[Any, ...]]] = {
    "customers.absent_share": (0.0, 0.05, 0.5, 1.0),
    "customers.underage_share": (0.0, 0.3, 1.0),
    "drivers.wait_at_door_s": (0.0, 300.0),
    "drivers.age_check_s": (0.0, 20.0),
    "payments.keep_fee_on_failed": (True, False),
    "catalogue.categories": (
        "[{name: goods, share: 1, price_cents: 300, litres: 1}]",
        "[{name: ices, share: 0.5, price_cents: 300, litres: 1, returnable: false, zone: frozen}, "
        "{name: wine, share: 0.5, price_cents: 900, litres: 1, restricted: true, zone: restricted}]",
        "[{name: milk, share: 0.4, price_cents: 100, litres: 1, returnable: false, restricted: true}, "
        "{name: bread, share: 0.6, price_cents: 200, litres: 1, life_days: 1}]",
    ),
}  # fmt: skip
"""What happens at the customers' doors, each with the values that are equally likely in such a storm."""

RESTOCKING: Final = 0x53544F434B  # "STOCK": likewise
RESTOCKED: Final = 0.3  # of the storms have stores that order and count otherwise
RESTOCKINGS: Final[Mapping[str, tuple[Any, ...]]] = {
    "policies.replenishment": (
        "nothing", "order_up_to(every_s=900)", "s_s(every_s=1800)", "r_q(pack=12, every_s=600)", "eoq(every_s=1200)",
        "newsvendor(every_s=1800)", "s_s_optimal(every_s=3600)",
    ),
    "policies.reconciliation": (
        "abc_cycle(count_at='12:40', a_days=1, b_days=2, c_days=3)", "count_idle(count_at='12:10', chance_max=0.9)",
        "compare_ledgers(compare_every_s=60, auto_units=0)", "count_on_short_pick(units_min=2)",
    ),
    "supply.deliveries": ("[]", "['12:30', '13:15']"),
    "supply.miscount_share": (0.0, 0.01, 0.5),
    "stores.open": ("00:00-24:00", "12:30-13:10"),
    "pickers.break_minutes": (0.0, 20.0),
    "demand.basket": ("{lines_mean: 1, units_mean: 1}", "{lines_mean: 5, units_mean: 1.3}", "{lines_mean: 12, units_mean: 4}"),
}  # fmt: skip
"""What stores order, count and sell at once, each with the values that are equally likely in such a storm."""

SHARING: Final = 0x5348415245  # "SHARE": likewise
SHARED: Final = 0.25  # of the storms have stores that help each other out
SHARINGS: Final[Mapping[str, tuple[Any, ...]]] = {
    "policies.transfer": (
        "balance(every_s=300, keep_days=0.0, z=0, trip_units=1)", "balance(every_s=900, keep_days=0.1, z=1.0, trip_units=5)",
    ),
    "supply.transfer_at": ("12:05", "12:40"),
    "supply.transfer_minutes": (2.0, 20.0, 45.0),
    "supply.cover_days": (0.5, 0.65, 0.8),
    "supply.review_at": ("02:00",),
    "stores.inaccurate_share": (0.3, 1.0),
}  # fmt: skip
"""Stores that have about what they need until the next truck, so that one lacks what another can spare."""

TAPS: Final = 0x54415053  # "TAPS": likewise
FORGETFUL: Final = 0.15  # of the storms forget requests at once, or soon
FORGOTTEN: Final[Mapping[str, tuple[Any, ...]]] = {
    "platform.idempotency.on": (True, False),
    "platform.idempotency.ttl_s": (0.2, 5.0, 600.0),
    "customers.double_tap_share": (0.01, 0.3),
}
"""What makes two orders of two taps, each with the values that are equally likely in such a storm."""

MONTHS: Final = 0x4D4F4E544853  # "MONTHS": likewise
QUIET: Final = 0.2  # of the storms have no orders, only goods and their records
QUIETS: Final[Mapping[str, tuple[Any, ...]]] = {
    "mode": ("goods_only",),
    "unmet": ("lost", "backorder"),
    "horizon_h": (6, 30, 100, 200),
    "faults": ("[]",),
    "demand.flash_sales": ("[]",),
    "demand.orders_per_day": (0, 600, 2400, 3600),
    "demand.arrivals": ("poisson", "even"),
    "demand.step_minutes": (5, 60, 720),
    **SHRINKAGES,
    "policies.reconciliation": (
        "never", "count_on_short_pick", "full_count(count_at='12:40')", "abc_cycle(a_days=1, b_days=2, c_days=3)",
        "count_idle(chance_max=0.5)", "compare_ledgers(compare_every_s=240, auto_units=1)",
    ),
    "policies.replenishment": (
        "nothing", "order_up_to", "order_up_to(every_s=7200)", "s_s(cycle_days=1.0)", "r_q(pack=20, every_s=43200)",
        "eoq", "newsvendor", "s_s_optimal",
    ),
    "policies.transfer": (
        "nothing", "balance(every_s=3600, keep_days=0.0, z=0, trip_units=1)", "balance(every_s=43200, trip_units=1)",
    ),
    "supply.deliveries": ("[]", "['06:00', '13:00']"),
    "pickers.breakage_share": (0.0, 0.05, 0.5),
}  # fmt: skip
"""What a goods-only run hears, each with the values that are equally likely in such a storm."""

BEGUN: Final = 0x424547554E  # "BEGUN": likewise
BEGAN: Final = 0.15  # of the storms begin with what days before them left
BEGINNINGS: Final[Mapping[str, tuple[Any, ...]]] = {
    "stores.burn_in_days": (1, 3),
    "supply.lead_h": (0.3, 4.0, 30.0),
}  # fmt: skip
"""How long goods were sold, stolen and counted before the storm, and how long trucks are on the road by then."""

FAULTS_MEAN: Final = 5.0
"""Mean number of faults of a storm (Poisson)."""

OFTEN: Final = (FaultKind.ORCHESTRATOR_CRASH, FaultKind.PROVIDER_OUTAGE, FaultKind.REGION_OUTAGE)
"""Kinds that are drawn three times as often: what they break takes a coincidence to show."""

_KINDS: Final = (
    *(kind for kind in FaultKind if kind not in (FaultKind.PUSH_OUTAGE, FaultKind.REVOKED_SESSIONS)),
    *OFTEN,
    *OFTEN,
)  # see storm_signals
_RATED: Final = 0.2  # of the faults come at a rate, not at a time
_SERVICES: Final = tuple(service.name.lower() for service in Svc)


def storm_scenario(seed: int, *fixed: str) -> Scenario:
    """Draw the storm of a seed; `fixed` settings (``path=value``) override what was drawn."""
    rng = np.random.default_rng([PURPOSE, seed])
    settings = {"seed": seed, **{path: values[rng.integers(len(values))] for path, values in CHOICES.items()}}
    for path, most in SHARES.items():
        settings[path] = round(max(float(rng.uniform(-most / 2, most)), 0.0), 4)
    settings["faults"] = f"[{', '.join(_fault(rng) for _ in range(rng.poisson(FAULTS_MEAN)))}]"
    settings |= _apart(seed, PRICING, PRICED, {f"platform.pricing.{path}": drawn for path, drawn in PRICINGS.items()})
    settings |= _apart(seed, GOODS, SHRUNK, SHRINKAGES)
    settings |= _apart(seed, FLOOR, BUILT, FLOORS)
    settings |= _apart(seed, DOORS, SHUT, AT_THE_DOORS)
    settings |= _apart(seed, DESK, STAFFED, AT_THE_DESK)
    settings |= _apart(seed, PEOPLE, HUMAN, HUMANS)
    settings |= _apart(seed, TOURS, MATCHED, ON_TOURS)
    settings |= _apart(seed, SIGNALS, CLOUDED, ON_SIGNALS)
    settings["faults"] = f"[{', '.join(filter(None, (settings['faults'][1:-1], settings.pop(FURTHER, ''))))}]"
    settings |= _apart(seed, RESTOCKING, RESTOCKED, RESTOCKINGS)
    settings |= _apart(seed, SHARING, SHARED, SHARINGS)
    settings |= _apart(seed, BEGUN, BEGAN, BEGINNINGS)
    settings |= _apart(seed, TAPS, FORGETFUL, FORGOTTEN)
    settings |= _apart(seed, MONTHS, QUIET, QUIETS)
    drawn = [f"{path}={_text(value)}" for path, value in settings.items()]
    return load_text(WORLD, [*drawn, *fixed], file=f"storm {seed}")


def _apart(seed: int, stream: int, share: float, choices: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
    """Settings of a share of the storms, drawn from a stream of their own; the others are left as the world has them."""
    rng = np.random.default_rng([PURPOSE, stream, seed])
    if rng.random() >= share:
        return {}
    return {path: values[rng.integers(len(values))] for path, values in choices.items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fault(rng: np.random.Generator) -> str:
    """Draw a fault; as one of the scenario's `faults`, in YAML."""

    def one(*values: Any) -> Any:
        return values[rng.integers(len(values))]

    # All keys are drawn whatever the kind, so that another kind's keys stay what they were; it is given its own.
    keys: dict[str, Any] = {
        "kind": one(*_KINDS).name.lower(),
        "minutes": round(float(rng.exponential(12.0)) + 0.02, 2),
        "factor": one(0.5, 1.0, 3.0, 20.0, 400.0),
        "service": one(*_SERVICES),
        "instances": int(rng.integers(1, 6)),
        "zone": int(rng.integers(3)),
        "store": one("null", 0, 1),
        "share": one(0.05, 0.5, 1.0),
        "on_partition": one("accept", "refuse"),
        "replica": one("synchronous", "asynchronous"),
        "lag_s": one(0.0, 3.0, 300.0),
        "failover_s": one(1.0, 30.0, 600.0),
        "rto_h": one(0.02, 0.2, 0.6),
        "rpo_h": one(0.0, 0.05, 0.5, 1.0, 4.0),
        "dns_s": one(0.0, 60.0, 300.0),
        "addresses": one(1, 20, 500),
        "per_second": one(1.0, 10.0, 40.0),
    }
    rated, rate, at_s = rng.random() < _RATED, one(6.0, 24.0, 60.0), int(BEGIN_S + rng.random() * SPAN_S)
    if rated:
        keys["rate_per_day"] = rate
    else:
        keys["at"] = f"'{at_s // 3600:02d}:{at_s // 60 % 60:02d}'"
    own = OF_KIND.get(keys["kind"], frozenset()) | OF_ALL
    return "{" + ", ".join(f"{name}: {value}" for name, value in keys.items() if name in own) + "}"
