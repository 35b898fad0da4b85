"""Picking: single orders, earliest promise first."""

from dataclasses import dataclass

from sim.contracts import PickingView


@dataclass(frozen=True, slots=True, kw_only=True)
class EarliestDue:
    """A free picker takes the order that was promised for the earliest time; ties to the one that has waited longest.

    With one picker and known times this order makes the largest lateness as small as it can be (Jackson 1955), so that
    orders from far away are started before those from next door.
    """

    def __call__(self, view: PickingView) -> int | None:
        waiting = view.waiting
        if not waiting:
            return None
        return min(range(len(waiting)), key=lambda place: waiting[place].promised_s)
