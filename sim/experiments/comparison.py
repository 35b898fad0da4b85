"""Is B better than A? The same days under every variant, paired differences, and a verdict in words."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from sim import __version__
from sim.experiments.figures import figures, goal, interval, observed
from sim.experiments.pool import Crew, Job, in_turn
from sim.experiments.variants import Variant
from sim.statistics import LEVEL, Difference, Interval, holm, paired

SCHEMA = 1
SURE = 1.0 - LEVEL
"""A change is called one when its p, adjusted for all changes looked at, is below this."""

Verdict = Literal["better", "worse", "higher", "lower", "no difference seen", "the same", "unseen"]

Table = Mapping[str, Sequence[Mapping[str, float | None]]]
"""By variant: the figures of each of its replications."""


@dataclass(frozen=True, slots=True)
class Row:
    """One metric of one variant beside the base's.

    Attributes
    ----------
    metric, variant
        Which.
    base, mean
        The two means with their own intervals; None where nothing was observed.
    difference
        The paired difference; None where no replication observed both.
    p_holm
        p of the difference, adjusted by Holm's rule for all rows.
    verdict
        What may be said.
    """

    metric: str
    variant: str
    base: Interval | None
    mean: Interval | None
    difference: Difference | None
    p_holm: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found.

    Attributes
    ----------
    scenario, seed, replications
        What was run; the days are the seed's.
    base
        The variant that the others are held against: the first.
    asked
        By variant, how it was asked for.
    metrics
        Those shown, in order.
    rows
        By metric and variant.
    table
        Every figure of every replication of every variant.
    """

    scenario: str
    seed: int
    replications: int
    base: str
    asked: dict[str, str]
    metrics: list[str]
    rows: list[Row]
    table: Table = field(repr=False)

    def row(self, metric: str, variant: str) -> Row:
        """The row of a metric and a variant."""
        return next(row for row in self.rows if (row.metric, row.variant) == (metric, variant))


def compare(
    variants: Sequence[Variant],
    metrics: Sequence[str],
    reps: int,
    crew: Crew = Crew(),
    done: Callable[[int], None] | None = None,
    *,
    named: bool = True,
) -> Comparison:
    """Run every variant on the same days (common random numbers) and compare all with the first.

    Parameters
    ----------
    metrics
        Keys of summary.json to look at.
    reps
        Days: replications of each variant.
    done
        Told how many runs have finished.
    named
        Whether somebody asked for these metrics: then each has to be observed.
    """
    jobs = [Job(variant.scenario, number) for number in range(reps) for variant in variants]
    summaries = in_turn(jobs, crew, done)
    table = {
        variant.name: [figures(summary) for summary in summaries[place :: len(variants)]]
        for place, variant in enumerate(variants)
    }
    return held_together(variants, metrics, table, named=named)


def held_together(
    variants: Sequence[Variant], metrics: Sequence[str], table: Table, *, named: bool = True
) -> Comparison:
    """Compare what has been run already.

    Raises
    ------
    InputError
        A metric was observed in no replication of any variant.
    """
    base = variants[0].name
    metrics = observed(metrics, [day for days in table.values() for day in days], named)
    places = [(metric, variant.name) for metric in metrics for variant in variants[1:]]
    found = [_difference(metric, table[base], table[name]) for metric, name in places]
    tested = [place for place, each in enumerate(found) if each is not None and each.p is not None]
    adjusted = dict(zip(tested, holm([_p(found[place]) for place in tested]), strict=True))
    rows = [
        Row(
            metric, name, _mean(metric, table[base]), _mean(metric, table[name]), found[place], adjusted.get(place),
            _verdict(metric, found[place], adjusted.get(place)),
        )
        for place, (metric, name) in enumerate(places)
    ]  # fmt: skip
    first, names = variants[0].scenario, dict.fromkeys(variant.scenario.name for variant in variants)
    asked = {variant.name: variant.asked for variant in variants}
    return Comparison(" + ".join(names), first.seed, len(table[base]), base, asked, list(metrics), rows, table)


def _p(difference: Difference | None) -> float:
    assert difference is not None
    assert difference.p is not None
    return difference.p


def _mean(metric: str, days: Sequence[Mapping[str, float | None]]) -> Interval | None:
    values = [value for day in days if (value := day.get(metric)) is not None]
    return interval(metric, values) if values else None


def _difference(
    metric: str, base: Sequence[Mapping[str, float | None]], other: Sequence[Mapping[str, float | None]]
) -> Difference | None:
    """Paired, over the replications that observed it in both."""
    pairs = [
        (one, two)
        for day, same_day in zip(base, other, strict=True)
        if (one := day.get(metric)) is not None and (two := same_day.get(metric)) is not None
    ]
    return paired([one for one, _ in pairs], [two for _, two in pairs]) if pairs else None


def _verdict(metric: str, difference: Difference | None, p: float | None) -> Verdict:
    if difference is None or p is None:
        return "unseen"
    if not difference.change.mean and not difference.change.half:
        return "the same"
    if p >= SURE:
        return "no difference seen"
    way = goal(metric) * (1 if difference.change.mean > 0 else -1)
    if way:
        return "better" if way > 0 else "worse"
    return "higher" if difference.change.mean > 0 else "lower"


def as_json(found: Comparison) -> dict[str, Any]:
    """The object of comparison.json."""
    return {
        "schema": SCHEMA, "darkstore": __version__, "scenario": found.scenario, "seed": found.seed,
        "replications": found.replications, "base": found.base, "variants": found.asked, "metrics": found.metrics,
        "rows": [_plain(asdict(row)) for row in found.rows],
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """Intervals as objects, and no infinities, which JSON has not."""
    if isinstance(value, Interval | Difference):
        return _plain(value._asdict())
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_tidy(table: Table, path: Path) -> None:
    """Write every figure of every replication: variant, replication, metric, value."""
    rows = [
        (variant, number, metric, value)
        for variant, days in table.items()
        for number, day in enumerate(days)
        for metric, value in day.items()
    ]
    names = ("variant", "replication", "metric", "value")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    tidy = pa.table(
        {
            "variant": pa.array(columns["variant"]).dictionary_encode(),
            "replication": pa.array(columns["replication"], pa.int32()),
            "metric": pa.array(columns["metric"]).dictionary_encode(),
            "value": pa.array(columns["value"], pa.float64()),
        }
    )
    pq.write_table(tidy, path, compression="zstd")


def write_json(value: Any, path: Path) -> None:
    """Write an object of JSON, complete or with an error."""
    path.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", encoding="utf-8")
