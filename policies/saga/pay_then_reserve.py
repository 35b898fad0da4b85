"""Saga plan: charge first, then hold the goods, then confirm."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.contracts import SagaView
from sim.vocabulary import Step

_PLAN = (Step.PAY, Step.RESERVE, Step.CONFIRM)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayThenReserve:
    """Charge the whole basket, and only then take goods out of others' reach.

    Buys: nobody holds stock who cannot pay, and a hold lasts milliseconds rather than a provider's latency. Costs: what
    the records then deny has been paid for, and is given back.
    """

    def __call__(self, view: SagaView) -> Sequence[Step]:
        return _PLAN
