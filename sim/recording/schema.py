"""How facts lie in memory and on disk: one packed row type per fact, one wide table for all of them.

In memory every kind of fact has its own buffer of packed rows (time first, then the fact's parameters in order). On disk
all kinds share one table, ``events.parquet``, whose columns are `seq`, `t_s`, `kind` and the union of the parameters;
each row group holds one kind, so reading a kind reads only its own bytes, and sorting by `seq` gives the day in order.
"""

from enum import IntEnum
from struct import Struct
from typing import Any, Final

import numpy as np
import pyarrow as pa

from sim.facts import COLUMNS, SIGNATURES

KINDS: Final = tuple(SIGNATURES)
"""Fact names; the index of a name is its code in the log."""

CODES: Final = {kind: code for code, kind in enumerate(KINDS)}

_WIDE = {"value_cents", "cents", "version"}


def _format(name: str) -> str:
    annotation = COLUMNS[name]
    if annotation is float:
        return "d"
    if annotation is bool:
        return "?"
    if isinstance(annotation, type) and issubclass(annotation, IntEnum):
        return "b"
    return "q" if name in _WIDE else "i"


FORMATS: Final = {name: _format(name) for name in COLUMNS}
ENUMS: Final = {n: a for n, a in COLUMNS.items() if isinstance(a, type) and issubclass(a, IntEnum)}
_NUMPY: Final = {"d": "<f8", "?": "?", "b": "i1", "q": "<i8", "i": "<i4"}
_ARROW: Final = {"d": pa.float64(), "?": pa.bool_(), "q": pa.int64(), "i": pa.int32()}


def row_struct(kind: str) -> Struct:
    """Return the packed layout of one fact's row."""
    return Struct("<d" + "".join(FORMATS[name] for name in SIGNATURES[kind]))


def row_dtype(kind: str) -> np.dtype[Any]:
    """Return the NumPy record type of one fact's rows, with the same bytes as `row_struct`."""
    return np.dtype([("t_s", "<f8"), *((name, _NUMPY[FORMATS[name]]) for name in SIGNATURES[kind])])


DTYPES: Final = tuple(row_dtype(kind) for kind in KINDS)


def _arrow_type(name: str) -> pa.DataType:
    if name in ENUMS:
        return pa.dictionary(pa.int8(), pa.string())
    return _ARROW[FORMATS[name]]


TABLE: Final = pa.schema(
    [
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("t_s", pa.float64(), nullable=False),
        pa.field("kind", pa.dictionary(pa.int8(), pa.string()), nullable=False),
        *(pa.field(name, _arrow_type(name)) for name in COLUMNS),
    ]
)

_KIND_NAMES: Final = pa.array(KINDS)
_ENUM_NAMES: Final = {name: pa.array([member.name.lower() for member in enum]) for name, enum in ENUMS.items()}


def to_table(kind: str, seq: Any, rows: Any) -> pa.Table:
    """Lay rows of one kind out as a slice of the wide table."""
    n = len(rows)
    columns: list[pa.Array] = []
    for field in TABLE:
        if field.name == "seq":
            columns.append(pa.array(seq))
        elif field.name == "kind":
            codes = pa.array(np.full(n, CODES[kind], dtype=np.int8))
            columns.append(pa.DictionaryArray.from_arrays(codes, _KIND_NAMES))
        elif field.name != "t_s" and field.name not in SIGNATURES[kind]:
            columns.append(pa.nulls(n, field.type))
        elif field.name in ENUMS:
            codes = pa.array(np.ascontiguousarray(rows[field.name]))
            columns.append(pa.DictionaryArray.from_arrays(codes, _ENUM_NAMES[field.name]))
        else:
            columns.append(pa.array(np.ascontiguousarray(rows[field.name]), field.type))
    return pa.Table.from_arrays(columns, schema=TABLE)


def from_table(table: pa.Table, dtype: np.dtype[Any]) -> Any:
    """Turn a slice of the wide table back into rows with the fields of `dtype`: the inverse of `to_table`."""
    rows = np.empty(table.num_rows, dtype=dtype)
    for name in dtype.names or ():
        column = table.column(name)
        if name in ENUMS:
            codes = {member.name.lower(): int(member) for member in ENUMS[name]}
            column = column.combine_chunks()
            column = column.chunk(0) if isinstance(column, pa.ChunkedArray) and column.num_chunks else column
            if len(column):
                names = column.dictionary.to_pylist()
                lookup = np.array([codes[text] for text in names], dtype=np.int8)
                rows[name] = lookup[column.indices.to_numpy(zero_copy_only=False)]
        else:
            rows[name] = column.to_numpy()
    return rows
