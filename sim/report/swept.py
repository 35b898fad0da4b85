"""What a sweep says: the points that nothing beats, which factors matter, and how figures respond to them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sim.report.canvas import ALERT, FIRST, MUTED, SECOND, Picture, drawn, slug
from sim.report.explain import metric_of
from sim.report.leaf import Cell, Column, Grid, Leaf, Part, cells
from sim.report.words import DASH, figure_text, half_text, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS_MOST: Final = 40
"""Points in the terminal's table; of more only those of the front are shown."""

_SCALES: Final = {
    "time": (1 / 60.0, "minutes"),
    "share": (100.0, "per cent"),
    "money": (0.01, "money"),
    "latency": (1000.0, "ms"),
}


def swept_leaf(found: Mapping[str, Any]) -> Leaf:
    """Put the object of sweep.json in words, tables and figures."""
    currency, points = found.get("currency"), found["points"]
    front = [point for point in points if point["front"]]
    few = len(points) <= ROWS_MOST
    shown = points if few else front
    wanted = list(dict.fromkeys([*found["metrics"], *found["traded"]]))
    columns = [*(Column(_short(path), number=False, whole=True) for path in found["factors"])]
    columns += [Column(metric_of(metric).label) for metric in wanted] + [Column("", number=False, whole=True)]
    rows = [
        [
            *(Cell(str(value)) for value in point["values"]),
            *(_figure(point["means"][metric], metric, currency) for metric in wanted),
            Cell("front" if point["front"] else "", "met"),
        ]
        for point in shown
    ]
    traded = " against ".join(metric_of(metric).label for metric in found["traded"])
    note = (
        f"front: no other point is as good in {' and in '.join(metric_of(metric).label for metric in found['traded'])}."
    )
    title = "Every point" if few else f"The front of {len(points):,} points"
    parts = [Part(title, note, Grid(columns, rows)), *_matters(found)]
    pictures = [_trade(found, currency)] if len(found["traded"]) == 2 else []
    pictures += [_response(found, metric) for metric in found["metrics"]]
    pictures += [picture for metric in found["metrics"] if (picture := _together(found, metric))]
    parts.append(Part("How figures respond", pictures=pictures, page_only=True))
    facts = [
        ("Scenario", found["scenario"]), ("Seed", str(found["seed"])), ("Replications", str(found["replications"])),
        ("Design", found["design"]), ("Factors", ", ".join(found["factors"])), ("darkstore", found["darkstore"]),
    ]  # fmt: skip
    runs = len(points) * found["replications"]
    return Leaf(
        f"{found['scenario']}: sweep of {' and '.join(map(_short, found['factors']))}",
        f"{len(points):,} points, {found['replications']} {'days' if found['replications'] > 1 else 'day'} each "
        f"from seed {found['seed']}, the same for all: {runs:,} runs",
        [_answer(found, front, traded, currency)],
        parts,
        facts,
        found.get("command") or (),
    )


def _short(path: str) -> str:
    return path.removeprefix("policies.")


def _figure(figure: Mapping[str, Any] | None, metric: str, currency: str | None) -> Cell:
    kind = metric_of(metric).kind
    return Cell(figure_text(figure, kind, currency), "", half_text(figure, kind))


def _answer(found: Mapping[str, Any], front: Sequence[Mapping[str, Any]], traded: str, currency: str | None) -> str:
    metric = found["metrics"][0]
    main = next((each for each in found["effects"][metric]), None)
    said = f"{len(front)} of {len(found['points'])} points are on the front of {traded}"
    ends = [front[0], front[-1]] if len(front) > 1 else front
    told = "; ".join(
        f"{_name(found, point)}: "
        + ", ".join(figure_text(point["means"][each], metric_of(each).kind, currency) for each in found["traded"])
        for point in sorted(ends, key=lambda point: _centre(point, found["traded"][-1]))
    )
    what = ""
    if main is not None and main["share"] > 0.0 and len(found["factors"]) > 1:
        names = " with ".join(_short(found["factors"][place]) for place in main["factors"])
        what = f" {names} moves {metric_of(metric).label} most ({100 * main['share']:.0f} % of what varies)."
    return f"{said} ({told}).{what}"


