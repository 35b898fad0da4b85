"""Runs and experiments that are under way: the folders that they work in, and what they say of themselves.

They work in ``.NAME.running-PID-RANDOM`` beside the folder NAME that it will be (`sim.experiments.place`), and leave word
of how far they are in a file there, several times a second at most. The file goes before the folder is finished: nothing of
the wall clock is ever in a result.
"""

import json
import os
from pathlib import Path
from typing import Any, Final, NamedTuple

WORD: Final = "progress.json"
"""What a run or an experiment under way says of itself."""

_RUNNING: Final = ".running-"


class UnderWay(NamedTuple):
    """What is under way, or was: the folder it will be, the one it works in, and its process."""

    target: Path
    work: Path
    process: int

    @property
    def alive(self) -> bool:
        """Whether its process is there."""
        return alive(self.process)

    def word(self) -> dict[str, Any] | None:
        """What it says of itself; None where it has not said anything, or has gone."""
        try:
            said = json.loads((self.work / WORD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return said if isinstance(said, dict) else None


def prefix(folder: Path) -> str:
    """What the name of the folder begins with in which this process makes another."""
    return f".{folder.name}{_RUNNING}{os.getpid()}-"


def under_way(place: Path) -> list[UnderWay]:
    """What goes into a folder, or else into folders in it or one below; what was heard of last comes first."""
    folder = Path(os.path.realpath(place))
    found = [each for each in _in(folder.parent) if each.target == folder]
    if not found and folder.is_dir():
        found = [each for inside in (folder, *sorted(folder.iterdir())) if inside.is_dir() for each in _in(inside)]
    return sorted(found, key=lambda each: (each.alive, _heard(each.work)), reverse=True)


def _in(folder: Path) -> list[UnderWay]:
    found = []
    for work in sorted(folder.glob(f".*{_RUNNING}*-*")):
        name, _, rest = work.name[1:].rpartition(_RUNNING)
        process = rest.partition("-")[0]
        if name and process.isdigit() and work.is_dir():
            found.append(UnderWay(folder / name, work, int(process)))
    return found


def _heard(work: Path) -> float:
    for path in (work / WORD, work):
        try:
            return path.stat().st_mtime
        except OSError:
            continue
    return 0.0


def alive(process: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
