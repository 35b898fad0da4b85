"""An order's story in a line or two says how it ended, what was missing, and what money went back: from its facts alone."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from sim.reading.run import FinishedRun
from sim.reading.stories import Event, Teller, parameters, stories_of
from sim.report.gist import gist
from sim.report.story import told
from sim.vocabulary import CancelReason, OrderState, Rejection

TELLER = cast(Teller, SimpleNamespace(clock=lambda t_s: f"{t_s:.0f} s", money=lambda cents: f"{cents / 100:.2f}"))


def event(kind: str, t_s: float = 1.0, **said: Any) -> Event:
    return Event(t_s, 0, kind, tuple(float(said.get(name, 0)) for name in parameters(kind)))


PAID = (event("order_entered", units=9), event("payment_asked"), event("payment_captured", cents=900))
OVER = event("order_moved", 9.0, state=OrderState.DELIVERED)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((*PAID, OVER), []),
        ((event("order_rejected", reject=Rejection.UNAVAILABLE),), ["turned away at 1 s: the platform was down"]),
        ((*PAID,), []),
        ((*PAID, event("order_moved", state=OrderState.PACKED)), ["still packed at the close"]),
        (
            (*PAID, event("order_cancelled", reason=CancelReason.NO_DRIVER), event("payment_refunded", cents=900),
             event("order_moved", 5.0, state=OrderState.CANCELLED)),
            ["cancelled at 5 s: no driver found", "9.00 of 9.00 given back"],
        ),
        (
            (event("payment_asked"), event("payment_asked"), event("order_moved", 4.0, state=OrderState.PAYMENT_FAILED)),
            ["not paid by 4 s, the provider having been asked 2 times"],
        ),
        (
            (*PAID, event("line_missing", units=1), event("hold_reduced", units=2), event("hold_reduced", units=1),
             event("payment_refunded", cents=300), OVER),
            ["1 of 9 units not on record", "3 of 9 units on record and not on the shelf", "3.00 of 9.00 given back"],
        ),
    ],
)  # fmt: skip
def test_it_says_what_did_not_go_as_it_should(events: tuple[Event, ...], said: list[str]) -> None:
    assert gist(TELLER, events) == said


def test_over_a_run_it_adds_up(noon_folder: Any) -> None:
    run = FinishedRun(noon_folder)
    orders = run.columns("orders", "order", "state", "refunded_cents")
    few = list(orders["order"])[:40]
    stories = stories_of(run, few)
    for order, state, refunded in zip(few, orders["state"], orders["refunded_cents"], strict=False):
        said = " ".join(gist(Teller(run), stories[order]))
        assert ("given back" in said) == (refunded > 0)
        assert said.startswith(("cancelled", "not paid", "still")) == (state != "delivered")
    assert told(run, few[0])["gist"] == gist(Teller(run), stories[few[0]])
