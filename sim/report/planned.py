"""What plans of capacity and under stress say."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sim.report.canvas import ALERT, FIRST, INK, MUTED, SECOND, Picture, drawn, slug
from sim.report.explain import metric_of
from sim.report.leaf import Cell, Column, Grid, Leaf, Part, cells
from sim.report.words import DASH, figure_text, half_text, number, target_text
from sim.scenario.levels import COMPARED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN: Final = (
    "orders.entered",
    "click_to_door_s.mean",
    "on_time",
    "utilisation.pickers",
    "utilisation.drivers",
    "fill_rate",
)


def asked(row: Mapping[str, Any], currency: str | None = None) -> str:
    """A service level as it is asked for: ≥ 95 %."""
    sign = {">=": "≥", "<=": "≤"}.get(row["op"], row["op"])
    return f"{sign} {target_text(row['target'], metric_of(row['metric']).kind, currency)}"


def lead_of(found: Mapping[str, Any], runs: int) -> str:
    """What was run for it."""
    days = found["replications"]
    return f"{days} {'days' if days > 1 else 'day'} from seed {found['seed']}, the same for everything; {runs:,} runs"


def facts_of(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a plan rests on."""
    return [
        ("Scenario", found["scenario"]), ("Seed", str(found["seed"])), ("Replications", str(found["replications"])),
        ("Runs", number(found["runs"])), ("darkstore", found["darkstore"]),
    ]  # fmt: skip


# -- capacity -------------------------------------------------------------------------------------------------------------


def capacity_leaf(found: Mapping[str, Any]) -> Leaf:
    """Put the object of a capacity plan in words, tables and figures."""
    plan, currency = found["capacity"], found.get("currency")
    rows = []
    for row in sorted(plan["levels"], key=lambda row: (row["breaks_at"] is None, row["breaks_at"] or 0.0)):
        known = metric_of(row["metric"])
        breaks = row["breaks_at"]
        rows.append(
            cells(
                known.label, asked(row, currency), figure_text(row["now"], known.kind, currency),
                DASH if row["holds_to"] is None else _demand(row["holds_to"], plan),
                Cell("holds", "met") if breaks is None
                else Cell(_demand(breaks, plan), "missed" if row["severity"] == "error" else "warned"),
                "" if row["severity"] == "error" else "warns only",
            )
        )  # fmt: skip
    columns = [
        Column("", False), Column("target"), Column("now"), Column("holds up to"), Column("broken at"), Column("", False),
    ]  # fmt: skip
    parts = [
        Part(
            "Service levels by demand",
            "Times the demand of the scenario, and orders placed in the run.",
            Grid(columns, rows),
        ),
        _tried(plan, currency),
    ]
    parts.append(Part("In pictures", pictures=_curves(plan), page_only=True))
    return Leaf(
        f"{found['scenario']}: capacity", lead_of(found, found["runs"]), [_capacity_answer(plan)], parts, facts_of(found),
        found.get("command") or (),
    )  # fmt: skip


def _demand(factor: float, plan: Mapping[str, Any]) -> str:
    placed = plan["tried"][f"{factor:g}"]["orders.entered"]
    return f"x{factor:g}" if placed is None else f"x{factor:g} ({number(placed)})"


def _capacity_answer(plan: Mapping[str, Any]) -> str:
    first = plan["first_at"]
    if first is None:
        most = max(float(factor) for factor in plan["tried"])
        return f"Nothing that counts breaks up to {_demand(most, plan)} orders."
    names = " and ".join(metric_of(metric).label for metric in plan["first"])
    full = plan["full"][0] if plan["full"] else None
    what = ""
    if full is not None and "to_s" in full:
        what = (
            f" What is full then: {full['what']} ({metric_of(full['metric']).label} "
            f"{figure_text(full['from_s'], 'time')} before, {figure_text(full['to_s'], 'time')} there)."
        )
    if first <= 1.0 and any(row["breaks_at"] == first and row["holds_to"] is None for row in plan["levels"]):
        one = len(plan["first"]) == 1
        above = _held_above(plan)
        if above:
            return f"{names} {'does' if one else 'do'} not hold at {_demand(first, plan)} orders, though at more ({above}).{what}"
        return f"{names} {'does' if one else 'do'} not hold at any demand that was tried.{what}"
    return f"{names} {'breaks' if len(plan['first']) == 1 else 'break'} first, at {_demand(first, plan)} orders.{what}"


