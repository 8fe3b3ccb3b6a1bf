"""What further starts of ChatClient have this window do, and it has other windows do.

A start with a link hands it over to a window that is open; a start for an account that is open
raises the window that has it (chat_client/second_start.py).
"""

from __future__ import annotations

import itertools
import tkinter as tk
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Final, NamedTuple

from common.system.open_windows import WindowEntry, announce, other_windows
from common.system.second_start import Request, hand_over, take_startup_token
from common.ui.program.attention import Attention
from common.ui.program.mailbox import Mailbox
from common.ui.program.second_starts import SecondStarts

_ASK_AGAIN: Final = 200
"""Polling interval in milliseconds while a dialog or a menu delays the opening of a link."""


class _Raised(NamedTuple):
    """Whether another window has come to the front, and of which question that is the answer."""

    number: int
    raised: bool


class OtherStarts:
    """Of one window, from `begin` to `stop`. `open_link(text)` shows an invite link.

    `entry` is the window's among those that are open; without one, it is made here.
    """

    def __init__(
        self,
        root: tk.Tk,
        data_dir: Path,
        entry: WindowEntry | None,
        attention: Attention,
        open_link: Callable[[str], object],
    ) -> None:
        self._root, self._data_dir, self._attention = root, data_dir, attention
        self._open_link = open_link
        self._entry = entry or announce(data_dir)
        self._starts = SecondStarts(root, self._entry, self._take)
        self._raised: Mailbox[_Raised] = Mailbox(root, self._told)
        self._numbers = itertools.count()
        self._waiting: dict[int, Callable[[bool], object]] = {}
        self._account = ""
        self._link: str | None = None
        """The link that waits until a question is answered; a newer one replaces it."""
        self._token = ""
        self._timer: str | None = None
        root.bind("<FocusIn>", self._focused, add="+")

    def begin(self) -> None:
        """Listen from now on."""
        self._starts.start()
        self._attention.end_startup(take_startup_token())
        if str(self._root.tk.call("tk", "windowingsystem")) == "aqua":
            # There the system keeps to one process, and sends it the links; never seen.
            self._root.createcommand("::tk::mac::LaunchURL", self._launched)
            self._root.createcommand("::tk::mac::ReopenApplication", self._attention.raise_window)

    def show(self, account: str) -> None:
        """Publish which account the window has open, by its key; "" for none."""
        self._account = account
        self._starts.show(account)

    def raise_window_of(self, account: str, then: Callable[[bool], object]) -> None:
        """Raise the other window that has an account open; `then` is told whether it came."""
        number = next(self._numbers)
        self._waiting[number] = then
        arguments = (self._raised, number, self._data_dir, self._entry, account)
        Thread(target=_raise, args=arguments, name="raising", daemon=True).start()

    def stop(self) -> None:
        """Listen no more, as the window closes. Idempotent."""
        self._starts.stop()
        self._raised.close()
        if self._timer is not None:
            self._root.after_cancel(self._timer)
            self._timer = None

    def _take(self, request: Request) -> bool:
        if request.link is None and request.account != self._account:
            return False
        if request.link is None or self._is_asking:
            self._attention.raise_window(request.token or None)
        if request.link is not None:
            self._link, self._token = request.link, request.token
            # Not now: whoever handed it over waits for the answer.
            self._look_soon(1)
        return True

    def _launched(self, *links: str) -> None:
        """Open the links that macOS hands over."""
        for link in links[-1:]:
            self._take(Request(link))

    @property
    def _is_asking(self) -> bool:
        """Whether a dialog or a menu is open, which is about what is on the screen."""
        return bool(self._root.tk.call("grab", "current"))

    def _look_soon(self, milliseconds: int) -> None:
        if self._timer is None:
            self._timer = self._root.after(milliseconds, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._is_asking:
            self._look_soon(_ASK_AGAIN)
        elif self._link is not None:
            link, self._link = self._link, None
            self._open_link(link)
            # Only now: what is typed as soon as it is in front is for what it shows then.
            self._attention.raise_window(self._token or None)

    def _told(self, items: list[_Raised]) -> None:
        for item in items:
            self._waiting.pop(item.number)(item.raised)

    def _focused(self, event: tk.Event[tk.Misc]) -> None:
        # The window's binding also hears of each widget in it.
        if event.widget is self._root:
            self._starts.touch()


def _raise(
    mailbox: Mailbox[_Raised],
    number: int,
    data_dir: Path,
    entry: WindowEntry | None,
    account: str,
) -> None:
    # A function: the thread must hold no reference to a Tk object (common/ui/program/mailbox.py).
    theirs = [each for each in other_windows(data_dir, entry) if each.account == account]
    mailbox.post(_Raised(number, hand_over(theirs, Request(None, account))))
