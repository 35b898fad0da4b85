"""Packing stations and substitutes: how long orders take there, who finds no room, and what customers say."""

from typing import Any

import numpy as np

from sim.metrics.floor import spread
from sim.metrics.tables import Columns
from sim.recording import Archive
from sim.scenario import Scenario
from sim.scenario.fields import DAY_S, window_s


def packing(archive: Archive, scenario: Scenario, orders: Columns) -> dict[str, Any]:
    """The object `packing` of the summary: figures of packing stations over orders that count; None where there are none.

    An order waits from being brought until a station takes it. `overflow_share`: of the orders brought, those that found no
    room and were packed by their pickers. `utilisation`: of the stations, in opening hours from the warm-up to the horizon.
    """
    brought, began, ended = (archive.rows(kind) for kind in ("order_brought", "packing_began", "packing_ended"))
    brought = brought[np.isin(brought["order"], orders["order"])]
    size = 1 + max((int(rows["order"].max(initial=-1)) for rows in (brought, began)), default=-1)
    came, begun, done = (np.full(size, np.nan) for _ in range(3))
    came[brought["order"]] = brought["t_s"]
    begun[began["order"]] = began["t_s"]
    done[ended["order"]] = ended["t_s"]
    mine = brought["order"]
    open_s = _open_s(scenario) * len(np.unique(archive.rows("shelf_changed", ["store"])["store"]))
    warm_s = scenario.warmup_h * 3600.0
    busy_s = (np.minimum(np.where(np.isnan(done), np.inf, done), scenario.horizon_s) - np.maximum(begun, warm_s))[
        ~np.isnan(begun)
    ]
    capacity_s = _stations(scenario) * open_s
    return {
        "wait_s": spread((begun - came)[mine]),
        "pack_s": spread((done - begun)[mine]),
        "overflow_share": float((~brought["room"]).mean()) if len(brought) else None,
        "utilisation": float(np.maximum(busy_s, 0.0).sum()) / capacity_s if capacity_s else None,
    }


def packing_h(scenario: Scenario, stores: int) -> float:
    """Hours that packers are there, from the warm-up to the horizon: at each station in opening hours."""
    return _stations(scenario) * stores * _open_s(scenario) / 3600.0


def _stations(scenario: Scenario) -> int:
    """Stations of a store with people at them: none where there are no orders."""
    terms = scenario.stores.packing
    return 0 if terms is None or scenario.mode == "goods_only" else terms.stations


def _open_s(scenario: Scenario) -> float:
    return window_open_s(scenario, scenario.stores.open)


def window_open_s(scenario: Scenario, hours: str) -> float:
    """Seconds from the warm-up to the horizon that lie within hours ``HH:MM-HH:MM`` of the days."""
    opens, closes = window_s(hours)
    midnights = scenario.midnight_s + DAY_S * np.array(scenario.days(), dtype=float)
    begins, ends = midnights + opens, midnights + min(closes, opens + DAY_S)
    within = np.minimum(ends, scenario.horizon_s) - np.maximum(begins, scenario.warmup_h * 3600.0)
    return float(np.maximum(within, 0.0).sum())


def substitutions(archive: Archive, warm_s: float) -> dict[str, int]:
    """The object `substitutions` of the summary: lines for which a substitute was named, and what came of it."""
    taken, refused = archive.rows("line_substituted"), archive.rows("substitute_refused")
    taken, refused = taken[taken["t_s"] >= warm_s], refused[refused["t_s"] >= warm_s]
    return {
        "lines": len(taken),
        "units": int(taken["units"].sum()),
        "cents": int(taken["cents"].sum()),
        "refused": int(refused["answered"].sum()),
        "unanswered": int((~refused["answered"]).sum()),
    }
