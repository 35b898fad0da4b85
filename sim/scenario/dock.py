"""The scenario's receiving dock: who puts away what a truck brought, and when it is scanned."""

from typing import Literal

from sim.scenario.fields import JUDGEMENT, Branch, NonNegative, Positive, given


class Dock(Branch):
    """A receiving dock: goods stand there until somebody has put them away."""

    people: Positive = given(4, JUDGEMENT, "people at each store who put goods away, whenever a truck comes")
    per_line_s: NonNegative = given(
        25.0, "judgement: as long as a picker's walk to a shelf, and finding room there", "time for each line, seconds"
    )
    per_unit_s: NonNegative = given(2.0, JUDGEMENT, "time for each unit, seconds")
    lines: Positive = given(20, JUDGEMENT, "lines that somebody takes along on one round; on the shelves at its end")
    scan: Literal["shelf", "dock"] = given(
        "shelf", "put-away is confirmed at the shelf in most warehouse systems",
        "where the receipt is scanned: dock: the record sells what nobody can pick yet",
    )  # fmt: skip