def _held_above(plan: Mapping[str, Any]) -> str:
    """Higher demands at which all levels that break first were met all the same: too few orders, or days, to tell."""
    rows = {row["metric"]: row for row in plan["levels"] if row["metric"] in plan["first"]}
    held = [
        f"x{factor}"
        for factor, values in plan["tried"].items()
        if float(factor) > plan["first_at"] and all(_met(values.get(metric), row) for metric, row in rows.items())
    ]
    return ", ".join(held)


def _met(value: float | None, row: Mapping[str, Any]) -> bool:
    return value is not None and bool(COMPARED[row["op"]](value, row["target"]))


def _tried(plan: Mapping[str, Any], currency: str | None) -> Part:
    columns = [Column("demand", False), *(Column(metric_of(metric).label) for metric in _SHOWN)]
    rows = [
        cells(f"x{factor}", *(figure_text(values.get(metric), metric_of(metric).kind, currency) for metric in _SHOWN))
        for factor, values in plan["tried"].items()
    ]
    return Part("Every demand that was tried", "", Grid(columns, rows))


def _curves(plan: Mapping[str, Any]) -> list[Picture]:
    factors = [float(factor) for factor in plan["tried"]]
    values = list(plan["tried"].values())

    def series(metric: str, scale: float) -> list[float]:
        return [float("nan") if each.get(metric) is None else scale * each[metric] for each in values]

    stages = (
        ("stages_s.wait_pick", "wait for a picker", FIRST), ("stages_s.pick", "picking", MUTED),
        ("stages_s.wait_driver", "wait for a driver", ALERT), ("stages_s.ride", "ride", SECOND),
    )  # fmt: skip

    def way(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for metric, label, colour in stages:
            axes.plot(factors, series(metric, 1 / 60.0), marker="o", markersize=3, color=colour, label=label)
        axes.set_xlabel("times the scenario's demand")
        axes.set_ylabel("minutes")
        axes.legend()

    def use(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for metric, colour in (
            ("utilisation.pickers", FIRST),
            ("utilisation.drivers", SECOND),
            ("on_time", ALERT),
            ("fill_rate", MUTED),
        ):
            axes.plot(
                factors, series(metric, 100.0), marker="o", markersize=3, color=colour, label=metric_of(metric).label
            )
        axes.set_xlabel("times the scenario's demand")
        axes.set_ylabel("per cent")
        axes.legend()

    return [
        Picture(
            "way", "Where an order's time goes", drawn("way", 240.0, "Mean stages of an order over demand", way), "", ""
        ),
        Picture(
            "use", "Use and service", drawn("use", 240.0, "Utilisation, on time and fill rate over demand", use), "", ""
        ),
    ]


# -- stress ---------------------------------------------------------------------------------------------------------------


def stress_leaf(found: Mapping[str, Any]) -> Leaf:
    """Put the object of a stress plan in words, tables and figures."""
    plan, currency = found["stress"], found.get("currency")
    rows = []
    for axis in sorted(plan["axes"], key=lambda axis: (axis["breaks_at"] is None, axis["breaks_at"] or 0)):
        last = axis["steps"][-1]
        if axis["breaks_at"] is None:
            verdict = Cell(f"holds to {last['label']}", "met")
            level = ""
        else:
            verdict = Cell(f"step {axis['breaks_at']} of {len(axis['labels'])}: {last['label']}", "missed")
            level = ", ".join(_broken(last, metric, currency) for metric in axis["broken"])
        rows.append(cells(axis["axis"], verdict, level, figure_text(last["click_to_door_s"], "time")))
    columns = [
        Column("", False),
        Column("breaks at", False),
        Column("what breaks", False),
        Column("click to door there"),
    ]
    note = "Steps from what every operation sees once a month to what few survive; one assumption at a time."
    parts = [Part("Assumptions made worse", note, Grid(columns, rows)), _steps(plan, currency)]
    parts.append(
        Part("How levels give way", pictures=[_giving_way(axis, plan["now"]) for axis in plan["axes"]], page_only=True)
    )
    return Leaf(
        f"{found['scenario']}: under stress", lead_of(found, found["runs"]), [_stress_answer(plan, currency)], parts,
        facts_of(found), found.get("command") or (),
    )  # fmt: skip


def _broken(step: Mapping[str, Any], metric: str, currency: str | None) -> str:
    row = next(row for row in step["levels"] if row["metric"] == metric)
    known = metric_of(metric)
    return f"{known.label} {figure_text(row['found'], known.kind, currency)} ({asked(row, currency)})"


def _stress_answer(plan: Mapping[str, Any], currency: str | None) -> str:
    bad = [metric_of(row["metric"]).label for row in plan["now"] if not row["met"] and row["severity"] == "error"]
    head = f"Not met before anything is made worse: {', '.join(bad)}. Of the others: " if bad else ""
    if plan["first_step"] is None:
        return f"{head}No assumption breaks a service level within its steps."
    told = []
    for name in plan["first"]:
        axis = next(axis for axis in plan["axes"] if axis["axis"] == name)
        last = axis["steps"][-1]
        told.append(
            f"{name} ({axis['what']}) at {last['label']}: {', '.join(_broken(last, m, currency) for m in axis['broken'])}"
        )
    sturdy = [axis["axis"] for axis in plan["axes"] if axis["breaks_at"] is None]
    tail = f" {', '.join(sturdy)} {'breaks' if len(sturdy) == 1 else 'break'} nothing." if sturdy else ""
    return f"{head}First to break, at step {plan['first_step']}: {'; '.join(told)}.{tail}"


def _steps(plan: Mapping[str, Any], currency: str | None) -> Part:
    """The level that comes closest to its limit, at each step; those that were missed before any are left out, if not all."""
    before = {row["metric"] for row in plan["now"] if row["met"]}
    most = max(len(axis["labels"]) for axis in plan["axes"])
    rows = []
    for axis in plan["axes"]:
        line, tried = [Cell(axis["axis"])], {_number(axis, step): step for step in axis["steps"]}
        for place in range(1, most + 1):
            step = tried.get(place)
            if step is None:
                line.append(Cell("" if place > len(axis["labels"]) else DASH, "quiet"))
                continue
            sound = [row for row in step["levels"] if row["metric"] in before] or step["levels"]
            counted = [row for row in sound if row["severity"] == "error"] or sound
            worst = min(counted, key=lambda row: row["margin"])
            known = metric_of(worst["metric"])
            line.append(
                Cell(
                    f"{step['label']}: {known.label} {figure_text(worst['found'], known.kind, currency)}",
                    "met" if worst["met"] else "missed",
                )
            )
        rows.append(line)
    columns = [Column("", False), *(Column(f"step {place + 1}") for place in range(most))]
    note = f"{DASH} not run: a worse step breaks nothing, or a milder one has broken a level."
    return Part("The level nearest to its limit, step by step", note, Grid(columns, rows))


def _number(axis: Mapping[str, Any], step: Mapping[str, Any]) -> int:
    """Which step of its axis it is."""
    return 1 + int(axis["labels"].index(step["label"]))


def _giving_way(axis: Mapping[str, Any], now: Sequence[Mapping[str, Any]]) -> Picture:
    steps = [{"label": "now", "levels": now}, *axis["steps"]]
    metrics = [row["metric"] for row in steps[0]["levels"]]
    xs = [0, *(_number(axis, step) for step in axis["steps"])]
    colours = (FIRST, SECOND, MUTED, INK)

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for rank, metric in enumerate(metrics):
            ys = [100.0 * next(row["margin"] for row in step["levels"] if row["metric"] == metric) for step in steps]
            axes.plot(xs, ys, marker="o", markersize=3, color=colours[rank % 4], label=metric_of(metric).label)
        axes.axhline(0.0, color=ALERT, linewidth=1.0)
        axes.set_xticks(xs, [step["label"] for step in steps])
        axes.set_ylabel("margin, per cent")
        axes.legend()

    title = f"{axis['axis']}: {axis['what']}"
    alt = f"{title}; margin of each service level to its target, below zero where it is missed"
    svg = drawn(f"axis-{slug(axis['axis'])}", 210.0, alt, draw)
    return Picture(
        f"axis-{slug(axis['axis'])}", axis["axis"], svg, alt, f"{axis['what']}; below zero a level is missed."
    )


def within(figure: Mapping[str, Any] | None, metric: str, currency: str | None) -> Cell:
    """A figure with half the width of its interval."""
    kind = metric_of(metric).kind
    return Cell(figure_text(figure, kind, currency), "", half_text(figure, kind))
