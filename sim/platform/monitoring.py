"""Monitoring: what the platform sees of itself every quarter of a minute, and the alarms it raises by that alone."""

from typing import TYPE_CHECKING

from sim.clock import Clock
from sim.facts import Facts
from sim.scenario import Scenario
from sim.vocabulary import Svc

if TYPE_CHECKING:
    from sim.platform.backend import Backend


class Monitoring:
    """Looks at the services, the cache and the bus, and writes down what it sees."""

    def __init__(self, env: Clock, facts: Facts, scenario: Scenario, backend: "Backend") -> None:
        self._env, self._facts, self._backend = env, facts, backend

    def look(self, now: float) -> float:
        """Take a round of samples; returns the load of the busiest service (1: everything is busy)."""
        load = 0.0
        for service, sample in zip(Svc, self._backend.cluster.sample(), strict=True):
            load = max(load, sample.utilisation)
            self._facts.service_sampled(
                service=service,
                rate=sample.rate,
                errors=sample.errors,
                p50_s=sample.p50_s,
                p99_s=sample.p99_s,
                utilisation=sample.utilisation,
                queue=sample.queue,
                instances=sample.instances,
            )
        return load
