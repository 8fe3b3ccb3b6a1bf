"""The dialog that tells of an uncaught exception.

The kit may be what failed. So it is made of plain Tk widgets, without pictures, and takes from the
kit its colours alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tkinter as tk
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from common.ui.crash.crash_report import CrashReport
from common.ui.look import dpi
from common.ui.look.palette import PALETTES, Mode

_WIDTH: Final = 500
"""Width of the text, px at 96 dpi."""
_FAMILY: Final = "Inter"
"""The kit's font if it is registered; else Tk takes another."""


class CrashDialog:
    """The message and what to do: copy the details, open the log's folder, close, go on.

    Return presses the button that has the keyboard; Escape and the window's close button press the
    default one (go on, or close). It does not wait: `ended(close)` is called once it is gone. It
    holds no Tk font as an object: that calls Tk when it is collected, on whatever thread that
    happens.
    """

    def __init__(
        self, root: tk.Tk, report: CrashReport, mode: Mode, ended: Callable[[bool], object]
    ) -> None:
        self.report = report
        self._root, self._ended = root, ended
        self._colours, self._scale = PALETTES[mode], dpi.scale_of(root)
        dpi.set_font_scaling(root, self._scale)
        self._close = False
        self._grabbed = ""
        self.buttons: dict[str, tk.Button] = {}
        self.window = tk.Toplevel(root, name="crash", class_=report.program)
        self.window.withdraw()
        self.window.title(report.program)
        self.window.configure(background=self._colours.window)
        self._inside = tk.Frame(self.window, background=self._colours.window)
        self._inside.pack(padx=self._px(24), pady=self._px(24))
        self._write("Something went wrong", 14, "bold")
        self._write(report.message(), 10, "normal")
        self._row = tk.Frame(self._inside, background=self._colours.window)
        self._row.pack(anchor="e", pady=(self._px(10), 0))
        self._offer("copy", "Copy details", self.copy)
        if report.log is not None:
            self._offer("folder", "Open log folder", partial(open_folder, report.log.parent))
        self._offer("close", f"Close {report.program}", partial(self.answer, close=True))
        if not report.fatal:
            self._offer("go_on", "Go on", partial(self.answer, close=False))
        self.default = list(self.buttons.values())[-1]
        p = self._colours
        self.default.configure(background=p.primary, activebackground=p.primary_hover)
        self.default.configure(foreground=p.on_primary, activeforeground=p.on_primary)
        self.window.bind("<Escape>", lambda _: self.default.invoke())
        self.window.bind("<Destroy>", self._gone)
        self.window.protocol("WM_DELETE_WINDOW", self.default.invoke)

    def show(self) -> None:
        """Put it on the screen, in the middle of its parent."""
        if self._root.winfo_viewable():
            self.window.transient(self._root)
        # Only what is to be seen can have the keyboard.
        self.window.bind("<Visibility>", self._take_over)
        self._root.tk.call("tk::PlaceWindow", self.window, "widget", self._root)
        self.window.lift()

    def copy(self) -> None:
        """Put the details in the clipboard."""
        self.window.clipboard_clear()
        self.window.clipboard_append(self.report.details())
        self.buttons["copy"].configure(text="Copied")

    def answer(self, *, close: bool) -> None:
        """Go away, then tell."""
        self._close = close
        self.window.destroy()

    def _px(self, pixels: float) -> int:
        """`pixels` at 96 dpi as whole screen pixels."""
        return round(pixels * self._scale)

    def _write(self, text: str, points: int, weight: str) -> None:
        label = tk.Label(self._inside, text=text, wraplength=self._px(_WIDTH), justify="left")
        label.configure(font=(_FAMILY, -self._px(points * 96 / 72), weight))
        label.configure(background=self._colours.window, foreground=self._colours.text)
        label.pack(anchor="w", pady=(0, self._px(10)))

    def _offer(self, name: str, text: str, command: Callable[[], object]) -> None:
        p, px = self._colours, self._px
        button = tk.Button(self._row, text=text, command=command, padx=px(12), pady=px(6))
        button.configure(font=(_FAMILY, -px(10 * 96 / 72)), borderwidth=0, relief="flat")
        button.configure(background=p.pressed, activebackground=p.selection)
        button.configure(foreground=p.text, activeforeground=p.text)
        button.configure(highlightthickness=px(2), highlightcolor=p.focus)
        button.configure(highlightbackground=p.window)
        for key in ("<Return>", "<KP_Enter>"):
            button.bind(key, lambda _: button.invoke())
        button.pack(side="left", padx=(px(8) * bool(self.buttons), 0))
        self.buttons[name] = button

    def _take_over(self, _event: tk.Event[tk.Misc]) -> None:
        """Nothing but this window gets clicks and keys now, whoever had them before."""
        self.window.unbind("<Visibility>")
        self._grabbed = str(self.window.tk.call("grab", "current", self.window))
        self.window.grab_set()
        self.default.focus_set()

    def _gone(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self.window:
            call = self._root.tk.call
            with suppress(tk.TclError):  # the program itself may be at its end
                if self._grabbed and int(call("winfo", "exists", self._grabbed)):
                    call("grab", "set", self._grabbed)
            self._ended(self._close)


def open_folder(folder: Path) -> None:
    """Show a folder in the desktop's file manager, if there is one."""
    with suppress(OSError):
        if sys.platform == "win32":
            os.startfile(folder)  # noqa: S606  # that is its way
        else:
            command = ["open" if sys.platform == "darwin" else "xdg-open", str(folder)]
            null = subprocess.DEVNULL
            subprocess.Popen(command, stdin=null, stdout=null, stderr=null, start_new_session=True)  # noqa: S603  # no shell
