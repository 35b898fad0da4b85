"""The scenario's gateway: sessions, limits, repeated requests, overload, screens; and what an order must be and costs."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from sim.scenario.fields import JUDGEMENT, AboveZero, Branch, Count, Fee, NonNegative, Positive, Share, given

TokenLife = Annotated[float, Field(strict=True, ge=900, le=1800)]
FeatureName = Literal["recommendations", "loyalty", "live_tracking", "promotions"]
ServiceName = Literal[
    "catalogue", "inventory", "orders", "payments", "pricing", "promotions", "recommendations", "loyalty", "tracking"
]


class Auth(Branch):
    """Who is let in: access tokens, refresh tokens, account lockout."""

    on: bool = given(True, "-", "false: nobody is asked for a token")
    roles: bool = given(
        True, "-", "false: whoever gives a command about an order may, whatever the role and whose it is"
    )
    token_s: TokenLife = given(1200.0, "15-30 min are usual for access tokens", "life of an access token, seconds")
    refresh_s: AboveZero = given(
        2_592_000.0, "30 days are usual in consumer apps", "a refresh token unused for this long expires, seconds"
    )
    away_s: NonNegative = given(
        604_800.0,
        "judgement: a client orders about once a week",
        "a client not seen yet was last active so long before the start, seconds",
    )
    closed_share: Share = given(0.0, "-", "share of the accounts that are closed: who has one is turned away")
    failed_logins_max: Positive | None = given(
        5, "OWASP WSTG-ATHN-03: lock after 3 to 5 attempts", "wrong passwords that lock an account; null: never"
    )
    failed_window_s: AboveZero = given(900.0, JUDGEMENT, "failures count towards the lock for this long, seconds")
    lock_s: AboveZero = given(
        900.0, "OWASP WSTG-ATHN-03: unlock after 5-30 min", "how long a locked account refuses every password, seconds"
    )


class Limit(Branch):
    """A token bucket."""

    per_s: AboveZero
    burst: Positive


class Limits(Branch):
    """Rate limits: token buckets of each user for each endpoint, of each address, and of the platform as a whole."""

    @model_validator(mode="before")
    @classmethod
    def _rest(cls, tree: Any) -> Any:
        """A limit of which only one key is given keeps the other."""
        if not isinstance(tree, dict):
            return tree
        whole = dict(tree)
        for name, field in cls.model_fields.items():
            part = tree.get(name)
            if isinstance(part, dict) and field.default_factory is not None:
                usual: Limit = field.get_default(call_default_factory=True)
                whole[name] = {**usual.model_dump(), **part}
        return whole

    on: bool = given(True, "-", "false: every request is let in")
    login: Limit = given(lambda: Limit(per_s=0.1, burst=5), JUDGEMENT, "logins of one account")
    catalogue: Limit = given(lambda: Limit(per_s=5.0, burst=40), JUDGEMENT, "catalogue reads of one user")
    place_order: Limit = given(
        lambda: Limit(per_s=0.05, burst=5), "judgement: three a minute, and retries", "orders of one user"
    )
    change_order: Limit = given(lambda: Limit(per_s=0.2, burst=5), JUDGEMENT, "cancellations and changes of one user")
    order_status: Limit = given(lambda: Limit(per_s=1.0, burst=10), JUDGEMENT, "order status reads of one user")
    drivers_nearby: Limit = given(lambda: Limit(per_s=1.0, burst=10), JUDGEMENT, "questions for drivers nearby")
    address: Limit | None = given(
        lambda: Limit(per_s=20.0, burst=200),
        "judgement: an office or a mobile carrier's gateway shares one address",
        "requests from one network address; null: no limit",
    )
    whole: Limit | None = given(
        lambda: Limit(per_s=5000.0, burst=10_000), JUDGEMENT, "requests of everybody together; null: no limit"
    )


class IdempotencySpec(Branch):
    """Repeated requests: the answer to a client's request id is kept."""

    on: bool = given(True, "-", "false: a repeated request is a new one")
    ttl_s: AboveZero = given(
        86_400.0, "Stripe keeps keys at least 24 hours (docs.stripe.com/api/idempotent_requests)",
        "how long an answer is kept, seconds",
    )  # fmt: skip
    lease_s: AboveZero = given(
        60.0, JUDGEMENT, "a request without an answer for this long is taken for dead and may be tried again, seconds"
    )


class BackpressureSpec(Branch):
    """Shedding of new orders when the order service's queue grows."""

    on: bool = given(True, "-", "false: every order joins the queue")
    shed_from_s: NonNegative = given(
        0.3,
        "judgement: before a full queue turns everybody away",
        "queue delay from which some orders are shed, seconds",
    )
    shed_all_s: AboveZero = given(
        1.0, "Nielsen 1993: up to 1 s keeps the flow of thought", "queue delay from which all orders are shed, seconds"
    )

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.shed_from_s >= self.shed_all_s:
            raise ValueError(f"shed_from_s below shed_all_s ({self.shed_all_s:g}), got {self.shed_from_s:g}")
        return self


