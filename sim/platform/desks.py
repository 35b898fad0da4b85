"""The office's desks for stores and drivers: what pickers and drivers report and ask, each answered with a verdict.

Whoever asks for something about an order gives a role and a number within it: for a driver's commands the driver's, for
a picker's the picker's. `Desks._allows` is the one check of both; whoever is plainly at their own work is let through
by a comparison or two, because every order passes half a dozen times.
"""

from sim.clock import Clock
from sim.contracts import Policies
from sim.facts import Facts
from sim.platform.arrivals import Arrivals
from sim.platform.billing import Billing
from sim.platform.inventory import Inventory
from sim.platform.learning import LearningEstimator
from sim.platform.offers import Offers
from sim.platform.orders import Order, OrderBook
from sim.platform.payments import Payments
from sim.platform.saga import Saga
from sim.platform.sessions import Command, may, owns
from sim.platform.stock_desk import StockDesk
from sim.platform.tracking import Tracking
from sim.platform.views import LivePositioningView
from sim.ports import Estimator, Figures
from sim.story import Signal
from sim.vocabulary import (
    NOBODY,
    CancelReason,
    DriverId,
    InputError,
    NodeId,
    OfferAnswer,
    OrderId,
    OrderState,
    PickerId,
    Refusal,
    Role,
    SkuId,
    StoreId,
    TaskEnd,
    Units,
)

_DRIVER, _PICKER, _STORE = Role.DRIVER, Role.PICKER, Role.STORE
_PACKED, _ASSIGNED, _PICKED_UP = OrderState.PACKED, OrderState.ASSIGNED, OrderState.PICKED_UP
_HANDED_OVER, _FAILED = TaskEnd.HANDED_OVER, TaskEnd.FAILED
# The short cuts below take these for granted.
assert may(_PICKER, Command.PICK)
assert all(may(_DRIVER, command) for command in (Command.ANSWER_OFFER, Command.PICK_UP, Command.HAND_OVER))


