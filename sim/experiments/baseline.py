"""A baseline: what some figures were, day by day, in a small file that is reviewed and kept with the code."""

import json
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sim import __version__
from sim.reading.files import read_json
from sim.vocabulary import InputError

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Baseline:
    """Figures of replications, to hold later ones of the same days against.

    Attributes
    ----------
    scenario, seed, fingerprint, version
        What was simulated: its name, its days, what exactly, and by which darkstore.
    figures
        By metric, its value in each replication; None where there was nothing to observe.
    """

    scenario: str
    seed: int
    fingerprint: str
    version: str
    figures: Mapping[str, Sequence[float | None]]

    @property
    def replications(self) -> int:
        """How many days it holds."""
        return len(next(iter(self.figures.values())))


def read_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises
    ------
    InputError
        It is missing or not one; says how to make one.
    """
    if path.is_dir():
        raise InputError(f"{path}: expected a file for the baseline, got a folder.")
    if not path.exists():
        raise InputError(
            f"{path}: expected a baseline; make one with darkstore check ... --baseline {path} --update-baseline."
        )
    tree = read_json(path)
    lacking = [key for key in ("scenario", "seed", "fingerprint", "darkstore", "figures") if key not in tree]
    if tree.get("schema") != SCHEMA or lacking:
        raise InputError(
            f"{path}: expected a baseline of schema {SCHEMA}, got one without {', '.join(lacking) or 'it'}."
        )
    figures, days = tree["figures"], -1
    if not isinstance(figures, dict) or not figures or not isinstance(tree["seed"], int):
        raise InputError(f"{path}: expected figures by metric and a whole seed, got other JSON.")
    found: dict[str, list[float | None]] = {}
    for metric, row in figures.items():
        values = row.get("days") if isinstance(row, dict) else None
        if not isinstance(values, list) or not all(value is None or _is_number(value) for value in values):
            raise InputError(f"{path}: figures.{metric}: expected days with a number each, got {str(values)[:60]}.")
        if not values or days not in (-1, len(values)):
            raise InputError(f"{path}: figures.{metric}: expected as many days as of the others, got {len(values)}.")
        days = len(values)
        found[metric] = values
    return Baseline(str(tree["scenario"]), tree["seed"], str(tree["fingerprint"]), str(tree["darkstore"]), found)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def write_baseline(
    path: Path, scenario: str, seed: int, fingerprint: str, figures: Mapping[str, Sequence[float | None]]
) -> None:
    """Write a baseline, whole or not at all; a line for each figure, so that a review sees which moved.

    Raises
    ------
    InputError
        It cannot be written there.
    """
    if path.is_dir():
        raise InputError(f"{path}: expected a file for the baseline, got a folder.")
    lines = []
    for metric in sorted(figures):
        known = [value for value in figures[metric] if value is not None]
        mean = math.fsum(known) / len(known) if known else None
        lines.append(
            f"  {json.dumps(metric)}: {json.dumps({'mean': mean, 'days': list(figures[metric])}, allow_nan=False)}"
        )
    head = {"schema": SCHEMA, "darkstore": __version__, "scenario": scenario, "seed": seed, "fingerprint": fingerprint}
    text = ",\n".join(f" {json.dumps(name)}: {json.dumps(value)}" for name, value in head.items())
    text = "{\n" + text + ',\n "figures": {\n' + ",\n".join(lines) + "\n }\n}\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path}: expected a place that can be written to, got: {error.strerror}.") from error
