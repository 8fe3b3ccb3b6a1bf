"""What a process needs before anything else: streams to write to, and a clean environment."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

INVITE_VARIABLE = "CHAT_INVITE"
"""The environment variable that an invite may be in: unlike an argument, other users of the
computer can't read it, and no shell keeps it in its history."""
_SEARCH_PATHS = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBPATH")


def prepare() -> None:
    """Mend what a double-click or the bundle's start left odd. First of all in a program."""
    _repair_streams()
    if is_frozen():
        _give_back_environment()


def end_on_interrupt() -> None:
    """Have Ctrl+C end this process at once, until it has a handler of its own.

    Python's is a KeyboardInterrupt, whose traceback is all that anybody would see of it while
    the program is being loaded. What is ignored stays so, as in the background of a shell.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def is_frozen() -> bool:
    """Whether this is a bundle rather than run from source."""
    return bool(getattr(sys, "frozen", False))


def program_folder() -> Path:
    """The folder in which a person sees the bundled program."""
    executable = Path(sys.executable).resolve()
    if sys.platform == "darwin":
        for parent in executable.parents:
            if parent.suffix == ".app":
                return parent.parent
    return executable.parent


def stop_signals() -> tuple[signal.Signals, ...]:
    """What asks a program to end in an orderly way.

    SIGHUP, which comes when the terminal or the login session ends, is among them unless whoever
    started us has it ignored, as nohup(1) does.
    """
    asked = [signal.SIGTERM, signal.SIGINT]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        asked.append(signal.SIGHUP)
    return tuple(asked)


def _repair_streams() -> None:
    """A program without a console can print; what it prints goes nowhere.

    Numbers 0 to 2 are taken in any case: a database that got one of them would be written
    into by whatever a library says on standard error.
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
    """Where to print when there are no streams: on Windows the terminal it was started in."""
    if sys.platform == "win32" and sys.stdout is None:
        import ctypes

        parent = -1  # ATTACH_PARENT_PROCESS
        if ctypes.windll.kernel32.AttachConsole(parent):
            return "CONOUT$"
    return os.devnull


def _give_back_environment() -> None:
    """Take out what the bundle's start put into the environment for itself.

    It is needed no more, and other programs that this one starts, such as the browser, would
    load the bundle's libraries in place of their own. (Tcl's part: common/ui/program/root.py.)
    """
    for name in [name for name in os.environ if name.startswith(("_PYI_", "_MEIPASS"))]:
        del os.environ[name]
    for name in _SEARCH_PATHS:
        before = os.environ.pop(f"{name}_ORIG", None)
        if before is not None:
            os.environ[name] = before
        elif name in os.environ:
            del os.environ[name]
