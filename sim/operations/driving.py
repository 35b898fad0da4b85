"""Drivers as they are: where they ride, and how long it takes them.

A ride is one event however many streets it has; where a driver is in between is worked out when somebody asks. A free
driver who rides back to a store can be offered work on the way: bound for the same store he simply rides on, else he
turns at the next junction.
"""

from collections.abc import MutableSet
from math import inf

from sim.clock import Clock, Timer
from sim.facts import Facts
from sim.operations.docks import Docks
from sim.operations.doors import Doors
from sim.operations.drivers import Driver
from sim.operations.phones import Phones
from sim.operations.riding import Riding
from sim.operations.shelves import Shelves
from sim.operations.streets import Streets
from sim.operations.support import Support
from sim.operations.takings import Takings
from sim.platform.office import Office
from sim.ports import Cancellation, OfferMessage, RideMessage
from sim.story import Signal, Story, tell
from sim.streams import quick
from sim.vocabulary import (
    NO_ORDER,
    NOBODY,
    TICK_S,
    CancelReason,
    DriverId,
    NodeId,
    OrderId,
    StoreId,
    Trip,
)
from sim.world.demand import Trace
from sim.world.drivers import BETWEEN_DAYS_S
from sim.world.travel import Travel

# Looking a member up on its class, and calling a type of id, cost ten times as much as a name.
_TO_STORE, _TO_CUSTOMER, _BACK, _RETURN = Trip.TO_STORE, Trip.TO_CUSTOMER, Trip.BACK, Trip.RETURN
_NO_STORE = StoreId(NOBODY)


