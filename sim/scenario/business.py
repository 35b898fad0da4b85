"""The scenario's other side: customers' behaviour, payments, platform, faults, policies, costs, service levels."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from sim.scenario.bus import BusSpec
from sim.scenario.catalogue_reads import Browsing
from sim.scenario.fields import JUDGEMENT, AboveZero, Branch, Count, Fee, NonNegative, Positive, Share, Spread, given
from sim.scenario.gateway import (
    Auth,
    BackpressureSpec,
    CartRules,
    DegradationSpec,
    FraudSpec,
    IdempotencySpec,
    Limits,
    Pricing,
    Screens,
)
from sim.scenario.monitoring import MonitoringSpec
from sim.scenario.services import Autoscale, BreakerSpec, Health, RetrySpec, Services
from sim.scenario.signals import NotificationSpec, TrackingSpec


class Substitutes(Branch):
    """What customers say to a substitute for what is not there; see `policies.substitution`."""

    taken_share: Share = given(
        0.5, "judgement: about half of the customers leave substitutes switched on",
        "chance that a customer who is not asked takes a substitute of the same price",
    )  # fmt: skip
    asked_share: Share = given(0.7, JUDGEMENT, "chance that one who is asked, and answers, takes it")
    reply_s: NonNegative = given(45.0, JUDGEMENT, "mean time until a customer answers, seconds (exponential)")
    fetch_s: NonNegative = given(15.0, JUDGEMENT, "time to fetch a substitute, seconds")


class Customers(Branch):
    """How customers behave."""

    clients: Positive = given(60_000, "judgement: 13 % of the default city's people", "people who use the service")
    patience_s: AboveZero | None = given(3600.0, JUDGEMENT, "mean time until a customer cancels, seconds; null: never")
    patience_noise: Literal["lognormal", "exponential"] = given(
        "lognormal", JUDGEMENT, "distribution of patience; exponential as in Erlang A (Palm 1957)"
    )
    patience_cv: Spread = given(0.5, JUDGEMENT, "coefficient of variation of patience when lognormal")
    price_elasticity: NonNegative = given(
        1.5, "judgement: groceries are inelastic, the shop they are bought at is not",
        "by how many percent orders fall when what an order costs in all rises by one, through a surcharge",
    )  # fmt: skip
    double_tap_share: Share = given(
        0.005, JUDGEMENT, "orders whose request is sent twice: a second tap, a retry of the app"
    )
    double_tap_s: NonNegative = given(0.4, JUDGEMENT, "time between the two, seconds")
    absent_share: Share = given(
        0.0, "judgement: no published figure is known to us; 0.01 to 0.05 are worth a try",
        "share of orders for which nobody opens the door",
    )  # fmt: skip
    underage_share: Share = given(
        0.01, JUDGEMENT,
        "share of orders whose customer cannot show to be of age, when asked; see catalogue.categories",
    )  # fmt: skip
    substitutes: Substitutes = given(Substitutes, "-", "what they say to substitutes")


class Payments(Branch):
    """The payment provider, outside the platform."""

    latency_s: NonNegative = given(1.2, JUDGEMENT, "mean time of a charge, seconds (lognormal)")
    latency_cv: Spread = given(0.8, "judgement: a heavy tail", "coefficient of variation of the latency")
    decline_share: Share = given(0.03, JUDGEMENT, "chance that a charge is declined, each attempt by itself")
    attempts_max: Annotated[int, Field(strict=True, ge=1, le=5)] = given(
        2, JUDGEMENT, "how often a customer tries to pay"
    )
    retry_s: NonNegative = given(8.0, JUDGEMENT, "time until the customer tries again, seconds")
    timeout_s: AboveZero = given(10.0, JUDGEMENT, "how long we wait for the provider's answer, seconds")
    retries_max: Annotated[int, Field(strict=True, ge=0, le=5)] = given(
        1, JUDGEMENT, "how often a charge without an answer is asked again, under the same key"
    )
    again_s: NonNegative = given(2.0, JUDGEMENT, "pause before asking again, seconds")
    idempotency: bool = given(True, "-", "ask again under the same key, so that nobody is charged twice")
    methods: dict[Literal["card", "wallet", "cash"], NonNegative] = given(
        lambda: {"card": 0.7, "wallet": 0.25, "cash": 0.05},
        JUDGEMENT,
        "share of each way to pay; cash is paid at the door",
    )
    lost_answer_share: Share = given(0.001, JUDGEMENT, "charges that are made though their answer never comes")
    duplicate_share: Share = given(0.002, JUDGEMENT, "charges that are told of again by a callback")
    callback_s: AboveZero = given(90.0, JUDGEMENT, "mean time until the provider calls back, seconds")
    lost_callback_share: Share = given(0.02, JUDGEMENT, "callbacks that never come: found in the settlement file")
    refund_retry_s: Annotated[AboveZero, Field(ge=0.1)] = given(
        60.0, JUDGEMENT, "time until a refund that failed is tried again, seconds"
    )
    keep_fee_on_failed: bool = given(
        False, "-", "keep the fees of an order that could not be handed over, where they were paid beforehand"
    )
    pool: Positive = given(400, JUDGEMENT, "charges of all kinds that may be under way at once")
    compartment: Positive = given(200, JUDGEMENT, "of these, charges that may wait for the provider (a bulkhead)")

    @field_validator("methods")
    @classmethod
    def _whole(cls, methods: dict[str, float]) -> dict[str, float]:
        if abs(sum(methods.values()) - 1) > 1e-6:
            raise ValueError(f"shares of the ways to pay that sum to 1, got {sum(methods.values()):g}")
        return methods


class Promise(Branch):
    """The time the customer is told."""

    floor_s: NonNegative = given(
        1200.0, "the twenty-minute promise of the trade", "never promise less than this, seconds"
    )
    slack: AboveZero = given(1.25, JUDGEMENT, "factor on the estimated time to the door")


class Platform(Branch):
    """The software platform."""

    profile: Literal["full", "minimal"] = given(
        "full", "-", "minimal: every mechanism, but no latency and no background load"
    )
    submit_s: NonNegative = given(
        0.05, "judgement: a mobile network's round trip", "mean time from the phone to the gateway and back, seconds"
    )
    submit_cv: Spread = given(0.5, JUDGEMENT, "coefficient of variation of that time")
    window_s: NonNegative = given(
        0.006,
        "judgement: one round trip to a database nearby, so that the p99 of a reservation is below 25 ms",
        "mean time between reading and writing stock, seconds",
    )
    window_cv: Spread = given(0.5, JUDGEMENT, "coefficient of variation of that window")
    reads: Literal["rate", "explicit"] = given(
        "rate",
        "-",
        "reads that place no order: a rate that nobody simulates one by one; or each of them, for small worlds",
    )
    services: Services = given(Services, "-", "size and speed of every service")
    autoscale: Autoscale = given(Autoscale, "-", "how services grow and shrink with their load")
    health: Health = given(Health, "-", "how dead instances are noticed")
    breaker: BreakerSpec = given(BreakerSpec, "-", "circuit breakers")
    retries: RetrySpec = given(RetrySpec, "-", "retries and their budget")
    browsing: Browsing = given(Browsing, "-", "reads that place no order, caches and replicas")
    auth: Auth = given(Auth, "-", "sessions and their tokens")
    limits: Limits = given(Limits, "-", "rate limits")
    idempotency: IdempotencySpec = given(IdempotencySpec, "-", "repeated requests")
    backpressure: BackpressureSpec = given(BackpressureSpec, "-", "shedding new orders under load")
    degradation: DegradationSpec = given(DegradationSpec, "-", "features that go before checkout does")
    cart: CartRules = given(CartRules, "-", "what a cart must be to be ordered")
    screens: Screens = given(Screens, "-", "screens that ask several services at once")
    fraud: FraudSpec = given(FraudSpec, "-", "fraudsters, and what is remembered of clients")
    bus: BusSpec = given(BusSpec, "-", "the message bus")
    monitoring: MonitoringSpec = given(MonitoringSpec, "-", "alerts, and the published targets")
    regions: Positive = given(
        1, "judgement: one database bears the writes of a city",
        "stock records are parted by so many regions of the city, each a database of its own",
    )  # fmt: skip
    hold_s: AboveZero = given(
        600.0,
        "judgement: longer than any checkout that can still succeed",
        "an unconfirmed order's hold expires, seconds",
    )
    restart_s: AboveZero = given(20.0, JUDGEMENT, "time until a crashed saga orchestrator is up again, seconds")
    bus_s: NonNegative = given(0.05, JUDGEMENT, "time from publishing a message to its delivery, seconds")
    accept_window_s: AboveZero = given(45.0, "30-60 s are usual", "time a driver has to answer an offer, seconds")
    give_up_s: AboveZero = given(
        2400.0, JUDGEMENT, "an order without a driver for this long after it could be picked is cancelled, seconds"
    )
    offline_after_s: NonNegative = given(
        60.0, JUDGEMENT, "the apps of pickers and drivers, when they reach nobody, try for so long before they work without "
        "the platform, seconds",
    )  # fmt: skip
    ping_s: Annotated[float, Field(strict=True, ge=0.5, le=1_000_000)] = given(
        8.0, "5-10 s are usual", "seconds between the positions a driver's phone sends"
    )
    tracking: TrackingSpec = given(TrackingSpec, "-", "what becomes of these positions, and what is made of them")
    notifications: NotificationSpec = given(NotificationSpec, "-", "how customers and drivers are told of what happens")
    delivery_fee_cents: Fee = given(290, JUDGEMENT, "fee of every order, cents")
    pricing: Pricing = given(Pricing, "-", "what is charged beside the goods and the delivery fee")
    promise: Promise = given(Promise, "-", "the time the customer is told")


class PolicyNames(Branch):
    """Which policy decides: ``name``, ``name(param=value, ...)`` or ``path/to/file.py:Class(...)``."""

    admission: str = given("open_door", "-", "whether a customer may place an order now")
    fraud: str = given("allow_all", "-", "which orders are refused as fraud")
    pricing: str = given("flat", "-", "what a customer is charged on top of the delivery fee")
    sourcing: str = given("nearest_store", "-", "which store serves an order")
    reservation: str = given("optimistic", "-", "how stock is held against concurrent buyers")
    saga: str = given("reserve_then_pay", "-", "in which order an order is reserved, paid and confirmed")
    substitution: str = given("refund", "-", "what happens to lines that the records deny or that are not found")
    slotting: str = given("by_popularity", "-", "where each SKU lies in the stores; heard with a stores.layout")
    routing: str = given("s_shape", "-", "how a picker walks through the aisles; heard with a stores.layout")
    picking: str = given("fifo", "-", "which order a free picker takes next")
    dispatch: str = given("nearest", "-", "which driver is offered which order, and when")
    eta: str = given("told", "-", "how estimates of rides are corrected by those that are over")
    locating: str = given("dead_reckoning", "-", "where a driver is believed to be between two positions")
    incentive: str = given("flat", "-", "what a driver is offered on top of the usual pay")
    positioning: str = given("return_to_store", "-", "where a driver goes after a delivery, and for the end of a shift")
    replenishment: str = given("order_up_to", "-", "what a store orders from its supplier")
    forecast: str = given("known", "-", "what a store expects to sell on the days to come")
    transfer: str = given("nothing", "-", "what goes from one store to another")
    reconciliation: str = given("count_on_short_pick", "-", "when people count shelves to correct the records")


class Costs(Branch):
    """What things cost, cents of one currency."""

    currency: str = given("USD", "-", "for display only")
    driver_hour_cents: Count = given(1500, JUDGEMENT, "a driver's hour on shift, vehicle included")
    picker_hour_cents: Count = given(1400, JUDGEMENT, "a picker's hour on shift")
    agent_hour_cents: Count = given(1400, "judgement: as a picker", "a support agent's hour at the desk")
    store_day_cents: Count = given(45_000, JUDGEMENT, "rent, energy and management of a store, per day")
    transfer_cents: Count = given(
        1200, "judgement: a driver's hour less the way, with a small van", "a trip with goods from one store to another"
    )
    holding_share_per_year: NonNegative = given(
        0.22, "judgement: 20-25 % is usual (Silver, Pyke, Thomas, Inventory and Production Management, 4th ed., ch. 1)",
        "holding stock for a year (capital, room, insurance), as a share of its purchase price",
    )  # fmt: skip
    stockout_share: Share = given(
        1.0, "judgement: nothing else is bought instead", "share of the margin that is lost on what a stock-out denied"
    )
    packaging_cents: Count = given(25, JUDGEMENT, "bags, per order packed")
    payment_share: Share = given(0.029, "list price of large card processors", "share of what is charged")
    payment_cents: Count = given(30, "list price of large card processors", "per charge")
    platform_order_cents: Count = given(
        4, JUDGEMENT, "cloud and software, per order entered, where platform.profile is minimal"
    )
    instance_hour_cents: NonNegative = given(
        8.2, "AWS EC2 m7g.large on demand, us-east-1, 2024 (2 vCPU, 8 GB)", "an hour of one instance of a service"
    )
    writes_million_cents: NonNegative = given(
        62.5, "AWS DynamoDB on demand, us-east-1, since November 2024", "a million writes to the databases"
    )
    messages_million_cents: NonNegative = given(
        40.0, "AWS SQS standard queue, us-east-1, 2024", "a million messages on the bus"
    )
    storage_gb_month_cents: NonNegative = given(
        25.0, "AWS DynamoDB standard tables, us-east-1, 2024", "a gigabyte kept for a month"
    )
    order_kb: NonNegative = given(20.0, JUDGEMENT, "what is kept of an order, its events included, kilobytes")
    kept_months: NonNegative = given(24.0, JUDGEMENT, "how long it is kept, months")
