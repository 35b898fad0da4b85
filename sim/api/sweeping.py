"""``sim.sweep``: what if, over many values."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sim.api.asked import Place, told, whole
from sim.vocabulary import InputError

if TYPE_CHECKING:
    import pandas as pd

    from sim.experiments.factors import Factor


class Sweep:
    """What a sweep found.

    Attributes
    ----------
    folder : Path
        Holds ``sweep.json``, ``sweep.parquet`` and the page; a temporary one, which goes with this object, where no `out` was
        named.
    found : dict
        The object of ``sweep.json``: means with intervals at each point, what matters most, the points that nothing beats.
    """

    def __init__(self, folder: str | Path) -> None:
        from sim.experiments.sweep import LAST
        from sim.reading.files import read_json

        self.folder = Path(folder)
        self.found: dict[str, Any] = read_json(self.folder / LAST)

    @cached_property
    def table(self) -> "pd.DataFrame":
        """One row per run: `point`, `replication`, the varied keys, every figure of its summary."""
        from sim.api.frames import frame
        from sim.reading.files import read_table

        return frame(read_table(self.folder / "sweep.parquet"))

    def report(self) -> Path:
        """The sweep's page."""
        from sim.report.page import REPORT

        return self.folder / REPORT

    def __repr__(self) -> str:
        """What was varied."""
        return f"<Sweep of {self.found['scenario']}: {len(self.table)} runs>"

    def _repr_html_(self) -> str:
        from sim.api.markup import leaf_html
        from sim.report.swept import swept_leaf

        return leaf_html(swept_leaf(self.found))


def sweep(
    scenario: str | Path,
    vary: Mapping[str, Sequence[float | str] | str],
    *,
    design: Literal["grid", "lhs", "sobol"] = "grid",
    points: int = 32,
    reps: int = 1,
    metrics: Sequence[str] | None = None,
    seed: int | None = None,
    set: Mapping[str, Any] | None = None,
    policies: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    force: bool = False,
    workers: int | None = None,
    allow_code: bool = False,
) -> Sweep:
    """Run combinations of values on the same days, as ``darkstore sweep`` does.

    Parameters
    ----------
    scenario
        A shipped name or a file.
    vary
        Values by key: ``{"drivers.count": [60, 80, 100], "policies.dispatch": ["nearest", "matching"]}``; or as the command line
        is told them: ``"60:100:20"``, and ``"60:100"`` for a range to draw from.
    design
        ``"grid"``, every combination; ``"lhs"`` (Latin hypercube) or ``"sobol"``, `points` of them drawn.
    points
        How many are drawn.
    reps
        Days at each point.
    metrics
        Keys of ``summary.json`` that the page shows; the table has all.
    seed, set, policies
        What all points have.
    out, force, workers, allow_code
        As for `sim.run`. A sweep that was stopped is taken up again in the same `out`.

    Raises
    ------
    InputError
        Something given will not do.

    Examples
    --------
    >>> sim.sweep("small", {"drivers.count": [60, 80, 100]}).table[["drivers.count", "on_time", "cost.per_order_cents"]]
    """
    from sim.experiments.comparison import write_json
    from sim.experiments.factors import combinations, written
    from sim.experiments.factors import points as points_of
    from sim.experiments.figures import known_metric
    from sim.experiments.pool import Crew
    from sim.experiments.sweep import LAST, Plan, write_sweep
    from sim.experiments.sweep import sweep as run_all
    from sim.experiments.swept import TRADED, swept, weighed
    from sim.own import at_hand
    from sim.report.leaf import write_leaf
    from sim.report.swept import swept_leaf
    from sim.scenario import load

    for name, count in (("reps", reps), ("points", points)):
        whole(count, name)
    asked = told(set, policies, seed)
    if design not in ("grid", "lhs", "sobol"):
        raise InputError(f"sweep: design: expected grid, lhs or sobol, got {design!r}.")
    factors = [_factor(path, values) for path, values in vary.items()]
    if not factors:
        raise InputError('sweep: expected keys to vary, such as {"drivers.count": [60, 80]}; got none.')
    looked_at = [known_metric(each, "metrics:") for each in dict.fromkeys(metrics or ("click_to_door_s.mean", *TRADED))]
    traded = weighed(TRADED)
    with Place(out) as place, at_hand(asked.own):
        base = load(str(scenario), asked.settings, asked.policies)
        rows = combinations(factors, design, points, base.seed)
        plan = Plan(factors, points_of(str(scenario), factors, rows, asked.settings, asked.policies), reps)
        runs = run_all(plan, place.folder, Crew(workers, allow_code=allow_code, own=asked.own), force=force)
        result = swept(plan, runs, looked_at, traded, design, base.name, base.seed, (metrics is not None, False))
        varied = [word for each in factors for word in ("--vary", written(each))]
        varied += ["--design", design, "--points", str(points)] if design != "grid" else []
        command = ["darkstore", "sweep", str(scenario), *varied, *asked.command(), "--reps", str(reps)]
        result |= {"currency": base.costs.currency, "command": command}
        write_sweep(plan, runs, place.folder / "sweep.parquet")
        write_leaf(swept_leaf(result), place.folder)
        write_json(result, place.folder / LAST)
        found = Sweep(place.folder)
        place.kept_by(found)
    return found


def _factor(path: str, values: Sequence[float | str] | str) -> "Factor":
    """What is varied: numbers and texts, each once, or what the command line would be told."""
    from sim.experiments.factors import Factor, parse_factor

    if isinstance(values, str) and path.strip():
        return parse_factor(f"{path}={values}")
    listed = [each.item() if hasattr(each, "item") else each for each in values]
    good = all(isinstance(each, str | int | float) and not isinstance(each, bool) for each in listed)
    if not listed or not good or len({*map(str, listed)}) < len(listed) or path == "seed":
        raise InputError(
            f"sweep: {path}: expected a list of numbers or texts, each once, of a key other than seed; got {values!r:.60}."
        )
    return Factor(path, tuple(listed))
