"""The open room: header, message list and composer."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import partial

from chat_client.open_account import OpenAccount
from chat_client.state.outbox_message import OutboxMessage
from chat_client.window.browser import open_link
from chat_client.window.completion import Candidate, Completion
from chat_client.window.composer import Composer
from chat_client.window.connection_view import ConnectionView
from chat_client.window.find_bar import FindBar
from chat_client.window.go_to_date import ask as ask_for_day
from chat_client.window.go_to_date import day_menu
from chat_client.window.header import Header
from chat_client.window.latest_button import LatestButton
from chat_client.window.message_entry import MessageEntry
from chat_client.window.overview import Overview
from chat_client.window.rate_limit_line import RateLimitLine
from chat_client.window.status_banner import Deed
from chat_client.window.transcript.timeline import Unread
from chat_client.window.transcript.view import Transcript
from chat_client.window.unread_line import UnreadLine
from common.domain.names import direct_partner
from common.ui.look.theme import Theme
from common.ui.program.mailbox import Mailbox
from common.ui.widgets.basics import Hairline, Panel
from common.ui.widgets.dialog import Dialog
from common.ui.widgets.menus import popup
from common.ui.widgets.notices import FAILURE_TIME, Banner, Toasts
from common.ui.widgets.safe_text import safe


class RoomView(Panel):
    """Shows one room of `session` at a time, in the widget `screen` of the toplevel `window`.

    `has_focus()` returns whether the window has the focus. `on_offer` does what the banner offers,
    `on_mode()` toggles between the light and the dark mode, and `on_members()` shows or hides the
    members. `on_end()` is called when the newest message comes into view or leaves it,
    `on_latest()` when the person has gone to it by the button. `on_line()` updates the status line
    beside the room's name, `on_dialog(dialog)` is called before a dialog is shown, and
    `on_slow_mode()` opens a moderator's menu.
    """

    def __init__(
        self,
        screen: tk.Misc,
        window: tk.Tk,
        theme: Theme,
        session: OpenAccount,
        overview: Overview,
        *,
        has_focus: Callable[[], bool],
        on_offer: Callable[[Deed], object],
        on_mode: Callable[[], object],
        on_members: Callable[[], object],
        on_end: Callable[[], object],
        on_latest: Callable[[], object],
        on_line: Callable[[], object],
        on_dialog: Callable[[Dialog], object],
        on_slow_mode: Callable[[], object],
    ) -> None:
        super().__init__(screen, theme, "window")
        self._window, self._theme, self._session = window, theme, session
        self._overview, self._on_latest, self._on_dialog = overview, on_latest, on_dialog
        self.room = ""
        self.header = Header(
            self,
            theme,
            on_find=self._toggle_find,
            on_mode=on_mode,
            on_members=on_members,
            on_slow_mode=on_slow_mode,
        )
        self.header.pack(fill="x")
        line = Hairline(self, theme)
        line.pack(fill="x")
        self.banner = Banner(self, theme, after=line)
        self.find = self._make_find(line)
        self.composer = Composer(self, theme, self._send)
        self.entry = MessageEntry(self.composer, session.reader.drafts(), session.ask)
        self.completion = Completion(screen, theme, self.composer, self._people_here)
        self.composer.pack(side="bottom", fill="x", padx=theme.px(20), pady=theme.px(14))
        self.connection = ConnectionView(
            self,
            self.banner,
            self.composer,
            on_offer=on_offer,
            on_line=on_line,
        )
        self.rate_limit = RateLimitLine(
            self.composer, lambda: self.connection.clock, lambda: overview.is_moderator
        )
        self.transcript = self._make_transcript(on_end)
        self.unread_line = UnreadLine(
            self.transcript,
            theme,
            overview,
            session.reader,
            has_focus=has_focus,
            on_go=self.write,
        )
        self.transcript.pack(fill="both", expand=True)
        self.toasts = Toasts(self.transcript, theme)
        self._not_opened: Mailbox[str] = Mailbox(window, self._link_failed)
        self.latest = LatestButton(self.transcript, theme, self._to_latest)
        self._bind_keys()
        # Tab follows the stacking order, by default that of creation: make it the visual order.
        self.composer.lift()

    def _make_find(self, after: Hairline) -> FindBar:
        return FindBar(
            self,
            self._theme,
            self._window,
            lambda words, before, tell: self._session.search(self.room, words, before, tell),
            self._session.stop_search,
            on_words=self._highlight,
            on_place=self._go_to,
            on_close=self.write,
            is_whole=lambda: self._session.reader.is_whole(self.room),
            after=after,
        )

    def _make_transcript(self, on_end: Callable[[], object]) -> Transcript:
        ask, overview = self._session.ask, self._overview
        return Transcript(
            self,
            self._theme,
            self._session.reader,
            overview.name,
            handle_of=overview.handle,
            mentions_in=overview.mentions_in,
            on_bottom=lambda _: on_end(),
            on_link=lambda url: open_link(url, self._not_opened.post),
            on_failed=self._failed,
            on_missing=lambda wanted: ask(lambda core: core.load_history(wanted)),
            on_day=self._day_menu,
            on_view=self._viewed,
        )

    def _bind_keys(self) -> None:
        """Bind keys of the composer that scroll the message list."""
        for keys, go in (
            ("<Prior>", lambda: self.transcript.scroll_pages(-1)),
            ("<Next>", lambda: self.transcript.scroll_pages(1)),
            ("<Control-Home>", self.transcript.go_to_first),
            ("<Control-End>", self.transcript.go_to_latest),
        ):
            self.composer.text.bind(keys, partial(_done, go))
        # A selection in the message list stays while the composer has the focus: copy it then.
        self.composer.editing.copy_instead = self.transcript.copy_selected

    # The room

    def open(self, room: str) -> None:
        """Show a room, or reload this one, with its draft and a line above unread messages."""
        self.entry.open(room)
        self.find.hide()
        self._show(room, self.unread_line.of(room))

    def take_over(self, former: RoomView) -> None:
        """Show the room of another view, and take over its texts, its state and its unread line."""
        self.entry.take_over(former.entry)
        self.composer.take_over(former.composer)
        self.connection.take_over(former.connection)
        self.rate_limit.take_over(former.rate_limit)
        self._show(former.room, former.transcript.unread)
        self.unread_line.take_over(former.unread_line)

    def _show(self, room: str, unread: Unread | None) -> None:
        partner = direct_partner(room, self._overview.me)
        title = safe(self._overview.title(room))
        self.header.show_room(is_direct=partner is not None)
        self.room = room
        self.rate_limit.open(room)
        self.show_moderation()
        self.composer.set_hint(f"Message {'#' if partner is None else ''}{title}")
        self.transcript.show(room, self._overview.me, unread)

    def show_moderation(self) -> None:
        """This account is a moderator now, or is not any more; or another room is shown."""
        is_public = direct_partner(self.room, self._overview.me) is None
        self.header.allow_slow_mode(self._overview.is_moderator and is_public)
        self.rate_limit.show()

    def _people_here(self) -> list[Candidate]:
        """The candidates for mentions in the open room."""
        overview = self._overview
        return [
            Candidate(username, overview.name(username), overview.presence(username))
            for usernames in overview.member_keys(self.room).values()
            for username in usernames
            if username != overview.me
        ]

    # The position in the room

    def show_place(self, seq: int | None) -> None:
        """Scroll an event to the top of the view; None leaves the newest message in view."""
        if seq is not None:
            self.update_idletasks()  # the view must have its size
            self.transcript.show_from(seq)
            self.show_latest()
            self.unread_line.look()

    def show_latest(self) -> None:
        """Update the button "Latest", which is shown while the newest message is not in view."""
        self.latest.look(self._overview.unread.get(self.room, 0))

    def go_to_date(self) -> None:
        """Let the person choose a date, and scroll to its first message."""
        at = ask_for_day(self._window, self._theme, self._on_dialog)
        if at is not None and self.winfo_exists():
            self.transcript.go_to_time(at)

    def _day_menu(self, sent_at: int | None) -> None:
        """Open the menu of a day heading; without one, let the person choose a date."""
        if sent_at is None:
            self.go_to_date()
            return
        items = day_menu(self.transcript, sent_at, self.go_to_date)
        popup(self, self._theme, items, *self.winfo_pointerxy())

    def _to_latest(self) -> None:
        self.transcript.show_latest()
        self._on_latest()
        self.write()

    def _viewed(self) -> None:
        self.unread_line.look()

    def _toggle_find(self) -> None:
        self.find.hide() if self.find.shown else self.find.show()

    def _highlight(self, words: str) -> None:
        self.transcript.highlight(words)

    def _go_to(self, seq: int) -> None:
        self.transcript.go_to(seq)

    # Writing

    def write(self) -> None:
        """Set the keyboard focus to the composer."""
        self.composer.text.focus_set()

    def _send(self, text: str) -> str | None:
        """Send a text to the open room; returns why it can't be sent, None if it can."""
        problem = self.entry.send(text)
        if problem is None:
            self.unread_line.clear()
            self.transcript.go_to_latest()
        return problem

    def _failed(self, out: OutboxMessage, action: str) -> None:
        problem = self.entry.act_on(out, action)
        if problem is not None:
            self.tell(problem)
        elif action == "edit":
            self.write()

    def connect(self) -> None:
        """Try to connect at once."""
        self._session.ask(lambda core: core.connect_now())

    # Toasts

    def tell(self, text: str) -> None:
        """Show a text as a toast for `FAILURE_TIME`."""
        self.toast(text, FAILURE_TIME)

    def toast(self, text: str, milliseconds: int) -> None:
        """Show a text as a toast for some milliseconds, above the button "Latest"."""
        self.toasts.show(text, milliseconds, rise=self.latest.rise)

    def _link_failed(self, _: object) -> None:
        self.tell("No program here opens links; right-click one to copy it")

    def stop(self) -> None:
        """Stop the timers; the view is about to be destroyed."""
        self.connection.stop()
        self.rate_limit.stop()
        self.entry.stop()
        self._not_opened.close()
        # Now, as it can't remove its bindings from the root when it is destroyed.
        self.find.stop()


def _done(do: Callable[[], object], _: object) -> str:
    """Call `do` for a key, and stop further bindings of the event."""
    do()
    return "break"
