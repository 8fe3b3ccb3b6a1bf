"""A window's demand for attention, its activation, and the count on its icon."""

from __future__ import annotations

import re
import sys
import tkinter as tk
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from common.ui.program.x11 import X11

COUNT_PAUSE: Final = 250
"""Minimum milliseconds between two changes of the icon: the task bar redraws each one."""
RAISED: Final = 500
"""Milliseconds after which an activated window is expected to have the keyboard focus."""
_TOKEN_TIME: Final = re.compile(r"_TIME(\d{1,10})$")
"""The end of a startup id: the X server time of the user's action, in milliseconds."""
_LATEST_TIME: Final = (1 << 32) - 1


class Attention:
    """For the window `root`; `icon` is the name of its icon's image."""

    def __init__(self, root: tk.Tk, icon: str) -> None:
        self._root, self._icon = root, icon
        self._demanding = False
        self._label = self._drawn = ""
        """The label that is to be drawn on the icon, and the one that is."""
        self._count_timer: str | None = None
        self._raise_timer: str | None = None
        self._token = ""
        """The startup id of the latest activation; "" if it had none."""
        self._has_switched = False
        """Whether this activation has switched the virtual desktop."""
        self._on_x11 = str(root.tk.call("tk", "windowingsystem")) == "x11"
        # On all windows of the program: focus in any of them means that the program is looked at.
        root.bind_all("<FocusIn>", self._focused, add="+")
        root.bind("<Destroy>", self._destroyed, add="+")

    @property
    def demanding(self) -> bool:
        """Whether the window demands attention."""
        return self._demanding

    def demand(self) -> None:
        """Demand attention until the program gets the focus; does nothing if it has it."""
        if not self._demanding and not self.has_keyboard:
            self._demanding = True
            self._tell(on=True)

    @property
    def has_keyboard(self) -> bool:
        """Whether a window of this program has the keyboard focus."""
        try:
            return self._root.focus_displayof() is not None
        except KeyError:  # a widget that Tk has made itself, such as a menu
            return True

    def raise_window(self, token: str | None = None) -> None:
        """Bring the window to the front with the keyboard focus, also if it is iconified.

        `token` is the activation token of a click on a notification. If the window manager refuses
        the focus (focus-stealing prevention), the window demands attention instead.
        """
        root = self._root
        if root.state() == "withdrawn":
            root.deiconify()
        self._token, self._has_switched = token or "", False
        if not self._on_x11 or not self._activate():
            # No window manager decides about it. Under one, this would take the focus from the
            # window in which the person is typing.
            if root.state() == "iconic":
                root.deiconify()
            root.lift()
            root.focus_force()
        self.end_startup(token or "")
        if self._raise_timer is not None:
            root.after_cancel(self._raise_timer)
        self._raise_timer = root.after(RAISED, self._check_raised)

    def end_startup(self, token: str) -> None:
        """Have the desktop no longer show that the program starts that got this startup id."""
        if token and self._on_x11:
            self._by_x11(lambda x11: x11.end_startup(self._root.winfo_id(), token))

    def show_count(self, count: int) -> None:
        """Show a number on the icon; 0 for none. Frequent changes are coalesced (COUNT_PAUSE)."""
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
        # Tk copies them into the window's property, and does not keep the images.
        self._root.iconphoto(True, *images)
        self._count_timer = self._root.after(COUNT_PAUSE, self._draw_count)

    def _check_raised(self) -> None:
        self._raise_timer = None
        if self.has_keyboard:
            return
        if self._on_x11 and not self._has_switched and self._switch_desktop():
            # Not at once: some window managers switch by themselves, or move the window to this
            # desktop.
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
        """Ask the window manager to activate the window; False if there is none that can."""
        return self._by_x11(
            lambda x11: x11.activate(self._root.winfo_id(), self._asked_at, self._token)
        )

    def _switch_desktop(self) -> bool:
        """Switch to the window's virtual desktop; returns whether it was another one."""
        return self._by_x11(lambda x11: x11.show_desktop(self._root.winfo_id(), self._asked_at))

    @property
    def _asked_at(self) -> int:
        """The X server time in the token; 0 if there is none."""
        found = _TOKEN_TIME.search(self._token)
        time = int(found[1]) if found else 0
        return time if time <= _LATEST_TIME else 0

    def _by_x11(self, ask: Callable[[X11], bool | None]) -> bool:
        """The result of `ask`; False if X11 or XCB is not available."""
        from common.ui.program.x11 import X11

        try:
            with X11(str(self._root.winfo_screen())) as x11:
                return bool(ask(x11))
        except (OSError, AttributeError):  # no display, no XCB, or an incomplete one
            return False


def _flash(window: int, *, on: bool) -> None:
    """Flash a window's button in the task bar until it is in the foreground (Windows)."""
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
