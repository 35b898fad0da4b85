"""Why customers were turned away and orders cancelled, in words."""

from typing import Final

REASONS: Final[dict[str, str]] = {
    "out_of_zone": "outside the area served",
    "closed": "stores closed",
    "overloaded": "too busy to take the order",
    "out_of_stock": "nothing of it in stock",
    "customer": "the customer gave up",
    "no_driver": "no driver found",
    "not_found": "not found on the shelf",
    "contention": "stock went to other buyers",
    "unavailable": "the platform was down",
    "unauthorised": "not let in",
    "rate_limited": "too many requests",
    "shed": "turned away under load",
    "suspect": "taken for fraud",
    "repeated": "asked twice",
    "sold_out": "shown as sold out",
    "payment": "payment failed after the confirmation",
    "failover": "forgotten when a region was lost",
    "unprocessable": "could not be processed",
    "lost": "the store never heard of it",
    "expired": "its hold ran out",
    "undeliverable": "nobody opened the door",
    "age_check": "the customer could not show to be of age",
}
"""Why customers were turned away and orders cancelled."""
