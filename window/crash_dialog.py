"""The dialog that says that the program made a mistake.

The kit may be what failed. So it is made of plain Tk widgets; from the kit it takes the
colours, and the type where that works.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from math import hypot
from typing import Final, Literal

from common.logs import harmless
from window import dpi
from window.crash_report import CrashReport
from window.palette import PALETTES, Mode, Palette, rgb

_TITLE: Final = "Something went wrong"
_SHOW: Final = "Show details"
_HIDE: Final = "Hide details"
_WIDTH: Final = 500
"""Width of what is in the dialog, px at 96 dpi."""

_Font = tuple[str, int] | tuple[str, int, str]
_Variant = Literal["primary", "secondary", "link"]


class CrashDialog:
    """The message, the place of the log, the details on demand, and what to do.

    Return presses the last button (go on, or close) unless another one has the keyboard;
    Escape and the close button of the window press it always. It does not wait:
    `ended(close)` is called once it is gone.
    """

    def __init__(
        self,
        root: tk.Tk,
        report: CrashReport,
        mode: Mode,
        ended: Callable[[bool], object],
    ) -> None:
        self.report = report
        self._parent, self._ended = root, ended
        self._answered = False
        self._grabbed = ""
        self.window = tk.Toplevel(root, class_=report.program)
        self.window.withdraw()
        self.window.title(report.program)
        self.window.resizable(False, False)
        self._pen = _Pen(self.window, PALETTES[mode])
        self.window.bind("<Destroy>", self._gone)
        self.buttons = self._build()
        self._default = self.buttons["close" if report.fatal else "go_on"]
        for key in ("<Return>", "<KP_Enter>", "<Escape>"):
            self.window.bind(key, lambda _: self._default.press())
        self.window.protocol("WM_DELETE_WINDOW", self._default.press)

    def show(self) -> None:
        """Put it on the screen, in the middle of its parent."""
        self._place(first=True)
        if self._parent.winfo_viewable():
            self.window.transient(self._parent)
        # Only what is to be seen can have the keyboard.
        self.window.bind("<Visibility>", self._take_over)
        self.window.deiconify()
        self.window.lift()

    @property
    def details_shown(self) -> bool:
        """Whether the details are to be seen."""
        return bool(self._details.winfo_manager())

    def toggle_details(self) -> None:
        """Show the details, or hide them."""
        show = not self.details_shown
        if show:
            if not self.text.get("1.0", "end-1c"):
                self.text.configure(state="normal")
                self.text.insert("1.0", self.report.details())
                self.text.configure(state="disabled")
            self._details.pack(fill="both", expand=True, pady=(self._pen.px(10), 0))
        else:
            self._details.pack_forget()
        self.buttons["details"].set(_HIDE if show else _SHOW)
        self.window.resizable(show, show)
        self._place()

    def copy(self) -> None:
        """Put the details in the clipboard."""
        self.window.clipboard_clear()
        self.window.clipboard_append(self.report.details())
        self.buttons["copy"].set("Copied")

    def answer(self, *, close: bool) -> None:
        """Go away, then tell."""
        if not self._answered:
            self._answered = True
            self.window.destroy()
            self._ended(close)

    def _build(self) -> dict[str, _Button]:
        pen, report, window = self._pen, self.report, self.window
        window.configure(background=pen.palette.window)
        inside = pen.frame(window)
        measure = pen.frame(inside)
        measure.configure(width=pen.px(_WIDTH))
        head = pen.frame(inside)
        badge, title = pen.badge(head, "!"), pen.label(head, _TITLE, pen.title)
        parts = [(pen.label(inside, report.message(), pen.body, wrap=_WIDTH), 14)]
        if report.log is not None:
            where = f"It is written down in {harmless(str(report.log))}"
            parts.append((pen.label(inside, where, pen.small, wrap=_WIDTH, muted=True), 10))
        toggle = _Button(pen, inside, _SHOW, self.toggle_details, "link")
        parts.append((toggle.widget, 12))
        self._details, self.text = pen.scrolled_text(inside)
        # Made in the order in which Tab goes through them; packed with the buttons first, so
        # that on a small screen it is the details that get less.
        row = pen.frame(inside)
        close, go_on = partial(self.answer, close=True), partial(self.answer, close=False)
        loud: _Variant = "primary" if report.fatal else "secondary"
        buttons = {
            "copy": _Button(pen, row, "Copy details", self.copy),
            "close": _Button(pen, row, f"Close {report.program}", close, loud),
        }
        if not report.fatal:
            buttons["go_on"] = _Button(pen, row, "Go on", go_on, "primary")

        inside.pack(fill="both", expand=True, padx=pen.px(24), pady=pen.px(24))
        measure.pack()
        row.pack(side="bottom", anchor="e", pady=(pen.px(24), 0))
        head.pack(anchor="w")
        badge.pack(side="left", padx=(0, pen.px(12)))
        title.pack(side="left")
        for part, above in parts:
            part.pack(anchor="w", pady=(pen.px(above), 0))
        for button in buttons.values():
            button.widget.pack(side="left", padx=(pen.px(8), 0))
        return {"details": toggle, **buttons}

    def _place(self, *, first: bool = False) -> None:
        """As large as it wants to be, but all of it on the screen."""
        window, parent = self.window, self._parent
        window.update_idletasks()
        screen = window.winfo_screenwidth(), window.winfo_screenheight()
        edge = self._pen.px(40)  # a title bar, a task bar
        width = min(window.winfo_reqwidth(), screen[0] - edge)
        height = min(window.winfo_reqheight(), screen[1] - 2 * edge)
        if not first:
            # Tk's own words: where the frame is that the desktop has put around it.
            x, y = map(int, window.geometry().split("+")[1:])
        elif parent.winfo_viewable():
            x = parent.winfo_rootx() + (parent.winfo_width() - width) // 2
            y = parent.winfo_rooty() + (parent.winfo_height() - height) // 3
        else:
            x, y = (screen[0] - width) // 2, (screen[1] - height) // 3
        x = max(0, min(x, screen[0] - width))
        y = max(0, min(y, screen[1] - height - edge))
        window.geometry(f"{width}x{height}+{x}+{y}")

    def _take_over(self, _event: tk.Event[tk.Misc]) -> None:
        """Nothing but this window gets clicks and keys now, whoever had them before."""
        self.window.unbind("<Visibility>")
        self._grabbed = str(self.window.tk.call("grab", "current", self.window))
        self.window.grab_set()
        self._default.widget.focus_set()

    def _gone(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is not self.window:
            return
        call = self._parent.tk.call
        with suppress(tk.TclError):  # the program itself may be at its end
            self._pen.put_away()
            if self._grabbed and int(call("winfo", "exists", self._grabbed)):
                call("grab", "set", self._grabbed)
        if not self._answered:
            self._answered = True
            self._ended(False)


class _Pen:
    """Makes the plain widgets of one dialog, in the kit's colours and, if it can be, type.

    It holds no Tk font and no Tk image as an object: those call Tk when they are collected,
    on whatever thread that happens.
    """

    def __init__(self, window: tk.Misc, palette: Palette) -> None:
        self.palette = palette
        self._tk = window.tk
        self._scale = dpi.scale_of(window)
        dpi.set_font_scaling(window, self._scale)
        self._images: dict[tuple[int, int, int, str, str, int], str] = {}
        family = bold = str(self._tk.call("font", "actual", "TkDefaultFont", "-family"))
        with suppress(Exception):
            from window.fonts import Fonts

            fonts = Fonts(window, self._scale)
            family, bold = fonts.normal_family, fonts.bold_family
        self.small: _Font = (family, self.size(9))
        self.body: _Font = (family, self.size(10))
        self.strong: _Font = (bold, self.size(10), "bold")
        self.title: _Font = (bold, self.size(14), "bold")
        fixed = str(self._tk.call("font", "actual", "TkFixedFont", "-family"))
        self.code: _Font = (fixed, self.size(9))

    def px(self, pixels: float) -> int:
        """`pixels` at 96 dpi as whole screen pixels."""
        return round(pixels * self._scale)

    def size(self, points: int) -> int:
        """The size of a Tk font that is `points` high at 96 dpi: whole screen pixels."""
        return -self.px(points * 96 / 72)

    def width(self, font: _Font, text: str) -> int:
        """Width of `text` in screen pixels."""
        return int(self._tk.call("font", "measure", font, text))

    def frame(self, parent: tk.Misc) -> tk.Frame:
        """A frame without a border."""
        ground = self.palette.window
        return tk.Frame(parent, background=ground, borderwidth=0, highlightthickness=0)

    def label(
        self, parent: tk.Misc, text: str, font: _Font, *, wrap: int = 0, muted: bool = False
    ) -> tk.Label:
        """Text, wrapped at `wrap` px at 96 dpi."""
        return tk.Label(
            parent,
            text=text,
            font=font,
            foreground=self.palette.muted if muted else self.palette.text,
            background=self.palette.window,
            wraplength=self.px(wrap),
            justify="left",
            anchor="w",
            borderwidth=0,
            highlightthickness=0,
            padx=0,
            pady=0,
        )

    def badge(self, parent: tk.Misc, sign: str) -> tk.Label:
        """A sign on a round ground that says danger, but not loudly."""
        size, fill = self.px(32), self.palette.danger_fill
        label = self.label(parent, sign, self.title)
        image = self.rounded(size, size, size // 2, fill, self.palette.danger_border)
        label.configure(image=image, compound="center", foreground=self.palette.danger)
        return label

    def scrolled_text(self, parent: tk.Misc) -> tuple[tk.Frame, tk.Text]:
        """A text to be read and copied, with a scrollbar, and the frame that both stand in."""
        palette, pad = self.palette, self.px(10)
        frame = self.frame(parent)
        frame.configure(
            background=palette.card,
            highlightthickness=self.px(1),
            highlightbackground=palette.border,
            highlightcolor=palette.border,
        )
        bar = self.frame(frame)
        bar.configure(background=palette.card, width=self.px(6))
        thumb = self.frame(bar)
        thumb.configure(background=palette.scrollbar)
        text = tk.Text(
            frame,
            width=1,
            height=16,
            font=self.code,
            wrap="word",
            state="disabled",
            takefocus=1,
            foreground=palette.text,
            background=palette.card,
            selectforeground=palette.on_selection,
            selectbackground=palette.selection,
            borderwidth=0,
            highlightthickness=0,
            padx=pad,
            pady=pad,
        )
        text.configure(spacing1=self.px(1))

        def seen(first: float, last: float) -> None:
            start, part = float(first), float(last) - float(first)  # Tk gives strings
            height = bar.winfo_height()
            length = max(part * height, self.px(28))
            if part < 1 <= height:
                thumb.place(y=start / (1 - part) * (height - length), height=length, relwidth=1)
            else:
                thumb.place_forget()

        def dragged(event: tk.Event[tk.Misc]) -> None:
            middle = event.y_root - bar.winfo_rooty() - thumb.winfo_height() / 2
            text.yview_moveto(middle / max(1, bar.winfo_height()))

        def scrolled(lines: int, _event: tk.Event[tk.Misc]) -> str:
            text.yview_scroll(lines, "units")
            return "break"

        def selected(_event: tk.Event[tk.Misc]) -> str:
            text.tag_add("sel", "1.0", "end-1c")
            return "break"

        text.configure(yscrollcommand=seen)
        for part in (bar, thumb):
            part.bind("<Button-1>", dragged)
            part.bind("<B1-Motion>", dragged)
        text.bind("<Button-1>", lambda _: text.focus_set())  # not by itself while it is disabled
        # Without the newline that Tk adds to every text.
        text.bind("<<SelectAll>>", selected)
        for key, lines in (("<Up>", -1), ("<Down>", 1)):
            text.bind(key, partial(scrolled, lines))
        bar.pack(side="right", fill="y", padx=self.px(3), pady=self.px(3))
        text.pack(side="left", fill="both", expand=True)
        return frame, text

    def rounded(
        self, width: int, height: int, radius: int, fill: str, border: str, line: int = 1
    ) -> str:
        """The name of a picture of a rounded box, smooth, on the dialog's ground."""
        key = (width, height, radius, fill, border, line)
        if key not in self._images:
            picture = _box(width, height, radius, (self.palette.window, border, fill), line)
            made = self._tk.call("image", "create", "photo", "-format", "ppm", "-data", picture)
            self._images[key] = str(made)
        return self._images[key]

    def put_away(self) -> None:
        """Free the pictures."""
        for name in self._images.values():
            self._tk.call("image", "delete", name)
        self._images.clear()


