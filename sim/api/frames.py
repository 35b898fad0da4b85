"""Arrow tables as pandas has them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def frame(table: Any) -> "pd.DataFrame":
    """An Arrow table as a DataFrame: whole numbers stay whole where some are missing; words are plain strings."""
    import pandas as pd
    import pyarrow as pa

    columns: dict[str, Any] = {}
    for field in table.schema:
        column = table.column(field.name)
        if pa.types.is_integer(field.type) and column.null_count:
            columns[field.name] = column.to_pandas(types_mapper=_whole)
        elif pa.types.is_dictionary(field.type):
            columns[field.name] = column.cast(field.type.value_type).to_pandas()
        else:
            columns[field.name] = column.to_pandas()
    return pd.DataFrame(columns)


def _whole(kind: Any) -> Any:
    import pandas as pd

    return pd.Int64Dtype()