class DegradationSpec(Branch):
    """Features that go before checkout does: first in the list, first switched off."""

    on: bool = given(True, "-", "false: features stay on whatever the load")
    order: tuple[FeatureName, ...] = given(
        ("recommendations", "loyalty", "live_tracking", "promotions"),
        "judgement: least missed first",
        "the order in which features are switched off",
    )
    off_at: tuple[AboveZero, ...] = given(
        (0.8, 0.85, 0.9, 0.95), JUDGEMENT, "load at which each is switched off (1: everything is busy), ascending"
    )
    hysteresis: NonNegative = given(0.1, JUDGEMENT, "a feature comes back when the load is this far below its off_at")

    @model_validator(mode="after")
    def _matches(self) -> Self:
        if len(set(self.order)) < len(self.order):
            raise ValueError(f"order: each feature once, got {', '.join(self.order)}")
        if len(self.off_at) != len(self.order):
            raise ValueError(f"off_at: one load for each of {len(self.order)} features, got {len(self.off_at)}")
        if list(self.off_at) != sorted(self.off_at):
            raise ValueError(f"off_at: ascending loads, got {', '.join(f'{load:g}' for load in self.off_at)}")
        return self


class Part(Branch):
    """What a screen needs of one service."""

    service: ServiceName
    required: bool = given(True, "-", "false: the screen does without it at the deadline")
    work: NonNegative = given(1.0, "-", "load on the service, in units of its usual request")


Parts = Annotated[tuple[Part, ...], Field(min_length=1)]


class Screens(Branch):
    """Screens that ask several services at once and wait for the slowest."""

    home: Parts = given(
        lambda: (
            Part(service="catalogue"),
            Part(service="inventory"),
            Part(service="promotions", required=False),
            Part(service="recommendations", required=False, work=2.0),
            Part(service="loyalty", required=False, work=0.5),
        ),
        JUDGEMENT, "parts of the home screen",
    )  # fmt: skip
    checkout: Parts = given(
        lambda: (
            Part(service="inventory"),
            Part(service="pricing"),
            Part(service="promotions", required=False),
            Part(service="loyalty", required=False, work=0.5),
        ),
        JUDGEMENT, "parts of the checkout screen",
    )  # fmt: skip
    deadline_s: AboveZero = given(
        0.15, "judgement: under the usual 200 ms target", "optional parts that are later are left out, seconds"
    )


class Promotion(Branch):
    """A code that some clients hold."""

    share: Share = given(0.0, "no promotion", "share of clients who hold the code")
    percent: Annotated[float, Field(strict=True, gt=0, le=100)] = given(10.0, JUDGEMENT, "discount on the goods")
    cap_cents: Count | None = given(500, JUDGEMENT, "largest discount, cents; null: no limit")
    minimum_cents: Count = given(1500, JUDGEMENT, "smallest basket the code works for, cents")


class Pricing(Branch):
    """What is charged beside the goods and the delivery fee."""

    tax_share: Annotated[float, Field(strict=True, ge=0, lt=1)] = given(
        0.19, "value added tax of Chile, the default city's country (Ley 825)", "tax as a share of the net price"
    )
    tax_included: bool = given(
        True, "consumer prices in Chile and the EU include it", "true: prices contain the tax; false: it comes on top"
    )
    small_order_below_cents: Fee = given(0, "no such fee", "baskets below this pay the small-order fee, cents")
    small_order_fee_cents: Fee = given(0, "no such fee", "fee of a small order, cents")
    free_delivery_from_cents: Count | None = given(
        None, "no free delivery", "baskets from this on pay no delivery fee, cents; null: all pay"
    )
    promotion: Promotion = given(Promotion, "-", "a promotion code")

    @property
    def plain(self) -> bool:
        """Whether every order costs its goods and the delivery fee, whatever is in it and whoever places it."""
        small = self.small_order_below_cents and self.small_order_fee_cents
        return self.tax_included and not small and self.free_delivery_from_cents is None and not self.promotion.share


class CartRules(Branch):
    """What a cart must be to be ordered."""

    minimum_cents: Count = given(0, "no minimum", "smallest basket that can be ordered, cents")
    lines_max: Positive | None = given(None, "no limit", "most lines of an order; null: any number")
    units_max: Positive | None = given(None, "no limit", "most units of one line; null: any number")


class FraudSpec(Branch):
    """Fraudsters among the clients, and what the platform remembers to find them."""

    planted_share: Share = given(0.0, "none", "share of clients who are fraudsters")
    cancel_window_s: AboveZero = given(
        604_800.0, "judgement: a week", "cancellations after dispatch count for this long, seconds"
    )
    memory_s: AboveZero = given(
        2_592_000.0, "judgement: 30 days", "what a client did is forgotten after this long, seconds"
    )
    review_s: NonNegative = given(600.0, JUDGEMENT, "time a person takes to review an order, seconds")

    @model_validator(mode="after")
    def _remembers(self) -> Self:
        if self.memory_s < self.cancel_window_s:
            raise ValueError(f"memory_s of at least cancel_window_s ({self.cancel_window_s:g}), got {self.memory_s:g}")
        return self
