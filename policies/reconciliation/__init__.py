"""Policies of the family `reconciliation`; see `sim.contracts` for what they see and decide."""

import re
from dataclasses import dataclass

from sim.contracts import ShortPick


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What policies share that have shelves counted by plan; `stores.counting` says by whom, and how many at a time.

    `count_at`: when, every day, "HH:MM". `on_short_pick`: whether pickers also count what they do not find.
    """

    count_at: str = "00:30"
    on_short_pick: bool = True

    def __post_init__(self) -> None:
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", self.count_at):
            raise ValueError(f"Expected count_at as a time of day HH:MM, got {self.count_at!r}.")

    def __call__(self, view: ShortPick) -> bool:
        return self.on_short_pick
