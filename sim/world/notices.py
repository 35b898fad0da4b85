"""What befalls each notification: by WebSocket where the app is open, else by a push, which may be late or never show.

A message by WebSocket is shown at once. The channel of a message, and the fate of a push, are keyed hashes of whom it is about,
so customers' messages are no events: a study counts them after the run. Offers to drivers are judged as they are sent, with the
same hashes. While the provider of pushes is out of order, none of them shows.
"""

from dataclasses import dataclass
from enum import IntEnum
from math import log
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario
from sim.streams import Die, Streams
from sim.vocabulary import DriverId, OrderId, quantise


class Notice(IntEnum):
    """What a customer is told."""

    CONFIRMED = 0
    OUT_FOR_DELIVERY = 1
    DELIVERED = 2
    CANCELLED = 3
    LATER = 4
    """The order will come later than was told."""


class Fates(NamedTuple):
    """What befell some messages, as columns (n,)."""

    pushed: NDArray[np.bool_]
    """Whether each went as a push."""
    lost: NDArray[np.bool_]
    """Whether it was a push that never showed, the provider's outages left out."""
    delay_s: NDArray[np.float64]
    """Time until it showed, seconds."""


@dataclass(frozen=True, slots=True)
class Notices:
    """The ways of all messages of a run.

    Attributes
    ----------
    websocket_share, driver_websocket_share
        Share of messages that find the app of a customer, or a driver, open.
    push_latency_s, push_loss_share
        Mean time of a push (exponential), seconds; share of them that never show.
    """

    websocket_share: float
    driver_websocket_share: float
    push_latency_s: float
    push_loss_share: float
    channels: Die
    fates: Die
    offers: Die

    @classmethod
    def of(cls, scenario: Scenario, streams: Streams) -> "Notices":
        """Those of a run: in the minimal profile every app is open."""
        spec, quiet = scenario.platform.notifications, scenario.platform.profile == "minimal"
        return cls(
            1.0 if quiet else spec.websocket_share,
            1.0 if quiet else spec.driver_websocket_share,
            spec.push_latency_s,
            spec.push_loss_share,
            streams.die("notices.channel"),
            streams.die("notices.push"),
            streams.die("notices.offer"),
        )

    def offer_s(self, order: OrderId, driver: DriverId) -> tuple[bool, float | None]:
        """Whether an offer goes as a push, and the time until it shows, seconds; None: never."""
        if self.driver_websocket_share >= 1.0 or self.offers.uniform(order, driver) < self.driver_websocket_share:
            return False, 0.0
        return True, self.push_s(order, driver)

    def push_s(self, order: OrderId, driver: DriverId) -> float | None:
        """The time until an offer shows that goes as a push, seconds; None: never."""
        luck, haste = self.offers.pair(driver, order)
        return None if luck < self.push_loss_share else quantise(-self.push_latency_s * log(1.0 - haste))

    def told(self, orders: NDArray[Any], notice: Notice) -> Fates:
        """What befell the messages of one kind to the customers of some orders."""
        pushed = self.channels.uniforms(orders, notice) >= self.websocket_share
        luck, haste = self.fates.pairs(orders, notice)
        delay_s = np.where(pushed, -self.push_latency_s * np.log(1.0 - haste), 0.0)
        return Fates(pushed, pushed & (luck < self.push_loss_share), delay_s)
