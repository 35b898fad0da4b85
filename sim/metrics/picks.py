"""What pickers' time with orders went into, and what became of the counts that were planned."""

from typing import Any, Final

import numpy as np

from sim.metrics.tables import spans, tours
from sim.recording import Archive
from sim.scenario import Scenario
from sim.vocabulary import PickStage

STAGES: Final = (
    "setup", "walking", "zones", "handling", "congestion", "looking", "packing", "waiting", "counting",
)  # fmt: skip
"""Stages of picking, in the order in which they come about; together they are all that pickers did with orders in hand."""


def pick_stages(archive: Archive, scenario: Scenario) -> dict[str, float | None]:
    """Mean seconds of pickers for each order, by stage, over the tours begun after the warm-up that are over.

    The stages add up to the time from the begin to the end of every tour, for each order on one. Walking, zones and
    congestion are as logged with the end of a pick; what was spent on something else has facts of its own; set-up is
    `pickers.base_s` at the picker's pace, of which `pickers.pack_share` is packing where no station packs; handling (search,
    grasp and scan of what is there) is all the rest. None without a tour.
    """
    begun, ended, spent = (archive.rows(kind) for kind in ("pick_started", "pick_ended", "stage_spent"))
    _, on_s, off_s = spans(tours(begun), tours(ended), "picker", np.nan)
    over = ~np.isnan(off_s)
    on_s, off_s = on_s[over], off_s[over]
    # Tours by picker and end are numbered as they lie in `spans`: what is put down at one moment is one tour.
    tour = np.unique(ended[["picker", "t_s"]], return_inverse=True)[1]
    counts_in = on_s >= scenario.warmup_h * 3600.0
    mine = counts_in[tour]
    orders = len(np.unique(ended["order"][mine]))
    if not orders:
        return dict.fromkeys(STAGES)
    rest = _of_tours(archive, spent, ended, mine)
    bench_s = scenario.pickers.base_s * float(ended["pace"][mine].sum())
    pack_s = bench_s * scenario.pickers.pack_share if scenario.stores.packing is None else 0.0
    sums = {
        "setup": bench_s - pack_s,
        "walking": float(ended["walk_s"][mine].sum()),
        "zones": float(ended["zones_s"][mine].sum()),
        "congestion": float(ended["crowd_s"][mine].sum()),
        "looking": rest[PickStage.LOOKING],
        "packing": pack_s + rest[PickStage.PACKING],
        "waiting": rest[PickStage.WAITING],
        "counting": rest[PickStage.COUNTING],
    }
    sums["handling"] = float((off_s - on_s)[counts_in].sum()) - sum(sums.values())
    return {stage: sums[stage] / orders for stage in STAGES}


def _of_tours(archive: Archive, spent: Any, ended: Any, mine: Any) -> list[float]:
    """Seconds spent by stage on the tours whose ends are `mine`."""
    # What is spent belongs to the picker's tour that ends next in the log.
    end = (ended["picker"].astype(np.int64) << 40) + archive.seq("pick_ended")
    by = np.argsort(end)
    place = np.searchsorted(end[by], (spent["picker"].astype(np.int64) << 40) + archive.seq("stage_spent"))
    known = place < len(by)
    known[known] = ended["picker"][by[place[known]]] == spent["picker"][known]
    known[known] = mine[by[place[known]]]
    stages = np.bincount(spent["pick_stage"][known], weights=spent["spent_s"][known], minlength=len(PickStage))
    return [float(spent_s) for spent_s in stages]


def counts(archive: Archive, scenario: Scenario) -> dict[str, float | int]:
    """Shelves that plans made after the warm-up named, those counted by then, those left, and the hours it took."""
    planned = archive.rows("count_planned")
    planned = planned[planned["t_s"] >= scenario.warmup_h * 3600.0]
    since_s = planned["t_s"].min(initial=np.inf)
    done = 0
    for kind in ("crew_counted", "count_ended"):
        rows = archive.rows(kind, ["t_s", "lines"])
        done += int(rows["lines"][rows["t_s"] >= since_s].sum())
    named = int(planned["lines"].sum())
    return {
        "planned": named,
        "done": done,
        "left": max(named - done, 0),
        "hours": done * scenario.stores.count_s / 3600.0,
    }
