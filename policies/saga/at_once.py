"""Saga plan: hold the goods and charge at the same time, then confirm."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.contracts import SagaView
from sim.vocabulary import Step

_PLAN = (Step.RESERVE_AND_PAY, Step.CONFIRM)


@dataclass(frozen=True, slots=True, kw_only=True)
class AtOnce:
    """Both services hear of the new order and begin at once, neither waiting for the other.

    Buys: checkout takes as long as the slower of the two. Costs: each half may have to be undone because of the other:
    goods held for a card that is declined, money taken for goods that are gone.
    """

    def __call__(self, view: SagaView) -> Sequence[Step]:
        return _PLAN
