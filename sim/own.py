"""Policies that somebody hands over as Python objects, such as a class written in a notebook.

A scenario names its policies by text. One that is handed over gets a text of its own, ``python:Class(param=value)``, and
lies at hand under it for as long as what is done with it lasts; workers are sent the object itself (by value where it was
written in a notebook or a script), so that they need no file and no package.
"""

import ast
import copy
import dataclasses
import inspect
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

PREFIX: Final = "python:"
"""What the text of such a policy begins with."""


class Own(NamedTuple):
    """A policy handed over: its family, the text that names it, and the class or object."""

    family: str
    spec: str
    made: Any


_AT_HAND: dict[tuple[str, str], Any] = {}


@contextmanager
def at_hand(policies: Iterable[Own]) -> Iterator[None]:
    """Have policies at hand by family and text; afterwards things are as they were."""
    before = dict(_AT_HAND)
    _AT_HAND.update({(each.family, each.spec): each.made for each in policies})
    try:
        yield
    finally:
        _AT_HAND.clear()
        _AT_HAND.update(before)


def handed_over(family: str, spec: str) -> Any:
    """The class or object that lies at hand under a text; None where there is none."""
    return _AT_HAND.get((family, spec))


def afresh(made: Any) -> Any:
    """A policy for one run: an instance of a class; a copy of an object, so that no run sees what another left in it."""
    return made() if inspect.isclass(made) else copy.deepcopy(made)


def spec_of(made: Any) -> str:
    """The text that names a class or an object: a dataclass's parameters are in it where they are plain values."""
    kind = made if inspect.isclass(made) or inspect.isroutine(made) else type(made)
    name = PREFIX + str(getattr(kind, "__name__", "policy")).strip("<>")
    if not dataclasses.is_dataclass(made) or inspect.isclass(made):
        return name
    values = {field.name: repr(getattr(made, field.name)) for field in dataclasses.fields(made)}
    try:
        for text in values.values():
            ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return name
    return f"{name}({', '.join(f'{field}={text}' for field, text in values.items())})" if values else name


def source_of(made: Any) -> bytes:
    """The source of a policy's own methods, as far as it can be had: what it decides by is part of what a run simulates."""
    kind = made if inspect.isclass(made) or inspect.isroutine(made) else type(made)
    parts = []
    for each in (kind, *vars(kind).values()) if inspect.isclass(kind) else (kind,):
        if inspect.isroutine(each):
            try:
                parts.append(inspect.getsource(each))
            except (OSError, TypeError):
                continue
    return "\n".join(parts).encode()
