"""Law 5: people are in one place, no faster than the road, within their shifts, with no more than they can carry."""

import numpy as np

from sim.laws.base import Law, Slice
from sim.streams import quick
from sim.vocabulary import TICK_S, TICKS_PER_MS, CancelReason, OfferAnswer, Trip
from sim.world.build import World

_VOID, _ACCIDENT = OfferAnswer.VOID, CancelReason.ACCIDENT
_ACCEPTED, _ONWARD = OfferAnswer.ACCEPTED, Trip.ONWARD
_TO_CUSTOMER, _BACK, _RETURN = Trip.TO_CUSTOMER, Trip.BACK, Trip.RETURN


def _within(t: float, shifts: tuple[tuple[float, float], ...]) -> bool:
    for on, off in shifts:  # noqa: SIM110  (a generator costs three times as much, and this runs twice for each order)
        if on <= t <= off:
            return True
    return False


class People(Law):
    """Books of every picker and driver."""

    name = "people"

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        drivers = world.drivers
        self._works_in = [picker.store for picker in world.pickers]
        self._picker_shifts = [picker.shifts for picker in world.pickers]
        self._shifts = [driver.shifts for driver in drivers]
        self._loads = [world.travel.profiles[driver.profile].litres for driver in drivers]
        self._litres, self._noise = quick(world.trace.litres), world.trace.ride_noise
        self._profiles = np.array([driver.profile for driver in drivers], dtype=np.int64)
        # (profiles, stores, nodes): free flow is the fastest there is.
        self._to, self._from = (
            np.minimum.reduce(list(arrays.values()))
            for arrays in (world.travel.to_store_array, world.travel.from_store_array)
        )
        self._store_of = np.zeros(self._to.shape[2], dtype=np.int64)
        self._store_of[np.array(world.store_nodes)[::-1]] = np.arange(world.stores)[::-1]
        self._rode_for: list[int] = []  # of each ride since the last slice, the order whose draws it has; nobody: none
        self._job: list[int] = [-1] * len(drivers)
        self._last = list(self._job)  # accepted last on this shift: rides without an order have its draws
        self._offer: list[int] = [-1] * len(drivers)
        self._at: list[tuple[int, float] | None] = [None] * len(drivers)
        self._along: dict[int, set[int]] = {}  # by driver, what was accepted beside the job
        self._carries: list[set[int]] = [set() for _ in drivers]
        self._tour_litres = [0.0] * len(drivers)
        self._taken: set[tuple[int, int]] = set()  # (driver, order) that the platform took back
        self._unseen: set[tuple[int, int]] = set()  # (driver, order) of offers that never showed
        self._kept: set[int] = set()  # orders of which a driver keeps something
        self._picking: dict[int, tuple[float, set[int]]] = {}
        self._spent_s: dict[int, float] = {}  # by pickers, on the tour under way, on stages that are told apart
        self._counting: set[int] = set()
        self._on: set[int] = set()
        packing = world.scenario.stores.packing
        self._stations = 0 if packing is None else packing.stations
        self._packing: dict[int, set[int]] = {}

    # -- pickers -----------------------------------------------------------------------------------------------------

    def picker_on(self, t: float, picker: int, store: int) -> None:
        """A shift begins."""
        self._on.add(picker)

    def picker_off(self, t: float, picker: int) -> None:
        """A shift ends."""
        if picker in self._counting:
            self.breach(t, f"picker {picker} went home in the middle of a count")
        if picker in self._picking:
            self.breach(t, f"picker {picker} went home with order {min(self._picking[picker][1])} in hand")
        self._on.discard(picker)

    def pick_started(self, t: float, order: int, picker: int, store: int) -> None:
        """A picker takes one order."""
        begun_s, orders = self._picking.setdefault(picker, (t, set()))
        # What is picked on one tour is begun at one moment.
        if begun_s != t or picker not in self._on or picker in self._counting:
            self.breach(t, f"picker {picker} took order {order} with another in hand, while counting or off shift")
        if self._works_in[picker] != store:
            self.breach(t, f"picker {picker} took order {order} in store {store}, works in {self._works_in[picker]}")
        if not _within(t, self._picker_shifts[picker]):
            self.breach(t, f"picker {picker} took order {order} outside the shift")
        orders.add(order)

    def pick_ended(
        self, t: float, order: int, picker: int, pace: float, walk_s: float, zones_s: float, crowd_s: float
    ) -> None:
        """A picker puts it down; what is told of the stages of a tour is no longer than the tour."""
        begun_s, orders = self._picking.get(picker, (t, set()))
        if order not in orders:
            self.breach(t, f"picker {picker} put down order {order}, which was not in hand")
        orders.discard(order)
        spent_s = self._spent_s.pop(picker, 0.0) + walk_s + zones_s + crowd_s
        if orders:
            self._spent_s[picker] = spent_s
            return
        self._picking.pop(picker, None)
        if spent_s > t - begun_s + TICK_S:
            self.breach(t, f"picker {picker} spent {spent_s:.3f} s on stages of a tour of {t - begun_s:.3f} s")

    def stage_spent(self, t: float, picker: int, pick_stage: int, spent_s: float, order: int) -> None:
        """Time of a tour that was not spent on fetching what is there."""
        if order not in self._picking.get(picker, (t, ()))[1]:
            self.breach(t, f"picker {picker} spent {spent_s:.3f} s on order {order} without having it in hand")
        self._spent_s[picker] = self._spent_s.get(picker, 0.0) + spent_s

    def count_started(self, t: float, picker: int, store: int) -> None:
        """A picker without an order counts, on the shift and in the own store."""
        if picker in self._picking or picker in self._counting or picker not in self._on:
            self.breach(t, f"picker {picker} went to count with something else in hand or off shift")
        if self._works_in[picker] != store:
            self.breach(t, f"picker {picker} counts in store {store}, works in {self._works_in[picker]}")
        self._counting.add(picker)

    def count_ended(self, t: float, picker: int, lines: int) -> None:
        """A picker has counted."""
        if picker not in self._counting:
            self.breach(t, f"picker {picker} was done with a count that was not begun")
        self._counting.discard(picker)

    def packing_began(self, t: float, order: int, store: int) -> None:
        """A station takes an order, if one is free."""
        packed = self._packing.setdefault(store, set())
        if order in packed or len(packed) >= self._stations:
            self.breach(t, f"order {order} is packed in store {store} where all {self._stations} stations are busy")
        packed.add(order)

    def packing_ended(self, t: float, order: int, store: int) -> None:
        """It is done with it."""
        if order not in self._packing.get(store, ()):
            self.breach(t, f"a station of store {store} was done with order {order}, which it did not have")
        self._packing.get(store, set()).discard(order)

    # -- drivers -----------------------------------------------------------------------------------------------------

    def driver_on(self, t: float, driver: int, store: int, node: int, profile: int) -> None:
        """A shift begins."""
        if self._at[driver] is not None:
            self.breach(t, f"driver {driver} came to work twice")
        self._at[driver], self._last[driver] = (node, t), -1

    def driver_off(self, t: float, driver: int) -> None:
        """A shift ends."""
        if self._carries[driver]:
            self.breach(t, f"driver {driver} went home with order {min(self._carries[driver])}")
        self._at[driver], self._job[driver] = None, -1
        self._along.pop(driver, None)

    def offer_made(self, t: float, order: int, driver: int) -> None:
        """An offer to somebody who is free."""
        if self._offer[driver] >= 0 or self._job[driver] >= 0:
            self.breach(t, f"driver {driver} was offered order {order} while busy")
        self._offer[driver] = order

    def driver_sent(self, t: float, driver: int, store: int) -> None:
        """Only who is at work, free and no machine is sent ahead."""
        if self._at[driver] is None or self._offer[driver] >= 0 or self._job[driver] >= 0:
            self.breach(t, f"driver {driver} was sent to store {store} while busy or off shift")
        if self._world.travel.profiles[self._profiles[driver]].flies:
            self.breach(t, f"drone {driver} was sent to store {store}")

    def offer_answered(self, t: float, order: int, driver: int, answer: int) -> None:
        """An answer to the offer that is out."""
        if self._offer[driver] != order:
            if answer == _VOID:
                return  # it came too late or twice, and has no effect
            self.breach(t, f"driver {driver} answered an offer of order {order} that was not out")
        self._offer[driver] = -1
        if answer == _ACCEPTED:
            if self._unseen and (driver, order) in self._unseen:
                self.breach(t, f"driver {driver} accepted order {order}, whose offer never showed")
            self._job[driver] = self._last[driver] = order
            if not _within(t, self._shifts[driver]):
                self.breach(t, f"driver {driver} accepted order {order} outside the shift")
            litres = self._tour_litres[driver] = self._litres[order]
            if litres > self._loads[driver]:
                self._overloaded(t, driver)

    def offer_pushed(self, t: float, order: int, driver: int, delay_s: float, shown: bool) -> None:
        """Nobody can say yes to what never showed."""
        (self._unseen.discard if shown else self._unseen.add)((driver, order))

    def order_taken_back(self, t: float, order: int, driver: int) -> None:
        """Only what a driver has accepted, and does not carry, can be given to somebody else."""
        if (self._job[driver] != order and self._lacks(driver, order)) or order in self._carries[driver]:
            self.breach(t, f"order {order} was taken back from driver {driver}, who did not have it or carried it")
        self._taken.add((driver, order))

    def order_bundled(self, t: float, order: int, driver: int, first: int) -> None:
        """One more order of the tour that the driver accepted at this moment."""
        if self._job[driver] != first or order == first:
            self.breach(t, f"driver {driver} takes order {order} along with {first}, has accepted {self._job[driver]}")
        self._along.setdefault(driver, set()).add(order)
        self._tour_litres[driver] += self._litres[order]
        if self._tour_litres[driver] > self._loads[driver]:
            self._overloaded(t, driver)

    def _overloaded(self, t: float, driver: int) -> None:
        litres, most = self._tour_litres[driver], self._loads[driver]
        self.breach(t, f"driver {driver} accepted {litres:.0f} litres, can carry {most:.0f}")

    def _lacks(self, driver: int, order: int) -> bool:
        """Whether an order that is not the driver's job is not along with it either."""
        return order not in self._along.get(driver, ())

    def leg_started(
        self, t: float, driver: int, order: int, trip: int, origin: int, node: int, arrive_s: float
    ) -> None:
        """A ride begins where the last one ended, and takes as long as the roads do."""
        self._rode_for.append(self._last[driver] if trip == _BACK else order)
        at = self._at[driver]
        if at is None:
            self.breach(t, f"driver {driver} rides off shift")
            return
        if t >= at[1] and origin != at[0]:
            self.breach(t, f"driver {driver} stands at node {at[0]} and rides from {origin}")
        if trip == _BACK:
            self._free(t, driver)
        else:
            if self._taken and trip in (_TO_CUSTOMER, _ONWARD) and (driver, order) in self._taken:
                self.breach(t, f"driver {driver} leaves with order {order}, which was given to somebody else")
            if trip in (_TO_CUSTOMER, _ONWARD):
                self._carries[driver].add(order)
            if trip == _RETURN and order not in self._carries[driver]:
                self.breach(t, f"driver {driver} brings back order {order}, carries {sorted(self._carries[driver])}")
            if self._job[driver] != order and self._lacks(driver, order):
                self.breach(t, f"driver {driver} rides for order {order} without having accepted it")
        self._at[driver] = node, arrive_s

    def driver_waits(self, t: float, driver: int, node: int) -> None:
        """A driver is free where he stands."""
        self._free(t, driver)

    def _free(self, t: float, driver: int) -> None:
        if self._carries[driver]:
            self.breach(t, f"driver {driver} is free with order {min(self._carries[driver])} in hand")
        self._job[driver] = -1
        if self._along:
            self._along.pop(driver, None)

    def slice(self, facts: Slice) -> None:
        """No ride is faster than the road: the road's times are looked up for many rides at once."""
        rides, orders = facts["leg_started"].rows, np.array(self._rode_for, dtype=np.int64)
        self._rode_for.clear()
        trip, profile = rides["trip"], self._profiles[rides["driver"]]
        out, onward = trip == _TO_CUSTOMER, trip == _ONWARD
        store = self._store_of[np.where(out, rides["origin"], rides["node"])]
        fastest_ms = np.where(
            out, self._from[profile, store, rides["node"]], self._to[profile, store, rides["origin"]]
        ).astype(np.float64)
        for i in np.flatnonzero(onward):
            fastest_ms[i] = self._onward_ms(int(rides["origin"][i]), int(rides["node"][i]), int(profile[i]))
        leg = np.where(onward, int(_TO_CUSTOMER), np.minimum(trip, int(_BACK)))
        noise = np.where(orders >= 0, self._noise[orders, leg], 1.0)
        # Durations are cut down to whole ticks.
        fastest_s = np.floor(fastest_ms * TICKS_PER_MS * noise) * TICK_S
        for i in np.flatnonzero(rides["arrive_s"] - rides["t_s"] < fastest_s)[:5]:
            ride = rides[i]
            self.breach(
                ride["t_s"],
                f"driver {ride['driver']} rides {ride['origin']} to {ride['node']} in "
                f"{ride['arrive_s'] - ride['t_s']:.3f} s, the road takes {fastest_s[i]:.3f}",
            )

    def _onward_ms(self, node: int, target: int, profile: int) -> int:
        travel = self._world.travel
        return min(travel.onward_ms(node, target, profile, period) for period in sorted(set(travel.periods)))

    def vehicle_stopped(self, t: float, driver: int, order: int, node: int, mishap: int, until_s: float) -> None:
        """A ride ends before its time."""
        at = self._at[driver]
        if at is None or t > at[1]:
            self.breach(t, f"driver {driver} broke down for order {order} on no ride, expected {at}")
        self._at[driver] = node, until_s

    def driver_at_store(self, t: float, driver: int, order: int, store: int) -> None:
        """A driver is where the ride ended, not before it did."""
        at = self._at[driver]
        if (
            at is None
            or t < at[1]
            or at[0] != self._world.store_nodes[store]
            or (self._job[driver] != order and self._lacks(driver, order))
        ):
            self.breach(t, f"driver {driver} is at store {store} for order {order}, expected {at}")

    def goods_delivered(self, t: float, driver: int, order: int, node: int) -> None:
        """So is a driver at a door; the job is done."""
        at = self._at[driver]
        if at is None or t < at[1] or at[0] != node or (self._job[driver] != order and self._lacks(driver, order)):
            self.breach(t, f"driver {driver} delivers order {order} at node {node}, expected {at}")
        if order not in self._kept:
            self._carries[driver].discard(order)

    def goods_kept(self, t: float, order: int, store: int, sku: int, units: int) -> None:
        """Some of it stays in hand when the rest is handed over."""
        self._kept.add(order)

    def handover_failed(self, t: float, driver: int, order: int, node: int, reason: int) -> None:
        """Nobody gives up before the door; everything stays in hand.

        After an accident the whole tour is given up, also those orders to whose doors no ride has begun.
        """
        at = self._at[driver]
        if reason == _ACCIDENT and (order == self._job[driver] or not self._lacks(driver, order)):
            self._carries[driver].add(order)
        if at is None or t < at[1] or at[0] != node or order not in self._carries[driver]:
            self.breach(t, f"driver {driver} gives order {order} up at node {node}, expected {at}")

    def tote_handed_in(self, t: float, driver: int, order: int, store: int) -> None:
        """What was in hand is not any more, once the driver is at the store."""
        at = self._at[driver]
        if at is None or t < at[1] or at[0] != self._world.store_nodes[store] or order not in self._carries[driver]:
            self.breach(t, f"driver {driver} hands order {order} in at store {store}, expected {at}")
        self._carries[driver].discard(order)
