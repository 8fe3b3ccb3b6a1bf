"""A queue from worker threads to the Tk thread.

A worker never calls Tk: from another thread a Tk call can raise or deadlock. It posts an
item here and, where Tk can watch a socket, writes one byte that wakes the Tk loop; an
idle window then costs no CPU. On Windows, which lacks that, the Tk thread polls: at short
intervals while there is traffic, at longer ones while there is none.

A closed mailbox refers neither to the root nor to the handler. A worker may outlive its window for
a moment, and a Tk object that it released last would call Tk from there, which ends the process.
"""

from __future__ import annotations

import sys
import threading
import time
import tkinter as tk
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Generic, TypeVar

from common.system.waker import Waker

Item = TypeVar("Item")

BUDGET: Final = 0.008
"""Time budget in seconds for the handler in one callback, before Tk handles its other events."""
BATCH: Final = 64
"""Maximum number of items in one call of the handler; the budget is checked between calls."""
POLL_ACTIVE: Final = 15
"""Polling interval in milliseconds while items arrive (polling only)."""
POLL_IDLE: Final = 60
"""Polling interval in milliseconds after `IDLE_AFTER` polls without items (polling only)."""
IDLE_AFTER: Final = 40


class Mailbox(Generic[Item]):
    """Items posted by any thread, handled on the Tk thread in the order they were posted.

    `handler` is called with one or more items at a time. Its exceptions go to Tk's
    `report_callback_exception`, and later items are still handled. `poll` forces polling.
    """

    def __init__(
        self, root: tk.Tk, handler: Callable[[list[Item]], object], *, poll: bool = False
    ) -> None:
        self._root: tk.Tk | None = root
        self._handler = handler
        self._items: deque[Item] = deque()
        self._lock = threading.Lock()
        self._closed = False
        self._timer: str | None = None
        self._quiet = 0
        self._waker: Waker | None = None
        watch = getattr(root.tk, "createfilehandler", None)
        self.polling = watch is None or poll
        if watch is None or self.polling:
            self._timer = root.after(POLL_ACTIVE, self._poll)
        else:
            self._waker = Waker()
            watch(self._waker.receiver, tk.READABLE, self._woken)
        self._bound = root.bind("<Destroy>", self._destroyed, add="+")

    def post(self, item: Item) -> None:
        """Add an item to the queue; from any thread, never blocks, does nothing after `close`."""
        if self._closed:
            return
        self._items.append(item)
        if self.polling:
            return  # the Tk thread polls
        with self._lock:
            # Under the lock, so that `close` cannot free the socket's number in between.
            if self._waker is not None:
                self._waker.wake()

    def close(self) -> None:
        """Stop handling items and drop those left; on the Tk thread, idempotent."""
        root, self._root = self._root, None
        if root is None:
            return
        self._closed = True
        if self._timer is not None:
            with suppress(tk.TclError):
                root.after_cancel(self._timer)
            self._timer = None
        with self._lock:
            waker, self._waker = self._waker, None
        if waker is not None:
            # Not on Windows.
            getattr(root.tk, "deletefilehandler")(waker.receiver)  # noqa: B009
            waker.close()
        self._items.clear()
        self._handler = _nobody
        self._unbind(root)

    def _unbind(self, root: tk.Tk) -> None:
        """Remove the binding from the root, which outlives many mailboxes."""
        with suppress(tk.TclError):  # the root is being destroyed
            lines = root.bind("<Destroy>").splitlines(keepends=True)
            kept = "".join(line for line in lines if self._bound not in line)
            # Before Python 3.13, `Misc.unbind` removes all other bindings as well.
            root.tk.call("bind", str(root), "<Destroy>", kept)
            root.deletecommand(self._bound)

    def _destroyed(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self._root:
            self.close()

    def _woken(self, _file: object, _mask: int) -> None:
        if self._waker is None:
            return
        # Before the items are taken: later posts must wake the loop again.
        self._waker.clear()
        if self._timer is None:
            self._drain()

    def _poll(self) -> None:
        self._timer = None
        self._quiet = 0 if self._items else self._quiet + 1
        self._drain()

    def _drain(self) -> None:
        """Hand over items for at most `BUDGET`; reschedule for the rest in any case."""
        root = self._root
        if root is None:
            return
        end = time.perf_counter() + BUDGET
        self._timer = None
        try:
            while self._items and not self._closed:
                # Only this thread takes items out, so that many are sure to be there.
                take = min(BATCH, len(self._items))
                self._handler([self._items.popleft() for _ in range(take)])
                if time.perf_counter() >= end:
                    break
        except Exception:  # noqa: BLE001  # a handler may fail in any way; later items must still be handled
            # Not left to Tk: what a file handler raises would end `mainloop`.
            root.report_callback_exception(*sys.exc_info())
        finally:
            self._rearm()

    def _rearm(self) -> None:
        root = self._root
        if root is None:
            return
        if self._items:
            # After one millisecond, not when idle: idle callbacks would starve input.
            self._timer = root.after(1, self._poll if self.polling else self._drain)
        elif self.polling:
            pause = POLL_IDLE if self._quiet > IDLE_AFTER else POLL_ACTIVE
            self._timer = root.after(pause, self._poll)


def _nobody(_items: object) -> None:
    """The handler of a closed mailbox."""
