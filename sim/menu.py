"""The menu of policies: from a name in a scenario, or a user's own file, to a policy with its parameters.

Our policies are entry points of the group ``darkstore.policies`` named ``family.name``, like anybody's plug-in; a class
is resolved without importing our own package by name, so a worker process finds it the same way.
"""

import ast
import dataclasses
import importlib.util
import inspect
import math
import re
import sys
import zlib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from sim.contracts import FAMILIES, Policies
from sim.guard import guarded_policy
from sim.own import afresh, handed_over
from sim.vocabulary import InputError

GROUP = "darkstore.policies"
_BARE = re.compile(
    r"""(\w+)\s*=\s*(?!(?i:true|false|none)\b)(?=[^,]*[A-Za-z/\\:])([^\s,()\[\]{}"'=][^,()\[\]{}"'=]*)(?=,|$)"""
)
"""A parameter whose value has neither quotes nor brackets, but a letter, a slash or a colon in it."""
_SPEC = re.compile(r"^\s*(?P<target>[^()]+?)\s*(?:\((?P<arguments>.*)\))?\s*$", re.DOTALL)


@cache
def menu() -> dict[str, dict[str, EntryPoint]]:
    """Return family -> policy name -> entry point, in alphabetical order."""
    found: dict[str, dict[str, EntryPoint]] = {family: {} for family in FAMILIES}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        family, _, name = entry.name.partition(".")
        if family in found and name:
            found[family][name] = entry
    return found


def parse_spec(spec: str, place: str) -> tuple[str, dict[str, Any]]:
    """Split ``name(param=value, ...)`` into the name and its parameters (Python literals only).

    Raises
    ------
    InputError
        When the text is not of that form; `place` says where it stands.
    """
    match = _SPEC.match(spec)
    expected = "expected name, name(param=value, ...) or file.py:Class(...)"
    if not match:
        raise InputError(f"{place}: {expected}, got {spec!r}.")
    arguments: dict[str, Any] = {}
    if match["arguments"]:
        try:
            call = ast.parse(f"f({match['arguments']})", mode="eval").body
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
                raise ValueError(spec)
            if call.args or any(keyword.arg is None for keyword in call.keywords):
                raise InputError(f"{place}: {expected} with named parameters only, got {spec!r}.")
            if len({keyword.arg for keyword in call.keywords}) < len(call.keywords):
                raise InputError(f"{place}: {expected} with each parameter once, got {spec!r}.")
            arguments = {str(keyword.arg): _literal(keyword.value) for keyword in call.keywords}
        except (SyntaxError, ValueError) as error:
            raise InputError(f"{place}: {expected}, got {spec!r}{_bare_text(match['arguments'])}.") from error
    return match["target"], arguments


def _literal(value: ast.expr) -> Any:
    """A value as Python writes it, or, of the two truths, as YAML does."""
    return _TRUTHS[value.id] if isinstance(value, ast.Name) and value.id in _TRUTHS else ast.literal_eval(value)


_TRUTHS = {"true": True, "false": False}


def _bare_text(arguments: str) -> str:
    """A hint for arguments that are no literals, where one of them is a text without quotes; empty where none is."""
    for name, value in _BARE.findall(arguments):
        try:
            ast.literal_eval(value.strip())
        except (SyntaxError, ValueError):
            if value.strip().lower().lstrip("+-.") in ("nan", "inf", "infinity"):
                return f" ({name}: expected a finite number)"
            return f" (a text needs quotes: {name}={value.strip()!r})"
    return ""


def _from_file(target: str, place: str, base: Path) -> Any:
    path_text, _, name = target.rpartition(":")
    path = base / path_text
    if not path.is_file():
        raise InputError(f"{place}: expected a Python file, found nothing at {path}.")
    module_name = f"darkstore_user_{zlib.crc32(str(path.resolve()).encode()):x}"
    module_spec = importlib.util.spec_from_file_location(module_name, path)
    if module_spec is None or module_spec.loader is None:
        raise InputError(f"{place}: expected a Python file, got {path_text}.")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[module_name] = module
    try:
        module_spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise InputError(f"{place}: {path_text} could not be loaded: {type(error).__name__}: {error}") from error
    if not hasattr(module, name):
        written = [each for each, found in vars(module).items() if getattr(found, "__module__", None) == module_name]
        raise InputError(
            f"{place}: expected a class of {path_text}, one of: {', '.join(written) or 'none is in it'}; found no {name!r}."
        )
    return getattr(module, name)


def known_parameter(family: str, target: str, parameter: str, place: str) -> None:
    """Hold that a policy of the menu has a parameter; of one in a file it is seen when that is loaded.

    Raises
    ------
    InputError
        It has none of that name; says which it has.
    """
    try:
        factory = menu()[family][target].load()
    except Exception:  # no such policy, or a plug-in that does not load: told of where policies are built
        return
    _known_to(factory, parameter, target, place)


def _known_to(factory: Any, name: str, target: str, place: str) -> None:
    known = _signature(factory)
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise InputError(
            f"{place}: expected a parameter of {target}, one of: {', '.join(known) or 'none'}; got {name!r}{hint}."
        )


def _signature(target: Any) -> list[str]:
    return [name for name in inspect.signature(target).parameters if name != "self"]


_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "float": ((int, float), "a finite number"),
    "int": ((int,), "a whole number"),
    "str": ((str,), "a text"),
    "bool": ((bool,), "True or False"),
}