class _Button:
    """A rounded button made of a label; a click, Space and Return press it.

    Not Tk's own button: macOS draws that in its own colours, whatever text they get.
    """

    def __init__(
        self,
        pen: _Pen,
        parent: tk.Misc,
        text: str,
        command: Callable[[], object],
        variant: _Variant = "secondary",
    ) -> None:
        self._pen, self._command, self._variant = pen, command, variant
        self._font = pen.strong if variant == "primary" else pen.body
        self._size = pen.width(self._font, text) + pen.px(28), pen.px(34)
        self._over = self._down = self._focused = False
        self.widget = pen.label(parent, text, self._font)
        self.widget.configure(takefocus=1)
        for event, attribute, value in (
            ("<Enter>", "_over", True),
            ("<Leave>", "_over", False),
            ("<FocusIn>", "_focused", True),
            ("<FocusOut>", "_focused", False),
            ("<Button-1>", "_down", True),
        ):
            self.widget.bind(event, partial(self._is, attribute, value))
        self.widget.bind("<ButtonRelease-1>", self._released)
        for key in ("<Return>", "<KP_Enter>", "<space>"):
            self.widget.bind(key, self._key)
        self._paint()

    @property
    def text(self) -> str:
        """What stands on it."""
        return str(self.widget.cget("text"))

    def set(self, text: str) -> None:
        """Change what stands on it; its size stays."""
        self.widget.configure(text=text)

    def press(self) -> None:
        """As if it was clicked."""
        self._command()

    def _is(self, attribute: str, value: bool, _event: tk.Event[tk.Misc]) -> None:
        setattr(self, attribute, value)
        self._paint()

    def _released(self, _event: tk.Event[tk.Misc]) -> None:
        pressed = self._down and self._over
        self._down = False
        self._paint()
        if pressed:
            self.press()

    def _key(self, _event: tk.Event[tk.Misc]) -> str:
        self.press()
        return "break"

    def _paint(self) -> None:
        pen, p = self._pen, self._pen.palette
        if self._variant == "link":
            style = "underline" if self._over or self._focused else "normal"
            self.widget.configure(foreground=p.link, font=(*self._font, style), cursor="hand2")
            return
        if self._variant == "primary":
            ink, fills = p.on_primary, (p.primary, p.primary_hover, p.primary_pressed)
            border, focus = "", p.text
        else:
            ink, fills = p.text, (p.raised, p.hover, p.pressed)
            border, focus = p.button_border, p.focus
        fill = fills[self._over + (self._over and self._down)]
        edge, line = (focus, max(2, pen.px(2))) if self._focused else (border or fill, 1)
        image = pen.rounded(*self._size, pen.px(8), fill, edge, line)
        self.widget.configure(image=image, compound="center", foreground=ink)


def _box(width: int, height: int, radius: int, colours: tuple[str, str, str], line: int) -> bytes:
    """A PPM picture (P6) of a rounded box: the colours behind it, of its border and its fill."""
    behind, border, fill = map(rgb, colours)

    def pixel(across: float, down: float) -> bytes:
        # How far inside the outline its middle is; half a pixel either way is the smooth edge.
        inside = radius - hypot(across, down)
        outer, inner = (max(0.0, min(1.0, inside - by + 0.5)) for by in (0, line))
        return bytes(
            round((ground * (1 - outer) + edge * (outer - inner)) + face * inner)
            for ground, edge, face in zip(behind, border, fill, strict=True)
        )

    rows: list[bytes] = [b"P6 %d %d 255\n" % (width, height)]
    for y in range(height):
        down = max(radius - y - 0.5, y + 0.5 - (height - radius), 0.0)
        corner = [pixel(radius - x - 0.5, down) for x in range(radius)]
        rows += (*corner, pixel(0, down) * (width - 2 * radius), *reversed(corner))
    return b"".join(rows)
