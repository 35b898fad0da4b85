"""What goes wrong in a run: the scenario's faults, each a switch thrown at its time and put back at its end.

A fault is data. At its time, or at the times of a Poisson process drawn before the clock starts, its method here turns
something off in a room (the office's services, bus, records; the provider; phones and scanners) and returns what puts
it back. Faults of one kind may overlap: each is put back by itself.
"""

from collections.abc import Callable
from functools import partial

from sim.clock import Clock, Timer
from sim.facts import Facts
from sim.operations.floor import Floor
from sim.platform.front import Attack
from sim.platform.office import Office
from sim.platform.regions import part
from sim.scenario import Scenario
from sim.scenario.faults import Fault
from sim.scenario.fields import clock_s
from sim.streams import Streams
from sim.vocabulary import NOBODY, FaultKind, StoreId, Svc, quantise

End = Callable[[], None]

STAFF_LOGS_IN_S = 30.0
"""Pickers and drivers whose app has logged them out give name and password, seconds (judgement)."""


def occasions(scenario: Scenario, streams: Streams) -> list[tuple[float, Fault]]:
    """When each fault of a scenario begins, seconds since the start, in order of time.

    A fault that began before the start and is not over yet begins at the start.
    """
    found: list[tuple[float, int, Fault]] = []
    for number, fault in enumerate(scenario.faults):
        if fault.at is not None:
            times = [clock_s(fault.at) + scenario.midnight_s]
        else:
            generator = streams.generator(f"faults.{number}.{fault.kind}")
            assert fault.rate_per_day is not None
            count = int(generator.poisson(fault.rate_per_day * scenario.end_s / 86_400.0))
            times = sorted(generator.random(count) * scenario.end_s)
        found += [
            (quantise(max(at_s, 0.0)), number, fault)
            for at_s in times
            if at_s + fault.lasts_s(scenario.platform.restart_s) > 0 and at_s < scenario.end_s
        ]
    return [(at_s, fault) for at_s, _, fault in sorted(found, key=lambda entry: entry[:2])]


class Provided:
    """Whether the payment provider is out of order; exists before the office does."""

    def __init__(self) -> None:
        self.down = 0

    def __call__(self) -> bool:
        return self.down > 0


