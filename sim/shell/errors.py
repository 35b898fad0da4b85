"""One place where errors become a line and an exit code: 2 for what the user gave, 70 for a bug of ours."""

import contextlib
import errno
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.exceptions import TyperException

from sim import __version__
from sim.compiled import VARIABLE, in_use
from sim.vocabulary import InputError

if TYPE_CHECKING:
    from sim.scenario import Scenario

FINE, MISSED, USAGE, INCONCLUSIVE, BUG, INTERRUPTED = 0, 1, 2, 3, 70, 130


def guarded(app: Callable[..., Any], arguments: list[str] | None = None) -> int:
    """Run a Typer app and return its exit code; every error is one line on stderr."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended from outside: clean up as after Ctrl-C
    try:
        code = int(app(arguments, prog_name="darkstore", standalone_mode=False) or FINE)
        return _say("interrupted; nothing was left half-written.", code) if code == INTERRUPTED else code
    except InputError as error:
        return _say(str(error), USAGE)
    except TyperException as error:
        context = getattr(error, "ctx", None)
        where = f"{context.command_path}: " if context is not None else ""
        if getattr(error, "exit_code", None) == USAGE and not str(error):
            return USAGE  # nothing was asked: the help has been shown
        said = error.format_message() if hasattr(error, "format_message") else str(error)
        return _say(f"{where}{said.rstrip('.')} (see --help)", USAGE)
    except (KeyboardInterrupt, EOFError):
        return _say("interrupted; nothing was left half-written.", INTERRUPTED)
    except MemoryError:
        return _say(
            "expected a scenario that fits into memory; this one does not: fewer orders, SKUs or stores.", USAGE
        )
    except (BrokenPipeError, SystemExit):
        # rich leaves by SystemExit when a pipe is closed; a policy's own exit has been caught where it was called.
        return _closed()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return _say(f"expected room to write to, got: {error.strerror}.", USAGE)
        return _say(_saved(error), BUG)
    except Exception as error:
        return _say(_saved(error), BUG)


def note_unheard(scenario: "Scenario") -> None:
    """Say in one line on stderr what the user set and the scenario's mode does not hear; nothing when there is no such key."""
    from sim.scenario.heard import unheard

    said = unheard(scenario)
    if said is not None:
        sys.stderr.write(f"darkstore: note: {said}\n")


def _closed() -> int:
    """Whoever read our output has seen enough: keep Python from complaining about it once more at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return FINE


def _say(text: str, code: int) -> int:
    print("darkstore: " + " ".join(text.split("\n")), file=sys.stderr)  # noqa: T201  (the one place that may)
    return code


def _saved(error: Exception) -> str:
    """Save the traceback and say where."""
    what = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    try:
        with tempfile.NamedTemporaryFile("w", prefix="darkstore-", suffix=".txt", delete=False) as file:
            file.write(f"darkstore {__version__}, Python {sys.version}\n{' '.join(sys.argv)}\n\n")
            traceback.print_exception(error, file=file)
        again = f" Without machine code: {VARIABLE}=0." if in_use() else ""
        return f"a bug of ours: {what}. The traceback is in {Path(file.name)}; please report it.{again}"
    except OSError:
        return f"a bug of ours: {what}."
