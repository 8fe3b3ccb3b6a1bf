"""What windows tell window managers on X11 and Tk has no words for (EWMH 1.5, ICCCM 4.1.2.4).

Over a connection of its own, by Xlib, which Tk has loaded. An X error would end the program: so
only for windows that are there, on Tk's thread.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Final

_CLIENT_MESSAGE: Final = 33
_TO_WINDOW_MANAGER: Final = (1 << 20) | (1 << 19)
"""SubstructureRedirectMask and SubstructureNotifyMask: it goes to who manages the windows."""
_URGENCY: Final = 1 << 8
_REMOVE, _ADD = 0, 1
_APPLICATION: Final = 1
"""Who asks: the program itself, and no pager."""


class _Hints(ctypes.Structure):
    """XWMHints."""

    _fields_ = (
        ("flags", ctypes.c_long),
        ("input", ctypes.c_int),
        ("initial_state", ctypes.c_int),
        ("icon_pixmap", ctypes.c_ulong),
        ("icon_window", ctypes.c_ulong),
        ("icon_x", ctypes.c_int),
        ("icon_y", ctypes.c_int),
        ("icon_mask", ctypes.c_ulong),
        ("window_group", ctypes.c_ulong),
    )


class _ClientMessage(ctypes.Structure):
    """XClientMessageEvent, with the room that an XEvent takes."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("rest", ctypes.c_long * 24),
    )


class X11:
    """A connection to a display. Raises OSError where there is none, or no Xlib."""

    def __init__(self, display: str) -> None:
        # By its name: Tk has loaded it already, and looking for it would run a program.
        self._xlib = ctypes.CDLL("libX11.so.6")
        self._declare()
        self._display = self._xlib.XOpenDisplay(display.encode())
        if not self._display:
            raise OSError("no connection to the display")
        self._root = self._xlib.XDefaultRootWindow(self._display)
        self._atom = cache(self._find_atom)

    def demand_attention(self, window: int, on: bool) -> None:
        """Have a window ask for attention, or no more. `window` is Tk's own id of a toplevel."""
        client = self._client(window)
        state = self._atom("_NET_WM_STATE_DEMANDS_ATTENTION")
        self._send(client, "_NET_WM_STATE", (_ADD if on else _REMOVE, state, 0, _APPLICATION))
        hints = self._xlib.XGetWMHints(self._display, client)
        if hints:
            flags = hints.contents.flags
            hints.contents.flags = flags | _URGENCY if on else flags & ~_URGENCY
            self._xlib.XSetWMHints(self._display, client, hints)
            self._xlib.XFree(hints)
        self._xlib.XFlush(self._display)

    def activate(self, window: int, time: int) -> None:
        """Ask for a window to get the keyboard, by what somebody did at that server time, ms.

        A window manager that guards against windows which steal the keyboard compares it with when
        the person used another window; 0 is for a time that is not known.
        """
        self._send(self._client(window), "_NET_ACTIVE_WINDOW", (_APPLICATION, time))
        self._xlib.XFlush(self._display)

    def close(self) -> None:
        """End the connection."""
        self._xlib.XCloseDisplay(self._display)

    def _find_atom(self, name: str) -> int:
        atom: int = self._xlib.XInternAtom(self._display, name.encode(), 0)
        return atom

    def _client(self, window: int) -> int:
        """The window that the window manager knows: Tk puts its own one into another."""
        root, parent = ctypes.c_ulong(), ctypes.c_ulong()
        children, count = ctypes.c_void_p(), ctypes.c_uint()
        found = (ctypes.byref(each) for each in (root, parent, children, count))
        if not self._xlib.XQueryTree(self._display, window, *found):
            return window
        if children.value:
            self._xlib.XFree(children)
        return window if parent.value in {0, root.value} else parent.value

    def _send(self, window: int, message: str, data: tuple[int, ...]) -> None:
        event = _ClientMessage(type=_CLIENT_MESSAGE, window=window, format=32)
        event.message_type = self._atom(message)
        for place, value in enumerate(data):
            event.data[place] = value
        self._xlib.XSendEvent(self._display, self._root, 0, _TO_WINDOW_MANAGER, ctypes.byref(event))

    def _declare(self) -> None:
        """The types of what is called: without them, pointers would be cut to 32 bits."""
        pointer, window, hints = ctypes.c_void_p, ctypes.c_ulong, ctypes.POINTER(_Hints)
        for name, result, arguments in (
            ("XOpenDisplay", pointer, [ctypes.c_char_p]),
            ("XCloseDisplay", ctypes.c_int, [pointer]),
            ("XDefaultRootWindow", window, [pointer]),
            ("XInternAtom", ctypes.c_ulong, [pointer, ctypes.c_char_p, ctypes.c_int]),
            ("XQueryTree", ctypes.c_int, [pointer, window, *[pointer] * 4]),
            ("XGetWMHints", hints, [pointer, window]),
            ("XSetWMHints", ctypes.c_int, [pointer, window, hints]),
            ("XSendEvent", ctypes.c_int, [pointer, window, ctypes.c_int, ctypes.c_long, pointer]),
            ("XFree", ctypes.c_int, [pointer]),
            ("XFlush", ctypes.c_int, [pointer]),
        ):
            function = getattr(self._xlib, name)
            function.restype, function.argtypes = result, arguments
