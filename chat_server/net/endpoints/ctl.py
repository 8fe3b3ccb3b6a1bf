"""The endpoint of command lines on the host's computer: `python -m chat_server ctl`."""

import contextlib
import hmac
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from chat_server.ctl_socket import (
    FACTS_FILE,
    KEY_BYTES,
    facts_of_port,
    facts_of_socket,
    is_ours,
    socket_path,
)
from chat_server.net.endpoints.local import LocalEndpoint, LocalSession
from chat_server.thread_watch import Ended, ignore, watched
from common import limits
from common.protocol.codec import encode, explain
from common.protocol.frames import FrameDecoder, FrameError
from common.protocol.messages import ToClient, to_server
from common.system.private_files import PRIVATE_FILE, write_private

log = logging.getLogger(__name__)

PATIENCE: Final = 60.0
"""Idle timeout of a command line's connection, in seconds."""
KEY_PATIENCE: Final = 2.0
"""Timeout for the key, where there is a port, in seconds."""
LOOK: Final = 5.0
"""Interval in seconds at which the socket's path is checked."""
PAUSE: Final = 0.2
"""Seconds before accepting is retried after a failure, as when file descriptors ran out."""
AT_ONCE: Final = 16
"""Maximum number of concurrent command lines."""


class CtlEndpoint:
    """Accepts command lines on a thread of its own; each has one more while it is connected."""

    def __init__(self, data_dir: Path, local: LocalEndpoint, ended: Ended = ignore) -> None:
        self._data_dir = data_dir
        self._local = local
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._key = secrets.token_bytes(KEY_BYTES)
        self._path: Path | None = None
        """Of the socket, where it is one."""
        self._listening: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self._stopping = threading.Event()
        self._renewal = threading.Lock()
        """Held while `_listening` and `_path` are changed after the start."""
        self._thread = watched(self._run, "ctl", ended)

    def start(self) -> None:
        """Begin to accept. Raises OSError with nothing left open."""
        try:
            self._listening, self._path = self._listen()
        except FileNotFoundError:
            # Another server ended in this moment, and took the folder with it.
            self._listening, self._path = self._listen()
        self._thread.start()

    def stop(self) -> None:
        """Disconnect everybody and stop. Idempotent, also before `start`."""
        self._stopping.set()
        with self._renewal:
            listening, self._listening = self._listening, None
        if listening is None:
            return
        # A shutdown wakes the thread that waits in `accept`; to close alone does not.
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for connection in tuple(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for path in (self._path, self._data_dir / FACTS_FILE):
            if path is not None:
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
        if self._path is not None:
            # The last server of a user removes the folder.
            with contextlib.suppress(OSError):
                self._path.parent.rmdir()

    def _run(self) -> None:
        failed = False
        while (listening := self._listening) is not None:
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                self._look_after_socket()
            except OSError as error:
                if not (failed or self._stopping.is_set()):
                    log.warning("no command line can be accepted for now: %s", error)
                failed = True
                self._stopping.wait(PAUSE)
            else:
                failed = False
                self._accept(connection)

    def _accept(self, connection: socket.socket) -> None:
        if not self._slots.acquire(blocking=False):
            connection.close()
            return
        self._connections.add(connection)
        serve = _Serving(connection, self._local.open, self._may_come_in)
        threading.Thread(target=self._serve, args=(serve, connection), daemon=True).start()

    def _listen(self) -> tuple[socket.socket, Path | None]:
        """Listen, and tell where in the data folder: a socket with its path, or a port.

        Raises OSError.
        """
        file = self._data_dir / FACTS_FILE
        path = socket_path(self._data_dir)
        if path is not None:
            listening = _listen_at(path)
            try:
                write_private(file, facts_of_socket(self._data_dir, path))
            except OSError as error:
                # On a full disk: whoever has the same environment finds the socket without it.
                log.warning("%s can't be written: %s", file, error)
            # So that `accept` returns now and then.
            listening.settimeout(LOOK)
            return listening, path
        listening = socket.create_server(("127.0.0.1", 0))
        try:
            port = listening.getsockname()[1]
            write_private(file, facts_of_port(self._data_dir, port, self._key))
        except BaseException:
            listening.close()
            raise
        return listening, None

    def _look_after_socket(self) -> None:
        """Make it anew if it is gone.

        A system takes the folder of a person's session away at the last logout, and a server may go
        on (in a terminal multiplexer, by nohup): nobody could reach it any more.
        """
        if self._path is None or self._path.exists():
            return
        with self._renewal:
            if self._listening is None:
                return
            try:
                listening, path = self._listen()
            except OSError as error:
                log.debug("the socket %s is gone and can't be made anew: %s", self._path, error)
                return
            log.info("the socket %s was gone; command lines are taken elsewhere now", self._path)
            self._listening.close()
            self._listening, self._path = listening, path

    def _serve(self, serving: "_Serving", connection: socket.socket) -> None:
        try:
            serving.run()
        except OSError as error:
            log.debug("the connection of a command line was lost: %s", error)
        except Exception:
            log.exception("a command line could not be served")
        finally:
            connection.close()
            self._connections.discard(connection)
            self._slots.release()

    def _may_come_in(self, connection: socket.socket) -> bool:
        if self._path is not None:
            return is_ours(connection)
        # Anybody on this computer can connect, and may do nothing more: the slots are few.
        given, until = b"", time.monotonic() + KEY_PATIENCE
        while len(given) < KEY_BYTES:
            connection.settimeout(max(0.001, until - time.monotonic()))
            piece = connection.recv(KEY_BYTES - len(given))
            if not piece:
                break
            given += piece
        connection.settimeout(PATIENCE)
        return hmac.compare_digest(given, self._key)


class _Serving:
    """One command line, on its thread."""

    def __init__(
        self,
        connection: socket.socket,
        open_session: Callable[[], LocalSession],
        may_come_in: Callable[[socket.socket], bool],
    ) -> None:
        self._connection = connection
        self._open = open_session
        self._may_come_in = may_come_in

    def run(self) -> None:
        """Serve it until it disconnects. Raises OSError."""
        self._connection.settimeout(PATIENCE)
        if not self._may_come_in(self._connection):
            log.warning("a command line of another user was refused")
            return
        decoder = FrameDecoder(limits.FRAME_JSON)
        session = self._open()
        try:
            while data := self._connection.recv(65536):
                try:
                    for frame in decoder.frames(data):
                        self._carry_out(session, frame)
                except FrameError:
                    return
        finally:
            session.close()

    def _carry_out(self, session: LocalSession, body: bytes) -> None:
        """One command, answered before the next is looked at."""
        try:
            command = to_server().validator.validate_json(body)
        except ValidationError as error:
            self._connection.sendall(encode(explain(error, body)))
            return
        answered = threading.Event()
        replies: list[ToClient] = []

        def on_reply(reply: ToClient) -> None:
            replies.append(reply)
            answered.set()

        session.ask(lambda number: command.model_copy(update={"id": number}), on_reply)
        if answered.wait(PATIENCE):
            reply = replies[0].model_copy(update={"re": command.id})
            self._connection.sendall(encode(reply))


def _listen_at(path: Path) -> socket.socket:
    """A socket that only its owner can connect to. Raises OSError."""
    path.unlink(missing_ok=True)  # Of a server that was killed: the folder's lock is ours.
    listening = socket.socket(socket.AF_UNIX)
    try:
        # The folder is private: nobody else can connect before the mode says so.
        listening.bind(os.fspath(path))
        path.chmod(PRIVATE_FILE)
        listening.listen()
    except BaseException:
        listening.close()
        raise
    return listening
