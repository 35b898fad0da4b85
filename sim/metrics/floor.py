"""The shop floor: how fast people pick, how long orders stand, what was complete, and how goods lie on the shelves.

Times and rates come from the facts of pickers and orders; what lies on a shelf is the truth, not the record. Figures about
orders are over those that entered after the warm-up, figures about hours and shelves over the time after it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.metrics.picks import counts, pick_stages
from sim.metrics.returns import put_away
from sim.metrics.series import ended_s
from sim.metrics.tables import Columns
from sim.recording import Archive, State
from sim.scenario import Scenario
from sim.scenario.fields import DAY_S, window_s
from sim.vocabulary import StockCause

YEAR_DAYS = 365.0


def floor(
    archive: Archive, scenario: Scenario, state: State, work: dict[str, Any], orders: Columns, warm: Columns
) -> dict[str, Any]:
    """The object `floor` of the summary.

    Parameters
    ----------
    work
        Stretches of time of people, see `sim.metrics.tables.work_spans`.
    orders, warm
        All orders that entered, and those of them that count: entered after the warm-up.
    """
    picked = archive.rows("goods_picked")
    return {
        **_rates(archive, scenario, picked, work),
        "wait_pick_s": spread(warm["pick_start_s"] - warm["confirmed_s"]),
        "pick_s": spread(warm["packed_s"] - warm["pick_start_s"]),
        "pick_stages_s": pick_stages(archive, scenario),
        "counts": counts(archive, scenario),
        "dwell_s": spread(warm["picked_up_s"] - warm["packed_s"]),
        "dock_s": _dock(archive, scenario),
        "peak_orders": _peaks(archive, scenario, orders),
        **_complete(archive, warm),
        "stockout_share": _stockout_share(archive, scenario, picked, state.shelf.shape),
        **_turns(archive, scenario, picked, int(state.shelf.sum())),
    }


def _share(part: Any, whole: Any) -> float | None:
    return float(part) / float(whole) if whole else None


def spread(seconds: NDArray[Any]) -> dict[str, float | None]:
    """Mean and 95th percentile of what is known (not nan); None where nothing is."""
    known = seconds[~np.isnan(seconds)]
    if not len(known):
        return {"mean": None, "p95": None}
    return {"mean": float(known.mean()), "p95": float(np.quantile(known, 0.95))}


def _dock(archive: Archive, scenario: Scenario) -> dict[str, float | None]:
    """How long lines stood at the dock, of the rounds that ended after the warm-up."""
    rounds = archive.rows("round_ended")
    rounds = rounds[rounds["t_s"] >= scenario.warmup_h * 3600.0]
    return spread(np.repeat(rounds["waited_s"], rounds["lines"]))


def _rates(archive: Archive, scenario: Scenario, picked: Any, work: dict[str, Any]) -> dict[str, float | None]:
    """Lines picked for each hour of a picker on shift and at work, and the share of the latter spent on counting.

    A line counts when something of it was found, whatever becomes of the order: it was work.
    """
    warm_s = scenario.warmup_h * 3600.0
    lines = int((picked["t_s"] >= warm_s).sum())

    def hours(begins: Any, ends: Any) -> float:
        return float(np.maximum(ends - np.maximum(begins, warm_s), 0.0).sum()) / 3600.0

    paid_h, busy_h = hours(*work["pickers_on"][1:]), hours(*work["pickers_busy"][1:])
    return {
        "lines_per_paid_hour": _share(lines, paid_h),
        "lines_per_busy_hour": _share(lines, busy_h),
        "counting_share": _share(_counting_h(archive, scenario, warm_s), busy_h),
    }


def _counting_h(archive: Archive, scenario: Scenario, warm_s: float) -> float:
    """Hours that pickers counted shelves, after a short pick or by plan: what no crew counted, they did."""
    counted, crew = archive.rows("shelf_counted", ["t_s"]), archive.rows("crew_counted")
    shelves = int((counted["t_s"] >= warm_s).sum()) - int(crew["lines"][crew["t_s"] >= warm_s].sum())
    return shelves * scenario.stores.count_s / 3600.0


def peak(begins: NDArray[Any], ends: NDArray[Any]) -> int:
    """The most stretches under way at once; who leaves at a moment is gone before who comes at it (nan: never leaves)."""
    ends = np.where(np.isnan(ends), np.inf, ends)
    real = ends > begins
    begins, ends = np.sort(begins[real]), np.sort(ends[real])
    if not len(begins):
        return 0
    return int((np.arange(1, len(begins) + 1) - np.searchsorted(ends, begins, side="right")).max())


def _peaks(archive: Archive, scenario: Scenario, orders: Columns) -> dict[str, int]:
    """Most orders that waited at once for a picker, and stood packed; of all stores together and of the fullest one."""
    warm_s, over_s = scenario.warmup_h * 3600.0, ended_s(archive, orders)
    found = {}
    for name, begin, end in (
        ("waiting_pick", "confirmed_s", "pick_start_s"),
        ("packed", "packed_s", "picked_up_s"),
    ):
        begins, ends = np.maximum(orders[begin], warm_s), np.fmin(orders[end], over_s)
        found[name] = peak(begins, ends)
        stores = (orders["store"] == store for store in np.unique(orders["store"]))
        found[f"{name}_one_store"] = max((peak(begins[mine], ends[mine]) for mine in stores), default=0)
    return found


def _complete(archive: Archive, orders: Columns) -> dict[str, float | None]:
    """Shares of lines and orders that stock could provide wholly, and of orders at which nothing was wrong.

    Lines and orders are those that were placed, as for `fill_rate`; a line or order of which a single unit was denied by the
    record or not found counts as not filled.

    The perfect order rate is the perfect order fulfillment of the SCOR model (RL.1.1: delivered in full, on time, undamaged
    and rightly documented) with what is simulated of it: delivered no later than promised, every line in full, no wrong goods
    in the bag, nothing that came back, and no money given back; over confirmed orders, as `on_time`, of which it is a part.
    """
    short = np.unique(np.concatenate([_lines(archive.rows(kind)) for kind in ("line_missing", "hold_reduced")]))
    lacking = np.bincount(short >> 32, minlength=1 + int(orders["order"].max(initial=-1)))[orders["order"]]
    slips = archive.rows("scan_slipped", ["cause", "order"])
    wrong = np.isin(orders["order"], slips["order"][slips["cause"] == StockCause.MISPICK])
    confirmed = ~np.isnan(orders["confirmed_s"])
    perfect = confirmed & (orders["delivered_s"] <= orders["promised_s"]) & (orders["refunded_cents"] == 0)
    perfect &= (lacking == 0) & ~wrong & ~np.isin(orders["order"], archive.rows("goods_kept")["order"])
    lines = int(orders["lines"].sum())
    return {
        "line_fill_rate": _share(lines - int(lacking.sum()), lines),
        "order_fill_rate": _share((lacking == 0).sum(), len(lacking)),
        "perfect_order_rate": _share(perfect.sum(), confirmed.sum()),
    }


def _lines(rows: Any) -> NDArray[np.int64]:
    """A number for each line: the order, then the SKU."""
    return np.asarray((rows["order"].astype(np.int64) << 32) + rows["sku"])


def moves(archive: Archive, picked: Any) -> list[tuple[Any, int]]:
    """Everything that changes what lies on the shelves, each with the sign of its units."""
    names = ["t_s", "store", "sku", "units"]
    changed, back = (archive.rows(kind, names) for kind in ("shelf_changed", "goods_put_back"))
    return [(changed, 1), (back, 1), (put_away(archive)[names], 1), (picked, -1), (sold(archive), -1)]


def held(moved: list[tuple[Any, int]], begin_s: float, end_s: float, worth: NDArray[Any] | None = None) -> float:
    """Units on the shelves times seconds that they lay there from a time to another; `worth`: each SKU's, (skus,)."""
    total = 0.0
    for rows, sign in moved:
        # Units that come at a moment lie there for the rest of the time.
        area = rows["units"] * np.clip(end_s - rows["t_s"], 0.0, end_s - begin_s)
        total += sign * float((area if worth is None else area * worth[rows["sku"]]).sum())
    return total


