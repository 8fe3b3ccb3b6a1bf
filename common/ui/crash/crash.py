"""What becomes of an uncaught exception: it is logged, and the person is told."""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import tkinter as tk
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from common.ui.crash.crash_dialog import CrashDialog
from common.ui.crash.crash_report import CrashReport
from common.ui.look.palette import Mode
from common.ui.program.mailbox import Mailbox
from common.ui.program.root import make_root

log = logging.getLogger("crash")

_OF_A_WIDGET_THAT_IS_GONE: Final = re.compile(r'invalid command name "\d+\w*"')
"""A callback of Python, whose name begins with a number: Tk knew of it for a moment longer."""
_WHERE: Final = re.compile(r"\s+\((procedure|command bound|\"after\"|\"\w+\" body)")
"""The lines of Tcl's trace that tell where, without the arguments, in which texts may be."""

_TELL_WHO_IS_THERE: Final = """
    proc ::chat_script_failed {command message options} {
        if {[info commands $command] ne ""} {$command $message $options}
    }
"""
"""Tk goes on for a moment after its last window, whose callbacks are gone with it."""

MOST: Final = 3
"""Dialogs in one run: a timer that fails each second must not bury the person."""


class CrashWatch:
    """Brings uncaught exceptions into the log and before the person.

    `version` gives that line of `CrashReport`, `log` is as there, `icon` as for `show_fatal`;
    `mode` gives the present look. `dialog` is the open one. For the Tk thread.
    """

    def __init__(
        self,
        program: str,
        version: Callable[[], str],
        log: Path | None,
        icon: str,
        mode: Callable[[], Mode],
    ) -> None:
        self._program, self._version, self._log = program, version, log
        self._icon, self._mode = icon, mode
        self._undo: list[Callable[[], object]] = []
        self._root: tk.Tk | None = None
        self._close: Callable[[], object] = lambda: None
        self._mailbox: Mailbox[CrashReport] | None = None
        self._shown = 0
        self.dialog: CrashDialog | None = None

    def install(self, root: tk.Tk, close: Callable[[], object]) -> None:
        """Take the hooks of Python and of `root`; `close` ends the program when asked to.

        What ends the main thread comes to none of them: it is for `tell`.
        """
        self._root, self._close = root, close
        self._mailbox = Mailbox(root, self._show)
        self._hook(threading, "excepthook", self._thread_failed)
        self._hook(sys, "unraisablehook", self._ignored)
        self._hook(root, "report_callback_exception", self._callback_failed)
        self._watch_scripts(root)

    def uninstall(self) -> None:
        """Put all hooks back and close an open dialog; harmless when called again."""
        if self.dialog is not None:
            self.dialog.answer(close=False)
        if self._mailbox is not None:
            self._mailbox.close()
        for undo in self._undo:
            undo()
        self._undo, self._root, self._mailbox = [], None, None

    def tell(self, error: BaseException) -> None:
        """Log an exception that ends the program, and show it in a window of its own."""
        log.critical("the program can't go on", exc_info=error)
        show_fatal(self.report(error, fatal=True), self._mode(), self._icon)

    def report(self, error: BaseException, *, fatal: bool) -> CrashReport:
        """What is told about it."""
        trace = "".join(traceback.format_exception(error))
        return CrashReport(self._program, self._version(), self._log, fatal, trace)

    # The hooks

    def _hook(self, place: Any, name: str, told: Callable[[BaseException, Any], object]) -> None:
        """Put `told` in the place of a hook, but for ends that are no errors."""
        before = getattr(place, name)

        def hook(*args: Any) -> None:
            # Tk gives the type, the exception and the traceback, Python a structure of these.
            kind, error, trace, *_ = args[0] if len(args) == 1 else args
            if issubclass(kind, KeyboardInterrupt | SystemExit):
                before(*args)
            else:
                told((error or kind()).with_traceback(trace), args[0])

        setattr(place, name, hook)
        self._undo.append(partial(setattr, place, name, before))

    def _watch_scripts(self, root: tk.Tk) -> None:
        """Take the errors of Tk's own scripts, for which it has a dialog and no log."""
        before = root.tk.call("interp", "bgerror", "")
        name = root.register(self._script_failed)
        root.tk.eval(_TELL_WHO_IS_THERE)
        root.tk.call("interp", "bgerror", "", ("::chat_script_failed", name))

        def undo() -> None:
            with suppress(tk.TclError):  # the window may be gone
                root.tk.call("interp", "bgerror", "", before)
                root.deletecommand(name)

        self._undo.append(undo)

    def _script_failed(self, message: str, options: object) -> None:
        """`options` are those of Tcl's `catch`. Of the script itself, which has texts, nothing."""
        if _OF_A_WIDGET_THAT_IS_GONE.fullmatch(message):
            log.debug("Tk called back for a widget that is gone")
            return
        assert self._root is not None  # noqa: S101  # else this is not called
        trace = str(self._root.tk.call("dict", "get", options, "-errorinfo"))
        where = [line for line in trace.splitlines() if _WHERE.match(line)]
        said = "\n".join([message, *where])
        log.critical("a script of Tk failed: %s", said)
        version, path = self._version(), self._log
        self._show([CrashReport(self._program, version, path, fatal=False, trace=said)])

    def _thread_failed(self, error: BaseException, _: object) -> None:
        """In the thread that failed, which must not touch Tk."""
        log.critical("the thread %s failed", threading.current_thread().name, exc_info=error)
        mailbox = self._mailbox
        if mailbox is not None:
            # A report and not the exception: its frames must not be kept for the Tk thread.
            mailbox.post(self.report(error, fatal=True))

    def _ignored(self, error: BaseException, args: sys.UnraisableHookArgs) -> None:
        """What a destructor raised; nobody can do anything about it."""
        where = getattr(args.object, "__qualname__", type(args.object).__qualname__)
        log.critical("%s %s", args.err_msg or "Exception ignored in", where, exc_info=error)

    def _callback_failed(self, error: BaseException, _: object) -> None:
        """What left this would end Tk's loop."""
        log.critical("a callback failed", exc_info=error)
        self._show([self.report(error, fatal=False)])

    # The dialog

    def _show(self, reports: list[CrashReport]) -> None:
        """One dialog at a time, but a fatal error takes the place of one that is not."""
        for report in reports:
            before = self.dialog
            hidden = before is not None and (before.report.fatal or not report.fatal)
            if self._root is None or self._shown >= MOST or hidden:
                continue
            self._shown += 1
            try:
                if before is not None:
                    before.answer(close=False)
                self.dialog = CrashDialog(self._root, report, self._mode(), self._answered)
                self.dialog.show()
            except Exception:
                self.dialog = None
                log.critical("the error can't be shown", exc_info=True)

    def _answered(self, close: bool) -> None:
        self.dialog = None
        if not close:
            return
        try:
            self._close()
        except Exception:
            # Whatever hinders it: who has pressed this button wants the window gone.
            log.critical("the program can't be closed as it should be", exc_info=True)
            with suppress(Exception):  # it may be gone already
                self._root.destroy()  # type: ignore[union-attr]


