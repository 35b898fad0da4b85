"""What else a replay shows: orders from tap to door, pickers at work, and what went wrong."""

from typing import Any

import numpy as np

from sim.faults import occasions
from sim.metrics.tables import spans
from sim.reading.run import FinishedRun
from sim.reading.stages import courses
from sim.report.replay.packing import NOT_KNOWN, Pack, ticks
from sim.scenario import Scenario
from sim.scenario.faults import Fault
from sim.streams import Streams
from sim.vocabulary import Alert, CancelReason, FaultKind, OrderState

TIMES = (
    "entered_s", "promised_s", "confirmed_s", "pick_start_s", "packed_s", "accepted_s", "at_store_s", "picked_up_s",
    "delivered_s",
)  # fmt: skip
_NUMBERS = ("store", "driver", "node", "lines", "units", "value_cents")

STATES = [state.name.lower() for state in OrderState]
REASON_NAMES = [reason.name.lower() for reason in CancelReason]


def pack_orders(run: FinishedRun, pack: Pack) -> None:
    """Put orders into a pack, in the order in which they entered."""
    columns = run.columns("orders", "order", "state", "cancel_reason", *_NUMBERS, *TIMES)
    ended = {course.order: course.end_s for course in courses(run)}
    order = sorted(range(len(columns["order"])), key=lambda i: (columns["entered_s"][i], columns["order"][i]))
    column = {name: [values[i] for i in order] for name, values in columns.items()}
    pack.add("order.id", column["order"])
    for name in _NUMBERS:
        pack.add(f"order.{name}", [NOT_KNOWN if value is None else value for value in column[name]])
    pack.add("order.state", [STATES.index(state) for state in column["state"]])
    pack.add(
        "order.reason", [NOT_KNOWN if name is None else REASON_NAMES.index(name) for name in column["cancel_reason"]]
    )
    for name in TIMES:
        times = ticks([np.nan if value is None else value for value in column[name]])
        pack.add(f"order.{name}", times, ascending=name == "entered_s")
    pack.add("order.end_s", ticks([ended[number] for number in column["order"]]))


def pack_pickers(run: FinishedRun, pack: Pack) -> None:
    """Put pickers' shifts into a pack: store, from, to."""
    rows = run.archive.rows("picker_on")
    _, on_s, off_s = spans(rows, run.archive.rows("picker_off"), "picker", run.close_s)
    store = rows["store"][np.lexsort((rows["t_s"], rows["picker"]))]
    pack.add("picker.store", store)
    pack.add("picker.on_s", ticks(on_s))
    pack.add("picker.off_s", ticks(off_s))


def troubles(run: FinishedRun, scenario: Scenario) -> list[dict[str, Any]]:
    """Faults as they struck and alerts as they were raised, by time: what, of what, from when to when (seconds)."""
    found = [
        {
            "what": FaultKind(kind).name.lower().replace("_", " "),
            "of": detail,
            "from_s": round(t_s, 2),
            "to_s": round(min(until_s, run.close_s), 2),
            "fault": True,
        }
        for (t_s, kind, until_s), detail in zip(*_struck(run, scenario), strict=True)
    ]
    raised = run.archive.rows("alert_raised", ("t_s", "alert"))
    cleared = run.archive.rows("alert_cleared", ("t_s", "alert"))
    for alert, on_s, off_s in zip(
        *(column.tolist() for column in spans(raised, cleared, "alert", run.close_s)), strict=True
    ):
        what = Alert(alert).name.lower().replace("_", " ")
        found.append({"what": what, "of": "", "from_s": round(on_s, 2), "to_s": round(off_s, 2), "fault": False})
    return sorted(found, key=lambda trouble: (trouble["from_s"], not trouble["fault"], trouble["what"]))


def _struck(run: FinishedRun, scenario: Scenario) -> tuple[list[Any], list[str]]:
    """The faults of the log, and of each what the scenario says of it, where the two can be held together."""
    rows = run.archive.rows("fault_began", ("t_s", "fault", "until_s")).tolist()
    if not rows:
        return [], []
    asked = [fault for _, fault in occasions(scenario, Streams(run.seed))]
    same = len(asked) == len(rows) and all(
        FaultKind[fault.kind.upper()] == row[1] for fault, row in zip(asked, rows, strict=True)
    )
    return rows, [_detail(run, fault) for fault in asked] if same else [""] * len(rows)


def _detail(run: FinishedRun, fault: Fault) -> str:
    said = list[str]()
    if fault.service is not None:
        said.append(fault.service)
    if fault.kind == "zone_outage":
        said.append(f"zone {fault.zone}")
    if fault.kind == "database_crash" and fault.region is not None:
        said.append(f"region {fault.region}")
    if fault.kind in ("corrupted_records", "store_partition", "scanner_failure"):
        said.append("all stores" if fault.store is None else run.stores[fault.store].name)
    if fault.kind in ("bus_slowdown", "service_slowdown", "replica_lag", "scanner_failure"):
        said.append(f"{fault.factor:g} times slower")
    if fault.kind in ("corrupted_records", "app_connection_loss", "exhausted_pool") and fault.share < 1.0:
        said.append(f"{100.0 * fault.share:g} % of them")
    return ", ".join(said)
