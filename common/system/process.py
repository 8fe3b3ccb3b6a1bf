"""Set-up of a process before anything else: standard streams, environment, signals."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

INVITE_VARIABLE = "CHAT_INVITE"
"""The environment variable that an invite may be in: unlike an argument, other users of the
computer can't read it, and it is not in a shell's history."""
_SEARCH_PATHS = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBPATH")


def prepare() -> None:
    """Repair the streams and the environment; call it first in a program."""
    _repair_streams()
    if is_frozen():
        _give_back_environment()


def end_on_interrupt() -> None:
    """Let Ctrl+C end this process immediately, until it has a handler of its own.

    Python's handler raises KeyboardInterrupt, which would print a traceback while the program is
    being loaded. An ignored signal stays ignored, as in the background of a shell.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def is_frozen() -> bool:
    """Whether this is a bundle rather than run from source."""
    return bool(getattr(sys, "frozen", False))


def program_folder() -> Path:
    """The folder of the bundled program as a person sees it."""
    executable = Path(sys.executable).resolve()
    if sys.platform == "darwin":
        for parent in executable.parents:
            if parent.suffix == ".app":
                return parent.parent
    return executable.parent


def stop_signals() -> tuple[signal.Signals, ...]:
    """The signals that request an orderly shutdown.

    SIGHUP, sent when the terminal or the login session ends, is one unless it is ignored, as by
    nohup(1).
    """
    asked = [signal.SIGTERM, signal.SIGINT]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        asked.append(signal.SIGHUP)
    return tuple(asked)


def _repair_streams() -> None:
    """Open missing standard streams on the null device.

    Descriptors 0 to 2 must be in use in any case: a database that got one of them would be
    overwritten by whatever a library prints on standard error.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    console = Path(_console())
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115  # for the whole run
    if sys.stdout is None:
        sys.stdout = console.open("w", encoding="utf-8", errors="replace")
    if sys.stderr is None:
        sys.stderr = console.open("w", encoding="utf-8", errors="replace")


def _console() -> str:
    """Where to print without streams: on Windows the terminal that the program was started in."""
    if sys.platform == "win32" and sys.stdout is None:
        import ctypes

        parent = -1  # ATTACH_PARENT_PROCESS
        if ctypes.windll.kernel32.AttachConsole(parent):
            return "CONOUT$"
    return os.devnull


def _give_back_environment() -> None:
    """Remove the variables that the bundle's loader has set for itself.

    They are not needed any more, and child processes, such as the browser, would load the bundle's
    libraries instead of their own. (Tcl's variables: common/ui/program/root.py.)
    """
    for name in [name for name in os.environ if name.startswith(("_PYI_", "_MEIPASS"))]:
        del os.environ[name]
    for name in _SEARCH_PATHS:
        before = os.environ.pop(f"{name}_ORIG", None)
        if before is not None:
            os.environ[name] = before
        elif name in os.environ:
            del os.environ[name]
