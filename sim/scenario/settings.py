"""Settings ``path=value`` on top of a scenario: keys of the tree, and parameters of its policies."""

from collections.abc import Iterable
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sim.contracts import FAMILIES
from sim.menu import known_parameter, parse_spec
from sim.scenario.business import PolicyNames
from sim.scenario.plain import Origins, Path_, plain
from sim.vocabulary import InputError

SHORT = {"fleet.drivers": "drivers.count", "fleet.pickers": "pickers.per_store"}
"""Names by which planners call what the tree has elsewhere."""


def apart(settings: Iterable[str]) -> tuple[list[str], list[str]]:
    """Tell settings of the tree's keys from those of policies' parameters (``policies.dispatch.every_s=30``)."""
    whole: list[str] = []
    of_policies: list[str] = []
    for setting in settings:
        path = setting.partition("=")[0].strip().split(".")
        (of_policies if len(path) == 3 and path[0] == "policies" and path[1] in FAMILIES else whole).append(setting)
    return whole, of_policies


def _read(setting: str) -> tuple[str, Any]:
    """The path and the value, which is read as YAML."""
    path, equals, text = setting.partition("=")
    path = path.strip()
    if not equals or not path:
        raise InputError(f"--set {setting}: expected path=value, for example drivers.count=40.")
    try:
        value = plain(YAML(typ="rt").load(StringIO(text)), (), "", {})
    except (YAMLError, ValueError, InputError) as error:
        raise InputError(f"--set {setting}: expected a YAML value after the =, got {text!r}.") from error
    return SHORT.get(path, path), value


def override_parameter(tree: dict[str, Any], setting: str) -> None:
    """Set a parameter of the policy that a family has, whatever else was said of it.

    Where the spec came from stays as it was: a scenario's own code is not let in by setting a parameter of it.
    """
    path, value = _read(setting)
    _, family, parameter = path.split(".")
    node = tree.setdefault("policies", {})
    if not isinstance(node, dict):
        raise InputError(f"--set {setting}: expected policies by family in the scenario, got {node!r}.")
    spec = str(node.get(family) or PolicyNames.model_fields[family].default)
    name, parameters = parse_spec(spec, f"--set {setting}")
    said = ", ".join(f"{each}={what!r}" for each, what in (parameters | {parameter: value}).items())
    node[family] = f"{name}({said})"
    # What no policy takes, and a value that no parameter can have, is this setting's fault.
    known_parameter(family, name, parameter, f"--set {setting}")
    parse_spec(node[family], f"--set {setting}")


def override(tree: dict[str, Any], origins: Origins, setting: str) -> None:
    """Apply one ``path=value``; the value is read as YAML."""
    path_text, value = _read(setting)
    path: Path_ = tuple(int(part) if part.isascii() and part.isdigit() else part for part in path_text.split("."))
    node: Any = tree
    for here, part in enumerate(path[:-1]):
        if isinstance(node, list):
            if not isinstance(part, int) or part >= len(node):
                raise InputError(
                    f"--set {setting}: {path_text}: expected a place below {len(node)} in the list, got {part!r}."
                )
            node = node[part]
        elif isinstance(node, dict):
            child = node.get(str(part))
            if not isinstance(child, dict | list):
                child = node[str(part)] = {}
            node = child
        else:
            raise InputError(
                f"--set {setting}: expected a key to set, but {'.'.join(map(str, path[:here]))} is a value."
            )
    last = path[-1]
    if isinstance(node, list):
        if not isinstance(last, int) or last >= len(node):
            raise InputError(f"--set {setting}: expected a place below {len(node)} in the list, got {last!r}.")
        node[last] = value
    else:
        node[str(last)] = value
    for known in [known for known in origins if known[: len(path)] == path]:
        del origins[known]
    for depth in range(1, len(path) + 1):  # what it had to make on the way comes from it as well
        origins.setdefault(path[:depth], f"--set {setting}")