def show_fatal(report: CrashReport, mode: Mode, icon: str) -> None:
    """Say in a window of its own that the program has ended, until that is closed.

    `icon` names pictures in assets/icons. Without a display it is said in the system's own box
    (Windows) or on standard error. Never raises.
    """
    try:
        if bundled := getattr(sys, "_MEIPASS", ""):
            # Taken out of the environment when the first interpreter had read them.
            os.environ.setdefault("TCL_LIBRARY", f"{bundled}/_tcl_data")
            os.environ.setdefault("TK_LIBRARY", f"{bundled}/_tk_data")
        root = make_root(report.program, icon, mode)
        try:
            dialog = CrashDialog(root, report, mode, lambda _: None)
            dialog.show()
            root.wait_window(dialog.window)
        finally:
            root.destroy()
    except (Exception, KeyboardInterrupt):  # noqa: BLE001  # it is the last one that could tell
        with suppress(Exception):
            _tell_without_tk(report)


def _tell_without_tk(report: CrashReport) -> None:
    if sys.platform == "win32":
        import ctypes

        error = 0x10  # MB_ICONERROR
        ctypes.windll.user32.MessageBoxW(None, report.message(), report.program, error)
    elif sys.stderr is not None:
        sys.stderr.write(f"{report.program}: {report.message()}\n{report.details()}\n")
