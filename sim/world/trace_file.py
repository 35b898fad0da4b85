"""Orders from a file instead of a distribution: CSV or Parquet with one row per order."""

from pathlib import Path
from typing import Any

import numpy as np

from sim.scenario import Scenario
from sim.streams import quantised
from sim.vocabulary import InputError
from sim.world.catalogue import Catalogue
from sim.world.demand import Wishes
from sim.world.geography import Geography
from sim.world.places import SNAP_LIMIT_M, nearest_node

WHOLE = "a whole number"


def read_wishes(scenario: Scenario, path: Path, geography: Geography, catalogue: Catalogue) -> Wishes:
    """Read orders: ``entered_s`` (seconds since the start), a place (``lat, lon`` or ``node``), ``skus`` and ``units``.

    A basket is written as whole numbers with semicolons between (``12;7;300`` and ``1;2;1``); ``units`` may be left out
    (one of each). Rows may come in any order of time; rows at or after the horizon are left out.

    Raises
    ------
    InputError
        Names the file, the row and what was expected.
    """
    frame = _read(path)
    missing = [name for name in ("entered_s", "skus") if name not in frame]
    if missing or not ("node" in frame or {"lat", "lon"} <= set(frame)):
        raise InputError(
            f"{path}: expected the columns entered_s, skus, and node or lat and lon; got: {', '.join(frame)}."
        )
    rows = []
    for index in range(len(frame["entered_s"])):
        where = f"{path}: row {index + 1}"
        entered = _number(frame["entered_s"][index], f"{where}: entered_s", 0.0, float("inf"))
        skus = [_whole(text, f"{where}: skus", 0, catalogue.skus - 1) for text in _parts(frame["skus"][index])]
        units = [1] * len(skus)
        if "units" in frame:
            units = [_whole(text, f"{where}: units", 1, 1e6) for text in _parts(frame["units"][index])]
        if len(units) != len(skus) or not skus:
            raise InputError(
                f"{where}: expected as many units as skus, at least one, got {len(units)} and {len(skus)}."
            )
        if "node" in frame:
            node = _whole(frame["node"][index], f"{where}: node", 0, len(geography.lat) - 1)
        else:
            lat = _number(frame["lat"][index], f"{where}: lat", -90, 90)
            lon = _number(frame["lon"][index], f"{where}: lon", -180, 180)
            node, metres = nearest_node(geography, lat, lon)
            if metres > SNAP_LIMIT_M:
                raise InputError(f"{where}: expected a place on the map {geography.name}, got {lat:g}, {lon:g}.")
        if entered < scenario.horizon_s:
            basket: dict[int, int] = {}
            for sku, count in zip(skus, units, strict=True):
                basket[sku] = basket.get(sku, 0) + count
            rows.append((entered, node, sorted(basket.items())))
    rows.sort(key=lambda row: row[0])
    lines = [line for row in rows for line in row[2]]
    return Wishes(
        entered_s=quantised(np.array([row[0] for row in rows])),
        node=np.array([row[1] for row in rows], dtype=np.int32),
        first_line=np.concatenate([[0], np.cumsum([len(row[2]) for row in rows])]).astype(np.int64),
        sku=np.array([line[0] for line in lines], dtype=np.int32),
        units=np.array([line[1] for line in lines], dtype=np.int32),
    )


def _read(path: Path) -> dict[str, list[Any]]:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    if not path.is_file():
        what = "a directory" if path.is_dir() else "nothing"
        raise InputError(f"{path}: expected a CSV or Parquet file of orders, found {what} there.")
    try:
        if path.suffix == ".parquet":
            table = pq.read_table(path)
        else:
            texts = pyarrow.csv.ConvertOptions(column_types={"skus": pa.string(), "units": pa.string()})
            table = pyarrow.csv.read_csv(path, convert_options=texts)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: expected a CSV or Parquet file of orders, got: {_ascii(error)}") from error
    columns: dict[str, list[Any]] = table.to_pydict()
    return columns


def _parts(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    return [part for part in str(value).split(";") if part.strip()]


def _number(value: Any, where: str, low: float, high: float, kind: str = "a number") -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not low <= number <= high or number == float("inf") or (kind == WHOLE and number != int(number)):
        limit = f"{low:g} to {high:g}" if high < float("inf") else f">= {low:g}"
        raise InputError(f"{where}: expected {kind} {limit}, got {value!r}.")
    return number


def _whole(value: Any, where: str, low: float, high: float) -> int:
    return int(_number(value, where, low, high, WHOLE))


def _ascii(error: Exception) -> str:
    """The first line of an error that may quote binary data."""
    return str(error).splitlines()[0][:120].encode("ascii", "replace").decode()
