"""The keys of browsing: how much customers look, how pages are cached, how far the read replica is behind."""

from sim.scenario.fields import JUDGEMENT, Branch, NonNegative, Share, Spread, given


class CacheSpec(Branch):
    """Cache-aside of catalogue pages."""

    ttl_s: NonNegative = given(
        30.0, "a short life is usual for stock", "life of a cached page from its fill, seconds; 0: no cache"
    )
    invalidate: bool = given(
        True, "-", "whether a page is deleted from the cache when one of its SKUs is sold out or back"
    )
    invalidate_s: NonNegative = given(
        1.0,
        "judgement: a message, sent late enough for the replica to be up to date (delayed deletion)",
        "mean time from such a change until the page is deleted, seconds",
    )
    invalidate_cv: Spread = given(0.2, JUDGEMENT, "coefficient of variation of that time (lognormal)")
    invalidate_loss: Share = given(
        0.002, "judgement: sent once, not acknowledged", "chance that the message is lost; the page then lives its life"
    )
    coalesce: bool = given(True, "-", "whether reads of a page that is being filled share that answer, and wait for it")
    stale_on_open_breaker: bool = given(
        True,
        "stale-if-error (RFC 5861)",
        "whether the last answer is shown, however old, while the breaker on catalogue reads is open",
    )


class ReplicaSpec(Branch):
    """The read replica from which pages are filled."""

    lag_s: NonNegative = given(
        0.2, "judgement: asynchronous replication inside a region", "mean time behind the primary, seconds"
    )
    lag_cv: Spread = given(0.5, JUDGEMENT, "coefficient of variation of the lag (lognormal)")
    batch_s: NonNegative = given(
        0.5, JUDGEMENT, "changes are sent to the replica at multiples of this, seconds; 0: at once"
    )


class Browsing(Branch):
    """What customers look at besides what they order."""

    reads_per_order: NonNegative = given(
        190.0,
        "judgement from published conversion: 8 % of sessions order, 15 screens a session",
        "page reads for every order, mean",
    )
    home_share: Share = given(
        0.0667, "judgement: one of the 15 screens of a session", "share of page reads that are views of the home screen"
    )
    cache: CacheSpec = given(CacheSpec, "-", "cache-aside of catalogue pages")
    replica: ReplicaSpec = given(ReplicaSpec, "-", "the read replica from which pages are filled")