def sold(archive: Archive) -> Any:
    """Sales of a goods-only run by what left the shelf: `sku` is the SKU taken."""
    rows = archive.rows("goods_sold")
    return rows[["t_s", "store", "taken", "units"]].astype(
        [("t_s", "f8"), ("store", "i4"), ("sku", "i4"), ("units", "i4")]
    )


def open_clock(scenario: Scenario, t_s: NDArray[Any]) -> NDArray[np.float64]:
    """Seconds for which stores had been open by each time, counted from the warm-up to the horizon."""
    opens, closes = window_s(scenario.stores.open)
    closes = min(closes, opens + DAY_S)
    midnights = scenario.midnight_s + DAY_S * np.array(scenario.days(), dtype=float)
    edges = (midnights[:, None] + np.array([opens, closes])).ravel()
    edges = np.clip(edges, scenario.warmup_h * 3600.0, scenario.horizon_s)
    # Every other stretch between edges is one of opening hours.
    total = np.concatenate([[0.0], np.cumsum(np.diff(edges) * (np.arange(len(edges) - 1) % 2 == 0))])
    return np.asarray(np.interp(t_s, edges, total))


def _stockout_share(archive: Archive, scenario: Scenario, picked: Any, shape: tuple[int, ...]) -> float | None:
    """Share of opening hours, from the warm-up to the horizon, that shelves were empty; mean over all stores and SKUs.

    Weighted by time and not by demand, and exact: every change of a shelf is a fact. It goes by the shelf, so a phantom
    record does not hide a stock-out, and units that wait there for orders count as stock.
    """
    stores, skus = shape
    moved, open_s = moves(archive, picked), float(open_clock(scenario, np.array([scenario.end_s]))[0])
    stocked_s = 0.0
    for store in range(stores):  # one by one: what is sorted is never more than a store's
        parts = [(rows[rows["store"] == store], sign) for rows, sign in moved]
        sku, t_s = (np.concatenate([rows[name] for rows, _ in parts]) for name in ("sku", "t_s"))
        units = np.concatenate([sign * rows["units"].astype(np.int64) for rows, sign in parts])
        order = np.lexsort((t_s, sku))
        sku, clock, level = sku[order], open_clock(scenario, t_s[order]), np.cumsum(units[order])
        first = np.searchsorted(sku, np.arange(skus))
        level -= np.concatenate([[0], level])[first[sku]]  # what came to other SKUs before is not this one's
        until, same = np.full(len(sku), open_s), sku[1:] == sku[:-1]
        until[:-1][same] = clock[1:][same]
        # Changes at one moment may be in any order: between them no time passes.
        stocked_s += float((until - clock)[level > 0].sum())
    whole_s = stores * skus * open_s
    return max(1.0 - stocked_s / whole_s, 0.0) if whole_s > 0 else None


