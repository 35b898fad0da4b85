"""Fraud: everybody is trusted."""

from dataclasses import dataclass
from typing import ClassVar

from sim.contracts import FraudView, Ruling


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowAll:
    """Refuse nobody: what fraud costs without a screen, and the yardstick for what a screen costs honest customers."""

    trusting: ClassVar[bool] = True
    """Nothing is looked up for a policy that looks at nothing."""

    def __call__(self, view: FraudView) -> Ruling:
        return Ruling.ALLOW
