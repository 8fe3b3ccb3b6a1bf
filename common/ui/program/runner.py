"""Running a program with a window: signals, logging and uncaught exceptions."""

from __future__ import annotations

import os
import sys
import tkinter as tk
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from common.ui.look.desktop_mode import desktop_mode
from common.ui.program.program import Program
from common.ui.program.root import end_root
from common.ui.program.signals import Signals

if TYPE_CHECKING:
    from common.ui.crash.crash import CrashWatch
    from common.ui.look.palette import Mode

_FAILED: Final = 1


def run_program(
    name: str,
    icon: str,
    data_dir: Path,
    make: Callable[[], Program[Any]],
    log_level: str,
    *,
    no_display: int,
    advice: str,
) -> int:
    """Run the program that `make` makes; returns its exit status.

    The status is `no_display` where no window can be opened, and 1 after a fatal exception.
    SIGTERM, SIGHUP and Ctrl+C close the window as its close button does. Uncaught exceptions are
    logged in the data folder and shown. `advice` is printed on a terminal without a display.
    """

    def watch(mode: Callable[[], Mode]) -> CrashWatch:
        watches.append(_watch(name, icon, data_dir, log_level, mode))
        return watches[0]

    def watch_window() -> None:
        watch(lambda: program.shown_mode).install(program.root, program.close)

    watches: list[CrashWatch] = []
    signals = Signals()
    try:
        program = make()
    except tk.TclError as error:
        signals.close()
        sys.stderr.write(f"{name}: can't open a window ({error}); {advice}\n")
        return no_display
    except Exception as error:  # noqa: BLE001  # any exception is logged and shown
        signals.close()
        watch(desktop_mode).tell(error)
        return _FAILED
    signals.watch(program.root, program.close)
    program.on_load = watch_window
    program.on_end = signals.close
    try:
        return program.run()
    except Exception as error:  # noqa: BLE001  # any exception is logged and shown
        if not watches:
            watch_window()
        _tell(program, watches[0], error)
        return _FAILED
    finally:
        for each in watches:
            each.uninstall()


def _watch(
    name: str, icon: str, data_dir: Path, log_level: str, mode: Callable[[], Mode]
) -> CrashWatch:
    """Begin the log, and make what watches for exceptions; after the window is on the screen."""
    from common.system.build import version_line
    from common.system.logs import start_logging, watch_for_native_crashes
    from common.ui.crash.crash import CrashWatch

    path = start_logging(log_level, data_dir)
    if path is not None:
        watch_for_native_crashes(path)
    return CrashWatch(name, lambda: version_line(name), path, icon, mode)


def _tell(program: Program[Any], watch: CrashWatch, error: Exception) -> None:
    """Report a fatal exception in a window of its own, as the program's window is empty."""
    with suppress(tk.TclError):  # it may be gone already
        program.on_end()
        end_root(program.root)
    watch.tell(error)
    if program.contents is not None:
        import logging

        # Its threads still run, and can't be stopped any more.
        logging.shutdown()
        os._exit(_FAILED)
