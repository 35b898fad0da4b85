"""Facts of orders: what customers do, sagas and payments, and what the provider really did."""

from sim.vocabulary import (
    CancelReason,
    CellId,
    Cents,
    ClientId,
    Contact,
    NodeId,
    OrderId,
    OrderState,
    Refusal,
    Rejection,
    Role,
    Ruling,
    SkuId,
    Step,
    StoreId,
    Units,
)


class OrderFacts:
    """Customers, sagas, payments, the provider."""

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

    def order_surcharged(self, *, order: OrderId, cents: Cents) -> None:
        """A customer agreed to a surcharge on the delivery fee."""

    def order_promised(self, *, order: OrderId, promised_s: float) -> None:
        """The customer was told when to expect the order, seconds since the start."""

    def order_cancelled(self, *, order: OrderId, reason: CancelReason) -> None:
        """An order is being cancelled, and why; its saga compensates."""

    def request_lost(self, *, order: OrderId) -> None:
        """An instance died that had the request to order in hand: the app sends it again."""

    def order_doubled(self, *, order: OrderId, first: OrderId) -> None:
        """The second tap of a request that entered as `first` was taken for a request of its own, and entered as well."""

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

    def goodwill_given(self, *, order: OrderId, cents: Cents, role: Role, actor: int) -> None:
        """Support lets a customer off some of an order's price: what was paid goes back, what is due at the door falls.

        The audit's line of a refund by staff: `actor` is the number of who gave it, in the role used.
        """

    def contact_made(self, *, order: OrderId, client: ClientId, contact: Contact) -> None:
        """A customer who was served writes to support about an order."""

    def contact_answered(
        self, *, order: OrderId, contact: Contact, role: Role, actor: int, waited_s: float, cents: Cents
    ) -> None:
        """Agent `actor` has answered; it waited `waited_s` until it was taken up; `cents` were given, in the role noted."""

    def line_disputed(self, *, order: OrderId, sku: SkuId, units: Units) -> None:
        """Units of a line were in the app and not in the bag: what was paid for them is given back, once."""

    def line_returned(self, *, order: OrderId, sku: SkuId, units: Units) -> None:
        """Units of a line did not reach the customer although they were at the door: their price is given back."""

    def fees_kept(self, *, order: OrderId, cents: Cents) -> None:
        """An order that could not be handed over is refunded but for `cents` of fees."""

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
