"""Handling of uncaught exceptions: they are logged and shown to the person.

Tk is imported when it is needed, so that this module works without Tk.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

from common.ui.crash.crash_report import CrashReport
from common.ui.look.palette import Mode

if TYPE_CHECKING:
    import tkinter as tk

    from common.ui.crash.crash_dialog import CrashDialog
    from common.ui.program.mailbox import Mailbox

log = logging.getLogger("crash")

MOST: Final = 3
"""Maximum number of dialogs in one run: a timer may fail every second."""
_WANTED: Final = (KeyboardInterrupt, SystemExit)
"""Not errors: they go to the hook that was installed before."""


class CrashWatch:
    """Logs uncaught exceptions and, once a root is watched, shows them in a dialog.

    `version` returns that line of `CrashReport`, `log` is as there, `icon` as for `show_fatal`;
    `mode` returns the current mode. `dialog` is the open one. All methods but the hooks are for
    the Tk thread.
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
        self._before: tuple[Callable[..., object], ...] = ()
        """The hooks of Python that are replaced, then Tk's."""
        self._root: tk.Tk | None = None
        self._tk = ""
        self._close: Callable[[], object] = lambda: None
        self._mailbox: Mailbox[CrashReport] | None = None
        self._shown = 0
        self.dialog: CrashDialog | None = None

    def install(self) -> None:
        """Replace Python's hooks, and log uncaught exceptions; idempotent."""
        if not self._before:
            self._before = sys.excepthook, threading.excepthook, sys.unraisablehook
            sys.excepthook = self._ended
            threading.excepthook = self._thread_failed
            sys.unraisablehook = self._ignored

    def watch(self, root: tk.Tk, close: Callable[[], object]) -> None:
        """After `install`: show exceptions over `root`; `close` ends the program on request."""
        from common.ui.program.mailbox import Mailbox

        self._root, self._close = root, close
        self._tk = str(root.tk.call("info", "patchlevel"))
        self._before = (*self._before, root.report_callback_exception)
        root.report_callback_exception = self._callback_failed
        self._mailbox = Mailbox(root, self._arrived)

    def uninstall(self) -> None:
        """Restore all hooks and close an open dialog; idempotent."""
        if self.dialog is not None:
            self.dialog.answer(close=False)
        if self._mailbox is not None:
            self._mailbox.close()
        if self._before:
            sys.excepthook, threading.excepthook, sys.unraisablehook, *of_tk = self._before
            if self._root is not None:
                self._root.report_callback_exception = of_tk[0]
        self._before, self._root, self._mailbox = (), None, None

    def tell(self, error: BaseException) -> None:
        """Log an exception that ends the program, and show it in a window of its own."""
        log.critical("the program can't go on", exc_info=error)
        show_fatal(self.report(error, fatal=True), self._mode(), self._icon)

    def report(self, error: BaseException, *, fatal: bool) -> CrashReport:
        """The report on an exception."""
        trace = "".join(traceback.format_exception(error))
        version = self._version()
        return CrashReport(self._program, version, self._log, fatal, trace, tk=self._tk)

    # The hooks

    def _ended(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """`sys.excepthook`: the main thread has ended, and Tk's loop no longer runs."""
        if issubclass(kind, _WANTED):
            self._before[0](kind, error, trace)
            return
        log.critical("the program failed", exc_info=(kind, error, trace))
        if threading.current_thread() is not threading.main_thread():
            self._post(error)  # somebody handed it to `sys.excepthook` in a thread
        elif self._tk and self._shown < MOST:  # a root is watched, or was
            self._shown += 1
            show_fatal(self.report(error, fatal=True), self._mode(), self._icon)

    def _thread_failed(self, args: threading.ExceptHookArgs) -> None:
        """`threading.excepthook`: in the thread that failed, which must not touch Tk."""
        if issubclass(args.exc_type, _WANTED):
            self._before[1](args)
            return
        error = args.exc_value or args.exc_type()
        name = args.thread.name if args.thread is not None else "?"
        exc_info = args.exc_type, error, args.exc_traceback
        log.critical("the thread %s failed", name, exc_info=exc_info)
        self._post(error)

    def _post(self, error: BaseException) -> None:
        # A report and not the exception, whose frames would keep objects of this thread alive.
        mailbox = self._mailbox
        if mailbox is not None:
            mailbox.post(self.report(error, fatal=True))

    def _ignored(self, args: sys.UnraisableHookArgs) -> None:
        """`sys.unraisablehook`: raised by a destructor; logged only, as nobody can act on it."""
        if args.exc_value is None or issubclass(args.exc_type, _WANTED):
            self._before[2](args)
            return
        where = getattr(args.object, "__qualname__", type(args.object).__qualname__)
        exc_info = args.exc_type, args.exc_value, args.exc_traceback
        log.critical("%s %s", args.err_msg or "Exception ignored in", where, exc_info=exc_info)

    def _callback_failed(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Tk's hook. An exception raised in here would end Tk's loop."""
        if issubclass(kind, _WANTED):
            self._before[3](kind, error, trace)
            return
        log.critical("a callback failed", exc_info=(kind, error, trace))
        self._arrived([self.report(error, fatal=False)])

    # The dialog

    def _arrived(self, reports: list[CrashReport]) -> None:
        """Show one dialog at a time; a fatal error replaces one that is not fatal."""
        for report in reports:
            before = self.dialog
            hidden = before is not None and (before.report.fatal or not report.fatal)
            if self._root is None or self._shown >= MOST or hidden:
                continue
            self._shown += 1
            try:
                from common.ui.crash.crash_dialog import CrashDialog

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
            # Whatever fails: who pressed this button wants the window to close.
            log.critical("the program can't be closed as it should be", exc_info=True)
            with suppress(Exception):  # it may be gone already
                self._root.destroy()  # type: ignore[union-attr]


def show_fatal(report: CrashReport, mode: Mode, icon: str) -> None:
    """Report in a window of its own that the program has ended; returns when it is closed.

    For an exception that ended `main`, with or without a window. `icon` names pictures in
    assets/icons. Without a display the report goes into a message box of the system (Windows) or
    to standard error. Never raises.
    """
    try:
        from common.ui.crash.crash_dialog import CrashDialog

        root = _own_root(report, mode, icon)
        try:
            report = replace(report, tk=str(root.tk.call("info", "patchlevel")))
            dialog = CrashDialog(root, report, mode, lambda _: None)
            dialog.show()
            root.wait_window(dialog.window)
        finally:
            root.destroy()
    except (Exception, KeyboardInterrupt):  # noqa: BLE001  # the last handler there is
        with suppress(Exception):
            _tell_without_tk(report)


def _own_root(report: CrashReport, mode: Mode, icon: str) -> tk.Tk:
    """A hidden root. Raises what Tk raises without a display."""
    with suppress(Exception):
        from common.ui.look import fonts

        fonts.register()
    from common.ui.program.root import make_root

    bundled = getattr(sys, "_MEIPASS", None)
    if bundled is not None:
        # common/ui/program/root.py took these out of the environment; every interpreter looks there
        # anew.
        for variable, folder in (("TCL_LIBRARY", "_tcl_data"), ("TK_LIBRARY", "_tk_data")):
            os.environ.setdefault(variable, str(Path(bundled) / folder))
    return make_root(report.program, icon, mode)


def _tell_without_tk(report: CrashReport) -> None:
    where = f" It is written down in {report.log}" if report.log is not None else ""
    if sys.platform == "win32":
        import ctypes

        error = 0x10  # MB_ICONERROR
        ctypes.windll.user32.MessageBoxW(None, report.message() + where, report.program, error)
    elif sys.stderr is not None:
        sys.stderr.write(f"{report.program}: {report.message()}{where}\n{report.details()}\n")
