"""Drivers who say yes to what they never saw, or leave with what was given to somebody else, are noticed."""

from collections.abc import Callable
from typing import Any

import pytest

from sim.laws import all_laws, verdict
from sim.opening import ready_world
from sim.operations.phones import Phones
from sim.platform.offers import Offers
from sim.streams import Streams

LOST = ("platform.notifications={driver_websocket_share: 0, push_loss_share: 0.5}",)
TAKEN = (
    "platform.tracking={on_stall: reassign, slip_s: 0, stall_s: 15, loss_share: 1.0}", "travel.noise_cv=1.0",
    "drivers.count=8",
)  # fmt: skip


def shows_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """The phone shows what never reached it."""
    shows_s = Phones.shows_s
    monkeypatch.setattr(Phones, "shows_s", lambda self, message: shows_s(self, message) or 0.0)


def forgets_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    """An order is said to be taken back, and its driver may take it away all the same."""

    def only_said(self: Any, order: Any) -> None:
        self._facts.order_taken_back(order=order.id, driver=order.driver)

    monkeypatch.setattr(Offers, "take_back", only_said)


@pytest.mark.parametrize(
    ("break_it", "settings", "words"),
    [
        (shows_everything, LOST, "whose offer never showed"),
        (forgets_to_tell, TAKEN, "which was given to somebody else"),
    ],
)
def test_a_broken_phone_or_counter_is_noticed(
    two_stores: Any,
    play: Any,
    monkeypatch: pytest.MonkeyPatch,
    break_it: Callable[[pytest.MonkeyPatch], None],
    settings: tuple[str, ...],
    words: str,
) -> None:
    def breaches() -> list[Any]:
        world = ready_world(two_stores(*settings), Streams(1))
        laws = all_laws(world)
        play(world, laws=laws)
        return verdict(laws)

    assert breaches() == []
    break_it(monkeypatch)
    assert any(words in breach.what for breach in breaches())
