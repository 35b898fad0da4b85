"""The engine's hottest modules as machine code, where `darkstore compile` has made it: the same runs in half the time.

The Python that is read is the Python that is compiled (by mypyc, from the types that mypy checks anyway), so there is one
source, and a run's digest is the same with and without. What was compiled lies in the user's cache under a name made of
the text of the whole package and of the interpreter: a source that has changed since finds nothing under its own name, and
runs as it stands.
"""

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

from sim.shipped import user_cache_dir

VARIABLE: Final = "DARKSTORE_COMPILED"
"""Environment variable that, set to 0, has every run read from source."""

FORMAT: Final = 1
"""Part of the name under which machine code lies; grows when it is made otherwise."""

_PACKAGE = Path(__file__).resolve().parent.parent
_ROOMS = ("clock.py", "story.py", "streams.py", "platform/*.py", "operations/*.py", "world/travel.py")
_AS_THEY_ARE = frozenset(
    {
        "operations/counter.py",  # its class is a set, and machine code knows no heirs of builtin types
        "operations/replenishment.py",  # arrays, whose types are too loose to be held to
        "platform/views.py",  # policies ask them with numbers of any kind
        "platform/market.py",
    }
)


def modules() -> dict[str, Path]:
    """What is compiled: the dotted name of each module, and its file."""
    found = (path for room in _ROOMS for path in sorted(_PACKAGE.glob(room)))
    names = {path.relative_to(_PACKAGE).as_posix(): path for path in found if path.name != "__init__.py"}
    return {
        f"sim.{name.removesuffix('.py').replace('/', '.')}": path
        for name, path in names.items()
        if name not in _AS_THEY_ARE
    }


def root() -> Path:
    """Folder of all machine code on this machine."""
    return user_cache_dir() / "compiled"


def home() -> Path:
    """Where machine code of this very package for this interpreter lies, or would."""
    # What is made on one machine is not for another that shares the folder and has another C library.
    library = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in getattr(os, "confstr_names", ()) else ""
    text = hashlib.blake2b(f"{FORMAT} {EXTENSION_SUFFIXES[0]} {sys.hexversion} {library}".encode(), digest_size=12)
    # All of it: a module takes over what others declare, and constants with their values.
    for path in sorted(_PACKAGE.rglob("*.py")):
        text.update(path.relative_to(_PACKAGE).as_posix().encode())
        text.update(path.read_bytes())
    return root() / text.hexdigest()


def in_use() -> bool:
    """Whether this process runs machine code."""
    return any(isinstance(one, _Finder) for one in sys.meta_path)


class _Finder:
    """Finds the modules that lie in a folder as machine code."""

    def __init__(self, folder: Path) -> None:
        self._files = {_name(path): path for path in _files(folder)}

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Say where a module is to be loaded from; None: from wherever it would have been."""
        file = self._files.get(name)
        return None if file is None else spec_from_file_location(name, file)


def _files(folder: Path) -> Iterator[Path]:
    return folder.rglob(f"*{EXTENSION_SUFFIXES[0]}")


def _name(path: Path) -> str:
    """The module that a file of machine code is: files lie flat, under their dotted names."""
    return path.name.removesuffix(EXTENSION_SUFFIXES[0])


def install() -> None:
    """Load modules as machine code from now on, if there is any of this package as it stands."""
    if os.environ.get(VARIABLE) == "0" or in_use():
        return
    try:
        if root().is_dir() and (folder := home()).is_dir():
            sys.meta_path.insert(0, _Finder(folder))
    except OSError:
        return  # a cache that cannot be read is none


def leave_aside() -> None:
    """Load modules from source from now on, here and in processes that this one starts; call it before they are loaded."""
    os.environ[VARIABLE] = "0"
    sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, _Finder)]
