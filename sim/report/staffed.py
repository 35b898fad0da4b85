"""What a plan of staff says: the rosters, what they cost against today's, and that nobody can be spared."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sim.report.canvas import FIRST, MUTED, Picture, drawn
from sim.report.explain import metric_of
from sim.report.leaf import Cell, Column, Grid, Leaf, Part, cells
from sim.report.planned import asked, facts_of, lead_of, within
from sim.report.words import figure_text, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def staff_leaf(found: Mapping[str, Any]) -> Leaf:
    """Put the object of a plan of staff in words, tables and figures."""
    plan, currency = found["staff"], found.get("currency")
    parts = [_roster(plan, name) for name in plan["rosters"]]
    parts.append(_levels(plan, currency))
    pictures = [_cover(plan, name) for name in plan["rosters"]]
    parts.append(Part("Need and cover", pictures=pictures, page_only=True))
    tried = []
    for step in plan["steps"]:
        state = Cell("holds", "met") if step["holds"] else Cell("breaks", "quiet")
        tried.append(cells(step["what"], figure_text(step["cost_cents"], "money", currency), state))
    columns = [Column("", False), Column("cost a day"), Column("", False)]
    parts.append(Part("What was tried", "In this order.", Grid(columns, tried), page_only=True))
    return Leaf(
        f"{found['scenario']}: staff", lead_of(found, found["runs"]), _answer(plan, currency), parts, facts_of(found),
        found.get("command") or (),
    )  # fmt: skip


def _answer(plan: Mapping[str, Any], currency: str | None) -> list[str]:
    people = " and ".join(
        f"{number(sum(shift['people'] for shift in roster))} {name} ({number(plan['hours'][name])} hours)"
        for name, roster in plan["rosters"].items()
    )
    cost, before = plan["cost_cents"], plan["before_cents"]
    apart = before - cost
    said = (
        f"{people} keep the service levels, for {figure_text(cost, 'money', currency, 0)} a day: "
        f"{figure_text(abs(apart), 'money', currency, 0)} {'less' if apart >= 0 else 'more'} than today's rosters."
    )
    missed, open_ = ([metric_of(e["metric"]).label for e in plan["fresh"] if not e[key]] for key in ("met", "sure"))
    days = plan["fresh_days"]
    if missed:
        return [
            said,
            f"On {days} days that the search had not seen it misses {', '.join(missed)}: plan with more --reps.",
        ]
    if open_:
        names = ", ".join(open_)
        return [
            said,
            f"On {days} days that the search had not seen it holds by the mean; to be sure of {names} takes more.",
        ]
    return [said, f"It holds on {days} days that the search had not seen, with the same confidence."]


def _roster(plan: Mapping[str, Any], name: str) -> Part:
    spared = {(row["who"], row["at"], row["hours"]): row["breaks"] for row in plan["spared"]}
    rows = []
    for shift in plan["rosters"][name]:
        breaks = spared.get((name, shift["at"], shift["hours"]))
        without = ""
        if breaks is not None:
            known = metric_of(breaks["metric"])
            without = f"{known.label} {figure_text(breaks['found'], known.kind)}"
            without += " (too little confidence)" if breaks["met"] else ""
        begin = int(shift["at"][:2]) * 60 + int(shift["at"][3:])
        end = (begin + round(60 * shift["hours"])) % 1440
        rows.append(
            cells(
                f"{shift['at']} to {end // 60:02d}:{end % 60:02d}", f"{shift['hours']:g}", str(shift["people"]), without
            )
        )
    columns = [Column("shift", False), Column("hours"), Column("people"), Column("without one of them", False)]
    title = f"{name[0].upper()}{name[1:]}: {sum(shift['people'] for shift in plan['rosters'][name])} people"
    note = "Without one of them: by two days, and by all where these leave it open." if plan.get("judged") else ""
    return Part(title, note, Grid(columns, rows))


def _levels(plan: Mapping[str, Any], currency: str | None) -> Part:
    rows = []
    for seen, fresh in zip(plan["searched"], plan["fresh"], strict=True):
        metric = seen["metric"]
        rows.append([
            Cell(metric_of(metric).label), Cell(asked(seen, currency)), within(seen["found"], metric, currency),
            within(fresh["found"], metric, currency), Cell("met", "met") if fresh["met"] else Cell("missed", "missed"),
        ])  # fmt: skip
    columns = [
        Column("", False),
        Column("target"),
        Column("on the search's days"),
        Column("on fresh days"),
        Column("", False),
    ]
    note = f"Confidence of {100 * plan['confidence']:g} % on the search's days; fresh ones are of another seed."
    return Part("Service levels", note, Grid(columns, rows))


def _cover(plan: Mapping[str, Any], name: str) -> Picture:
    need, work = plan["need"][name], plan["at_work"][name]
    hours = [slot / 2.0 for slot in range(len(need) + 1)]

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        axes.stairs(work, hours, fill=True, color=FIRST, alpha=0.35, label="at work")
        axes.stairs(need, hours, color=MUTED, linewidth=1.5, label="Erlang's need")
        busy = [place for place, people in enumerate(work) if people] or [0]
        axes.set_xlim(hours[busy[0]], hours[busy[-1] + 1])
        axes.set_xlabel("hour of the day")
        axes.set_ylabel("people")
        axes.legend()

    title = f"{name[0].upper()}{name[1:]} by half-hour"
    alt = f"{title}: people at work against the need by Erlang's formula, which the search starts from"
    return Picture(
        f"cover-{name}", title, drawn(f"cover-{name}", 220.0, alt, draw), alt, "Simulation decides in the end."
    )