def _name(found: Mapping[str, Any], point: Mapping[str, Any]) -> str:
    return ", ".join(f"{_short(path)} {value}" for path, value in zip(found["factors"], point["values"], strict=True))


def _centre(point: Mapping[str, Any], metric: str) -> float:
    figure = point["means"][metric]
    return float("inf") if figure is None else float(figure["mean"])


def _matters(found: Mapping[str, Any]) -> list[Part]:
    """Which part of what varies goes with which factor, alone or together."""
    if len(found["factors"]) < 2 or not any(found["effects"].values()):
        return []  # of a single factor there is nothing to tell apart
    names: dict[tuple[int, ...], dict[str, float]] = defaultdict(dict)
    for metric, rows in found["effects"].items():
        for each in rows:
            names[tuple(each["factors"])][metric] = each["share"]
    order = sorted(names, key=lambda factors: (len(factors), -max(names[factors].values())))
    columns = [Column("", number=False), *(Column(metric_of(metric).label) for metric in found["metrics"])]
    rows = [
        cells(
            " with ".join(_short(found["factors"][place]) for place in factors),
            *(
                DASH if metric not in names[factors] else f"{number(100 * names[factors][metric], 1)} %"
                for metric in found["metrics"]
            ),
        )
        for factors in order
        if max(names[factors].values()) >= 0.001
    ]
    note = "Share of the variance between points that goes with a factor, or with two together beyond each alone."
    if found["design"] != "grid":
        note += " By a linear model: what bends or turns is not in it."
    return [Part("What matters", note, Grid(columns, rows))]


def _scaled(found: Mapping[str, Any], metric: str) -> tuple[float, str]:
    scale, unit = _SCALES.get(metric_of(metric).kind, (1.0, ""))
    return scale, found.get("currency") or unit if unit == "money" else unit


