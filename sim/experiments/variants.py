"""Variants of a scenario: what is written after ``--variant``, and the scenarios that come of it."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sim.contracts import FAMILIES
from sim.menu import menu
from sim.scenario import Scenario, load
from sim.vocabulary import InputError

_NAME = re.compile(r"^[\w.+-]{1,20}$")


class Variant(NamedTuple):
    """One way to run the scenario: its name, how it was asked for, and the scenario."""

    name: str
    asked: str
    scenario: Scenario


def split(text: str) -> list[str]:
    """Split at commas outside brackets: ``dispatch=matching(a=1,b=2),drivers.count=9`` has two parts."""
    parts, depth, begin = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append(text[begin:place])
            begin = place + 1
    return [part.strip() for part in (*parts, text[begin:]) if part.strip()]


def parse_variant(text: str) -> tuple[str, list[str], dict[str, str]]:
    """Read ``NAME:family=SPEC[,path=value]...``; returns the name, the settings and the policies by family.

    A name alone is the scenario as it is.

    Raises
    ------
    InputError
        It is not of that form.
    """
    name, _, rest = text.partition(":")
    if not _NAME.match(name):
        raise InputError(
            f"--variant {text}: expected NAME:family=SPEC,path=value with a name of up to 20 letters, digits, . + - or _; "
            f"got the name {name!r}."
        )
    settings, policies = [], {}
    for part in split(rest):
        key, equals, value = part.partition("=")
        if not equals or not key or not value:
            raise InputError(f"--variant {text}: expected family=SPEC or path=value after the name, got {part!r}.")
        if key in FAMILIES:
            policies[key] = value
        else:
            settings.append(part)
    return name, settings, policies


def no_policy(name: str) -> None:
    """Hold that a variant without any change is not called as a policy is: its name alone chooses none.

    Raises
    ------
    InputError
        It is.
    """
    families = sorted(family for family, policies in menu().items() if name in policies)
    if families:
        family = "dispatch" if "dispatch" in families else families[0]
        raise InputError(
            f"compare: expected what variant {name} changes, got nothing (the {family} policy: {name}:{family}={name})."
        )


def alike(variants: Sequence[Variant]) -> list[tuple[str, str]]:
    """Pairs of variants that come to the same scenario, by name: the first such and each like it."""
    found = []
    for place, one in enumerate(variants):
        before = next((each for each in variants[:place] if _same(each.scenario, one.scenario)), None)
        if before is not None:
            found.append((before.name, one.name))
    return found


def _same(one: Scenario, other: Scenario) -> bool:
    told = {"name", "description"}
    return one.model_dump(exclude=told) == other.model_dump(exclude=told)


def load_asked(
    scenario: str,
    settings: Sequence[str],
    policies: Mapping[str, str],
    asked: Sequence[tuple[str, Sequence[str], Mapping[str, str]]],
) -> Scenario:
    """Load a scenario of which options other than --set and --policy asked for some keys; what is refused names them.

    Parameters
    ----------
    settings, policies
        All of them.
    asked
        An option as it was written, with the settings and policies that come of it.

    Raises
    ------
    InputError
        It cannot be loaded.
    """
    names = {f"--set {setting}": option for option, own, _ in asked for setting in own}
    names |= {f"--policy {family}={spec}": option for option, _, own in asked for family, spec in own.items()}
    try:
        found = load(scenario, settings, policies)
    except InputError as error:
        for usual, option in names.items():
            if str(error).startswith(f"{usual}: "):
                raise InputError(f"{option}{str(error).removeprefix(usual)}") from error
        raise
    # What is refused later, a policy's parameter or what does not go together, is told by where its key comes from.
    found.origins.update({key: names[origin] for key, origin in found.origins.items() if origin in names})
    return found


def variants_of(
    scenarios: Sequence[str], asked: Sequence[str], settings: Sequence[str] = (), policies: dict[str, str] | None = None
) -> list[Variant]:
    """Load the variants to compare: those asked for of one scenario, or several scenarios as they are.

    Parameters
    ----------
    scenarios, asked
        Scenario names or files; what was written after each ``--variant``.
    settings, policies
        What all of them have.

    Raises
    ------
    InputError
        There are fewer than two, two have one name, seeds differ, or one cannot be loaded.
    """
    both = policies or {}
    if len(scenarios) > 1 and asked:
        raise InputError("compare: expected one scenario with --variant, or several scenarios without; got both.")
    found = []
    if asked:
        for text in asked:
            name, own, chosen = parse_variant(text)
            if not own and not chosen:
                no_policy(name)
            option = f"--variant {text}", own, chosen
            scenario = load_asked(scenarios[0], [*settings, *own], both | chosen, [option])
            found.append(Variant(name, text, scenario))
    else:
        for each in scenarios:
            scenario = load(each, settings, both)
            found.append(Variant(scenario.name, each, scenario))
    if len(found) < 2:
        raise InputError(
            "compare: expected two or more to compare, such as --variant base:dispatch=nearest "
            f"--variant new:dispatch=matching, or several scenarios; got {len(found)}."
        )
    names = [variant.name for variant in found]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"compare: expected a name for each variant, got {name!r} twice.")
    seeds = {variant.scenario.seed for variant in found}
    if len(seeds) > 1:
        raise InputError(
            f"compare: expected one seed, for the same days are compared; got {', '.join(map(str, sorted(seeds)))} (give --seed)."
        )
    return found
