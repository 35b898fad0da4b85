"""How sure one may be of a figure: intervals, paired differences, sample sizes, warm-up, selection. Numbers in, numbers out."""

from sim.statistics.intervals import (
    LEVEL,
    Interval,
    bootstrap_interval,
    quantile_interval,
    share_interval,
    t_interval,
    wilson,
)
from sim.statistics.paired import Difference, holm, paired

__all__ = [
    "LEVEL",
    "Difference",
    "Interval",
    "bootstrap_interval",
    "holm",
    "paired",
    "quantile_interval",
    "share_interval",
    "t_interval",
    "wilson",
]
