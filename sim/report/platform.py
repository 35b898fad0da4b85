"""The platform's part of a report: how its services fared, what each endpoint took, and what went wrong."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from numpy.typing import NDArray

from sim.report.explain import metric_of, words
from sim.report.words import DASH, at, centre, figure_text, local_time, number

Columns = dict[str, NDArray[Any]]

ENDPOINTS: Final = {
    "catalogue": "GET inventory", "place_order": "POST orders", "order_status": "GET order status",
    "drivers_nearby": "GET drivers nearby", "home": "home screen", "reserve": "internal reserve",
}  # fmt: skip

TROUBLES: Final = (
    "platform.breakers.openings", "platform.breakers.open_s", "platform.payments.double_charges",
    "platform.payments.differing", "platform.confirmations_revoked", "platform.orders_doubled",
    "platform.bus.picked_twice", "platform.bus.dead",
    "platform.bus.lost",
    "platform.writes_fenced", "platform.stale_orders.orders", "platform.stale_orders.age_p50_s",
    "platform.screens.checkout_short", "platform.screens.home_parts_dropped", "platform.attacks.asked",
    "platform.attacks.refused", "platform.fraud.false_positives", "platform.fraud.false_negatives",
    "tracking.taken_back", "notifications.drivers.lost", "drivers.proposals_refused",
)  # fmt: skip
"""Figures that are nothing on a quiet day."""

ALREADY_ON: Final = "alert already on"


def simulated(summary: Mapping[str, Any]) -> bool:
    """Whether the run had a platform under load (the minimal profile has none)."""
    return centre(at(summary, "platform.user.availability")) is not None


def endpoint_rows(summary: Mapping[str, Any]) -> list[tuple[str, str, str, str, str]]:
    """Of each endpoint: its name, requests a second, median, p99, availability; in words."""
    rows = []
    for key, name in ENDPOINTS.items():
        path = f"platform.endpoints.{key}"
        per_s = centre(at(summary, f"{path}.per_s"))
        rows.append(
            (
                name,
                DASH if per_s is None else number(per_s, 2 if per_s < 10.0 else 0),
                figure_text(at(summary, f"{path}.p50_s"), "latency"),
                figure_text(at(summary, f"{path}.p99_s"), "latency"),
                figure_text(at(summary, f"{path}.availability"), "share", digits=2),
            )
        )
    return rows


def fault_rows(
    summary: Mapping[str, Any], start: datetime | None = None, stores: Sequence[str] = ()
) -> list[tuple[str, str, str, str, str]]:
    """Of each fault: what broke, when, after how long it was noticed and everything well again, orders lost; in words.

    `stores`: their names, where they are known.
    """
    rows = []
    for fault in at(summary, "platform.faults") or ():
        began_s, ended_s = centre(fault["began_s"]), centre(fault["ended_s"])
        if began_s is None:
            continue
        begin = _clock(start, began_s)
        when = begin if ended_s is None else f"{begin} to {_clock(start, ended_s)}"
        noticed = "no alert"
        if centre(fault["detected_after_s"]) is not None:
            by = f" ({words(fault['detected_by'])})" if fault["detected_by"] else ""
            # Over replications: in most of them.
            known = (centre(fault.get("already_on")) or 0.0) > 0.5
            noticed = (ALREADY_ON if known else figure_text(fault["detected_after_s"], "time")) + by
        well = figure_text(fault["recovered_after_s"], "time")
        store = centre(fault.get("store"))
        what = words(fault["kind"])
        if store is not None:
            what += f", {stores[int(store)] if stores else f'store {int(store) + 1}'}"
        rows.append((what, when, noticed, well, figure_text(fault["orders_lost"], "count")))
    return rows


def all_faults_row(summary: Mapping[str, Any]) -> tuple[str, str, str, str, str] | None:
    """All faults in a row as of `fault_rows`: how many, how many noticed, mean times, orders lost; None: of one or none."""
    whole = at(summary, "platform.fault_totals") or {}
    count = centre(whole.get("faults"))
    if count is None or count < 2:
        return None
    noticed = f"{figure_text(whole['noticed'], 'count')} noticed"
    if centre(whole["detected_after_s"]) is not None:
        noticed += f", after {figure_text(whole['detected_after_s'], 'time')} in the mean"
    well = figure_text(whole["recovered_after_s"], "time")
    return (
        f"all {figure_text(whole['faults'], 'count')} faults", "", noticed, well, figure_text(whole["orders_lost"], "count"),
    )  # fmt: skip


def trouble_rows(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What did not stay at nothing, in words: label and figure."""
    return [
        (metric_of(path).label, figure_text(at(summary, path), metric_of(path).kind))
        for path in TROUBLES
        if centre(at(summary, path))
    ]


def trouble_lines(summary: Mapping[str, Any], start: datetime | None = None, stores: Sequence[str] = ()) -> list[str]:
    """What went wrong, a line each, for a terminal; nothing for a quiet day. Times as in `fault_rows`."""
    lines = []
    for kind, when, noticed, well, lost in fault_rows(summary, start, stores):
        told = noticed if noticed.startswith(("no alert", ALREADY_ON)) else f"noticed after {noticed}"
        told += "" if well == DASH else f", well after {well}"
        lines.append(f"{kind}, {when}: {told}; {lost} {'order' if lost == '1' else 'orders'} lost in that time")
    together = all_faults_row(summary)
    if together is not None:
        what, _, noticed, well, lost = together
        lines.append(f"{what}: {noticed}{'' if well == DASH else f', well after {well}'}; {lost} orders lost in them")
    figures = [f"{label} {value}" for label, value in trouble_rows(summary)]
    return [*lines, *([", ".join(figures)] if figures else [])]


def _clock(start: datetime | None, t_s: float) -> str:
    if start is not None:
        when = local_time(start, t_s)
        return f"{when:%H:%M}" if when.date() == start.date() else f"{when:%-d %b %H:%M}"
    return f"{int(t_s) // 3600}:{int(t_s) % 3600 // 60:02d} h"
