"""SIGTERM and Ctrl+C for a program that sits in Tk's loop.

Python runs signal handlers between two bytecodes, and Tk's loop runs none while it waits.
So the signal's C part writes a byte to a socket that Tk watches (`signal.set_wakeup_fd`).
Where Tk can't watch sockets (Windows), it looks in four times a second.
"""

from __future__ import annotations

import signal
import socket
import tkinter as tk
from collections.abc import Callable
from types import FrameType
from typing import Final

POLL: Final = 250
"""Milliseconds between two looks, where Tk can't watch a socket."""


class Signals:
    """From its making to `close`, the two signals are kept; after `watch` they call back.

    Only in the main thread.
    """

    def __init__(self) -> None:
        self._asked = False
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._wakeup_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._before = {
            number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT)
        }
        self._root: tk.Tk | None = None
        self._timer: str | None = None

    def watch(self, root: tk.Tk, callback: Callable[[], object]) -> None:
        """Call `callback` in Tk's loop for each signal, also for one that came before."""
        self._root, self._callback = root, callback
        if hasattr(root.tk, "createfilehandler"):
            root.tk.createfilehandler(self._reader, tk.READABLE, self._woken)
        else:
            self._poll()

    def close(self) -> None:
        """Give the signals back to what they did before. Before the root is destroyed."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        if self._root is not None:
            if self._timer is not None:
                self._root.after_cancel(self._timer)
            if hasattr(self._root.tk, "deletefilehandler"):
                self._root.tk.deletefilehandler(self._reader)
        self._reader.close()
        self._writer.close()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True

    def _woken(self, _file: object, _mask: int) -> None:
        try:
            numbers = self._reader.recv(4096)
        except BlockingIOError:
            return
        if not self._before.keys().isdisjoint(numbers):
            self._callback()

    def _poll(self) -> None:
        if self._root is not None:
            self._timer = self._root.after(POLL, self._poll)
            if self._asked:
                self._asked = False
                self._callback()
