"""What becomes of a mistake that nobody caught: it is logged, and the person is told.

Tk is imported when it is needed, so that this module is there where Tk is not.
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
from typing import TYPE_CHECKING, Final, NamedTuple

from window.crash_report import CrashReport
from window.palette import PALETTES, Mode

if TYPE_CHECKING:
    import tkinter as tk

    from window.crash_dialog import CrashDialog
    from window.mailbox import Mailbox

log = logging.getLogger("crash")

MOST: Final = 3
"""Dialogs in one run: a timer that fails each second must not bury the person."""


class _Hooks(NamedTuple):
    """What Python called before."""

    main: Callable[[type[BaseException], BaseException, TracebackType | None], object]
    thread: Callable[[threading.ExceptHookArgs], object]
    unraisable: Callable[[sys.UnraisableHookArgs], object]


class CrashWatch:
    """Brings what nobody caught into the log and, once a root is watched, before the person.

    `version` gives that line of `CrashReport`, `log` is as there, `icon` as for `show_fatal`.
    `dialog` is the open one. All of this is called on the Tk thread, but for the hooks.
    """

    def __init__(
        self, program: str, version: Callable[[], str], log: Path | None, icon: str = ""
    ) -> None:
        self._program, self._version, self._log, self._icon = program, version, log, icon
        self._before: _Hooks | None = None
        self._root: tk.Tk | None = None
        self._tk = ""
        self._close: Callable[[], object] = lambda: None
        self._report_before: Callable[..., object] | None = None
        self._mailbox: Mailbox[CrashReport] | None = None
        self._shown = 0
        self.dialog: CrashDialog | None = None

    def install(self) -> None:
        """Take Python's hooks, and log what comes; harmless when called again."""
        if self._before is None:
            self._before = _Hooks(sys.excepthook, threading.excepthook, sys.unraisablehook)
            sys.excepthook = self._ended
            threading.excepthook = self._thread_failed
            sys.unraisablehook = self._ignored

    def watch(self, root: tk.Tk, close: Callable[[], object]) -> None:
        """From now on also show it, over `root`; `close` ends the program if the person asks."""
        from window.mailbox import Mailbox

        self._root, self._close = root, close
        self._tk = str(root.tk.call("info", "patchlevel"))
        self._report_before = root.report_callback_exception
        root.report_callback_exception = self._callback_failed
        self._mailbox = Mailbox(root, self._arrived)

    def uninstall(self) -> None:
        """Put all hooks back and close an open dialog."""
        if self._before is not None:
            sys.excepthook, threading.excepthook, sys.unraisablehook = self._before
            self._before = None
        if self.dialog is not None:
            self.dialog.answer(close=False)
        if self._mailbox is not None:
            self._mailbox.close()
        if self._root is not None and self._report_before is not None:
            self._root.report_callback_exception = self._report_before
        self._root = self._mailbox = self._report_before = None

    def report(self, error: BaseException, *, fatal: bool) -> CrashReport:
        """The report of an exception that was caught, such as for `show_fatal`."""
        trace = "".join(traceback.format_exception(error))
        version = self._version()
        return CrashReport(self._program, version, self._log, fatal, trace, tk=self._tk)

    # The hooks

    def _ended(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """`sys.excepthook`: the main thread is at its end, and no Tk loop runs any more."""
        if self._before is not None and issubclass(kind, KeyboardInterrupt | SystemExit):
            self._before.main(kind, error, trace)
            return
        log.critical("the program failed", exc_info=(kind, error, trace))
        if threading.current_thread() is not threading.main_thread():
            self._post(error)  # somebody handed it to `sys.excepthook` in a thread
        elif self._tk and self._shown < MOST:  # a root is watched, or was
            self._shown += 1
            mode = _mode_of(self._root, self._log)
            show_fatal(self.report(error, fatal=True), mode=mode, icon=self._icon)

    def _thread_failed(self, args: threading.ExceptHookArgs) -> None:
        """`threading.excepthook`: in the thread that failed, which must not touch Tk."""
        if self._before is not None and issubclass(args.exc_type, KeyboardInterrupt | SystemExit):
            self._before.thread(args)
            return
        error = args.exc_value or args.exc_type()
        name = args.thread.name if args.thread is not None else "?"
        what = args.exc_type, error, args.exc_traceback
        log.critical("the thread %s failed", name, exc_info=what)
        self._post(error)

    def _post(self, error: BaseException) -> None:
        # A report and not the exception: its frames must not be kept for the Tk thread.
        mailbox = self._mailbox
        if mailbox is not None:
            mailbox.post(self.report(error, fatal=True))

    def _ignored(self, args: sys.UnraisableHookArgs) -> None:
        """`sys.unraisablehook`: what a destructor raised; nobody can do anything about it."""
        if args.exc_value is None:
            return
        if self._before is not None and issubclass(args.exc_type, KeyboardInterrupt | SystemExit):
            self._before.unraisable(args)
            return
        where = getattr(args.object, "__qualname__", type(args.object).__qualname__)
        what = args.exc_type, args.exc_value, args.exc_traceback
        log.critical("%s %s", args.err_msg or "Exception ignored in", where, exc_info=what)

    def _callback_failed(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Tk's hook. What left it would end Tk's loop."""
        if self._report_before is not None and issubclass(kind, KeyboardInterrupt | SystemExit):
            self._report_before(kind, error, trace)
            return
        log.critical("a callback failed", exc_info=(kind, error, trace))
        self._show(self.report(error, fatal=False))

    # The dialog

    def _arrived(self, reports: list[CrashReport]) -> None:
        for report in reports:
            self._show(report)

    def _show(self, report: CrashReport) -> None:
        if self._root is None or self._shown >= MOST:
            return
        before = self.dialog
        if before is not None and (before.report.fatal or not report.fatal):
            return
        self._shown += 1
        try:
            from window.crash_dialog import CrashDialog

            if before is not None:
                before.answer(close=False)  # the worse one takes its place
            mode = _mode_of(self._root, self._log)
            self.dialog = CrashDialog(self._root, report, mode, self._answered)
            self.dialog.show()
        except Exception:
            self.dialog = None
            log.critical("the mistake can't be shown", exc_info=True)

    def _answered(self, close: bool) -> None:
        self.dialog = None
        if not close:
            return
        try:
            self._close()
        except Exception:
            # Whatever hinders it: who has pressed this button wants the window gone.
            log.critical("the program can't be closed as it should be", exc_info=True)
            if self._root is not None:
                with suppress(Exception):  # it may be gone already
                    self._root.destroy()


def show_fatal(report: CrashReport, *, mode: Mode | None = None, icon: str = "") -> None:
    """Say in a window of its own that the program has ended, until that is closed.

    For what ended `main` with no window or beside one. `mode` None is what the window
    remembers, else the system's; `icon` names pictures in assets/icons. Without a display it
    is said in the system's own box (Windows) or on standard error. Never raises.
    """
    try:
        from window.crash_dialog import CrashDialog

        root = _own_root(report, icon)
        try:
            report = replace(report, tk=str(root.tk.call("info", "patchlevel")))
            dialog = CrashDialog(root, report, mode or _kept_mode(report.log), lambda _: None)
            dialog.show()
            root.wait_window(dialog.window)
        finally:
            root.destroy()
    except (Exception, KeyboardInterrupt):  # noqa: BLE001  # it is the last one that could tell
        with suppress(Exception):
            _tell_without_tk(report)


def _mode_of(root: tk.Tk | None, log_file: Path | None) -> Mode:
    """The look that is shown, as the root has its ground; else the one to begin with."""
    with suppress(Exception):
        ground = str(root.cget("background")) if root is not None else ""
        for mode, palette in PALETTES.items():
            if palette.window == ground:
                return mode
    return _kept_mode(log_file)


def _kept_mode(log_file: Path | None) -> Mode:
    """The look that was chosen the last time, if that is kept beside the log; else the system's."""
    with suppress(Exception):
        from window.memory import recall

        kept = recall(log_file.parent).theme if log_file is not None else None
        if kept is not None:
            return kept
    with suppress(Exception):
        from window.system import system_mode

        return system_mode()
    return "light"


def _own_root(report: CrashReport, icon: str) -> tk.Tk:
    """A hidden root, prepared as far as that works. Raises what Tk raises without a display."""
    with suppress(Exception):
        from window import dpi, fonts

        dpi.make_aware()
        fonts.register()
    import tkinter as tk

    bundled = getattr(sys, "_MEIPASS", None)
    if bundled is not None:
        # window/root.py took these out of the environment; every interpreter looks there anew.
        for variable, folder in (("TCL_LIBRARY", "_tcl_data"), ("TK_LIBRARY", "_tk_data")):
            os.environ.setdefault(variable, str(Path(bundled) / folder))
    root = tk.Tk(className=report.program)
    root.withdraw()
    with suppress(Exception):
        for file in Path(__file__).parent.glob(f"assets/icons/{icon}-*.png"):
            root.iconphoto(True, tk.PhotoImage(master=root, file=file))
    return root


def _tell_without_tk(report: CrashReport) -> None:
    where = f" It is written down in {report.log}" if report.log is not None else ""
    if sys.platform == "win32":
        import ctypes

        error = 0x10  # MB_ICONERROR
        ctypes.windll.user32.MessageBoxW(None, report.message() + where, report.program, error)
    elif sys.stderr is not None:
        sys.stderr.write(f"{report.program}: {report.message()}{where}\n{report.details()}\n")
