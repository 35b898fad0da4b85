"""``sim.compare``: two or more ways to do a thing, on the same days."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.api.asked import Place, told, whole
from sim.contracts import FAMILIES
from sim.vocabulary import InputError

if TYPE_CHECKING:
    import pandas as pd

LAST = "comparison.json"
"""Written last: its presence means that the folder is whole."""


class Comparison:
    """What a comparison found.

    Attributes
    ----------
    folder : Path
        Holds ``comparison.json``, ``replications.parquet`` and the page; a temporary one, which goes with this object, where no
        `out` was named.
    found : dict
        The object of ``comparison.json``.
    """

    def __init__(self, folder: str | Path) -> None:
        from sim.reading.files import read_json

        self.folder = Path(folder)
        self.found: dict[str, Any] = read_json(self.folder / LAST)

    @cached_property
    def table(self) -> "pd.DataFrame":
        """One row per metric and variant: beside the base's mean its own, and the paired difference.

        Columns: `metric`, `variant`, `base`, `mean`, `difference` with its 95 % interval `low` to `high`, `p` (adjusted for all
        rows by Holm's rule) and `verdict`. Figures are in the units of ``summary.json``: seconds, shares of one, cents.
        """
        import pandas as pd

        rows = []
        for row in self.found["rows"]:
            change = (row["difference"] or {}).get("change") or {}
            rows.append(
                {
                    "metric": row["metric"], "variant": row["variant"], "base": (row["base"] or {}).get("mean"),
                    "mean": (row["mean"] or {}).get("mean"), "difference": change.get("mean"), "low": change.get("low"),
                    "high": change.get("high"), "p": row["p_holm"], "verdict": row["verdict"],
                }
            )  # fmt: skip
        return pd.DataFrame(rows)

    @cached_property
    def days(self) -> "pd.DataFrame":
        """Every figure of every day: `variant`, `replication`, `metric`, `value`."""
        from sim.api.frames import frame
        from sim.reading.files import read_table

        return frame(read_table(self.folder / "replications.parquet"))

    def report(self) -> Path:
        """The comparison's page."""
        from sim.report.page import REPORT

        return self.folder / REPORT

    def __repr__(self) -> str:
        """What was compared."""
        variants = ", ".join(self.found["variants"])
        return f"<Comparison of {variants} on {self.found['replications']} days of {self.found['scenario']}>"

    def _repr_html_(self) -> str:
        from sim.api.markup import leaf_html
        from sim.report.comparison import comparison_leaf

        return leaf_html(comparison_leaf(self.found))


def compare(
    scenario: str | Path = "default",
    variants: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    reps: int = 10,
    metrics: Sequence[str] | None = None,
    seed: int | None = None,
    set: Mapping[str, Any] | None = None,
    policies: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    force: bool = False,
    workers: int | None = None,
    allow_code: bool = False,
) -> Comparison:
    """Compare ways to run a scenario on the same days, as ``darkstore compare`` does.

    Parameters
    ----------
    scenario
        A shipped name or a file.
    variants
        Two or more by name, each a mapping: a policy by its family, or a value by its key. The first is the base. A policy is a
        text, or your own as a class or an object, as for `sim.run`.
    reps
        Days: replications of each variant.
    metrics
        Keys of ``summary.json`` to look at; by default the headline figures.
    seed, set, policies
        What all variants have.
    out, force, workers, allow_code
        As for `sim.run`.

    Raises
    ------
    InputError
        Something given will not do.

    Examples
    --------
    >>> sim.compare("small", {"now": {"dispatch": "nearest"}, "new": {"dispatch": "matching", "drivers.count": 80}}, reps=5).table
    """
    from sim.experiments.comparison import as_json, write_json, write_tidy
    from sim.experiments.comparison import compare as held_against
    from sim.experiments.figures import HEADLINE, known_metric
    from sim.experiments.place import whole_folder
    from sim.experiments.pool import Crew
    from sim.experiments.variants import Variant, no_policy
    from sim.own import at_hand
    from sim.report.comparison import comparison_leaf
    from sim.report.leaf import write_leaf
    from sim.scenario import load

    whole(reps)
    if not isinstance(variants, Mapping) or len(variants) < 2:
        raise InputError(
            'compare: expected two or more variants, such as {"now": {"dispatch": "nearest"}, "new": {"dispatch": "matching"}}; '
            f"got {variants!r:.60}."
        )
    looked_at = [known_metric(each, "metrics:") for each in dict.fromkeys(metrics or HEADLINE)]
    all_have = told(set, policies, seed)
    asked, own = [], all_have.own
    for name, wanted in variants.items():
        if wanted == {}:
            no_policy(str(name))
        if not isinstance(wanted, Mapping):
            raise InputError(
                f"compare: variant {name}: expected a mapping of policies by family and values by key, got {wanted!r:.60}."
            )
        mine = told(
            {key: value for key, value in wanted.items() if key not in FAMILIES},
            {key: value for key, value in wanted.items() if key in FAMILIES}, known=own,
        )  # fmt: skip
        own = mine.own
        asked.append((str(name), mine))
    with Place(out) as place, at_hand(own), whole_folder(place.folder, force=force, last=LAST) as work:
        chosen = []
        for name, mine in asked:
            said = ",".join([*(f"{family}={spec}" for family, spec in mine.policies.items()), *mine.settings])
            both = all_have.policies | mine.policies
            loaded = load(str(scenario), [*all_have.settings, *mine.settings], both)
            chosen.append(Variant(name, f"{name}:{said}" if said else name, loaded))
        seeds = {each.scenario.seed for each in chosen}
        if len(seeds) > 1:
            raise InputError("compare: expected one seed, for the same days are compared; got several.")
        found = held_against(
            chosen, looked_at, reps, Crew(workers, allow_code=allow_code, own=own), named=metrics is not None
        )
        words = [word for each in chosen for word in ("--variant", each.asked)]
        command = ["darkstore", "compare", str(scenario), *words, *all_have.command(), "--reps", str(reps)]
        result = as_json(found) | {"currency": chosen[0].scenario.costs.currency, "command": command}
        write_tidy(found.table, work / "replications.parquet")
        write_leaf(comparison_leaf(result, found.table), work)
        write_json(result, work / LAST)
    compared = Comparison(place.folder)
    place.kept_by(compared)
    return compared
