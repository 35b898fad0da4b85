"""What a comparison says: a verdict in words, the paired differences with their intervals, and a figure of them."""

from collections.abc import Mapping, Sequence
from math import floor, log10
from typing import TYPE_CHECKING, Any, Final

from sim.report.canvas import ALERT, FIRST, INK, MUTED, Picture, drawn, slug
from sim.report.explain import metric_of
from sim.report.leaf import Cell, Column, Grid, Leaf, Part, Tone, cells
from sim.report.metric import Kind
from sim.report.words import DASH, counted, figure_text, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TONES: Final[dict[str, Tone]] = {"better": "met", "worse": "missed", "no difference seen": "quiet", "unseen": "quiet"}


_SHORT: Final = {"no difference seen": "unclear"}
"""A verdict as a table has room for it: days enough to tell would be more."""

_UNITS: Final[dict[Kind, tuple[float, str]]] = {
    "time": (1.0, " s"), "latency": (1000.0, " ms"), "share": (100.0, " points"), "money": (0.01, ""),
}  # fmt: skip


def change_text(change: float | None, half: float | None, kind: Kind, currency: str | None = None) -> str:
    """Write a difference with its sign and the half-width of its interval: −23.7 ± 1.3 s; of shares in percentage points.

    As many decimals as show two figures of the half-width.
    """
    if change is None:
        return DASH
    scale, unit = _UNITS.get(kind, (1.0, ""))
    if kind == "time" and max(abs(change), half or 0.0) >= 60.0:
        scale, unit = 1.0 / 60.0, " min"
    shown, around = change * scale, (half or 0.0) * scale
    least = around or abs(shown)
    digits = min(max(1 - floor(log10(least)), 0), 4) if least else 1
    sign = "+" if shown > 0 else "−" if shown < 0 else "±"
    text = f"{sign}{number(abs(shown), digits)}"
    if half is not None and half > 0.0:
        text += f" ± {number(around, digits)}"
    return text + (f" {currency}" if kind == "money" and currency else unit)


def half_of(found: Mapping[str, Any]) -> float | None:
    """Half of an interval's width; None where there is none."""
    return None if found["low"] is None else (found["high"] - found["low"]) / 2.0


def percent(change: float | None, of: float | None, digits: int = 1) -> str:
    """Write a change as a share of where it started."""
    if change is None or not of:
        return DASH
    share = 100.0 * change / abs(of)
    return f"{'+' if share > 0 else '−' if share < 0 else '±'}{number(abs(share), digits)} %"


def comparison_leaf(
    found: Mapping[str, Any], table: Mapping[str, Sequence[Mapping[str, float | None]]] | None = None
) -> Leaf:
    """Put a comparison in words, tables and figures.

    Parameters
    ----------
    found
        The object of comparison.json.
    table
        By variant, the figures of each replication, for the figure of paired days.
    """
    currency = found.get("currency")
    others = [name for name in found["variants"] if name != found["base"]]
    rows: dict[tuple[str, str], Any] = {(row["metric"], row["variant"]): row for row in found["rows"]}
    parts = []
    note = (
        "Each interval is of its row alone; a verdict needs p below 0.05 after Holm's rule for all rows. "
        "Unclear: more days would tell."
    )
    for name in others:
        lines = [_cells(rows[metric, name], currency) for metric in found["metrics"]]
        columns = [
            Column("", number=False), Column(found["base"]), Column(name), Column("change, 95 %"), Column("in %"),
            Column("p"), Column("", number=False),
        ]  # fmt: skip
        parts.append(Part(f"{name} against {found['base']}", note, Grid(columns, lines)))
    parts.append(_paired_part(rows, others, found["metrics"]))
    pictures = [picture for name in others if (picture := _forest(found["base"], name, rows, found["metrics"]))]
    if table is not None:
        pictures += [_days(found["base"], name, table, found["metrics"][0]) for name in others]
    parts.append(Part("In one picture", pictures=pictures, page_only=True))
    facts = [
        ("Scenario", found["scenario"]), ("Seed", str(found["seed"])), ("Replications", str(found["replications"])),
        *((f"Variant {name}", asked) for name, asked in found["variants"].items()), ("darkstore", found["darkstore"]),
    ]  # fmt: skip
    return Leaf(
        f"{found['scenario']}: {', '.join(others[:3])}{' and others' if len(others) > 3 else ''} against {found['base']}",
        f"{found['replications']} days from seed {found['seed']}, the same for all; "
        "paired differences with 95 % t intervals, p by Holm's rule for all rows",
        [_answer(found, name, rows, currency) for name in others],
        parts,
        facts,
        found.get("command") or (),
    )


def _cells(row: Mapping[str, Any], currency: str | None) -> list[Cell]:
    metric = metric_of(row["metric"])
    kind, apart, verdict = metric.kind, row["difference"], row["verdict"]
    base, mean = (
        figure_text(None if row[key] is None else row[key]["mean"], kind, currency) for key in ("base", "mean")
    )
    if apart is None:
        return cells(metric.label, base, mean, DASH, DASH, DASH, Cell(verdict, "quiet"))
    change, p = apart["change"], row["p_holm"]
    return cells(
        metric.label, base, mean, change_text(change["mean"], half_of(change), kind, currency),
        percent(change["mean"], apart["base"]), DASH if p is None else "<0.001" if p < 0.001 else f"{p:.3f}",
        Cell(_SHORT.get(verdict, verdict), _TONES.get(verdict, "")),
    )  # fmt: skip