class Faults:
    """Throws the switches of one run."""

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        scenario: Scenario,
        streams: Streams,
        provider: Provided,
        office: Office,
        floor: Floor,
    ) -> None:
        self._env, self._facts, self._scenario = env, facts, scenario
        self._provider, self._office, self._floor = provider, office, floor
        assert office.backend is not None
        self._back = office.backend
        self._occasions = occasions(scenario, streams)
        self._luck = streams.die("faults")
        self._number = 0

    def start(self) -> None:
        """Set a timer for every fault."""
        for at_s, fault in self._occasions:
            Timer(self._env, at_s, self._begin, (at_s, fault))

    def _begin(self, event: Timer) -> None:
        at_s, fault = event.value
        kind = FaultKind[fault.kind.upper()]
        lasts_s = self._lasts_s(fault, at_s)
        store = StoreId(NOBODY if fault.store is None else fault.store)
        self._number += 1
        self._facts.fault_began(fault=kind, until_s=self._env.now + lasts_s, store=store)
        end: End = getattr(self, f"_{fault.kind}")(fault, lasts_s)

        def over(_: Timer) -> None:
            end()
            self._facts.fault_ended(fault=kind, store=store)

        Timer(self._env, lasts_s, over)

    def _lasts_s(self, fault: Fault, at_s: float) -> float:
        lasts_s = fault.lasts_s(self._scenario.platform.restart_s)
        if fault.at is not None:
            # What began before the start has run for a while.
            lasts_s += min(clock_s(fault.at) + self._scenario.midnight_s, 0.0)
        return quantise(max(lasts_s, 0.0))

    def _stores(self, fault: Fault) -> list[StoreId]:
        stores = self._office.figures.stores
        return [StoreId(fault.store)] if fault.store is not None else [StoreId(store) for store in range(stores)]

    def _in_region(self, fault: Fault) -> list[StoreId]:
        figures = self._office.figures
        regions = part(figures.store_nodes, self._scenario.platform.regions, figures.metres)
        return [StoreId(n) for n, region in enumerate(regions) if fault.region is None or region == fault.region]

    # -- the provider ------------------------------------------------------------------------------------------------

    def _provider_outage(self, fault: Fault, lasts_s: float) -> End:
        self._provider.down += 1

        def over() -> None:
            self._provider.down -= 1

        return over

    # -- messages ----------------------------------------------------------------------------------------------------

    def _bus_slowdown(self, fault: Fault, lasts_s: float) -> End:
        self._office.bus.slow(fault.factor)
        return partial(self._office.bus.recover, fault.factor)

    def _bus_partition(self, fault: Fault, lasts_s: float) -> End:
        self._office.bus.block(lasts_s, self._number)
        return _nothing

    def _consumer_rebalance(self, fault: Fault, lasts_s: float) -> End:
        self._office.bus.block(lasts_s)
        return _nothing

    def _broker_crash(self, fault: Fault, lasts_s: float) -> End:
        self._office.bus.broker_dies(lasts_s)
        return _nothing

    # -- services ----------------------------------------------------------------------------------------------------

    def _service(self, fault: Fault) -> Svc:
        assert fault.service is not None
        return Svc[fault.service.upper()]

    def _instance_crash(self, fault: Fault, lasts_s: float) -> End:
        service, cluster = self._service(fault), self._back.cluster
        for instance in cluster.services[service].rotation.up[: fault.instances]:
            cluster.kill(service, instance)
        return _nothing

    def _zone_outage(self, fault: Fault, lasts_s: float) -> End:
        self._back.cluster.zone_down(fault.zone)
        return partial(self._back.cluster.zone_up, fault.zone)

    def _service_slowdown(self, fault: Fault, lasts_s: float) -> End:
        service = self._service(fault)
        self._back.cluster.slow(service, fault.factor)
        return partial(self._back.cluster.recover, service, fault.factor)

    def _expired_certificate(self, fault: Fault, lasts_s: float) -> End:
        service = self._service(fault)
        self._back.cluster.fail_all(service)
        return partial(self._back.cluster.heal, service)

    def _exhausted_pool(self, fault: Fault, lasts_s: float) -> End:
        pool = self._office.payments.pool
        taken = round(pool.most * fault.share)
        pool.most -= taken

        def over() -> None:
            pool.most += taken

        return over

    def _orchestrator_crash(self, fault: Fault, lasts_s: float) -> End:
        self._office.saga.crash()
        return self._office.saga.restart

    # -- records and caches ------------------------------------------------------------------------------------------

    def _cache_flush(self, fault: Fault, lasts_s: float) -> End:
        self._back.catalogue.flush(self._env.now)
        return _nothing

    def _replica_lag(self, fault: Fault, lasts_s: float) -> End:
        return self._back.slow_replica(fault.factor)

    def _database_crash(self, fault: Fault, lasts_s: float) -> End:
        cluster, dark, stores, crashed_s = self._back.cluster, self._back.dark, self._in_region(fault), self._env.now
        inventory, whole = self._office.inventory, len(stores) == self._office.figures.stores
        written = inventory.written(stores if fault.replica == "asynchronous" else ())
        if whole:
            cluster.fail_all(Svc.INVENTORY)
        else:
            dark.fall(stores)

        def over() -> None:
            if fault.replica == "asynchronous":
                inventory.recover(written, max(crashed_s - fault.lag_s, 0.0))
            if whole:
                cluster.heal(Svc.INVENTORY)
            else:
                dark.rise(stores)

        return over

    def _corrupted_records(self, fault: Fault, lasts_s: float) -> End:
        skus = self._office.figures.skus
        number = self._number
        places = [
            store * skus + sku
            for store in self._stores(fault)
            for sku in range(skus)
            if self._luck.uniform(store * skus + sku, number) < fault.share
        ]
        self._office.inventory.corrupt(places)

        def over() -> None:
            self._office.inventory.heal(places)

        return over

    def _store_partition(self, fault: Fault, lasts_s: float) -> End:
        stores = self._stores(fault)
        for store in stores:
            self._office.outages.cut_off(store, accept=fault.on_partition == "accept")

        def over() -> None:
            for store in stores:
                self._office.outages.reconnect(store, accept=fault.on_partition == "accept")

        return over

    def _region_outage(self, fault: Fault, lasts_s: float) -> End:
        cluster, outages, crashed_s = self._back.cluster, self._office.outages, self._env.now
        outages.region_lost()
        for service in Svc:
            cluster.fail_all(service)
        written = self._office.inventory.written(self._stores(fault))

        def over() -> None:
            for service in Svc:
                cluster.heal(service)
            outages.region_back(crashed_s - fault.rpo_h * 3600.0, written)

        return over

    # -- the floor ---------------------------------------------------------------------------------------------------

    def _app_connection_loss(self, fault: Fault, lasts_s: float) -> End:
        number, phones = self._number, self._floor.phones
        drivers = self._floor.driving.drivers
        gone = [driver.id for driver in drivers if self._luck.uniform(driver.id, -number) < fault.share]
        phones.disconnect(gone)
        return partial(phones.reconnect, gone)

    def _push_outage(self, fault: Fault, lasts_s: float) -> End:
        phones = self._floor.phones
        phones.pushes_down += 1

        def over() -> None:
            phones.pushes_down -= 1

        return over

    def _scanner_failure(self, fault: Fault, lasts_s: float) -> End:
        stations = [self._floor.stations[store] for store in self._stores(fault)]
        for station in stations:
            station.pace.slow(fault.factor)

        def over() -> None:
            for station in stations:
                station.pace.slow(1.0 / fault.factor)

        return over

    # -- accounts and attacks --------------------------------------------------------------------------------------------

    def _revoked_sessions(self, fault: Fault, lasts_s: float) -> End:
        if not self._scenario.platform.auth.on:
            return _nothing
        self._back.front.sessions.revoke_all()
        self._office.line.moved(again=False)  # people at work have to log in again, too
        Timer(self._env, quantise(min(STAFF_LOGS_IN_S, lasts_s)), lambda _: self._office.line.moved(again=True))
        return _nothing

    def _login_attack(self, fault: Fault, lasts_s: float) -> End:
        return self._back.front.attacked(Attack(fault.per_second, True, fault.addresses))

    def _request_flood(self, fault: Fault, lasts_s: float) -> End:
        return self._back.front.attacked(Attack(fault.per_second, False, fault.addresses))


def _nothing() -> None:
    pass
