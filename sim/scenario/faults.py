"""The scenario's faults: what breaks, when, for how long, and what of it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.scenario.fields import JUDGEMENT, AboveZero, Branch, Clock, Count, NonNegative, Share, given

FaultName = Literal[
    "provider_outage", "bus_slowdown", "instance_crash", "zone_outage", "service_slowdown", "cache_flush", "replica_lag",
    "bus_partition", "consumer_rebalance", "orchestrator_crash", "database_crash", "broker_crash", "corrupted_records",
    "store_partition", "expired_certificate", "exhausted_pool", "region_outage", "app_connection_loss",
    "scanner_failure", "login_attack", "request_flood", "push_outage", "revoked_sessions",
]  # fmt: skip

ServiceName = Literal[
    "gateway", "catalogue", "inventory", "orders", "payments", "dispatch", "tracking", "notifications"
]

OF_SERVICES = frozenset({"instance_crash", "service_slowdown", "expired_certificate"})
"""Faults that need a `service`."""


OF_KIND: dict[str, frozenset[str]] = {
    "bus_slowdown": frozenset({"factor"}),
    "instance_crash": frozenset({"service", "instances"}),
    "zone_outage": frozenset({"zone"}),
    "service_slowdown": frozenset({"service", "factor"}),
    "replica_lag": frozenset({"factor"}),
    "database_crash": frozenset({"region", "replica", "lag_s", "failover_s"}),
    "corrupted_records": frozenset({"store", "share"}),
    "store_partition": frozenset({"store", "on_partition"}),
    "expired_certificate": frozenset({"service"}),
    "exhausted_pool": frozenset({"share"}),
    "region_outage": frozenset({"rto_h", "rpo_h", "dns_s"}),
    "app_connection_loss": frozenset({"share"}),
    "scanner_failure": frozenset({"store", "factor"}),
    "login_attack": frozenset({"addresses", "per_second"}),
    "request_flood": frozenset({"addresses", "per_second"}),
}
"""What a kind of fault has beside the time and the minutes that every one may have."""

OF_ALL = frozenset({"kind", "at", "rate_per_day", "minutes"})
"""What every kind has."""

OWN_LENGTH = {
    "region_outage": "rto_h and dns_s", "database_crash": "failover_s", "orchestrator_crash": "platform.restart_s"
}  # fmt: skip
"""Faults that last as long as it takes to recover from them, whatever their `minutes`; and what says how long that is."""


class Fault(Branch):
    """Something that goes wrong, at a time or now and then."""

    kind: FaultName
    at: Clock | None = given(None, "-", "when it begins; or rate_per_day")
    rate_per_day: Annotated[NonNegative, Field(le=10_000)] | None = given(
        None, "-", "how often it begins, a Poisson process; or at"
    )
    minutes: AboveZero = given(
        10.0,
        JUDGEMENT,
        "how long it lasts; database_crash, orchestrator_crash and region_outage: until somebody has taken over",
    )
    factor: Annotated[AboveZero, Field(ge=0.001, le=1e6)] = given(
        20.0, JUDGEMENT, "bus_slowdown, service_slowdown, replica_lag, scanner_failure: how much slower"
    )
    service: ServiceName | None = given(
        None, "-", "instance_crash, service_slowdown, expired_certificate: which service"
    )
    instances: Annotated[int, Field(strict=True, ge=1)] = given(1, "-", "instance_crash: how many at once")
    zone: Annotated[int, Field(strict=True, ge=0, le=2)] = given(0, "-", "zone_outage: which of the three zones")
    store: Count | None = given(
        None, "-", "corrupted_records, store_partition, scanner_failure: which store, the first is 0; none: all of them"
    )
    region: Count | None = given(
        None, "-", "database_crash: which region's database, of `platform.regions`; none: all of them"
    )
    share: Share = given(
        1.0, "-", "share affected: records (corrupted_records), drivers (app_connection_loss), pool (exhausted_pool)"
    )
    on_partition: Literal["accept", "refuse"] = given(
        "refuse", "-", "store_partition: go on selling without knowing what is there, or turn orders away"
    )
    replica: Literal["synchronous", "asynchronous"] = given(
        "synchronous", "-", "database_crash: whether the standby has every write, or lacks those of the last `lag_s`"
    )
    lag_s: NonNegative = given(3.0, JUDGEMENT, "database_crash: how far an asynchronous standby is behind, seconds")
    failover_s: AboveZero = given(30.0, JUDGEMENT, "database_crash: time until the standby has taken over, seconds")
    rto_h: AboveZero = given(
        4.0, "usual for a warm standby region", "region_outage: time until the other region serves, hours"
    )
    rpo_h: NonNegative = given(
        1.0, "usual for hourly copies", "region_outage: the other region lacks what is younger than this, hours"
    )
    dns_s: NonNegative = given(
        300.0, "a usual time to live", "region_outage: time until apps find the other region, seconds"
    )
    addresses: Annotated[int, Field(strict=True, ge=1)] = given(
        20, JUDGEMENT, "login_attack, request_flood: network addresses they come from"
    )
    per_second: Annotated[AboveZero, Field(le=100_000)] = given(
        200.0, JUDGEMENT, "login_attack, request_flood: requests a second"
    )

    @model_validator(mode="after")
    def _when(self) -> Self:
        if (self.at is None) == (self.rate_per_day is None):
            raise ValueError("exactly one of at and rate_per_day")
        foreign = self.model_fields_set - OF_ALL - OF_KIND.get(self.kind, frozenset())
        # A scenario that was written out whole has every key; what says nothing new does no harm.
        fields = type(self).model_fields
        if others := sorted(name for name in foreign if getattr(self, name) != fields[name].get_default()):
            own = ", ".join(["minutes", *sorted(OF_KIND.get(self.kind, ()))])
            raise ValueError(f"of {self.kind} beside its time only {own}, and not {', '.join(others)}")
        if self.kind in OF_SERVICES and self.service is None:
            raise ValueError(f"service, the service that {self.kind} befalls")
        return self

    def lasts_s(self, restart_s: float) -> float:
        """How long it lasts, seconds; a crashed orchestrator is up again after `restart_s`."""
        if self.kind == "region_outage":
            return self.rto_h * 3600.0 + self.dns_s
        if self.kind == "database_crash":
            return self.failover_s
        return restart_s if self.kind == "orchestrator_crash" else self.minutes * 60.0