def kind_of(field: "dataclasses.Field[Any]") -> str:
    """A parameter's annotation as it is written, such as ``float`` or ``float | None``."""
    return field.type.__name__ if isinstance(field.type, type) else str(field.type)


def _check_types(factory: Any, arguments: Mapping[str, Any], place: str) -> None:
    """Hold arguments against a dataclass's simple annotations, which Python itself does not."""
    for field in dataclasses.fields(factory) if dataclasses.is_dataclass(factory) else ():
        name, optional, _ = kind_of(field).partition(" | None")
        if field.name not in arguments or name not in _KINDS or (optional and arguments[field.name] is None):
            continue
        value, (kinds, words) = arguments[field.name], _KINDS[name]
        wrong = not isinstance(value, kinds) or (isinstance(value, bool) and name != "bool")
        if wrong or (isinstance(value, float) and not math.isfinite(value)):
            raise InputError(f"{place}: Expected {field.name} to be {words}, got {value!r}.")


_MOST = 1e9
"""Largest number that a parameter of ours takes, either way: beyond it columns of whole numbers overflow."""

_LONGEST_S = 366 * 86_400.0
"""Longest time that a parameter of ours takes, seconds: as long as a run may last."""


def _check_sizes(arguments: Mapping[str, Any], place: str) -> None:
    """Refuse numbers that no shop has; how small they may be each policy says itself."""
    for name, value in arguments.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        most, words = (
            (_LONGEST_S, "a time of at most 366 days, in seconds") if name.endswith("_s") else (_MOST, "at most 1e9")
        )
        if not abs(value) <= most:
            raise InputError(f"{place}: Expected {name} to be {words}, got {str(value)[:40]}.")


def build_policy(family: str, spec: str, place: str, *, allow_code: bool, base: Path | None = None) -> Any:
    """Build one policy from its spec.

    Parameters
    ----------
    family
        A key of `sim.contracts.FAMILIES`.
    spec
        ``name``, ``name(param=value, ...)`` or ``path/to/file.py:Class(...)``; or the text of one that lies at hand (`sim.own`).
    place
        Where the spec stands, for error messages.
    allow_code
        Whether a ``file.py:Class`` may be executed.
    base
        The folder that a relative file is relative to; by default the working folder.

    Raises
    ------
    InputError
        Unknown name (lists the menu), unknown or bad parameter, code not allowed.
    """
    made = handed_over(family, spec)
    if made is not None:
        return _own_policy(family, made, f"{place}: {spec}")
    target, arguments = parse_spec(spec, place)
    if ".py:" in target:
        if not allow_code:
            raise InputError(
                f"{place}: expected a policy from the menu, got the file {target!r}; a scenario may load code only with"
                " --allow-code (or name the file on the command line with --policy)."
            )
        factory = _from_file(target, place, base or Path.cwd())
    elif target.endswith(".py"):
        raise InputError(f"{place}: expected a class in the file, as in {target}:Class or {target}:Class(param=value).")
    else:
        names = menu()[family]
        if target not in names:
            close = get_close_matches(target, names, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            listed = ", ".join(names) or "none is installed; is darkstore installed in this environment?"
            raise InputError(f"{place}: expected a {family} policy, one of: {listed}; got {target!r}{hint}.")
        try:
            factory = names[target].load()
        except Exception as error:
            raise InputError(f"{place}: the plug-in {names[target].value} could not be loaded: {error}") from error
    if not callable(factory):
        raise InputError(f"{place}: expected {target} to be a class, got {type(factory).__name__}.")
    for name in arguments:
        _known_to(factory, name, target, place)
    _check_types(factory, arguments, f"{place}: {target}")
    ours = ".py:" not in target and menu()[family][target].value.startswith("policies.")
    if ours:
        _check_sizes(arguments, f"{place}: {target}")
    try:
        policy = factory(**arguments)
    except Exception as error:
        raise InputError(
            f"{place}: {target}: {type(error).__name__ + ': ' if not isinstance(error, ValueError) else ''}{error}"
        ) from error
    if not callable(policy):
        raise InputError(f"{place}: expected {target} to be callable with a view, got {type(policy).__name__}.")
    return policy if ours else guarded_policy(family, policy, f"{place}: {target}")


def _own_policy(family: str, made: Any, name: str) -> Any:
    try:
        policy = afresh(made)
    except Exception as error:
        raise InputError(f"{name}: {type(error).__name__}: {error}") from error
    if not callable(policy):
        raise InputError(f"{name}: expected a policy that is callable with a view, got {type(policy).__name__}.")
    return guarded_policy(family, policy, name)


def build_policies(
    specs: Mapping[str, str], places: Mapping[str, str], bases: Mapping[str, Path], *, allow_code: frozenset[str]
) -> Policies:
    """Build one policy per family; `allow_code` names the families that may be loaded from a file.

    Parameters
    ----------
    specs, places, bases
        By family: the spec, where it stands, and the folder that its file is relative to.
    """
    return Policies(
        **{
            family: build_policy(
                family, specs[family], places[family], allow_code=family in allow_code, base=bases[family]
            )
            for family in FAMILIES
        }
    )


def describe(policy_class: Any) -> tuple[str, list[tuple[str, Any]]]:
    """Return a policy's first doc sentence and its parameters with defaults."""
    doc = (inspect.getdoc(policy_class) or "").split("\n\n")[0].replace("\n", " ")
    if dataclasses.is_dataclass(policy_class):
        return doc, [(field.name, field.default) for field in dataclasses.fields(policy_class)]
    parameters = inspect.signature(policy_class).parameters.values()
    return doc, [(p.name, p.default) for p in parameters]
