"""Takes what further starts of a program hand over to its window.

A thread listens on 127.0.0.1 while the window is open, and one for each connection does the talking
(common/system/second_start.py); what they ask for is done on the Tk thread.
"""

from __future__ import annotations

import logging
import secrets
import socket
import threading
import tkinter as tk
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from common.system.open_windows import WindowEntry
from common.system.second_start import (
    KEY_BYTES,
    TIMEOUT,
    HandOverError,
    Lines,
    Request,
    answer,
    take_request,
)
from common.ui.program.mailbox import Mailbox

log = logging.getLogger(__name__)

_MOST_AT_ONCE: Final = 8
"""Connections that are talked to at a time; others are closed at once. Anybody on this computer can
connect, and each is talked to for at most a few seconds."""


@dataclass(eq=False)
class _Asked:
    """A request on its way through the Tk thread."""

    request: Request
    done: threading.Event = field(default_factory=threading.Event)
    taken: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    given_up: bool = False
    """Whether nobody waits for the answer: whoever asked has opened a window of its own."""


class SecondStarts:
    """Listens from `start` to `stop`. `take(request)` does what is asked, or returns False.

    It is called on the Tk thread, and asks no question there: somebody waits for the answer.

    `entry` says where; without one nothing is listened to.
    """

    def __init__(
        self, root: tk.Tk, entry: WindowEntry | None, take: Callable[[Request], bool]
    ) -> None:
        self._entry, self._take = entry, take
        self._key = secrets.token_bytes(KEY_BYTES)
        self._listening: socket.socket | None = None
        self._free = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self._mailbox: Mailbox[_Asked] = Mailbox(root, self._taken)

    def start(self) -> None:
        """Listen, and publish the port in the entry."""
        if self._entry is None:
            return
        try:
            listening = socket.create_server(("127.0.0.1", 0))
        except OSError as error:
            log.warning("further starts can't be heard: %s", error)
            return
        self._listening = listening
        threading.Thread(
            target=self._accept, args=(listening,), name="further starts", daemon=True
        ).start()
        self._entry.publish(listening.getsockname()[1], self._key)

    def show(self, account: str) -> None:
        """Publish which account the window has open, by its key; "" for none."""
        if self._entry is not None:
            self._entry.show(account)

    def touch(self) -> None:
        """Publish that the window has the keyboard."""
        if self._entry is not None:
            self._entry.touch()

    def stop(self) -> None:
        """Listen no more, and remove the entry. Idempotent."""
        if self._entry is not None:
            self._entry.remove()
        self._mailbox.close()
        # The threads may end later than the window, and must not be the last to release it.
        self._take = _refuse
        listening, self._listening = self._listening, None
        if listening is not None:
            # `close` alone does not wake a thread that waits in `accept`; where this can't be done,
            # it does.
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()

    # On threads of their own

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return  # it was closed
            if not self._free.acquire(blocking=False):
                connection.close()
                continue
            threading.Thread(
                target=self._talk, args=(connection,), name="further start", daemon=True
            ).start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            with connection:
                lines = Lines(connection)
                asked = _Asked(take_request(lines, self._key))
                self._mailbox.post(asked)
                asked.done.wait(TIMEOUT)
                with asked.lock:
                    asked.given_up = not asked.done.is_set()
                answer(lines, taken=asked.taken)
        except (OSError, HandOverError) as error:
            log.info("a further start was not understood: %s", error)
        finally:
            self._free.release()

    # On the Tk thread

    def _taken(self, items: list[_Asked]) -> None:
        for asked in items:
            with asked.lock:
                if asked.given_up:
                    continue
                try:
                    asked.taken = self._take(asked.request)
                finally:
                    asked.done.set()


def _refuse(_request: Request) -> bool:
    """What a window that is closed answers."""
    return False
