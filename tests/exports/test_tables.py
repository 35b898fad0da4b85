"""CSV: what a run's tables hold, and nothing else."""

import pandas as pd
import pyarrow.parquet as pq

from sim.exports import TABLES


def test_every_table_has_its_rows_and_columns(exported, folder):
    place = exported("csv")
    assert {path.name for path in place.iterdir()} == {f"{name}.csv" for name in TABLES}
    for name in TABLES:
        read, table = pd.read_csv(place / f"{name}.csv"), pq.read_table(folder / f"{name}.parquet")
        assert list(read.columns) == table.column_names
        assert len(read) == table.num_rows


def test_figures_come_back_exactly_and_what_is_not_known_is_empty(exported, folder):
    read = pd.read_csv(exported("csv") / "orders.csv")
    known = pq.read_table(folder / "orders.parquet").to_pandas()
    assert (read["entered_s"] == known["entered_s"]).all()
    assert (read["state"] == known["state"].astype(str)).all()
    assert (read["delivered_s"].isna() == known["delivered_s"].isna()).all()
    assert known["delivered_s"].isna().any()
