"""What ``darkstore run`` does: one run to a folder, or replications of it with intervals."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sim.engine import Progress
from sim.experiments.replicate import combine, replicate
from sim.experiments.runs import Result, run_to_folder
from sim.scenario import Scenario


def run_scenario(
    scenario: Scenario,
    out: Path | None = None,
    *,
    reps: int = 1,
    workers: int | None = None,
    force: bool = False,
    command: Sequence[str] = (),
    allow_code: bool = False,
    progress: Callable[[Progress], None] | None = None,
    done: Callable[[int], None] | None = None,
    finish: Callable[[Path, dict[str, Any]], Any] | None = None,
) -> Result:
    """Run a scenario and write its folder.

    With replications, the folder holds the files of replication 0, the summaries of all of them
    (``replications.jsonl``, one a line), and their joint summary with intervals. The default folder's name then says so.

    Parameters
    ----------
    reps
        Independent replications.
    workers
        Processes for them; by default one per core.
    progress, done
        Told how far the first replication has come; how many of the others are finished.
    finish
        Writes the report, given the folder and the summary.
    """
    if reps == 1:
        return run_to_folder(
            scenario, out, force=force, command=command, allow_code=allow_code, progress=progress, finish=finish
        )
    joint: dict[str, Any] = {}

    def others(folder: Path, first: dict[str, Any]) -> dict[str, Any]:
        rest = replicate(
            scenario, range(1, reps), workers=workers or os.cpu_count() or 1, allow_code=allow_code, done=done
        )
        summaries = [first, *rest]
        lines = "".join(json.dumps(summary, allow_nan=False) + "\n" for summary in summaries)
        (folder / "replications.jsonl").write_text(lines, encoding="utf-8")
        joint.update(combine(scenario, summaries))
        if finish is not None:
            finish(folder, joint)
        return joint

    return run_to_folder(
        scenario,
        out,
        force=force,
        command=command,
        allow_code=allow_code,
        progress=progress,
        finish=others,
        suffix=f"-x{reps}",
    )
