"""Hides secrets that a program was started with from the system's lists of processes.

`ps` and /proc/PID/cmdline show a process's arguments to every user of the computer, as long as it
runs, and /proc/PID/environ its first environment to the same user. Both are read from the memory of
the process, where they are overwritten here: so nothing has to be started a second time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import AnyStr, Final

_MARK: Final = "*"
_ARGUMENTS, _ENVIRONMENT = 48, 50
"""Fields of /proc/PID/stat: where each area starts; the next field is where it ends (proc(5))."""
_FIRST_FIELD: Final = 3
"""The first one behind the name of the program, which may contain spaces."""


def hide_arguments(secrets: Sequence[str], variable: str) -> bool:
    """Overwrite the arguments that are secret, and the value of a variable, with asterisks.

    An argument is it as a whole, or behind an equals sign. Returns False if another process still
    shows them: the loader of a program in a single file, which waits for this process, where the
    system does not let its memory be changed. Only Linux was tried.
    """
    for arguments in (sys.argv, sys.orig_argv):
        # So that nothing that prints them, such as a report of a crash, has them.
        arguments[:] = [_masked(each, secrets, "=", _MARK) for each in arguments]
    if sys.platform == "win32":
        _hide_on_windows(secrets)
    elif sys.platform == "darwin":
        _hide_on_macos(secrets)
    elif sys.platform == "linux":
        own, loader = _arguments_of("self"), os.getppid()
        _overwrite("self", secrets, variable)
        if bool(getattr(sys, "frozen", False)) and own and _arguments_of(loader) == own:
            return _overwrite(loader, secrets, variable)
    return True


def _masked(text: AnyStr, secrets: Sequence[AnyStr], equals: AnyStr, mark: AnyStr) -> AnyStr:
    """An argument, of the same length, with marks for a secret."""
    for secret in secrets:
        if text == secret or text.endswith(equals + secret):
            return text[: len(text) - len(secret)] + mark * len(secret)
    return text


def _arguments_of(process: int | str) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def _overwrite(process: int | str, secrets: Sequence[str], variable: str) -> bool:
    """Overwrite them in the memory of a process; returns whether that is done."""
    encoded, name = [os.fsencode(each) for each in secrets], os.fsencode(variable) + b"="
    try:
        # The name of the program, in brackets, is the only field that may contain spaces.
        stat = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
        memory = os.open(f"/proc/{process}/mem", os.O_RDWR)
        try:
            for field in (_ARGUMENTS, _ENVIRONMENT):
                start, end = (int(stat[field + each - _FIRST_FIELD]) for each in (0, 1))
                before = os.pread(memory, end - start, start).split(b"\0")
                if field == _ARGUMENTS:
                    after = [_masked(each, encoded, b"=", _MARK.encode()) for each in before]
                else:
                    after = [_without_value(each, name) for each in before]
                if after != before:
                    os.pwrite(memory, b"\0".join(after), start)
        finally:
            os.close(memory)
    except (OSError, ValueError, IndexError):
        # No /proc, a kernel before 3.5, or a process that this one must not touch.
        return False
    return True


def _without_value(entry: bytes, name: bytes) -> bytes:
    """An entry of the environment, which has no value any more if it is the one with this name.

    No other one is touched, whatever it contains: programs that are started later inherit them.
    """
    if not entry.startswith(name):
        return entry
    return name + _MARK.encode() * (len(entry) - len(name))


def _hide_on_macos(secrets: Sequence[str]) -> None:
    """Overwrite the arguments in the memory of this process, from which ps(1) gets them."""
    import ctypes

    library = ctypes.CDLL(None)
    of_count, of_arguments = library["_NSGetArgc"], library["_NSGetArgv"]
    of_count.restype = ctypes.POINTER(ctypes.c_int)
    of_arguments.restype = ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p))
    arguments = of_arguments()[0]
    encoded = [os.fsencode(each) for each in secrets]
    for place in range(of_count()[0]):
        address = arguments[place]
        if address:
            text = _masked(ctypes.string_at(address), encoded, b"=", _MARK.encode())
            ctypes.memmove(address, text, len(text))


def _hide_on_windows(secrets: Sequence[str]) -> None:
    """Overwrite the command line in the process environment block, from which it is read."""
    import ctypes

    kernel: ctypes.CDLL = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]  # Windows only
    kernel.GetCommandLineW.restype = ctypes.c_void_p
    address = kernel.GetCommandLineW()
    if address:
        # Quotation marks and backslashes stand there with escapes, but links have neither.
        line = ctypes.wstring_at(address)
        for secret in secrets:
            line = line.replace(secret, _MARK * len(secret))
        encoded = line.encode("utf-16-le", "surrogatepass")
        ctypes.memmove(address, encoded, len(encoded))
