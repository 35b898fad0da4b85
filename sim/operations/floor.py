"""The shop floor put together: customers, stores, drivers and supply, wired to the office."""

from collections.abc import Callable, Mapping, MutableSet
from functools import partial
from math import exp
from operator import itemgetter

import numpy as np

from sim.clock import Clock
from sim.contracts import Policies
from sim.facts import Facts
from sim.operations.answering import Answering
from sim.operations.browsers import Browsers, Followers
from sim.operations.choosing import Choosing
from sim.operations.counter import NarrowCounter
from sim.operations.customers import Customers
from sim.operations.docks import Docks
from sim.operations.doors import Doors
from sim.operations.drivers import Driver
from sim.operations.driving import Driving
from sim.operations.goods import Goods
from sim.operations.handoff import Packing, ToteRoom
from sim.operations.hands import Hands
from sim.operations.kitchens import Kitchens
from sim.operations.on_call import AtHome
from sim.operations.pace import Draws, Pace, draws_of
from sim.operations.phones import Phones
from sim.operations.picking import Station
from sim.operations.replacing import Replacing, Tastes
from sim.operations.riding import Riding
from sim.operations.streets import Streets
from sim.operations.support import Support
from sim.operations.takings import Takings
from sim.operations.timing import agenda
from sim.operations.walks import Walks, expected_handling_s
from sim.operations.zoned import ZonedStation
from sim.platform.office import Office
from sim.ports import Cancellation, PickJob
from sim.scenario.fields import DAY_S
from sim.story import tell
from sim.streams import Streams, quick
from sim.vocabulary import DriverId, NodeId, OrderId, PickerId, StoreId, Topic, quantise
from sim.world.build import World
from sim.world.drivers import ends_shift, rests_s


