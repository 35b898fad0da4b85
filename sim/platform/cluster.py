"""All services of the platform together, and the control loop that watches them.

A round of control takes each service's background load as it now is and lets its autoscaler decide. Deaths are noticed
and instances become ready between rounds, at their own times.
"""

from collections.abc import Callable, Sequence

from sim.clock import Clock, Timer
from sim.platform.meter import Sample
from sim.platform.scaling import Bill
from sim.platform.services import Service
from sim.scenario.services import Autoscale, Health, Services
from sim.vocabulary import Svc, quantise


class Cluster:
    """All services, and the control loop that watches them.

    Parameters
    ----------
    peak_loads
        Erlangs of each service at the ordinary day's peak, by `Svc`.
    load
        The background's calls a second for each service at a time, by `Svc`.
    tick_s
        Seconds between two rounds of control.

    Attributes
    ----------
    bill
        Instance-seconds of all services.
    """

    def __init__(
        self,
        env: Clock,
        specs: Services,
        autoscale: Autoscale,
        health: Health,
        *,
        peak_loads: Sequence[float],
        load: Callable[[float], Sequence[float]],
        tick_s: float = 15.0,
    ) -> None:
        self._env, self._load, self._tick_s = env, load, quantise(tick_s)
        self.bill = Bill()
        self.services = [
            Service(getattr(specs, svc.name.lower()), autoscale, health, peak, self.bill)
            for svc, peak in zip(Svc, peak_loads, strict=True)
        ]

    def start(self) -> None:
        """Begin the control loop: the background loads the services from now on."""
        self._on_tick()

    def _on_tick(self, _: Timer | None = None) -> None:
        self.tick(self._env.now)
        Timer(self._env, self._tick_s, self._on_tick)

    def tick(self, now_s: float) -> None:
        """One round of control."""
        for service, rate in zip(self.services, self._load(now_s), strict=True):
            service.tick(rate, now_s)

    def beat(self, now_s: float) -> list[Sample]:
        """One round of control, and what monitoring sees of each service right after it, by `Svc`."""
        return [service.beat(rate, now_s) for service, rate in zip(self.services, self._load(now_s), strict=True)]

    def sample(self) -> list[Sample]:
        """What monitoring sees of each service, by `Svc`; see `Service.sample`."""
        now_s = self._env.now
        return [service.sample(now_s) for service in self.services]

    def kill(self, svc: Svc, instance: int) -> bool:
        """An instance dies; returns whether it served."""
        return self.services[svc].kill(instance, self._env.now)

    def zone_down(self, zone: int) -> None:
        """A zone goes, with the instances of every service in it."""
        for service in self.services:
            service.zone_down(zone, self._env.now)

    def zone_up(self, zone: int) -> None:
        """A zone is back: instances may start in it again."""
        for service in self.services:
            service.zone_up(zone)

    def slow(self, svc: Svc, factor: float) -> None:
        """A service takes `factor` times as long for everything, until `recover` with the same factor."""
        self.services[svc].slow(factor, self._env.now)

    def recover(self, svc: Svc, factor: float) -> None:
        """Take a slow-down of a service back."""
        self.services[svc].recover(factor, self._env.now)

    def fail_all(self, svc: Svc) -> None:
        """Every call to a service fails fast until as many `heal`."""
        self.services[svc].fail_all(self._env.now)

    def heal(self, svc: Svc) -> None:
        """A cause of `fail_all` is gone."""
        self.services[svc].heal(self._env.now)
