"""What the figures of the shop floor mean, in the order in which the page tells them."""

from typing import Final

from sim.report.metric import Metric

_STAGES: Final = {
    "setup": ("set-up", "taking the tote, in and out of the shelves"),
    "walking": ("walking", "the way past the lines; without stores.layout it is a part of set-up and handling"),
    "zones": ("entering zones", "doors, locks and gloves of cooled and locked zones"),
    "handling": ("handling", "searching, grasping and scanning what is there"),
    "congestion": ("congestion", "lost to other pickers in the same aisle (stores.layout.blocking)"),
    "looking": ("looking in vain", "lines that fell short, and fetching something else for them"),
    "packing": ("packing", "packing and staging, as far as no packing station does it"),
    "waiting": ("waiting", "for a place at the counter, or for a customer's answer"),
    "counting": ("counting", "shelves on which too little was found"),
}

PICK_STAGES: Final = {f"floor.pick_stages_s.{stage}": label for stage, (label, _) in _STAGES.items()}
"""What the stages of picking are called, by key of the summary; together they are all that pickers do with orders in hand."""

FLOOR: Final[dict[str, Metric]] = {
    "floor.lines_per_paid_hour": Metric(
        "lines per paid hour", "rate", "Order lines picked for each hour of a picker on shift, busy or waiting."
    ),
    "floor.lines_per_busy_hour": Metric(
        "lines per busy hour",
        "rate",
        "Order lines picked for each hour that pickers were at work: picking, packing and counting.",
    ),
    "floor.counting_share": Metric(
        "time spent counting",
        "share",
        "Share of pickers' busy hours that went into counting shelves, by plan or because too little was found.",
    ),
    "floor.wait_pick_s.mean": Metric(
        "wait for a picker (mean)",
        "time",
        "Mean time from the confirmation until a picker starts, over all orders that were started.",
    ),
    "floor.wait_pick_s.p95": Metric(
        "wait for a picker (p95)", "time", "The time until a picker starts that 5 % of the started orders exceed."
    ),
    "floor.pick_s.mean": Metric(
        "picking and packing (mean)",
        "time",
        "Mean time from the picker's start until the order is packed, over all packed orders.",
    ),
    "floor.pick_s.p95": Metric(
        "picking and packing (p95)",
        "time",
        "The time from the picker's start until packed that 5 % of the packed orders exceed.",
    ),
    **{
        f"floor.pick_stages_s.{stage}": Metric(
            f"picking: {label}", "time", f"Pickers' time for each order, in the mean: {what}."
        )
        for stage, (label, what) in _STAGES.items()
    },
    "floor.counts.planned": Metric(
        "shelves to be counted", "count", "Shelves that policies.reconciliation named to be counted by plan."
    ),
    "floor.counts.done": Metric("shelves counted by plan", "count", "Those of them that somebody has counted."),
    "floor.counts.left": Metric(
        "shelves left uncounted",
        "count",
        "Those for which nobody had time before the next plan, the end of stores.counting.within_h or the close.",
    ),
    "floor.counts.hours": Metric(
        "hours of counting by plan", "rate", "Hours that a crew, or pickers without an order, took for them."
    ),
    "floor.dwell_s.mean": Metric(
        "standing packed (mean)",
        "time",
        "Mean time that an order stands packed until its driver takes it, over all orders that were picked up.",
    ),
    "floor.dwell_s.p95": Metric(
        "standing packed (p95)",
        "time",
        "The time standing packed that 5 % of the orders that were picked up exceed.",
    ),
    "floor.dock_s.mean": Metric(
        "at the dock (mean)",
        "time",
        "Mean time from a truck's arrival until what it brought is on its shelf, over lines; only with stores.dock.",
    ),
    "floor.dock_s.p95": Metric(
        "at the dock (p95)", "time", "The time from truck to shelf that 5 % of the lines exceed."
    ),
    "floor.peak_orders.waiting_pick": Metric(
        "most orders waiting for a picker", "count", "The most confirmed orders, over all stores, that waited at once."
    ),
    "floor.peak_orders.waiting_pick_one_store": Metric(
        "most waiting for a picker, one store",
        "count",
        "The most confirmed orders that waited for a picker at once at one store.",
    ),
    "floor.peak_orders.packed": Metric(
        "most packed orders waiting for a driver",
        "count",
        "The most packed orders, over all stores, that stood at once.",
    ),
    "floor.peak_orders.packed_one_store": Metric(
        "most packed orders, one store",
        "count",
        "The most packed orders that stood at once at one store: what its counter must hold.",
    ),
    "floor.line_fill_rate": Metric(
        "line fill rate",
        "share",
        "Share of the lines of placed orders that stock could provide in full: no unit denied by the record, none not found.",
    ),
    "floor.order_fill_rate": Metric(
        "order fill rate", "share", "Share of placed orders of which stock could provide every line in full."
    ),
    "floor.perfect_order_rate": Metric(
        "perfect order rate",
        "share",
        "Share of confirmed orders delivered no later than promised, with every line in full, no wrong goods, nothing "
        "brought back and nothing refunded.",
    ),
    "floor.stockout_share": Metric(
        "empty shelves",
        "share",
        "Share of opening hours that shelves were empty, a mean over all stores and articles, however little they sell.",
    ),
    "floor.turns_per_year": Metric(
        "inventory turns a year",
        "rate",
        "Units picked in the run's whole days, scaled to a year, for each unit on the shelves in the mean; none for less than "
        "a day.",
    ),
    "floor.cover_days": Metric(
        "days of cover at the close",
        "rate",
        "Units on the shelves at the close for each unit picked a day; none for less than a day.",
    ),
}
"""Every key of the object `floor` of summary.json."""
