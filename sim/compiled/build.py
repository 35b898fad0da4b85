"""Makes machine code of the modules that `sim.compiled` lists: by mypyc to C, and by the machine's C compiler from there."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from sim.compiled import VARIABLE, home, modules, root
from sim.vocabulary import InputError

PARTS = 8
"""Groups of modules, each one file of C, which are compiled side by side."""

KEPT = 3
"""So many makings are kept: of other checkouts, or of what was edited since."""

_UNDER_WAY = ".making-"
_NEEDS = "expected mypy, setuptools and a C compiler with Python's headers"


def compile_all(jobs: int | None = None) -> Path:
    """Compile what there is to compile; returns the folder of the machine code, at once where it is there already.

    Parameters
    ----------
    jobs
        C compilers that run at once; as many as there are processors by default.

    Raises
    ------
    InputError
        Something that it takes is not there, or the cache cannot be written to.
    RuntimeError
        The compiler gave up.
    """
    folder = home()
    if folder.is_dir():
        return folder
    lacking = _lacking()
    if lacking:
        raise InputError(f"compile: {_NEEDS}, got no {lacking}.")
    try:
        root().mkdir(parents=True, exist_ok=True)
        made_in = tempfile.TemporaryDirectory(dir=root(), prefix=_UNDER_WAY)
    except OSError as error:
        raise InputError(f"compile: expected to write to {root()}, got: {error.strerror}.") from error
    with made_in as making:
        package = Path(__file__).resolve().parents[2]
        done = subprocess.run(
            [sys.executable, "-m", __name__, making, str(jobs or os.cpu_count() or 1)],
            cwd=package, capture_output=True, text=True, check=False, env={**os.environ, VARIABLE: "0"},
        )  # fmt: skip
        if done.returncode:
            said = [line for line in (done.stdout + done.stderr).splitlines() if "error" in line.lower()]
            raise RuntimeError(f"the modules do not compile: {said[0] if said else done.stderr[-200:]}")
        ready = Path(making) / "ready"
        try:
            ready.rename(folder)
        except OSError:
            if not folder.is_dir():  # or somebody else was faster
                raise
    _tidy()
    return folder


def remove() -> int:
    """Remove all machine code; returns how many makings there were."""
    makings = [path for path in root().glob("*") if path.is_dir()]
    for path in makings:
        shutil.rmtree(path)
    return len(makings)


def _lacking() -> str | None:
    """What it takes and is not there; None: everything is."""
    for name in ("mypyc", "setuptools"):
        if importlib.util.find_spec(name) is None:
            return "mypy" if name == "mypyc" else name
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return f"C compiler ({compiler})"
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        return "Python.h (Debian: python3-dev)"
    return None


def _tidy() -> None:
    """Forget all but the newest makings."""
    makings = [path for path in root().iterdir() if not path.name.startswith(_UNDER_WAY)]
    newest_last = sorted(makings, key=lambda path: path.stat().st_mtime)
    for path in newest_last[:-KEPT]:
        shutil.rmtree(path, ignore_errors=True)


def _make(making: Path, jobs: int) -> None:
    """Make it all in a folder; the package lies in the current one."""
    from mypyc.build import mypycify
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    files = [path.relative_to(Path.cwd()).as_posix() for path in modules().values()]
    parts: list[tuple[list[str], str | None]] = [(files[part::PARTS], f"darkstore_{part}") for part in range(PARTS)]
    options = [
        "--config-file=", "--ignore-missing-imports", f"--cache-dir={making / 'types'}",
        "--python-version", f"{sys.version_info.major}.{sys.version_info.minor}",
    ]  # fmt: skip
    # O1: of O2 nothing is seen in a run, and it takes a fifth longer to make.
    extensions = mypycify([*options, *files], separate=parts, opt_level="1", target_dir=str(making / "c"))
    for extension in extensions:
        # A product and a sum are two roundings, as in Python, also where the processor could do both in one.
        # And what a newer compiler than ours warns of is no reason to give up.
        kept = [flag for flag in extension.extra_compile_args if flag != "-Werror"]
        extension.extra_compile_args = [*kept, "-ffp-contract=off"]
    command = build_ext(Distribution({"name": "darkstore-compiled", "ext_modules": extensions}))
    command.build_lib, command.build_temp, command.parallel = str(making / "made"), str(making / "objects"), jobs
    command.ensure_finalized()
    command.run()
    ready = making / "ready"
    ready.mkdir()
    for path in (making / "made").rglob(f"*{sysconfig.get_config_var('EXT_SUFFIX')}"):
        path.rename(ready / ".".join(path.relative_to(making / "made").parts))


if __name__ == "__main__":
    _make(Path(sys.argv[1]), int(sys.argv[2]))
