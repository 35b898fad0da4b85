"""From what the YAML reader returns to plain values, with the line each came from."""

from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from sim.vocabulary import InputError

Path_ = tuple[str | int, ...]
Origins = dict[Path_, str]
"""By place in the tree, where a value came from."""


DEEPEST, MOST = 40, 1_000_000
"""Levels and values of a tree; far beyond what anybody writes, and soon reached by an alias that holds itself."""


def plain(node: Any, place: Path_, file: str, origins: Origins) -> Any:
    """Strip a round-trip tree to plain values and note each value's line in `origins`.

    Raises
    ------
    InputError
        It is deeper, or holds more, than can be meant.
    """
    if len(place) > DEEPEST or len(origins) > MOST:
        raise InputError(
            f"{origins[place]}: expected at most {DEEPEST} levels and {MOST:,} values, got more (does an alias hold itself?)."
        )
    if isinstance(node, CommentedMap):
        keys: dict[str, Any] = {}
        for key, value in node.items():
            here = (*place, str(key))
            origins[here] = f"{file}:{_line(node, node.lc.key, key)}"
            keys[str(key)] = plain(value, here, file, origins)
        return keys
    if isinstance(node, CommentedSeq):
        items: list[Any] = []
        for index, value in enumerate(node):
            here = (*place, index)
            origins[here] = f"{file}:{_line(node, node.lc.item, index)}"
            items.append(plain(value, here, file, origins))
        return items
    if isinstance(node, bool) or node is None:
        return node
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return str(node)


def _line(node: Any, line_of: Any, key: Any) -> int:
    try:
        return int(line_of(key)[0]) + 1
    except (KeyError, TypeError):  # a merged key (<<) has no line of its own
        return int(node.lc.line) + 1
