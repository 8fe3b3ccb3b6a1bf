"""Somebody in the middle: a certificate of their own, and every byte passed on and kept."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from pathlib import Path
from typing import Final

from chat_server.identity import load_identity
from common.system.private_files import make_private_folder
from common.system.tls import client_context, server_context

DEADLINE: Final = 10.0


class Relay:
    """Takes TLS connections, and passes on what they say over one of its own to the real server.

    Each comes to the server from another address of this computer: the server's limits are for
    each address, and one in the middle has as many as there are on its network.
    """

    def __init__(self, folder: Path, target: int) -> None:
        make_private_folder(folder)
        identity = load_identity(folder)
        self.fingerprint = identity.fingerprint
        self._context = server_context(identity.path)
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.taken = 0
        """Connections so far."""
        self.up, self.down = bytearray(), bytearray()
        """What guests have said to the server, and the server to them, as it can be read here."""
        self._pumps: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, name="relay")
        self._thread.start()

    def close(self) -> None:
        """Let go of everything."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)
        for pump in self._pumps:
            pump.join()

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listening.accept()
            except OSError:
                return
            self.taken += 1
            source = (f"127.{1 + self.taken // 250}.0.{1 + self.taken % 250}", 0)
            pump = threading.Thread(target=self._relay, args=(raw, source), name="relay pump")
            pump.start()
            self._pumps.append(pump)

    def _relay(self, raw: socket.socket, source: tuple[str, int]) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as open_now:
            raw.settimeout(DEADLINE)
            guest = open_now.enter_context(self._context.wrap_socket(raw, server_side=True))
            away = socket.create_connection(
                ("127.0.0.1", self._target), timeout=DEADLINE, source_address=source
            )
            server = open_now.enter_context(client_context().wrap_socket(away))
            self._sockets += [guest, server]
            for each in (guest, server):
                # Or what is said twice in a row would wait for an acknowledgement.
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pump(guest, server)

    def _pump(self, guest: ssl.SSLSocket, server: ssl.SSLSocket) -> None:
        """Pass on what comes, whichever end it is from, until one of them ends."""
        ways = {guest: (server, self.up), server: (guest, self.down)}
        while True:
            # In TLS 1.3 without tickets there is nothing else than data to read.
            ready, *_ = select.select(list(ways), [], [], DEADLINE)
            for source in ready:
                target, kept = ways[source]
                data = source.recv(65536)
                if not data:
                    return
                kept.extend(data)
                target.sendall(data)
