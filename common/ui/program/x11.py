"""Requests to X11 window managers that Tk does not support (EWMH 1.5, ICCCM 4.1.2.4).

It uses a connection of its own, by XCB, upon which Tk's Xlib is built. Xlib would exit the program
at an error, such as for a window that was destroyed meanwhile; here it is a reply like others.
On Wayland the display is XWayland's, and the window manager is the compositor.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

_ERROR: Final = 0
_PROPERTY_NOTIFY: Final = 28
_CLIENT_MESSAGE: Final = 33
_INPUT_ONLY: Final = 2
_EVENT_MASK: Final = 1 << 11
_PROPERTY_CHANGE: Final = 1 << 22
_TO_WINDOW_MANAGER: Final = (1 << 20) | (1 << 19)
"""SubstructureRedirectMask and SubstructureNotifyMask: the event goes to the window manager."""
_STRING, _WM_HINTS, _WM_NAME = 31, 35, 39
"""Predefined atoms; that of WM_HINTS is both a property and its type."""
_URGENCY: Final = 1 << 8
_REPLACE: Final = 0
_REMOVE, _ADD = 0, 1
_APPLICATION: Final = 1
"""Source indication of EWMH: an application, not a pager."""
_ALL_DESKTOPS: Final = 0xFFFFFFFF
_MOST_NUMBERS: Final = 4096
"""Maximum numbers read of a property; `_NET_SUPPORTED` has some hundred."""
_BYTES: Final = 20
"""Bytes of data in a message of format 8."""
_LONGEST_TOKEN: Final = 1024
"""Maximum bytes of a startup id; a longer one is ignored."""


class _Cookie(ctypes.Structure):
    """XCB's handle of a request, with which its reply is fetched."""

    _fields_ = (("sequence", ctypes.c_uint),)


class _Reply(ctypes.Structure):
    """The first 32 bytes of any reply, event or error."""

    _fields_ = (
        ("response_type", ctypes.c_uint8),
        ("format", ctypes.c_uint8),
        ("sequence", ctypes.c_uint16),
        ("length", ctypes.c_uint32),
        ("numbers", ctypes.c_uint32 * 6),
    )


