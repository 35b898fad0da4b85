"""The support desk: who wrote and why, how long answers took, and what staff gave back."""

from typing import Any

import numpy as np

from sim.metrics.benches import window_open_s
from sim.metrics.floor import spread
from sim.metrics.tables import Columns
from sim.recording import Archive
from sim.scenario import Scenario
from sim.vocabulary import Contact, OrderState, Role


def support(archive: Archive, scenario: Scenario, orders: Columns) -> dict[str, Any]:
    """The object `support` of the summary: letters about orders that count.

    `wait_s` is from the letter's coming until an agent takes it up, of those that were answered; `open` were not when the run
    ended. `refunds` and `refund_cents` are what staff gave back by their own decision, `by_lead` how many of these an agent
    could not give alone. `utilisation`: of the agents, in the desk's hours from the warm-up to the horizon.
    """
    made, answered = archive.rows("contact_made"), archive.rows("contact_answered")
    made, done = (rows[np.isin(rows["order"], orders["order"])] for rows in (made, answered))
    given = done[done["cents"] > 0]
    delivered = int((orders["state"] == OrderState.DELIVERED).sum())
    return {
        "contacts": len(made),
        "per_1000": 1000.0 * len(made) / delivered if delivered else None,
        "by_cause": {contact.name.lower(): int((made["contact"] == contact).sum()) for contact in Contact},
        "answered": len(done),
        "open": len(made) - len(done),
        "wait_s": spread(done["waited_s"]),
        "refunds": len(given),
        "refund_cents": int(given["cents"].sum()),
        "by_lead": int((given["role"] == Role.ADMIN).sum()),
        "utilisation": _utilisation(archive, scenario),
    }


def support_h(scenario: Scenario) -> float:
    """Hours that agents are at their desk, from the warm-up to the horizon: none where there are no orders to write about."""
    agents = 0 if scenario.mode == "goods_only" else scenario.support.agents
    return agents * window_open_s(scenario, scenario.support.hours) / 3600.0


def _utilisation(archive: Archive, scenario: Scenario) -> float | None:
    there_s = 3600.0 * support_h(scenario)
    if not there_s:
        return None
    made, answered = archive.rows("contact_made"), archive.rows("contact_answered")
    # The letters that are answered came in another order: each is of an order of its own.
    place = np.argsort(made["order"])
    since = made["t_s"][place][np.searchsorted(made["order"], answered["order"], sorter=place)]
    begin, end = since + answered["waited_s"], answered["t_s"]
    busy_s = np.minimum(end, scenario.horizon_s) - np.maximum(begin, scenario.warmup_h * 3600.0)
    return float(np.maximum(busy_s, 0.0).sum()) / there_s
