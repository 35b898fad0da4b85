"""Saga plan: hold the goods, then charge, then confirm."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.contracts import SagaView
from sim.vocabulary import Step

_PLAN = (Step.RESERVE, Step.PAY, Step.CONFIRM)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveThenPay:
    """Reserve stock first, so that nobody is charged for what is gone; a declined payment releases the hold.

    Buys: money moves only for goods that are held. Costs: the hold lasts as long as the provider takes, and a customer who
    cannot pay keeps the goods from others meanwhile.
    """

    def __call__(self, view: SagaView) -> Sequence[Step]:
        return _PLAN