class X11:
    """A short-lived connection to a display, to be closed by `with`.

    Events are not read, so don't keep a connection open. Raises OSError if there is no such display
    or no XCB. Windows that were destroyed are ignored.
    """

    def __init__(self, display: str) -> None:
        # By its name, as Tk has loaded it already: `ctypes.util.find_library` would run a program.
        self._xcb = ctypes.CDLL("libxcb.so.1")
        self._free = ctypes.CDLL(None).free
        self._free.restype, self._free.argtypes = None, [ctypes.c_void_p]
        self._declare()
        self._connection: int | None = self._xcb.xcb_connect(display.encode(), None)
        if self._xcb.xcb_connection_has_error(self._connection):
            self.close()
            raise OSError(f"no connection to the display {display}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. Idempotent."""
        if self._connection is not None:
            self._xcb.xcb_disconnect(self._connection)  # XCB requires it also after a failure
            self._connection = None

    def demand_attention(self, window: int, on: bool) -> None:
        """Set or clear a window's demand for attention. `window` is Tk's id of a toplevel."""
        client, root = self._client(window)
        state = self._atom("_NET_WM_STATE_DEMANDS_ATTENTION")
        message = (_ADD if on else _REMOVE, state, 0, _APPLICATION)
        self._send(root, client, "_NET_WM_STATE", message)
        hints = self._numbers(client, _WM_HINTS)
        if hints:
            hints[0] = hints[0] | _URGENCY if on else hints[0] & ~_URGENCY
            self._change(client, _WM_HINTS, _WM_HINTS, struct.pack(f"={len(hints)}I", *hints), 32)
        self._finish()

    def activate(self, window: int, time: int = 0, token: str = "") -> bool:
        """Ask the window manager to activate a window; returns False if there is none that can.

        `time` is the X server time, in milliseconds, of the user's action: a window manager that
        prevents focus stealing compares it with the last use of another window. 0 is for now.
        `token` is the startup id, if any.
        """
        client, root = self._client(window)
        if not self._is_managed(root):
            return False
        startup_id = token.encode("utf-8", "replace")
        if 0 < len(startup_id) <= _LONGEST_TOKEN:
            kind = self._atom("UTF8_STRING")
            self._change(client, self._atom("_NET_STARTUP_ID"), kind, startup_id, 8)
        # Not 0, which window managers take for a request without a user's action.
        self._send(root, client, "_NET_ACTIVE_WINDOW", (_APPLICATION, time or self._now(root)))
        self._finish()
        return True

    def end_startup(self, window: int, token: str) -> None:
        """Say that a program that was started with this startup id is there now.

        Until then the desktop shows that something is starting (Startup Notification 0.1).
        `window` is any of the program's.
        """
        _, root = self._client(window)
        quoted = token.replace("\\", "\\\\").replace('"', '\\"')
        text = f'remove: ID="{quoted}"'.encode("utf-8", "replace") + b"\0"
        if len(text) > _LONGEST_TOKEN:
            return
        sender = self._make_window(root)
        kind = "_NET_STARTUP_INFO_BEGIN"
        for place in range(0, len(text), _BYTES):
            event = struct.pack(
                f"=BBHII{_BYTES}s",
                _CLIENT_MESSAGE,
                8,
                0,
                sender,
                self._atom(kind),
                text[place : place + _BYTES],
            )
            self._xcb.xcb_send_event(self._connection, 0, root, _PROPERTY_CHANGE, event)
            kind = "_NET_STARTUP_INFO"
        self._finish()

    def show_desktop(self, window: int, time: int = 0) -> bool:
        """Switch to a window's virtual desktop; returns False if it is the current one.

        Some window managers activate a window without switching to its desktop.
        """
        client, root = self._client(window)
        its = self._numbers(client, self._atom("_NET_WM_DESKTOP"))
        shown = self._numbers(root, self._atom("_NET_CURRENT_DESKTOP"))
        if len(its) != 1 or len(shown) != 1 or its == shown or its[0] == _ALL_DESKTOPS:
            return False
        self._send(root, root, "_NET_CURRENT_DESKTOP", (its[0], time or self._now(root)))
        self._finish()
        return True

    def _is_managed(self, root: int) -> bool:
        """Whether there is a window manager that supports `_NET_ACTIVE_WINDOW`."""
        # The properties of a window manager that has exited may remain: its window must exist.
        check = self._atom("_NET_SUPPORTING_WM_CHECK")
        found = self._numbers(root, check)
        if len(found) != 1 or self._numbers(found[0], check) != found:
            return False
        supported = self._numbers(root, self._atom("_NET_SUPPORTED"))
        return self._atom("_NET_ACTIVE_WINDOW") in supported

    def _now(self, root: int) -> int:
        """The X server time in milliseconds, from an event for a changed property; 0 on failure."""
        window = self._make_window(root)
        self._change(window, _WM_NAME, _STRING, b"", 8)
        self._xcb.xcb_flush(self._connection)
        while True:
            address = self._xcb.xcb_wait_for_event(self._connection)
            if not address:  # the connection was lost
                return 0
            event = _Reply.from_buffer_copy(ctypes.string_at(address, ctypes.sizeof(_Reply)))
            self._free(address)
            if event.response_type & 0x7F == _PROPERTY_NOTIFY:
                return int(event.numbers[1])  # after the atom of the property
            if event.response_type == _ERROR and event.length == window:
                return 0

    # Requests

    def _make_window(self, root: int) -> int:
        """A window of this connection, which is never mapped and hears of its properties."""
        window = int(self._xcb.xcb_generate_id(self._connection))
        mask = ctypes.c_uint32(_PROPERTY_CHANGE)
        geometry = (0, 0, 1, 1, 0)
        self._xcb.xcb_create_window(
            self._connection,
            0,
            window,
            root,
            *geometry,
            _INPUT_ONLY,
            0,
            _EVENT_MASK,
            ctypes.byref(mask),
        )
        return window

    def _atom(self, name: str) -> int:
        cookie = self._xcb.xcb_intern_atom(self._connection, 0, len(name), name.encode())
        found = self._answer(self._xcb.xcb_intern_atom_reply, cookie)
        return found.numbers[0] if found is not None else 0

    def _client(self, window: int) -> tuple[int, int]:
        """The client window, which is the parent that Tk puts around its toplevel, and the root.

        Both are 0 if there is no such window.
        """
        cookie = self._xcb.xcb_query_tree(self._connection, window)
        found = self._answer(self._xcb.xcb_query_tree_reply, cookie)
        if found is None:
            return 0, 0
        root, parent = found.numbers[0], found.numbers[1]
        return (window if parent in {0, root} else parent), root

    def _numbers(self, window: int, name: int) -> list[int]:
        """A property of 32-bit numbers; empty if it does not exist or has another format."""
        cookie = self._xcb.xcb_get_property(self._connection, 0, window, name, 0, 0, _MOST_NUMBERS)
        values: list[int] = []
        self._answer(self._xcb.xcb_get_property_reply, cookie, values)
        return values

    def _answer(
        self, wait: Callable[..., int | None], cookie: _Cookie, values: list[int] | None = None
    ) -> _Reply | None:
        """A reply, None for an error; the values of a property are appended to `values`."""
        address = wait(self._connection, cookie, None)
        if not address:
            return None
        try:
            reply = _Reply.from_buffer_copy(ctypes.string_at(address, ctypes.sizeof(_Reply)))
            if values is not None and reply.format == 32:
                # After the type and the number of bytes left.
                count = reply.numbers[2]
                data = ctypes.string_at(address + ctypes.sizeof(_Reply), 4 * count)
                values.extend(struct.unpack(f"={count}I", data))
        finally:
            self._free(address)
        return reply

    def _change(self, window: int, name: int, kind: int, data: bytes, bits: int) -> None:
        count = len(data) * 8 // bits
        self._xcb.xcb_change_property(
            self._connection, _REPLACE, window, name, kind, bits, count, data
        )

    def _send(self, root: int, window: int, message: str, data: Sequence[int]) -> None:
        event = struct.pack(
            "=BBHII5I",
            _CLIENT_MESSAGE,
            32,
            0,
            window,
            self._atom(message),
            *data,
            *[0] * (5 - len(data)),
        )
        self._xcb.xcb_send_event(self._connection, 0, root, _TO_WINDOW_MANAGER, event)

    def _finish(self) -> None:
        """Wait until all requests are processed: closing the connection may drop pending ones."""
        self._xcb.xcb_flush(self._connection)
        cookie = self._xcb.xcb_get_input_focus(self._connection)
        self._answer(self._xcb.xcb_get_input_focus_reply, cookie)

    def _declare(self) -> None:
        """Declare argument and result types: without them, ctypes truncates pointers to 32 bits."""
        pointer, text = ctypes.c_void_p, ctypes.c_char_p
        byte, short, number = ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32
        reply = [pointer, _Cookie, pointer]
        for name, result, arguments in (
            ("connect", pointer, [text, pointer]),
            ("connection_has_error", ctypes.c_int, [pointer]),
            ("disconnect", None, [pointer]),
            ("flush", ctypes.c_int, [pointer]),
            ("generate_id", number, [pointer]),
            ("create_window", _Cookie,
             [pointer, byte, number, number, *[short] * 6, number, number, pointer]),
            ("wait_for_event", pointer, [pointer]),
            ("intern_atom", _Cookie, [pointer, byte, short, text]),
            ("intern_atom_reply", pointer, reply),
            ("query_tree", _Cookie, [pointer, number]),
            ("query_tree_reply", pointer, reply),
            ("get_property", _Cookie, [pointer, byte, *[number] * 5]),
            ("get_property_reply", pointer, reply),
            ("change_property", _Cookie,
             [pointer, byte, number, number, number, byte, number, pointer]),
            ("send_event", _Cookie, [pointer, byte, number, number, text]),
            ("get_input_focus", _Cookie, [pointer]),
            ("get_input_focus_reply", pointer, reply),
        ):  # fmt: skip
            function = getattr(self._xcb, f"xcb_{name}")
            function.restype, function.argtypes = result, arguments
