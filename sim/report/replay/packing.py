"""Numbers for a page: columns as small integers, one after the other, deflated and written in base64.

A column of ascending numbers is kept as differences, and the bytes of wide numbers are put plane by plane (all first bytes, then
all second ones), which deflates a good deal better. The page's script does the reverse (``templates/replay/data.js``).
"""

import base64
import zlib
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

NOT_KNOWN: Final = -1
"""A time, or an id, of which there is none."""

PER_S: Final = 100
"""Times are told in hundredths of a second."""

_LEVEL: Final = 6
"""Of deflate: the highest takes six times as long for a twenty-fifth less."""


def ticks(times_s: Any) -> NDArray[np.int64]:
    """Times in seconds as hundredths, rounded; nan as `NOT_KNOWN`."""
    given = np.asarray(times_s, dtype=np.float64)
    known = np.isfinite(given)
    return np.where(known, np.rint(np.where(known, given, 0.0) * PER_S), NOT_KNOWN).astype(np.int64)


@dataclass
class Pack:
    """Columns by name, as they go into a page."""

    index: list[dict[str, Any]] = field(default_factory=list)
    _parts: list[bytes] = field(default_factory=list)

    def add(self, name: str, column: Any, *, ascending: bool = False) -> None:
        """Take a column of whole numbers; `ascending`: keep it as differences.

        Raises
        ------
        ValueError
            A number does not fit into 32 bits.
        """
        values = np.asarray(column, dtype=np.int64)
        if ascending:
            values = np.diff(values, prepend=0)
        low, high = int(values.min(initial=0)), int(values.max(initial=0))
        kinds = ("u1", "u2", "u4") if low >= 0 else ("i1", "i2", "i4")
        kind = next((k for k in kinds if np.iinfo(k).min <= low and high <= np.iinfo(k).max), None)
        if kind is None:
            raise ValueError(f"Expected numbers of 32 bits in {name}, got {low} to {high}.")
        width = int(kind[1])
        planes = values.astype(f"<{kind}").view(np.uint8).reshape(-1, width).T if len(values) else np.empty((0,))
        self.index.append({"name": name, "kind": kind, "length": len(values), "ascending": ascending})
        self._parts.append(np.ascontiguousarray(planes).astype(np.uint8).tobytes())

    def text(self) -> str:
        """All columns: deflated (zlib), in base64."""
        return base64.b64encode(zlib.compress(b"".join(self._parts), _LEVEL)).decode("ascii")


def unpacked(index: list[dict[str, Any]], text: str) -> dict[str, NDArray[np.int64]]:
    """What was packed: the reverse, as the page does it."""
    raw = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=np.uint8)
    found, at = dict[str, NDArray[np.int64]](), 0
    for entry in index:
        width, length = int(entry["kind"][1]), int(entry["length"])
        planes = raw[at : at + width * length].reshape(width, length)
        values = np.ascontiguousarray(planes.T).view(f"<{entry['kind']}").ravel().astype(np.int64)
        found[entry["name"]] = np.cumsum(values) if entry["ascending"] else values
        at += width * length
    return found
