"""From a thread to a mailbox of the window, without a hold on the window."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

from common.ui.program.mailbox import Mailbox

Item = TypeVar("Item")


class MailboxSender(Generic[Item]):
    """Posts to a mailbox until `close`.

    A thread that outlives its window for a moment has this and not the mailbox: a Tk object that a
    thread released last would call Tk from there, which ends the process.
    """

    def __init__(self, mailbox: Mailbox[Item]) -> None:
        self._mailbox: Mailbox[Item] | None = mailbox
        self._changing = threading.Lock()

    def post(self, item: Item) -> None:
        """Add an item to the mailbox; from any thread, never blocks, nothing after `close`."""
        with self._changing:
            if self._mailbox is not None:
                self._mailbox.post(item)

    def close(self) -> None:
        """Close the mailbox, on the Tk thread; idempotent."""
        with self._changing:
            mailbox, self._mailbox = self._mailbox, None
        if mailbox is not None:
            mailbox.close()
