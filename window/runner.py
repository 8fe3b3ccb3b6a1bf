"""Running a program with a window: its signals, its log, and what it does wrong."""

from __future__ import annotations

import os
import sys
import tkinter as tk
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from window.program import Program
from window.root import end_root
from window.signals import Signals

if TYPE_CHECKING:
    from window.crash import CrashWatch

_FAILED: Final = 1


def run_program(
    name: str, make: Callable[[], Program[Any]], log_level: str, *, no_display: int, advice: str
) -> int:
    """Run what `make` makes; the exit status, `no_display` where no window can be opened.

    SIGTERM, SIGHUP and Ctrl+C close it as its close button does. What it does wrong is logged in
    its data folder, and shown; after what it can't go on from, the status is 1. `advice` says to a
    terminal what can be done without a display.
    """
    signals = Signals()
    try:
        program = make()
    except tk.TclError as error:
        signals.close()
        sys.stderr.write(f"{name}: can't open a window ({error}); {advice}\n")
        return no_display
    watches: list[CrashWatch] = []
    signals.watch(program.root, program.close)
    program.on_load = lambda: watches.append(_watch(program, log_level))
    program.on_end = signals.close
    try:
        return program.run()
    except Exception as error:  # noqa: BLE001  # whatever it is, it is told
        _tell(program, watches[0] if watches else _watch(program, log_level), error)
        return _FAILED
    finally:
        for watch in watches:
            watch.uninstall()


def _watch(program: Program[Any], log_level: str) -> CrashWatch:
    """From now on it is logged and shown what nobody catches. After the window is there."""
    from common.build import version_line
    from common.logs import start_logging, watch_for_native_crashes
    from window.crash import CrashWatch

    path = start_logging(log_level, program.data_dir)
    if path is not None:
        watch_for_native_crashes(path)
    watch = CrashWatch(program.name, lambda: version_line(program.name), path, program.icon)
    watch.install()
    watch.watch(program.root, program.close)
    return watch


def _tell(program: Program[Any], watch: CrashWatch, error: Exception) -> None:
    """The program is at its end, and its window empty: say so in one of its own."""
    import logging

    from window import crash

    crash.log.critical("the program can't go on", exc_info=error)
    with suppress(tk.TclError):  # it may be gone already
        program.on_end()
        end_root(program.root)
    crash.show_fatal(watch.report(error, fatal=True), mode=program.mode, icon=program.icon)
    if program.contents is not None:
        # Its threads work on, and nothing is left that could end them.
        logging.shutdown()
        os._exit(_FAILED)
