"""A connection to an X server: the few requests of the X11 protocol that the benchmark needs.

Written out and not borrowed from Xlib, because the moment in which an event arrives is what is
measured: a packet is stamped when it has been read, and nothing is between it and `select`.
Bytes are in the order of this machine, windows and atoms are numbers, as in the protocol.
"""

from __future__ import annotations

import select
import socket
import struct
import sys
import time
from collections import deque
from typing import Final, NamedTuple

DEADLINE: Final = 10.0
"""Seconds for an answer; an X server on this machine needs microseconds."""

KEY_PRESS: Final = 2
KEY_RELEASE: Final = 3
MOTION: Final = 6
MAP_NOTIFY: Final = 19
REPARENT_NOTIFY: Final = 21

SUBSTRUCTURE_NOTIFY: Final = 1 << 19
SUBSTRUCTURE_REDIRECT: Final = 1 << 20

ORDER: Final = "<" if sys.byteorder == "little" else ">"
_ERROR: Final = 0
_REPLY: Final = 1
_CLIENT_MESSAGE: Final = 33
_NO_SUCH_WINDOW: Final = {3, 9}
"""Errors: no window, no drawable has that number."""


class XError(Exception):
    """The X server refused a request, such as for a window that has gone."""


class Event(NamedTuple):
    """What happened, and when it was read: `at` is a time of `time.perf_counter`."""

    at: float
    kind: int
    packet: bytes

    def number(self, place: int) -> int:
        """The 32 bits at that place of the packet."""
        return int(struct.unpack_from(f"{ORDER}I", self.packet, place)[0])


