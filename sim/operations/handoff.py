"""From the shelf to the counter: totes, packing stations, and the place where a packed order waits for its driver."""

from collections import deque
from collections.abc import Callable, MutableSet, Sequence

from sim.clock import Clock, Timer
from sim.facts import Facts
from sim.operations.counter import NarrowCounter
from sim.operations.shelves import Shelves
from sim.platform.office import Office
from sim.scenario.benches import PackingStations
from sim.story import Story, tell
from sim.vocabulary import OrderId, PickerId, Role, StoreId


class ToteRoom:
    """A store's empty totes.

    Parameters
    ----------
    count
        How many the store has.
    needed
        Of each order.
    """

    def __init__(self, count: int, needed: Sequence[int]) -> None:
        self._free, self._count, self._needed = count, count, needed
        self._taken: dict[OrderId, int] = {}

    def enough(self, order: OrderId) -> bool:
        """Whether there are enough for an order; one that needs more than the store has is content with all of them."""
        return self.has(order) or self._free >= min(self._needed[order], self._count)

    def has(self, order: OrderId) -> bool:
        """Whether an order has its totes."""
        return order in self._taken

    def take(self, order: OrderId) -> None:
        """An order is begun."""
        if order not in self._taken:
            self._taken[order] = units = min(self._needed[order], self._count)
            self._free -= units

    def give_back(self, order: OrderId) -> None:
        """An order needs its totes no more."""
        self._free += self._taken.pop(order, 0)


class Handoff:
    """The end of an order's way through a store: it is put at the counter, or back on the shelves.

    Parameters
    ----------
    counter
        Orders that stand packed at the counters; a `NarrowCounter` has not room for all.
    totes
        None: there are always enough.
    on_packed
        Called with an order when it stands packed at the counter.
    on_totes
        Called when totes have come free.
    """

    def __init__(
        self,
        office: Office,
        shelves: Shelves,
        store: StoreId,
        counter: MutableSet[OrderId],
        totes: ToteRoom | None,
        on_packed: Callable[[OrderId], None],
        on_totes: Callable[[], None],
    ) -> None:
        self._office, self._shelves, self._store, self._counter = office, shelves, store, counter
        self.narrow = counter if isinstance(counter, NarrowCounter) else None
        self._loose: set[OrderId] = set()
        self._totes, self._on_packed, self._on_totes = totes, on_packed, on_totes

    def collected(self, order: OrderId) -> None:
        """What is there of an order was picked, and it is on its way to the counter."""
        self._loose.add(order)

    def wait_and_put(self, order: OrderId, who: int, role: Role) -> Story:
        """Somebody puts a packed order at the counter as soon as there is a place, unless it is off by then."""
        narrow = self.narrow
        if narrow is not None:
            while (full := narrow.claim(order, self._store)) is not None:
                yield full
        if not self._office.wanted(order):
            self.drop(order)
            return
        self._loose.discard(order)
        self._free_totes(order)
        if self._office.packed(order, PickerId(who), role):
            self._counter.add(order)
            self._on_packed(order)
        elif narrow is not None and order not in narrow:
            narrow.discard(order)

    def drop(self, order: OrderId) -> None:
        """An order that is off and was not packed: what was picked for it goes back to the shelves.

        Nobody tells the records: its hold, which was never committed, has been given back.
        """
        if order in self._loose:
            self._loose.discard(order)
            self._shelves.put_back(order, self._store)
        if self.narrow is not None:
            self.narrow.discard(order)
        self._free_totes(order)

    def _free_totes(self, order: OrderId) -> None:
        if self._totes is not None:
            self._totes.give_back(order)
            self._on_totes()


class Packing:
    """A store's packing stations: first come, first served, by packers who are there in opening hours.

    Parameters
    ----------
    pack_s
        Of each order: seconds to pack it.
    """

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        office: Office,
        handoff: Handoff,
        terms: PackingStations,
        store: StoreId,
        pack_s: Sequence[float],
    ) -> None:
        self._env, self._facts, self._office, self._handoff, self._store = env, facts, office, handoff, store
        self.pack_s = pack_s
        self._free, self._room = terms.stations, terms.room
        self._waiting: deque[OrderId] = deque()

    def bring(self, order: OrderId) -> bool:
        """A picker brings an order; False when there is no room for it."""
        room = self._room > 0
        self._facts.order_brought(order=order, store=self._store, room=room)
        if not room:
            return False
        self._room -= 1
        self._waiting.append(order)
        self._next()
        return True

    def _next(self) -> None:
        while self._free and self._waiting:
            order = self._waiting.popleft()
            if not self._office.wanted(order):
                self._handoff.drop(order)
                self._room += 1
                continue
            self._free -= 1
            self._facts.packing_began(order=order, store=self._store)
            Timer(self._env, self.pack_s[order], self._packed, order)

    def _packed(self, event: Timer) -> None:
        tell(self._put(event.value))

    def _put(self, order: OrderId) -> Story:
        yield from self._handoff.wait_and_put(order, self._store, Role.STORE)
        self._facts.packing_ended(order=order, store=self._store)
        self._free += 1
        self._room += 1
        self._next()
