"""Picking: released by when the driver is expected."""

from dataclasses import dataclass

from sim.contracts import PickingView


@dataclass(frozen=True, slots=True, kw_only=True)
class WithDriver:
    """An order is picked late enough that it does not wait for its driver, and early enough that the driver does not.

    A driver is called as soon as the order is confirmed, not when somebody begins to pick it, and comes while others are
    picked. The order is begun when its driver is expected in what it takes to pick it plus `slack_s`; without a driver after
    `hold_s` seconds at the latest. So ice cream does not stand at the counter: it buys a shorter stay there with a slightly
    later delivery. `fifo` calls the driver when picking begins, and lets one of the two wait. `every_s`: how often what is
    held back is looked at. The defaults are judgements.
    """

    slack_s: float = 30.0
    hold_s: float = 120.0
    every_s: float = 10.0
    calls_driver_ahead = True

    def __post_init__(self) -> None:
        if not (self.slack_s >= 0 and self.hold_s >= 0):
            raise ValueError(f"Expected slack_s and hold_s >= 0, got {self.slack_s} and {self.hold_s}.")
        if not self.every_s >= 1:
            raise ValueError(f"Expected every_s >= 1, got {self.every_s}.")

    def __call__(self, view: PickingView) -> int | None:
        first, begin_s = None, view.now_s
        for place, task in enumerate(view.waiting):
            due_s, latest_s = view.driver_s(task), task.confirmed_s + self.hold_s
            at_s = latest_s if due_s is None else due_s - view.pick_s(task) - self.slack_s
            if at_s <= begin_s and (first is None or at_s < begin_s):
                first, begin_s = place, at_s
        return first
