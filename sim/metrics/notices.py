"""Notifications: how customers and drivers were told of what happened, and what never reached them.

Customers' messages were no events of the run: each is worked out here from the order's transitions and the same hashes
that any reader would use (`sim.world.notices`).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.metrics.tables import down_times
from sim.recording import Archive
from sim.scenario import Scenario
from sim.streams import Streams
from sim.vocabulary import FaultKind, OrderState, Svc
from sim.world.notices import Notice, Notices

_TOLD = {
    OrderState.CONFIRMED: Notice.CONFIRMED,
    OrderState.PICKED_UP: Notice.OUT_FOR_DELIVERY,
    OrderState.DELIVERED: Notice.DELIVERED,
    OrderState.CANCELLED: Notice.CANCELLED,
}


def notifications(archive: Archive, scenario: Scenario, streams: Streams) -> dict[str, Any]:
    """The object `notifications` of the summary: messages sent from the warm-up on.

    To customers: their order was confirmed, is on its way, was delivered or cancelled, will come later than told. To drivers:
    offers. `lost` never showed, `late_share` of those that did took longer than the scenario's limit. What happens while the
    notification service does not answer, or the bus gives nothing out, customers are told when it does again.
    """
    notices, warm_s = Notices.of(scenario, streams), scenario.warmup_h * 3600.0
    late_s, moved = scenario.platform.notifications.late_s, archive.rows("order_moved")
    outages, down = _outages(archive), down_times(archive, Svc.NOTIFICATIONS)
    sent = pushed = lost = late = 0
    by_notice = {notice.name.lower(): 0 for notice in Notice}
    messages = [(notice, moved[moved["state"] == state]) for state, notice in _TOLD.items()]
    messages.append((Notice.LATER, archive.rows("driver_stalled")))
    for notice, rows in messages:
        rows = rows[rows["t_s"] >= warm_s]
        fates = notices.told(rows["order"].astype(np.int64), notice)
        sent_s = _kept(_blocked(rows, archive.rows("partition_blocked"), scenario.platform.bus.partitions), down)
        gone = fates.lost | (fates.pushed & _during(sent_s, outages)) | np.isinf(sent_s)
        sent += len(rows)
        pushed += int(fates.pushed.sum())
        lost += int(gone.sum())
        late += int((~gone & (sent_s - rows["t_s"] + fates.delay_s > late_s)).sum())
        by_notice[notice.name.lower()] = len(rows)
    offers, pushes = (rows[rows["t_s"] >= warm_s] for rows in map(archive.rows, ("offer_made", "offer_pushed")))
    shown = pushes["shown"]
    return {
        "customers": {**_counts(sent, pushed, lost, late), "by_notice": by_notice},
        "drivers": _counts(
            len(offers), len(pushes), int((~shown).sum()), int((shown & (pushes["delay_s"] > late_s)).sum())
        ),
    }


def _counts(sent: int, pushed: int, lost: int, late: int) -> dict[str, Any]:
    shown = sent - lost
    return {
        "sent": sent,
        "websocket": sent - pushed,
        "push": pushed,
        "lost": lost,
        "lost_share": lost / sent if sent else None,
        "late_share": late / shown if shown else None,
    }


def _outages(archive: Archive) -> list[tuple[float, float]]:
    """When the provider of pushes was out of order, (from, to), seconds; outages may overlap."""
    began = archive.rows("fault_began")
    began = began[began["fault"] == FaultKind.PUSH_OUTAGE]
    return list(zip(began["t_s"].tolist(), began["until_s"].tolist(), strict=True))


def _blocked(rows: Any, blocks: Any, partitions: int) -> NDArray[np.float64]:
    """When the notification service hears of changes of orders, each in the partition of its order's number."""
    heard_s = rows["t_s"].copy()
    for block in blocks:
        mine = (block["partition"] < 0) | (rows["order"] % partitions == block["partition"])
        held = mine & (heard_s >= block["t_s"]) & (heard_s < block["until_s"])
        heard_s[held] = block["until_s"]
    return np.asarray(heard_s, dtype=np.float64)


def _kept(times_s: NDArray[np.float64], down: list[tuple[float, float]]) -> NDArray[np.float64]:
    """When messages go out of what happened at some times, with nobody to send them for some stretches."""
    sent_s = times_s.copy()
    for since_s, until_s in down:
        sent_s[(times_s >= since_s) & (times_s < until_s)] = until_s
    return sent_s


def _during(times_s: NDArray[np.float64], stretches: list[tuple[float, float]]) -> NDArray[np.bool_]:
    found = np.zeros(len(times_s), dtype=bool)
    for since_s, until_s in stretches:
        found |= (times_s >= since_s) & (times_s < until_s)
    return found
