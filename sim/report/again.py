"""The page of whatever a folder holds, written again from its files: of a run, a comparison, a sweep or a plan."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.report.comparison import comparison_leaf
from sim.report.leaf import Leaf, write_leaf
from sim.report.planned import capacity_leaf, stress_leaf
from sim.report.selected import selected_leaf
from sim.report.sited import sites_leaf
from sim.report.staffed import staff_leaf
from sim.report.swept import swept_leaf
from sim.vocabulary import InputError

_PLANS: dict[str, Callable[[Mapping[str, Any]], Leaf]] = {
    "capacity": capacity_leaf, "stress": stress_leaf, "staff": staff_leaf, "sites": sites_leaf,
}  # fmt: skip


def write_page_of(folder: Path) -> Path | None:
    """Write an experiment's page again; None where the folder holds none of them.

    Raises
    ------
    InputError
        Its file is none of ours.
    """
    for name, leaf_of in (("comparison.json", _compared), ("sweep.json", _swept), ("plan.json", _planned)):
        path = folder / name
        if path.is_file():
            try:
                return write_leaf(leaf_of(json.loads(path.read_text(encoding="utf-8")), folder), folder)
            except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
                raise InputError(f"{path}: expected what darkstore wrote there, got something else.") from error
    return None


def _compared(found: Mapping[str, Any], folder: Path) -> Leaf:
    return (
        selected_leaf(found) if "selection" in found else comparison_leaf(found, _days(folder / "replications.parquet"))
    )


def _swept(found: Mapping[str, Any], folder: Path) -> Leaf:
    return swept_leaf(found)


def _planned(found: Mapping[str, Any], folder: Path) -> Leaf:
    return _PLANS[found["kind"]](found)


def _days(path: Path) -> Mapping[str, Sequence[Mapping[str, float | None]]] | None:
    """By variant, the figures of each replication; None where the table is gone."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        return None
    try:
        rows = pq.read_table(path).to_pylist()
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(
            f"{path}: expected a table of a comparison, got: {str(error).splitlines()[0].rstrip('.')}."
        ) from error
    found: dict[str, list[dict[str, float | None]]] = {}
    for row in rows:
        days = found.setdefault(row["variant"], [])
        while len(days) <= row["replication"]:
            days.append({})
        days[row["replication"]][row["metric"]] = row["value"]
    return found
