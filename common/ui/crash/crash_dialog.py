"""The dialog that reports an uncaught exception.

The failure may be in the kit. So the dialog is made of plain Tk widgets, without images; from the
kit it takes the colours and, where that works, the font.
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

from common.system.logs import escape_control
from common.ui.crash.crash_report import CrashReport
from common.ui.look import dpi
from common.ui.look.palette import PALETTES, Mode

_WIDTH: Final = 500
"""Width of the texts, px at 96 dpi."""


class CrashDialog:
    """The message, the log's place, the details on demand, and what to do.

    Return presses the focused button, else the default one (continue, or close); Escape and the
    window's close button always press the default. It does not wait: `ended(close)` is called
    once it is closed. It holds no Tk font object: that calls Tk when it is collected, on whatever
    thread that happens.
    """

    def __init__(
        self, root: tk.Tk, report: CrashReport, mode: Mode, ended: Callable[[bool], object]
    ) -> None:
        self.report = report
        self._parent, self._ended = root, ended
        self._answered = False
        self._grabbed = ""
        self._scale = dpi.scale_of(root)
        dpi.set_font_scaling(root, self._scale)
        self._style(mode)
        self.window = tk.Toplevel(root, name="crash", class_=report.program)
        self.window.withdraw()
        self.window.title(report.program)
        self.window.bind("<Destroy>", self._gone)
        self.buttons = self._build()
        self.default = self.buttons["close" if report.fatal else "go_on"]
        for key in ("<Return>", "<KP_Enter>"):
            self.window.bind(key, self._press)
        self.window.bind("<Escape>", lambda _: self.default.invoke())
        self.window.protocol("WM_DELETE_WINDOW", self.default.invoke)

    def show(self) -> None:
        """Put it on the screen, in the middle of its parent."""
        self._place()
        if self._parent.winfo_viewable():
            self.window.transient(self._parent)
        # Only a visible widget can have the focus.
        self.window.bind("<Visibility>", self._take_over)
        self.window.deiconify()
        self.window.lift()

    def toggle_details(self) -> None:
        """Show the details, or hide them."""
        show = not self.details.winfo_manager()
        if show:
            self.details.pack(fill="both", expand=True, pady=(self._px(10), 0))
        else:
            self.details.pack_forget()
        self.buttons["details"].configure(text="Hide details" if show else "Show details")
        self._place()

    def copy(self) -> None:
        """Put the details in the clipboard."""
        self.window.clipboard_clear()
        self.window.clipboard_append(self.report.details())
        self.buttons["copy"].configure(text="Copied")

    def answer(self, *, close: bool) -> None:
        """Close the dialog, then call `ended`."""
        if not self._answered:
            self._answered = True
            self.window.destroy()
            self._ended(close)

    def _px(self, pixels: float) -> int:
        """`pixels` at 96 dpi as whole screen pixels."""
        return round(pixels * self._scale)

    def _font(self, family: str, points: int, weight: str = "normal") -> tuple[str, int, str]:
        return family, -self._px(points * 96 / 72), weight

    def _style(self, mode: Mode) -> None:
        """The look of all widgets below a window named "crash"; what is added later wins."""
        p, px, call = PALETTES[mode], self._px, self._parent.tk.call
        family, fixed = (
            str(call("font", "actual", font, "-family"))
            for font in ("TkDefaultFont", "TkFixedFont")
        )
        with suppress(Exception):
            from common.ui.look.fonts import Fonts

            family = Fonts(self._parent, self._scale).normal_family
        self._title_font = self._font(family, 14, "bold")
        self._colours = p
        for option, value in (
            *(("background", p.window), ("foreground", p.text), ("font", self._font(family, 10))),
            *(("borderWidth", 0), ("highlightThickness", 0), ("relief", "flat")),
            *(("Label.wrapLength", px(_WIDTH)), ("Label.justify", "left"), ("Label.padX", 0)),
            *(("Button.highlightThickness", max(2, px(2))), ("Button.highlightColor", p.focus)),
            *(("Button.highlightBackground", p.window), ("Button.padX", px(12))),
            *(("Button.padY", px(6)), ("Button.background", p.pressed)),
            *(("Button.activeForeground", p.text), ("Button.activeBackground", p.selection)),
            *(("Text.font", self._font(fixed, 9)), ("Text.background", p.card)),
            *(("Text.selectBackground", p.marked), ("Text.selectForeground", p.on_marked)),
            *(("Text.padX", px(10)), ("Text.padY", px(10))),
            *(("Scrollbar.width", px(12)), ("Scrollbar.background", p.scrollbar)),
            *(("Scrollbar.activeBackground", p.scrollbar_hover),),
            ("Scrollbar.troughColor", p.card),
        ):
            self._parent.option_add(f"*crash*{option}", value)

    def _build(self) -> dict[str, tk.Button]:
        report, px, p = self.report, self._px, self._colours
        self.window.configure(background=p.window)
        inside = tk.Frame(self.window)
        # Tab follows the order of making; the buttons are packed before the details, so that on a
        # small screen it is the details that get less.
        links, self.details, row = (tk.Frame(inside) for _ in range(3))
        self.text = text = tk.Text(self.details, width=1, height=16, wrap="word", takefocus=True)
        text.insert("1.0", report.details())
        text.configure(state="disabled")
        text.bind("<Button-1>", lambda _: text.focus_set())  # not by itself while it is disabled
        bar = tk.Scrollbar(self.details, command=text.yview, takefocus=False)
        text.configure(yscrollcommand=bar.set)
        bar.pack(side="right", fill="y")
        text.pack(side="left", fill="both", expand=True)

        close, go_on = partial(self.answer, close=True), partial(self.answer, close=False)
        buttons = {
            "details": tk.Button(links, text="Show details", command=self.toggle_details),
            "copy": tk.Button(links, text="Copy details", command=self.copy),
        }
        texts = [tk.Label(inside, text="Something went wrong", font=self._title_font)]
        texts.append(tk.Label(inside, text=report.message()))
        if report.log is not None:
            where = f"It is written down in {escape_control(str(report.log))}"
            texts.append(tk.Label(inside, text=where, foreground=p.muted))
            look = partial(open_folder, report.log.parent)
            buttons["folder"] = tk.Button(links, text="Open log folder", command=look)
        buttons["close"] = tk.Button(row, text=f"Close {report.program}", command=close)
        if not report.fatal:
            buttons["go_on"] = tk.Button(row, text="Go on", command=go_on)
        loud = list(buttons.values())[-1]
        loud.configure(background=p.primary, activebackground=p.primary_hover)
        loud.configure(foreground=p.on_primary, activeforeground=p.on_primary)

        inside.pack(fill="both", expand=True, padx=px(24), pady=px(24))
        row.pack(side="bottom", anchor="e", pady=(px(20), 0))
        for each in texts:
            each.pack(anchor="w", pady=(0, px(10)))
        links.pack(anchor="w")
        for button in buttons.values():
            button.pack(side="left", padx=(0, px(8)) if button.master is links else (px(8), 0))
        return buttons

    def _place(self) -> None:
        """Place it at its requested size over its parent, wholly on the screen."""
        window, parent = self.window, self._parent
        window.update_idletasks()
        wide, high = window.winfo_screenwidth(), window.winfo_screenheight()
        edge = self._px(40)  # a title bar, a task bar
        width = min(window.winfo_reqwidth(), wide - edge)
        height = min(window.winfo_reqheight(), high - 2 * edge)
        x, y = (wide - width) // 2, (high - height) // 3
        if parent.winfo_viewable():
            x = parent.winfo_rootx() + (parent.winfo_width() - width) // 2
            y = parent.winfo_rooty() + (parent.winfo_height() - height) // 3
        x, y = max(0, min(x, wide - width)), max(0, min(y, high - height - edge))
        window.geometry(f"{width}x{height}+{x}+{y}")

    def _press(self, _event: tk.Event[tk.Misc]) -> None:
        focused = self.window.focus_get()
        (focused if isinstance(focused, tk.Button) else self.default).invoke()

    def _take_over(self, _event: tk.Event[tk.Misc]) -> None:
        """Grab all clicks and keys for this window."""
        self.window.unbind("<Visibility>")
        self._grabbed = str(self.window.tk.call("grab", "current", self.window))
        self.window.grab_set()
        self.default.focus_set()

    def _gone(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is not self.window:
            return
        call = self._parent.tk.call
        with suppress(tk.TclError):  # the program itself may be at its end
            if self._grabbed and int(call("winfo", "exists", self._grabbed)):
                call("grab", "set", self._grabbed)
        if not self._answered:
            self._answered = True
            self._ended(False)


def open_folder(folder: Path) -> None:
    """Show a folder in the desktop's file manager, if there is one."""
    with suppress(OSError):
        if sys.platform == "win32":
            os.startfile(folder)  # noqa: S606  # that is its way
        else:
            command = ["open" if sys.platform == "darwin" else "xdg-open", str(folder)]
            null = subprocess.DEVNULL
            subprocess.Popen(command, stdin=null, stdout=null, stderr=null, start_new_session=True)  # noqa: S603  # no shell
