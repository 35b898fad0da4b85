"""The scenario's keys for the platform's services: their size, scaling, health, and what protects their callers.

Work per call is an exponential mean; a service is sized so that the ordinary day's peak leaves it half idle.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from sim.scenario.fields import JUDGEMENT, AboveZero, Branch, NonNegative, Positive, Share, given

LoadShare = Annotated[float, Field(strict=True, gt=0, le=1)]


class ServiceSpec(Branch):
    """One service behind its load balancer."""

    instances: Annotated[Positive, Field(le=10_000)] | None = given(
        None, "sized by the expected peak", "instances at the start; null: what the ordinary day's peak needs"
    )
    workers: Annotated[Positive, Field(le=10_000)] = given(8, JUDGEMENT, "calls that one instance works on at a time")
    work_s: AboveZero = given(0.005, JUDGEMENT, "mean work of a call, seconds")
    queue_max_s: AboveZero = given(
        1.0, "judgement: beyond it callers have given up", "a call that would wait longer than this is refused, seconds"
    )
    timeout_s: AboveZero = given(
        3.0,
        "judgement: a wait and a hundred times the work",
        "callers wait so long for an answer, then the call has failed, seconds",
    )


class GatewaySpec(ServiceSpec):
    """The way in: tokens, roles, limits, routing."""

    workers: Annotated[Positive, Field(le=10_000)] = given(16, JUDGEMENT, "calls that one instance works on at a time")
    work_s: AboveZero = given(0.002, JUDGEMENT, "mean work of a call, seconds")


class CatalogueSpec(ServiceSpec):
    """Browsing and search."""

    work_s: AboveZero = given(0.006, "judgement: mostly from a cache", "mean work of a call, seconds")


class InventorySpec(ServiceSpec):
    """Stock records."""

    work_s: AboveZero = given(
        0.003, "judgement: with platform.window_s below the 25 ms of a reservation", "mean work of a call, seconds"
    )


class OrdersSpec(ServiceSpec):
    """Orders, carts and sagas."""

    work_s: AboveZero = given(0.015, "judgement: several writes", "mean work of a call, seconds")


class PaymentsSpec(ServiceSpec):
    """Our side of the payment provider."""

    work_s: AboveZero = given(0.01, JUDGEMENT, "mean work of a call, seconds")
    timeout_s: AboveZero = given(
        60.0, "judgement: a charge as a whole has payments.timeout_s",
        "callers wait so long for an answer, then the call has failed, seconds",
    )  # fmt: skip


class DispatchSpec(ServiceSpec):
    """Offers to drivers, and who is near."""

    workers: Annotated[Positive, Field(le=10_000)] = given(4, JUDGEMENT, "calls that one instance works on at a time")
    work_s: AboveZero = given(
        0.012, "judgement: p99 below the 75 ms of 'drivers nearby'", "mean work of a call, seconds"
    )


class TrackingSpec(ServiceSpec):
    """Positions of drivers and states of orders."""

    work_s: AboveZero = given(0.003, JUDGEMENT, "mean work of a call, seconds")


class NotificationsSpec(ServiceSpec):
    """Push messages and mails."""

    workers: Annotated[Positive, Field(le=10_000)] = given(4, JUDGEMENT, "calls that one instance works on at a time")


class Services(Branch):
    """Every service of the platform, in the order of `sim.platform.services.Svc`."""

    gateway: GatewaySpec = given(GatewaySpec, "-", "the way in: tokens, roles, limits, routing")
    catalogue: CatalogueSpec = given(CatalogueSpec, "-", "browsing and search")
    inventory: InventorySpec = given(InventorySpec, "-", "stock records")
    orders: OrdersSpec = given(OrdersSpec, "-", "orders, carts and sagas")
    payments: PaymentsSpec = given(PaymentsSpec, "-", "our side of the payment provider")
    dispatch: DispatchSpec = given(DispatchSpec, "-", "offers to drivers, and who is near")
    tracking: TrackingSpec = given(TrackingSpec, "-", "positions of drivers and states of orders")
    notifications: NotificationsSpec = given(NotificationsSpec, "-", "push messages and mails")


class Autoscale(Branch):
    """How the number of a service's instances follows its load."""

    enabled: bool = given(True, "-", "false: the number stays as it was at the start")
    planned: LoadShare = given(0.5, JUDGEMENT, "utilisation at the ordinary day's peak for which the start is sized")
    target: LoadShare = given(0.6, "judgement; Kubernetes' examples say 0.5", "utilisation that scaling aims at")
    tolerance: Share = given(
        0.1, "Kubernetes HorizontalPodAutoscaler", "no change when the ratio to the target is so near 1"
    )
    queue_per_instance: AboveZero = given(50.0, JUDGEMENT, "calls waiting for each instance that scaling tolerates")
    growth_max: Annotated[float, Field(strict=True, gt=1)] = given(
        2.0,
        "Kubernetes HorizontalPodAutoscaler: at most 100 % a step",
        "the most by which a step multiplies what is up",
    )
    least: Positive = given(3, "one in each zone", "never fewer instances than this")
    most: Positive = given(60, JUDGEMENT, "never more instances than this")
    provisioning_s: NonNegative = given(
        60.0, "judgement: schedule, pull, start, warm up", "from ordering an instance until it takes calls, seconds"
    )
    cooldown_s: NonNegative = given(
        300.0, "Kubernetes' downscale stabilisation window", "scale in only when asked to for as long as this, seconds"
    )

    @model_validator(mode="after")
    def _room(self) -> Self:
        if self.most < self.least:
            raise ValueError(f"most not to be below least, {self.least}")
        return self


class Health(Branch):
    """How a dead instance is noticed."""

    interval_s: AboveZero = given(10.0, "Kubernetes probe default", "seconds between two checks of an instance")
    failures: Positive = given(3, "Kubernetes probe default", "checks that must fail in a row")
    replace: bool = given(True, "-", "whether an instance found dead is replaced")


class BreakerSpec(Branch):
    """A circuit breaker (Nygard, Release It!, 2018); the shape of its parameters is resilience4j's."""

    enabled: bool = given(True, "-", "false: every call goes through")
    window: Positive = given(20, "judgement; resilience4j has 100", "last calls that are looked at")
    least: Positive = given(10, "judgement; resilience4j has 100", "calls needed before the breaker judges")
    share: LoadShare = given(0.5, "resilience4j", "share of failures that opens the breaker")
    open_s: AboveZero = given(
        30.0, "judgement; resilience4j has 60", "seconds until an open breaker lets a trial through"
    )
    trials: Positive = given(3, "judgement; resilience4j has 10", "trial calls that must all succeed to close it again")


class RetrySpec(Branch):
    """Retries of a failed call, and the budget that keeps them from becoming the load."""

    attempts: Positive = given(
        5,
        "judgement: over a restart, not over an outage",
        "calls of a saga's step at most, then the order is dead-lettered",
    )
    base_s: AboveZero = given(0.5, JUDGEMENT, "pause before the first retry, doubled for each further, seconds")
    cap_s: AboveZero = given(8.0, JUDGEMENT, "longest pause before any retry, seconds")
    budget: bool = given(True, "-", "false: retries are not counted against a budget")
    budget_ratio: NonNegative = given(0.2, "Finagle RetryBudget", "retries that each first call earns")
    budget_most: AboveZero = given(
        10.0, "judgement; Finagle grants 10 a second", "retries saved up at most, and at the start"
    )
