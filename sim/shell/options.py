"""Options that several commands have, and how they are read."""

from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from sim.vocabulary import InputError

ScenarioName = Annotated[str, typer.Argument(help="A scenario file, or a shipped name (darkstore scenario list).")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, max=2**64 - 1, help="Seed of all chance.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Override a key; may be given often.")
]
Policy = Annotated[
    list[str] | None,
    typer.Option("--policy", metavar="FAMILY=SPEC", help="name, name(param=value) or file.py:Class(...)."),
]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes (default: one per core).")]
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", metavar="ADDRESS", help="Run on a Dask cluster instead, such as tcp://host:8786."),
]
Out = Annotated[Path | None, typer.Option("--out", help="The result's own folder (default: under results/).")]
Force = Annotated[bool, typer.Option("--force", help="Replace a finished result.")]
Code = Annotated[bool, typer.Option("--allow-code", help="Let the scenario file load policies from Python files.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]


class How(NamedTuple):
    """Who works, where the result goes, and how it is told: what every experiment is asked."""

    workers: int | None
    cluster: str | None
    allow_code: bool
    out: Path | None
    force: bool
    as_json: bool
    quiet: bool

    @property
    def silent(self) -> bool:
        """Whether no progress is shown."""
        return self.quiet or self.as_json


def families(specs: list[str] | None) -> dict[str, str]:
    """Read ``FAMILY=SPEC`` options.

    Raises
    ------
    InputError
        One is not of that form, or there is no such family.
    """
    from sim.contracts import FAMILIES

    chosen: dict[str, str] = {}
    for spec in specs or ():
        family, equals, name = spec.partition("=")
        if not equals or family not in FAMILIES:
            raise InputError(f"--policy {spec}: expected FAMILY=SPEC with a family of: {', '.join(FAMILIES)}.")
        chosen[family] = name
    return chosen


def settings(setting: list[str] | None, seed: int | None) -> list[str]:
    """Overrides of scenario keys, the seed among them."""
    return list(setting or ()) + ([f"seed={seed}"] if seed is not None else [])


def share(text: str, option: str) -> float:
    """Read a share such as ``5%`` or ``0.05``.

    Raises
    ------
    InputError
        It is none, or not above 0 and below 1.
    """
    digits, percent = text.strip().removesuffix("%"), text.strip().endswith("%")
    try:
        value = float(digits) / (100.0 if percent else 1.0)
    except ValueError:
        value = -1.0
    if not 0.0 < value < 1.0:
        raise InputError(f"{option}: expected a share such as 5% or 0.05, above 0 and below 100 %, got {text!r}.")
    return value


def hours(text: str | None, option: str) -> float:
    """Read hours, 0 or more.

    Raises
    ------
    InputError
        They are none.
    """
    try:
        value = float(text or "")
    except ValueError:
        value = -1.0
    if not 0.0 <= value < float("inf"):
        raise InputError(f"{option}: expected hours, 0 or more, or auto; got {text!r}.")
    return value