class Desks:
    """The half of the office that the shop floor talks to; `sim.platform.office.Office` puts it together."""

    _env: Clock
    _facts: Facts
    _policies: Policies
    _positioning_view: LivePositioningView
    _asks_at_end: bool
    """Whether the positioning policy says where shifts end."""
    _pickers_on: list[int]
    _at_store: dict[PickerId, StoreId]
    """Where pickers on shift work."""
    _shifts: dict[PickerId, int]
    _roles: bool
    """Whether it is asked who gives a command."""
    figures: Figures
    book: OrderBook
    inventory: Inventory
    stock: StockDesk
    tracking: Tracking
    queues: list[int]
    _keep_fees: bool
    """Whether the fees of an order that could not be handed over are kept."""
    payments: Payments
    billing: Billing
    saga: Saga
    _estimator: Estimator
    learning: LearningEstimator | None
    offers: Offers
    arrivals: Arrivals
    _judged: int
    """The arrival times shown to every n-th order are held against when it came."""

    def _cancel(self, order: Order, reason: CancelReason) -> None:
        if order.failing is not None:
            return  # it is being undone already
        if order.state is OrderState.CONFIRMED:
            self.queues[order.store] -= 1
        self.offers.close(order, TaskEnd.WITHDRAWN)
        self.saga.cancel(order, reason)

    # -- who may do what ---------------------------------------------------------------------------------------------

    def _allows(self, command: Command, role: Role, actor: int, order: Order) -> bool:
        """Whether somebody may give a command about an order; if not, that is a fact, and all that comes of it."""
        if not self._roles:
            return True
        at_store = self._at_store.get(PickerId(actor), StoreId(NOBODY)) if role == _PICKER else StoreId(NOBODY)
        if may(role, command) and owns(role, actor, order, at_store):
            return True
        return self._refuse(order, Refusal.NOT_ALLOWED)

    def _refuse(self, order: Order, refusal: Refusal) -> bool:
        self._facts.request_refused(order=order.id, refusal=refusal)
        return False

    def _over(self, order_id: OrderId) -> bool:
        """Refuse a command about an order that has ended, or is being undone."""
        self._facts.request_refused(order=order_id, refusal=Refusal.TOO_LATE)
        return False

    def _check_store(self, family: str, store: StoreId) -> None:
        if not 0 <= store < self.figures.stores:
            raise InputError(
                f"policies.{family}: expected a store of this scenario (below {self.figures.stores}), got {store}."
            )

    # -- the stores --------------------------------------------------------------------------------------------------

    def picker_on(self, picker: PickerId, store: StoreId) -> None:
        """A picker's shift began."""
        self._pickers_on[store] += 1
        self._at_store[picker] = store
        self._shifts[picker] = self._shifts.get(picker, 0) + 1

    def picker_off(self, picker: PickerId, store: StoreId) -> None:
        """A picker went home; or is done with the order in hand, while the next shift has already begun."""
        self._pickers_on[store] -= 1
        self._shifts[picker] -= 1
        if not self._shifts[picker]:
            del self._shifts[picker], self._at_store[picker]

    def wanted(self, order_id: OrderId) -> bool:
        """Whether an order in a store's queue is still to be picked."""
        order = self.book.open.get(order_id)
        return order is not None and order.failing is None

    def fetches(self, order_id: OrderId, driver: DriverId) -> bool:
        """Whether a driver is still to take an order away: it has not been called off, or given to somebody else."""
        order = self.book.open.get(order_id)
        return order is not None and order.failing is None and order.driver == driver

    def picking(self, order_id: OrderId, picker: PickerId, role: Role = _PICKER) -> None:
        """A picker took the order: from now on it needs a driver."""
        order = self.book.open.get(order_id)
        if order is None or order.failing is not None:
            self._over(order_id)
            return
        if (role is not _PICKER or self._at_store.get(picker) != order.store) and not self._allows(
            Command.PICK, role, picker, order
        ):
            return
        if order.tasked or order.committed:
            self._facts.request_refused(order=order_id, refusal=Refusal.DUPLICATE)
            return
        pick_s = self.figures.pick_s(len(order.held), order.to_pick)
        if role is _STORE:  # nobody has it in hand yet
            pick_s *= 1.0 + (self.queues[order.store] - 1) / max(self._pickers_on[order.store], 1)
        self.offers.open(order, self._env.now + pick_s)

    def cooking(self, order_id: OrderId, ready_s: float) -> None:
        """A kitchen has an order, and says when it will be ready, seconds since the start: from now on it needs a driver."""
        order = self.book.open.get(order_id)
        if order is None or order.failing is not None:
            self._over(order_id)
            return
        if order.tasked or order.committed:
            self._facts.request_refused(order=order_id, refusal=Refusal.DUPLICATE)
            return
        self.offers.open(order, ready_s)

    def expected_pick_s(self, order_id: OrderId) -> float:
        """Expected seconds to pick and pack an order."""
        order = self.book.open[order_id]
        return self.figures.pick_s(len(order.held), order.to_pick)

    def driver_due_s(self, order_id: OrderId) -> float | None:
        """When the driver who accepted an order should be at its store, by where he was last seen; None: nobody has."""
        order = self.book.open.get(order_id)
        if order is None or not order.accepted:
            return None
        now = self._env.now
        return now + self.arrivals.to_store_s(order.driver, order.store, now, order.accepted_s)

    def short(self, order_id: OrderId, picker: PickerId, sku: SkuId, units: int, role: Role = _PICKER) -> None:
        """Units of a line were not on the shelf: they leave the hold and the customer gets the money back."""
        order = self.book.open.get(order_id)
        if order is None or order.failing is not None:
            self._over(order_id)
            return
        if not self._allows(Command.PICK, role, picker, order):
            return
        units = min(units, sum(held for line, held in order.held if line == sku))
        if order.committed or not units:
            # Somebody else has picked it too: what he does not find has been taken, or told, before.
            self._facts.request_refused(order=order_id, refusal=Refusal.DUPLICATE)
            return
        self.inventory.reduce(order, sku, units)
        self.billing.missing(order, sku, units)

    def packed(self, order_id: OrderId, picker: PickerId, role: Role = _PICKER) -> bool:
        """An order stands packed; False when nothing of it was found and it is cancelled, or it is not the picker's."""
        order = self.book.open.get(order_id)
        if order is None or order.failing is not None:
            return self._over(order_id)
        if (role is not _PICKER or self._at_store.get(picker) != order.store) and not self._allows(
            Command.PICK, role, picker, order
        ):
            return False
        if order.committed:
            return self._refuse(order, Refusal.DUPLICATE)
        for _, units in order.held:
            if units:
                break
        else:
            self._cancel(order, CancelReason.NOT_FOUND)
            return False
        self.queues[order.store] -= 1
        self.inventory.commit(order)
        order.ready_s = self._env.now
        self.book.move(order, _PACKED)
        if order.accepted:
            self.book.move(order, _ASSIGNED)
        return True

    # -- the drivers' app --------------------------------------------------------------------------------------------

    def driver_on(self, driver: DriverId, node: NodeId) -> None:
        """A driver began a shift at the home store."""
        self.tracking.on(driver, node, self.figures.driver_homes[driver], self._env.now)
        self.offers.driver_free(driver)  # whatever he had in hand when he went home
        self.offers.wake()

    def driver_stays_on(self, driver: DriverId) -> None:
        """A driver who is still out with a delivery begins the next shift."""
        self.tracking.resume(driver)

    def driver_off(self, driver: DriverId) -> None:
        """A driver went home."""
        self.tracking.off(driver)

    def answer(self, order_id: OrderId, driver: DriverId, answer: OfferAnswer, role: Role = _DRIVER) -> bool:
        """A driver answered an offer; True when the order is his.

        Who was asked before and answers too late is told so; who never was is refused.
        """
        order = self.book.open.get(order_id)
        if (
            order is not None
            and (role is not _DRIVER or order.driver != driver or driver < 0)
            and not (role is _DRIVER and order.declined_by(driver))
            and not self._allows(Command.ANSWER_OFFER, role, driver, order)
        ):
            return False
        return self.offers.answered(order_id, driver, answer)

    def driver_free(self, driver: DriverId, node: NodeId, store: StoreId | None = None) -> StoreId | None:
        """A driver has no work any more; returns the store to ride to, None to stay. `store`: what stands there stays there."""
        target = store
        if target is None:
            target = self._policies.positioning(self._positioning_view.at(driver, node))
            if target is not None:
                self._check_store("positioning", target)
        self.tracking.free(driver, node, target, self._env.now)
        self.offers.driver_free(driver)
        self.offers.wake()
        return target

    def driver_ends(self, driver: DriverId, node: NodeId) -> StoreId | None:
        """A driver's shift is over and nothing is left to bring; returns the store to end it at, None where he is."""
        if not self._asks_at_end:
            return None
        target = self._policies.positioning(self._positioning_view.at(driver, node, ends=True))
        if target is not None:
            self._check_store("positioning", target)
        return target

    def driver_stands(self, driver: DriverId, store: StoreId) -> None:
        """A driver without work reached a store."""
        self.tracking.stands(driver, store)
        self.offers.wake()

    def gives_back(self, order_id: OrderId, driver: DriverId, role: Role = _DRIVER) -> bool:
        """A driver cannot go on to the store: the order is offered to others; False when it is off, or not his, or has left."""
        order = self.book.open.get(order_id)
        if order is None or order.failing is not None:
            return self._over(order_id)
        if (role is not _DRIVER or order.driver != driver or driver < 0) and not self._allows(
            Command.PICK_UP, role, driver, order
        ):
            return False
        if not order.accepted:
            return self._refuse(order, Refusal.TOO_EARLY)
        if order.state is _PICKED_UP:
            return self._refuse(order, Refusal.TOO_LATE)
        self.offers.take_back(order)
        return True

    def picked_up(self, order_id: OrderId, driver: DriverId, role: Role = _DRIVER) -> bool:
        """A driver wants to leave with an order: False when it was cancelled in the meantime, or is not his."""
        order = self.book.open.get(order_id)
        if order is None or order.failing is not None:
            return self._over(order_id)
        if (role is not _DRIVER or order.driver != driver or driver < 0) and not self._allows(
            Command.PICK_UP, role, driver, order
        ):
            return False
        if not order.accepted:
            return self._refuse(order, Refusal.TOO_EARLY)  # who was asked has not said yes
        order.left_s = self._env.now
        if self.learning is not None:
            self.learning.leaves(driver, order_id, order.store, order.node)
        if self.offers.watch is not None:
            self.offers.watch.left(order)
        self.book.move(order, _PICKED_UP)
        return True

    def when_cleared(self, order_id: OrderId) -> Signal | None:
        """What to wait for before an order may leave: None once its saga has nothing left to do (or it is off)."""
        order = self.book.open.get(order_id)
        if order is None or order.planned or order.failing is not None:
            return None
        if order.cleared is None:
            order.cleared = Signal()
        return order.cleared

    def handed_over(self, order_id: OrderId, driver: DriverId, role: Role = _DRIVER) -> None:
        """The customer has the goods."""
        order = self.book.open.get(order_id)
        if order is None or order.failing is not None:
            self._over(order_id)
            return
        if (role is not _DRIVER or order.driver != driver or driver < 0) and not self._allows(
            Command.HAND_OVER, role, driver, order
        ):
            return
        if order.state is not _PICKED_UP:
            self._refuse(order, Refusal.TOO_EARLY)
            return
        order.done_s = self._env.now
        if self.learning is not None:
            self.learning.arrives(driver, order_id)
        if self._judged and not order_id % self._judged:
            self.arrivals.came(order)
        self.offers.close(order, _HANDED_OVER)
        self.saga.settle(order)

    # -- at the door, when not everything is handed over -----------------------------------------------------------------

    def asks_for_age(self, order_id: OrderId) -> bool:
        """Whether the app tells the driver to look at a proof of age."""
        restricted = self.figures.restricted
        return bool(restricted) and any(units and restricted[sku] for sku, units in self.book.open[order_id].held)

    def too_young(self, order_id: OrderId, driver: DriverId, role: Role = _DRIVER) -> bool:
        """The driver keeps what is restricted of an order and hands over the rest: the customer gets the money back for it."""
        order = self._at_door(order_id, driver, role)
        if order is None:
            return False
        restricted = self.figures.restricted
        for line, (sku, units) in enumerate(order.held):
            if units and restricted[sku]:
                order.held[line] = (sku, 0)  # told of twice, nothing goes back twice
                self._facts.line_returned(order=order_id, sku=sku, units=Units(units))
                self.billing.returned(order, sku, units)
        return True

    def undelivered(self, order_id: OrderId, driver: DriverId, reason: CancelReason, role: Role = _DRIVER) -> bool:
        """An order could not be handed over: it ends, and what was paid goes back. Its goods are still with the driver."""
        order = self._at_door(order_id, driver, role)
        if order is None:
            return False
        order.done_s = self._env.now
        if self.learning is not None:
            self.learning.gives_up(driver)
        self.offers.close(order, _FAILED)
        if self._keep_fees:
            self.billing.keep_fees(order)
        self.saga.cancel(order, reason)
        return True

    def _at_door(self, order_id: OrderId, driver: DriverId, role: Role) -> Order | None:
        """An order of which somebody may say what became of it at its door; None: nobody may, or not this one."""
        order = self.book.open.get(order_id)
        if order is None:
            self._over(order_id)
        elif self._allows(Command.HAND_OVER, role, driver, order):
            if order.failing is None and order.state is _PICKED_UP:
                return order
            self._refuse(order, Refusal.TOO_EARLY if order.failing is None else Refusal.DUPLICATE)
        return None
