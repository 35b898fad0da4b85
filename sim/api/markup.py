"""What a result shows of itself in a notebook: a sentence and a short table, as HTML."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from sim.report.explain import metric_of
from sim.report.leaf import Leaf
from sim.report.words import answer, at, centre, figure_text, interval_text, levels

_FIGURES: Final = (
    "orders.entered", "orders.delivered", "click_to_door_s.mean", "click_to_door_s.p50", "click_to_door_s.p95", "on_time",
    "fill_rate", "utilisation.pickers", "utilisation.drivers", "orders_per_driver_hour", "drift.records_inaccurate_share",
    "cost.per_order_cents",
)  # fmt: skip
_TONES: Final = {"met": "#1a7f37", "missed": "#cf222e", "warned": "#9a6700", "quiet": "#6e7781"}


def run_html(summary: Mapping[str, Any], currency: str | None) -> str:
    """A run: its answer, its headline figures, its service levels."""
    title = f"{summary['scenario']} · seed {summary['seed']}"
    if summary["replications"] > 1:
        title += f" · {summary['replications']} replications"
    parts = [f"<p><b>{escape(title)}</b><br>{escape(answer(summary))}</p>"]
    rows = []
    for path in _FIGURES:
        if centre(at(summary, path)) is not None:
            metric, value = metric_of(path), at(summary, path)
            rows.append(
                [
                    (metric.label, ""),
                    (figure_text(value, metric.kind, currency), ""),
                    (interval_text(value, metric.kind, currency), ""),
                ]
            )
    many = summary["replications"] > 1
    parts.append(
        _table(
            ["", "mean" if many else "", *(["95 % interval"] if many else [])],
            [row[: 3 if many else 2] for row in rows],
        )
    )
    found = levels(summary, currency)
    verdicts = [
        [
            (each.label, ""),
            (each.target, ""),
            (each.observed, ""),
            (each.verdict, "met" if each.met else "warned" if each.warn else "missed"),
        ]
        for each in found
    ]
    if verdicts:
        parts.append(_table(["service level", "target", "observed", ""], verdicts))
    return f"<div>{''.join(parts)}</div>"


def leaf_html(leaf: Leaf) -> str:
    """An experiment: its answer and its tables."""
    sentences = "".join(f"<br>{escape(sentence)}" for sentence in leaf.answer)
    parts = [f"<p><b>{escape(leaf.title)}</b><br><i>{escape(leaf.lead)}</i>{sentences}</p>"]
    for part in leaf.parts:
        if part.grid is not None and not part.page_only:
            rows = [[(f"{cell.text} {cell.more}".strip(), cell.tone) for cell in row] for row in part.grid.rows]
            parts.append(f"<p>{escape(part.title)}</p>" + _table([column.name for column in part.grid.columns], rows))
    return f"<div>{''.join(parts)}</div>"


def _table(names: Sequence[str], rows: Sequence[Sequence[tuple[str, str]]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(_cell(place, *cell) for place, cell in enumerate(row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(place: int, text: str, tone: str) -> str:
    colour = f"color:{_TONES[tone]};" if tone in _TONES else ""
    return f'<td style="text-align:{"right" if place else "left"};{colour}">{escape(text)}</td>'