def _turns(archive: Archive, scenario: Scenario, picked: Any, left: int) -> dict[str, float | None]:
    """Inventory turns a year, in units, and for how many days what is on the shelves at the close would last.

    Units picked (less those put back, after they were brought back too) of the whole days between warm-up and horizon, scaled
    to 365 days, for each unit on the shelves in the mean of these days, nights included. Days of cover: units on the shelves
    at the close for each unit picked a day. Both None for less than a day: an evening says nothing of a year.
    """
    begin_s = scenario.warmup_h * 3600.0
    days = int((scenario.horizon_s - begin_s) // DAY_S)
    end_s = begin_s + days * DAY_S
    on_hand, gone = held(moves(archive, picked), begin_s, end_s), 0
    for rows, sign in ((picked, 1), (sold(archive), 1), (archive.rows("goods_put_back"), -1), (put_away(archive), -1)):
        within = (rows["t_s"] >= begin_s) & (rows["t_s"] < end_s)
        gone += sign * int(rows["units"][within].sum())
    a_day = gone / days if days else 0.0
    mean_units = on_hand / (end_s - begin_s) if days else 0.0
    return {
        "turns_per_year": a_day * YEAR_DAYS / mean_units if mean_units > 0 else None,
        "cover_days": left / a_day if a_day > 0 else None,
    }
