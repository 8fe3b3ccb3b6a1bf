"""SIGTERM, SIGHUP and Ctrl+C for a program in Tk's event loop.

Python runs signal handlers between two bytecodes, and Tk's loop runs none while it waits.
So the signal's C part writes a byte to a socket that Tk watches (`signal.set_wakeup_fd`).
Where Tk can't watch sockets (Windows), it polls four times a second.
"""

from __future__ import annotations

import signal
import sys
import tkinter as tk
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Final

from common.system.process import stop_signals

if TYPE_CHECKING:
    import socket

POLL: Final = 250
"""Polling interval in milliseconds where Tk can't watch a socket."""


class Signals:
    """Records these signals from its creation to `close`; after `watch` they call back.

    Only in the main thread.
    """

    def __init__(self) -> None:
        self._asked = False
        self._sockets: tuple[socket.socket, socket.socket] | None = None
        self._wakeup_before = -1
        self._before = {number: signal.signal(number, self._note) for number in stop_signals()}
        self._root: tk.Tk | None = None
        self._timer: str | None = None

    def watch(self, root: tk.Tk, callback: Callable[[], object]) -> None:
        """Call `callback` in Tk's loop for each signal, also for an earlier one."""
        self._root, self._callback = root, callback
        if sys.platform != "win32":
            self._listen(root)
        self._timer = root.after(0, self._poll)

    def close(self) -> None:
        """Restore the former signal handlers; call it before the root is destroyed."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._root is not None and self._timer is not None:
            self._root.after_cancel(self._timer)
        if sys.platform != "win32" and self._sockets is not None and self._root is not None:
            signal.set_wakeup_fd(self._wakeup_before)
            self._root.tk.deletefilehandler(self._sockets[0])
            for end in self._sockets:
                end.close()

    def _listen(self, root: tk.Tk) -> None:
        import socket  # the window is on the screen by now

        reader, writer = self._sockets = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        self._wakeup_before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        if sys.platform != "win32":
            root.tk.createfilehandler(reader, tk.READABLE, self._woken)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True

    def _woken(self, reader: socket.socket, _mask: int) -> None:
        with suppress(BlockingIOError):
            reader.recv(4096)
        self._tell()

    def _poll(self) -> None:
        """Handle signals from before Tk could watch; where it can't, schedule the next poll."""
        self._tell()
        if self._root is not None and self._sockets is None:
            self._timer = self._root.after(POLL, self._poll)

    def _tell(self) -> None:
        if self._asked:
            self._asked = False
            self._callback()
