"""How a window asks to be looked at, comes to the front, and shows a count on its icon."""

from __future__ import annotations

import re
import sys
import tkinter as tk
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from common.ui.program.root import ICON_SIZES, icon_file

if TYPE_CHECKING:
    from PIL import Image

    from common.ui.program.x11 import X11

_MOST: Final = 99
"""Larger counts are shown as this one with a plus."""
_LEAST_SIZE: Final = 32
"""Below this size of an icon, in pixels, the badge is a dot without a number."""
_BADGE: Final = "#d23b33"
_INK: Final = "#ffffff"
_TOKEN_TIME: Final = re.compile(r"_TIME(\d{1,10})$")
"""At the end of a startup id: the server time of what the person did, in milliseconds."""


class Attention:
    """For the window `root`, whose icon has that name."""

    def __init__(self, root: tk.Tk, icon: str) -> None:
        self._root, self._icon = root, icon
        self._demanding = False
        self._count = 0
        self._check: str | None = None
        self._x11: X11 | None = None
        self._on_x11 = str(root.tk.call("tk", "windowingsystem")) == "x11"
        root.bind("<FocusIn>", self._focused, add="+")
        root.bind("<Destroy>", self._destroyed, add="+")

    @property
    def demanding(self) -> bool:
        """Whether the window asks to be looked at."""
        return self._demanding

    def demand(self) -> None:
        """Ask to be looked at, until the window gets the keyboard; nothing where it has it."""
        if not self.has_keyboard and not self._demanding:
            self._demanding = True
            self._tell(on=True)

    @property
    def has_keyboard(self) -> bool:
        """Whether a window of this program has the keyboard."""
        try:
            return self._root.focus_displayof() is not None
        except KeyError:  # one that Tk made itself, such as a menu
            return True

    def raise_window(self, token: str | None = None) -> None:
        """Bring the window to the front, also if it is iconified.

        `token` is what a notification server gave for the click that asks for it. Where the window
        manager leaves the keyboard with another window all the same, this one asks for attention.
        """
        root = self._root
        if root.state() in {"iconic", "withdrawn"}:
            root.deiconify()
        root.lift()
        root.update_idletasks()
        connection = self._connection()
        if connection is not None:
            found = _TOKEN_TIME.search(token or "")
            with suppress(OSError):
                connection.activate(root.winfo_id(), int(found[1]) if found else 0)
        root.focus_force()
        if self._check is not None:
            root.after_cancel(self._check)
        self._check = root.after(500, self._check_raised)

    def show_count(self, count: int) -> None:
        """Show a number on the icon; 0 for none."""
        if count == self._count:
            return
        self._count = count
        images = []
        for size in ICON_SIZES:
            file = icon_file(self._icon, size)
            if count:
                images.append(_badged(self._root, file, count))
            else:
                images.append(tk.PhotoImage(master=self._root, file=file))
        # Tk copies them into the window's property; it does not look at the images again.
        self._root.iconphoto(True, *images)

    def _check_raised(self) -> None:
        self._check = None
        if not self.has_keyboard:
            self.demand()

    def _focused(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self._root and self._demanding:
            self._demanding = False
            self._tell(on=False)

    def _destroyed(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is not self._root:
            return
        if self._check is not None:
            self._root.after_cancel(self._check)
            self._check = None
        if self._x11 is not None:
            self._x11.close()
            self._x11 = None

    def _tell(self, *, on: bool) -> None:
        connection = self._connection()
        if connection is not None:
            connection.demand_attention(self._root.winfo_id(), on)
        elif sys.platform == "win32":
            _flash(int(self._root.frame(), 16), on=on)

    def _connection(self) -> X11 | None:
        if self._x11 is None and self._on_x11:
            from common.ui.program.x11 import X11

            try:
                self._x11 = X11(str(self._root.winfo_screen()))
            except (OSError, AttributeError):
                self._on_x11 = False
        return self._x11


def _badged(root: tk.Misc, file: str, count: int) -> tk.PhotoImage:
    from PIL import Image

    from common.ui.look.shapes import photo

    with Image.open(file) as icon:
        return photo(root, draw_badge(icon.convert("RGBA"), count))


def draw_badge(icon: Image.Image, count: int) -> Image.Image:
    """An icon with a number in its lower right corner; on a small one there is only a dot."""
    from PIL import ImageDraw, ImageFont

    from common.ui.look.fonts import BOLD
    from common.ui.look.palette import rgb
    from common.ui.look.shapes import rounded_mask, tinted

    size = icon.width
    high = round(size * (0.5 if size >= _LEAST_SIZE else 0.6))
    text = str(count) if count <= _MOST else f"{_MOST}+"
    font = ImageFont.truetype(str(BOLD), max(1, round(high * 0.72)))
    wide = high
    if size >= _LEAST_SIZE:
        wide = min(size, max(high, round(font.getlength(text) + high * 0.5)))
    badge = tinted(rounded_mask(wide, high, high / 2), _BADGE)
    if size >= _LEAST_SIZE:
        pen = ImageDraw.Draw(badge)
        pen.text((wide / 2, high / 2), text, font=font, fill=(*rgb(_INK), 255), anchor="mm")
    whole: Image.Image = icon.copy()
    whole.alpha_composite(badge, (size - wide, size - high))
    return whole


def _flash(window: int, *, on: bool) -> None:
    """Have the task bar's button of a window flash until it is in front (Windows)."""
    import ctypes
    from ctypes import wintypes

    class FlashInfo(ctypes.Structure):
        """FLASHWINFO."""

        _fields_ = (
            ("size", wintypes.UINT),
            ("window", wintypes.HWND),
            ("flags", wintypes.DWORD),
            ("count", wintypes.UINT),
            ("timeout", wintypes.DWORD),
        )

    tray_until_in_front = 0x2 | 0xC
    info = FlashInfo(ctypes.sizeof(FlashInfo), window, tray_until_in_front if on else 0, 0, 0)
    user32: ctypes.CDLL = ctypes.windll.user32  # type: ignore[attr-defined,unused-ignore]  # Windows only
    user32.FlashWindowEx(ctypes.byref(info))
