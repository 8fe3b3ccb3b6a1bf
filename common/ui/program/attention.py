"""How a window asks to be looked at, comes to the front, and shows a count on its icon."""

from __future__ import annotations

import re
import sys
import tkinter as tk
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from common.ui.program.x11 import X11

COUNT_PAUSE: Final = 250
"""Milliseconds between two numbers on the icon: each one has the task bar draw it anew."""
RAISED: Final = 500
"""Milliseconds after which a window that was to come to the front has the keyboard, or won't."""
_TOKEN_TIME: Final = re.compile(r"_TIME(\d{1,10})$")
"""At the end of a startup id: the server time of what the person did, in milliseconds."""
_LATEST_TIME: Final = (1 << 32) - 1


class Attention:
    """For the window `root`, whose icon has that name."""

    def __init__(self, root: tk.Tk, icon: str) -> None:
        self._root, self._icon = root, icon
        self._demanding = False
        self._label = self._drawn = ""
        """What is to stand on the icon, and what stands there."""
        self._count_timer: str | None = None
        self._raise_timer: str | None = None
        self._token = ""
        """The startup id of what the window was last raised for."""
        self._has_switched = False
        """Whether the virtual desktop was changed for it."""
        self._on_x11 = str(root.tk.call("tk", "windowingsystem")) == "x11"
        # Of all windows of the program: any of them that has the keyboard is one that is looked at.
        root.bind_all("<FocusIn>", self._focused, add="+")
        root.bind("<Destroy>", self._destroyed, add="+")

    @property
    def demanding(self) -> bool:
        """Whether the window asks to be looked at."""
        return self._demanding

    def demand(self) -> None:
        """Ask to be looked at, until the program gets the keyboard; nothing where it has it."""
        if not self._demanding and not self.has_keyboard:
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
        if root.state() == "withdrawn":
            root.deiconify()
        self._token, self._has_switched = token or "", False
        if not self._on_x11 or not self._activate():
            # Nobody decides about it. Where somebody does, this would take the keyboard from
            # what one types into just then.
            if root.state() == "iconic":
                root.deiconify()
            root.lift()
            root.focus_force()
        if self._raise_timer is not None:
            root.after_cancel(self._raise_timer)
        self._raise_timer = root.after(RAISED, self._check_raised)

    def show_count(self, count: int) -> None:
        """Show a number on the icon; 0 for none. In a flood of them the last one after a pause."""
        from common.ui.program.icon_count import label_of

        self._label = label_of(count)
        if self._count_timer is None:
            self._draw_count()

    def _draw_count(self) -> None:
        self._count_timer = None
        if self._label == self._drawn:
            return
        from common.ui.look.shapes import photo
        from common.ui.program.icon_count import icons_with

        self._drawn = self._label
        images = [photo(self._root, icon) for icon in icons_with(self._icon, self._label)]
        # Tk copies them into the window's property; it does not look at the images again.
        self._root.iconphoto(True, *images)
        self._count_timer = self._root.after(COUNT_PAUSE, self._draw_count)

    def _check_raised(self) -> None:
        self._raise_timer = None
        if self.has_keyboard:
            return
        if self._on_x11 and not self._has_switched and self._switch_desktop():
            # Not at once: some window managers do it themselves, or have the window come here.
            self._has_switched = True
            self._activate()
            self._raise_timer = self._root.after(RAISED, self._check_raised)
        else:
            self.demand()

    def _focused(self, _: object) -> None:
        if self._demanding:
            self._demanding = False
            self._tell(on=False)

    def _destroyed(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self._root:
            for timer in (self._count_timer, self._raise_timer):
                if timer is not None:
                    self._root.after_cancel(timer)
            self._count_timer = self._raise_timer = None

    def _tell(self, *, on: bool) -> None:
        if self._on_x11:
            self._by_x11(lambda x11: x11.demand_attention(self._root.winfo_id(), on))
        elif sys.platform == "win32":
            _flash(int(self._root.frame(), 16), on=on)

    def _activate(self) -> bool:
        """Have the window manager bring the window to the front; whether there is one that can."""
        return self._by_x11(
            lambda x11: x11.activate(self._root.winfo_id(), self._asked_at, self._token)
        )

    def _switch_desktop(self) -> bool:
        """Have the virtual desktop of the window shown; whether it was another one."""
        return self._by_x11(lambda x11: x11.show_desktop(self._root.winfo_id(), self._asked_at))

    @property
    def _asked_at(self) -> int:
        """The server time in the token, 0 if there is none."""
        found = _TOKEN_TIME.search(self._token)
        time = int(found[1]) if found else 0
        return time if time <= _LATEST_TIME else 0

    def _by_x11(self, ask: Callable[[X11], bool | None]) -> bool:
        """What `ask` gave; False also where there is no way to ask."""
        from common.ui.program.x11 import X11

        try:
            with X11(str(self._root.winfo_screen())) as x11:
                return bool(ask(x11))
        except (OSError, AttributeError):  # no display, no XCB, or an incomplete one
            return False


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
