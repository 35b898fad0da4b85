"""Calendar days and opening hours of a run, in seconds since its start."""

from typing import NamedTuple, Self

from sim.scenario.fields import DAY_S, window_s
from sim.scenario.tree import Scenario


class Calendar(NamedTuple):
    """Which day it is, and how much of it stores are open; day 0 is that of the start."""

    midnight_s: float
    """The midnight before the start, seconds since the start."""
    first_weekday: int
    """Of day 0, Monday is 0."""
    opens_s: float
    closes_s: float
    """Opening hours, seconds after midnight; the end may lie on the next day."""

    @classmethod
    def of(cls, scenario: Scenario) -> Self:
        """The calendar of a scenario."""
        return cls(scenario.midnight_s, scenario.date(0).weekday(), *window_s(scenario.stores.open))

    def day(self, at_s: float) -> int:
        """The day that a time belongs to; a midnight to the day that it begins."""
        return int((at_s - self.midnight_s) // DAY_S)

    def begins_s(self, day: int) -> float:
        """The midnight at which a day begins."""
        return self.midnight_s + day * DAY_S

    def weekday(self, day: int) -> int:
        """Monday is 0."""
        return (self.first_weekday + day) % 7

    def open_s(self, from_s: float, to_s: float) -> float:
        """Seconds between two times at which stores are open."""
        total = 0.0
        for day in range(self.day(from_s) - 1, self.day(to_s) + 1):
            begins_s = self.begins_s(day)
            total += max(min(to_s, begins_s + self.closes_s) - max(from_s, begins_s + self.opens_s), 0.0)
        return total

    def open_share(self, day: int, from_s: float, to_s: float) -> float:
        """Share of a day's opening hours that lies between two times."""
        begins_s = self.begins_s(day)
        ends_s = begins_s + DAY_S
        from_s, to_s = max(from_s, begins_s), min(to_s, ends_s)
        return self.open_s(from_s, to_s) / self.open_s(begins_s, ends_s) if to_s > from_s else 0.0
