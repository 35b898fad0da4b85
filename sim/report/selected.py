"""What a selection says: which is the best, how sure that is, and what the others cost."""

from collections.abc import Mapping
from typing import Any

from sim.report.comparison import change_text
from sim.report.explain import metric_of
from sim.report.leaf import Cell, Column, Grid, Leaf, Part, cells
from sim.report.words import figure_text, half_text, number


def selected_leaf(found: Mapping[str, Any]) -> Leaf:
    """Put the object of a selection in words and a table."""
    race, currency = found["selection"], found.get("currency")
    known = metric_of(race["metric"])
    rows = []
    for name, row in sorted(race["variants"].items(), key=lambda each: (-each[1]["days"], each[0] != race["chosen"])):
        figure = row["figure"]
        state = Cell("chosen", "met") if name == race["chosen"] else Cell("still in play", "warned")
        if row["put_out_at"] is not None:
            state = Cell(f"put out after day {row['put_out_at']}", "quiet")
        shown = Cell(figure_text(figure, known.kind, currency), "", half_text(figure, known.kind))
        rows.append(cells(name, shown, str(row["days"]), state))
    zone = change_text(race["zone"], None, known.kind, currency).lstrip("+")
    all_runs = len(race["variants"]) * race["days"]
    if race["sure"]:
        said = (
            f"{race['chosen']} is the best in {known.label}: with a chance of {100 * race['level']:g} %, where it is better "
            f"than all others by {zone} or more. It took {race['days']} days and {race['runs']} runs; "
            f"all on all days would be {all_runs}."
        )
    else:
        left = [name for name, row in race["variants"].items() if row["put_out_at"] is None]
        said = (
            f"{race['chosen']} is ahead in {known.label}, but {number(race['days'])} days do not tell "
            f"{' from '.join(left)} by {zone}: try more --max-reps, or a larger --zone."
        )
    columns = [Column("", False), Column(known.label), Column("days"), Column("", False)]
    facts = [("Scenario", found["scenario"]), ("Seed", str(found["seed"])), ("darkstore", found["darkstore"])]
    facts += [(f"Variant {name}", asked) for name, asked in found["variants"].items()]
    note = "KN++ (Kim and Nelson 2006), all on the same days; the interval is over the days a variant was in play."
    parts = [Part("Who was in play", note, Grid(columns, rows))]
    title, lead = (
        f"{found['scenario']}: the best of {len(race['variants'])}",
        f"{race['days']} days from seed {found['seed']}",
    )
    return Leaf(title, lead, [said], parts, facts, found.get("command") or ())
