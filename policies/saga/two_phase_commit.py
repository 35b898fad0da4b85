"""Saga plan, for contrast: two-phase commit between the stock records and the payment provider."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.contracts import SagaView
from sim.vocabulary import Step

_PLAN = (Step.PREPARE, Step.COMMIT, Step.CONFIRM)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPhaseCommit:
    """All vote (records locked and held, money authorised), then all commit.

    Buys: nothing is ever taken and given back; there is no moment at which only one side has happened. Costs: the order's
    records stay locked for everybody until the last vote, which is the provider's; when the provider is slow or the
    coordinator is gone, so is everybody who wants the same goods.
    """

    def __call__(self, view: SagaView) -> Sequence[Step]:
        return _PLAN