class Floor:
    """Everything physical of one run; `start` puts it in motion."""

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        world: World,
        office: Office,
        policies: Policies,
        streams: Streams,
        phones: Phones,
        walks: Walks | None = None,
    ) -> None:
        scenario, trace = world.scenario, world.trace
        self._env, self._world, self._office, self._streams = env, world, office, streams
        room = scenario.stores.counter_room
        self._counter: MutableSet[OrderId] = set() if room is None else NarrowCounter(world.stores, room)
        self.goods = Goods(env, facts, world, office.stock, policies, streams)
        self.shelves = self.goods.shelves
        support = None
        if scenario.support.agents:
            client, luck = quick(trace.client), streams.die("support")
            support = Support(env, facts, office, self.shelves, scenario, client, luck)
        riding, travel, streets, docks = Riding(env, facts, world.travel, phones), world.travel, None, None
        if world.streets is not None:
            names = [vehicle.name for vehicle in travel.profiles]
            streets = Streets(env, facts, riding, world.streets, scenario, names, streams)
        if any(vehicle.flies for vehicle in travel.profiles):
            docks = Docks(env, riding, world, quick(trace.ride_noise[:, 2]))
        pay, takings = scenario.drivers.pay, None
        if pay.tip_share or pay.km_cents:
            machines = frozenset(
                DriverId(n) for n, driver in enumerate(world.drivers) if travel.profiles[driver.profile].flies
            )
            takings = Takings(
                facts, pay, streams.die("drivers.tips"), world.metres, travel.store_nodes, quick(trace.node), machines
            )
        self.phones = phones
        drivers = [
            Driver(DriverId(i), StoreId(d.home), d.profile, NodeId(world.start_node(d)))
            for i, d in enumerate(world.drivers)
        ]
        terms, choice = scenario.drivers, scenario.drivers.choice
        answering = Answering(
            env, office, drivers, riding, accept_share=terms.accept_share, respond_s=terms.respond_s, phones=phones,
            answers=streams.die("drivers.answer"), docks=docks,
            choosing=None if choice is None else Choosing(travel, choice, terms.accept_share, pay, world.metres),
        )  # fmt: skip
        self.driving = Driving(
            env, facts, office, self.shelves, travel, trace, drivers, self._counter, riding,
            phones=phones, arrive_s=quantise(terms.arrive_s), leave_s=quantise(terms.leave_s),
            doors=None if world.doors is None else Doors(
                env, facts, office, self.shelves, world.doors, terms, support, takings
            ), support=support, takings=takings, streets=streets, docks=docks,
        )  # fmt: skip
        layout = scenario.stores.layout
        draws = draws_of(trace.pick_noise, walks, 0.0 if layout is None else layout.blocking)
        pickers = scenario.pickers
        slower, learn_s = pickers.new_slower, pickers.learn_days * DAY_S
        news = {
            PickerId(number): lambda now_s: slower * exp(-now_s / learn_s)
            for number, picker in enumerate(world.pickers)
            if picker.new
        }
        self.stations: list[Station] = []
        self._kitchens: Kitchens | None = None
        if world.ready_s is not None:
            self._kitchens = Kitchens(env, office, self.shelves, self.driving, self._counter, world.ready_s)
        else:
            self.stations = [
                self._station(StoreId(store), facts, policies, walks, draws, news) for store in range(world.stores)
            ]
        self.goods.planned.on_plan = self._planned
        looks_s, placed = office.looks_s, None
        if looks_s is not None:
            placed = Followers(env, office, looks_s, streams.die("customers.looks")).begin
        self._customers = Customers(env, facts, office, trace, scenario, streams.die("customers.price"), placed)
        office.bus.subscribe(
            Topic.ORDER_CONFIRMED, self._confirmed if self._kitchens is None else self._kitchens.take_in
        )
        office.bus.subscribe(Topic.ORDER_CANCELLED, self._cancelled)
        office.bus.subscribe_ahead(Topic.OFFER, answering.offered)
        office.bus.subscribe(Topic.REPOSITION, self.driving.sent)
        if (on_call := scenario.drivers.on_call) is not None:
            rest_s = scenario.drivers.rules.rest_hours * 3600.0
            at_home = AtHome(env, self.driving, world.drivers, on_call, streams.die("drivers.on_call"), rest_s)
            office.bus.subscribe(Topic.CALL_IN, at_home.called)

    def _station(
        self, store: StoreId, facts: Facts, policies: Policies, walks: Walks | None, draws: Draws,
        news: Mapping[PickerId, Callable[[float], float]],
    ) -> Station:  # fmt: skip
        env, office, world, shelves, streams = self._env, self._office, self._world, self.shelves, self._streams
        scenario, trace = world.scenario, world.trace
        stores = scenario.stores
        hands = Hands(
            office, shelves, self.goods.counting, store, trace.mispicks, trace.breakages, trace.overlooked,
            scenario.shrinkage.scanned_share, streams.die("pickers.scan_broken"),
        )  # fmt: skip
        packing, totes, replacing = None, None, None
        if (terms := stores.packing) is not None:
            pack_s = quick(trace.pack_s)
            packing = partial(Packing, env, facts, office, terms=terms, store=store, pack_s=pack_s)
        if stores.totes is not None:
            totes = ToteRoom(stores.totes.count, quick(np.ceil(trace.litres / stores.totes.litres).astype(np.int64)))
        if office.substitutes.names_any:
            tastes = Tastes(
                scenario.customers.substitutes, world.catalogue.price_cents.tolist(),
                streams.die("customers.substitutes"), streams.die("customers.reply"),
            )  # fmt: skip
            terms_of = scenario.customers.substitutes
            replacing = Replacing(env, facts, office, shelves, hands, store, terms_of, tastes)
        planned, blocking = self.goods.planned, 0.0 if stores.layout is None else stores.layout.blocking
        kind = ZonedStation if hasattr(policies.picking, "sections") else Station
        station = kind(
            env, facts, office, policies.picking, store, self._counter, hands,
            Pace(env, expected_handling_s(world), scenario.pickers.per_line_s, walks, blocking, draws, news),
            count_s=stores.count_s, planned=planned if planned.by_pickers else None,
            on_packed=self.driving.packed, packing=packing, totes=totes, replacing=replacing,
        )  # fmt: skip
        if isinstance(station, ZonedStation):
            station.divide(walks, policies.picking)
        return station

    def _confirmed(self, job: PickJob) -> None:
        self.stations[job.store].take_in(job)

    def _planned(self, store: StoreId) -> None:
        self.stations[store].look_up()

    def _cancelled(self, message: Cancellation) -> None:
        if self.stations:
            self.stations[message.store].cancelled(message)
        self.driving.cancelled(message)

    def start(self) -> None:
        """Begin everybody's story."""
        env, driving = self._env, self.driving
        entries: list[tuple[float, Callable[[], None]]] = []
        for number, picker in enumerate(self._world.pickers):
            station = self.stations[picker.store]
            for on_s, off_s in picker.shifts:
                entries.append((on_s, partial(station.begin, PickerId(number))))
                entries.append((off_s, partial(station.end, PickerId(number))))
        for number, driver in enumerate(self._world.drivers):
            rests = rests_s(driver, self._world.scenario)
            for (on_s, off_s), rest_s, over in zip(driver.works, rests, ends_shift(driver), strict=True):
                entries.append((on_s, partial(driving.begin, DriverId(number), off_s, rest_s)))
                entries.append((off_s, partial(driving.end, DriverId(number), over=over)))
            if driver.on_call:
                entries += [(off_s, partial(driving.end, DriverId(number))) for _, off_s in driver.shifts]
        entries.sort(key=itemgetter(0))
        tell(agenda(env, entries))
        self.goods.start()
        tell(self._customers.run())
        platform = self._world.scenario.platform
        if platform.reads == "explicit" and platform.profile == "full":
            shares = self._office.figures.category_shares
            browsers = Browsers(
                self._env, self._office, self._streams, self._world.minutes, platform.browsing.reads_per_order,
                self._world.store_shares.tolist(), shares,
            )  # fmt: skip
            tell(browsers.run())
