"""Facts of a finished run's log as one table: of a kind, of an order, or of both."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.facts import SIGNATURES
from sim.recording import ParquetArchive
from sim.vocabulary import InputError

if TYPE_CHECKING:
    import pyarrow as pa


def facts_of(folder: Path, kind: str | None = None, order: int | None = None) -> "pa.Table":
    """Facts as they happened: `seq`, `t_s`, `kind`, and the columns that any of them fills.

    Parameters
    ----------
    folder
        Of a finished run.
    kind
        One kind of fact; None: of all kinds those that name `order`.
    order
        An order's number; None: of every order.

    Raises
    ------
    InputError
        There is no such kind, it names no order, or neither was given.
    """
    from difflib import get_close_matches

    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if kind is None and order is None:
        raise InputError("facts: expected a kind of fact or an order, got neither (the whole log is events.parquet).")
    if kind is not None and kind not in SIGNATURES:
        close = get_close_matches(kind, SIGNATURES, n=3, cutoff=0.4)
        raise InputError(
            f"facts: expected a kind of fact, such as {', '.join(close or list(SIGNATURES)[:3])}; got {kind!r}."
        )
    if kind is not None and order is not None and "order" not in SIGNATURES[kind]:
        raise InputError(f"facts: expected a kind of fact that names an order, got {kind}.")
    path = folder / "events.parquet"
    ParquetArchive(path)  # says what is wrong with a file that is none of ours
    filters: list[Any] = [] if kind is None else [("kind", "=", kind)]
    filters += [] if order is None else [("order", "=", order)]
    columns = None if kind is None else ["seq", "t_s", "kind", *SIGNATURES[kind]]
    table = pq.read_table(path, columns=columns, filters=filters)
    table = table.take(pc.sort_indices(table, [("seq", "ascending")]))
    if kind is not None:
        return table
    return table.select(
        [name for name in table.column_names if table.column(name).null_count < len(table) or len(table) == 0]
    )
