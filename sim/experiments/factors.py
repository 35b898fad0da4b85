"""Factors of a sweep: what is written after ``--vary``, and the points that come of it."""

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

from sim.experiments.variants import load_asked, split
from sim.scenario import Scenario
from sim.scenario.settings import SHORT
from sim.statistics.designs import Design, unit_points
from sim.vocabulary import InputError

MOST = 20_000
"""Points at most: beyond it a slip is likelier than a wish."""

Value = float | str


class Factor(NamedTuple):
    """A key of the scenario that is varied: over values, or over a range to draw from (whole where both ends are)."""

    path: str
    values: tuple[Value, ...] = ()
    low: float = 0.0
    high: float = 0.0
    whole: bool = False


class Point(NamedTuple):
    """One combination: of each factor its value, and the scenario."""

    values: tuple[Value, ...]
    scenario: Scenario


def parse_factor(text: str) -> Factor:
    """Read ``path=A,B,C``, ``path=A:B:STEP`` (both ends included) or ``path=A:B``, a range to draw from.

    Raises
    ------
    InputError
        It is none of these.
    """
    path, equals, said = (part.strip() for part in text.partition("="))
    if not equals or not path or not said:
        raise InputError(f"--vary {text}: expected path=A,B,C or path=A:B:STEP, such as drivers.count=20:60:5.")
    if path == "seed":
        raise InputError(
            f"--vary {text}: expected another key: the days are the same at all points, and --reps says how many."
        )
    ends = said.split(":")
    if len(ends) in (2, 3) and all(_number(end) is not None for end in ends):
        low, high, *step = (float(end) for end in ends)
        if not low < high or (step and not 0.0 < step[0] <= high - low):
            raise InputError(f"--vary {text}: expected A below B and a step from above 0 to B - A, got {said}.")
        whole = all(_whole(end) for end in ends)
        if not step:
            return Factor(path, (), low, high, whole)
        count = math.floor((high - low) / step[0] + 1e-9) + 1
        if count > MOST:
            raise InputError(f"--vary {text}: expected at most {MOST:,} values, got {count:,}.")
        values = [round(low + place * step[0], 12) for place in range(count)]
        return Factor(path, tuple(int(value) if whole else value for value in values))
    listed = [_value(part) for part in split(said)]
    if len(set(map(str, listed))) < len(listed):
        raise InputError(f"--vary {text}: expected each value once, got {said}.")
    return Factor(path, tuple(listed))


def written(factor: Factor) -> str:
    """A factor as `parse_factor` reads it."""
    if factor.values:
        return f"{factor.path}={','.join(map(str, factor.values))}"
    ends = (int(end) if factor.whole else end for end in (factor.low, factor.high))
    return f"{factor.path}={':'.join(map(str, ends))}"


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _whole(text: str) -> bool:
    return text.strip().lstrip("+-").isdecimal()


def _value(text: str) -> Value:
    if _whole(text):
        return int(text)
    number = _number(text)
    return text if number is None else number


def combinations(factors: Sequence[Factor], design: Design, count: int, seed: int) -> list[tuple[Value, ...]]:
    """The points of a design, each factor's value in order.

    Parameters
    ----------
    count
        How many, where they are drawn.
    seed
        Of the draws.

    Raises
    ------
    InputError
        The factors do not suit the design, or there are too many points.
    """
    paths = [SHORT.get(factor.path, factor.path) for factor in factors]
    for place, path in enumerate(paths):
        for before in paths[:place]:
            one_holds_other = path.startswith(f"{before}.") or before.startswith(f"{path}.")
            # A policy and its parameters go together, whichever is said first.
            if path == before or (one_holds_other and not path.startswith("policies.")):
                raise InputError(
                    f"--vary: expected each path once, got {before} and {path}, of which one sets the other."
                )
    if design == "grid":
        ranges = [factor.path for factor in factors if not factor.values]
        if ranges:
            raise InputError(
                f"--vary {ranges[0]}: expected a list A,B,C or steps A:B:STEP for a grid; "
                "a range A:B is for --design lhs or sobol."
            )
        size = math.prod(len(factor.values) for factor in factors)
        if size > MOST:
            raise InputError(
                f"--vary: expected at most {MOST:,} combinations, got {size:,}; try --design sobol --points 64."
            )
        return list(product(*(factor.values for factor in factors)))
    drawn = unit_points(design, len(factors), count, seed)
    found = [tuple(_at(factor, float(share)) for factor, share in zip(factors, row, strict=True)) for row in drawn]
    return list(dict.fromkeys(found))  # whole numbers and words may come twice


def _at(factor: Factor, share: float) -> Value:
    if factor.values:
        return factor.values[min(int(share * len(factor.values)), len(factor.values) - 1)]
    if factor.whole:
        return int(min(factor.low + math.floor(share * (factor.high - factor.low + 1.0)), factor.high))
    return float(f"{factor.low + share * (factor.high - factor.low):.6g}")


def points(
    name: str,
    factors: Sequence[Factor],
    rows: Sequence[tuple[Value, ...]],
    settings: Sequence[str],
    policies: Mapping[str, str],
) -> list[Point]:
    """Load the scenario of each combination; `settings` and `policies` are what all of them have.

    Raises
    ------
    InputError
        One of them will not do; says which.
    """
    found = []
    for values in rows:
        asked = [f"{factor.path}={value}" for factor, value in zip(factors, values, strict=True)]
        # Which policy comes before what its parameters are.
        chosen = dict(policies)
        rest = list(settings)
        options: list[tuple[str, Sequence[str], Mapping[str, str]]] = []
        for setting in asked:
            path, _, value = setting.partition("=")
            parts = path.split(".")
            if len(parts) == 2 and parts[0] == "policies":
                chosen[parts[1]] = value
                options.append((f"--vary {setting}", (), {parts[1]: value}))
            else:
                rest.append(setting)
                options.append((f"--vary {setting}", [setting], {}))
        found.append(Point(values, load_asked(name, rest, chosen, options)))
    return found
