"""Why drivers accept or decline: the way, the pay, how long they have been at it, whose store, how long without work."""

from collections.abc import Callable
from math import exp, inf, log

from sim.operations.drivers import Driver
from sim.operations.takings import way_cents
from sim.ports import OfferMessage
from sim.scenario.drivers import Choice, Pay
from sim.vocabulary import NodeId
from sim.world.travel import Travel

IDLE_MOST_MINUTES = 30.0
"""Time without work beyond which nobody becomes any keener, minutes (judgement)."""


class Choosing:
    """The chance that a driver accepts an offer, by a logit of what speaks for it and against.

    Parameters
    ----------
    accept_share
        The chance at a usual offer: near the own store, usual pay, fresh, after a usual time without work. 0 and 1 hold always.
    pay, metres
        What orders pay; straight-line distance between two nodes.
    """

    def __init__(
        self, travel: Travel, terms: Choice, accept_share: float, pay: Pay, metres: Callable[[int, int], float]
    ) -> None:
        self._travel, self._terms, self._pay, self._metres = travel, terms, pay, metres
        usual_cents = terms.pay_cents
        if usual_cents is None:
            usual_cents = pay.order_cents + way_cents(pay, 1000.0 * terms.way_km)
        self._usual_cents = usual_cents
        self._same_pay = not pay.km_cents and usual_cents == pay.order_cents
        self._odds = (
            -inf if not accept_share else inf if accept_share == 1.0 else log(accept_share / (1 - accept_share))
        )

    def chance(self, driver: Driver, node: NodeId, offer: OfferMessage, now_s: float) -> float:
        """The chance that a driver at a node accepts."""
        terms, travel = self._terms, self._travel
        ride_ms = travel.to_store[travel.period_at(now_s)][driver.profile][offer.store][node]
        odds = self._odds - terms.per_ride_minute * (ride_ms / 60_000.0 - terms.ride_minutes)
        odds -= terms.per_tired_hour * max((now_s - driver.on_since_s) / 3600.0 - terms.fresh_hours, 0.0)
        if offer.store != driver.home:
            odds -= terms.away
        idle_minutes = min((now_s - driver.free_since_s) / 60.0, IDLE_MOST_MINUTES)
        odds += terms.per_idle_minute * (idle_minutes - terms.idle_minutes)
        odds += terms.per_bonus_dollar * offer.bonus_cents / 100.0
        if not self._same_pay:
            odds += terms.per_pay_dollar * (self._pays_cents(offer) - self._usual_cents) / 100.0
        return 1.0 / (1.0 + exp(-odds)) if odds > -700.0 else 0.0

    def _pays_cents(self, offer: OfferMessage) -> float:
        """What an order of an offer pays without its bonus, in the mean over a tour, cents."""
        pay, store = self._pay, self._travel.store_nodes[offer.store]
        nodes = [offer.node, *(node for _, node in offer.along)]
        return pay.order_cents + sum(way_cents(pay, self._metres(store, node)) for node in nodes) / len(nodes)
