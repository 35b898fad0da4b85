"""Why drivers accept or decline: the way, the bonus, how long they have been at it, whose store, how long without work."""

from math import exp, inf, log

from sim.operations.drivers import Driver
from sim.ports import OfferMessage
from sim.scenario.drivers import Choice
from sim.vocabulary import NodeId
from sim.world.travel import Travel

IDLE_MOST_MINUTES = 30.0
"""Time without work beyond which nobody becomes any keener, minutes (judgement)."""


class Choosing:
    """The chance that a driver accepts an offer, by a logit of what speaks for it and against.

    Parameters
    ----------
    accept_share
        The chance at a usual offer: near the own store, no bonus, fresh, after a usual time without work. 0 and 1 hold always.
    """

    def __init__(self, travel: Travel, terms: Choice, accept_share: float) -> None:
        self._travel, self._terms = travel, terms
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
        return 1.0 / (1.0 + exp(-odds)) if odds > -700.0 else 0.0
