"""A session bus with a notification server on it that does what a test says.

It is the real protocol over a real socket, and one thread: what it heard is in `heard`, in order,
and `mood` says how the server answers.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Final

from jeepney import (
    DBusAddress,
    HeaderFields,
    Message,
    MessageType,
    Parser,
    new_error,
    new_method_return,
    new_signal,
)

from common.desktop.dbus import PATH, SERVER

BUS: Final = "org.freedesktop.DBus"
OWNER: Final = ":1.7"
_SERVER: Final = DBusAddress(PATH, interface=SERVER)


class FakeBus:
    """Takes one connection after the other at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heard: SimpleQueue[tuple[str, tuple[Any, ...]]] = SimpleQueue()
        """What was called on the server, but for what it is asked about itself."""
        self.mood = "well"
        """ "well", "hangs", "refuses" or "absent"."""
        self.capabilities = ["actions", "body", "body-markup", "inline-reply"]
        self.owner = OWNER
        self.greeted = 0
        """How often it was asked what it is."""
        self.held: list[Message] = []
        """Calls that were not answered, as the server hangs."""
        self._numbers = iter(range(1, 1000))
        self._serial = 0
        self._sending = Lock()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._connection: socket.socket | None = None
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def stop(self) -> None:
        """The bus goes."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._thread.join()
        self.path.unlink(missing_ok=True)

    def cut(self) -> None:
        """The connection ends."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)

    def signal(self, member: str, signature: str, *body: object, sender: str = "") -> None:
        """The server tells something."""
        message = new_signal(_SERVER, member, signature, body)
        self._send(message, sender or self.owner)

    def change_owner(self, before: str, after: str) -> None:
        """The bus tells that another program is the server."""
        self.owner = after
        address = DBusAddress("/org/freedesktop/DBus", interface=BUS)
        message = new_signal(address, "NameOwnerChanged", "sss", (SERVER, before, after))
        self._send(message, BUS)

    def recover(self) -> None:
        """The server answers what it was asked while it hung."""
        self.mood = "well"
        held, self.held = self.held, []
        for message in held:
            self._answer(message)

    def raw(self, data: bytes) -> None:
        """Send what may be no message."""
        assert self._connection is not None
        self._connection.sendall(data)

    def next(self) -> tuple[str, tuple[Any, ...]]:
        """What was called next."""
        return self.heard.get(timeout=10)

    def _serve(self) -> None:
        while True:
            try:
                self._connection, _ = self._listener.accept()
            except OSError:
                return
            with self._connection, suppress(OSError):
                self._authenticate(self._connection)
                self._converse(self._connection)

    def _authenticate(self, connection: socket.socket) -> None:
        said = b""
        while not said.endswith(b"\r\n"):
            said += connection.recv(1024)
        connection.sendall(b"OK 0123456789abcdef\r\n")
        said = b""
        while not said.endswith(b"BEGIN\r\n"):
            said += connection.recv(1)

    def _converse(self, connection: socket.socket) -> None:
        parser = Parser()
        while data := connection.recv(65536):
            for message in parser.feed(data):
                self._take(message)

    def _take(self, message: Message) -> None:
        fields = message.header.fields
        if message.header.message_type is not MessageType.method_call:
            return
        if fields[HeaderFields.destination] == BUS:
            self._reply(message, "s", (":1.99",), BUS)
            return
        member = fields[HeaderFields.member]
        if member == "GetServerInformation":
            self.greeted += 1
        if self.mood == "hangs":
            self.held.append(message)
        else:
            self._answer(message)
        if member not in {"GetServerInformation", "GetCapabilities"}:
            # After the answer: what a test does next comes behind it.
            self.heard.put((member, message.body))

    def _answer(self, message: Message) -> None:
        member = message.header.fields[HeaderFields.member]
        if self.mood == "absent":
            self._send(new_error(message, f"{BUS}.Error.ServiceUnknown"), BUS)
        elif self.mood == "refuses":
            self._send(new_error(message, "lan.chat.Refused", "s", ("no",)), self.owner)
        elif member == "GetServerInformation":
            self._reply(message, "ssss", ("Fake\nserver", "tests", "1.2", "1.3"))
        elif member == "GetCapabilities":
            self._reply(message, "as", (self.capabilities,))
        elif member == "Notify":
            self._reply(message, "u", (message.body[1] or next(self._numbers),))
        else:
            self._reply(message, None, ())

    def _reply(
        self, to: Message, signature: str | None, body: tuple[object, ...], sender: str = ""
    ) -> None:
        self._send(new_method_return(to, signature, body), sender or self.owner)

    def _send(self, message: Message, sender: str) -> None:
        message.header.fields[HeaderFields.sender] = sender
        assert self._connection is not None
        with self._sending:
            self._serial += 1
            self._connection.sendall(message.serialise(self._serial))


@contextmanager
def a_bus(folder: Path) -> Iterator[FakeBus]:
    """A bus in this folder, and in the environment of this process."""
    bus = FakeBus(folder / "bus")
    before = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
    os.environ["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={bus.path}"
    try:
        yield bus
    finally:
        bus.stop()
        os.environ.pop("DBUS_SESSION_BUS_ADDRESS")
        if before is not None:
            os.environ["DBUS_SESSION_BUS_ADDRESS"] = before
