"""From a YAML file to a validated scenario, with errors that name file, line, path and what was expected.

A scenario may say ``extends: NAME|FILE`` and then holds only what differs. Every value remembers the file and line it
came from (or the ``--set`` that gave it), so an error points at the place to mend.
"""

import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from sim import __version__
from sim.scenario.business import PolicyNames
from sim.scenario.origins import culprit
from sim.scenario.plain import Origins, Path_, plain
from sim.scenario.settings import apart, override, override_parameter
from sim.scenario.tree import Scenario
from sim.shipped import shipped_root
from sim.vocabulary import InputError


def shipped_scenarios() -> dict[str, Path]:
    """Return the scenarios inside the package by name."""
    return {path.stem: path for path in sorted(shipped_root().glob("*.yaml"))}


def find_scenario(name_or_file: str, relative_to: Path | None = None) -> Path:
    """Find a scenario by shipped name or path.

    Raises
    ------
    InputError
        When there is no such name or file; lists the shipped names.
    """
    shipped = shipped_scenarios()
    if name_or_file in shipped:
        return shipped[name_or_file]
    path = Path(name_or_file)
    if relative_to is not None and not path.is_absolute():
        path = relative_to / path
    if path.is_file():
        return path
    if path.is_dir():
        raise InputError(f"{path}: expected a scenario file, got a directory.")
    close = get_close_matches(name_or_file, shipped, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    raise InputError(f"{name_or_file}: expected a scenario file or one of: {', '.join(shipped)}; found neither{hint}.")


def _parse(text: str, file: str) -> CommentedMap:
    try:
        tree = YAML(typ="rt").load(io.StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        problem = (error.problem or error.context or "not YAML").splitlines()[0]
        raise InputError(f"{file}{line}: expected YAML, got: {problem}.") from error
    except (YAMLError, ValueError) as error:
        raise InputError(f"{file}: expected YAML, got: {str(error).splitlines()[0]}.") from error
    if tree is None:
        tree = CommentedMap()
    if not isinstance(tree, CommentedMap):
        what = "a list" if isinstance(tree, list) else "a single value"
        raise InputError(f"{file}:1: expected a mapping of scenario keys, got {what}.")
    return tree


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected a YAML text file in UTF-8, got binary data.") from error
    except OSError as error:
        raise InputError(f"{path}: expected a readable scenario file, got: {error.strerror}.") from error


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = (
            _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) and key not in _WHOLE else value
        )
    return merged


_WHOLE = {"vehicles", "zone", "map", "buildings"}
"""Mappings that are one value: a new one replaces the old one."""


def _layers(path: Path, seen: tuple[Path, ...] = ()) -> tuple[dict[str, Any], Origins]:
    origins: Origins = {}
    tree = plain(_parse(_read(path), str(path)), (), str(path), origins)
    parent = tree.pop("extends", None)
    if parent is None:
        return tree, origins
    if not isinstance(parent, str):
        raise InputError(f"{origins[('extends',)]}: extends: expected a scenario's name or file, got {parent!r}.")
    try:
        parent_path = find_scenario(parent, path.parent)
    except InputError as error:
        raise InputError(f"{origins[('extends',)]}: extends: {error}") from None
    if parent_path in seen or parent_path == path:
        raise InputError(f"{origins[('extends',)]}: extends: expected no circle, got {parent!r} again.")
    base, base_origins = _layers(parent_path, (*seen, path))
    for own in ("name", "description"):  # what a scenario is called is not inherited
        base.pop(own, None)
        base_origins.pop((own,), None)
    return _merge(base, tree), {**base_origins, **origins}


def _keys_at(place: Path_) -> list[str]:
    """Return the keys the tree knows at a path, for suggestions."""
    model: Any = Scenario
    for part in place:
        if isinstance(part, int):
            continue
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return []
        field = model.model_fields.get(part)
        if field is None:
            continue
        model = _branch_of(field.annotation)
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _branch_of(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = _branch_of(argument)
        if found is not None:
            return found
    return None


_EXPECTED = {
    "greater_than": "a value > {gt}", "greater_than_equal": "a value >= {ge}",
    "less_than": "a value < {lt}", "less_than_equal": "a value <= {le}",
    "int_type": "a whole number", "int_from_float": "a whole number", "int_parsing": "a whole number",
    "float_type": "a number", "float_parsing": "a number", "finite_number": "a finite number",
    "string_type": "a text", "bool_type": "true or false", "bool_parsing": "true or false",
    "tuple_type": "a list", "dict_type": "a mapping of keys", "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
    "too_short": "at least {min_length} entries", "too_long": "at most {max_length} entries",
    "literal_error": "{expected}", "string_pattern_mismatch": "a text like {pattern}",
}  # fmt: skip


def _explain(error: Any, origins: Origins, file: str) -> str:
    place = _place(error, origins)
    known: Path_ = place
    while known and known not in origins:
        known = known[:-1]
    below = (origin for given, origin in origins.items() if given[: len(place)] == place and origin.startswith("--"))
    where = origins.get(known) or next(below, f"{file}:1" if file else "scenario")
    path = ".".join(map(str, place))
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        keys = _keys_at(place[:-1])
        close = get_close_matches(str(place[-1]), keys, n=1, cutoff=0.5)
        hint = f" (did you mean {close[0]}?)" if close else ""
        listed = ", ".join(keys) if not close else "a known key"
        return f"{where}: {path}: expected {listed if not close else 'a known key'}, got {place[-1]!r}{hint}."
    if kind == "missing":
        return f"{where}: {path}: expected a value, got none."
    if kind == "value_error":
        text = str(context.get("error", error["msg"])).rstrip(".")
        text = text.removeprefix("Expected ").removeprefix("expected ")
        # The text says which keys do not go together: of the whole tree, or of the branch, the one to mend first.
        named = re.match(r"([a-z_]+(?:\.\w+)*): ", text)
        suspects = _keys_in(text) if not place else [f"{path}.{named[1]}", path] if named else [path]
        where = culprit({".".join(map(str, key)): origin for key, origin in origins.items()}, suspects) or where
        if named and not place:
            path, text = named[1], text[named.end() :]
        got = (
            ""
            if ", got " in text or "; got " in text or isinstance(error["input"], dict | BaseModel)
            else f", got {error['input']!r}"
        )
        return f"{where}: {path + ': ' if path else ''}expected {text}{got}."
    expected = _EXPECTED.get(kind, error["msg"]).format(**context) if kind in _EXPECTED else error["msg"]
    value = error["input"]
    choices = [choice.strip("'") for choice in str(context.get("expected", "")).replace(" or ", ", ").split(", ")]
    close = get_close_matches(value, choices, n=1) if isinstance(value, str) and kind == "literal_error" else []
    hint = f" (did you mean {close[0]}?)" if close else ""
    shown = f"a mapping with {', '.join(map(str, value)) or 'no keys'}" if isinstance(value, dict) else repr(value)
    return f"{where}: {path}: expected {expected}, got {shown}{hint}."


def _keys_in(text: str) -> list[str]:
    """Paths of keys that a text may name, in its order."""
    return re.findall(r"[a-z_]+(?:\.[a-z_0-9]+)*", text)


def _place(error: Any, origins: Origins) -> Path_:
    """The path of an error in the user's words: pydantic also names the branch of a union that it tried."""
    place: Path_ = ()
    for index, part in enumerate(error["loc"]):
        last = index == len(error["loc"]) - 1
        given = (*place, part) in origins
        named = last and error["type"] in ("extra_forbidden", "missing")
        tag = isinstance(part, str) and (part[:1].isupper() or "[" in part or part in _UNION_TAGS)
        if given or named or not tag:
            place = (*place, part)
    return place


_UNION_TAGS = {"str", "float", "int", "none", "constrained-str", "tuple"}


def _choose(errors: Sequence[Any]) -> Any:
    """Of several complaints, return the one that helps most: unknown keys first, then the deepest place."""

    def rank(error: Any) -> tuple[bool, int]:
        return (error["type"] != "extra_forbidden", -len(error["loc"]))

    return min(errors, key=rank)


def _validated(
    tree: dict[str, Any], origins: Origins, file: str, base: Path, overrides: Iterable[str], policies: Mapping[str, str]
) -> Scenario:
    whole, of_policies = apart(overrides)
    for setting in whole:
        override(tree, origins, setting)
    for family, spec in policies.items():
        node = tree.get("policies")
        if not isinstance(node, dict):
            node = tree["policies"] = {}
        node[family] = spec
        origins[("policies", family)] = f"--policy {family}={spec}"
    for setting in of_policies:
        override_parameter(tree, setting)
    try:
        scenario = Scenario.model_validate(tree)
    except ValidationError as error:
        raise InputError(_explain(_choose(error.errors()), origins, file)) from None
    scenario._base = base
    named = [family for family in PolicyNames.model_fields if origins.get(("policies", family), "").startswith("--")]
    scenario._from_command_line = frozenset(named)
    scenario._origins = {".".join(map(str, place)): origin for place, origin in origins.items()}
    return scenario


def load(name_or_file: str, overrides: Iterable[str] = (), policies: Mapping[str, str] | None = None) -> Scenario:
    """Load a scenario by shipped name or file.

    Parameters
    ----------
    name_or_file
        A path, or the name of a shipped scenario.
    overrides
        ``path=value`` settings, applied in order.
    policies
        Family -> spec from the command line; these may name the user's own files.

    Raises
    ------
    InputError
        ``file:line: path.to.key: expected ..., got ...`` on anything wrong.
    """
    path = find_scenario(name_or_file)
    tree, origins = _layers(path)
    tree.setdefault("name", path.stem)
    return _validated(tree, origins, str(path), path.parent, overrides, policies or {})


def load_text(
    text: str, overrides: Iterable[str] = (), policies: Mapping[str, str] | None = None, *, file: str = "<text>"
) -> Scenario:
    """Load a scenario from YAML text (no ``extends``), for tests and the Python API."""
    origins: Origins = {}
    tree = plain(_parse(text, file), (), file, origins)
    return _validated(tree, origins, file, Path.cwd(), overrides, policies or {})


def resolved(scenario: Scenario) -> dict[str, Any]:
    """Return the whole tree with every default filled in, as plain JSON values."""
    tree: dict[str, Any] = scenario.model_dump(mode="json")
    return tree


def fingerprint(scenario: Scenario, contents: Mapping[str, bytes] | None = None) -> str:
    """Return 12 hexadecimal digits that name what is simulated: the resolved tree but its seed, the version, and files.

    `contents` maps a role ("map", "demand.trace") to the bytes (or a digest) of the file the scenario names.
    """
    tree = resolved(scenario)
    for key in ("seed", "description"):
        del tree[key]
    text = json.dumps([__version__, tree], sort_keys=True, separators=(",", ":"))
    whole = hashlib.sha256(text.encode())
    for role in sorted(contents or {}):
        whole.update(role.encode() + b"\0" + hashlib.sha256((contents or {})[role]).digest())
    return whole.hexdigest()[:12]