def _trade(found: Mapping[str, Any], currency: str | None) -> Picture:
    across, up = found["traded"]
    (wide, x_unit), (high, y_unit) = _scaled(found, across), _scaled(found, up)
    known = [point for point in found["points"] if point["means"][across] and point["means"][up]]
    front = sorted((point for point in known if point["front"]), key=lambda point: _centre(point, across))

    def place(point: Mapping[str, Any]) -> tuple[float, float]:
        return wide * _centre(point, across), high * _centre(point, up)

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        axes.plot(*zip(*map(place, known), strict=True), "o", color=MUTED, markersize=4)
        axes.plot(*zip(*map(place, front), strict=True), "o-", color=FIRST, markersize=6)
        for rank, point in enumerate(front[:: max(len(front) // 8, 1)]):
            text, below = " · ".join(str(value) for value in point["values"]), rank % 2
            # By turns above and below, so that neighbours do not write over each other.
            axes.annotate(text, place(point), (5, -12 if below else 5), textcoords="offset points", fontsize=8)
        axes.margins(x=0.12, y=0.12)
        axes.set_xlabel(f"{metric_of(across).label}, {x_unit}")
        axes.set_ylabel(f"{metric_of(up).label}, {y_unit}")
        axes.grid(True)

    title = f"{metric_of(up).label} against {metric_of(across).label}"
    alt = f"{title}: {len(known)} points, {len(front)} on the front"
    return Picture(
        "trade", title, drawn("trade", 240.0, alt, draw), alt, "Blue: the front, which no other point beats."
    )


def _ordered(values: Sequence[float | str]) -> list[Any]:
    return sorted(
        set(values), key=lambda value: (isinstance(value, str), value if isinstance(value, str) else float(value))
    )


def _response(found: Mapping[str, Any], metric: str) -> Picture:
    """The figure over each factor: every point grey, the mean at each value blue."""
    scale, unit = _scaled(found, metric)
    factors = found["factors"]
    label = metric_of(metric).label

    def draw(figure: "Figure") -> None:
        several = figure.subplots(1, len(factors), sharey=True, squeeze=False)[0]
        for place, axes in enumerate(several):
            known = [
                (point["values"][place], scale * _centre(point, metric))
                for point in found["points"]
                if point["means"][metric]
            ]
            order = _ordered([value for value, _ in known])
            words = any(isinstance(value, str) for value in order)
            at = {value: index if words else float(value) for index, value in enumerate(order)}
            axes.plot(
                [at[value] for value, _ in known], [y for _, y in known], "o", color=MUTED, markersize=3, alpha=0.7
            )
            if len(factors) == 1:
                _alone(axes, found["points"], metric, scale, at)
            elif len(order) <= max(len(known) // 2, 2):
                means = [sum(y for v, y in known if v == value) / sum(v == value for v, _ in known) for value in order]
                axes.plot([at[value] for value in order], means, "o-", color=FIRST, markersize=4)
            if words:
                axes.set_xticks(range(len(order)), [str(value)[:14] for value in order], rotation=20, ha="right")
            axes.set_xlabel(_short(factors[place]))
        several[0].set_ylabel(unit)

    title = f"{label} by factor"
    alt = f"{title}: {', '.join(map(_short, factors))}"
    svg = drawn(f"response-{slug(metric)}", 210.0, alt, draw)
    what = "Grey: points; blue: means over all other factors."
    if len(factors) == 1:
        what = (
            "With 95 % intervals." if found["replications"] > 1 else "One day at each point: give --reps for intervals."
        )
    return Picture(f"response-{slug(metric)}", title, svg, alt, what)


def _alone(axes: Any, points: Sequence[Mapping[str, Any]], metric: str, scale: float, at: Mapping[Any, float]) -> None:
    """The only factor: means with their intervals."""
    seen = [(at[point["values"][0]], figure) for point in points if (figure := point["means"][metric]) is not None]
    known = sorted(seen, key=lambda each: each[0])
    xs, ys = [x for x, _ in known], [scale * figure["mean"] for _, figure in known]
    axes.plot(xs, ys, "o-", color=FIRST, markersize=4)
    for x, figure in known:
        if figure["low"] is not None:
            axes.plot([x, x], [scale * figure["low"], scale * figure["high"]], color=FIRST, linewidth=1.5)


def _together(found: Mapping[str, Any], metric: str) -> Picture | None:
    """The two factors that act together most: one line for each value of the second."""
    pairs = [each for each in found["effects"][metric] if len(each["factors"]) == 2 and each["share"] >= 0.001]
    if not pairs:
        return None
    one, two = pairs[0]["factors"]
    scale, unit = _scaled(found, metric)
    known = [
        (point["values"][one], point["values"][two], scale * _centre(point, metric))
        for point in found["points"]
        if point["means"][metric]
    ]
    firsts, seconds = (_ordered([row[place] for row in known]) for place in (0, 1))
    if len(firsts) < 2 or not 2 <= len(seconds) <= 8 or len(known) < len(firsts) * len(seconds):
        return None
    words = any(isinstance(value, str) for value in firsts)
    names = [_short(found["factors"][place]) for place in (one, two)]
    colours, styles = (FIRST, SECOND, ALERT, MUTED), ("-", "--")

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for rank, second in enumerate(seconds):
            ys = []
            for first in firsts:
                values = [y for a, b, y in known if (a, b) == (first, second)]
                ys.append(sum(values) / len(values))
            xs = list(range(len(firsts))) if words else [float(first) for first in firsts]
            axes.plot(
                xs,
                ys,
                marker="o",
                markersize=3,
                color=colours[rank % 4],
                linestyle=styles[rank // 4],
                label=f"{names[1]} {second}",
            )
        if words:
            axes.set_xticks(range(len(firsts)), [str(value)[:14] for value in firsts], rotation=20, ha="right")
        axes.set_xlabel(names[0])
        axes.set_ylabel(unit)
        axes.legend()

    title = f"{metric_of(metric).label}: {names[0]} with {names[1]}"
    alt = f"{title}: together they explain {100 * pairs[0]['share']:.1f} % of what varies beyond each alone"
    svg = drawn(f"together-{slug(metric)}", 230.0, alt, draw)
    return Picture(
        f"together-{slug(metric)}",
        title,
        svg,
        alt,
        f"Lines that are not parallel: they act together ({alt.split(': ')[-1]}).",
    )
