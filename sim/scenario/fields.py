"""Building blocks of the scenario tree: strict number types, clock times, and a source for every default."""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

JUDGEMENT: Final = "judgement"

DAY_S: Final = 86_400.0
"""A day, seconds."""

# What is larger than these is a slip of somebody's pen, and would not fit into the log's columns.
Count = Annotated[int, Field(strict=True, ge=0, le=2_000_000_000)]
Positive = Annotated[int, Field(strict=True, gt=0, le=100_000_000)]
Real = Annotated[float, Field(strict=True)]
NonNegative = Annotated[float, Field(strict=True, ge=0, le=1e9)]
AboveZero = Annotated[float, Field(strict=True, gt=0, le=1e9)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Factor = Annotated[float, Field(strict=True, ge=0, le=1000)]
"""Multiplies demand."""
Spread = Annotated[float, Field(strict=True, ge=0, le=20)]
"""A coefficient of variation."""
Fee = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
"""Cents for one order, or from which on none is due: ten thousand dollars or euros at most."""

_CLOCK = re.compile(r"^(?:(\d{1,3})d )?([01]\d|2[0-4]):([0-5]\d)$")


def clock_s(text: str) -> float:
    """Turn ``HH:MM`` (or ``1d HH:MM``, a day later) into seconds after the midnight on which the first day began."""
    match = _CLOCK.match(text)
    if not match or (match[2] == "24" and match[3] != "00"):
        raise ValueError('a time "HH:MM" from 00:00 to 24:00, or "1d HH:MM" for the day after the first')
    return int(match[1] or 0) * DAY_S + int(match[2]) * 3600.0 + int(match[3]) * 60.0


def _check_clock(text: str) -> str:
    clock_s(text)
    return text


def window_s(text: str) -> tuple[float, float]:
    """Turn ``HH:MM-HH:MM`` into two times of day, seconds; an end before the start means past midnight."""
    parts = text.split("-")
    if len(parts) != 2:
        raise ValueError('opening hours "HH:MM-HH:MM"')
    start, end = clock_s(parts[0]), clock_s(parts[1])
    if "d" in parts[0] or end > 2 * DAY_S:
        raise ValueError('opening hours "HH:MM-HH:MM" of every day, the end at most a day later ("1d HH:MM")')
    return start, end if end > start else end + DAY_S


def off_s(hours: str, since_midnight_s: float) -> float:
    """Seconds until hours ``HH:MM-HH:MM``, kept every day, begin; 0 within them. `since_midnight_s`: of any day."""
    begin_s, end_s = window_s(hours)
    at_s = since_midnight_s % DAY_S
    if begin_s <= at_s < end_s or at_s + DAY_S < end_s:
        return 0.0
    return (begin_s - at_s) % DAY_S


def _check_window(text: str) -> str:
    window_s(text)
    return text


Clock = Annotated[str, Field(strict=True), AfterValidator(_check_clock)]
Window = Annotated[str, Field(strict=True), AfterValidator(_check_window)]


class Branch(BaseModel):
    """A node of the tree: frozen, and no key it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def given(default: Any, source: str, doc: str, **limits: Any) -> Any:
    """Declare a key with its default, where the default comes from, and what the key means."""
    extra: Any = {"source": source}
    if callable(default):
        return Field(default_factory=default, description=doc, json_schema_extra=extra, **limits)
    return Field(default=default, description=doc, json_schema_extra=extra, **limits)
