"""What is said of one figure of a summary."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["time", "latency", "share", "count", "signed", "rate", "money"]
"""How a figure is written: seconds as minutes, latencies in milliseconds, shares in per cent, cents as money."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of summary.json: what people call it, how it is written, and what it means."""

    label: str
    kind: Kind
    meaning: str
