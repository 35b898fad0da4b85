"""Where an export is written: it appears whole, or not at all, and never at the cost of anything else."""

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from sim.experiments.place import FINISHED
from sim.vocabulary import InputError


def write_whole(out: Path, files: Sequence[str], write: Callable[[Path], None], *, force: bool) -> None:
    """Let `write` work under a name of its own beside `out`, then put what it wrote in its place.

    Parameters
    ----------
    files
        Names of the files in the folder that `out` is to be; empty: it is one file.
    force
        Replace what is there already, if it is an export.

    Raises
    ------
    InputError
        There is something already, the place is in a run's folder (which holds nothing but its own files, or could not
        be replaced any more), or nobody can write there.
    """
    target = Path(os.path.realpath(out))
    _check(out, target, files, force=force)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        room = Path(tempfile.mkdtemp(prefix=f".{target.name}.exporting-", dir=target.parent))
    except OSError as error:
        raise InputError(f"{out}: expected a place that can be written to, got: {error.strerror}.") from error
    try:
        work = room / target.name
        if files:
            work.mkdir()
        write(work)
        _check(out, target, files, force=force)  # somebody else may have written there meanwhile
        if files and target.exists():
            os.replace(target, room / "before")
        os.replace(work, target)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _check(out: Path, target: Path, files: Sequence[str], *, force: bool) -> None:
    for folder in target.parents:
        if any((folder / name).is_file() for name in FINISHED):
            raise InputError(f"{out}: expected a place outside finished results, got one in {folder.name}.")
    if not target.exists():
        return
    if target.is_dir() != bool(files):
        kind = ("a folder", "a file") if files else ("a file", "a folder")
        raise InputError(f"{out}: expected {kind[0]} or nothing there, got {kind[1]}.")
    if files:
        foreign = sorted(path.name for path in target.iterdir() if path.name not in files)
        if foreign:
            raise InputError(f"{out}: expected a folder of this export alone, got one that also holds {foreign[0]}.")
    if not force:
        raise InputError(f"{out}: is there already; give another --out, or --force to replace it.")
