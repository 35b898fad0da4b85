"""Where a run is written: a folder that appears whole, or not at all, and never at the cost of anything else."""

import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sim import __version__
from sim.reading.under_way import alive, prefix
from sim.recording import SUMMARY
from sim.vocabulary import InputError

OWN: Final = frozenset(
    {
        SUMMARY, "manifest.json", "events.parquet", "orders.parquet", "tasks.parquet", "drivers.parquet", "stock.parquet",
        "series.parquet", "platform.parquet", "drift.parquet", "left.npz", "replications.jsonl", "report.html", "replay.html",
        "comparison.json", "replications.parquet", "sweep.json", "sweep.parquet", "plan.json", "roster.yaml", "check.json",
        "solution_info_assignments.txt", "solution_info_couriers.txt", "solution_info_orders.txt",
    }
)  # fmt: skip
"""Files of a run or an experiment; a folder that holds anything else is never replaced."""

FINISHED: Final = (SUMMARY, "comparison.json", "sweep.json", "plan.json", "check.json")
"""What is written last, by a run and by each kind of experiment."""


def named(kind: str, scenario: str, *asked: object) -> Path:
    """The default folder of an experiment: what was asked for names it."""
    key = hashlib.blake2b(repr((__version__, *asked)).encode(), digest_size=6).hexdigest()
    return Path("results") / scenario / f"{kind}-{key}"


@contextmanager
def whole_folder(out: Path, *, force: bool, last: str = SUMMARY) -> Iterator[Path]:
    """A folder to work in that becomes `out` when everything went well, and vanishes otherwise.

    Each run works in a folder of its own beside its target, so that two runs into one place cannot mix.

    Parameters
    ----------
    last
        The file that is written last: where it is there, the folder is finished.

    Raises
    ------
    InputError
        The place holds a finished run (and no `force`), or files that are not a run's, or cannot be written to.
    """
    folder = Path(os.path.realpath(out))  # a link leads to where the run goes; it stays a link
    _check(out, folder, last, force=force)
    if folder == Path.cwd().resolve():
        raise InputError(f"{out}: expected a folder of the run's own, got the working folder.")
    with beside(out) as work:
        yield work
        _check(out, folder, last, force=force)  # somebody else may have finished there meanwhile
        old = work.with_name(work.name.replace(".running-", ".old-"))
        if folder.exists():
            os.replace(folder, old)
        try:
            os.replace(work, folder)
        except OSError:
            if old.exists() and not folder.exists():
                os.replace(old, folder)
            raise InputError(
                f"{out}: another run finished there at the same moment; this one was not written."
            ) from None
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def beside(out: Path) -> Iterator[Path]:
    """A working folder beside another, whose name says what is under way into which; afterwards it goes.

    Raises
    ------
    InputError
        The place cannot be written to.
    """
    folder = Path(os.path.realpath(out))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        work = Path(tempfile.mkdtemp(prefix=prefix(folder), dir=folder.parent))
        work.chmod(0o755)
    except OSError as error:
        raise InputError(f"{out}: expected a place that can be written to, got: {error.strerror}.") from error
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _check(out: Path, folder: Path, last: str, *, force: bool) -> None:
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise InputError(f"{out}: expected a folder for the run, got a file.")
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in OWN)
    if foreign:
        raise InputError(f"{out}: expected a new or empty folder or a run's, got one that also holds {foreign[0]}.")
    finished = next((name for name in (last, *FINISHED) if (folder / name).exists()), None)
    if finished is not None and not force:
        what = "run" if finished == SUMMARY else finished.partition(".")[0]
        raise InputError(f"{out}: holds a finished {what}; give another --out, or --force to replace it.")


def _sweep(folder: Path) -> None:
    """Remove what runs into this folder left behind when they were killed: their processes are gone."""
    for left in folder.parent.glob(f".{glob.escape(folder.name)}.*-*"):
        kind, _, rest = left.name.removeprefix(f".{folder.name}.").partition("-")
        process = rest.partition("-")[0]
        if kind not in ("running", "old") or not process.isdigit() or alive(int(process)):
            continue
        if kind == "old" and not folder.exists():
            os.replace(left, folder)  # killed between moving the old run away and the new one in
        else:
            shutil.rmtree(left, ignore_errors=True)
