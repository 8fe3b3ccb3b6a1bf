"""The menu of a member, and what a moderator does with it."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from chat_client.state import news
from chat_client.state.moderation import Action, Moderation
from chat_client.status_text import refusal_text
from chat_client.window.moderation_dialogs import ask, done, menu_items, question
from chat_client.window.overview import Overview
from common.ui.look.theme import Theme
from common.ui.widgets.dialog import Dialog
from common.ui.widgets.menus import MenuItem, popup
from common.ui.widgets.notices import FAILURE_TIME, TOAST_TIME
from common.ui.widgets.safe_text import safe
from common.ui.widgets.selection import copy

if TYPE_CHECKING:  # at run time it is loaded when the window is on the screen
    from chat_client.core import Core

_MENU_WAIT: Final = 300
"""Milliseconds that a menu waits at most for the server's answer."""
_UNKNOWN: Final = news.SanctionsListed(None, None)


class PersonMenu:
    """Opens over `screen`, whose questions are asked over `window`.

    `order(do)` has the core do something; `on_message(username)` opens the direct conversation;
    `on_dialog` is told each question before it is asked; `toast(text, milliseconds)` says what
    became of it. `server_time()` is the time by the server's clock, in ms.
    """

    def __init__(
        self,
        screen: tk.Misc,
        window: tk.Tk,
        theme: Theme,
        overview: Overview,
        *,
        order: Callable[[Callable[[Core], object]], object],
        on_message: Callable[[str], object],
        on_dialog: Callable[[Dialog], object],
        toast: Callable[[str, int], object],
        server_time: Callable[[], int],
    ) -> None:
        self._screen, self._window, self._theme = screen, window, theme
        self._overview, self._order, self._toast = overview, order, toast
        self._on_message, self._on_dialog = on_message, on_dialog
        self._server_time = server_time
        self._waiting: tuple[str, int, int, str] | None = None
        """Whose menu is to be shown, where, and the timer for when nothing is answered."""

    def open(self, username: str, x: int, y: int) -> None:
        """Show what can be done about a member; to a moderator, once it is known who is muted."""
        if not self._overview.may_moderate(username):
            self._show(username, x, y)
            return
        self.forget()
        timer = self._screen.after(_MENU_WAIT, lambda: self._show_waiting(_UNKNOWN))
        self._waiting = (username, x, y, timer)
        self._order(lambda core: core.list_sanctions())

    def forget(self) -> tuple[str, int, int] | None:
        """Wait with no menu any more; whose it was, and where."""
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return None
        username, x, y, timer = waiting
        self._screen.after_cancel(timer)
        return username, x, y

    def _show_waiting(self, told: news.SanctionsListed) -> None:
        waiting = self.forget()
        if waiting is not None:
            username, x, y = waiting
            self._show(username, x, y, told)

    def _show(self, username: str, x: int, y: int, told: news.SanctionsListed = _UNKNOWN) -> None:
        items = []
        if username != self._overview.me:
            items.append(MenuItem("Message", lambda: self._on_message(username)))
        items.append(MenuItem("Copy username", lambda: copy(self._screen, username)))
        if self._overview.may_moderate(username):
            items += [
                MenuItem(),
                *menu_items(
                    lambda action: self.moderate(username, action),
                    muted=None if told.muted is None else username in told.muted,
                    banned=None if told.banned is None else username in told.banned,
                    connected=self._overview.presence(username) != "offline",
                ),
            ]
        popup(self._screen, self._theme, items, x, y)

    def moderate(self, username: str, action: Action) -> None:
        """Do something to somebody, after a question where it takes something away."""
        wanted: Moderation | None = Moderation(action, username)
        if action not in {"unmute", "unban"}:
            dialog = question(self._window, self._theme, action, self._overview.name(username))
            self._on_dialog(dialog)
            wanted = ask(dialog, action, username, self._server_time)
        if wanted is not None and self._screen.winfo_exists():
            self._order(lambda core: core.moderate(wanted))

    def hear(self, item: news.Moderated | news.SanctionsListed) -> None:
        """The server answered."""
        if isinstance(item, news.SanctionsListed):
            self._show_waiting(item)
        elif not isinstance(item.what, Moderation):
            pass  # It is about a room.
        elif item.why is None:
            name = self._overview.name(item.what.username)
            self._toast(done(item.what.action, name, item.note), TOAST_TIME)
        else:
            self._toast(safe(refusal_text(item.why)), FAILURE_TIME)
