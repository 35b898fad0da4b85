"""Every fact that can be logged, one typed method each: the signatures are the schema of the event log.

A recorder (see `sim.recording.log`) compiles each signature into a function that packs one row; this base class records
nothing, which is what a unit test or a stripped-down run wants. A parameter name means the same, with the same type, in
every fact; `COLUMNS` collects them and fails at import when two signatures disagree.
"""

from collections.abc import Mapping
from inspect import signature
from typing import Any, Final, get_type_hints

from sim.vocabulary import (
    Alert,
    BreakerName,
    BreakerState,
    CancelReason,
    CellId,
    Cents,
    ClientId,
    DriverId,
    Endpoint,
    FaultKind,
    NodeId,
    OfferAnswer,
    OrderId,
    OrderState,
    PickerId,
    Refusal,
    Rejection,
    Ruling,
    SkuId,
    Step,
    StockCause,
    StoreId,
    Svc,
    TaskEnd,
    Topic,
    Trip,
    Units,
)


class Facts:
    """The facts, by room. Physical facts are truth; platform facts are belief; the archive sees both.

    `order` is the number of a customer's request, given at the gateway's door: every fact that a request brings about
    carries it, whatever room it happens in, and whether an order came of it or not. It is the correlation id.
    """

    def many(self, kind: str, columns: Mapping[str, Any]) -> None:
        """Log many facts of one kind at this moment, in order; `columns` holds each parameter's values, all (n,)."""

    # -- customers and their orders ------------------------------------------------------------------------------

    def order_rejected(
        self, *, order: OrderId, client: ClientId, node: NodeId, cell: CellId, reject: Rejection
    ) -> None:
        """A customer wanted to order and was turned away at the door."""

    def order_entered(
        self,
        *,
        order: OrderId,
        client: ClientId,
        store: StoreId,
        cell: CellId,
        node: NodeId,
        lines: int,
        units: Units,
        value_cents: Cents,
    ) -> None:
        """An order was accepted for processing; units and value are what the customer asked for, without fees."""

    def order_moved(self, *, order: OrderId, state: OrderState) -> None:
        """An order made a transition of the state table."""

    def order_promised(self, *, order: OrderId, promised_s: float) -> None:
        """The customer was told when to expect the order, seconds since the start."""

    def order_cancelled(self, *, order: OrderId, reason: CancelReason) -> None:
        """An order is being cancelled, and why; its saga compensates."""

    def request_refused(self, *, order: OrderId, refusal: Refusal) -> None:
        """An actor asked for something about an order that the platform does not allow (a cancellation too late)."""

    def screening_began(self, *, fraudsters: int) -> None:
        """From now on orders are screened for fraud; so many of the clients are fraudsters, which the platform is not told."""

    def order_screened(self, *, order: OrderId, client: ClientId, ruling: Ruling, fraudster: bool) -> None:
        """A screened order was not simply allowed, or a fraudster's: an honest client's that was allowed leaves no trace."""

    def ordered_from_stale(self, *, order: OrderId, age_s: float) -> None:
        """A customer ordered from an expired page shown while the breaker on catalogue reads is open, `age_s` old."""

    def checkout_shortened(self, *, order: OrderId, parts: int) -> None:
        """A checkout screen was shown without so many optional parts, which were late at the deadline."""

    # -- saga and payments ---------------------------------------------------------------------------------------

    def saga_step_done(self, *, order: OrderId, step: Step) -> None:
        """A step of an order's saga finished."""

    def saga_ended(self, *, order: OrderId, settled: bool) -> None:
        """An order's saga is over: settled, or wholly compensated."""

    def payment_asked(self, *, order: OrderId, attempt: int, cents: Cents) -> None:
        """The platform asked the provider to charge a customer."""

    def payment_failed(self, *, order: OrderId, attempt: int) -> None:
        """The provider declined, or could not be reached."""

    def payment_captured(self, *, order: OrderId, cents: Cents) -> None:
        """The customer paid, as our books say."""

    def payment_refunded(self, *, order: OrderId, cents: Cents) -> None:
        """Money went back to the customer, as our books say."""

    def goodwill_given(self, *, order: OrderId, cents: Cents) -> None:
        """Support lets a customer off some of an order's price: what was paid goes back, what is due at the door falls."""

    def payment_unknown(self, *, order: OrderId, attempt: int) -> None:
        """A charge got no answer in time: the provider may have taken the money or not."""

    def callback_came(self, *, order: OrderId, attempt: int, cents: Cents, news: bool) -> None:
        """The provider told us of a charge of its own accord; `news`: our books did not have it yet."""

    def books_settled(self, *, orders: int, differing: int, cents: Cents) -> None:
        """Our books were held against the provider's settlement file: charges that differed, and by how much in all."""

    def books_lost(self, *, order: OrderId, cents: Cents) -> None:
        """Our books no longer know that the customer paid: a copy without the latest entries took over."""

    def order_billed(
        self,
        *,
        order: OrderId,
        goods_cents: Cents,
        kept_cents: Cents,
        tax_cents: Cents,
        discount_cents: Cents,
        total_cents: Cents,
    ) -> None:
        """A bill was made that is more than goods and delivery fee; `goods_cents` as listed, `kept_cents` of the total stay
        with us whatever goes back of the goods. Not logged where pricing is plain.
        """

    def confirmation_revoked(self, *, order: OrderId) -> None:
        """The customer had been told yes, and is now told no."""

    def saga_resumed(self, *, order: OrderId, step: Step) -> None:
        """The orchestrator took up an order's saga again after a crash, at a step whose outcome is unknown."""

    # -- the provider (truth) --------------------------------------------------------------------------------------

    def charge_made(self, *, order: OrderId, attempt: int, cents: Cents) -> None:
        """The provider took the customer's money (cash: the driver did)."""

    def charge_returned(self, *, order: OrderId, cents: Cents) -> None:
        """The provider gave the customer's money back."""

    # -- stock records (belief) ----------------------------------------------------------------------------------

    def stock_reserved(self, *, order: OrderId, store: StoreId, sku: SkuId, units: Units, version: int) -> None:
        """A line was held for an order: available falls, reserved rises; `version` is the record's new version."""

    def line_missing(self, *, order: OrderId, store: StoreId, sku: SkuId, units: Units) -> None:
        """The record denied units of a line the customer wanted."""

    def version_conflict(self, *, order: OrderId, store: StoreId, sku: SkuId, attempt: int) -> None:
        """Between read and write somebody else changed the record: nothing was held, try again or give up."""

    def lock_timed_out(self, *, order: OrderId, store: StoreId, sku: SkuId, waited_s: float) -> None:
        """A reservation gave up waiting for the lock of a record."""

    def write_fenced(self, *, order: OrderId, store: StoreId, sku: SkuId, token: int) -> None:
        """A write under a lease that had lapsed and been given to somebody else was refused."""

    def hold_reduced(self, *, order: OrderId, store: StoreId, sku: SkuId, units: Units) -> None:
        """Units of a hold could not be picked: they leave the hold and count as available again."""

    def hold_committed(self, *, order: OrderId, store: StoreId) -> None:
        """The goods of a hold left the shelf: what is still reserved for the order leaves the record."""

    def hold_released(self, *, order: OrderId, store: StoreId) -> None:
        """A hold ended without a sale: its units are available again."""

    def hold_expired(self, *, order: OrderId, store: StoreId) -> None:
        """A hold ended because nobody went on with the order: its units are available again."""

    def record_adjusted(self, *, store: StoreId, sku: SkuId, units: Units, cause: StockCause) -> None:
        """Available units of a record changed by `units` (signed) outside an order."""

    def stock_corrected(self, *, store: StoreId, sku: SkuId, units: Units, role: int) -> None:
        """Somebody of the office, or their job, changed a record by `units` (signed): the audit's line, with the role used."""

    def difference_flagged(self, *, store: StoreId, sku: SkuId, units: Units) -> None:
        """Scan log less record was too large to be adjusted without somebody looking at it: it waits for review."""

    def difference_reviewed(self, *, store: StoreId, sku: SkuId, waited_s: float) -> None:
        """Somebody has looked at a flagged difference, `waited_s` after it was flagged."""

    # -- messages and services -------------------------------------------------------------------------------------

    def message_redelivered(self, *, topic: Topic, order: OrderId, delay_s: float) -> None:
        """A message was lost on its way and sent again; it came `delay_s` after it was published."""

    def message_duplicated(self, *, topic: Topic, order: OrderId, dropped: bool) -> None:
        """A message came a second time; `dropped`: the consumer knew its id."""

    def message_dead(self, *, topic: Topic, order: OrderId) -> None:
        """A message was given up after its last delivery and lies in the dead-letter queue."""

    def message_lost(self, *, topic: Topic, order: OrderId) -> None:
        """A broker died with a message that nobody else had a copy of."""

    def breaker_moved(self, *, breaker: BreakerName, breaker_state: BreakerState) -> None:
        """A circuit breaker changed its state."""

    def fault_began(self, *, fault: FaultKind, until_s: float) -> None:
        """Something broke; undisturbed it lasts until `until_s`."""

    def fault_ended(self, *, fault: FaultKind) -> None:
        """Something works again."""

    def alert_raised(self, *, alert: Alert, value: float) -> None:
        """A sampled figure of the platform was above its limit for long enough; `value` is the figure."""

    def alert_cleared(self, *, alert: Alert) -> None:
        """The figure is within its limit again."""

    def service_sampled(
        self,
        *,
        service: Svc,
        rate: float,
        errors: float,
        p50_s: float,
        p99_s: float,
        utilisation: float,
        queue: float,
        instances: int,
    ) -> None:
        """Monitoring looked at a service: calls and errors a second, latency, load since the last look."""

    def endpoint_sampled(self, *, endpoint: Endpoint, rate: float, errors: float, p50_s: float, p99_s: float) -> None:
        """Monitoring looked at an endpoint that was asked: requests and errors a second, latency without the phone's network."""

    def home_shortened(self, *, rate: float) -> None:
        """Since the last look home screens were shown without `rate` optional parts a second, which were late."""

    def attack_met(self, *, asked: int, refused: int) -> None:
        """Attackers' requests since the last look, and those of them that a limit refused."""

    def platform_sampled(
        self,
        *,
        reads: float,
        hit_rate: float,
        stale: float,
        lag: int,
        features_off: int,
        instance_s: float,
        messages: int,
    ) -> None:
        """Monitoring looked at the rest.

        Catalogue reads a second, the share that the cache answered, and reads a second that were shown an older state;
        messages under way; features switched off; totals so far of instance-seconds and messages, which are paid for.
        """

    def record_seen(self, *, store: StoreId, sku: SkuId, fresh_s: float) -> None:
        """A record that was sold out or came back is shown so to every browser, `fresh_s` after it changed."""

    def line_hidden(self, *, order: OrderId, store: StoreId, sku: SkuId, units: Units) -> None:
        """A customer did not order a line, because the catalogue still showed as sold out what was there."""

    def shown_was_gone(self, *, order: OrderId, store: StoreId, sku: SkuId) -> None:
        """A line that the records denied had been shown to the customer as available."""

    # -- goods (truth) -------------------------------------------------------------------------------------------

    def shelf_changed(self, *, store: StoreId, sku: SkuId, units: Units, cause: StockCause) -> None:
        """Units on a shelf changed by `units` (signed) outside an order."""

    def scan_slipped(self, *, store: StoreId, sku: SkuId, units: Units, cause: StockCause) -> None:
        """What people scanned says `units` (signed) more than what happened to the goods: the scan log is off by so much more."""

    def goods_sold(self, *, store: StoreId, sku: SkuId, taken: SkuId, units: Units) -> None:
        """Units went over the counter in a step of a goods-only run: off the shelf of `taken`, off the record of `sku`.

        The two differ where somebody took what lies beside and scanned it as what was wanted.
        """

    def sale_missed(self, *, store: StoreId, sku: SkuId, units: Units, denied: bool) -> None:
        """Units that were wanted in a step of a goods-only run: the record denied them, or the shelf did not have them."""

    def backorder_changed(self, *, store: StoreId, sku: SkuId, units: Units) -> None:
        """Units that customers wait for changed by `units` (signed)."""

    def goods_picked(self, *, order: OrderId, store: StoreId, sku: SkuId, units: Units) -> None:
        """Units moved from the shelf into an order's tote."""

    def goods_put_back(self, *, order: OrderId, store: StoreId, sku: SkuId, units: Units) -> None:
        """Units of a cancelled order moved from its tote back to the shelf."""

    def goods_left(self, *, order: OrderId, store: StoreId) -> None:
        """An order's tote left the store with its driver."""

    def supply_ordered(self, *, store: StoreId, lines: int, units: Units, due_s: float) -> None:
        """Replenishment was ordered, to arrive at `due_s`."""

    def crew_counted(self, *, store: StoreId, lines: int) -> None:
        """A crew has counted so many shelves of a store by plan, and is paid for it."""

    def shelf_counted(self, *, store: StoreId, sku: SkuId, units: Units) -> None:
        """Somebody counted a shelf and found `units`."""

    # -- pickers -------------------------------------------------------------------------------------------------

    def picker_on(self, *, picker: PickerId, store: StoreId) -> None:
        """A picker's shift began."""

    def picker_off(self, *, picker: PickerId) -> None:
        """A picker went home."""

    def pick_started(self, *, order: OrderId, picker: PickerId, store: StoreId) -> None:
        """A picker took an order from the queue."""

    def pick_ended(self, *, order: OrderId, picker: PickerId) -> None:
        """A picker finished with an order: packed it, found nothing of it, or learned that it was cancelled."""

    # -- dispatch (belief) ---------------------------------------------------------------------------------------

    def task_opened(self, *, order: OrderId, store: StoreId, ready_s: float) -> None:
        """An order needs a driver; `ready_s` is when it is believed to be packed."""

    def task_closed(self, *, order: OrderId, ended: TaskEnd) -> None:
        """A delivery task ended."""

    def offer_made(self, *, order: OrderId, driver: DriverId) -> None:
        """The platform asked a driver to take an order."""

    def offer_answered(self, *, order: OrderId, driver: DriverId, answer: OfferAnswer) -> None:
        """A driver answered, or the accept window closed."""

    def proposal_refused(self, *, order: OrderId, driver: DriverId, refusal: Refusal) -> None:
        """A dispatch policy proposed something the platform could not do."""

    # -- drivers (truth) -----------------------------------------------------------------------------------------

    def driver_on(self, *, driver: DriverId, store: StoreId, node: NodeId, profile: int) -> None:
        """A driver's shift began at the home store, with a vehicle of the fleet (its place in the scenario's list)."""

    def driver_off(self, *, driver: DriverId) -> None:
        """A driver went home."""

    def driver_waits(self, *, driver: DriverId, node: NodeId) -> None:
        """A driver became free and stays where he is."""

    def leg_started(
        self, *, driver: DriverId, order: OrderId, trip: Trip, origin: NodeId, node: NodeId, arrive_s: float
    ) -> None:
        """A driver set out from `origin` to `node`; undisturbed, the ride ends at `arrive_s`."""

    def driver_at_store(self, *, driver: DriverId, order: OrderId, store: StoreId) -> None:
        """A driver reached the store of an order."""

    def goods_delivered(self, *, driver: DriverId, order: OrderId, node: NodeId) -> None:
        """A driver handed everything in an order's tote over at the customer's door."""


Signature = dict[str, Any]


def _signatures() -> dict[str, Signature]:
    found: dict[str, Signature] = {}
    for name, method in vars(Facts).items():
        if not name.startswith("_") and name != "many":
            hints = get_type_hints(method)
            found[name] = {parameter: hints[parameter] for parameter in list(signature(method).parameters)[1:]}
    return found


def _columns(signatures: dict[str, Signature]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for kind, parameters in signatures.items():
        for name, annotation in parameters.items():
            if columns.setdefault(name, annotation) is not annotation:
                raise TypeError(f"{kind}.{name}: expected {columns[name]} as elsewhere, got {annotation}.")
    return columns


SIGNATURES: Final = _signatures()
"""Fact name -> parameter name -> annotation, in order of definition."""

COLUMNS: Final = _columns(SIGNATURES)
"""Parameter name -> annotation, over all facts."""
