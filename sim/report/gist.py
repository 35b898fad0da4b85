"""An order's story in a line or two: how it ended, what of it was missing, and what money went back."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from sim.reading.stories import Event, Teller, parameters
from sim.report.reasons import REASONS
from sim.vocabulary import CancelReason, OrderState, Rejection

_SHORT: Final = {
    "line_missing": "not on record",
    "hold_reduced": "on record and not on the shelf",
    "line_substituted": "replaced by other articles",
    "line_disputed": "in the app and not in the bag",
    "line_returned": "not handed over at the door",
}
"""Facts about units that the customer wanted and did not get so, and how it is told."""


def gist(teller: Teller, events: Sequence[Event]) -> list[str]:
    """Sentences without a full stop, the most important first; none of an order of which everything was delivered.

    Parameters
    ----------
    events
        All of an order's, in the order of the day.
    """
    units: dict[str, int] = defaultdict(int)
    paid = back = tries = 0
    wanted, ended = 0, ""
    reason: str | None = None
    for event in events:
        said = dict(zip(parameters(event.kind), event.values, strict=True))
        if event.kind == "order_entered":
            wanted = int(said["units"])
        elif event.kind == "order_rejected":
            ended = f"turned away at {teller.clock(event.t_s)}: {_reason(Rejection(int(said['reject'])).name)}"
        elif event.kind == "order_cancelled":
            reason = _reason(CancelReason(int(said["reason"])).name)
        elif event.kind == "order_moved":
            ended = _end(OrderState(int(said["state"])), teller.clock(event.t_s), reason, tries)
        elif event.kind in _SHORT:
            units[event.kind] += int(said["units"])
        elif event.kind == "payment_asked":
            tries += 1
        elif event.kind == "payment_captured":
            paid += int(said["cents"])
        elif event.kind == "payment_refunded":
            back += int(said["cents"])
    found = [ended] if ended else []
    found += [f"{count} of {wanted} units {_SHORT[kind]}" for kind, count in units.items() if count]
    if back:
        found.append(f"{teller.money(back)} of {teller.money(paid)} given back")
    return found


def _reason(name: str) -> str:
    return REASONS.get(name.lower(), name.lower().replace("_", " "))


def _end(state: OrderState, at: str, reason: str | None, tries: int) -> str:
    """How an order stands that has just come to a state; nothing for one that was delivered."""
    if state is OrderState.DELIVERED:
        return ""
    if state is OrderState.CANCELLED:
        return f"cancelled at {at}" + (f": {reason}" if reason else "")
    if state is OrderState.PAYMENT_FAILED:
        return f"not paid by {at}, the provider having been asked {tries} times" if tries > 1 else f"not paid by {at}"
    return f"still {state.name.lower().replace('_', ' ')} at the close"