class Driving:
    """All drivers of a run.

    Parameters
    ----------
    counter
        Orders that stand packed at their store's counter; drivers take them away.
    phones
        Told where drivers ride, for the positions that they send.
    arrive_s, leave_s
        From arriving to standing at a counter or door, and from there back on the road, seconds.
    doors
        What happens at the customers' doors; None: every order is handed over.
    support, takings
        Whom customers write to who were wronged, None: nobody; what drivers get at the door, None: nothing.
    """

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        office: Office,
        shelves: Shelves,
        travel: Travel,
        trace: Trace,
        drivers: list[Driver],
        counter: MutableSet[OrderId],
        riding: Riding,
        *,
        phones: Phones,
        arrive_s: float = 0.0,
        leave_s: float = 0.0,
        doors: Doors | None = None,
        support: Support | None = None,
        takings: Takings | None = None,
        streets: Streets | None = None,
        docks: Docks | None = None,
    ) -> None:
        self._env, self._facts, self._office, self._shelves = env, facts, office, shelves
        self._line = office.line
        self._store_nodes = travel.store_nodes
        self._streets, self._docks = streets, docks
        self.position, self._ride, self._ride_on = riding.position, riding.ride, riding.ride_on
        self.drivers = drivers
        self._phones, self._arrive_s, self._leave_s = phones, arrive_s, leave_s
        self._noise = [quick(trace.ride_noise[:, trip]) for trip in range(3)]
        self._counter_s, self._door_s = quick(trace.counter_s), quick(trace.door_s)
        self._counter, self._doors, self._support, self._takings = counter, doors, support, takings
        self._at_counter: dict[OrderId, Driver] = {}

    # -- the shift ---------------------------------------------------------------------------------------------------

    def begin(self, number: DriverId, until_s: float = inf, rest_s: float = 0.0) -> None:
        """A driver's shift, to the end at `until_s`, begins at the home store; after a break, where he stands.

        One who is still out from the last shift just goes on; if the rules ask for `rest_s` off between the two, he goes home
        with the delivery in hand and begins when he has rested.
        """
        driver = self.drivers[number]
        if driver.crashed and (driver.out or self._env.now - driver.left_s < BETWEEN_DAYS_S):
            return  # what is left of a day's work after an accident is not worked
        driver.until_s = until_s
        rested_s = driver.left_s + rest_s
        if driver.out and not rest_s:
            driver.on = True
            self._office.driver_stays_on(driver.id)
        elif driver.out:
            driver.owes_s = rest_s
        elif rested_s > self._env.now:
            Timer(self._env, rested_s - self._env.now, self._rested, driver)
        else:
            driver.on = True
            tell(self._work(driver))

    def _rested(self, event: Timer) -> None:
        driver = event.value
        if not driver.on and self._env.now < driver.until_s:
            driver.on = True
            tell(self._work(driver))

    def end(self, number: DriverId, *, over: bool = True) -> None:
        """A driver's shift ends, or only a stretch of it (`over` False): at once when free, else with the delivery in hand."""
        driver = self.drivers[number]
        if not driver.on:
            return
        driver.on, driver.over = False, over
        self._office.driver_off(driver.id)
        if driver.order is None:
            driver.wake.ring()

    def _work(self, driver: Driver) -> Story:
        """Wait for work, deliver, ride back, until the shift is over."""
        facts = self._facts
        driver.out, driver.crashed, driver.leg = True, False, None
        driver.on_since_s = driver.free_since_s = self._env.now
        if self._env.now - driver.left_s >= BETWEEN_DAYS_S:
            driver.node = driver.start
        driver.store = driver.home if driver.node == self._store_nodes[driver.home] else _NO_STORE
        facts.driver_on(driver=driver.id, store=driver.home, node=driver.node, profile=driver.profile)
        self._phones.on(driver)
        driver.wake = Signal()
        self._office.driver_on(driver.id, driver.node)
        driver.back = 1.0
        while driver.on or driver.order is not None:
            yield driver.wake
            if driver.order is not None:
                last = driver.order
                driver.back = self._noise[2][last.order]
                left = yield from self._deliver(driver, last)
                docked = self._docks is not None and (yield from self._docks.land(driver, last, flew=left))
                driver.order = None
                if driver.on:
                    driver.free_since_s = self._env.now
                    driver.wake.again()
                    if docked:
                        driver.store = driver.home
                        facts.driver_waits(driver=driver.id, node=driver.node)
                        self._office.driver_free(driver.id, driver.node, driver.home)
                        self._stand(driver)
                    else:
                        self._go_free(driver)
            if not driver.on and driver.over and not driver.crashed:
                yield from self._ends(driver)
        driver.node, driver.leg = self.position(driver, self._env.now)[0], None
        driver.out, driver.left_s = False, self._env.now
        self._phones.off(driver)
        facts.driver_off(driver=driver.id)
        if driver.owes_s:
            Timer(self._env, driver.owes_s, self._rested, driver)
            driver.owes_s = 0.0

    def _ends(self, driver: Driver) -> Story:
        """Ride to where the platform has a shift end, if it says; whoever is to work again meanwhile is free there."""
        if self._docks is not None and self._docks.flies(driver):
            return  # at its dock anyway
        env = self._env
        target = self._office.driver_ends(driver.id, self.position(driver, env.now)[0])
        if target is None:
            return
        arrive_s = self._towards(driver, target, NO_ORDER, _BACK, driver.back)
        if arrive_s > env.now:
            driver.ending = True
            yield Timer(env, arrive_s - env.now)
            driver.ending = False
        driver.leg, driver.node, driver.store = None, self._store_nodes[target], target
        if driver.on and driver.order is None:
            driver.free_since_s = env.now
            driver.wake.again()
            self._go_free(driver)

    def _go_free(self, driver: Driver) -> None:
        target = self._office.driver_free(driver.id, driver.node)
        if target is None:
            driver.store = _NO_STORE
            self._facts.driver_waits(driver=driver.id, node=driver.node)
            return
        driver.store = target
        leg = self._ride(driver, NO_ORDER, _BACK, driver.node, target, towards=True, noise=driver.back)
        if leg.arrive_s > self._env.now:
            Timer(self._env, leg.arrive_s - self._env.now, self._back, (driver, leg))
        else:
            self._stand(driver)

    def _back(self, event: Timer) -> None:
        driver, leg = event.value
        if driver.leg is leg and driver.order is None and driver.on and not driver.ending:
            self._stand(driver)

    def _stand(self, driver: Driver) -> None:
        driver.leg, driver.node = None, self._store_nodes[driver.store]
        self._office.driver_stands(driver.id, driver.store)

    # -- one delivery ------------------------------------------------------------------------------------------------

    def _deliver(self, driver: Driver, job: OfferMessage) -> Story:
        """See to a job; returns whether he left its store with anything."""
        env, facts, order = self._env, self._facts, job.order
        streets, arrive_s = self._streets, self._towards(driver, job.store, order, _TO_STORE, self._noise[0][order])
        if arrive_s > env.now:
            if streets is None:
                yield Timer(env, arrive_s - env.now)
            else:
                if (yield from streets.to_store(driver, job, self._noise[0][order])):
                    for each in (order, *(each for each, _ in job.along)):
                        self._office.gives_back(each, driver.id)
                    self._goes_home(driver)
                    return False
        driver.leg, driver.node = None, self._store_nodes[job.store]
        driver.store = job.store
        facts.driver_at_store(driver=driver.id, order=order, store=job.store)
        tour = [(order, job.node)]
        if job.along:
            tour += self._along(driver, job)
        if self._arrive_s:
            yield Timer(env, self._arrive_s)
        # At the counter, order by order. (In one generator: one for each part would cost every order two microseconds.)
        office, docks, line, carried = self._office, self._docks, self._line, []
        for order, node in tour:
            wanted = office.fetches(order, driver.id)
            if wanted and order not in self._counter:
                driver.wake.again()
                before, self._at_counter[order] = self._at_counter.get(order), driver
                if before is not None:
                    before.wake.ring()  # the order has been given to somebody else
                yield driver.wake
                wanted = office.fetches(order, driver.id)
            if not wanted:
                continue
            if docks is not None and docks.flies(driver) and self._doors is not None and self._doors.adults_only(order):
                office.gives_back(
                    order, driver.id
                )  # whoever loads it sees what a picker has mixed up: a person must bring it
                continue
            if self._counter_s[order]:
                yield Timer(env, self._counter_s[order])
            if line.held:
                yield line.free  # nobody takes the scan
            cleared = office.when_cleared(order)
            if cleared is not None:
                yield cleared  # the goods do not leave before the platform has its money
            if office.picked_up(order, driver.id):
                self._counter.discard(order)
                self._shelves.leave(order, job.store)
                carried.append((order, node))
        if carried and self._leave_s:
            yield Timer(env, self._leave_s)
        # From door to door.
        doors, brought_back, first = self._doors, [], True
        for order, node in carried:
            noise = self._noise[1][order]
            if streets is not None:
                found = yield from streets.to_customer(driver, order, job.store, node, noise, first=first)
                if found is None:
                    brought_back += self._wrecked(driver, [one for one, _ in carried], order)
                    break
                node, at_door = found, self._arrive_s + self._door_s[order]
            else:
                if first:
                    leg = self._ride(driver, order, _TO_CUSTOMER, node, job.store, towards=False, noise=noise)
                else:
                    leg = self._ride_on(driver, order, node, noise)
                at_door = leg.arrive_s - env.now + self._arrive_s + self._door_s[order]
            first = False
            if at_door:
                yield Timer(env, at_door)
            driver.leg, driver.node = None, node
            if line.held:
                yield line.free
            if doors is None:
                if self._support is not None:
                    self._support.served(order)
                self._shelves.hand_over(order, driver.id, node)
                office.handed_over(order, driver.id)
                if self._takings is not None:
                    self._takings.served(order, job.store, driver.id)
            elif (yield from doors.met(order, job.store, node, driver.id)):
                brought_back.append(order)
            if self._leave_s:
                yield Timer(env, self._leave_s)
        if brought_back:
            assert doors is not None
            yield from self._bring_back(driver, job.store, brought_back, doors)
        return bool(carried)

    def _wrecked(self, driver: Driver, carried: list[OrderId], order: OrderId) -> list[OrderId]:
        """After an accident nothing is handed over any more, and the driver works no longer today; returns what goes back."""
        assert self._doors is not None
        lost = carried[carried.index(order) :]
        for each in lost:
            self._doors.fails(each, driver.node, driver.id, CancelReason.ACCIDENT)
        self._goes_home(driver)
        return lost

    def _goes_home(self, driver: Driver) -> None:
        driver.crashed = True
        if driver.on:
            driver.on = False
            self._office.driver_off(driver.id)

    def _along(self, driver: Driver, job: OfferMessage) -> list[tuple[OrderId, NodeId]]:
        """What is to be taken along and has not been called off, on the way or before it was accepted."""
        tour = [(order, node) for order, node in job.along if self._office.fetches(order, driver.id)]
        for order, _ in tour:
            self._facts.driver_at_store(driver=driver.id, order=order, store=job.store)
        return tour

    def _bring_back(self, driver: Driver, store: StoreId, orders: list[OrderId], doors: Doors) -> Story:
        """Ride to the store with what was not handed over, and hand it in; also when the shift is over."""
        env, first = self._env, orders[0]
        leg = self._ride(driver, first, _RETURN, driver.node, store, towards=True, noise=self._noise[2][first])
        if leg.arrive_s > env.now:
            yield Timer(env, leg.arrive_s - env.now)
        driver.leg, driver.node = None, self._store_nodes[store]
        for order in orders:
            if doors.hand_in_s[order]:
                yield Timer(env, doors.hand_in_s[order])
            doors.hand_in(order, driver.id, store)

    def _towards(self, driver: Driver, store: StoreId, order: OrderId, trip: Trip, noise: float) -> float:
        """Start towards a store, or go on there; returns when the driver will be there, seconds."""
        now, leg = self._env.now, driver.leg
        if leg is not None and now < leg.arrive_s and driver.store == store:
            return leg.arrive_s  # already on the way there
        turn_s = now
        if leg is not None:
            driver.node, turn_s = self.position(driver, now)
        arrived = leg is None or leg.node == driver.node
        if arrived and turn_s == now and driver.node == self._store_nodes[store]:
            return now
        wait_s = turn_s - now
        return self._ride(driver, order, trip, driver.node, store, towards=True, noise=noise, wait_s=wait_s).arrive_s

    # -- messages ----------------------------------------------------------------------------------------------------

    def sent(self, message: RideMessage) -> None:
        """A driver is told to ride to a store.

        Nothing comes of it where his phone is offline, where he has work or is on his way there already, or where he has had work
        or been told something else since.
        """
        driver, store = self.drivers[message.driver], message.store
        if message.sent_s <= max(driver.told_s, driver.free_since_s - TICK_S) or driver.id in self._phones.offline:
            return
        driver.told_s = message.sent_s
        if not driver.on or driver.order is not None or driver.ending:
            return
        if driver.store == store:
            if driver.leg is None:
                self._office.driver_stands(driver.id, store)  # as he may have said before, when it counted for nothing
            return
        arrive_s = self._towards(driver, store, NO_ORDER, _BACK, driver.back)
        driver.store = store
        if arrive_s > self._env.now:
            Timer(self._env, arrive_s - self._env.now, self._back, (driver, driver.leg))
        else:
            self._stand(driver)

    def packed(self, order: OrderId) -> None:
        """An order stands at the counter."""
        driver = self._at_counter.pop(order, None)
        if driver is not None:
            driver.wake.ring()

    def cancelled(self, message: Cancellation) -> None:
        """An order is off: a driver who waits for it at the counter is told."""
        driver = self._at_counter.pop(message.order, None)
        if driver is not None:
            driver.wake.ring()
