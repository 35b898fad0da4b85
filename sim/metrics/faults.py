"""What each fault did, from the log alone: when somebody knew of it, when all was well again, and what it cost."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sim.recording import Archive
from sim.vocabulary import NOBODY, Alert, CancelReason, FaultKind, OrderState, Rejection

BEAT_S = 15.0
"""Seconds between two samples."""

GRACE_S = 300.0
"""An alert raised so long after a fault's end may still be because of it, seconds (judgement: work piled up)."""

AT_THE_DOOR = (CancelReason.UNDELIVERABLE, CancelReason.AGE_CHECK, CancelReason.ACCIDENT)
"""Why an order ends that nobody took at its customer's door."""

OUR_FAULT = tuple(
    reason for reason in Rejection if reason not in (Rejection.OUT_OF_ZONE, Rejection.CLOSED, Rejection.REPEATED)
)
"""Rejections that a fault may have caused."""


def faults(archive: Archive) -> list[dict[str, Any]]:
    """What broke, when somebody knew, when the figures were well again, and the orders lost until then.

    A fault is detected by the first alert raised from its beginning until `GRACE_S` after its end. An alert that is on
    cannot be raised again: when none was raised, one that was on before, at the first look after the beginning, and until
    the end counts as detection after 0 s, since people were looking all the time, and `already_on` says so. It never goes
    before one that was raised, which alone is news: else an alert that is always on would find every fault at once.

    The fault is recovered from when every alert that was raised in that time (or the one already on) has been cleared; those
    raised after a later fault has begun are put down to that one, but for the one that detected this.
    Both are in seconds since it began, None when that never came. Orders lost are those turned away by the platform,
    cancelled, or not paid, from the beginning until end and recovery; not those that nobody took at the customer's door, which
    no fault brings about. Where faults overlap, each is lost to the one that began last. Units short are those sold in that
    time and not found when they were picked: of a store cut off from its records, what it sold of nothing.
    """
    began, ended = archive.rows("fault_began"), archive.rows("fault_ended")
    alerts = _alert_spans(archive)
    rejected = archive.rows("order_rejected", ["t_s", "reject"])
    moved, why = (
        archive.rows("order_moved", ["t_s", "order", "state"]),
        archive.rows("order_cancelled", ["order", "reason"]),
    )
    moved = moved[~np.isin(moved["order"], why["order"][np.isin(why["reason"], AT_THE_DOOR)])]
    lost_s = np.concatenate(
        [
            rejected["t_s"][np.isin(rejected["reject"], OUR_FAULT)],
            moved["t_s"][np.isin(moved["state"], (OrderState.CANCELLED, OrderState.PAYMENT_FAILED))],
        ]
    )
    entered, short = archive.rows("order_entered", ["t_s", "order"]), _sold_short(archive)
    found: list[dict[str, Any]] = []
    lost_to, begins = np.full(len(lost_s), -1), began["t_s"].tolist()
    for number, (at_s, kind, until_s, store) in enumerate(
        zip(*(began[name].tolist() for name in ("t_s", "fault", "until_s", "store")), strict=True)
    ):
        same = (ended["fault"] == kind) & (ended["store"] == store)
        ends = ended["t_s"][same & (ended["t_s"] >= until_s - 1e-6)]
        ended_s = float(ends[0]) if len(ends) else None
        over_s = np.inf if ended_s is None else ended_s
        mine = [span for span in alerts if at_s <= span[0] <= over_s + GRACE_S]
        already_on = []
        if not mine:
            mine = already_on = [
                span for span in alerts if span[0] < at_s and span[1] > at_s + BEAT_S and span[1] >= over_s
            ]
        later_s = min((other_s for other_s in begins if other_s > at_s), default=np.inf)
        well_s = max((span[1] for span in mine if span is mine[0] or span[0] < later_s), default=np.inf)
        recovered = well_s < np.inf
        to_s = max(over_s, well_s if recovered else 0.0)
        lost_to[(lost_s >= at_s) & (lost_s <= to_s)] = number  # the last that began
        sold = entered["order"][(entered["t_s"] >= at_s) & (entered["t_s"] <= over_s)]
        found.append(
            {
                "kind": FaultKind(kind).name.lower(),
                "store": None if store == NOBODY else store,
                "began_s": at_s,
                "ended_s": ended_s,
                "detected_after_s": max(mine[0][0] - at_s, 0.0) if mine else None,
                "detected_by": mine[0][2].name.lower() if mine else None,
                "already_on": bool(already_on),
                "recovered_after_s": well_s - at_s if recovered else None,
                "units_short": int(short["units"][np.isin(short["order"], sold)].sum()),
            }
        )
    for number, fault in enumerate(found):
        fault["orders_lost"] = int((lost_to == number).sum())
    return found


def fault_totals(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of all of a run's `faults` together: how many, how many noticed, mean times of those that were, sums of what they cost.

    Figures that days and variants can be compared by, which a list of faults at their times cannot.
    """
    sums = {key: sum(fault[key] for fault in found) for key in ("orders_lost", "units_short")}
    times = {key: [fault[key] for fault in found if fault[key] is not None] for key in _TIMES}
    return {
        "faults": len(found),
        "noticed": len(times["detected_after_s"]),
        **{key: sum(known) / len(known) if known else None for key, known in times.items()},
        **sums,
    }


_TIMES = ("detected_after_s", "recovered_after_s")


def _sold_short(archive: Archive) -> Any:
    """Order and units of what a picker did not find: of a hold, or of what was sold without looking at the records."""
    begun, missing = (
        archive.rows("pick_started", ["t_s", "order"]),
        archive.rows("line_missing", ["t_s", "order", "units"]),
    )
    size = 1 + max(int(rows["order"].max(initial=-1)) for rows in (begun, missing))
    begun_s = np.full(size, np.inf)
    np.minimum.at(begun_s, begun["order"], begun["t_s"])
    later = missing[missing["t_s"] >= begun_s[missing["order"]]]  # before, the records denied it
    parts = [rows[["order", "units"]].astype(_SHORT) for rows in (archive.rows("hold_reduced"), later)]
    return np.concatenate(parts)


_SHORT = np.dtype([("order", "i8"), ("units", "i8")])


def _alert_spans(archive: Archive) -> list[tuple[float, float, Alert]]:
    """When each alert was raised, when cleared (infinity: never), and which; in the order of raising."""
    raised, cleared = archive.rows("alert_raised"), archive.rows("alert_cleared")
    spans = []
    for at_s, alert in zip(raised["t_s"].tolist(), raised["alert"].tolist(), strict=True):
        after = cleared["t_s"][(cleared["alert"] == alert) & (cleared["t_s"] > at_s)]
        spans.append((at_s, float(after[0]) if len(after) else np.inf, Alert(alert)))
    return spans
