"""What one long run says of its own exactness: means with intervals by batches of whole days."""

from typing import Any

import numpy as np

from sim.metrics.tables import Columns
from sim.scenario import Scenario
from sim.scenario.fields import DAY_S
from sim.statistics.warmup import of_batches

LEAST, MOST = 10, 30
"""Batches of a run (Schmeiser 1982: ten to thirty); a batch is of whole days, so that every one has all hours."""


def long_run(orders: Columns, scenario: Scenario) -> dict[str, Any]:
    """Mean click-to-door and share on time of the days after the warm-up, with 95 % intervals by batch means.

    Only of a run of ten days or more; of a shorter one the same keys hold nothing, and replications are what says how sure it
    is.
    """
    days = int((scenario.horizon_h - scenario.warmup_h) * 3600.0 // DAY_S)
    first_s = scenario.horizon_s - days * DAY_S
    found: dict[str, Any] = {"batches": 0, "days_each": 0, "click_to_door_s": None, "on_time": None}
    if days < LEAST or not len(orders["order"]):
        return found
    each = -(-days // MOST)
    batches = days // each
    first_s += (days - batches * each) * DAY_S
    confirmed = ~np.isnan(orders["confirmed_s"]) & (orders["entered_s"] >= first_s)
    day = ((orders["entered_s"] - first_s) // DAY_S).astype(np.int64).clip(0)
    took = orders["delivered_s"] - orders["entered_s"]
    done = confirmed & ~np.isnan(took)
    on_time = done & (orders["delivered_s"] <= orders["promised_s"])
    found |= {"batches": batches, "days_each": each}
    for name, part, whole in (
        ("click_to_door_s", np.bincount(day[done], took[done], minlength=days), np.bincount(day[done], minlength=days)),
        ("on_time", np.bincount(day[on_time], minlength=days), np.bincount(day[confirmed], minlength=days)),
    ):
        parts, wholes = (column[: batches * each].reshape(batches, each).sum(axis=1) for column in (part, whole))
        if not wholes.all():
            continue
        result = of_batches((parts / wholes).tolist(), each)
        found[name] = {**result.found._asdict(), "correlated": result.correlated}
    return found
