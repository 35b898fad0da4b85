"""Saga plan: hold the goods, tell the customer yes, charge afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.contracts import SagaView
from sim.vocabulary import Step

_PLAN = (Step.RESERVE, Step.CONFIRM, Step.PAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmFirst:
    """An optimistic answer: the store begins to pick while the provider is still being asked.

    Buys: the customer waits for our own services only, and picking does not wait for the provider. Costs: when the money
    does not come the confirmation is taken back (the fact `confirmation_revoked`) and picked goods go back on the shelf;
    a packed order waits for its charge before it may leave.
    """

    def __call__(self, view: SagaView) -> Sequence[Step]:
        return _PLAN
