"""The pages of a run: its report and its replay."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sim.report.page import write_report
from sim.report.replay import write_replay


def write_pages(folder: Path, summary: Mapping[str, Any]) -> Path:
    """Write a run's ``report.html`` and, where it has drivers, its ``replay.html``.

    Parameters
    ----------
    folder
        Holds the run's manifest, tables and log; ``summary.json`` need not be there yet.
    summary
        The object of summary.json.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    InputError
        The folder is not a run's, or cannot be written to.
    """
    report = write_report(folder, summary)
    if (folder / "events.parquet").is_file():  # who has no room for the log has no replay
        write_replay(folder)
    return report
