"""What a finished run's folder says of its sales: for a run that goes on from it, and for forecasts that learn from it."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from sim.contracts import HISTORY_DAYS_MAX, SalesHistory
from sim.recording import SUMMARY, ParquetArchive, sold_by_day
from sim.scenario import Scenario
from sim.scenario.calendar import Calendar
from sim.vocabulary import InputError

EVENTS = "events.parquet"


def sales_of(folder: Path, skus: int, place: str) -> SalesHistory:
    """Read the sales of a run's last eight weeks; the last day is that of its close, as far as it had come.

    Parameters
    ----------
    skus
        How many SKUs its stores must have.
    place
        Where the folder is named, for messages.

    Raises
    ------
    InputError
        It is no finished run's folder, or that of other goods.
    """
    for name in (SUMMARY, "manifest.json", EVENTS):
        if not (folder / name).is_file():
            raise InputError(f"{place}: expected a finished run's folder, got {folder} without {name}.")
    try:
        manifest: Any = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        shape = len(manifest["world"]["stores"]), int(manifest["world"]["skus"])
        scenario = Scenario.model_validate(manifest["scenario"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{place}: expected a finished run's folder, got {folder} with a manifest.json that will not do"
            f" ({type(error).__name__})."
        ) from error
    if shape[1] != skus:
        raise InputError(f"{place}: expected a run with {skus} SKUs, got {folder} with {shape[1]}.")
    calendar = Calendar.of(scenario)
    last = calendar.day(scenario.end_s)
    days = range(max(0, last - HISTORY_DAYS_MAX), last + 1)
    return SalesHistory(
        weekdays=np.array([calendar.weekday(day) for day in days], dtype=np.int64),
        sold=sold_by_day(ParquetArchive(folder / EVENTS), scenario.midnight_s, days, shape),
        open_share=np.array([calendar.open_share(day, 0.0, scenario.horizon_s) for day in days]),
    )
