"""What a check says: a line for each thing with a tick or a cross; for a pull request, and for a CI server."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from sim.report.comparison import change_text, half_of
from sim.report.explain import metric_of
from sim.report.leaf import Cell, Column, Grid, Leaf, Part, Tone, cells
from sim.report.words import DASH, figure_text, interval_text, target_text

_MARKS: Final = {"pass": "✓", "fail": "✗", "inconclusive": "?"}
_TONES: Final[dict[str, Tone]] = {"pass": "met", "fail": "missed", "inconclusive": "warned"}


CHANGED: Final = "the scenario or the version differs from the baseline's, not only the code."
"""Said where more has changed than what a check is for: days may differ too, if demand, hours or the start do."""


def checked_leaf(found: Mapping[str, Any], currency: str | None = None) -> Leaf:
    """Put what a check found (the object that ``--json`` prints) in words and tables."""
    levels = [each for each in found["findings"] if each["kind"] == "level"]
    changes = [each for each in found["findings"] if each["kind"] == "change"]
    parts = [_levels(levels, currency)] if levels else []
    if changes:
        parts.append(_changes(changes, currency))
    base = found["baseline"]
    lead = f"{found['replications']} replications from seed {found['seed']}"
    changed = base is not None and base["changed"]
    if base is None:
        lead += "; no baseline"
    else:
        lead += f"; baseline by darkstore {base['darkstore']}{'' if changed else ', the same days'}"
    answer = [said(found), *([CHANGED[0].upper() + CHANGED[1:]] if changed else [])]
    return Leaf(f"check of {found['scenario']}: {found['outcome']}", lead, answer, parts)


def said(found: Mapping[str, Any]) -> str:
    """The outcome in a sentence."""
    errors = [each for each in found["findings"] if each["severity"] == "error"]
    names = {state: [_name(each) for each in errors if each["state"] == state] for state in _MARKS}
    warned = sum(each["state"] == "fail" for each in found["findings"]) - len(names["fail"])
    tail = f" {warned} that only {'warns' if warned == 1 else 'warn'} failed too." if warned else ""
    if names["fail"]:
        return f"Failed: {', '.join(names['fail'])}.{tail}"
    if names["inconclusive"]:
        open_ = [each for each in errors if each["state"] == "inconclusive"]
        unseen = [_name(each) for each in open_ if each["found"] is None]
        needed = [each["replications_needed"] for each in open_ if each["found"] is not None]
        known = [each for each in needed if each is not None]
        # Against a baseline there are no more days than it has.
        rewrite = ", and a baseline written again of as many" if found["baseline"] is not None else ""
        more = f" About {max(known)} replications should tell (--reps{rewrite})." if known else ""
        if None in needed:
            more += " Where a figure lies at its limit, no number of them will."
        if unseen:
            more += f" Nothing was observed of {', '.join(unseen)}: no day had anything to judge by."
        return f"Inconclusive: {', '.join(names['inconclusive'])}.{more}{tail}"
    if not errors:
        return f"Passed: all that was asked for only warns.{tail}"
    return f"Passed: all {len(errors)} that count.{tail}"


def _name(each: Mapping[str, Any]) -> str:
    label = metric_of(each["metric"]).label
    return label if each["kind"] == "level" else f"{label} against the baseline"


def _state(each: Mapping[str, Any]) -> Cell:
    state, needed = each["state"], each["replications_needed"]
    text = f"{_MARKS[state]} {state}"
    if each["severity"] == "warn" and state != "pass":
        text += " (warn)"
    more = f"needs {needed}" if state == "inconclusive" and needed is not None else ""
    tone: Tone = "warned" if each["severity"] == "warn" and state == "fail" else _TONES[state]
    return Cell(text, tone, more)


def _levels(rows: Sequence[Mapping[str, Any]], currency: str | None) -> Part:
    lines = []
    for each in rows:
        known = metric_of(each["metric"])
        op, target = each["limit"].split(" ")
        sign = {">=": "≥", "<=": "≤"}.get(op, op)
        goal = f"{sign} {target_text(float(target), known.kind, currency)}"
        observed = (write(each["found"], known.kind, currency) for write in (figure_text, interval_text))
        lines.append(cells(known.label, goal, *observed, _state(each)))
    columns = [Column("", False), Column("target"), Column("observed"), Column("95 % interval"), Column("", False)]
    return Part("Service levels", "", Grid(columns, lines))


def _changes(rows: Sequence[Mapping[str, Any]], currency: str | None) -> Part:
    lines = []
    for each in rows:
        known, change, worse = metric_of(each["metric"]), each["change"], each["found"]
        text = DASH if change is None else change_text(change["mean"], half_of(change), known.kind, currency)
        lines.append(cells(known.label, each["limit"].replace("<=", "≤"), text, _direction(worse), _state(each)))
    columns = [Column("", False), Column("limit"), Column("change, 95 %"), Column("of the baseline"), Column("", False)]
    return Part("Against the baseline", "Paired differences, day by day.", Grid(columns, lines))


def _direction(worse: Mapping[str, Any] | None) -> str:
    if worse is None or worse["mean"] is None:
        return DASH
    share = worse["mean"]
    return f"{abs(100 * share):.2f} % {'worse' if share > 0 else 'better'}" if share else "the same"


def markdown(found: Mapping[str, Any], currency: str | None = None) -> str:
    """The tables as Markdown, for the summary of a CI job."""
    leaf = checked_leaf(found, currency)
    lines = [f"## darkstore {leaf.title}", "", *leaf.answer, "", leaf.lead, ""]
    for part in leaf.parts:
        assert part.grid is not None
        lines += [f"### {part.title}", "", "| " + " | ".join(column.name for column in part.grid.columns) + " |"]
        lines.append("|" + "|".join(" ---: " if column.number else " --- " for column in part.grid.columns) + "|")
        lines += [
            "| " + " | ".join(f"{cell.text} {cell.more}".strip() for cell in row) + " |" for row in part.grid.rows
        ]
        lines.append("")
    return "\n".join(lines)


def junit(found: Mapping[str, Any], currency: str | None = None) -> str:
    """JUnit XML, which CI servers read: a test for each thing; a warning that failed, and what is open, are skipped."""
    suite = Element("testsuite", name=f"darkstore check {found['scenario']}", tests=str(len(found["findings"])))
    counts = {"failures": 0, "skipped": 0}
    leaf = checked_leaf(found, currency)
    rows = [row for part in leaf.parts if part.grid is not None for row in part.grid.rows]
    ordered = sorted(found["findings"], key=lambda each: each["kind"] != "level")
    for each, row in zip(ordered, rows, strict=True):
        case = SubElement(
            suite,
            "testcase",
            classname=f"darkstore.{found['scenario']}.{each['kind']}",
            name=f"{each['metric']} {each['limit']}",
        )
        text = ", ".join(f"{cell.text} {cell.more}".strip() for cell in row[1:])
        if each["state"] == "fail" and each["severity"] == "error":
            SubElement(case, "failure", message=text)
            counts["failures"] += 1
        elif each["state"] != "pass":
            SubElement(case, "skipped", message=text)
            counts["skipped"] += 1
    for name, count in counts.items():
        suite.set(name, str(count))
    indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suite, encoding="unicode") + "\n"