class Connection:
    """A client of the X server with a number; used by one thread. Raises OSError, XError."""

    def __init__(self, number: int) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(DEADLINE)
        self._socket.connect(f"/tmp/.X11-unix/X{number}")  # noqa: S108 (the protocol's own place)
        self._unread = b""
        self._sequence = 0
        self._events: deque[Event] = deque()
        self.drawing = 0
        self._next_id = 0  # of what this client makes in the X server
        self.root = self._greet()
        self._atoms: dict[str, int] = {}
        self._keys = self._keyboard()
        self._xtest = self._extension("XTEST")
        self._resources = self._extension("X-Resource")
        self._send(self._resources, 0, "BBxx", 1, 2)  # the version that knows of processes
        self._reply()
        self._damage = self._extension("DAMAGE")
        self._send(self._damage, 0, "II", 1, 1)
        self._reply()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def events(self, within: float) -> list[Event]:
        """What has happened; waits up to so many seconds for the first of it."""
        end = time.monotonic() + within
        while True:
            self._read_arrived()
            left = end - time.monotonic()
            if self._events or left <= 0:
                arrived = list(self._events)
                self._events.clear()
                return arrived
            select.select([self._socket], [], [], left)

    # Windows

    def listen(self, window: int, mask: int) -> None:
        """Be told of a window's events."""
        event_mask = 0x800  # which of a window's attributes follows
        self._send(2, 0, "III", window, event_mask, mask)

    def watch(self, window: int) -> None:
        """Be told, by events of the kind `drawing`, of everything that is drawn in a window."""
        each_rectangle = 0
        self._send(self._damage, 1, "IIBxxx", self._next_id, window, each_rectangle)
        self._next_id += 1

    def atom(self, name: str) -> int:
        """The number of a name."""
        if name not in self._atoms:
            text = name.encode()
            self._send(16, 0, "HH", len(text), 0, rest=text)
            self._atoms[name] = int(self._answer("8xI")[0])
        return self._atoms[name]

    def numbers(self, window: int, name: str) -> tuple[int, ...]:
        """A property that is a list of 32 bits each; empty when the window has none."""
        self._send(20, 0, "5I", window, self.atom(name), 0, 0, 64)
        reply = self._reply()
        bits, count = reply[1], struct.unpack_from(f"{ORDER}I", reply, 16)[0]
        return struct.unpack_from(f"{ORDER}{count}I", reply, 32) if bits == 32 else ()

    def process(self, window: int) -> int:
        """The process whose connection made a window, as the system vouches; 0 when unknown."""
        one, process_id = 1, 2
        self._send(self._resources, 4, "III", one, window, process_id)
        reply = self._reply()
        known = struct.unpack_from(f"{ORDER}I", reply, 8)[0]
        return int(struct.unpack_from(f"{ORDER}I", reply, 44)[0]) if known else 0

    def size(self, window: int) -> tuple[int, int]:
        """Width and height, px."""
        self._send(14, 0, "I", window)
        width, height = self._answer("16xHH")
        return int(width), int(height)

    def pixels(self, window: int, x: int, y: int, width: int, height: int) -> bytes:
        """What is on the screen there, four bytes a pixel, row by row."""
        whole = 2  # ZPixmap
        planes = 0xFFFFFFFF
        self._send(73, whole, "IhhHHI", window, x, y, width, height, planes)
        return self._reply()[32 : 32 + width * height * 4]

    # Keyboard and pointer

    def focus(self) -> int:
        """The window that has the keyboard, 0 or 1 when it is nobody's in particular."""
        self._send(43, 0, "")
        return int(self._answer("8xI")[0])

    def set_focus(self, window: int) -> None:
        """Give it the keyboard; for a screen without a window manager."""
        back_to_parent = 2
        self._send(42, back_to_parent, "II", window, 0)

    def tell_manager(self, window: int, name: str, *values: int) -> None:
        """Send the window manager a message about a window (EWMH)."""
        padded = (*values, 0, 0, 0, 0, 0)[:5]
        head = (_CLIENT_MESSAGE, 32, 0, window, self.atom(name))
        message = struct.pack(f"{ORDER}BBHII5I", *head, *padded)
        mask = SUBSTRUCTURE_NOTIFY | SUBSTRUCTURE_REDIRECT
        self._send(25, 0, "II", self.root, mask, rest=message)

    def press(self, symbol: int) -> None:
        """Press and release the key that has this symbol on it, as if it were a real one."""
        for kind in (KEY_PRESS, KEY_RELEASE):
            self._fake(kind, self._keys[symbol])

    def move_pointer(self, x: int, y: int) -> None:
        """Move the mouse there."""
        self._fake(MOTION, 0, x, y)

    def _fake(self, kind: int, detail: int, x: int = 0, y: int = 0) -> None:
        now = 0
        place = (self.root if kind == MOTION else 0, x, y)
        self._send(self._xtest, 2, "BBxxII8xhh8x", kind, detail, now, *place)

    # The protocol

    def _greet(self) -> int:
        """Begin the conversation; the root window."""
        order = ord("l" if ORDER == "<" else "B")
        self._socket.sendall(struct.pack(f"{ORDER}BxHHHHxx", order, 11, 0, 0, 0))
        success, length = struct.unpack(f"{ORDER}B5xH", self._take(8))
        setup = self._take(length * 4)
        if success != 1:
            raise XError(setup.decode(errors="replace").strip("\0"))
        vendor, formats = struct.unpack_from(f"{ORDER}H3xB", setup, 16)
        self._codes = setup[26], setup[27]
        (self._next_id,) = struct.unpack_from(f"{ORDER}I", setup, 4)
        screen = 32 + (vendor + 3) // 4 * 4 + formats * 8
        return int(struct.unpack_from(f"{ORDER}I", setup, screen)[0])

    def _keyboard(self) -> dict[int, int]:
        """The code of the key for each symbol that needs no modifier."""
        first, last = self._codes
        self._send(101, 0, "BBxx", first, last - first + 1)
        reply = self._reply()
        width = reply[1]
        symbols = struct.unpack_from(f"{ORDER}{(last - first + 1) * width}I", reply, 32)
        return {symbols[row * width]: first + row for row in range(last - first + 1)}

    def _extension(self, name: str) -> int:
        self._send(98, 0, "HH", len(name), 0, rest=name.encode())
        present, code, first_event = self._answer("8xBBB")
        if not present:
            raise XError(f"the X server has no {name}")
        if name == "DAMAGE":
            self.drawing = first_event
        return int(code)

    def _send(self, code: int, detail: int, form: str, *values: int, rest: bytes = b"") -> None:
        body = struct.pack(f"{ORDER}{form}", *values) + rest
        body += bytes(-len(body) % 4)
        self._sequence += 1
        head = struct.pack(f"{ORDER}BBH", code, detail, 1 + len(body) // 4)
        self._socket.sendall(head + body)

    def _answer(self, form: str) -> tuple[int, ...]:
        """The fields of the reply to the last request."""
        return struct.unpack_from(f"{ORDER}{form}", self._reply())

    def _reply(self) -> bytes:
        """The reply to the last request, whole; events before it wait for `events`."""
        while True:
            packet = self._packet()
            (sequence,) = struct.unpack_from(f"{ORDER}H", packet, 2)
            mine = sequence == self._sequence & 0xFFFF
            if packet[0] == _REPLY and mine:
                return packet
            if packet[0] == _ERROR and mine:
                gone = packet[1] in _NO_SUCH_WINDOW
                raise XError(
                    "the window has gone"
                    if gone
                    else f"the X server refused request {packet[10]} with error {packet[1]}"
                )
            self._note(packet)

    def _read_arrived(self) -> None:
        while self._unread or select.select([self._socket], [], [], 0)[0]:
            self._note(self._packet())

    def _note(self, packet: bytes) -> None:
        # Errors that nobody waits for are about windows that ended a moment ago.
        if packet[0] not in {_ERROR, _REPLY}:
            self._events.append(Event(time.perf_counter(), packet[0] & 0x7F, packet))

    def _packet(self) -> bytes:
        packet = self._take(32)
        if packet[0] == _REPLY:
            packet += self._take(struct.unpack_from(f"{ORDER}I", packet, 4)[0] * 4)
        return packet

    def _take(self, count: int) -> bytes:
        while len(self._unread) < count:
            arrived = self._socket.recv(1 << 20)
            if not arrived:
                raise XError("the X server has gone")
            self._unread += arrived
        taken, self._unread = self._unread[:count], self._unread[count:]
        return taken
