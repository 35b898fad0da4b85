"""What is asked for in Python, as the command line would be told: settings, policies, and the folder."""

import json
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from sim.contracts import FAMILIES
from sim.own import Own, spec_of
from sim.vocabulary import InputError


class Told(NamedTuple):
    """Settings ``path=value``, policies by family as text, and those of them that were handed over as objects."""

    settings: list[str]
    policies: dict[str, str]
    own: tuple[Own, ...]

    def command(self) -> list[str]:
        """The same as options of the command line."""
        said = [word for setting in self.settings for word in ("--set", setting)]
        return said + [word for family, spec in self.policies.items() for word in ("--policy", f"{family}={spec}")]


def whole(count: Any, name: str = "reps") -> None:
    """See that a number of things is one.

    Raises
    ------
    InputError
        It is none.
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise InputError(f"{name}: expected a whole number of 1 or more, got {count!r}.")


def told(
    settings: Mapping[str, Any] | None,
    policies: Mapping[str, Any] | None,
    seed: int | None = None,
    known: tuple[Own, ...] = (),
) -> Told:
    """Put settings and policies as the command line would be told them.

    Parameters
    ----------
    settings
        Values by path, as Python values: ``{"drivers.count": 60, "demand.surges": []}``.
    policies
        By family: a text such as ``nearest(ride_s_max=600)``, a class, or an object.
    known
        Policies handed over before, whose texts are taken.

    Raises
    ------
    InputError
        Something is none of these.
    """
    for name, given in (("set", settings), ("policies", policies)):
        if given is not None and not isinstance(given, Mapping):
            raise InputError(f"{name}: expected a mapping, such as {{'drivers.count': 60}}; got {given!r:.60}.")
    texts = [f"{_path(path)}={_value(path, value)}" for path, value in (settings or {}).items()]
    if seed is not None:
        texts.append(f"seed={_value('seed', seed)}")
    specs: dict[str, str] = {}
    own = list(known)
    for family, policy in (policies or {}).items():
        if family not in FAMILIES:
            raise InputError(f"policies: expected a family of: {', '.join(FAMILIES)}; got {family!r}.")
        specs[family] = policy if isinstance(policy, str) else _handed(family, policy, own)
    return Told(texts, specs, tuple(own))


def _path(path: Any) -> str:
    if not isinstance(path, str) or not path or "=" in path:
        raise InputError(f"set: expected a key of the scenario, such as 'drivers.count', got {path!r}.")
    return path


def _value(path: str, value: Any) -> str:
    """A value as YAML text; JSON is part of it."""
    try:
        return json.dumps(value, default=_plain, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"set: {path}: expected numbers, texts, lists or mappings of them, got {value!r:.80}."
        ) from error


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # numpy's and pandas's numbers and arrays
        return value.tolist()
    raise TypeError


def _handed(family: str, policy: Any, own: list[Own]) -> str:
    """Take a policy that is an object; its text, which no other one has."""
    if not callable(policy):
        raise InputError(
            f"policies: {family}: expected a text, a class or something callable with a view, got {policy!r:.80}."
        )
    first = spec = spec_of(policy)
    count = 1
    while any(each.family == family and each.spec == spec and each.made is not policy for each in own):
        count += 1
        name, bracket, rest = first.partition("(")
        spec = f"{name}#{count}{bracket}{rest}"
    if not any(each.family == family and each.spec == spec for each in own):
        own.append(Own(family, spec, policy))
    return spec


class Place:
    """Where a result goes: the folder that somebody named, or a temporary one, which goes with the result.

    Used as a context, it leaves no temporary folder behind where something went wrong.

    Attributes
    ----------
    folder
        To be written by whoever makes the result.
    """

    def __init__(self, out: str | Path | None) -> None:
        self._around = None if out is not None else Path(tempfile.mkdtemp(prefix="darkstore-"))
        self.folder = Path(out) if out is not None else Path(self._around or "") / "result"

    def __enter__(self) -> Self:
        """Nothing is there yet."""
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Remove a temporary folder where there was an error."""
        if kind is not None and self._around is not None:
            shutil.rmtree(self._around, ignore_errors=True)

    def kept_by(self, owner: object) -> None:
        """Remove a temporary folder once its owner is gone, or Python is."""
        if self._around is not None:
            weakref.finalize(owner, shutil.rmtree, self._around, ignore_errors=True)
