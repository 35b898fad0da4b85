"""Facts of the platform (belief): stock records, messages and services, dispatch."""

from sim.vocabulary import (
    Adjustment,
    Alert,
    BreakerName,
    BreakerState,
    Cents,
    DriverId,
    Endpoint,
    FaultKind,
    OfferAnswer,
    OrderId,
    Refusal,
    Role,
    SkuId,
    StockCause,
    StoreId,
    Svc,
    TaskEnd,
    Topic,
    Units,
)


class PlatformFacts:
    """Records, messages, services, dispatch."""

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

    def line_substituted(
        self, *, order: OrderId, store: StoreId, sku: SkuId, taken: SkuId, units: Units, cents: Cents
    ) -> None:
        """Units of another SKU, `taken`, came for those of a line that were not found; the customer pays `cents` for them."""

    def substitute_refused(self, *, order: OrderId, store: StoreId, sku: SkuId, taken: SkuId, answered: bool) -> None:
        """The customer did not want `taken` instead, or, where `answered` is false, did not answer in time."""

    def hold_committed(self, *, order: OrderId, store: StoreId) -> None:
        """The goods of a hold left the shelf: what is still reserved for the order leaves the record."""

    def hold_released(self, *, order: OrderId, store: StoreId) -> None:
        """A hold ended without a sale: its units are available again."""

    def hold_expired(self, *, order: OrderId, store: StoreId) -> None:
        """A hold ended because nobody went on with the order: its units are available again."""

    def record_adjusted(self, *, store: StoreId, sku: SkuId, units: Units, cause: StockCause, order: OrderId) -> None:
        """Available units of a record changed by `units` (signed), and no hold did; `order`: whose goods or line it was about."""

    def stock_corrected(
        self, *, store: StoreId, sku: SkuId, units: Units, role: Role, adjustment: Adjustment, order: OrderId
    ) -> None:
        """Staff, or their job, changed a record by `units` (signed): the audit's line, with the role used and the ground."""

    def adjustment_doubled(self, *, store: StoreId, sku: SkuId, units: Units, order: OrderId) -> None:
        """A message came twice and nobody knew it: booked or picked again, it leaves the record off by `units` (signed)."""

    def reorder_judged(self, *, store: StoreId, needless: Units, lacking: Units) -> None:
        """An order for goods, held against the one that the same policy would have made had it seen the shelves.

        `needless` units were ordered although they were there, `lacking` ones were not although they were needed.
        """

    def forecast_judged(self, *, store: StoreId, units: Units, expected: float, off: float) -> None:
        """A whole day is over: `units` were sold where a review was told to expect `expected`; by SKU they are `off` in sum."""

    def difference_flagged(self, *, store: StoreId, sku: SkuId, units: Units, order: OrderId) -> None:
        """A difference was too large to be adjusted without somebody looking at it: it waits for review.

        Scan log less record; or what a picker counted less record.
        """

    def difference_reviewed(self, *, store: StoreId, sku: SkuId, waited_s: float, order: OrderId) -> None:
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

    def fault_began(self, *, fault: FaultKind, until_s: float, store: StoreId) -> None:
        """Something broke; undisturbed it lasts until `until_s`. `store`: -1 unless it is one store's alone."""

    def fault_ended(self, *, fault: FaultKind, store: StoreId) -> None:
        """Something works again."""

    def alert_raised(self, *, alert: Alert, value: float) -> None:
        """A sampled figure of the platform was above its limit for long enough; `value` is the figure."""

    def alert_cleared(self, *, alert: Alert) -> None:
        """The figure is within its limit again."""

    def partition_blocked(self, *, partition: int, until_s: float) -> None:
        """From a partition of every topic of the bus nothing comes until then; below zero: from none of them."""

    def service_answers(self, *, service: Svc, again: bool) -> None:
        """Nothing answers any more at a service (no instance lives, or every call fails); or something does `again`."""

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

    # -- dispatch (belief) ---------------------------------------------------------------------------------------

    def task_opened(self, *, order: OrderId, store: StoreId, ready_s: float) -> None:
        """An order needs a driver; `ready_s` is when it is believed to be packed."""

    def task_closed(self, *, order: OrderId, ended: TaskEnd) -> None:
        """A delivery task ended."""

    def driver_called(self, *, driver: DriverId) -> None:
        """A driver on call was asked to come."""

    def driver_sent(self, *, driver: DriverId, store: StoreId) -> None:
        """The platform told a driver without work to ride to a store."""

    def offer_made(self, *, order: OrderId, driver: DriverId) -> None:
        """The platform asked a driver to take an order."""

    def bonus_offered(self, *, order: OrderId, driver: DriverId, cents: Cents) -> None:
        """The offer just made comes with so much on top of the pay for an order, if it is handed over."""

    def offer_answered(self, *, order: OrderId, driver: DriverId, answer: OfferAnswer) -> None:
        """A driver answered, or the accept window closed."""

    def order_bundled(self, *, order: OrderId, driver: DriverId, first: OrderId) -> None:
        """A driver who accepted `first` takes this order of the same store along, and hands it over later."""

    def proposal_refused(self, *, order: OrderId, driver: DriverId, refusal: Refusal) -> None:
        """A dispatch policy proposed something the platform could not do."""