def _paired_part(rows: Mapping[tuple[str, str], Any], others: Sequence[str], metrics: Sequence[str]) -> Part:
    columns = [Column("", number=False), *(Column(name) for name in others)]
    lines = []
    for metric in metrics:
        texts = []
        for name in others:
            apart = rows[metric, name]["difference"]
            worth = None if apart is None else apart["reduction"]
            texts.append(DASH if worth is None else "over 1,000" if worth > 1000.0 else number(worth, 1))
        lines.append(cells(metric_of(metric).label, *texts))
    note = (
        "By how many times comparing the same days cuts the variance of the difference: with days of their own, "
        "so many times as many replications would say as much."
    )
    return Part("What the same days are worth", note, Grid(columns, lines))


def _answer(found: Mapping[str, Any], name: str, rows: Mapping[tuple[str, str], Any], currency: str | None) -> str:
    """The verdict in words: what is better, what is worse, what could not be told apart."""
    said: dict[str, list[str]] = {}
    for metric in found["metrics"]:
        row = rows[metric, name]
        known, apart = metric_of(metric), row["difference"]
        if apart is None:
            continue
        change = apart["change"]
        text = change_text(change["mean"], half_of(change), known.kind, currency)
        said.setdefault(row["verdict"], []).append(f"{known.label} by {text}")
    clauses = [
        f"{verdict} in {_listed(said[verdict])}"
        for verdict in ("better", "worse", "higher", "lower")
        if verdict in said
    ]
    if not clauses:
        if "the same" in said and "no difference seen" not in said:
            return f"{name} is the same as {found['base']}: no figure differs on any day."
        if found["replications"] == 1:
            return f"One day says nothing of {name} against {found['base']}: give --reps 5 or more."
        return f"{name} cannot be told from {found['base']} by {found['replications']} days."
    rest = len(said.get("no difference seen", ()))
    tail = f"; {rest} of {len(found['metrics'])} figures are unclear" if rest else ""
    return f"{name} is {'; '.join(clauses)}{tail}."


def _listed(parts: Sequence[str], most: int = 4) -> str:
    """The first few of what there is to say, and how much more there is."""
    rest = len(parts) - most
    return ", ".join(parts[:most]) + (f" and {counted(rest)} more" if rest > 0 else "")


def _forest(base: str, name: str, rows: Mapping[tuple[str, str], Any], metrics: Sequence[str]) -> Picture | None:
    shown = []
    for metric in metrics:
        apart = rows[metric, name]["difference"]
        if apart is not None and apart["base"] and apart["change"]["low"] is not None:
            scale = 100.0 / abs(apart["base"])
            mean, low, high = (apart["change"][key] * scale for key in ("mean", "low", "high"))
            shown.append((metric_of(metric).label, mean, low, high, rows[metric, name]["verdict"]))
    if not shown:
        return None
    colours = {"better": FIRST, "worse": ALERT}

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for place, (_, mean, low, high, verdict) in enumerate(reversed(shown)):
            colour = colours.get(verdict, MUTED)
            axes.plot([low, high], [place, place], color=colour, linewidth=2.5, solid_capstyle="butt")
            axes.plot([mean], [place], "o", color=colour, markersize=5)
        axes.axvline(0.0, color=INK, linewidth=1.0)
        axes.set_yticks(range(len(shown)), [label for label, *_ in reversed(shown)])
        axes.set_ylim(-0.6, len(shown) - 0.4)
        axes.grid(axis="x")
        axes.set_xlabel(f"change from {base}, per cent of it")

    alt = "; ".join(f"{label} {mean:+.1f} % ({low:+.1f} to {high:+.1f})" for label, mean, low, high, _ in shown)
    title = f"{name} against {base}"
    svg = drawn(f"forest-{slug(name)}", 60.0 + 22.0 * len(shown), f"{title}: {alt}", draw)
    return Picture(
        f"forest-{slug(name)}", title, svg, alt, "Paired differences with 95 % intervals; blue is better, red worse."
    )


def _days(base: str, name: str, table: Mapping[str, Sequence[Mapping[str, float | None]]], metric: str) -> Picture:
    pairs = [
        (one, two)
        for day, same in zip(table[base], table[name], strict=True)
        if (one := day.get(metric)) is not None and (two := same.get(metric)) is not None
    ]
    known = metric_of(metric)
    scale = {"time": 1 / 60.0, "share": 100.0, "money": 0.01, "latency": 1000.0}.get(known.kind, 1.0)
    unit = {"time": "minutes", "share": "per cent", "money": "money", "latency": "milliseconds"}.get(known.kind, "")

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for one, two in pairs:
            axes.plot(
                [0, 1], [one * scale, two * scale], color=FIRST, linewidth=1.0, alpha=0.7, marker="o", markersize=3
            )
        axes.set_xticks([0, 1], [base, name])
        axes.set_xlim(-0.3, 1.3)
        axes.set_ylabel(unit)

    title = f"{known.label}, day by day"
    alt = f"{title}: each line is one day under {base} and under {name}; {len(pairs)} days"
    svg = drawn(f"days-{slug(name)}", 230.0, alt, draw)
    return Picture(
        f"days-{slug(name)}", title, svg, alt, "Each line is one day: the same customers, orders and chance."
    )
